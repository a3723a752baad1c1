"""Certificates in JSON: what is brought, asked for and told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, TypedDict

from msgspec import Meta

MAX_NAMES: Final = 32
MAX_DAYS: Final = 3650

DomainOrAddress = Annotated[str, Meta(pattern=r"^[A-Za-z0-9*.:_-]{1,253}$(?!\n)")]
Names = Annotated[
    tuple[DomainOrAddress, ...],
    Meta(
        max_length=MAX_NAMES,
        description="Domains and addresses that it is for; none: those of the device.",
    ),
]


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """A certificate that nobody else signs, with a new key of P-256."""

    names: Names = ()
    days: Annotated[int, Meta(ge=1, le=MAX_DAYS)] = MAX_DAYS


@dataclass(frozen=True, slots=True)
class Brought:
    """A certificate with its key: `pem`, and `key` if it is not in it; or `pfx` (PKCS #12 in
    Base64); or one that is to be made. password: that of the key or of the file."""

    pem: str = ""
    key: str = ""
    pfx: str = ""
    password: str = ""
    self_signed: SelfSigned | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCertificate(Brought):
    """The same under a new name."""

    name: str


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A new key, and the request to sign a certificate for it."""

    name: str
    names: Names = ()
    key_type: Literal["P-256", "RSA-2048"] = "P-256"
    organization: Annotated[str, Meta(max_length=64)] = ""
    country: Annotated[str, Meta(pattern=r"^([A-Z]{2})?$(?!\n)", description="As in DE.")] = ""


@dataclass(frozen=True, slots=True)
class SignedChain:
    """What an authority has made of a request."""

    pem: str


class CertificateTold(TypedDict):
    """A certificate. requested: it has been asked for, and what it is to be is told."""

    name: str
    state: Literal["ready", "requested"]
    built_in: Annotated[bool, Meta(description="The one that the device makes for itself.")]
    subject: str
    issuer: str
    names: list[str]
    valid_from: datetime | None
    valid_to: datetime | None
    fingerprint_sha256: str
    key_type: str
    self_signed: bool
    chain: Annotated[list[str], Meta(description="Who is above it, up to its authority.")]
    used_by: Annotated[list[str], Meta(description="JSON pointers of the settings.")]
    warnings: list[str]


class CertificatesTold(TypedDict):
    """All of them, and how many there may be."""

    certificates: list[CertificateTold]
    max: int
