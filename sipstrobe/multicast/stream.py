"""One multicast group as it is heard: who speaks, since when, and until when.

Anybody may send to a group. Who is the first to speak is the talker; what others send meanwhile is
not mixed into it, and the next of them that is heard after the talker's end takes over. A talker is
an address and port; a new SSRC, other sequence numbers or a jump of the timestamps from there are a
restart, which is heard without a gap.
"""

from collections import deque
from collections.abc import Collection
from typing import Final

from msgspec import Struct

Endpoint = tuple[str, int]

SHORTEST_END: Final = 0.1  # seconds without a packet after which a talker has ended …
LONGEST_END: Final = 0.2  # … and for one whose packets come unevenly
PATIENCE: Final = 2.5  # the same in the longest intervals between packets of late
FORGETTING: Final = 0.98  # of the longest interval, each packet
LONGEST_INTERVAL: Final = 0.25  # seconds between packets that are still one page
LATE: Final = 1.5  # intervals that a packet may take at the least, however long they are
MAX_STEP: Final = 3000  # sequence numbers to the next packet that are still the same run …
MAX_MISORDER: Final = 100  # … and back to one that has been overtaken
JUMP: Final = 0.5  # seconds between timestamps and arrivals that are no jitter
_CYCLE: Final = 1 << 16
_WRAP: Final = 1 << 32


class Started(Struct, frozen=True):
    """Somebody speaks; the packet that says so is the first to be heard. ssrc: of a desk phone its
    serial number. missed: packets that he has sent since he fell silent, and that have not come."""

    talker: Endpoint
    ssrc: int
    missed: int = 0


class Restarted(Struct, frozen=True):
    """The same talker goes on with other numbers, beginning with the packet that says so."""


class Ended(Struct, frozen=True):
    """said: by the talker itself, so that all of it has come; else it has fallen silent."""

    said: bool


Output = Started | Restarted | Ended


class GroupStream:
    """The machine of one source. Packets that are to be heard come back with their number."""

    def __init__(self) -> None:
        self.outbox: deque[Output] = deque()
        self.deadline: float | None = None  # when it has ended, unless a packet comes before
        self.talker: Endpoint | None = None
        self.ssrc = 0
        self.strangers = 0  # packets of others while somebody was speaking
        self._past_ssrc: int | None = None  # that the talker had before, and may still use
        self._highest = 0  # extended sequence number
        self._silenced: tuple[Endpoint, int, int] | None = None  # who was, and his next number
        self._media: tuple[int, float] = (0, 0.0)  # timestamp and arrival of the newest packet
        self._interval = LONGEST_END / PATIENCE

    def packet(
        self,
        source: Endpoint,
        ssrc: int,
        sequence_number: int,
        timestamp: int,
        clock_rate: int,
        *,
        now: float,
    ) -> int | None:
        """A packet for the group. Its extended sequence number if it is to be heard, else None."""
        if self.deadline is not None and now >= self.deadline:
            self._end(said=False)
        if self.talker is None:
            self._begin(source, ssrc, sequence_number, timestamp, now)
            return self._highest
        if source != self.talker or ssrc == self._past_ssrc:
            self.strangers += 1
            return None
        step = (sequence_number - self._highest + _CYCLE // 2) % _CYCLE - _CYCLE // 2
        if ssrc != self.ssrc or not -MAX_MISORDER <= step <= MAX_STEP:
            self._restart(ssrc, sequence_number)
        elif step <= 0:
            return self._highest + step  # overtaken or doubled
        elif self._jumps(timestamp, clock_rate, now):
            self._restart(ssrc, sequence_number)
        else:
            self._highest += step
        gap = now - self._media[1]
        self._interval = max(min(gap, LONGEST_INTERVAL), self._interval * FORGETTING)
        self._expect(timestamp, now)
        return self._highest

    def bye(self, source: Endpoint, ssrcs: Collection[int]) -> None:
        """RTCP BYE (RFC 3550 §6.6). It counts when it is about the talker and from its address;
        the port of RTCP is another one."""
        if self.talker is not None and source[0] == self.talker[0] and self.ssrc in ssrcs:
            self._end(said=True)

    def wake(self, *, now: float) -> None:
        """The deadline has come."""
        if self.deadline is not None and now >= self.deadline:
            self._end(said=False)

    def _begin(self, source: Endpoint, ssrc: int, number: int, timestamp: int, now: float) -> None:
        self.talker, self.ssrc = source, ssrc
        self._highest = _CYCLE + number  # room for late ones below
        self._interval = LONGEST_END / PATIENCE
        self._expect(timestamp, now)
        missed = 0
        if self._silenced is not None and self._silenced[:2] == (source, ssrc):
            missed = (number - self._silenced[2]) % _CYCLE
        self.outbox.append(Started(source, ssrc, missed if missed <= MAX_STEP else 0))

    def _restart(self, ssrc: int, number: int) -> None:
        if ssrc != self.ssrc:
            self._past_ssrc, self.ssrc = self.ssrc, ssrc
        self._highest = (self._highest // _CYCLE + 2) * _CYCLE + number  # never falls back
        self.outbox.append(Restarted())

    def _end(self, *, said: bool) -> None:
        self._silenced = None
        if not said and self.talker is not None:
            self._silenced = (self.talker, self.ssrc, (self._highest + 1) % _CYCLE)
        self.talker = self.deadline = self._past_ssrc = None
        self.outbox.append(Ended(said))

    def _jumps(self, timestamp: int, clock_rate: int, now: float) -> bool:
        before, at = self._media
        units = (timestamp - before + _WRAP // 2) % _WRAP - _WRAP // 2
        return abs(units / clock_rate - (now - at)) > JUMP

    def _expect(self, timestamp: int, now: float) -> None:
        self._media = (timestamp, now)
        patience = min(max(PATIENCE * self._interval, SHORTEST_END), LONGEST_END)
        self.deadline = now + max(patience, LATE * self._interval)
