"""The calendar of schedules over HTTP, and a schedule that is being made (SCH-01)."""

import pytest

from tests.web.test_recordings import ask

CALENDAR = "/api/v1/schedules/calendar"
PREVIEW = "/api/v1/schedules/preview"


async def test_so_many_days_are_told_from_the_first_on(url: str) -> None:
    status, found = await ask(url, "GET", CALENDAR + "?from=2030-12-31&days=42", "victor")

    [rung] = found["occurrences"]
    assert (status, rung["start"], rung["count"]) == (200, "2030-12-31", 42)


async def test_without_a_first_day_it_is_a_week_from_today(url: str) -> None:
    _, found = await ask(url, "GET", CALENDAR)

    [rung] = found["occurrences"]
    assert (rung["start"], rung["count"]) == ("today", 7)


@pytest.mark.parametrize("query", ["days=63", "days=0", "days=x", "from=yesterday", "from=20301"])
async def test_what_is_no_span_of_days_is_refused(url: str, query: str) -> None:
    status, found = await ask(url, "GET", f"{CALENDAR}?{query}")

    assert (status, found["field"]) == (400, query.partition("=")[0])


async def test_a_schedule_can_be_looked_at_before_it_is_stored(url: str) -> None:
    text = "DTSTART:20300101T080000"

    status, found = await ask(url, "POST", PREVIEW, json={"text": text, "count": 2})

    assert (status, found["next"]) == (200, [{"start": text, "end": None}] * 2)


async def test_what_is_wrong_with_its_text_is_told_at_the_text(url: str) -> None:
    status, found = await ask(url, "POST", PREVIEW, json={"text": "nonsense"})

    assert status == 422
    assert found["problems"] == [{"path": "/text", "message": "DTSTART is missing"}]


@pytest.mark.parametrize("body", [{}, {"text": 1}, {"text": "DTSTART:", "count": 17}, {"at": ""}])
async def test_what_is_no_schedule_is_refused(url: str, body: dict[str, object]) -> None:
    assert (await ask(url, "POST", PREVIEW, json=body))[0] == 400
