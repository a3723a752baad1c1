"""What would be published, for whoever chooses which events are (MQT-13): by made-up events."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, Final, NamedTuple, get_args, get_type_hints

from msgspec.structs import replace

from sipstrobe.events import DECLARED, Event, Kind
from sipstrobe.mqtt.packets import Message
from sipstrobe.mqtt.payload import HEARD, Publisher
from sipstrobe.mqtt.settings import Publications
from sipstrobe.mqtt.topics import event_filter, told
from sipstrobe.mqtt.twins import twins_of

MAX_MESSAGES: Final = 5  # told of one condition; those of all events are some hundred


class Topic(NamedTuple):
    """Events of a kind, as filters name them; filters: the vendor's before our own."""

    event: str
    words: str
    lasting: bool
    filters: tuple[str, ...]


class Covered(NamedTuple):
    """What a condition means. problem: why it means nothing; events: by our topics; messages: some
    of them, as they would be published."""

    problem: str
    events: tuple[str, ...]
    messages: tuple[Message, ...]


@cache
def topics() -> tuple[Topic, ...]:
    """All that can be published, by our topics."""
    return tuple(
        Topic(
            topic,
            kind.outside.words,
            kind.outside.kind is Kind.PROPERTY,
            tuple(dict.fromkeys(told(levels) for levels in twins_of(kind))),
        )
        for topic, kind in sorted(DECLARED.items())
        if topic not in HEARD
    )


def covered(
    publications: Publications, prefix: str, serial: str, wall: datetime
) -> Iterator[Covered]:
    """What each condition means. It takes some milliseconds for each: not for the loop."""
    for condition in publications.conditions:
        try:
            covering = event_filter(condition.topic_filter)
        except ValueError as error:
            yield Covered(str(error), (), ())
            continue
        kinds = [
            kind
            for topic, kind in sorted(DECLARED.items())
            if topic not in HEARD and any(covering.covers(levels) for levels in twins_of(kind))
        ]
        publisher = Publisher(replace(publications, conditions=(condition,)), prefix, serial)
        messages: list[Message] = []
        for kind in kinds:
            if len(messages) < MAX_MESSAGES:
                messages += (message for message, _ in publisher.messages(example(kind), wall))
        events = tuple(kind.outside.topic for kind in kinds)
        yield Covered("", events, tuple(messages[:MAX_MESSAGES]))


def example(kind: type[Event]) -> Event:
    """An event of this kind that has something to report."""
    hints = get_type_hints(kind)
    rest = kind.outside.rest
    return kind(**{f.name: _value(hints[f.name], f.name, rest.get(f.name)) for f in fields(kind)})


def _value(kind: Any, name: str, rest: str | None) -> object:
    kinds: tuple[Any, ...] = (kind, *get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(member for member in kind if str(member.value) != rest)
    plain: dict[Any, object] = {bool: True, int: 1, float: 1.0, str: name}
    return next((plain[one] for one in kinds if one in plain), None)
