"""What holds just now, and the triggers that people set by hand."""

from collections.abc import Sequence

from sipstrobe.commands import SetManualTrigger
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event, Kind, ManualTriggerChanged
from sipstrobe.rules.text import at_rest

MAX_SOURCES = 4096  # values kept of one property; of more, the oldest source is forgotten

Source = tuple[object, ...]


class Properties:
    """Keep the last value of every property."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._values: dict[str, dict[Source, Event]] = {}
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

    def _note(self, event: Event) -> None:
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

    def _set_trigger(self, command: SetManualTrigger) -> None:
        if not 1 <= command.trigger <= len(self._triggers):
            words = f"there is no manual trigger {command.trigger}"
            raise CommandRefused("unknown_trigger", words)
        self._context.bus.publish(
            ManualTriggerChanged(trigger=command.trigger, active=command.active)
        )
