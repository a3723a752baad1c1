"""Certificates that people bring and take away: PEM (RFC 7468), PKCS #12 (RFC 7292), signing
requests (PKCS #10, RFC 2986). What is said is for people; a private key is in none of it.

Everything here blocks, and importing it takes 0.1 s: to be used in another thread.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import ExtensionOID, NameOID
from msgspec import Struct

from sipstrobe.io.identity import Identity, fingerprint
from sipstrobe.io.x509 import general_name, printable
from sipstrobe.secret import Secret

MAX_CHAIN: Final = 8  # certificates
MAX_BITS: Final = 4096  # of an RSA key; more would hold up everything with each handshake
MIN_BITS: Final = 2048  # RFC 9325 §4.4
SLOW_BITS: Final = 2048
SOON: Final = timedelta(days=30)
KeyType = Literal["P-256", "RSA-2048"]

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_PRIVATE = re.compile(r"-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class BadCertificate(ValueError):
    """What was brought is of no use. field: which part of it."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class Told(Struct, frozen=True):
    """What a certificate says. warnings: what is doubtful about it."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    fingerprint: str
    key_type: str
    self_signed: bool
    chain: tuple[str, ...]
    warnings: tuple[str, ...]


# --- bringing -----------------------------------------------------------------------------------


def read_pem(certificates: str, key: str, password: str) -> Identity:
    """Certificate, its chain and its key, in one text or two, in any order."""
    given = _CERTIFICATE.findall(certificates + "\n" + key)
    if not given:
        raise BadCertificate("pem", "there is no certificate in it (-----BEGIN CERTIFICATE-----)")
    private = _PRIVATE.search(key) or _PRIVATE.search(certificates)
    if private is None:
        raise BadCertificate("key", "the private key is missing (-----BEGIN PRIVATE KEY-----)")
    return _identity(_loaded(given), _unlocked(private[0], password))


def read_pfx(data: bytes, password: str) -> Identity:
    """Of a PKCS #12 file (.pfx, .p12) the certificate, its chain and its key."""
    try:
        key, own, others = pkcs12.load_key_and_certificates(data, password.encode())
    except ValueError:
        words = "this is no PKCS #12 file, or the password is wrong"
        raise BadCertificate("password" if data[:1] == b"\x30" else "pfx", words) from None
    except UnsupportedAlgorithm:
        raise BadCertificate("pfx", "it is encrypted in a way that is not known here") from None
    if key is None or own is None:
        raise BadCertificate("pfx", "a certificate with its key must be in it")
    return _identity([own, *others], _checked(key))


def read_signed(certificates: str, key: Secret) -> Identity:
    """What an authority has made of a request of ours. key: the one that it was made for."""
    given = _CERTIFICATE.findall(certificates)
    if not given:
        raise BadCertificate("pem", "there is no certificate in it (-----BEGIN CERTIFICATE-----)")
    return _identity(_loaded(given), _unlocked(key.reveal(), ""))


def make_request(
    names: Sequence[str], key_type: KeyType, organization: str, country: str
) -> tuple[Secret, str]:
    """A new key, and the request to sign a certificate for it; the first name is its subject."""
    key: PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if key_type == "P-256"
        else rsa.generate_private_key(65537, MIN_BITS)
    )
    parts = [
        (NameOID.COUNTRY_NAME, country),
        (NameOID.ORGANIZATION_NAME, organization),
        (NameOID.COMMON_NAME, names[0][:64]),
    ]
    try:
        subject = x509.Name([x509.NameAttribute(kind, text) for kind, text in parts if text])
        asked = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(subject)
            .add_extension(
                x509.SubjectAlternativeName([general_name(n) for n in names]), critical=False
            )
            .sign(key, SHA256())
        )
    except ValueError as error:
        raise BadCertificate("names", str(error)) from None
    return _private(key), asked.public_bytes(Encoding.PEM).decode()


# --- telling ------------------------------------------------------------------------------------


def tell(certificate: str, now: datetime) -> Told:
    """What the first certificate of this PEM says. Raises BadCertificate for one that is none."""
    own, *chain = _loaded(_CERTIFICATE.findall(certificate))
    return Told(
        subject=_spelt(own.subject),
        issuer=_spelt(own.issuer),
        names=_names(own),
        valid_from=own.not_valid_before_utc,
        valid_to=own.not_valid_after_utc,
        fingerprint=fingerprint(certificate),
        key_type=_kind(own.public_key()),
        self_signed=own.issuer == own.subject,
        chain=tuple(_spelt(one.subject) for one in chain),
        warnings=tuple(_warnings(own, chain, now)),
    )


def tell_request(request: str) -> tuple[str, tuple[str, ...], str]:
    """Subject, names and kind of key that a request of ours asks for."""
    asked = x509.load_pem_x509_csr(request.encode())
    return _spelt(asked.subject), _names(asked), _kind(asked.public_key())


def _warnings(
    own: x509.Certificate, chain: Sequence[x509.Certificate], now: datetime
) -> Iterable[str]:
    for one in (own, *chain):
        whose = "it" if one is own else f"the certificate of {_spelt(one.subject)}"
        if one.not_valid_after_utc < now:
            yield f"{whose} expired on {one.not_valid_after_utc:%Y-%m-%d}"
        elif one.not_valid_after_utc < now + SOON:
            yield f"{whose} expires on {one.not_valid_after_utc:%Y-%m-%d}"
        if one.not_valid_before_utc > now:
            yield f"{whose} is not valid before {one.not_valid_before_utc:%Y-%m-%d}"
    if not _names(own):
        yield "it is for no name and no address, so that browsers will not accept it"
    key = own.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size > SLOW_BITS:
        yield f"each connection takes long with RSA of {key.key_size} bits; P-256 is faster"


def _names(said: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, ...]:
    try:
        kind = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        found = said.extensions.get_extension_for_oid(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    assert isinstance(found, x509.SubjectAlternativeName)
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return tuple(map(printable, (*found.get_values_for_type(x509.DNSName), *addresses)))


def _spelt(name: x509.Name) -> str:
    """RFC 4514, shortened."""
    return printable(name.rfc4514_string()) or "nobody"


def _kind(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name, key.curve.name)
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA-{key.key_size}"
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")


# --- checking -----------------------------------------------------------------------------------


def _loaded(texts: Sequence[str]) -> list[x509.Certificate]:
    if len(texts) > MAX_CHAIN:
        raise BadCertificate("pem", f"there may be {MAX_CHAIN} certificates in it")
    try:
        return [x509.load_pem_x509_certificate(text.encode()) for text in texts]
    except ValueError as error:
        raise BadCertificate("pem", f"a certificate in it is damaged: {error}") from None


def _unlocked(text: str, password: str) -> PrivateKey:
    try:
        return _checked(load_pem_private_key(text.encode(), password.encode() or None))
    except TypeError:
        words = "the key is encrypted" if not password else "the key is not encrypted"
        raise BadCertificate("password", words) from None
    except UnsupportedAlgorithm:
        raise BadCertificate("key", "this kind of key is not known here") from None
    except BadCertificate:
        raise
    except ValueError:
        field = "password" if password else "key"
        words = "the password is wrong" if password else "the key is damaged"
        raise BadCertificate(field, words) from None


def _checked(key: object) -> PrivateKey:
    if isinstance(key, rsa.RSAPrivateKey):
        if not MIN_BITS <= key.key_size <= MAX_BITS:
            words = f"an RSA key must have {MIN_BITS} to {MAX_BITS} bits"
            raise BadCertificate("key", words)
        return key
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return key
    words = "must be RSA, or of the curve P-256, P-384 or P-521: browsers know no others"
    raise BadCertificate("key", words)


def _identity(given: Iterable[x509.Certificate], key: PrivateKey) -> Identity:
    """The one that is for the key first, then those that lead to its authority, in order."""
    waiting = list(given)
    public = _public(key)
    own = next((one for one in waiting if _public(one) == public), None)
    if own is None:
        raise BadCertificate("key", "the key does not belong to the certificate")
    chain = [own]
    waiting = [one for one in waiting if one != own]
    while (above := _above(chain[-1], waiting)) is not None:
        chain.append(above)
        waiting.remove(above)
    if waiting:
        strangers = ", ".join(_spelt(one.subject) for one in waiting)
        words = f"does not lead from the certificate to its authority: {strangers}"
        raise BadCertificate("pem", words)
    text = "".join(one.public_bytes(Encoding.PEM).decode() for one in chain)
    return Identity(text, _private(key))


def _above(one: x509.Certificate, among: Iterable[x509.Certificate]) -> x509.Certificate | None:
    """The certificate of who has signed this one."""
    for other in among:
        try:
            one.verify_directly_issued_by(other)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return other
    return None


def _public(whose: PrivateKey | x509.Certificate) -> bytes:
    key = whose.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _private(key: PrivateKey) -> Secret:
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Secret(text.decode())
