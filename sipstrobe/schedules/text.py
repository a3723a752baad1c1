"""The text of a schedule: the properties of an iCalendar event that say when it is (RFC 5545).

Read are DTSTART, DTEND or DURATION, RRULE, EXDATE and RDATE, one after another, separated by line
ends or blanks. Without an end it is a pulse, unless DTSTART is a date: that is a day. Times
without a zone are those of the device.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from sipstrobe.errors import SipstrobeError
from sipstrobe.schedules.recurrence import Frequency, Recurrence, comes

MAX_TEXT: Final = 8192  # characters
MAX_DATES: Final = 256  # of EXDATE, and of RDATE
MAX_COUNT: Final = 10_000  # COUNT: who wants more says UNTIL
MAX_INTERVAL: Final = 100_000
MAX_TIMES: Final = 100  # a day, of a rule that counts days or longer: so many can be searched
YEARS: Final = (1970, 2199)
MAX_PLANS: Final = 256  # remembered, since each change of the settings looks at all of them
MAX_LENGTH: Final = timedelta(days=366)

WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_ONCE: Final = ("DTSTART", "DTEND", "DURATION", "RRULE")
_PERIODS: Final = {  # that an occurrence may not outlast, or it would be there always
    Frequency.YEARLY: timedelta(days=366),
    Frequency.MONTHLY: timedelta(days=31),
    Frequency.WEEKLY: timedelta(days=7),
    Frequency.DAILY: timedelta(days=1),
    Frequency.HOURLY: timedelta(hours=1),
    Frequency.MINUTELY: timedelta(minutes=1),
    Frequency.SECONDLY: timedelta(seconds=1),
}
_NUMBERS: Final = {  # BY part: (field, least, most, whether it may count from the end)
    "BYMONTH": ("months", 1, 12, False),
    "BYWEEKNO": ("weeks", 1, 53, True),
    "BYYEARDAY": ("year_days", 1, 366, True),
    "BYMONTHDAY": ("month_days", 1, 31, True),
    "BYHOUR": ("hours", 0, 23, False),
    "BYMINUTE": ("minutes", 0, 59, False),
    "BYSECOND": ("seconds", 0, 59, False),
    "BYSETPOS": ("positions", 1, 366, True),
}
_PROPERTY: Final = re.compile(r"([A-Za-z-]{1,32})((?:;[A-Za-z-]{1,32}=[^;:\s]{1,64})*):(\S+)")
_TIME: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z?))?")
_DURATION: Final = re.compile(
    r"\+?P(?:(\d{1,3})W|(?:(\d{1,3})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?)"
)
_BY_DAY: Final = re.compile(r"([+-]?\d{0,2})(MO|TU|WE|TH|FR|SA|SU)")


class ScheduleError(SipstrobeError):
    """No schedule, or none that we can keep; the message says where and why."""


class Plan(Struct, frozen=True, kw_only=True):
    """A schedule as it is written. Times with a zone (UTC) are instants, all others local.

    length: None is a pulse. without: single occurrences that there are not, or with a time of
    None, those of a whole day. zone: by its name (TZID); empty: the device's.
    """

    start: datetime
    length: timedelta | None = None
    rule: Recurrence | None = None
    extra: tuple[datetime, ...] = ()
    without: frozenset[datetime] = frozenset()
    without_days: frozenset[datetime] = frozenset()  # as midnights
    zone: str = ""


class _Value(Struct, frozen=True):
    at: datetime
    is_day: bool


class _Property(Struct, frozen=True):
    name: str
    parameters: dict[str, str]
    value: str

    @property
    def zone(self) -> str:
        return self.parameters.get("TZID", "")


@lru_cache(MAX_PLANS)
def parse(text: str) -> Plan:
    """Raises ScheduleError for whatever is no schedule that can be kept."""
    if len(text) > MAX_TEXT:
        raise ScheduleError(f"may have {MAX_TEXT} characters")
    found: dict[str, list[_Property]] = {}
    for one in _properties(text):
        found.setdefault(one.name, []).append(one)
    for name in _ONCE:
        if len(found.get(name, ())) > 1:
            raise ScheduleError(f"{name} may be there once")
    if "DTSTART" not in found:
        raise ScheduleError("DTSTART is missing")
    begin = found["DTSTART"][0]
    start, zone = _one(begin), begin.zone
    if start.at.tzinfo is not None:
        start, zone = _Value(start.at.replace(tzinfo=None), is_day=False), "UTC"
    if zone:
        zone_named(zone)
    length = _length(found, start, zone)
    rule = parse_rule(found["RRULE"][0].value) if "RRULE" in found else None
    if rule is not None:
        _check_length(rule, length)
        if not comes(rule, start.at):
            raise ScheduleError("RRULE: its parts leave nothing of it, counted from DTSTART")
    without = list(_dates(found.get("EXDATE", ()), zone))
    extra = list(_dates(found.get("RDATE", ()), zone))
    return Plan(
        start=start.at,
        length=length,
        rule=rule,
        extra=tuple(sorted((value.at for value in extra), key=_sortable)),
        without=frozenset(value.at for value in without if not value.is_day),
        without_days=frozenset(value.at for value in without if value.is_day),
        zone=zone,
    )


def zone_named(name: str) -> ZoneInfo:
    """A time zone of the system's tables. Raises ScheduleError when it has none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleError(f"there is no time zone {name[:64]!r}") from None


# --- properties -------------------------------------------------------------------------------


def _properties(text: str) -> Iterator[_Property]:
    for word in text.split():
        match = _PROPERTY.fullmatch(word)
        if match is None:
            raise ScheduleError(f"{word[:40]!r} is no property such as DTSTART:20300101T080000")
        name = match[1].upper()
        if name not in (*_ONCE, "EXDATE", "RDATE"):
            raise ScheduleError(f"{name} is not known here: {', '.join(_ONCE)}, EXDATE and RDATE")
        pairs = (one.partition("=") for one in match[2].split(";")[1:])
        parameters = {key.upper(): value.strip('"') for key, _, value in pairs}
        for key, value in parameters.items():
            if key not in ("TZID", "VALUE") or (key == "VALUE" and value not in _FORMS):
                raise ScheduleError(f"{name}: {key}={value} is not known here")
        yield _Property(name, parameters, match[3])


_FORMS: Final = ("DATE", "DATE-TIME")


def _one(given: _Property) -> _Value:
    return _value(given.name, given.value)


def _value(name: str, text: str) -> _Value:
    """A date or a time; seconds may be left out, as vendors do."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ScheduleError(f"{name}: {text[:32]!r} is no time such as 20300101T080000")
    numbers = [int(part or 0) for part in match.groups()[:6]]
    try:
        at = datetime(*numbers, tzinfo=UTC if match[7] else None)  # type: ignore[arg-type]
    except ValueError as error:
        raise ScheduleError(f"{name}: {text}: {error}") from None
    if not YEARS[0] <= at.year <= YEARS[1]:
        raise ScheduleError(f"{name}: the year must be {YEARS[0]} to {YEARS[1]}")
    return _Value(at, is_day=match[4] is None)


def _dates(given: Iterable[_Property], zone: str) -> Iterator[_Value]:
    number = 0
    for one in given:
        if one.zone not in ("", zone):
            raise ScheduleError(f"{one.name} must be in the zone of DTSTART, or in UTC")
        for text in one.value.split(","):
            number += 1
            if number > MAX_DATES:
                raise ScheduleError(f"{one.name} may name {MAX_DATES} dates")
            yield _value(one.name, text)


def _length(found: dict[str, list[_Property]], start: _Value, zone: str) -> timedelta | None:
    """How long an occurrence lasts, by the clock on the wall."""
    if "DURATION" in found:
        if "DTEND" in found:
            raise ScheduleError("either DTEND or DURATION")
        length = _duration(found["DURATION"][0].value)
    elif "DTEND" in found:
        given = found["DTEND"][0]
        end = _one(given)
        is_utc = end.at.tzinfo is not None
        if (is_utc and zone != "UTC") or given.zone not in ("", zone):
            raise ScheduleError("DTEND must be in the zone of DTSTART")
        length = end.at.replace(tzinfo=None) - start.at
    else:
        return timedelta(days=1) if start.is_day else None  # RFC 5545 §3.6.1
    if not timedelta(0) < length <= MAX_LENGTH:
        raise ScheduleError(
            f"the end must be after the beginning, by {MAX_LENGTH.days} days at most"
        )
    return length


def _duration(text: str) -> timedelta:
    """RFC 5545 §3.3.6."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ScheduleError(f"DURATION: {text[:32]!r} is no duration such as PT30S")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def _check_length(rule: Recurrence, length: timedelta | None) -> None:
    if length is not None and length > _PERIODS[rule.frequency] * rule.interval:
        raise ScheduleError(f"RRULE: {rule.frequency.name} comes again before it has ended")


def _sortable(at: datetime) -> datetime:
    return at.replace(tzinfo=None)


# --- the rule ----------------------------------------------------------------------------------


def parse_rule(text: str) -> Recurrence:
    """RRULE (RFC 5545 §3.3.10). Raises ScheduleError."""
    parts: dict[str, str] = {}
    for part in text.upper().split(";"):
        name, equals, value = part.partition("=")
        if not equals or name in parts:
            raise ScheduleError(
                f"RRULE: {part[:32]!r} is no part such as FREQ=DAILY, or there twice"
            )
        parts[name] = value
    try:
        frequency = Frequency[parts.pop("FREQ", "")]
    except KeyError:
        words = ", ".join(one.name for one in Frequency)
        raise ScheduleError(f"RRULE: FREQ must be one of {words}") from None
    values: dict[str, object] = {}
    for name, value in parts.items():
        if name in _NUMBERS:
            field, least, most, both_ways = _NUMBERS[name]
            values[field] = _numbers(name, value, least, most, both_ways=both_ways)
        elif name == "BYDAY":
            values["days"] = tuple(_by_day(one) for one in value.split(","))
        elif name == "INTERVAL":
            values["interval"] = _number(name, value, 1, MAX_INTERVAL)
        elif name == "COUNT":
            values["count"] = _number(name, value, 1, MAX_COUNT)
        elif name == "UNTIL":
            last = _value("RRULE: UNTIL", value)
            values["until"] = last.at + timedelta(days=1, seconds=-1) if last.is_day else last.at
        elif name == "WKST" and value in WEEKDAYS:
            values["week_start"] = WEEKDAYS.index(value)
        else:
            raise ScheduleError(f"RRULE: {name[:16]}={value[:16]} is not known")
    rule = Recurrence(frequency=frequency, **values)  # type: ignore[arg-type]
    _check_rule(rule)
    return rule


def _number(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16 and least <= int(text) <= most):
        raise ScheduleError(f"RRULE: {name} must be {least} to {most}")
    return int(text)


def _numbers(name: str, text: str, least: int, most: int, *, both_ways: bool) -> tuple[int, ...]:
    found: set[int] = set()
    for one in text.split(","):
        back = both_ways and one.startswith("-")
        number = _number(name, one.removeprefix("-" if back else "+"), least, most)
        found.add(-number if back else number)
    return tuple(sorted(found))


def _by_day(text: str) -> tuple[int, int]:
    """2MO: the second Monday; 0MO, as vendors write, and MO: each."""
    match = _BY_DAY.fullmatch(text)
    number = int(match[1]) if match and match[1].strip("+-") else 0
    if match is None or (match[1] and match[1] in "+-") or not -53 <= number <= 53:
        raise ScheduleError(f"RRULE: BYDAY={text[:16]} is no weekday such as MO or -1FR")
    return WEEKDAYS.index(match[2]), number


def _check_rule(rule: Recurrence) -> None:
    """What parts may not be together, and what never comes."""
    frequency = rule.frequency
    if rule.count is not None and rule.until is not None:
        raise ScheduleError("RRULE: either COUNT or UNTIL")
    if rule.weeks and frequency is not Frequency.YEARLY:
        raise ScheduleError("RRULE: BYWEEKNO is for YEARLY")
    if rule.year_days and Frequency.MONTHLY <= frequency <= Frequency.DAILY:
        raise ScheduleError(f"RRULE: BYYEARDAY is not for {frequency.name}")
    if rule.month_days and frequency is Frequency.WEEKLY:
        raise ScheduleError("RRULE: BYMONTHDAY is not for WEEKLY")
    counted = any(n for _, n in rule.days)
    if counted and (frequency > Frequency.MONTHLY or rule.weeks):
        raise ScheduleError("RRULE: BYDAY with a number is for MONTHLY, and YEARLY without weeks")
    others = (rule.months, rule.weeks, rule.year_days, rule.month_days, rule.days)
    if rule.positions and not any((*others, rule.hours, rule.minutes, rule.seconds)):
        raise ScheduleError("RRULE: BYSETPOS needs another BY part")
    times = max(1, len(rule.hours)) * max(1, len(rule.minutes)) * max(1, len(rule.seconds))
    if not rule.within_days and times > MAX_TIMES:
        raise ScheduleError(f"RRULE: {frequency.name} may have {MAX_TIMES} times a day")
    months = rule.months or range(1, 13)
    longest = max(29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31 for month in months)
    if rule.month_days and min(map(abs, rule.month_days)) > longest:
        raise ScheduleError("RRULE: no month has such a day")
