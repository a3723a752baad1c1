"""DTLS-SRTP in SDP: RFC 5763; fingerprints of RFC 8122, roles and identity of RFC 8842."""

import hashlib
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.description import Media, SessionDescription

DIGEST_BYTES: Final = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}
MAX_FINGERPRINTS: Final = 16  # of one medium that are looked at
_HEX: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")
_TLS_ID: Final = re.compile(r"[A-Za-z0-9+/_-]{20,255}")  # RFC 8842 §4


class Fingerprint(NamedTuple):
    """Hash of a certificate: ``sha-256 6B:8B:…``."""

    function: str  # "sha-256", lower case
    digest: bytes

    @classmethod
    def parse(cls, value: str) -> "Fingerprint":
        """Raises RemoteProtocolError for what is none, or made with a hash that proves nothing."""
        function, _, text = value.strip().partition(" ")
        size, text = DIGEST_BYTES.get(function.lower()), text.strip()
        if size is None:
            raise RemoteProtocolError(f"the fingerprint {function[:20]!r} is not supported")
        if len(text) != 3 * size - 1 or not _HEX.fullmatch(text):
            raise RemoteProtocolError(f"a=fingerprint:{function} without {size} octets")
        return cls(function.lower(), bytes.fromhex(text.replace(":", "")))

    def __str__(self) -> str:
        return f"{self.function} {self.digest.hex(':').upper()}"


class Setup(StrEnum):
    """RFC 4145 §4: who begins; the active one is the DTLS client."""

    ACTIVE = "active"
    PASSIVE = "passive"
    ACTPASS = "actpass"


def fingerprints_of(session: SessionDescription, media: Media) -> tuple[Fingerprint, ...]:
    """Those of a medium that can be used, of the session when the medium names none."""
    for part in (media, session):
        found = tuple(_usable(part.attributes("fingerprint")))
        if found:
            return found
    return ()


def setup_of(session: SessionDescription, media: Media) -> Setup | None:
    """RFC 4145 §4: active is meant when nothing is said. None for holdconn and what is unknown."""
    value = media.attribute("setup") or session.attribute("setup") or Setup.ACTIVE
    try:
        return Setup(value.lower())
    except ValueError:
        return None


def tls_id_of(media: Media) -> str | None:
    """RFC 8842 §4; None when there is none that could be read."""
    value = media.attribute("tls-id")
    return value if value is not None and _TLS_ID.fullmatch(value) else None


def answering_tls_id(ours: str, theirs: str) -> str:
    """RFC 8842 §5.3: our identity of the association that theirs stands for; with another one of
    theirs it is another, with the same the same."""
    return hashlib.sha256(f"{ours} {theirs}".encode()).hexdigest()[:32]


def _usable(values: Iterable[str]) -> Iterable[Fingerprint]:
    for _, value in zip(range(MAX_FINGERPRINTS), values, strict=False):
        try:
            yield Fingerprint.parse(value)
        except RemoteProtocolError:
            continue
