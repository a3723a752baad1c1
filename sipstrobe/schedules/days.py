"""The days of a calendar: what occurs on each of them, told briefly where it is very often."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Final

from msgspec import Struct

from sipstrobe.schedules.occurrences import Calendar, Occurrence

MAX_DAYS: Final = 62  # of a calendar
MAX_SINGLE: Final = 8  # occurrences of one schedule that a day tells one by one
MAX_FOUND: Final = 20_000  # of one schedule, looked for at a time; 0.2 s


class Entry(Struct, frozen=True):
    """Something in the calendar; instants in seconds since 1970.

    count: how many occurrences it stands for; of several, `start` and `end` are those of the first
    and `last` is when the last of them begins.
    """

    schedule: str
    start: float
    end: float | None
    count: int
    last: float


class Days(Struct, frozen=True):
    """What is in a calendar. cut: the schedules that occur too often to tell all of it."""

    entries: list[Entry]
    cut: list[str]


def days(calendars: Mapping[str, Calendar], first: date, number: int, zone: tzinfo) -> Days:
    """What is on so many days from the first on, in order; what has begun before and is still on
    is told too. zone: whose days they are. Not for the loop."""
    begin = _midnight(first, zone)
    stop = _midnight(first + timedelta(days=number), zone)
    found: list[Entry] = []
    cut: list[str] = []
    for name, calendar in calendars.items():
        batch = calendar.after(begin - calendar.length - 1.0, MAX_FOUND)
        if len(batch.occurrences) == MAX_FOUND and batch.occurrences[-1].start < stop:
            cut.append(name)
        there = [at for at in batch.occurrences if at.start < stop and _lasts_until(at, begin)]
        found += _told(name, there, zone)
    found.sort(key=_by_start)
    return Days(found, cut)


def _lasts_until(at: Occurrence, begin: float) -> bool:
    return at.start >= begin or (at.end is not None and at.end > begin)


def _told(name: str, there: list[Occurrence], zone: tzinfo) -> Iterator[Entry]:
    def day(at: Occurrence) -> date:
        return datetime.fromtimestamp(at.start, UTC).astimezone(zone).date()

    for _, group in groupby(there, day):
        of_day = list(group)
        if len(of_day) > MAX_SINGLE:
            one = of_day[0]
            yield Entry(name, one.start, one.end, len(of_day), of_day[-1].start)
        else:
            yield from (Entry(name, at.start, at.end, 1, at.start) for at in of_day)


def _by_start(entry: Entry) -> float:
    return entry.start


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
