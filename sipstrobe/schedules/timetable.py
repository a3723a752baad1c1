"""What is on and what is due, by a calendar clock that people, NTP and sleep may set: a machine.

The rules of it, which tests compare with the slow reading of them:

- A pulse is rung when the clock reaches it, and up to GRACE late, as when the clock was put forward
  over it by a little or the machine was held up. Later it is not rung but missed. An interval
  begins whenever it is not yet over; one that was over before we could begin is missed.
- What has begun or been rung is not again when the clock is put back; what was only missed is. An
  interval that is on when the clock is put back ends as long after its beginning as it would have.
- What was due while the device was off is missed, however little it was off: nobody could know
  whether it was rung just before. An interval that should be on is on from the start.
- A change of a schedule, or of the time zone, concerns only what comes from then on.

Instants of the calendar are seconds since 1970 (UTC), so that summer time is no jump.
"""

from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Final

from msgspec import Struct

from sipstrobe.schedules.occurrences import Batch, Occurrence

GRACE: Final = 10.0  # seconds that a pulse may be late
LOOK: Final = 1.0  # seconds between two looks at the calendar, which may have been set meanwhile
STEP: Final = 0.5  # seconds by which it must differ from what it should be to have been set
EARLY: Final = 0.001  # seconds before its instant that something counts as due: clocks are rounded
LOW: Final = 16  # occurrences known ahead, below which more are asked for
AHEAD: Final = 30 * 86400.0  # seconds before the end of what is known that more is asked for
MAX_RUNG: Final = 1000  # of one schedule that are remembered to have been rung


class Why(StrEnum):
    """What kept something from being rung."""

    OFF = "off"
    SET = "set"  # the clock
    HELD_UP = "held up"


class Ask(Struct, frozen=True):
    """Find what begins after this instant, and give it to `supply` with the version."""

    schedule: str
    version: int
    after: float


class Ring(Struct, frozen=True):
    """A pulse. late: seconds."""

    schedule: str
    at: Occurrence
    late: float


class Begin(Struct, frozen=True):
    """An interval is on. late: seconds; again: it had begun already, as before a restart."""

    schedule: str
    at: Occurrence
    late: float
    again: bool = False


class End(Struct, frozen=True):
    """An interval is on no more."""

    schedule: str


class Miss(Struct, frozen=True):
    """Not rung. until: if not None, all that there were from `at` to there, uncounted.

    span: from when until when the device was off, or the clock was put.
    """

    schedule: str
    at: Occurrence
    why: Why
    span: tuple[float, float]
    until: float | None = None


class Step(Struct, frozen=True):
    """The calendar clock was set, or the machine slept: it says `after` and should say `before`."""

    before: float
    after: float


Output = Ask | Ring | Begin | End | Miss | Step


class Known(Struct, frozen=True):
    """What is known of a schedule from before the start. settled: up to when all is dealt with.

    rung: the beginnings of what was rung.
    """

    settled: float
    rung: tuple[float, ...] = ()


@dataclass(slots=True, eq=False)
class _Line:
    """One schedule."""

    name: str
    key: Hashable
    version: int
    length: float  # seconds; 0: pulses
    settled: float
    born: float  # what was due before is missed, if it is looked at at all
    upcoming: deque[Occurrence] = field(default_factory=deque[Occurrence])
    known_until: float = 0.0  # upcoming is complete up to here
    full: bool = False  # as much came as was asked for
    asked: bool = False
    fresh: bool = True  # nothing has been supplied yet
    resume: float = -inf  # settled before the start, when the clock was not there yet
    active: Occurrence | None = None
    ends_by: float = inf  # monotonic
    rung: set[float] = field(default_factory=set[float])

    def note(self, start: float) -> None:
        self.rung.add(start)
        if len(self.rung) > MAX_RUNG:
            self.rung.remove(min(self.rung))


class Timetable:
    """Say what is rung, begins and ends. All inputs come with `now` (monotonic) and `wall`."""

    def __init__(self) -> None:
        self.outbox: deque[Output] = deque()
        self._lines: dict[str, _Line] = {}
        self._versions = 0
        self._offset: float | None = None  # of the calendar from the monotonic clock
        self._step = Step(0.0, 0.0)  # the last
        self._next = 0.0  # monotonic

    @property
    def deadline(self) -> float:
        """When to look again."""
        return self._next

    def active(self, schedule: str) -> bool:
        return schedule in self._lines and self._lines[schedule].active is not None

    def upcoming(self, schedule: str) -> tuple[Occurrence, ...]:
        """Those that come next, LOW of them at the least if there are as many."""
        return tuple(self._lines[schedule].upcoming) if schedule in self._lines else ()

    def apply(
        self,
        wanted: Mapping[str, tuple[Hashable, float]],
        known: Mapping[str, Known] | None = None,
        *,
        now: float,
        wall: float,
    ) -> None:
        """Keep these schedules from now on: by name, what they are (equal for equal ones) and the
        length of their occurrences in seconds. known: given once, at the start."""
        self._look(now, wall)
        before, self._lines = self._lines, {}
        for name, (key, length) in wanted.items():
            line = before.pop(name, None)
            if line is None or line.key != key:
                line = self._new(name, key, length, line, (known or {}).get(name), wall)
            self._lines[name] = line
        for line in before.values():
            self._end(line)
        self._arm(now, wall)

    def supply(self, schedule: str, version: int, batch: Batch, *, now: float, wall: float) -> None:
        """What was asked for; of an older version it is passed over."""
        line = self._lines.get(schedule)
        if line is None or line.version != version:
            return
        line.asked = False
        last = line.upcoming[-1].start if line.upcoming else -inf
        line.upcoming.extend(one for one in batch.occurrences if one.start > last)
        line.full = bool(batch.occurrences) and batch.until == batch.occurrences[-1].start
        line.known_until = batch.until
        self._look(now, wall)
        if line.fresh:
            line.fresh = False
            self._recover(line, wall)
        self._walk(line, now, wall)
        self._arm(now, wall)

    def look(self, *, now: float, wall: float) -> None:
        """See what is due."""
        self._look(now, wall)
        for line in self._lines.values():
            self._walk(line, now, wall)
        self._arm(now, wall)

    # --- schedules that come, go and change ------------------------------------------------------

    def _new(
        self,
        name: str,
        key: Hashable,
        length: float,
        before: _Line | None,
        known: Known | None,
        wall: float,
    ) -> _Line:
        self._versions += 1
        line = _Line(name, key, self._versions, length, settled=wall, born=-inf)
        if before is not None:
            line.rung = before.rung
            line.active, line.ends_by = before.active, before.ends_by  # until it is known better
        elif known is not None:
            line.settled = min(wall, known.settled)
            line.resume = known.settled if known.settled > wall else -inf
            line.born = wall
            line.rung = set(sorted(known.rung)[-MAX_RUNG:])
        self._ask(line, min(line.settled, wall - length))
        return line

    def _recover(self, line: _Line, wall: float) -> None:
        """Pass over what is settled; what of it lasts is on, whatever was on before is not."""
        lasting = None
        while line.upcoming and line.upcoming[0].start <= line.settled:
            one = line.upcoming.popleft()
            if one.end is not None and one.end > wall:
                lasting = one
        if lasting is None:
            if line.active is not None and not self._lasts(line, wall):
                self._end(line)
            return
        if line.active is None:
            late = max(0.0, wall - lasting.start)
            self.outbox.append(Begin(line.name, lasting, late, again=lasting.start in line.rung))
            line.note(lasting.start)
        line.active, line.ends_by = lasting, inf

    @staticmethod
    def _lasts(line: _Line, wall: float) -> bool:
        """Whether what was not settled yet covers this instant."""
        return any(o.end is not None and o.start <= wall < o.end for o in line.upcoming)

    def _end(self, line: _Line) -> None:
        if line.active is not None:
            line.active, line.ends_by = None, inf
            self.outbox.append(End(line.name))

    # --- the clock ------------------------------------------------------------------------------

    def _look(self, now: float, wall: float) -> None:
        """Has the calendar been set since the last look?"""
        offset = wall - now
        before, self._offset = self._offset, offset
        if before is None or abs(offset - before) <= STEP:
            return
        self._step = step = Step(now + before, wall)
        self.outbox.append(step)
        for line in self._lines.values():
            if step.after < step.before:
                self._go_back(line, step, now)
            elif line.resume > -inf:
                self._resume(line, step)

    def _go_back(self, line: _Line, step: Step, now: float) -> None:
        """What was passed comes again; what is on ends when it would have."""
        if line.active is not None and line.active.end is not None:
            line.ends_by = min(line.ends_by, now + line.active.end - step.before)
        line.settled = min(line.settled, step.after) if line.fresh else step.after
        line.born = -inf
        self._ask_anew(line, step.after)

    def _resume(self, line: _Line, step: Step) -> None:
        """A machine without a clock of its own has been told the time: only now is it known what
        came while it was off."""
        if step.after >= line.resume:
            line.settled, line.born, line.resume = line.resume, step.after, -inf
            line.fresh = True
            self._ask_anew(line, min(line.settled, step.after - line.length))

    def _ask_anew(self, line: _Line, after: float) -> None:
        self._versions += 1
        line.version = self._versions
        line.upcoming.clear()
        self._ask(line, after)

    # --- what is due ----------------------------------------------------------------------------

    def _walk(self, line: _Line, now: float, wall: float) -> None:
        if line.fresh:
            return
        reached = wall + EARLY
        while line.upcoming and line.upcoming[0].start <= reached:
            one = line.upcoming.popleft()
            if one.start > line.settled and one.start not in line.rung:
                self._take(line, one, wall)
        line.settled = max(line.settled, min(wall, line.known_until))
        active = line.active
        over = active is not None and active.end is not None and active.end <= reached
        if over or line.ends_by <= now + EARLY:
            self._end(line)
        if line.asked or line.known_until == inf:
            return
        if line.full and len(line.upcoming) < LOW:
            self._ask_on(line, wall)
        elif not line.full and wall > line.known_until - AHEAD:
            self._ask(line, line.known_until)

    def _take(self, line: _Line, one: Occurrence, wall: float) -> None:
        late = max(0.0, wall - one.start)
        if one.end is None:
            if late > GRACE or one.start <= line.born:
                self._miss(line, one)
            else:
                line.note(one.start)
                self.outbox.append(Ring(line.name, one, late))
            return
        if one.end <= wall + EARLY:
            self._miss(line, one)
            return
        line.note(one.start)
        if line.active is None or line.active.end is None or line.active.end < one.end:
            line.active = one
        self.outbox.append(Begin(line.name, one, late))

    def _miss(self, line: _Line, one: Occurrence, until: float | None = None) -> None:
        step = self._step
        if one.start <= line.born:
            why, span = Why.OFF, (one.start, line.born)
        elif step.before - GRACE <= one.start <= step.after:
            why, span = Why.SET, (step.before, step.after)
        else:
            why, span = Why.HELD_UP, (one.start, one.start)
        self.outbox.append(Miss(line.name, one, why, span, until))

    def _ask_on(self, line: _Line, wall: float) -> None:
        """Ask for what comes after what is known; of what is long past only that it was."""
        after = max(line.known_until, wall - GRACE - EARLY - line.length)
        if not line.upcoming and after > line.known_until:
            self._miss(line, Occurrence(line.known_until), until=after)
        self._ask(line, after)

    def _ask(self, line: _Line, after: float) -> None:
        line.asked = True
        self.outbox.append(Ask(line.name, line.version, after))

    # --- when to look again -----------------------------------------------------------------------

    def _arm(self, now: float, wall: float) -> None:
        edge = min((at for line in self._lines.values() for at in _edges(line)), default=inf)
        ends = min((line.ends_by for line in self._lines.values()), default=inf)
        self._next = min(now + LOOK, max(now, min(now + edge - wall, ends)))


def _edges(line: _Line) -> Iterator[float]:
    if line.fresh:
        return
    if line.upcoming:
        yield line.upcoming[0].start
    if line.active is not None and line.active.end is not None:
        yield line.active.end
