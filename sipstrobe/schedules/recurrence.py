"""A recurrence rule and the local times that it gives: RFC 5545 §3.3.10.

What a rule leaves open is taken from DTSTART at once, so that of the table on page 44 only one
sentence is left: of the days of each period, those stay that every BY part for days allows, and
each of them has all times of day. A rule of hours, minutes or seconds does the same with the
units of the days that stay.

Times are local and know no zone; `occurrences` finds the instants for them.
"""

from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from itertools import product
from math import gcd
from typing import Final

from msgspec import Struct

_DAY: Final = timedelta(days=1)


class Frequency(IntEnum):
    """FREQ, the longest period first."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


class Recurrence(Struct, frozen=True, kw_only=True):
    """RRULE. An empty BY part allows everything; numbers below zero count from the end.

    days: (weekday, n), Monday 0; n: which of them in the month or year, 0: each. until: the last
    local time that counts, or an instant if it has a zone (UTC).
    """

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0  # WKST
    months: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    days: tuple[tuple[int, int], ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()  # BYSETPOS

    @property
    def within_days(self) -> bool:
        """Whether it counts hours, minutes or seconds."""
        return self.frequency >= Frequency.HOURLY


def completed(rule: Recurrence, start: datetime) -> Recurrence:
    """The same with everything said that DTSTART says for it."""
    frequency = rule.frequency
    months, month_days, days = rule.months, rule.month_days, rule.days
    if frequency <= Frequency.WEEKLY and not (month_days or days or rule.year_days):
        if frequency is Frequency.WEEKLY or rule.weeks:
            days = ((start.weekday(), 0),)
        else:
            month_days = (start.day,)
            if frequency is Frequency.YEARLY:
                months = months or (start.month,)
    whole_day = frequency < Frequency.HOURLY
    return Recurrence(
        frequency=frequency,
        interval=rule.interval,
        count=rule.count,
        until=rule.until,
        week_start=rule.week_start,
        months=months,
        weeks=rule.weeks,
        year_days=rule.year_days,
        month_days=month_days,
        days=days,
        hours=rule.hours or ((start.hour,) if whole_day else tuple(range(24))),
        minutes=rule.minutes
        or ((start.minute,) if frequency < Frequency.MINUTELY else tuple(range(60))),
        seconds=rule.seconds
        or ((start.second,) if frequency < Frequency.SECONDLY else tuple(range(60))),
        positions=rule.positions,
    )


def comes(rule: Recurrence, start: datetime) -> bool:
    """Whether the hours, minutes or seconds that a rule counts are ever ones that it wants."""
    rule = completed(rule, start)
    hours, minutes, seconds = rule.hours, rule.minutes, rule.seconds
    match rule.frequency:
        case Frequency.HOURLY:
            units, unit, size = hours, start.hour, len(minutes) * len(seconds)
            a_day = 24
        case Frequency.MINUTELY:
            units = (h * 60 + m for h, m in product(hours, minutes))
            unit, size, a_day = start.hour * 60 + start.minute, len(seconds), 24 * 60
        case Frequency.SECONDLY:
            units = ((h * 60 + m) * 60 + s for h, m, s in product(hours, minutes, seconds))
            unit, size = (start.hour * 60 + start.minute) * 60 + start.second, 1
            a_day = 24 * 3600
        case _:
            return True
    if rule.positions and all(abs(n) > size for n in rule.positions):
        return False
    step = gcd(rule.interval, a_day)
    return any((one - unit) % step == 0 for one in units)


@dataclass(slots=True)
class Expansion:
    """The local times of a rule that begins with `start`."""

    rule: Recurrence
    start: datetime
    _rule: Recurrence = field(init=False)
    _minutes: frozenset[int] = field(init=False)
    _seconds: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self._rule = rule = completed(self.rule, self.start)
        self._minutes, self._seconds = frozenset(rule.minutes), frozenset(rule.seconds)

    def between(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        """Those from `first` on and before `stop`, in order; COUNT and UNTIL are not looked at."""
        first = max(first, self.start)
        if first >= stop:
            return
        found = self._in_days(first, stop) if self._rule.within_days else self._days(first, stop)
        for local in found:
            if local >= stop:
                return
            if local >= first:
                yield local

    # --- periods of days -------------------------------------------------------------------------

    def _days(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        rule = self._rule
        times = [time(*t) for t in product(rule.hours, rule.minutes, rule.seconds)]
        begin = self._period(self.start.date())
        period = self._period(first.date())
        period += (begin - period) % rule.interval
        last = stop.date()
        while True:
            day, after = self._span(period)
            if day > last:
                return
            if not rule.positions:
                day = max(day, first.date())  # what was before need not be looked at
            days: list[date] = []
            while day < after:
                if self._allows(day):
                    days.append(day)
                if day == date.max:
                    break
                day += _DAY
            found = [datetime.combine(day, at) for day, at in product(days, times)]
            yield from self._chosen(found)
            period += rule.interval

    def _period(self, day: date) -> int:
        """The number of the period that a day is in."""
        match self._rule.frequency:
            case Frequency.YEARLY:
                return day.year
            case Frequency.MONTHLY:
                return day.year * 12 + day.month - 1
            case Frequency.WEEKLY:
                return (day.toordinal() - 1 - self._rule.week_start) // 7  # ordinal 1 is a Monday
            case _:
                return day.toordinal()

    def _span(self, period: int) -> tuple[date, date]:
        """The first day of a period, and the first after it; the end of all time is no period."""
        match self._rule.frequency:
            case Frequency.YEARLY:
                if period >= date.max.year:
                    return date.max, date.max
                return date(period, 1, 1), date(period + 1, 1, 1)
            case Frequency.MONTHLY:
                if period // 12 >= date.max.year:
                    return date.max, date.max
                year, month = divmod(period + 1, 12)
                return date(period // 12, period % 12 + 1, 1), date(year, month + 1, 1)
            case Frequency.WEEKLY:
                number, length = period * 7 + 1 + self._rule.week_start, 7
            case _:
                number, length = period, 1
        if number + length > date.max.toordinal():
            return date.max, date.max
        return date.fromordinal(max(1, number)), date.fromordinal(number + length)

    # --- hours, minutes and seconds -------------------------------------------------------------

    def _in_days(self, first: datetime, stop: datetime) -> Iterator[datetime]:
        day, last = first.date(), stop.date()
        while day <= last:
            if self._allows(day):
                yield from self._units(day, first.hour if day == first.date() else 0)
            if day == date.max:
                return
            day += _DAY

    def _units(self, day: date, from_hour: int) -> Iterator[datetime]:
        """The local times of a day that is allowed, from an hour on."""
        rule, start = self._rule, self.start
        interval, frequency = rule.interval, rule.frequency
        for hour in rule.hours[bisect_left(rule.hours, from_hour) :]:
            passed = (day.toordinal() - start.toordinal()) * 24 + hour - start.hour
            if frequency is Frequency.HOURLY:
                if passed % interval == 0:
                    yield from self._chosen(self._at(day, hour, rule.minutes))
                continue
            passed = passed * 60 - start.minute
            if frequency is Frequency.MINUTELY:
                for minute in _in_step(self._minutes, passed, interval):
                    yield from self._chosen(self._at(day, hour, (minute,)))
                continue
            for minute, second in self._seconds_of(passed * 60 - start.second):
                yield from self._chosen([datetime.combine(day, time(hour, minute, second))])

    def _seconds_of(self, passed: int) -> Iterator[tuple[int, int]]:
        """The minutes and seconds of an hour that begins `passed` seconds after the start."""
        interval = self._rule.interval
        if interval < 60:
            for minute in self._rule.minutes:
                for second in _in_step(self._seconds, passed + minute * 60, interval):
                    yield minute, second
            return
        for at in range(-passed % interval, 3600, interval):
            minute, second = divmod(at, 60)
            if minute in self._minutes and second in self._seconds:
                yield minute, second

    def _at(self, day: date, hour: int, minutes: Sequence[int]) -> list[datetime]:
        times = product(minutes, self._rule.seconds)
        return [datetime.combine(day, time(hour, minute, second)) for minute, second in times]

    # --- one day, one period --------------------------------------------------------------------

    def _allows(self, day: date) -> bool:
        rule = self._rule
        if rule.months and day.month not in rule.months:
            return False
        if rule.month_days:
            length = _month_length(day.year, day.month)
            if not _either(day.day, length, rule.month_days):
                return False
        if rule.year_days:
            begin, after = date(day.year, 1, 1), date(day.year, 12, 31)
            number = day.toordinal() - begin.toordinal() + 1
            if not _either(number, after.toordinal() - begin.toordinal() + 1, rule.year_days):
                return False
        if rule.weeks and not _either(*_week(day, rule.week_start), rule.weeks):
            return False
        return not rule.days or any(self._is(day, *wanted) for wanted in rule.days)

    def _is(self, day: date, weekday: int, n: int) -> bool:
        """Whether it is the n-th such weekday of its month; of its year, if months do not count."""
        if day.weekday() != weekday or not n:
            return day.weekday() == weekday
        if self._rule.frequency is Frequency.YEARLY and not self._rule.months:
            begin = date(day.year, 1, 1)
            length = date(day.year, 12, 31).toordinal() - begin.toordinal() + 1
            number = day.toordinal() - begin.toordinal()
        else:
            length, number = _month_length(day.year, day.month), day.day - 1
        return n in (number // 7 + 1, -((length - 1 - number) // 7) - 1)

    def _chosen(self, found: list[datetime]) -> Iterator[datetime]:
        """Of the times of one period, those that BYSETPOS wants."""
        positions = self._rule.positions
        if not positions:
            yield from found
            return
        size = len(found)
        wanted = {n - 1 if n > 0 else size + n for n in positions}
        yield from (found[n] for n in sorted(wanted) if 0 <= n < size)


def _in_step(allowed: Container[int], passed: int, interval: int) -> Iterator[int]:
    """Of the units 0…59 those that are allowed and whole intervals from the start, when unit 0 is
    `passed` units after it."""
    for unit in range(-passed % interval, 60, interval):
        if unit in allowed:
            yield unit


def _either(number: int, length: int, wanted: Sequence[int]) -> bool:
    """Whether number 1…length is wanted, counted from either end."""
    return number in wanted or number - length - 1 in wanted


def _month_length(year: int, month: int) -> int:
    if month == 12:
        return 31
    return (date(year, month + 1, 1) - date(year, month, 1)).days


def _week(day: date, week_start: int) -> tuple[int, int]:
    """The number of the week a day is in and how many weeks that year has; the first week is the
    first with four days or more in the year (RFC 5545, BYWEEKNO)."""
    number = day.toordinal()
    for year in (day.year + 1, day.year, day.year - 1):
        first = _first_week(year, week_start)
        if number >= first:
            total = (_first_week(year + 1, week_start) - first) // 7
            return (number - first) // 7 + 1, total
    raise AssertionError("every day is in a week")


def _first_week(year: int, week_start: int) -> int:
    """The ordinal of the first day of week 1."""
    fourth = date(year, 1, 4).toordinal()  # is always in it
    return fourth - (fourth - 1 - week_start) % 7
