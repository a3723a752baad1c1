"""RTP packets: RFC 3550 §5.1, header extension §5.3.1."""

from struct import Struct
from typing import Final, NamedTuple

from sipstrobe.errors import RemoteProtocolError

VERSION: Final = 2
HEADER_BYTES: Final = 12
PLAIN: Final = VERSION << 6  # first octet without padding, extension and CSRCs
_PADDING, _EXTENSION, _CSRC_COUNT = 0x20, 0x10, 0x0F
_MARKER: Final = 0x80
_RTCP_TYPES: Final = range(192, 224)  # RFC 5761 §4: never a payload type with marker
_HEADER: Final = Struct("!BBHII")
_EXTENSION_HEADER: Final = Struct("!HH")


class Extension(NamedTuple):
    """RFC 3550 §5.3.1. data: whole 32-bit words."""

    profile: int
    data: bytes


class Packet(NamedTuple):
    """One RTP packet; a tuple, because one is made every 20 ms for each stream. Padding is gone."""

    payload_type: int
    marker: bool
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes
    csrcs: tuple[int, ...] = ()
    extension: Extension | None = None

    def __bytes__(self) -> bytes:
        first = PLAIN | len(self.csrcs)
        tail = b"".join(csrc.to_bytes(4, "big") for csrc in self.csrcs)
        if self.extension is not None:
            profile, data = self.extension
            first |= _EXTENSION
            tail += _EXTENSION_HEADER.pack(profile, len(data) // 4) + data
        second = self.payload_type | (_MARKER if self.marker else 0)
        header = _HEADER.pack(first, second, self.sequence_number, self.timestamp, self.ssrc)
        return header + tail + self.payload


def parse(data: bytes) -> Packet:
    """Raises RemoteProtocolError for what is no RTP packet, RTCP on the RTP port among it."""
    if len(data) < HEADER_BYTES:
        raise RemoteProtocolError("shorter than an RTP header")
    first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
    if first == PLAIN and second not in _RTCP_TYPES:
        return Packet(
            second & 0x7F, second >= _MARKER, sequence_number, timestamp, ssrc, data[HEADER_BYTES:]
        )
    if first >> 6 != VERSION:
        raise RemoteProtocolError("not RTP version 2")
    if second in _RTCP_TYPES:
        raise RemoteProtocolError("RTCP on the RTP port")
    start = HEADER_BYTES + 4 * (first & _CSRC_COUNT)
    if start > len(data):
        raise RemoteProtocolError("CSRC list cut off")
    csrcs = tuple(int.from_bytes(data[at : at + 4], "big") for at in range(HEADER_BYTES, start, 4))
    extension = _extension(data, start) if first & _EXTENSION else None
    if extension is not None:
        start += _EXTENSION_HEADER.size + len(extension.data)
    end = len(data) - (_padding(data, start) if first & _PADDING else 0)
    return Packet(
        second & 0x7F,
        second >= _MARKER,
        sequence_number,
        timestamp,
        ssrc,
        data[start:end],
        csrcs,
        extension,
    )


def build(
    payload_type: int, marker: bool, sequence_number: int, timestamp: int, ssrc: int, payload: bytes
) -> bytes:
    """The bytes of a packet without CSRCs and extension, the quick way."""
    second = payload_type | _MARKER if marker else payload_type
    return _HEADER.pack(PLAIN, second, sequence_number, timestamp, ssrc) + payload


def _extension(data: bytes, start: int) -> Extension:
    body = start + _EXTENSION_HEADER.size
    if body > len(data):
        raise RemoteProtocolError("header extension cut off")
    profile, words = _EXTENSION_HEADER.unpack_from(data, start)
    if body + 4 * words > len(data):
        raise RemoteProtocolError("header extension cut off")
    return Extension(profile, data[body : body + 4 * words])


def _padding(data: bytes, start: int) -> int:
    count = data[-1] if len(data) > start else 0
    if not 1 <= count <= len(data) - start:
        raise RemoteProtocolError("more padding than payload")
    return count
