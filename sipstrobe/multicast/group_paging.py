"""What desk phones send to page each other: a header of 20 bytes, and in one kind of packet sound.

Published as "PTT/Group Paging Audio Packet Format", Polycom Engineering Advisory 70568 (October
2017, 3725-47133-001A), and in the same words by Spectralink for the 84-Series; FreeSWITCH (mod_esf)
sends it as well. All of it is in network byte order::

    op code 1 | channel 1 | host serial number 4 | length of caller id 1 | caller id 13
    and where the op code is Transmit:
    codec 1 | flags 1 | sample count 4 | sound of the packet before | sound

A page is 31 Alerts, then Transmits, then 12 Ends; Alerts and Ends are 30 ms apart. The first
Transmit has no sound of a packet before. Channels 1 to 25 are for pushing to talk and 26 to 50 for
paging groups; the last two of either are, unless administrators say otherwise, for priority and for
emergencies. The serial number is the end of the phone's MAC address; of phones that begin at once,
the one with the lowest goes on.

Where senders differ: the length is 13 with most, and that of the text with some (both are read, 13
is written). The sample count of G.722 goes by 8,000 a second, as in RTP, or by 16,000 (`channel`
finds out; 8,000 is written). G.726QI, of which only phones know, is 0xFF or 0xFD and not played.
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError

ALERTS: Final = 31
ENDS: Final = 12
INTERVAL: Final = 0.030  # seconds from one Alert or End to the next
CALLER_ID_BYTES: Final = 13
MAX_CHANNEL: Final = 50
MAX_AUDIO: Final = 1280  # bytes in a packet: two frames of 80 ms at 64 kbit/s
CODECS: Final[Mapping[int, str]] = {0x00: "PCMU", 0x09: "G722"}
"""What is understood, all at 64 kbit/s: a byte lasts 125 µs."""

_HEADER: Final = struct.Struct("!BBIB13s")
_SOUND: Final = struct.Struct("!BBI")
_WRAP: Final = 1 << 32


class OpCode(IntEnum):
    """What a packet is."""

    ALERT = 0x0F  # a page is about to begin
    TRANSMIT = 0x10
    END = 0xFF


class Packet(Struct, frozen=True):
    """One datagram. audio: in a Transmit, what the packet before has said and then what is new."""

    op: OpCode
    channel: int
    serial_number: int
    caller_id: str = ""  # ASCII, CALLER_ID_BYTES at most
    codec: int = 0
    flags: int = 0
    sample_count: int = 0
    audio: bytes = b""

    def __bytes__(self) -> bytes:
        caller_id = self.caller_id.encode("ascii")
        assert len(caller_id) <= CALLER_ID_BYTES
        assert 1 <= self.channel <= MAX_CHANNEL
        header = _HEADER.pack(self.op, self.channel, self.serial_number, CALLER_ID_BYTES, caller_id)
        if self.op is not OpCode.TRANSMIT:
            return header
        return header + _SOUND.pack(self.codec, self.flags, self.sample_count) + self.audio


def channel_of(data: bytes) -> int | None:
    """For whom a datagram is, without reading it; None: it is too short to say."""
    return data[1] if len(data) > 1 else None


def parse(data: bytes) -> Packet:
    """Raises RemoteProtocolError. What follows the header of an Alert or an End is ignored."""
    if len(data) < _HEADER.size:
        raise RemoteProtocolError(f"{len(data)} bytes are less than a header")
    op, channel, serial_number, length, text = _HEADER.unpack_from(data)
    try:
        code = OpCode(op)
    except ValueError:
        raise RemoteProtocolError(f"unknown op code {op:#04x}") from None
    if not 1 <= channel <= MAX_CHANNEL:
        raise RemoteProtocolError(f"there is no channel {channel}")
    caller_id = _printable(text[:length])
    if code is not OpCode.TRANSMIT:
        return Packet(code, channel, serial_number, caller_id)
    if not _SOUND.size < len(data) - _HEADER.size <= _SOUND.size + MAX_AUDIO:
        raise RemoteProtocolError(f"a packet of sound with {len(data)} bytes")
    codec, flags, sample_count = _SOUND.unpack_from(data, _HEADER.size)
    audio = data[_HEADER.size + _SOUND.size :]
    return Packet(code, channel, serial_number, caller_id, codec, flags, sample_count, audio)


class Page:
    """The packets of one page, in their order."""

    def __init__(self, channel: int, serial_number: int, caller_id: str, codec: int) -> None:
        """caller_id: ASCII, of which CALLER_ID_BYTES are sent."""
        self._whose = (channel, serial_number, caller_id[:CALLER_ID_BYTES])
        self._codec = codec
        self._sample_count = 0
        self._before = b""

    def alert(self) -> bytes:
        return bytes(Packet(OpCode.ALERT, *self._whose))

    def transmit(self, audio: bytes) -> bytes:
        """The next sound: some bytes of 125 µs, half of MAX_AUDIO at most."""
        packet = Packet(
            OpCode.TRANSMIT,
            *self._whose,
            codec=self._codec,
            sample_count=self._sample_count,
            audio=self._before + audio,
        )
        self._sample_count = (self._sample_count + len(audio)) % _WRAP
        self._before = audio
        return bytes(packet)

    def pause(self, size: int) -> None:
        """For so many bytes of sound nothing is sent, and nothing is repeated after it."""
        self._before = b""
        self._sample_count = (self._sample_count + size) % _WRAP

    def end(self) -> bytes:
        return bytes(Packet(OpCode.END, *self._whose))


def _printable(text: bytes) -> str:
    """As far as it is ASCII that can be shown."""
    text = text.partition(b"\0")[0]
    return "".join(chr(byte) for byte in text if 0x20 <= byte < 0x7F).strip()
