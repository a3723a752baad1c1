"""Digits out of telephone events, each once: RFC 4733 §2.5.2.

A digit is told with the first packet of its event that arrives, so that neither a lost beginning
nor a lost end matters. All packets of an event should have one RTP timestamp, that of its
beginning. Senders that stamp each packet anew, or all events alike, are understood as well: two
events never overlap in time, so what overlaps is one.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from sipstrobe.dtmf.event import MAX_DURATION, TelephoneEvent
from sipstrobe.dtmf.sign import Sign
from sipstrobe.errors import RemoteProtocolError

REMEMBERED: Final = 8  # events whose late packets are known again
_HALF: Final = 1 << 31


@dataclass(slots=True)
class _Event:
    """Times in timestamp units."""

    code: int
    began: int
    part: int  # when that part of it began which the duration is of
    newest: int  # timestamp of its newest packet
    duration: int
    ended: bool

    @property
    def lasted(self) -> int:
        return _after(self.part, self.began) + self.duration


class EventReceiver:
    """Turns the telephone-event packets of one call into signs."""

    def __init__(self) -> None:
        self.invalid = 0  # payloads that are no telephone events
        self._events: deque[_Event] = deque(maxlen=REMEMBERED)
        self._newest = -1  # sequence number

    def restart(self) -> None:
        """Another source follows, with sequence numbers of its own."""
        self._newest = -1

    def receive(
        self, payload: bytes, timestamp: int, marker: bool, sequence: int, clock_rate: int
    ) -> Sign | None:
        """Take one packet, with its extended sequence number; None: it says nothing of a digit."""
        try:
            said = TelephoneEvent.parse(payload)
        except RemoteProtocolError:
            self.invalid += 1
            return None
        event = self._find(said, timestamp, marker, sequence)
        self._newest = max(self._newest, sequence)
        begins = event is None
        if event is None:
            event = _Event(said.event, timestamp, timestamp, timestamp, said.duration, said.end)
            self._events.append(event)
        else:
            _extend(event, said, timestamp)
        if said.digit is None or event is not self._events[-1]:
            return None
        return Sign(said.digit, begins, event.lasted / clock_rate, event.ended)

    def _find(
        self, said: TelephoneEvent, timestamp: int, marker: bool, sequence: int
    ) -> _Event | None:
        """The event that a packet belongs to; None: it begins one."""
        newer = sequence > self._newest
        alike = [event for event in reversed(self._events) if event.code == said.event]
        for event in alike:
            if newer and not event.ended and event is self._events[-1]:
                break  # nothing is sent any more of those before the one that goes on
            if _repeats_end(event, said, timestamp, newer=newer):
                return event
        for event in alike:
            over = event.ended or event is not self._events[-1]
            if not (newer and (over or marker)) and _belongs(event, said, timestamp):
                return event
        return None


def _repeats_end(event: _Event, said: TelephoneEvent, timestamp: int, *, newer: bool) -> bool:
    """RFC 4733 §2.5.1.4: the end is sent three times; and all of it within the event where each
    packet is stamped anew."""
    if not (event.ended and said.end and said.duration == event.duration):
        return False
    since = _after(timestamp, event.newest)
    return since == 0 or (0 if newer else -event.duration) < since < event.duration


def _belongs(event: _Event, said: TelephoneEvent, timestamp: int) -> bool:
    """Does a packet overlap an event, or go on from it, or was it overtaken by the rest of it?"""
    return (
        _overlaps(event, said, timestamp)
        or _restamped(event, said, timestamp)
        or _continues(event, timestamp)
    )


def _overlaps(event: _Event, said: TelephoneEvent, timestamp: int) -> bool:
    if timestamp == event.began or 0 <= _after(timestamp, event.newest) < event.duration:
        return True
    return -said.duration < _after(timestamp, event.began) < event.lasted


def _restamped(event: _Event, said: TelephoneEvent, timestamp: int) -> bool:
    """Where each packet is stamped anew, the duration grows as much as the timestamp."""
    return _after(timestamp, event.newest) == said.duration - event.duration


def _continues(event: _Event, timestamp: int) -> bool:
    """RFC 4733 §2.5.1.3: an event too long for the duration field goes on with another timestamp,
    at which the part before has ended."""
    since = _after(timestamp, event.part)
    return not event.ended and since > 0 and since in (MAX_DURATION, event.duration)


def _extend(event: _Event, said: TelephoneEvent, timestamp: int) -> None:
    if not _restamped(event, said, timestamp) and _continues(event, timestamp):
        event.part, event.duration = timestamp, 0
    elif _after(timestamp, event.began) < 0:  # it was overtaken
        event.began = event.part = timestamp
    event.newest += max(0, _after(timestamp, event.newest))
    event.duration = max(event.duration, said.duration)
    event.ended = event.ended or said.end


def _after(timestamp: int, other: int) -> int:
    """How far a timestamp is after another, around the end of its 32 bits."""
    return (timestamp - other + _HALF) % (2 * _HALF) - _HALF
