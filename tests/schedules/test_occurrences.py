"""When a schedule occurs, over every change of the clocks."""

from datetime import UTC, datetime
from itertools import pairwise
from math import inf
from zoneinfo import ZoneInfo

from sipstrobe.schedules.occurrences import BATCH, HORIZON, Calendar
from sipstrobe.schedules.text import parse


def wall(instant: float, zone: str) -> str:
    return datetime.fromtimestamp(instant, ZoneInfo(zone)).isoformat(" ", "minutes")


def after(text: str, since: str, *, zone: str = "Europe/Berlin", most: int = 4) -> list[str]:
    """The next ones by the clock on the wall there, with their ends."""
    batch = Calendar(parse(text), ZoneInfo(zone)).after(
        datetime.fromisoformat(since).replace(tzinfo=ZoneInfo(zone)).timestamp(), most
    )
    return [
        wall(one.start, zone) + ("" if one.end is None else f" – {wall(one.end, zone)}")
        for one in batch.occurrences
    ]


def test_a_bell_in_the_hour_that_spring_skips_rings_after_it() -> None:
    """RFC 5545 §3.3.5: a time that does not exist is counted from before the gap."""
    found = after("DTSTART:20240101T023000 RRULE:FREQ=DAILY", "2026-03-28T12:00", most=2)

    assert found == ["2026-03-29 03:30+02:00", "2026-03-30 02:30+02:00"]


def test_a_bell_in_the_hour_that_autumn_repeats_rings_once() -> None:
    """RFC 5545 §3.3.5: the first of the two."""
    found = after("DTSTART:20240101T023000 RRULE:FREQ=DAILY", "2026-10-24T12:00", most=2)

    assert found == ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"]


def test_two_that_fall_together_in_spring_are_one() -> None:
    text = "DTSTART:20240101T023000 RRULE:FREQ=DAILY;BYHOUR=2,3"

    found = after(text, "2026-03-28T12:00", most=2)

    assert found == ["2026-03-29 03:30+02:00", "2026-03-30 02:30+02:00"]


def test_what_the_gap_delays_comes_in_its_order() -> None:
    text = "DTSTART:20240101T000000 RRULE:FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,45"

    found = after(text, "2026-03-29T00:00")

    times = ["03:00+02:00", "03:45+02:00"]  # 02:00 and 02:45 are at 03:00 and 03:45
    assert found[:2] == [f"2026-03-29 {at}" for at in times]


def test_every_five_minutes_is_every_five_minutes_in_both_hours_of_autumn() -> None:
    text = "DTSTART:19700101T000000 RRULE:FREQ=MINUTELY;INTERVAL=5"
    instants = Calendar(parse(text), ZoneInfo("Europe/Berlin")).after(
        datetime(2026, 10, 24, 23, 1, tzinfo=UTC).timestamp(), 40
    )

    starts = [one.start for one in instants.occurrences]
    assert {late - early for early, late in pairwise(starts)} == {300.0}


def test_every_hour_passes_over_the_one_that_spring_skips() -> None:
    found = after("DTSTART:20240101T000000 RRULE:FREQ=HOURLY", "2026-03-29T00:30", most=2)

    assert found == ["2026-03-29 01:00+01:00", "2026-03-29 03:00+02:00"]


def test_half_an_hour_of_summer_is_understood() -> None:
    """Lord Howe Island puts its clocks by half an hour."""
    found = after(
        "DTSTART:20240101T014500 RRULE:FREQ=DAILY",
        "2026-04-04T12:00",
        zone="Australia/Lord_Howe",
        most=2,
    )
    spring = after(
        "DTSTART:20240101T021000 RRULE:FREQ=DAILY",
        "2026-10-03T12:00",
        zone="Australia/Lord_Howe",
        most=1,
    )

    assert found == ["2026-04-05 01:45+11:00", "2026-04-06 01:45+10:30"]
    assert spring == ["2026-10-04 02:40+11:00"]


def test_a_night_ends_by_the_clock_on_the_wall() -> None:
    """A stated deviation from RFC 5545 §3.8.2.2: people see the clock, not the hours."""
    found = after(
        "DTSTART:20240101T220000 DTEND:20240102T060000 RRULE:FREQ=DAILY",
        "2026-03-28T12:00",
        most=1,
    )

    assert found == ["2026-03-28 22:00+01:00 – 2026-03-29 06:00+02:00"]


def test_the_zone_of_the_text_goes_before_that_of_the_device() -> None:
    text = "DTSTART;TZID=America/New_York:20260601T090000"

    batch = Calendar(parse(text), ZoneInfo("Europe/Berlin")).after(1.76e9)

    assert [wall(one.start, "UTC") for one in batch.occurrences] == ["2026-06-01 13:00+00:00"]
    assert batch.until == inf


def test_exceptions_leave_out_and_additions_add() -> None:
    """EXDATE by local time, by instant and by day; RDATE; COUNT counts what is left out."""
    text = (
        "DTSTART:20260601T090000 RRULE:FREQ=DAILY;COUNT=5"
        " EXDATE:20260602T090000,20260603T070000Z EXDATE;VALUE=DATE:20260604 RDATE:20260701T120000"
    )

    found = after(text, "2026-01-01T00:00")

    times = ["06-01 09:00", "06-05 09:00", "07-01 12:00"]
    assert found == [f"2026-{at}+02:00" for at in times]


def test_until_counts_the_day_that_it_names() -> None:
    local = "DTSTART:20260601T090000 RRULE:FREQ=DAILY;UNTIL="

    assert len(after(local + "20260603", "2026-01-01T00:00")) == 3
    assert len(after(local + "20260603T070000Z", "2026-01-01T00:00")) == 3
    assert len(after(local + "20260603T085959", "2026-01-01T00:00")) == 2


def test_a_leap_day_is_found_when_it_is_far_away() -> None:
    found = after("DTSTART:20240229T120000 RRULE:FREQ=YEARLY", "2096-03-01T00:00", most=1)

    assert found == ["2104-02-29 12:00+01:00"]


def test_no_more_is_looked_for_than_was_asked_and_so_far_ahead() -> None:
    second = Calendar(parse("DTSTART:19700101T000000 RRULE:FREQ=SECONDLY"), ZoneInfo("UTC"))
    batch = second.after(1e9)
    assert len(batch.occurrences) == BATCH
    assert batch.until == batch.occurrences[-1].start

    impossible = parse("DTSTART:19700101T000000 RRULE:FREQ=YEARLY;BYMONTH=2;BYYEARDAY=200")
    nothing = Calendar(impossible, ZoneInfo("Europe/Berlin")).after(1e9)
    assert nothing.occurrences == ()
    assert nothing.until == 1e9 + HORIZON.total_seconds()
