"""The days of a calendar (SCH-01)."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sipstrobe.schedules.days import MAX_FOUND, Days, days
from sipstrobe.schedules.occurrences import Calendar
from sipstrobe.schedules.text import parse

BERLIN = ZoneInfo("Europe/Berlin")


def look(first: str, number: int, **texts: str) -> Days:
    calendars = {name: Calendar(parse(text), BERLIN) for name, text in texts.items()}
    return days(calendars, date.fromisoformat(first), number, BERLIN)


def told(found: Days) -> list[str]:
    def wall(at: float | None) -> str:
        return "" if at is None else datetime.fromtimestamp(at, BERLIN).strftime("%d %H:%M")

    return [
        " ".join(filter(None, (e.schedule, wall(e.start), wall(e.end), str(e.count))))
        for e in found.entries
    ]


def test_what_is_on_is_told_in_order() -> None:
    found = look(
        "2026-03-28",
        2,
        Shift="DTSTART:20260101T080000 DTEND:20260101T160000 RRULE:FREQ=DAILY",
        Bell="DTSTART:20260101T090000 RRULE:FREQ=DAILY",
    )

    assert told(found) == [
        "Shift 28 08:00 28 16:00 1",
        "Bell 28 09:00 1",
        "Shift 29 08:00 29 16:00 1",
        "Bell 29 09:00 1",
    ]


def test_a_night_that_has_begun_before_the_first_day_is_still_on() -> None:
    night = "DTSTART:20260101T220000 DTEND:20260102T060000 RRULE:FREQ=DAILY"

    assert told(look("2026-05-02", 1, Night=night)) == [
        "Night 01 22:00 02 06:00 1",
        "Night 02 22:00 03 06:00 1",
    ]


def test_what_is_over_as_the_first_day_begins_is_not_told() -> None:
    evening = "DTSTART:20260101T220000 DTEND:20260102T000000 RRULE:FREQ=DAILY"

    assert told(look("2026-05-02", 1, Evening=evening)) == ["Evening 02 22:00 03 00:00 1"]


def test_a_pulse_at_the_first_instant_of_a_day_belongs_to_it_alone() -> None:
    assert told(look("2026-05-02", 1, Bell="DTSTART:20260101T000000 RRULE:FREQ=DAILY")) == [
        "Bell 02 00:00 1"
    ]


def test_what_comes_often_is_one_entry_a_day() -> None:
    found = look("2026-05-02", 2, Tick="DTSTART:20260101T000000 RRULE:FREQ=MINUTELY;INTERVAL=5")

    assert told(found) == ["Tick 02 00:00 288", "Tick 03 00:00 288"]
    assert datetime.fromtimestamp(found.entries[0].last, BERLIN).hour == 23


def test_the_day_on_which_clocks_are_put_forward_has_an_hour_less() -> None:
    tick = "DTSTART:20260101T000000 RRULE:FREQ=HOURLY"

    assert [entry.count for entry in look("2026-03-28", 2, Tick=tick).entries] == [24, 23]


def test_what_occurs_too_often_is_named_and_cut() -> None:
    found = look("2026-05-02", 2, Tick="DTSTART:20260101T000000 RRULE:FREQ=SECONDLY")

    assert found.cut == ["Tick"]
    assert sum(entry.count for entry in found.entries) <= MAX_FOUND
