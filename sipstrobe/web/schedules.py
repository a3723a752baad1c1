"""Schedules as resources: when they come next, and what came of them. What they are is set."""

from typing import Final

from sipstrobe.web.exchange import HttpProblem, Request, Response, Route, json, look
from sipstrobe.web.views import Views

PATH: Final = "/api/v1/schedules"
NEXT: Final = 5  # occurrences, where nobody asks for more or fewer
RECORDS: Final = 100  # the same of what was
MAX_RECORDS: Final = 1000


class SchedulesDoor:
    """The routes of schedules."""

    def __init__(self, views: Views) -> None:
        self._schedules = views.schedules

    def routes(self) -> list[Route]:
        return [look(PATH, self._list), look(PATH + "/*/history", self._history)]

    def _list(self, request: Request) -> Response:
        """`next` of each: as many as ?count says, 16 at most."""
        count = _number(request, "count", NEXT, 16)
        return json({"schedules": self._schedules.snapshot(count)})

    async def _history(self, request: Request) -> Response:
        """The newest first, as many as ?limit says: at, until, done, why."""
        name = request.path.removeprefix(PATH + "/").removesuffix("/history")
        limit = _number(request, "limit", RECORDS, MAX_RECORDS)
        try:
            found = await self._schedules.history(name, limit)
        except OSError as error:
            raise HttpProblem(503, str(error)) from None
        if found is None:
            words = f"there is no schedule {name[:64]!r}"
            raise HttpProblem(404, words, code="unknown_schedule")
        return json({"schedule": name, "occurrences": found})


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 8 and 1 <= int(text) <= most):
        raise HttpProblem(400, f"must be 1 to {most}", field=name)
    return int(text)
