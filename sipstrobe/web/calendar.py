"""The calendar of schedules: what is on which day, and when one would occur that is being made."""

from datetime import date
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from sipstrobe.errors import ConfigError, Problem
from sipstrobe.schedules.days import MAX_DAYS
from sipstrobe.schedules.text import MAX_TEXT, ScheduleError
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import (
    About,
    HttpProblem,
    Query,
    Request,
    Response,
    Route,
    act,
    json,
    look,
)
from sipstrobe.web.views import Views

CALENDAR: Final = "/api/v1/schedules/calendar"
PREVIEW: Final = "/api/v1/schedules/preview"

FROM: Final = Query[date | None](
    "from", date, None, "The first day, such as 2030-12-31; where it is left out, today."
)
DAYS: Final = Query(
    "days", Annotated[int, Meta(ge=1, le=MAX_DAYS)], 7, f"How many days, {MAX_DAYS} at most."
)


class Preview(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A schedule that nobody has stored yet."""

    text: Annotated[str, Meta(max_length=MAX_TEXT)]
    count: Annotated[int, Meta(ge=1, le=16)] = 5


class Span(Struct, frozen=True, kw_only=True):
    """An occurrence; times are RFC 3339 with the offset of the zone. end: null for a pulse."""

    start: str
    end: str | None


class Upcoming(Struct, frozen=True, kw_only=True):
    """When a schedule would occur. kind: interval or pulse."""

    kind: str
    time_zone: str
    next: list[Span]


class Entry(Struct, frozen=True, kw_only=True):
    """Something on a day. count: for how many occurrences it stands, of which the last begins at
    `last` and the first is told."""

    schedule: str
    start: str
    end: str | None
    count: int
    last: str


class Calendar(Struct, frozen=True, kw_only=True):
    """What is on. today: the date in the zone of the device; cut: the schedules that occur too
    often to tell all of it."""

    time_zone: str
    today: str
    occurrences: list[Entry]
    cut: list[str]


class CalendarDoor:
    """The routes of the calendar."""

    def __init__(self, views: Views) -> None:
        self._schedules = views.schedules

    def routes(self) -> list[Route]:
        return [
            look(
                CALENDAR,
                self._calendar,
                About(
                    summary="What is on which day",
                    words="In the zone of the device. More than eight occurrences of a schedule on"
                    " one day are one entry.",
                    answer=Calendar,
                    query=(FROM, DAYS),
                ),
            ),
            act(
                "POST",
                PREVIEW,
                self._preview,
                About(
                    summary="When a schedule would occur",
                    body=Preview,
                    answer=Upcoming,
                    problems={422: ()},
                ),
            ),
        ]

    async def _calendar(self, request: Request) -> Response:
        return json(await self._schedules.days(FROM.of(request), DAYS.of(request)))

    async def _preview(self, request: Request) -> Response:
        try:
            wanted = msgspec.convert(read_object(request.body), Preview)
        except msgspec.ValidationError as error:
            words, _, place = str(error).partition(" - at ")
            raise HttpProblem(400, words, field=place.strip("`").removeprefix("$.")) from None
        try:
            return json(await self._schedules.preview(wanted.text, wanted.count))
        except ScheduleError as error:
            raise ConfigError([Problem("/text", str(error))]) from None
