"""What holds just now, what happened lately and why; and the triggers that people set by hand."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sipstrobe.commands import Command, SetManualTrigger
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event, Kind, ManualTriggerChanged
from sipstrobe.rules.text import at_rest
from sipstrobe.trace import Cause, Input

MAX_SOURCES = 4096  # values kept of one property; of more, the oldest source is forgotten
MAX_RECENT = 200  # events that are remembered

Source = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """An event as the page shows it. because: from the nearest cause back to the input."""

    serial: int
    at: datetime
    topic: str
    words: str
    items: dict[str, Any]
    because: tuple[str, ...]


class Properties:
    """Keep the last value of every property and the last events."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._values: dict[str, dict[Source, Event]] = {}
        self._recent: deque[Cause] = deque(maxlen=MAX_RECENT)
        self._triggers: tuple[str, ...] = ()
        context.bus.subscribe(Event, self._note)
        context.dispatcher.serve(SetManualTrigger, self._set_trigger)

    def apply(self, triggers: Sequence[str]) -> None:
        """There are manual triggers of these names; one that is gone is released."""
        self._triggers = tuple(triggers)
        for event in self.current("input/manual_trigger"):
            if isinstance(event, ManualTriggerChanged) and event.trigger > len(triggers):
                released = ManualTriggerChanged(trigger=event.trigger, active=False)
                self._context.bus.publish(released)

    def current(self, topic: str | None = None) -> list[Event]:
        """The last value of each source that has something to report, of one property or of all."""
        if topic is not None:
            return list(self._values.get(topic, {}).values())
        return [event for values in self._values.values() for event in values.values()]

    def manual_triggers(self) -> list[tuple[int, str, bool]]:
        """The number, name and state of each manual trigger."""
        active = {
            event.trigger
            for event in self.current("input/manual_trigger")
            if isinstance(event, ManualTriggerChanged)
        }
        return [(n, name, n in active) for n, name in enumerate(self._triggers, 1)]

    def recent(self) -> list[Told]:
        """The last events, the newest first."""
        return [self._tell(link) for link in reversed(self._recent)]

    def _note(self, event: Event) -> None:
        link = self._context.trace.current
        if link is not None:
            self._recent.append(link)
        outside = event.outside
        if outside.kind is not Kind.PROPERTY:
            return
        source = tuple([getattr(event, name) for name in outside.source])
        values = self._values.setdefault(outside.topic, {})
        if at_rest(event):
            values.pop(source, None)
            return
        if source not in values and len(values) >= MAX_SOURCES:
            del values[next(iter(values))]
        values[source] = event

    def _tell(self, link: Cause) -> Told:
        event = link.what
        assert isinstance(event, Event)
        clock = self._context.clock
        return Told(
            serial=link.serial,
            at=clock.wall() - timedelta(seconds=clock.now() - link.at),
            topic=event.outside.topic,
            words=event.outside.words,
            items=event.items(),
            because=tuple(words_of(cause.what) for cause in link.chain()[1:]),
        )

    def _set_trigger(self, command: SetManualTrigger) -> None:
        if not 1 <= command.trigger <= len(self._triggers):
            words = f"there is no manual trigger {command.trigger}"
            raise CommandRefused("unknown_trigger", words)
        self._context.bus.publish(
            ManualTriggerChanged(trigger=command.trigger, active=command.active)
        )


def words_of(what: object) -> str:
    """A link of a chain of causes, in words."""
    match what:
        case Input():
            return f"{what.kind}: {what.words}"
        case Event():
            return " ".join([what.outside.topic, *_shown(what)])
        case Command():
            return " ".join([type(what).__name__, *_shown(what)])
        case _:
            return type(what).__name__


def _shown(what: Event | Command) -> Iterator[str]:
    for item in fields(what):
        value = getattr(what, item.name)
        if item.repr and value not in (None, ""):
            yield f"{item.name}={value.value if isinstance(value, Enum) else value}"
