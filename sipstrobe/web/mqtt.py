"""What can be published over MQTT, and what that would look like (MQT-13)."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Final, TypedDict

import msgspec
from msgspec import Meta, Struct

from sipstrobe.clock import Clock
from sipstrobe.config.settings import Settings
from sipstrobe.mqtt.examples import MAX_MESSAGES, Covered, covered, topics
from sipstrobe.mqtt.settings import Publications, prefix_of
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import About, HttpProblem, Request, Response, Route, act, json, look

TOPICS: Final = "/api/v1/mqtt/topics"
PREVIEW: Final = "/api/v1/mqtt/preview"


class TopicTold(TypedDict):
    """Events of a kind. filters: how conditions name them, the vendor's topics before our own."""

    event: str
    words: str
    lasting: bool
    filters: list[str]


class TopicsTold(TypedDict):
    """All that can be published."""

    topics: list[TopicTold]


class Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Publications as they would be stored."""

    publications: Publications


class MessageTold(TypedDict):
    """A message as it would be published."""

    topic: str
    payload: str
    qos: int
    retain: bool


class CoveredTold(TypedDict):
    """What a condition means. problem: why it means nothing; events: by our topics."""

    problem: str
    events: list[str]
    messages: Annotated[
        list[MessageTold],
        Meta(max_length=MAX_MESSAGES, description="Some of them, of made-up events."),
    ]


class PreviewTold(TypedDict):
    """In the order of the conditions."""

    conditions: list[CoveredTold]


class MqttDoor:
    """The routes that help to choose what is published."""

    def __init__(self, clock: Clock, settings: Callable[[], Settings]) -> None:
        self._clock = clock
        self._settings = settings

    def routes(self) -> list[Route]:
        about = About(summary="What can be published over MQTT", answer=TopicsTold)
        trial = About(
            summary="What would be published over MQTT",
            body=Wanted,
            answer=PreviewTold,
        )
        return [look(TOPICS, _topics, about), act("POST", PREVIEW, self._preview, trial)]

    async def _preview(self, request: Request) -> Response:
        try:
            wanted = msgspec.convert(read_object(request.body), Wanted)
        except msgspec.ValidationError as error:
            words, _, place = str(error).partition(" - at ")
            raise HttpProblem(400, words, field=place.strip("`").removeprefix("$.")) from None
        serial, wall = self._settings().device.serial, self._clock.wall()
        prefix = prefix_of(self._settings().mqtt, serial)

        def look() -> list[Covered]:
            return list(covered(wanted.publications, prefix, serial, wall))

        return json({"conditions": [_told(one) for one in await asyncio.to_thread(look)]})


def _topics(_: Request) -> Response:
    return json({"topics": [topic._asdict() for topic in topics()]})


def _told(one: Covered) -> CoveredTold:
    return {
        "problem": one.problem,
        "events": list(one.events),
        "messages": [
            {
                "topic": message.topic,
                "payload": message.payload.decode(),
                "qos": message.qos,
                "retain": message.retain,
            }
            for message in one.messages
        ],
    }
