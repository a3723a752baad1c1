"""Whether and how a medium is encrypted: SDES (RFC 4568), DTLS-SRTP (RFC 5763), and both as an
offer that need not be taken (RFC 8643)."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.crypto import Crypto, make_key
from sipstrobe.sdp.description import Media, NotAcceptable, SessionDescription
from sipstrobe.sdp.fingerprint import (
    Fingerprint,
    Setup,
    answering_tls_id,
    fingerprints_of,
    setup_of,
    tls_id_of,
)
from sipstrobe.secret import Secret

PLAIN: Final = ("RTP/AVP", "RTP/AVPF")  # RFC 4585: feedback may be left unused
SDES_ONLY: Final = ("RTP/SAVP", "RTP/SAVPF")  # RFC 3711, 5124; some offer DTLS under these names
DTLS_ONLY: Final = ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")  # RFC 5764 §8
PROFILES: Final = PLAIN + SDES_ONLY + DTLS_ONLY
HELD_ADDRESSES: Final = ("0.0.0.0", "::")  # noqa: S104  # RFC 3264 §8.4: old style of hold


class Encryption(StrEnum):
    """Whether media are encrypted."""

    NONE = "none"
    BEST_EFFORT = "best_effort"  # where the other side can
    MANDATORY = "mandatory"  # or there is no call


class KeyExchange(StrEnum):
    """Where the keys come from."""

    SDES = "sdes"  # they stand in the signalling
    DTLS = "dtls"  # a handshake on the way of the media


class Security(Struct, frozen=True, kw_only=True):
    """What we can do in one call, and insist on.

    keys: ours by suite, preferred suites first; they stay the same while they are in use. clear:
    anybody may read the signalling, so that we offer no keys in it.
    """

    encryption: Encryption = Encryption.NONE
    offered: KeyExchange = KeyExchange.SDES
    keys: Mapping[str, Secret] = field(default_factory=dict[str, Secret])
    clear: bool = False
    fingerprint: Fingerprint | None = None  # of our certificate
    tls_id: str = ""  # RFC 8842: of our DTLS association

    def renewed(self, suite: str, random_bytes: Callable[[int], bytes]) -> "Security":
        """With another key for this suite, since the one that there was has been used."""
        keys = {**self.keys, suite: make_key(suite, random_bytes)}
        return replace(self, keys=keys)


UNENCRYPTED: Final = Security()


class SdesKeys(Struct, frozen=True, kw_only=True):
    """Agreed in the signalling. Keys as in Crypto."""

    tag: int
    suite: str
    ours: Secret  # what we send is protected with it
    theirs: Secret


class DtlsKeys(Struct, frozen=True, kw_only=True):
    """To be made by a handshake, with a certificate that has one of these fingerprints."""

    fingerprints: tuple[Fingerprint, ...]
    active: bool  # we are the client
    tls_id: str | None  # theirs
    our_tls_id: str  # as we have said it; "": not at all
    place: tuple[str, int] | None = None  # of theirs, where nothing else stands for the association

    def same_association(self, other: object) -> bool:
        """RFC 8842 §5.5, and RFC 5763 §6.6 for who knows no tls-id: then the keys stay."""
        return (
            isinstance(other, DtlsKeys)
            and self.fingerprints == other.fingerprints
            and (self.tls_id, self.place) == (other.tls_id, other.place)
            and self.active is other.active
        )


Keying = SdesKeys | DtlsKeys


# --- offering -----------------------------------------------------------------------------------


def offered_profile(ours: Security) -> str:
    """For a first offer. Raises NotAcceptable when we may not offer what we insist on."""
    if ours.encryption is not Encryption.MANDATORY:
        return PLAIN[0]  # RFC 8643 §3
    if ours.offered is KeyExchange.DTLS:
        return DTLS_ONLY[0]
    if ours.clear:
        raise NotAcceptable("keys of media are not sent over signalling that is not encrypted")
    return SDES_ONLY[0]


def offered_lines(ours: Security, agreed: Keying | None, *, first: bool) -> list[str]:
    """What an offer says; within a call it goes on with what was agreed."""
    if not first:
        return lines_of(agreed, ours, Setup.ACTPASS)  # RFC 8842 §5.5: also on the same keys
    if ours.encryption is Encryption.NONE:
        return []
    if ours.offered is KeyExchange.DTLS:
        return _association(ours, Setup.ACTPASS, ours.tls_id)
    if ours.clear:
        return []
    return [Crypto(n, suite, key).line for n, (suite, key) in enumerate(ours.keys.items(), 1)]


def keying_from_answer(
    theirs: SessionDescription, media: Media, asked: Media, ours: Security, agreed: Keying | None
) -> Keying | None:
    """What the answer to our offer (asked) settles. Raises NotAcceptable."""
    keying, reason = None, ""
    if asked.attribute("fingerprint") is not None:
        keying, reason = _dtls(theirs, media, asked.attribute("tls-id") or "", agreed)
    elif asked.attribute("crypto") is not None:
        sent = [Crypto.parse(value) for value in asked.attributes("crypto")]
        keying, reason = _sdes(media, {crypto.suite: crypto.key for crypto in sent})
    insisting = ours.encryption is Encryption.MANDATORY or _is_secure(asked)
    if keying is None and (insisting or _is_secure(media) or reason):  # reason: it has some
        raise NotAcceptable(reason or "the answer has no keys for encrypted media")
    return keying


# --- answering ----------------------------------------------------------------------------------


def keying_from_offer(
    theirs: SessionDescription, media: Media, ours: Security, agreed: Keying | None
) -> Keying | None:
    """How we would take part in an offered medium; None: unencrypted.

    Keys in the signalling are taken however that came. Raises NotAcceptable, with the reason.
    """
    if media.protocol.upper() not in PROFILES:
        raise NotAcceptable(f"{media.protocol} is not supported")
    secure = _is_secure(media)
    if ours.encryption is Encryption.NONE:
        if secure:
            raise NotAcceptable("only encrypted media are offered, and encryption is switched off")
        return None
    reason = "encrypted media are offered without keys"
    if not secure:
        reason = "no encrypted media are offered, and encryption is mandatory"
    for exchange in _exchanges(media, ours):
        if exchange is KeyExchange.DTLS:
            tls_id = tls_id_of(media)
            answered = answering_tls_id(ours.tls_id, tls_id) if tls_id is not None else ""
            keying, why = _dtls(theirs, media, answered, agreed)
        else:
            keying, why = _sdes(media, ours.keys)
        if keying is not None:
            return keying
        reason = why or reason
    if secure or ours.encryption is Encryption.MANDATORY:
        raise NotAcceptable(reason)
    return None


def lines_of(keying: Keying | None, ours: Security, setup: Setup | None = None) -> list[str]:
    """What a description of ours says about keys that were agreed; setup: instead of our role."""
    match keying:
        case None:
            return []
        case SdesKeys():
            return [Crypto(keying.tag, keying.suite, keying.ours).line]
        case DtlsKeys():
            role = setup or (Setup.ACTIVE if keying.active else Setup.PASSIVE)
            return _association(ours, role, keying.our_tls_id)


def _exchanges(media: Media, ours: Security) -> tuple[KeyExchange, ...]:
    """What may have been offered, in the order in which we try it."""
    if media.protocol.upper() in DTLS_ONLY:
        return (KeyExchange.DTLS,)
    if ours.offered is KeyExchange.DTLS:
        return (KeyExchange.DTLS, KeyExchange.SDES)
    return (KeyExchange.SDES, KeyExchange.DTLS)


def _is_secure(media: Media) -> bool:
    return media.protocol.upper() not in PLAIN


def _sdes(media: Media, ours: Mapping[str, Secret]) -> tuple[SdesKeys | None, str]:
    """With the first of their keys that we can use (RFC 4568 §5.1.2), or why there is none."""
    reason = ""
    for value in media.attributes("crypto"):
        try:
            crypto = Crypto.parse(value)
        except RemoteProtocolError as error:
            reason = str(error)
            continue
        key = ours.get(crypto.suite)
        if key is not None:
            return SdesKeys(tag=crypto.tag, suite=crypto.suite, ours=key, theirs=crypto.key), ""
        reason = f"{crypto.suite} was not offered"
    return None, reason


def _dtls(
    theirs: SessionDescription, media: Media, our_tls_id: str, agreed: Keying | None
) -> tuple[DtlsKeys | None, str]:
    """With a handshake, the one that there was if they mean that; or why there can be none."""
    if media.attribute("fingerprint") is None and theirs.attribute("fingerprint") is None:
        return None, ""
    fingerprints = fingerprints_of(theirs, media)
    if not fingerprints:
        return None, "no fingerprint is of a kind that could be trusted"
    setup = setup_of(theirs, media)
    if setup is None:
        return None, "nobody would begin the DTLS handshake"
    keying = DtlsKeys(
        fingerprints=fingerprints,
        active=setup is not Setup.ACTIVE,  # RFC 5763 §5: whoever answers should be
        tls_id=tls_id_of(media),
        our_tls_id=our_tls_id,
        place=_place(theirs, media),
    )
    if isinstance(agreed, DtlsKeys):
        again = keying
        if setup is Setup.ACTPASS:  # any role will do, so that nobody has to change it
            again = replace(again, active=agreed.active)
        if theirs.connection_of(media) in HELD_ADDRESSES:
            again = replace(again, place=agreed.place)
        if again.same_association(agreed):
            return agreed, ""
    return keying, ""


def _place(theirs: SessionDescription, media: Media) -> tuple[str, int] | None:
    """RFC 5763 §6.6: with other transport parameters it is another association, unless tls-id or
    ICE says so."""
    ufrag = media.attribute("ice-ufrag") or theirs.attribute("ice-ufrag")
    if ufrag is not None or tls_id_of(media) is not None:
        return None
    return theirs.connection_of(media), media.port


def _association(ours: Security, setup: Setup, tls_id: str) -> list[str]:
    assert ours.fingerprint is not None
    lines = [f"a=fingerprint:{ours.fingerprint}", f"a=setup:{setup}"]
    return [*lines, f"a=tls-id:{tls_id}"] if tls_id else lines
