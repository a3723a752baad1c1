"""Offer and answer as values: RFC 3264, hold RFC 3264 §8.4, RTP and RTCP on one port RFC 5761."""

import ipaddress
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from msgspec import Struct, structs

from sipstrobe.sdp.candidates import (
    IceDescription,
    media_lines,
    mismatches,
    read,
    session_lines,
)
from sipstrobe.sdp.description import (
    Direction,
    Format,
    Media,
    NotAcceptable,
    SessionDescription,
)
from sipstrobe.sdp.formats import (
    COMFORT_NOISE_TYPE,
    EVENT_TYPE,
    MAX_PTIME_MS,
    TELEPHONE_EVENT,
    comfort_noise_of,
    event_of,
    name_of,
    offered,
    ptime_of,
    ptime_within,
    renumbered,
)
from sipstrobe.sdp.formats import lines_of as format_lines
from sipstrobe.sdp.security import (
    HELD_ADDRESSES,
    UNENCRYPTED,
    Encryption,
    KeyExchange,
    Keying,
    Security,
    keying_from_answer,
    keying_from_offer,
    lines_of,
    offered_lines,
    offered_profile,
)

RTCP_MUX: Final = "a=rtcp-mux"
EXTENDED: Final = ("rcvr-rtt", "voip-metrics")  # RFC 3611 §5.1: the reports that we can make
MAX_HOSTS: Final = 256  # whose spelling is remembered
_RTCP_XR: Final = "a=rtcp-xr:rcvr-rtt=all voip-metrics"


class Offerable(Struct, frozen=True, kw_only=True):
    """What we can do in one call, and where."""

    host: str  # our own address, IPv6 without brackets
    rtp_port: int
    rtcp_port: int | None = None  # None: the next one
    session_id: int  # stays the same during a call; RFC 8866 §5.2
    codecs: tuple[str, ...] = ("PCMU", "PCMA")  # of formats.SOUNDS, preferred ones first
    event_type: int | None = EVENT_TYPE  # of telephone events that we offer; None: no events
    direction: Direction = Direction.SENDRECV
    ptime_ms: int = 20
    ice: IceDescription | None = None
    rtcp_mux: bool = False  # offer it; it is always accepted
    security: Security = UNENCRYPTED


class MediaParameters(Struct, frozen=True, kw_only=True):
    """What the exchange has settled for the one audio stream."""

    host: str  # of the peer; a numeric address in canonical form, or a name as it was written
    rtp_port: int
    rtcp_port: int
    codec: str  # of formats.SOUNDS
    payload_type: int  # to send with
    receive_types: Mapping[int, str]  # payload type -> codec, of all that may come
    event_type: int | None  # to send telephone events with; None: the peer does not want them
    receive_event_types: Mapping[int, int]  # payload type -> clock rate, of all that may come
    ptime_ms: int  # to send with
    direction: Direction  # ours
    on_hold: bool  # the peer does not want to hear us
    ice: IceDescription | None = None  # of the peer; None: it does none, or cannot
    profile: str = "RTP/AVP"  # as it was written
    rtcp_mux: bool = False  # RTCP is on the ports of RTP
    keying: Keying | None = None  # None: unencrypted
    extended: tuple[str, ...] = ()  # of EXTENDED, those that the peer wants
    fmtp: str = ""  # what the peer says about how it likes to receive the codec
    event_clock_rate: int = (
        8000  # of the telephone events to send, which may differ from the codec's
    )
    comfort_noise_type: int | None = None  # that may come; None: none may


class Answer(Struct, frozen=True):
    """description: to be sent to the peer."""

    description: SessionDescription
    parameters: MediaParameters


def offer(
    ours: Offerable,
    previous: SessionDescription | None = None,
    agreed: MediaParameters | None = None,
) -> SessionDescription:
    """Our offer. previous: what we sent last in this call, whose media it must go on from
    (RFC 3264 §8) and whose version it keeps if nothing else has changed; agreed: what has been
    settled before, whose profile and keys it goes on with.

    Raises NotAcceptable when we insist on keys that we may not send.
    """
    before = None if previous is None else previous.media[_ours(previous)]
    formats = renumbered(offered(ours.codecs, ours.event_type), before)
    profile = agreed.profile if agreed is not None else offered_profile(ours.security)
    keying = agreed.keying if agreed is not None else None
    lines = offered_lines(ours.security, keying, first=agreed is None)
    if agreed.rtcp_mux if agreed is not None else ours.rtcp_mux or _offers_dtls(ours.security):
        lines.append(RTCP_MUX)
    lines.append(_RTCP_XR)
    audio = _audio(ours, formats, ours.direction, profile, lines)
    media: list[list[str]] = [audio]
    if previous is not None:
        at = _ours(previous)
        media = [audio if n == at else _refused(m) for n, m in enumerate(previous.media)]
    return _describe(ours, media, previous)


def answer(
    theirs: SessionDescription,
    ours: Offerable,
    previous: SessionDescription | None = None,
    agreed: MediaParameters | None = None,
) -> Answer:
    """Our answer to an offer: one codec, the one of ours that the peer prefers most.

    Media other than the first usable audio are refused, where the first encrypted one comes before
    those that are not. previous and agreed as for `offer`. Raises NotAcceptable when there is none.
    """
    chosen, keying = _choose(theirs, ours, agreed)
    media = theirs.media[chosen]
    parameters = _parameters(theirs, media, ours, media, keying)
    ours = structs.replace(ours, ice=_ice_answer(theirs, media, parameters, ours))
    said = {f.payload_type: f for f in media.rtp_formats}
    numbers = (parameters.payload_type, parameters.event_type, parameters.comfort_noise_type)
    formats = [said[number] for number in numbers if number in said]
    extra = lines_of(keying, ours.security)
    if parameters.rtcp_mux:
        extra.append(RTCP_MUX)
    if parameters.extended:  # RFC 3611 §5.2: who asks for reports may be asked for them
        extra.append(_RTCP_XR)
    audio = _audio(ours, formats, parameters.direction, media.protocol, extra)
    lines = [audio if n == chosen else _refused(m) for n, m in enumerate(theirs.media)]
    return Answer(_describe(ours, lines, previous), parameters)


def accept_answer(
    our_offer: SessionDescription,
    theirs: SessionDescription,
    ours: Offerable,
    agreed: MediaParameters | None = None,
) -> MediaParameters:
    """What an answer to our offer settles. Raises NotAcceptable when it refuses the audio, or the
    keys that it needs. agreed: as for `offer`."""
    at = _ours(our_offer)
    if at >= len(theirs.media):
        raise NotAcceptable("the answer has fewer media than the offer")
    media, asked = theirs.media[at], our_offer.media[at]
    if media.kind != "audio" or not media.port:
        raise NotAcceptable("the answer refuses the audio")
    before = agreed.keying if agreed is not None else None
    keying = keying_from_answer(theirs, media, asked, ours.security, before)
    return _parameters(theirs, media, ours, asked, keying)


def _parameters(
    theirs: SessionDescription,
    media: Media,
    ours: Offerable,
    receiving: Media,
    keying: Keying | None,
) -> MediaParameters:
    """receiving: the m= line whose payload types count for what we receive."""
    usable = _common(media, ours.codecs)
    if not usable:
        raise NotAcceptable("no codec in common")
    name, chosen = usable[0]
    event = event_of(media, chosen.clock_rate) if ours.event_type is not None else None
    received = {f.payload_type: of for of, f in _common(receiving, ours.codecs)}
    if receiving is media:  # we answer, with one codec
        received = {chosen.payload_type: name}
    host = _canonical(theirs.connection_of(media))
    ice = _ice(theirs, media, ours)
    held = host in HELD_ADDRESSES and ice is None
    if not held and _ip_version(host) not in (None, _ip_version(ours.host)):
        raise NotAcceptable(f"{host} cannot be reached from {ours.host}")
    mux = media.rtcp_mux and receiving.rtcp_mux
    direction = theirs.direction_of(media)
    wanted = Direction.of(
        sends=ours.direction.sends and direction.receives and not held,
        receives=ours.direction.receives and direction.sends,
    )
    return MediaParameters(
        host=host,
        rtp_port=media.port,
        rtcp_port=media.port if mux else media.rtcp_port,
        codec=name,
        payload_type=chosen.payload_type,
        receive_types=received,
        event_type=event.payload_type if event is not None else None,
        receive_event_types=_events(receiving, media, received) if event is not None else {},
        ptime_ms=ptime_of(media, name, ours.ptime_ms),
        direction=wanted,
        on_hold=held or not direction.receives,
        ice=ice,
        profile=media.protocol,
        rtcp_mux=mux,
        keying=keying,
        extended=_extended(theirs, media),
        fmtp=media.fmtp(chosen.payload_type),
        event_clock_rate=event.clock_rate if event is not None else chosen.clock_rate,
        comfort_noise_type=_comfort_noise(media, chosen, received),
    )


def _events(receiving: Media, media: Media, sound: Mapping[int, str]) -> dict[int, int]:
    """Telephone events that may come: RFC 3264 §5.1 by the numbers of who receives, but some use
    those of who sends."""
    formats = [*media.rtp_formats, *receiving.rtp_formats]
    events = [f for f in formats if f.encoding.lower() == TELEPHONE_EVENT]
    return {f.payload_type: f.clock_rate for f in events if f.payload_type not in sound}


def _ice(theirs: SessionDescription, media: Media, ours: Offerable) -> IceDescription | None:
    """ICE of the peer, if both sides can use it."""
    found = read(theirs, media) if ours.ice is not None else None
    if found is None or found.mismatch:
        return None
    elsewhere = " IN " in (media.attribute("rtcp") or "")  # RFC 3605: at an address of its own
    aside = elsewhere or media.port == media.rtcp_port
    place = (media.port, None if aside else media.rtcp_port)
    return None if mismatches(found, theirs.connection_of(media), place) else found


def _ice_answer(
    theirs: SessionDescription, media: Media, agreed: MediaParameters, ours: Offerable
) -> IceDescription | None:
    """RFC 8839 §4.2.5: ours to theirs, and a word of it when they cannot be used."""
    if ours.ice is None or agreed.ice is not None:
        return ours.ice
    return replace(ours.ice, mismatch=True) if read(theirs, media) is not None else None


def _choose(
    theirs: SessionDescription, ours: Offerable, agreed: MediaParameters | None
) -> tuple[int, Keying | None]:
    """Which of the offered media is used, and with which keys."""
    reason, plain = "no audio is offered", -1
    before = agreed.keying if agreed is not None else None
    for at, media in enumerate(theirs.media):
        if media.kind != "audio" or not media.port:
            continue
        try:
            keying = keying_from_offer(theirs, media, ours.security, before)
        except NotAcceptable as refusal:
            reason = str(refusal)
            continue
        if not _common(media, ours.codecs):
            reason = "no codec in common"
        elif keying is not None:
            return at, keying
        elif plain < 0:
            plain = at
    if plain < 0:
        raise NotAcceptable(reason)
    return plain, None


def _offers_dtls(ours: Security) -> bool:
    return ours.encryption is not Encryption.NONE and ours.offered is KeyExchange.DTLS


def _common(media: Media, codecs: tuple[str, ...]) -> list[tuple[str, Format]]:
    """The formats of an m= line that we can do as well, in its order, with our names for them."""
    named = ((name_of(found), found) for found in media.rtp_formats)
    return [(name, found) for name, found in named if name in codecs]


def _comfort_noise(media: Media, chosen: Format, received: Mapping[int, str]) -> int | None:
    """Agreed on; or of the number that it always has, which some send without a word."""
    agreed = comfort_noise_of(media, chosen.clock_rate)
    if agreed is not None:
        return agreed.payload_type
    usual = chosen.clock_rate == 8000 and COMFORT_NOISE_TYPE not in received
    return COMFORT_NOISE_TYPE if usual else None


def _extended(theirs: SessionDescription, media: Media) -> tuple[str, ...]:
    """What the peer wants to be told: RFC 3611 §5.1, for its medium or for all of them."""
    wanted = media.attribute("rtcp-xr") or theirs.attribute("rtcp-xr") or ""
    names = {part.partition("=")[0] for part in wanted.split()}
    return tuple(name for name in EXTENDED if name in names)


@lru_cache(MAX_HOSTS)
def _canonical(host: str) -> str:
    """One spelling for each numeric address. Raises NotAcceptable where no stream may go."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_multicast or host == "255.255.255.255":
        raise NotAcceptable("a call cannot send to a group")
    return str(address)


def can_be_reached(address: str, ours: str) -> bool:
    """Whether media could be sent from our address to this one, both numeric."""
    found, here = (ipaddress.ip_address(text.partition("%")[0]) for text in (address, ours))
    unusable = found.is_multicast or found.is_unspecified or address == "255.255.255.255"
    return not unusable and found.version == here.version


@lru_cache(MAX_HOSTS)
def _ip_version(host: str) -> int | None:
    """4 or 6; None for a name."""
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None


def _describe(
    ours: Offerable, media: list[list[str]], previous: SessionDescription | None
) -> SessionDescription:
    """The whole description; its version grows by one when it differs from the previous."""
    version = ours.session_id if previous is None else int(previous.origin.session_version)
    made = SessionDescription.of(_session(ours, version), media)
    if previous is None or made == previous:
        return made
    return SessionDescription.of(_session(ours, version + 1), media)


def _session(ours: Offerable, version: int) -> list[str]:
    address = f"{_address_type(ours.host)} {ours.host}"
    return [
        "v=0",
        f"o=- {ours.session_id} {version} IN {address}",
        "s=-",
        f"c=IN {address}",
        "t=0 0",
        *session_lines(ours.ice),
    ]


def _audio(
    ours: Offerable, formats: list[Format], direction: Direction, profile: str, extra: list[str]
) -> list[str]:
    numbers = " ".join(str(f.payload_type) for f in formats)
    lines = [f"m=audio {ours.rtp_port} {profile} {numbers}"]
    for f in formats:
        lines += format_lines(f)
    if ours.rtcp_port not in (None, ours.rtp_port + 1):
        lines.append(f"a=rtcp:{ours.rtcp_port}")  # RFC 3605
    lines.append(f"a=ptime:{ptime_within(formats[0], ours.ptime_ms)}")
    lines.append(f"a=maxptime:{MAX_PTIME_MS}")
    return [*lines, f"a={direction}", *extra, *media_lines(ours.ice)]


def _refused(media: Media) -> list[str]:
    """RFC 3264 §6: the same line with port 0; the formats are of no consequence."""
    return [f"m={media.kind} 0 {media.protocol} {' '.join(media.formats)}"]


def _ours(description: SessionDescription) -> int:
    """Which of our own m= lines is the audio stream in use, or was last."""
    audio = [n for n, m in enumerate(description.media) if m.kind == "audio"]
    return next((n for n in audio if description.media[n].port), audio[0] if audio else 0)


def _address_type(host: str) -> str:
    return "IP6" if ":" in host else "IP4"
