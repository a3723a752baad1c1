"""Digits as telephone events, a packet at a time: RFC 4733 §2.5.1."""

from collections import deque
from typing import Final

from msgspec import Struct

from sipstrobe.dtmf.event import TelephoneEvent
from sipstrobe.dtmf.keys import COMMA_PAUSE, PAUSE, TONE, Key, keys_of

VOLUME: Final = 10  # −dBm0
ENDS: Final = 3  # RFC 4733 §2.5.1.4: the last packet is sent three times


class EventPacket(Struct, frozen=True):
    """What goes out instead of sound. begins: the RTP timestamp of all packets of an event is that
    of its first, which has the marker."""

    payload: bytes
    begins: bool


class DigitSender:
    """Turns waiting digits into packets; between them the stream sends its sound."""

    def __init__(self, clock_rate: int) -> None:
        self._use(clock_rate)
        self._waiting: deque[Key] = deque()
        self._event: int | None = None
        self._since = 0
        self._ends = 0
        self._resting = 0  # units until the next digit may begin

    @property
    def busy(self) -> bool:
        return self._event is not None or bool(self._waiting)

    def change_clock(self, clock_rate: int) -> None:
        """Go on with another one; a digit of which a part has been told is not told again."""
        self._use(clock_rate)
        if self._event is not None or self._resting:
            self._event, self._resting = None, self._pause

    def send(self, digits: str) -> None:
        """Append digits and commas. Raises ValueError as `keys_of` does."""
        self._waiting.extend(keys_of(digits, waiting=len(self._waiting)))

    def turn(self, units: int) -> EventPacket | None:
        """The packet of this packet time, which lasts so many units; None: send sound."""
        if self._event is None:
            self._resting = max(0, self._resting - units)
            if self._resting or not self._waiting:
                return None
            self._event, self._since, self._ends = self._waiting.popleft(), 0, 0
            if self._event is None:
                self._resting = self._comma
                return None
        began = self._since
        duration = min(began + units, self._tone)
        end = duration >= self._tone
        payload = bytes(TelephoneEvent(self._event, end, VOLUME, duration))
        self._since += units
        if end:
            self._ends += 1
        if self._ends == ENDS:
            self._event, self._resting = None, self._pause
        return EventPacket(payload, begins=began == 0)

    def _use(self, clock_rate: int) -> None:
        self._tone = round(TONE * clock_rate)
        self._pause = round(PAUSE * clock_rate)
        self._comma = round(COMMA_PAUSE * clock_rate)
