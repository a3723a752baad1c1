"""Why something is heard, seen or sent: the chain of causes back to the outside."""

from typing import Final, get_args

from sipstrobe.clock import Clock
from sipstrobe.web.describe import chain
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route, json, look
from sipstrobe.web.rule_json import When
from sipstrobe.web.views import Thing, Views

PATH: Final = "/api/v1/why"
THINGS: Final[tuple[Thing, ...]] = get_args(Thing)
NAME_MAX: Final = 256  # characters


class WhyDoor:
    """GET /api/v1/why?operation=, ?sound=, ?call= or ?message=."""

    def __init__(self, clock: Clock, views: Views) -> None:
        self._clock = clock
        self._views = views

    def routes(self) -> list[Route]:
        return [look(PATH, self._why)]

    def _why(self, request: Request) -> Response:
        """began: because of what it began; last: what has become of it since, null: nothing."""
        asked: list[tuple[Thing, str]] = [
            (thing, name) for thing in THINGS if (name := request.query(thing)) is not None
        ]
        if len(asked) != 1:
            raise HttpProblem(400, f"ask for one of {', '.join(THINGS)}")
        [(thing, name)] = asked
        causes = self._views.why(thing, name[:NAME_MAX])
        if not causes:
            raise HttpProblem(404, f"nothing is known of this {thing}, or no longer")
        last = chain(causes[-1]) if len(causes) > 1 else None
        return json(When.of(self._clock).told | {"began": chain(causes[0]), "last": last})
