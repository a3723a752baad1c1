"""Telephone-event payloads: RFC 4733 §2.3."""

from typing import Final

from msgspec import Struct

from sipstrobe.errors import RemoteProtocolError

DIGITS: Final = "0123456789*#ABCD"  # RFC 4733 §3.2: event codes 0–15, in this order
LENGTH: Final = 4
MAX_DURATION: Final = 0xFFFF
_END: Final = 0x80


class TelephoneEvent(Struct, frozen=True):
    """One payload. volume: −dBm0, 0…63; duration: RTP timestamp units since the event began."""

    event: int
    end: bool
    volume: int
    duration: int

    @property
    def digit(self) -> str | None:
        """The DTMF digit; None for other events."""
        return DIGITS[self.event] if self.event < len(DIGITS) else None

    @classmethod
    def parse(cls, payload: bytes) -> "TelephoneEvent":
        """Read the first event of a payload; what follows it is left alone (RFC 4733 §2.3)."""
        if len(payload) < LENGTH:
            raise RemoteProtocolError("a telephone-event of less than four octets")
        flags = payload[1]
        return cls(
            payload[0], bool(flags & _END), flags & 0x3F, int.from_bytes(payload[2:4], "big")
        )

    def __bytes__(self) -> bytes:
        flags = (_END if self.end else 0) | self.volume
        return bytes((self.event, flags)) + self.duration.to_bytes(2, "big")
