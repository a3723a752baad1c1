"""Certificates: whom they are for (RFC 5922), why they are not trusted, and one of our own.

Importing this and `io.tls` costs 20 MB and 0.1 s: it is done when TLS is first used.
"""

import ipaddress
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from sipstrobe.errors import ConfigError, Problem
from sipstrobe.io.identity import LIFE, SKEW, Identity
from sipstrobe.secret import Secret

_MAX_SHOWN = 80  # characters of what a certificate says
_MAX_COMMON_NAME = 64  # RFC 5280, appendix A.1: ub-common-name

# x509_vfy.h: what X509_verify_cert finds
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_UNTRUSTED = (2, 7, 19, 20, 21)
_WEAK = (66, 67, 68)


# --- whom a certificate is for ------------------------------------------------------------------


def names_in(certificate: x509.Certificate) -> tuple[str, ...]:
    """Whom a certificate is for: RFC 5922 §7.1, and numeric addresses.

    DNS names count only where no sip: URI names a domain; the subject's common name never does.
    """
    try:
        extensions = certificate.extensions
        names = extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    assert isinstance(names, x509.SubjectAlternativeName)
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    domains = [uri[4:] for uri in uris if uri[:4].lower() == "sip:" and "@" not in uri]
    if not domains:
        domains = names.get_values_for_type(x509.DNSName)
    addresses = names.get_values_for_type(x509.IPAddress)
    return (*domains, *(str(address) for address in addresses))


def is_for(name: str, names: Sequence[str]) -> bool:
    """Whether a certificate with these names is one for this domain or numeric address.

    Deviation: ``*.example.com`` is one for its direct subdomains (RFC 9525 §6.3), where RFC 5922
    §7.2 has no wildcards: large providers have such certificates and no others.
    """
    if is_address(name):
        wanted = ipaddress.ip_address(name.partition("%")[0])
        return any(is_address(known) and ipaddress.ip_address(known) == wanted for known in names)
    domain = domain_of(name)
    parent = domain.partition(".")[2]
    accepted = (domain, f"*.{parent}") if "." in parent else (domain,)
    return any(known.lower().rstrip(".") in accepted for known in names)


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def domain_of(name: str) -> str:
    """A domain as DNS and certificates spell it."""
    try:
        return name.lower().rstrip(".").encode("idna").decode()
    except UnicodeError:
        return name.lower()


# --- why it is not trusted ----------------------------------------------------------------------


def distrust(certificate: x509.Certificate, error: int, depth: int) -> str:
    """For people; error is OpenSSL's, depth counts from the peer's own certificate.

    Raises ValueError for a certificate that cannot be read.
    """
    whose = f"the certificate of {_name_of(certificate.subject)}" if depth else "its certificate"
    if error == _EXPIRED:
        return f"{whose} expired on {_day(certificate.not_valid_after_utc)}"
    if error == _NOT_YET_VALID:
        return f"{whose} is not valid before {_day(certificate.not_valid_before_utc)}"
    if error == _SELF_SIGNED:
        return f"{whose} is signed by itself and not trusted"
    if error in _UNTRUSTED:
        issuer = _name_of(certificate.issuer)
        return f"its certificate is signed by an authority that is not trusted: {issuer}"
    if error in _WEAK:
        return f"{whose} is too weak"
    return f"{whose} is not accepted (error {error})"


def _name_of(name: x509.Name) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in name.get_attributes_for_oid(kind):
            return printable(str(attribute.value))
    return "somebody without a name"


def _day(at: datetime) -> str:
    return at.strftime("%Y-%m-%d")


def printable(text: str) -> str:
    """What a certificate says, for a log."""
    return "".join(c if c.isprintable() else "?" for c in text[:_MAX_SHOWN])


# --- reading and making -------------------------------------------------------------------------


def certificates_in(pem: str, path: str) -> list[x509.Certificate]:
    """At least one. Raises ConfigError, which names the setting by its path."""
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        found = []
    if not found:
        raise ConfigError([Problem(path, "is no certificate in PEM form")])
    return found


def make_identity(
    names: Iterable[str], now: datetime, *, kept: Secret | None = None, life: timedelta = LIFE
) -> Identity:
    """A certificate that is signed by itself: P-256, for these domains and addresses, the first of
    which is its subject. kept: the key to go on with, so that whoever has learnt it still knows us.
    """
    key = _key_in(kept) or ec.generate_private_key(ec.SECP256R1())
    listed = list(names)
    named = x509.SubjectAlternativeName([general_name(name) for name in listed])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, listed[0][:_MAX_COMMON_NAME])])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
        .add_extension(named, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity(made.public_bytes(Encoding.PEM).decode(), Secret(private.decode()))


def is_self_signed(identity: Identity) -> bool:
    """Raises ValueError for a certificate that cannot be read."""
    shown = x509.load_pem_x509_certificates(identity.certificate.encode())[0]
    return shown.issuer == shown.subject


def _key_in(pem: Secret | None) -> ec.EllipticCurvePrivateKey | None:
    if pem is None:
        return None
    try:
        key = load_pem_private_key(pem.reveal().encode(), password=None)
    except (ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def general_name(name: str) -> x509.GeneralName:
    if is_address(name):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(domain_of(name))


def main() -> None:
    """Make a certificate in a process of its own, for one that shall not load all this: what it is
    to be comes as JSON, key and certificate go as PEM."""
    wanted = json.loads(sys.stdin.read())
    kept = Secret(wanted["kept"]) if wanted["kept"] else None
    made = make_identity(wanted["names"], datetime.fromisoformat(wanted["now"]), kept=kept)
    sys.stdout.write(made.key.reveal() + made.certificate)


if __name__ == "__main__":
    main()
