"""The formats of sound that we can speak, as SDP has them: RFC 3551 §6, RFC 7587 §7.

A codec is known by one name everywhere: in the settings, here, and among the codecs. The payload
types here are those that we offer; whoever offers to us has its own.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Final, NamedTuple

from sipstrobe.sdp.description import Format, Media

PTIMES_MS: Final = (10, 20, 30, 40, 60)  # that we send
MAX_PTIME_MS: Final = 60  # that we want to be sent; longer packets are taken all the same
TELEPHONE_EVENT: Final = "telephone-event"
EVENTS: Final = "0-15"  # RFC 4733 §3.2: the DTMF digits
EVENT_TYPE: Final = 101  # that nearly everybody gives to telephone events
COMFORT_NOISE: Final = "CN"  # RFC 3389 §4
COMFORT_NOISE_TYPE: Final = 13  # with a clock of 8 kHz, whether it was agreed on or not
DYNAMIC: Final = range(96, 128)  # RFC 3551 §6


class Sound(NamedTuple):
    """One codec. offered: with the payload type that we offer; fmtp: what we say about ourselves;
    ptimes_ms: of the packets that we can send, and that no network has to cut in two."""

    name: str  # as in the settings
    offered: Format
    fmtp: str = ""
    ptimes_ms: tuple[int, ...] = PTIMES_MS


SOUNDS: Final[Mapping[str, Sound]] = MappingProxyType(
    {
        sound.name: sound
        for sound in (
            Sound(
                "opus",
                Format(96, "opus", 48000, 2),  # RFC 7587 §7: always two channels, even for mono
                "maxplaybackrate=48000;stereo=0;useinbandfec=1",
                (10, 20, 40, 60),  # RFC 6716 §3.1: there are no frames of 30 ms
            ),
            Sound("L16/48000", Format(97, "L16", 48000), ptimes_ms=(10,)),
            Sound("L16/16000", Format(98, "L16", 16000), ptimes_ms=(10, 20, 30, 40)),
            Sound("L16/8000", Format(99, "L16", 8000)),
            Sound("G722", Format(9, "G722", 8000)),
            Sound("PCMU", Format(0, "PCMU", 8000)),
            Sound("PCMA", Format(8, "PCMA", 8000)),
            Sound("G726-32", Format(100, "G726-32", 8000)),
        )
    }
)
_NAMES: Final = {
    (s.offered.encoding.upper(), s.offered.clock_rate, s.offered.channels): s.name
    for s in SOUNDS.values()
} | {("OPUS", 48000, 1): "opus"}  # some forget that there are always two


def name_of(found: Format) -> str | None:
    """Which of our codecs a format is; None: none of them."""
    return _NAMES.get((found.encoding.upper(), found.clock_rate, found.channels))


def offered(names: Iterable[str], event_type: int | None) -> list[Format]:
    """What we offer: these codecs, and telephone events at each of their clock rates.

    event_type: of the events at the slowest clock, which no codec gets then; None: no events.
    """
    formats = [SOUNDS[name].offered for name in names]
    if event_type is None:
        return formats
    taken = {event_type, *(f.payload_type for f in formats)}
    free = (n for n in (*range(event_type, DYNAMIC.stop), *DYNAMIC) if n not in taken)
    rates = sorted({f.clock_rate for f in formats})
    numbers = [event_type, *islice(free, len(rates) - 1)]
    taken.update(numbers)
    others = (n for n in DYNAMIC if n not in taken)
    formats = [
        f._replace(payload_type=next(others)) if f.payload_type == event_type else f
        for f in formats
    ]
    return formats + [Format(n, TELEPHONE_EVENT, r) for n, r in zip(numbers, rates, strict=True)]


def renumbered(formats: Iterable[Format], before: Media | None) -> list[Format]:
    """RFC 3264 §8.3.2: in all of a session a payload type stands for the same.

    before: what we have said last; formats in it keep their numbers, and no other takes one.
    """
    formats = list(formats)
    if before is None:
        return formats
    had = {_kind(f): f.payload_type for f in before.rtp_formats}
    taken = {*had.values(), *(f.payload_type for f in formats)}
    free = (number for number in DYNAMIC if number not in taken)
    numbered: list[Format] = []
    for wanted in formats:
        number = had.get(_kind(wanted))
        if number is None:
            number = wanted.payload_type
            if number in had.values():
                number = next(free)
        numbered.append(wanted._replace(payload_type=number))
    return numbered


def event_of(media: Media, clock_rate: int) -> Format | None:
    """Telephone events at this clock rate (RFC 4733 §2.5.1.5); for want of them at another.

    Many offer them at 8 kHz only, whatever their codecs have.
    """
    found = [f for f in media.rtp_formats if f.encoding.lower() == TELEPHONE_EVENT]
    return next((f for f in found if f.clock_rate == clock_rate), found[0] if found else None)


def comfort_noise_of(media: Media, clock_rate: int) -> Format | None:
    """Comfort noise for a codec of this clock rate."""
    for found in media.rtp_formats:
        if found.encoding.upper() == COMFORT_NOISE and found.clock_rate == clock_rate:
            return found
    return None


def lines_of(found: Format) -> list[str]:
    """What is said about a format below its m= line."""
    channels = f"/{found.channels}" if found.channels > 1 else ""
    lines = [f"a=rtpmap:{found.payload_type} {found.encoding}/{found.clock_rate}{channels}"]
    name = name_of(found)
    fmtp = SOUNDS[name].fmtp if name is not None else ""
    if found.encoding.lower() == TELEPHONE_EVENT:
        fmtp = EVENTS
    if fmtp:
        lines.append(f"a=fmtp:{found.payload_type} {fmtp}")
    return lines


def ptime_of(media: Media, name: str, usual_ms: int) -> int:
    """How long our packets are: as the other side asks for, as near as this codec has it, and no
    longer than the other side can take."""
    wanted = min(media.ptime_ms or usual_ms, media.maxptime_ms or MAX_PTIME_MS)
    return _longest(name, wanted)


def ptime_within(found: Format, usual_ms: int) -> int:
    """How long packets of one of our codecs should be."""
    return _longest(name_of(found) or "", usual_ms)


def _longest(name: str, most_ms: int) -> int:
    possible = SOUNDS[name].ptimes_ms
    return max((p for p in possible if p <= most_ms), default=possible[0])


def _kind(found: Format) -> tuple[str, int]:
    return found.encoding.upper(), found.clock_rate
