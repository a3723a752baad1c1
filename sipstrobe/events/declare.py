"""Facts: what has happened (pulses) and what holds (properties), with their outside form.

The declaration of an event is all that the rule editor, the streams and the documentation know of
it: its topic, whether it is a pulse or a property, which of its items name the source (one property
value is kept per source) and which values an item can take.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from functools import cache
from typing import Any, ClassVar, TypeVar, dataclass_transform, get_type_hints

T = TypeVar("T")


class Kind(Enum):
    PULSE = "pulse"  # it happened
    PROPERTY = "property"  # it holds until the next value of the same source


@dataclass(frozen=True, slots=True)
class Outside:
    """How an event looks from outside.

    rest: the items of a property whose source has nothing to report. A value that equals it ends
    the source's entry; when no source has an entry, conditions see this one.
    """

    topic: str
    kind: Kind
    words: str
    source: tuple[str, ...] = ()
    rest: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all facts; published once on the bus."""

    outside: ClassVar[Outside]

    def items(self) -> dict[str, Any]:
        """The event's items by name, as plain values: str, int, float, bool or None."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {n: v.value if isinstance(v, Enum) else v for n, v in values.items()}


DECLARED: dict[str, type[Event]] = {}


@dataclass_transform(frozen_default=True, kw_only_default=True)
def declared(
    topic: str,
    kind: Kind,
    words: str,
    *,
    source: tuple[str, ...] = (),
    rest: dict[str, str] | None = None,
) -> Callable[[type[T]], type[T]]:
    def declare(cls: type[T]) -> type[T]:
        made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
        assert issubclass(made, Event)
        made.outside = Outside(topic, kind, words, source, rest or {})
        DECLARED[topic] = made
        return made

    return declare


@cache  # for no more than are declared; each rule asks at each change of the settings
def choices(event: type[Event]) -> Mapping[str, tuple[str, ...] | None]:
    """The items of an event and, where the vocabulary is closed, the values they can take."""
    hints = get_type_hints(event)
    found: dict[str, tuple[str, ...] | None] = {}
    for item in fields(event):
        kind = hints[item.name]
        if isinstance(kind, type) and issubclass(kind, Enum):
            found[item.name] = tuple(str(member.value) for member in kind)
        else:
            found[item.name] = ("true", "false") if kind is bool else None
    return found
