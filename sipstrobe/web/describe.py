"""Causes in words that can be sent: what happened, and because of what."""

from dataclasses import fields
from enum import Enum

from sipstrobe.commands import Command
from sipstrobe.events import Event
from sipstrobe.masking import whole
from sipstrobe.orders import name_of
from sipstrobe.sip.uri import without_password
from sipstrobe.trace import Cause, Decision, Input

CHAIN_MAX = 16  # links told of one chain, from the effect and from its root
TEXT_MAX = 200  # characters told of one item

Link = dict[str, object]


def describe(cause: Cause) -> Link:
    """One link as JSON: its kind ("input", "event", "rule", "command"), name and items."""
    what = cause.what
    link: Link = {"serial": cause.serial, "at": cause.at}
    match what:
        case Input():
            link |= {"kind": "input", "name": what.kind, "items": {"words": _short(what.words)}}
        case Event():
            items = {name: _short(value) for name, value in what.items().items()}
            outside = what.outside
            link |= {"kind": "event", "name": outside.topic, "words": outside.words, "items": items}
        case Command():
            link |= {"kind": "command", **command_json(what)}
        case Decision():
            link |= {"kind": what.kind, "name": _short(what.words), "items": {}}
        case _:
            link |= {"kind": "other", "name": type(what).__name__, "items": {}}
    return link


def chain(cause: Cause) -> list[Link]:
    """From this link back to the input that began it; of a long chain, both ends."""
    links = cause.chain()
    if len(links) > CHAIN_MAX:
        links = links[: CHAIN_MAX // 2] + links[-CHAIN_MAX // 2 :]
    return [describe(link) for link in links]


def command_json(command: Command) -> Link:
    """An order by its name, with what it says."""
    return {"name": name_of(type(command)), "items": _items(command)}


def _items(command: Command) -> dict[str, object]:
    shown = {f.name: getattr(command, f.name) for f in fields(command) if f.repr}
    return {name: _short(value) for name, value in shown.items() if value is not None}


def _short(value: object) -> object:
    match value:
        case bool() | int() | float() | None:
            return value
        case Enum():
            return str(value.value)
        case tuple():
            return _cut(", ".join(str(_short(entry)) for entry in value))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return _cut(without_password(str(value)))


def _cut(text: str) -> str:
    return whole(text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…")
