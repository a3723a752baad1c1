"""A certificate authority of the tests: it signs whatever a story needs."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass
class Signed:
    """A certificate and its key, in PEM form."""

    certificate: str
    key: str

    def write(self, folder: Path, name: str = "own") -> tuple[Path, Path, Path]:
        """As files: the certificate, the key, and both in one."""
        folder.mkdir(parents=True, exist_ok=True)
        files = tuple(folder / f"{name}{end}" for end in ("-cert.pem", "-key.pem", ".pem"))
        for file, text in zip(
            files, (self.certificate, self.key, self.certificate + self.key), strict=True
        ):
            file.write_text(text)
        return files[0], files[1], files[2]


class Authority:
    """Signs certificates for `DNS`, address and ``sip:`` names; its own is `certificate`."""

    def __init__(self, name: str = "Test Authority") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _subject(name)
        now = datetime.datetime.now(datetime.UTC)
        built = (
            _builder(self._name, self._name, self._key, now - 90 * DAY, now + 90 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, SHA256())
        )
        self.certificate = _pem(built)

    def sign(
        self,
        *names: str,
        common_name: str = "unnamed",
        first_day: float = -1,
        last_day: float = 30,
    ) -> Signed:
        """For these names, "sip:pbx.example" and addresses too; the days count from today."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        builder = _builder(
            _subject(common_name), self._name, key, now + first_day * DAY, now + last_day * DAY
        )
        if names:
            general = [_general(name) for name in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return Signed(_pem(builder.sign(self._key, SHA256())), private)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    first: datetime.datetime,
    last: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    if name.startswith("sip:"):
        return x509.UniformResourceIdentifier(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
