"""What is published of an event, in the vendor's form; and what is said of the connection."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from sipstrobe.events import Event
from sipstrobe.mqtt.packets import Message
from sipstrobe.mqtt.settings import Condition, Notice, Publications
from sipstrobe.mqtt.topics import EventFilter, encoded, event_filter, path, told
from sipstrobe.mqtt.twins import Told, own_levels, told_as_own, told_as_twins, twins_of

HEARD: Final = frozenset({"mqtt/message", "mqtt/state"})
"""Events that are not published: what came from the broker would go back for ever."""


class Publisher:
    """Makes messages of events, by the conditions (MQT-13)."""

    def __init__(self, publications: Publications, prefix: str, serial: str) -> None:
        """prefix: that of the device, used where the publications have none of their own."""
        own = publications.prefix == "custom"
        self._base = (publications.custom_prefix if own else prefix) + "/event"
        self._publications = publications
        self._serial = serial
        self._wanted: dict[type[Event], tuple[tuple[Condition, EventFilter], ...]] = {}

    def messages(self, event: Event, wall: datetime) -> Iterator[tuple[Message, bool]]:
        """What is to be published, and whether it is a state: once for each condition."""
        kind = type(event)
        wanted = self._wanted.get(kind)
        if wanted is None:
            wanted = self._wanted[kind] = tuple(self._conditions(kind))
        if not wanted:
            return
        forms = [*told_as_twins(event), told_as_own(event)]
        for condition, covering in wanted:
            for form in _best(forms, covering, own_levels(kind)):
                retain = condition.retain == "all" or (
                    condition.retain == "property" and form.is_property
                )
                payload = self._payload(form, wall)
                message = Message(self._topic(form), payload, condition.qos, retain)
                yield message, form.is_property

    def _conditions(self, kind: type[Event]) -> Iterator[tuple[Condition, EventFilter]]:
        if kind.outside.topic in HEARD:
            return
        for condition in self._publications.conditions:
            covering = event_filter(condition.topic_filter)
            if any(covering.covers(levels) for levels in twins_of(kind)):
                yield condition, covering

    def _topic(self, form: Told) -> str:
        if not self._publications.include_topic:
            return self._base
        parts = [self._base, path(form.levels, namespaces=self._publications.include_namespaces)]
        source = [(n, v) for n, v in form.source.items() if n not in form.transient]
        if source:
            parts.append("$source")
        for name, value in source:
            parts += (encoded(name), encoded(value))
        return "/".join(parts)

    def _payload(self, form: Told, wall: datetime) -> bytes:
        content: dict[str, Any] = {
            "timestamp": int(wall.timestamp() * 1000),
            "topic": told(form.levels),
            "message": {"source": form.source, "key": {}, "data": form.data},
        }
        if self._publications.include_serial:
            content["serial"] = self._serial
        return msgspec.json.encode(content)


def _best(
    forms: Iterable[Told], covering: EventFilter, own: tuple[tuple[str, str], ...]
) -> list[Told]:
    """The forms that a filter covers; ours only where it covers none of the vendor's."""
    covered = [form for form in forms if covering.covers(form.levels)]
    return [form for form in covered if form.levels != own] or covered


# --- of the connection --------------------------------------------------------------------------

CONNECTED: Final = (True, "Connected")
DISCONNECTED: Final = (False, "Disconnected")
LOST: Final = (False, "Connection Lost")


def notice(
    wanted: Notice,
    says: tuple[bool, str],
    prefix: str,
    serial: str,
    wall: datetime | None,
) -> Message | None:
    """A message about the connection (MQT-11, MQT-12); None where none is wanted.

    wall: None for the last will, of which nobody knows when it will be said.
    """
    if not wanted.send:
        return None
    if not wanted.use_default:
        return Message(wanted.topic, wanted.payload.encode(), wanted.qos, wanted.retain)
    connected, words = says
    content: Mapping[str, object] = {
        "serialNumber": serial,
        "connected": connected,
        "description": words,
        "timestamp": None if wall is None else wall.strftime("%Y-%m-%dT%H:%M:%Sz"),
    }
    return Message(f"{prefix}/event/connection", msgspec.json.encode(content), 1, retain=True)
