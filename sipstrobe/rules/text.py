"""An event as rules see it: every item as text."""

from collections.abc import Callable
from dataclasses import fields
from operator import attrgetter

from sipstrobe.events import Event

# The names of the items of each kind, and what reads them all at once; on first use.
_shapes: dict[type[Event], tuple[tuple[str, ...], Callable[[Event], tuple[object, ...]]]] = {}


def text_of(value: object) -> str:
    """The value of an item as text: true, false, nothing for None, the word of an enum."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def texts_of(event: Event) -> dict[str, str]:
    """All items of an event by name."""
    kind = type(event)
    shape = _shapes.get(kind)
    if shape is None:
        names = tuple(item.name for item in fields(event))
        shape = _shapes[kind] = (names, attrgetter(*names, "outside"))
    names, values_of = shape
    texts: dict[str, str] = {}
    for name, value in zip(names, values_of(event), strict=False):  # "outside" is no item
        texts[name] = value if isinstance(value, str) else text_of(value)
    return texts


def at_rest(event: Event) -> bool:
    """Has the source of this property nothing to report any more?"""
    rest = event.outside.rest
    for name, text in rest.items():
        if text_of(getattr(event, name)) != text:
            return False
    return bool(rest)
