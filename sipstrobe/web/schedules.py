"""Schedules as resources: when they come next, and what came of them. What they are is set."""

from typing import Annotated, Final, TypedDict

from msgspec import Meta

from sipstrobe.web.exchange import About, HttpProblem, Query, Request, Response, Route, json, look
from sipstrobe.web.told.status import ScheduleTold
from sipstrobe.web.views import Views

PATH: Final = "/api/v1/schedules"
COUNT: Final = Query(
    "count", Annotated[int, Meta(ge=1, le=16)], 5, "How many next occurrences of each."
)
LIMIT: Final = Query("limit", Annotated[int, Meta(ge=1, le=1000)], 100, "How many.")


class SchedulesTold(TypedDict):
    """All schedules."""

    schedules: list[ScheduleTold]


class OccurrenceTold(TypedDict):
    """An occurrence that was. until: null for a pulse; why: it was acted on, or not."""

    at: str
    until: str | None
    done: bool
    why: str


class OccurrencesTold(TypedDict):
    """The newest first."""

    schedule: str
    occurrences: list[OccurrenceTold]


_LIST: Final = About(
    summary="The schedules, and when they occur next", query=(COUNT,), answer=SchedulesTold
)
_HISTORY: Final = About(
    summary="What came of the occurrences of a schedule",
    query=(LIMIT,),
    answer=OccurrencesTold,
    problems={404: ("unknown_schedule",), 503: ()},
)


class SchedulesDoor:
    """The routes of schedules."""

    def __init__(self, views: Views) -> None:
        self._schedules = views.schedules

    def routes(self) -> list[Route]:
        return [
            look(PATH, self._list, _LIST),
            look(PATH + "/{name}/history", self._history, _HISTORY),
        ]

    def _list(self, request: Request) -> Response:
        return json({"schedules": self._schedules.snapshot(COUNT.of(request))})

    async def _history(self, request: Request) -> Response:
        name = request.path.removeprefix(PATH + "/").removesuffix("/history")
        limit = LIMIT.of(request)
        try:
            found = await self._schedules.history(name, limit)
        except OSError as error:
            raise HttpProblem(503, str(error)) from None
        if found is None:
            words = f"there is no schedule {name[:64]!r}"
            raise HttpProblem(404, words, code="unknown_schedule")
        return json({"schedule": name, "occurrences": found})
