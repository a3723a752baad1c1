"""When a schedule occurs: from local times to instants, over every change of the clocks.

Between two changes of a zone's offset, local times and instants are the same but for a constant;
so the time line is cut there. At a cut, what recurs by days or longer does as RFC 5545 §3.3.10
says: a local time that does not exist is as late after the change as it would have been after
midnight without it, and one that comes twice counts the first time.

# Deviation: what recurs by hours, minutes or seconds occurs at every instant whose local time fits,
# twice where local times come twice: a bell every five minutes is not silent for an hour in autumn.
# Deviation: an occurrence lasts until the local time of its end, not for an exact time (§3.8.2.2):
# a night from 22:00 to 06:00 ends at 06:00, also when the clocks are changed in it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from heapq import merge
from itertools import islice
from math import inf
from typing import Final

from msgspec import Struct

from sipstrobe.schedules.recurrence import Expansion, Frequency
from sipstrobe.schedules.text import YEARS, Plan, zone_named

BATCH: Final = 64  # occurrences that are looked for at a time
HORIZON: Final = timedelta(days=3660)  # how far is looked: a leap day may be eight years off
SHORT_HORIZON: Final = timedelta(days=400)  # the same of a rule of seconds, which takes longer
_BACK: Final = timedelta(days=2)  # before the instant asked for, so that no change of the clocks
# just before it is overlooked
_DAY: Final = timedelta(days=1)


class Occurrence(Struct, frozen=True):
    """Instants in seconds since 1970 (UTC). end: None is a pulse."""

    start: float
    end: float | None = None


class Batch(Struct, frozen=True):
    """Occurrences in order, and until when there are no others; inf: no more will come."""

    occurrences: tuple[Occurrence, ...]
    until: float


class _Segment(Struct, frozen=True):
    """A piece of the time line with one offset; before: that of the piece before it."""

    start: datetime
    stop: datetime
    offset: timedelta
    before: timedelta


class Calendar:
    """The occurrences of one plan in one zone. Not quick: some 10 µs each, 0.6 s at the worst when
    a rule gives none for years; so it is asked beside the loop."""

    def __init__(self, plan: Plan, zone: tzinfo) -> None:
        """zone: the device's, for a plan that names none."""
        self._plan = plan
        self._zone = zone_named(plan.zone) if plan.zone else zone
        self._expansion = None if plan.rule is None else Expansion(plan.rule, plan.start)
        self._without = frozenset(self._local(at) for at in plan.without)
        self._without_days = frozenset(at.date() for at in plan.without_days)
        extra = {self._local(at) for at in plan.extra}
        self._extra = sorted(extra if plan.rule else {plan.start, *extra})
        self._rule_last = self._last_of_rule()

    @property
    def length(self) -> float:
        """Of an occurrence by the clock on the wall, in seconds; 0: pulses."""
        return 0.0 if self._plan.length is None else self._plan.length.total_seconds()

    def after(self, instant: float, most: int = BATCH) -> Batch:
        """The next occurrences that begin after an instant."""
        begin = datetime.fromtimestamp(instant, UTC)
        rule = self._plan.rule
        seconds = rule is not None and rule.frequency is Frequency.SECONDLY
        stop = begin.replace(microsecond=0) + (SHORT_HORIZON if seconds else HORIZON)
        found = list(islice(self._instants(begin, stop), most + 1))
        occurrences = tuple(self._occurrence(at) for at in found[:most])
        if len(found) > most:
            return Batch(occurrences, occurrences[-1].start)
        return Batch(occurrences, inf if self._ends_before(stop) else stop.timestamp())

    # --- instants -------------------------------------------------------------------------------

    def _instants(self, begin: datetime, stop: datetime) -> Iterator[datetime]:
        """Those after `begin` and before `stop`, each once and in order."""
        rule = self._plan.rule
        plainly = rule is not None and rule.within_days
        whole, last = begin.replace(microsecond=0), None
        for segment in self._segments(whole if plainly else whole - _BACK, stop):
            found = self._plainly(segment) if plainly else self._by_days(segment)
            for at in found:
                if at > begin and at != last:
                    last = at
                    yield at

    def _plainly(self, segment: _Segment) -> Iterator[datetime]:
        offset = segment.offset
        first, stop = _naive(segment.start + offset), _naive(segment.stop + offset)
        for local in self._locals(first, stop):
            yield local.replace(tzinfo=UTC) - offset

    def _by_days(self, segment: _Segment) -> Iterator[datetime]:
        before, offset = segment.before, segment.offset
        seen, first = _naive(segment.start + before), _naive(segment.start + offset)
        stop = _naive(segment.stop + offset)
        missing = [local.replace(tzinfo=UTC) - before for local in self._locals(seen, first)]
        there = (
            local.replace(tzinfo=UTC) - offset for local in self._locals(max(seen, first), stop)
        )
        return merge(missing, there)

    def _segments(self, start: datetime, stop: datetime) -> Iterator[_Segment]:
        """The time line, whole seconds, in pieces of one offset; it changes twice a day nowhere."""
        offset = before = self._offset(start)
        at = start
        while at < stop:
            later = min(at + _DAY, stop)
            new = self._offset(later)
            if new != offset:
                low, high = at, later
                while high - low > timedelta(seconds=1):
                    middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
                    low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
                yield _Segment(start, high, offset, before)
                start, before, offset = high, offset, new
            at = later
        yield _Segment(start, stop, offset, before)

    def _offset(self, at: datetime) -> timedelta:
        return at.astimezone(self._zone).utcoffset() or timedelta(0)

    # --- local times ----------------------------------------------------------------------------

    def _locals(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        """Local times from first on and before stop, without those that are left out."""
        ruled: Iterator[datetime] = iter(())
        if self._expansion is not None:
            last = self._rule_last
            until = stop if last is None else min(stop, last + timedelta(microseconds=1))
            ruled = self._expansion.between(first, until)
        extra = [at for at in self._extra if first <= at < stop] if self._extra else []
        for local in merge(ruled, extra) if extra else ruled:
            if local not in self._without and local.date() not in self._without_days:
                yield local

    def _last_of_rule(self) -> datetime | None:
        """The last local time that the rule can give; None: it goes on."""
        rule, start = self._plan.rule, self._plan.start
        if rule is None or self._expansion is None:
            return start
        if rule.count is None:
            return None if rule.until is None else self._local(rule.until)
        stop = start + HORIZON if rule.within_days else datetime(YEARS[1] + 1, 1, 1)  # noqa: DTZ001
        return max(islice(self._expansion.between(start, stop), rule.count), default=start)

    def _ends_before(self, stop: datetime) -> bool:
        if self._rule_last is None:
            return False
        last = max([self._rule_last, *self._extra])
        return last.replace(tzinfo=UTC) < stop - _DAY

    def _local(self, at: datetime) -> datetime:
        return at if at.tzinfo is None else _naive(at.astimezone(self._zone))

    def _occurrence(self, start: datetime) -> Occurrence:
        length = self._plan.length
        if length is None:
            return Occurrence(start.timestamp())
        local = start.astimezone(self._zone)
        end = (_naive(local) + length).replace(tzinfo=self._zone).astimezone(UTC)
        return Occurrence(start.timestamp(), (end if end > start else start + length).timestamp())


def _naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)
