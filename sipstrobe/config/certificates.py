"""The certificates of the device, by name: for the page, and for SIP (HTT-04, SAC-10, CRT-01)."""

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from sipstrobe.errors import Problem
from sipstrobe.io.identity import Identity
from sipstrobe.secret import Secret
from sipstrobe.sip.settings import SipSettings

OWN: Final = "self-signed"  # the one that the device makes for itself, which is always there
MAX_CERTIFICATES: Final = 16
MAX_CHAIN: Final = 1 << 16  # characters of a certificate with its chain
_PEM = "-----BEGIN"

CertificateName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$(?!\n)",
        title="Name",
        description="1 to 64 letters, digits, spaces or . _ -",
    ),
]


class Certificate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A certificate and the key to it; or only asked for as yet."""

    name: CertificateName
    certificate: Annotated[
        str,
        Meta(
            max_length=MAX_CHAIN,
            title="Certificate",
            description="In PEM form, those that lead to its authority behind it; empty: it has"
            " only been asked for.",
        ),
    ] = ""
    private_key: Annotated[Secret, Meta(title="Private key", description="In PEM form.")]
    request: Annotated[
        str,
        Meta(
            max_length=1 << 14,
            title="Request",
            description="The signing request (PKCS #10) that it was asked for by, in PEM form.",
        ),
    ] = ""


Certificates = Annotated[
    tuple[Certificate, ...], Meta(max_length=MAX_CERTIFICATES, title="Certificates")
]


def section_problems(certificates: tuple[Certificate, ...]) -> list[Problem]:
    """What is wrong with them together."""
    found: list[Problem] = []
    names = {OWN}
    for i, one in enumerate(certificates):
        if one.name in names:
            found.append(Problem(f"/{i}/name", f"there is a certificate {one.name!r} already"))
        names.add(one.name)
        if not one.private_key:
            found.append(Problem(f"/{i}/private_key", "is missing"))
    return found


def problems(certificates: tuple[Certificate, ...], shown: str) -> Iterator[Problem]:
    """Whether there is what the page is to show."""
    ready = {one.name for one in certificates if one.certificate} | {OWN}
    if shown not in ready:
        known = any(one.name == shown for one in certificates)
        words = "has only been asked for" if known else f"there is no certificate {shown!r}"
        yield Problem("/web/certificate", words)


def identity_of(certificates: tuple[Certificate, ...], name: str) -> Identity | None:
    """The certificate of this name with its key; None: the one that the device makes."""
    for one in certificates:
        if one.name == name and one.certificate:
            return Identity(one.certificate, one.private_key)
    return None


def sip_with(certificates: tuple[Certificate, ...], sip: SipSettings) -> SipSettings:
    """The same, with the certificate itself where its name stands."""
    name = sip.tls.certificate
    if not name or name.lstrip().startswith(_PEM):
        return sip
    shown = identity_of(certificates, name)
    if shown is not None:
        changed = {"certificate": shown.certificate, "private_key": shown.key}
    elif name == OWN:
        changed = {"certificate": "", "private_key": Secret("")}
    else:
        return sip
    return msgspec.structs.replace(sip, tls=msgspec.structs.replace(sip.tls, **changed))
