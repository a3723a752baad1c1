"""What has happened lately, for whoever wants to try rules on it.

Listens to: everything but what rules tell of themselves, which follows from the rules.
"""

from collections import deque
from typing import Final

from msgspec import Struct

from sipstrobe.context import Context
from sipstrobe.events import Event, Kind, RuleActionFailed, RuleStateChanged
from sipstrobe.rules.simulate import MAX_EVENTS, Happening
from sipstrobe.rules.text import at_rest, texts_of

MAX_SOURCES: Final = 4096  # values kept of what held before; of more, the oldest is forgotten

_Key = tuple[object, ...]


class Excerpt(Struct, frozen=True):
    """before: what held as it begins; events: what came after, by seconds since it begins."""

    before: list[Happening]
    events: list[Happening]
    seconds: float


class Past:
    """The last events, and what held before the first of them."""

    def __init__(self, context: Context) -> None:
        self._clock = context.clock
        self._events: deque[tuple[float, Event]] = deque()
        self._held: dict[_Key, Event] = {}
        context.bus.subscribe(Event, self._note)

    def last(self, seconds: float) -> Excerpt:
        """What there was in so many seconds up to now; less, if more has happened than is kept.

        For any thread: thousands of events take longer than the loop should be held up.
        """
        now = self._clock.now()
        begin, events = now - seconds, list(self._events)
        held = dict(self._held)  # after the events, so that none of them is missed on its way there
        later = [(at, event) for at, event in events if at >= begin]
        for _, event in events[: len(events) - len(later)]:
            _hold(held, event)
        if len(later) == len(self._events) == MAX_EVENTS:
            begin = later[0][0]
        return Excerpt(
            before=[_happening(0.0, event) for event in held.values()],
            events=[_happening(at - begin, event) for at, event in later],
            seconds=now - begin,
        )

    def _note(self, event: Event) -> None:
        if isinstance(event, RuleStateChanged | RuleActionFailed):
            return
        self._events.append((self._clock.now(), event))
        if len(self._events) > MAX_EVENTS:
            _hold(self._held, self._events.popleft()[1])


def _hold(held: dict[_Key, Event], event: Event) -> None:
    outside = event.outside
    if outside.kind is not Kind.PROPERTY:
        return
    key = (outside.topic, *(getattr(event, name) for name in outside.source))
    held.pop(key, None)
    if not at_rest(event):
        held[key] = event
        if len(held) > MAX_SOURCES:
            del held[next(iter(held))]


def _happening(at: float, event: Event) -> Happening:
    return Happening(at, event.outside.topic, texts_of(event))
