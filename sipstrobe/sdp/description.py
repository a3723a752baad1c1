"""Session descriptions: RFC 8866 (before: RFC 4566, RFC 2327), byte-faithful and tolerant.

A description is its lines, as they came. What they mean is read from them when asked for, so that
unknown lines and attributes, odd line ends and odd order survive.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.lazy import lazy

MAX_BYTES: Final = 16384
MAX_LINES: Final = 512
MAX_MEDIA: Final = 32
MAX_FORMATS: Final = 64  # of one m= line
CRLF: Final = "\r\n"
_KEY: Final = re.compile(r"(crypto:|key-mgmt:|^k=).*", re.IGNORECASE)  # RFC 4568, 4567, 4566


class NotAcceptable(RemoteProtocolError):
    """No stream is possible that both sides could use."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=488)


class Direction(StrEnum):
    """RFC 8866 §6.7, from the point of view of whoever wrote it."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> "Direction":
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE


class Origin(NamedTuple):
    """RFC 8866 §5.2."""

    username: str
    session_id: str
    session_version: str
    network_type: str
    address_type: str
    address: str


class Format(NamedTuple):
    """A payload type and what it stands for: RFC 8866 §6.6."""

    payload_type: int
    encoding: str  # as written; compare without case
    clock_rate: int
    channels: int = 1


STATIC_FORMATS: Final = {  # RFC 3551 §6, audio
    f.payload_type: f
    for f in (
        Format(0, "PCMU", 8000),
        Format(3, "GSM", 8000),
        Format(4, "G723", 8000),
        Format(5, "DVI4", 8000),
        Format(6, "DVI4", 16000),
        Format(7, "LPC", 8000),
        Format(8, "PCMA", 8000),
        Format(9, "G722", 8000),
        Format(10, "L16", 44100, 2),
        Format(11, "L16", 44100),
        Format(12, "QCELP", 8000),
        Format(13, "CN", 8000),
        Format(14, "MPA", 90000),
        Format(15, "G728", 8000),
        Format(16, "DVI4", 11025),
        Format(17, "DVI4", 22050),
        Format(18, "G729", 8000),
    )
}


class _Lines:
    """Lines with the type letter, as written but without their ends."""

    lines: tuple[str, ...]

    @lazy
    def _said(self) -> dict[str, list[str]]:
        """What follows the type letter and "=", by these."""
        said: dict[str, list[str]] = {}
        for line in self.lines:
            said.setdefault(line[:2], []).append(line[2:].strip())
        return said

    @lazy
    def _named(self) -> dict[str, list[str]]:
        """The values of the attributes, by their names."""
        named: dict[str, list[str]] = {}
        for value in self._said.get("a=", ()):
            name, _, rest = value.partition(":")
            named.setdefault(name.strip(), []).append(rest.strip())
        return named

    def value(self, kind: str) -> str | None:
        """What follows the first ``kind=``."""
        values = self._said.get(kind + "=")
        return values[0] if values else None

    def attributes(self, name: str) -> Sequence[str]:
        """The values of each ``a=name:value``; "" for ``a=name``."""
        return self._named.get(name, ())

    def attribute(self, name: str) -> str | None:
        values = self._named.get(name)
        return values[0] if values else None

    @property
    def connection(self) -> str | None:
        """The address of the c= line, without the TTL of a multicast one."""
        value = self.value("c")
        if value is None:
            return None
        parts = value.split()
        if len(parts) != 3 or parts[0] != "IN":
            raise RemoteProtocolError(f"c={value} is no connection")
        return parts[2].partition("/")[0]

    @property
    def direction(self) -> Direction | None:
        """The last direction attribute, None if there is none."""
        for value in reversed(self._said.get("a=", ())):
            if value in _DIRECTIONS:
                return Direction(value)
        return None


_DIRECTIONS: Final = frozenset(Direction)


@dataclass(frozen=True)
class Media(_Lines):
    """One m= line and all that belongs to it."""

    lines: tuple[str, ...]  # the first is the m= line
    kind: str  # "audio", "video", …
    port: int  # 0: refused or not wanted
    protocol: str  # "RTP/AVP", …
    formats: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Media({_shown(self.lines)})"

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Media":
        """Raises RemoteProtocolError unless the first is an m= line (RFC 8866 §5.14)."""
        lines = tuple(lines)
        parts = lines[0][2:].split()
        if len(parts) < 4 or len(parts) - 3 > MAX_FORMATS:
            raise RemoteProtocolError(f"{lines[0]!r} is no media description")
        port = _number(parts[1].partition("/")[0], 65535, "port")
        return cls(lines, parts[0], port, parts[2], tuple(parts[3:]))

    @property
    def rtcp_port(self) -> int:
        """RFC 3605; without the attribute the port after the one for RTP."""
        value = self.attribute("rtcp")
        if value is None:
            return min(self.port + 1, 65535)
        return _number((value.split() or [""])[0], 65535, "RTCP port")

    @property
    def rtcp_mux(self) -> bool:
        """RFC 5761 §5.1.1: RTCP may be on the port for RTP."""
        return "a=rtcp-mux" in self.lines

    @property
    def ptime_ms(self) -> int | None:
        return self._milliseconds("ptime")

    @property
    def maxptime_ms(self) -> int | None:
        return self._milliseconds("maxptime")

    @lazy
    def rtp_formats(self) -> tuple[Format, ...]:
        """What the payload types stand for, in the order of preference; unknown ones left out."""
        mapped: dict[int, Format] = {}
        for value in self.attributes("rtpmap"):
            found = _rtpmap(value)
            if found is not None:
                mapped.setdefault(found.payload_type, found)
        formats: list[Format] = []
        for text in self.formats:
            if text.isascii() and text.isdigit() and len(text) <= 3:
                number = int(text)
                known = mapped.get(number) or STATIC_FORMATS.get(number)
                if known is not None:
                    formats.append(known)
        return tuple(formats)

    def fmtp(self, payload_type: int) -> str:
        """RFC 8866 §6.15: the parameters of a format; "" if there are none."""
        for value in self.attributes("fmtp"):
            number, _, parameters = value.partition(" ")
            if number == str(payload_type):
                return parameters.strip()
        return ""

    def _milliseconds(self, name: str) -> int | None:
        """Some write fractions, and some nonsense: that counts as nothing said."""
        try:
            return round(float(self.attribute(name) or "")) or None
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class SessionDescription(_Lines):
    """One description. ends: how each line was ended, if not with CRLF."""

    lines: tuple[str, ...]  # of the session, up to the first m= line
    media: tuple[Media, ...]
    ends: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"SessionDescription({_shown(self.lines)}, {list(self.media)!r})"

    @classmethod
    def parse(cls, data: bytes) -> "SessionDescription":
        """Raises RemoteProtocolError for what is no SDP, or more than anybody needs."""
        if len(data) > MAX_BYTES:
            raise RemoteProtocolError("SDP too long", status=513)
        pieces = data.decode("utf-8", "surrogateescape").split("\n")
        if len(pieces) > MAX_LINES:
            raise RemoteProtocolError("SDP with too many lines", status=513)
        last = pieces.pop()
        lines = [piece.removesuffix("\r") for piece in pieces]
        plain = not last and data.count(b"\r\n") == len(lines)
        if last:
            lines.append(last)
        if not lines or not lines[0].startswith("v="):
            raise RemoteProtocolError("SDP does not begin with v=")
        starts = [at for at, line in enumerate(lines) if line.startswith("m=")]
        if len(starts) > MAX_MEDIA:
            raise RemoteProtocolError("SDP with too many media", status=513)
        borders = [*starts, len(lines)]
        media = [Media.of(lines[a:b]) for a, b in zip(starts, borders[1:], strict=True)]
        ends = () if plain else _ends(pieces, last)
        return cls(tuple(lines[: borders[0]]), tuple(media), ends)

    @classmethod
    def of(cls, lines: Iterable[str], media: Iterable[Iterable[str]]) -> "SessionDescription":
        """A description of our own from its lines."""
        return cls(tuple(lines), tuple(Media.of(m) for m in media))

    def __bytes__(self) -> bytes:
        lines = list(self.lines)
        for media in self.media:
            lines += media.lines
        if self.ends:
            text = "".join([a + b for a, b in zip(lines, self.ends, strict=True)])
        else:
            text = CRLF.join([*lines, ""])
        return text.encode("utf-8", "surrogateescape")

    @property
    def origin(self) -> Origin:
        value = self.value("o") or ""
        parts = value.split()
        if len(parts) != 6:
            raise RemoteProtocolError(f"o={value} is no origin")
        return Origin(*parts)

    def connection_of(self, media: Media) -> str:
        """The address of a medium: its own c= line or that of the session."""
        address = media.connection or self.connection
        if address is None:
            raise RemoteProtocolError("SDP without c=")
        return address

    def direction_of(self, media: Media) -> Direction:
        """The direction of a medium: its own, that of the session, or sendrecv."""
        return media.direction or self.direction or Direction.SENDRECV


def _ends(pieces: list[str], last: str) -> tuple[str, ...]:
    """How each line was ended."""
    ends = ["\r\n" if piece.endswith("\r") else "\n" for piece in pieces]
    return (*ends, "") if last else tuple(ends)


def _shown(lines: tuple[str, ...]) -> list[str]:
    """Lines without the keys of media that they may hold, well written or not."""
    return [_KEY.sub(r"\1***", line) for line in lines]


def _number(text: str, largest: int, what: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= largest:
        return int(text)
    raise RemoteProtocolError(f"{text!r} is no {what}")


def _rtpmap(value: str) -> Format | None:
    """``0 PCMU/8000``, ``96 L16/48000/2``; None when it cannot be read."""
    number, _, encoding = value.partition(" ")
    parts = encoding.strip().split("/")
    digits = (number, *parts[1:3])
    if len(parts) < 2 or not all(d.isascii() and d.isdigit() and len(d) <= 9 for d in digits):
        return None
    payload_type, clock_rate = int(number), int(parts[1])
    channels = int(parts[2]) if len(parts) > 2 else 1
    if payload_type > 127 or not clock_rate or not parts[0]:
        return None
    return Format(payload_type, parts[0], clock_rate, channels)
