"""RFC 5545 §3.3.10, by its own examples and against an implementation of others."""

from datetime import date, datetime, timedelta
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.schedules.recurrence import Expansion
from sipstrobe.schedules.text import parse_rule

START = datetime(1997, 9, 2, 9)  # noqa: DTZ001  the examples begin then
END = datetime(2012, 1, 1)  # noqa: DTZ001


def days(rule: str, start: datetime = START, most: int = 5) -> list[str]:
    found = Expansion(parse_rule(rule), start).between(start, END)
    return [f"{at:%Y%m%d}" for at in islice(found, most)]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU", "19970902 19970916 19970930"),
        ("FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,TH", "19970902 19970904 19970916 19970918"),
        ("FREQ=MONTHLY;BYDAY=-2MO", "19970922 19971020 19971117"),
        ("FREQ=MONTHLY;BYMONTHDAY=-3", "19970928 19971029 19971128"),
        ("FREQ=YEARLY;INTERVAL=3;BYYEARDAY=1,100,200", "20000101 20000409 20000718 20030101"),
        ("FREQ=YEARLY;BYDAY=20MO", "19980518 19990517 20000515"),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "19980511 19990517 20000515"),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "19980213 19980313 19981113 19990813"),
        ("FREQ=YEARLY;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "19971104 19981103 19991102"),
        ("FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904 19971007 19971106"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "19970929 19971030 19971127"),
    ],
)
def test_the_examples_of_the_standard(rule: str, wanted: str) -> None:
    """RFC 5545 §3.8.5.3. (The first Monday of 1997's week 20 was before the beginning.)"""
    assert days(rule, START, len(wanted.split())) == wanted.split()


def test_a_leap_day_comes_every_fourth_year() -> None:
    leap = datetime(2000, 2, 29, 12)  # noqa: DTZ001
    assert days("FREQ=YEARLY", leap) == ["20000229", "20040229", "20080229"]


def test_the_week_that_begins_on_sunday_makes_a_difference() -> None:
    """RFC 5545 §3.8.5.3, of WKST."""
    start = datetime(1997, 8, 5, 9)  # noqa: DTZ001
    by_monday = days("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", start, 4)
    by_sunday = days("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", start, 4)

    assert by_monday == ["19970805", "19970810", "19970819", "19970824"]
    assert by_sunday == ["19970805", "19970817", "19970819", "19970831"]


def test_what_never_comes_ends_the_search() -> None:
    never = parse_rule("FREQ=MINUTELY;BYMONTH=2;BYYEARDAY=200")

    assert list(Expansion(never, START).between(START, START + timedelta(days=3660))) == []


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]))
    parts = [f"FREQ={frequency}", f"INTERVAL={draw(st.integers(1, 4))}"]

    def some(name: str, least: int, most: int) -> None:
        values = draw(st.sets(st.integers(least, most), min_size=1, max_size=3))
        if values := sorted(value for value in values if value or least == 0):
            parts.append(f"{name}={','.join(map(str, values))}")

    by = draw(st.sampled_from(["days", "month days", "counted days", "nothing"]))
    if by == "days":
        parts.append("BYDAY=MO,TH,SU")
    elif by == "month days" and frequency != "WEEKLY":
        some("BYMONTHDAY", -28, 28)
    elif by == "counted days" and frequency in ("YEARLY", "MONTHLY"):
        parts.append("BYDAY=1MO,-1FR")
    if draw(st.booleans()):
        some("BYMONTH", 1, 12)
    some("BYMINUTE", 0, 59)
    if frequency == "MONTHLY" and by == "days":
        some("BYSETPOS", -4, 4)
    return ";".join(parts)


@settings(max_examples=30)
@given(rules(), st.dates(date(2024, 1, 1), date(2028, 12, 31)), st.integers(0, 60))
def test_it_agrees_with_an_implementation_of_others(rule: str, begin: date, ahead: int) -> None:
    start = datetime.combine(begin, datetime.min.time()).replace(hour=7, minute=40)
    first = start + timedelta(days=ahead)
    stop = first + timedelta(days=400)

    ours = list(islice(Expansion(parse_rule(rule), start).between(first, stop), 10))

    theirs = rrulestr(rule, dtstart=start).xafter(first, inc=True)
    assert ours == [at for at in islice(theirs, 10) if at < stop][: len(ours) + 1]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MINUTELY;INTERVAL=7;BYHOUR=9,11;BYMINUTE=3,40,41",
        "FREQ=MINUTELY;INTERVAL=1439",
        "FREQ=SECONDLY;INTERVAL=7;BYMINUTE=3,40;BYSECOND=1,2,30",
        "FREQ=SECONDLY;INTERVAL=61;BYHOUR=9;BYSECOND=5,6",
        "FREQ=SECONDLY;INTERVAL=3601",
    ],
)
def test_steps_of_minutes_and_seconds_agree_with_others_too(rule: str) -> None:
    start = START.replace(second=5)

    ours = list(
        islice(Expansion(parse_rule(rule), start).between(start, start + timedelta(days=30)), 20)
    )

    assert ours == list(islice(rrulestr(rule, dtstart=start), 20))
