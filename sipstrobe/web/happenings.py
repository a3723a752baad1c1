"""What holds on the device just now, and what has happened lately: its events, as resources."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from sipstrobe.clock import Clock
from sipstrobe.events import DECLARED
from sipstrobe.rules.simulate import MAX_EVENTS, MAX_SECONDS, Happening
from sipstrobe.web.exchange import About, Query, Request, Response, Route, json, look
from sipstrobe.web.rule_json import When
from sipstrobe.web.told.common import Instant
from sipstrobe.web.views import Views

PROPERTIES: Final = "/api/v1/properties"
HISTORY: Final = "/api/v1/history/events"
EVENT: Final = Query("event", Annotated[str, Meta(max_length=64)], "", "Only of this topic.")
LIMIT: Final = Query("limit", Annotated[int, Meta(ge=1, le=MAX_EVENTS)], 100, "How many.")
SECONDS: Final = Query(
    "seconds", Annotated[float, Meta(ge=0, le=MAX_SECONDS)], 3600.0, "Only of so long up to now."
)


class Held(TypedDict):
    """A property that is not at rest: a call that runs, an input that is active …"""

    event: Annotated[str, Meta(description="The topic, as in /api/v1/events.")]
    words: str
    items: dict[str, str]


class Happened(Held):
    """Something that has happened."""

    at: Instant
    time: datetime


class PropertiesTold(TypedDict):
    """What holds. What is not named here is at rest."""

    now: Instant
    wall: datetime
    properties: list[Held]


class EventsTold(TypedDict):
    """The newest first, as far back as they are kept."""

    now: Instant
    wall: datetime
    events: list[Happened]


class HappeningsDoor:
    """The routes of events; what rules did stands with the rules."""

    def __init__(self, clock: Clock, views: Views) -> None:
        self._clock = clock
        self._past = views.past

    def routes(self) -> list[Route]:
        return [
            look(
                PROPERTIES,
                self._properties,
                About(summary="What holds just now", query=(EVENT,), answer=PropertiesTold),
            ),
            look(
                HISTORY,
                self._events,
                About(
                    summary="What has happened lately",
                    words="What rules did is told with them: /api/v1/rules/{name}/history.",
                    query=(EVENT, LIMIT, SECONDS),
                    answer=EventsTold,
                ),
            ),
        ]

    async def _properties(self, request: Request) -> Response:
        wanted = EVENT.of(request)
        before = (await asyncio.to_thread(self._past, 0.0)).before
        told = [_held(happening) for happening in _of(before, wanted)]
        return json(When.of(self._clock).told | {"properties": told})

    async def _events(self, request: Request) -> Response:
        wanted, limit, seconds = EVENT.of(request), LIMIT.of(request), SECONDS.of(request)
        excerpt = await asyncio.to_thread(self._past, seconds)
        when = When.of(self._clock)
        begin = when.now - excerpt.seconds
        newest = list(_of(excerpt.events, wanted))[: -limit - 1 : -1]
        told: list[Happened] = [
            {
                **_held(happening),
                "at": begin + happening.at,
                "time": when.time(begin + happening.at),
            }
            for happening in newest
        ]
        return json(when.told | {"events": told})


def _of(happenings: Iterable[Happening], topic: str) -> Iterable[Happening]:
    return (one for one in happenings if topic in ("", one.event))


def _held(happening: Happening) -> Held:
    event = DECLARED.get(happening.event)
    words = "" if event is None else event.outside.words
    return {"event": happening.event, "words": words, "items": dict(happening.items)}
