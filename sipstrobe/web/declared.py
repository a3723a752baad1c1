"""What rules can be made of, as it is declared: events with their items, and actions."""

from functools import cache
from typing import Final, get_args

import msgspec
from msgspec import Struct

from sipstrobe.events import DECLARED, choices
from sipstrobe.rules.actions import Action
from sipstrobe.rules.actions.base import RuleAction
from sipstrobe.rules.actions.sending import Sending
from sipstrobe.web.exchange import About, Request, Response, Route, look

EVENTS: Final = "/api/v1/events"
ACTIONS: Final = "/api/v1/actions"


class Item(Struct, frozen=True, kw_only=True):
    """An item of an event. values: what it can be, as text; null: any text."""

    name: str
    values: tuple[str, ...] | None


class DeclaredEvent(Struct, frozen=True, kw_only=True):
    """An event as conditions name it.

    lasting: it holds until the next value of the same source, which the items in `source` name; any
    other only happens, and can be a trigger alone. rest: the items of a source that has nothing to
    report.
    """

    topic: str
    words: str
    lasting: bool
    source: tuple[str, ...]
    rest: dict[str, str]
    items: tuple[Item, ...]


class DeclaredAction(Struct, frozen=True, kw_only=True):
    """An action of rules. lasting: it is undone as the rule ends. recipients: the kinds of those
    that take it; none where it goes to no recipient. Its fields are in the schema of the rules."""

    do: str
    words: str
    lasting: bool
    recipients: tuple[str, ...] = ()


class Events(Struct, frozen=True, kw_only=True):
    """All there are."""

    events: tuple[DeclaredEvent, ...]


class Actions(Struct, frozen=True, kw_only=True):
    """All there are."""

    actions: tuple[DeclaredAction, ...]


@cache
def events() -> Events:
    """Every event, by its topic."""
    return Events(
        events=tuple(
            DeclaredEvent(
                topic=topic,
                words=event.outside.words,
                lasting=event.outside.kind.value == "property",
                source=event.outside.source,
                rest=event.outside.rest,
                items=tuple(Item(name=n, values=values) for n, values in choices(event).items()),
            )
            for topic, event in sorted(DECLARED.items())
        )
    )


@cache
def actions() -> Actions:
    """Every action, in the order of their declaration."""
    kinds: tuple[type[RuleAction], ...] = get_args(Action)
    return Actions(actions=tuple(_action(kind) for kind in kinds))


def _action(kind: type[RuleAction]) -> DeclaredAction:
    return DeclaredAction(
        do=str(kind.__struct_config__.tag),
        words=kind.words,
        lasting=kind.lasting,
        recipients=kind.kinds if issubclass(kind, Sending) else (),
    )


def routes() -> list[Route]:
    """What a rule editor needs to know, beside the schema of the rules."""
    return [
        look(EVENTS, _events, About(summary="What conditions can be about", answer=Events)),
        look(ACTIONS, _actions, About(summary="What rules can do", answer=Actions)),
    ]


def _events(_: Request) -> Response:
    return Response(body=msgspec.json.encode(events()))


def _actions(_: Request) -> Response:
    return Response(body=msgspec.json.encode(actions()))
