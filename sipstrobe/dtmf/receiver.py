"""Digits out of telephone events, each once: RFC 4733 §2.5.2.

A digit is told with the first packet of its event that arrives, so that neither a lost beginning
nor a lost end matters. All packets of an event have the same RTP timestamp, that of its beginning.
"""

from collections import deque
from typing import Final

from sipstrobe.dtmf.event import MAX_DURATION, TelephoneEvent
from sipstrobe.errors import RemoteProtocolError

REMEMBERED: Final = 8  # events whose late packets are known again
_CLOCK: Final = 1 << 32


class DigitReceiver:
    """Turns the telephone-event payloads of one call into digits."""

    def __init__(self) -> None:
        self.invalid = 0  # payloads that are no telephone events
        self._seen: deque[int] = deque(maxlen=REMEMBERED)  # timestamps
        self._last: TelephoneEvent | None = None
        self._began = 0  # timestamp of the last

    def receive(self, payload: bytes, timestamp: int, marker: bool) -> str | None:
        """Take one payload; the digit that it begins, if it does."""
        try:
            event = TelephoneEvent.parse(payload)
        except RemoteProtocolError:
            self.invalid += 1
            return None
        if timestamp in self._seen:
            if timestamp == self._began and self._last is not None and not self._last.end:
                self._last = event
            return None
        goes_on = self._goes_on(event, timestamp, marker)
        self._seen.append(timestamp)
        self._last, self._began = event, timestamp
        return None if goes_on else event.digit

    def _goes_on(self, event: TelephoneEvent, timestamp: int, marker: bool) -> bool:
        """Is this a further part of the last event?

        RFC 4733 §2.5.1.3: one too long for the duration field goes on with another timestamp,
        65,535 units later. And some senders stamp each packet of an event anew; their durations
        grow nevertheless.
        """
        last = self._last
        if last is None or last.end or marker or event.event != last.event:
            return False
        if (timestamp - self._began) % _CLOCK == MAX_DURATION:
            return True
        return event.duration > last.duration > 0
