"""Topics: those of MQTT with their filters, and those of events with theirs.

A filter of events names them as the vendor does, ``onvif:Device/axis:IO/Port``, or as we do,
``sipstrobe:call/state``, for which ``call/state`` is enough. ``tns1`` and ``tnsaxis`` are other
names for the first two. A level without a name space has that of the level before it; ``//.`` at
the end stands for everything below as well, and alone for all events.
"""

from functools import lru_cache
from typing import Final

from msgspec import Struct

from sipstrobe.mqtt.packets import MAX_TEXT_BYTES

OURS: Final = "sipstrobe"
_NAMESPACES: Final = {
    "onvif": "onvif",
    "tns1": "onvif",
    "axis": "axis",
    "tnsaxis": "axis",
    OURS: OURS,
}
_SUBTREE: Final = "//."

Level = tuple[str, str]
"""A name space and a name."""


# --- of MQTT ------------------------------------------------------------------------------------


def topic_problem(topic: str) -> str:
    """Why nothing can be published there (MQTT 3.1.1 §4.7); "" if it can."""
    if "+" in topic or "#" in topic:
        return "must have no wildcards"
    return _problem(topic)


def filter_problem(topic_filter: str) -> str:
    """Why nobody can subscribe to that; "" if one can."""
    levels = topic_filter.split("/")
    for n, level in enumerate(levels):
        if ("+" in level or "#" in level) and len(level) > 1:
            return "must have + and # alone between slashes"
        if level == "#" and n != len(levels) - 1:
            return "must have # at its end only"
    return _problem(topic_filter)


def _problem(text: str) -> str:
    if not text:
        return "must not be empty"
    if "\0" in text:
        return "must have no null character"
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        return "must be Unicode"
    return f"must have at most {MAX_TEXT_BYTES} bytes" if size > MAX_TEXT_BYTES else ""


def has_wildcard(topic_filter: str) -> bool:
    return "+" in topic_filter or "#" in topic_filter


def matches(topic_filter: str, topic: str) -> bool:
    """MQTT 3.1.1 §4.7.1; topics of the broker itself, ``$…``, are in no wildcard (§4.7.2)."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if levels[0].startswith("$") and wanted[0] in ("+", "#"):
        return False
    for n, level in enumerate(wanted):
        if level == "#":
            return True
        if n >= len(levels) or level not in ("+", levels[n]):
            return False
    return len(wanted) == len(levels)


def encoded(level: str) -> str:
    """Any text as one level of a topic."""
    for character in "%/+#\0":
        level = level.replace(character, f"%{ord(character):02X}")
    return level


# --- of events ----------------------------------------------------------------------------------


class EventFilter(Struct, frozen=True):
    """Which events: those with these levels, and with subtree also those below."""

    levels: tuple[Level, ...]
    subtree: bool

    def covers(self, levels: tuple[Level, ...]) -> bool:
        if self.subtree:
            return levels[: len(self.levels)] == self.levels
        return levels == self.levels


@lru_cache(512)
def levels_of(topic: str) -> tuple[Level, ...]:
    """The levels of an event's topic. Raises ValueError, with words, for what is none."""
    found: list[Level] = []
    space = OURS
    for level in topic.split("/"):
        prefix, colon, name = level.rpartition(":")
        if colon:
            if prefix not in _NAMESPACES:
                raise ValueError(f"there is no name space {prefix!r}: onvif, axis or {OURS}")
            space = _NAMESPACES[prefix]
        if not name:
            raise ValueError("must have a name between slashes")
        found.append((space, name))
    return tuple(found)


@lru_cache(512)
def event_filter(text: str) -> EventFilter:
    """Raises ValueError, with words, for what is no filter of events."""
    if text == _SUBTREE:
        return EventFilter((), subtree=True)
    subtree = text.endswith(_SUBTREE)
    return EventFilter(levels_of(text.removesuffix(_SUBTREE)), subtree)


def told(levels: tuple[Level, ...]) -> str:
    """A topic of events as payloads have it: ``onvif:Device/axis:IO/Port``."""
    return "/".join(_changes(levels, "{}:{}"))


def path(levels: tuple[Level, ...], *, namespaces: bool) -> str:
    """The same as levels of an MQTT topic: ``tns:onvif/Device/tns:axis/IO/Port``."""
    if namespaces:
        return "/".join(_changes(levels, "tns:{}/{}"))
    return "/".join(name for _, name in levels)


def _changes(levels: tuple[Level, ...], form: str) -> list[str]:
    """The name space stands only where it is another than before."""
    texts: list[str] = []
    before = ""
    for space, name in levels:
        texts.append(name if space == before else form.format(space, name))
        before = space
    return texts
