"""Why something is heard, seen or sent: the chain of causes back to the outside."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, TypedDict, get_args

from msgspec import Meta

from sipstrobe.clock import Clock
from sipstrobe.web.describe import chain
from sipstrobe.web.exchange import About, HttpProblem, Query, Request, Response, Route, json, look
from sipstrobe.web.rule_json import When
from sipstrobe.web.told.common import Chain, Instant
from sipstrobe.web.views import Thing, Views

PATH: Final = "/api/v1/why"
NAME_MAX: Final = 256  # characters
_THINGS: Final[tuple[Thing, ...]] = get_args(Thing)
ASKED: Final[Mapping[Thing, Query[str]]] = {
    thing: Query[str](thing, Annotated[str, Meta(max_length=NAME_MAX)], "", f"Of this {thing}.")
    for thing in _THINGS
}


class WhyTold(TypedDict):
    """began: because of what it began; last: what has become of it since, null: nothing."""

    now: Instant
    wall: datetime
    began: Chain
    last: Chain | None


_WHY: Final = About(
    summary="Why something is seen, heard or sent",
    words="Ask for one thing: an operation is named FUNCTION/ID, a sound by its owner.",
    query=tuple(ASKED.values()),
    answer=WhyTold,
    problems={404: ()},
)


class WhyDoor:
    """GET /api/v1/why?operation=, ?sound=, ?call= or ?message=."""

    def __init__(self, clock: Clock, views: Views) -> None:
        self._clock = clock
        self._views = views

    def routes(self) -> list[Route]:
        return [look(PATH, self._why, _WHY)]

    def _why(self, request: Request) -> Response:
        """began: because of what it began; last: what has become of it since, null: nothing."""
        asked: list[tuple[Thing, str]] = [
            (thing, name) for thing, query in ASKED.items() if (name := query.of(request))
        ]
        if len(asked) != 1:
            raise HttpProblem(400, f"ask for one of {', '.join(ASKED)}")
        [(thing, name)] = asked
        causes = self._views.why(thing, name)
        if not causes:
            raise HttpProblem(404, f"nothing is known of this {thing}, or no longer")
        last = chain(causes[-1]) if len(causes) > 1 else None
        return json(When.of(self._clock).told | {"began": chain(causes[0]), "last": last})
