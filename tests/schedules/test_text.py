"""The text of a schedule: what is read, and what is refused in words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.schedules.recurrence import Frequency
from sipstrobe.schedules.settings import FACTORY_SCHEDULES, Schedule, problems
from sipstrobe.schedules.text import MAX_COUNT, MAX_DATES, MAX_TEXT, ScheduleError, parse


@pytest.mark.parametrize("between", ["\n", "\r\n", " "])
def test_lines_may_end_as_vendors_end_them(between: str) -> None:
    """SCH-01: all three forms are sent by devices and programs."""
    lines = ("DTSTART:20240101T180000", "DTEND:20240101T180100", "RRULE:FREQ=DAILY")
    plan = parse(between.join(lines))

    assert plan.start == datetime(2024, 1, 1, 18)  # noqa: DTZ001
    assert plan.length == timedelta(minutes=1)
    assert plan.rule is not None
    assert plan.rule.frequency is Frequency.DAILY


def test_without_an_end_it_is_a_pulse_and_seconds_may_be_left_out() -> None:
    plan = parse("DTSTART:19700101T0000 RRULE:FREQ=MONTHLY;BYDAY=0MO,-1FR,SU;INTERVAL=2")

    assert plan.length is None
    assert plan.rule is not None
    assert plan.rule.days == ((0, 0), (4, -1), (6, 0))


def test_a_date_is_a_whole_day() -> None:
    """RFC 5545 §3.6.1."""
    assert parse("DTSTART;VALUE=DATE:20301224").length == timedelta(days=1)


def test_zone_exceptions_and_additions_are_kept() -> None:
    plan = parse(
        "DTSTART;TZID=Europe/Berlin:20300101T080000 DURATION:PT1H30M RRULE:FREQ=DAILY"
        " EXDATE;TZID=Europe/Berlin:20300103T080000,20300104 EXDATE:20300105T070000Z"
        " RDATE:20300110T120000"
    )

    assert plan.zone == "Europe/Berlin"
    assert plan.length == timedelta(hours=1, minutes=30)
    assert datetime(2030, 1, 5, 7, tzinfo=UTC) in plan.without
    assert datetime(2030, 1, 4) in plan.without_days  # noqa: DTZ001
    assert plan.extra == (datetime(2030, 1, 10, 12),)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RRULE:FREQ=DAILY", "DTSTART is missing"),
        ("bell at eight", "'bell' is no property"),
        ("DTSTART:20300101T080000 DTSTART:20300101T080000", "may be there once"),
        ("DTSTART:20300230T080000", "day"),
        ("DTSTART:18000101T080000", "1970 to 2199"),
        ("DTSTART;TZID=Mars/Phobos:20300101T080000", "no time zone 'Mars/Phobos'"),
        ("DTSTART;TZID=../../etc/passwd:20300101T080000", "no time zone"),
        ("DTSTART:20300101T080000 DTEND:20300101T080000", "after the beginning"),
        ("DTSTART:20300101T080000 DTEND:20300103T080000 RRULE:FREQ=DAILY", "before it has ended"),
        ("DTSTART:20300101T080000 RRULE:FREQ=SECONDLY;COUNT=1000000000", f"1 to {MAX_COUNT}"),
        ("DTSTART:20300101T080000 RRULE:FREQ=DAILY;INTERVAL=0", "INTERVAL must be 1 to"),
        ("DTSTART:20300101T080000 RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "no month has"),
        ("DTSTART:20300101T080000 RRULE:FREQ=DAILY;BYHOUR=24", "BYHOUR must be 0 to 23"),
        ("DTSTART:20300101T080000 RRULE:FREQ=WEEKLY;BYDAY=2MO", "BYDAY with a number"),
        ("DTSTART:20300101T080000 RRULE:FREQ=DAILY;BYDAY=XX", "no weekday"),
        ("DTSTART:20300101T080000 RRULE:FREQ=DAILY;COUNT=2;UNTIL=20310101", "either COUNT"),
        ("DTSTART:20300101T080000 RRULE:BYDAY=MO", "FREQ must be one of"),
        ("DTSTART:20300101T080000 RRULE:FREQ=DAILY;BYSETPOS=1", "another BY part"),
        ("DTSTART:20300101T080000 RRULE:FREQ=HOURLY;INTERVAL=2;BYHOUR=9,11", "leave nothing"),
        ("DTSTART:20300101T080000 RRULE:FREQ=MINUTELY;INTERVAL=1440;BYMINUTE=1", "leave nothing"),
        ("DTSTART:20300101T080000 RRULE:FREQ=SECONDLY;INTERVAL=2;BYSECOND=1", "leave nothing"),
        ("DTSTART:20300101T080000 RRULE:FREQ=MINUTELY;BYSECOND=0,9;BYSETPOS=3", "leave nothing"),
        ("DTSTART:20300101T080000 VALARM:20300101T080000", "VALARM is not known"),
        ("DTSTART:20300101T080000 EXDATE;TZID=UTC:20300101T080000", "zone of DTSTART"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        parse(text)


def test_what_can_grow_is_bounded() -> None:
    many = ",".join(["20300101T080000"] * (MAX_DATES + 1))
    with pytest.raises(ScheduleError, match=f"{MAX_DATES} dates"):
        parse(f"DTSTART:20300101T080000 EXDATE:{many}")
    with pytest.raises(ScheduleError, match=f"{MAX_TEXT} characters"):
        parse("DTSTART:20300101T080000" + " " * MAX_TEXT)
    minutes = ",".join(map(str, range(60)))
    with pytest.raises(ScheduleError, match="100 times a day"):
        parse(f"DTSTART:20300101T080000 RRULE:FREQ=YEARLY;BYMINUTE={minutes};BYSECOND={minutes}")


def test_settings_name_the_field_and_what_is_wrong() -> None:
    """Schedules of one name could not be told apart in rules."""
    bell = Schedule(name="Bell", text="DTSTART:20300101T080000")
    found = problems((bell, bell, Schedule(name="x", text="now")))

    assert [problem.path for problem in found] == ["/1/name", "/2/text"]


def test_a_new_device_has_four_that_are_sound() -> None:
    assert problems(FACTORY_SCHEDULES) == []
    names = ["Office hours", "After hours", "Weekends", "Weekdays"]
    assert [schedule.name for schedule in FACTORY_SCHEDULES] == names


@given(st.text("DTSRAUEFQ=;:,0123456789TZ- \nINVLYWKHBMO", max_size=60))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    for hostile in (text, f"DTSTART:20300101T080000 RRULE:FREQ=DAILY;{text}"):
        try:
            parse(hostile)
        except ScheduleError as refusal:
            assert str(refusal)  # noqa: PT017
