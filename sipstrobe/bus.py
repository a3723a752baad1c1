"""Facts go over the bus, orders go through the dispatcher; both remember why."""

import logging
from collections import deque
from collections.abc import Callable
from typing import TypeVar, cast

from sipstrobe.clock import Clock
from sipstrobe.commands import Command
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event
from sipstrobe.trace import Cause, Trace

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=Command)


class Bus:
    """Publish events to whoever subscribed to their kind or to a base of it.

    Handlers are plain functions, called on the loop in the order of subscription. What a handler
    publishes waits until the current event has reached everybody, so all see the same history. A
    failing handler is logged and hurts nobody else. While a handler runs, `trace.current` is the
    link of the event it was called for.
    """

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self._clock = clock
        self._trace = trace
        self._subscriptions: dict[type[Event], list[Callable[[Event], None]]] = {}
        self._routes: dict[type[Event], tuple[Callable[[Event], None], ...]] = {}
        self._waiting: deque[tuple[Event, Cause]] = deque()
        self._delivering = False

    def subscribe(self, kind: type[E], handler: Callable[[E], None]) -> Callable[[], None]:
        """Call handler with each event of this kind; the result ends the subscription."""
        entry = cast("Callable[[Event], None]", handler)
        self._subscriptions.setdefault(kind, []).append(entry)
        self._routes.clear()

        def unsubscribe() -> None:
            if entry in (handlers := self._subscriptions.get(kind, [])):
                handlers.remove(entry)
                self._routes.clear()

        return unsubscribe

    def publish(self, *events: Event) -> None:
        """Tell of one moment: what handlers publish meanwhile comes after the last of these."""
        now = self._clock.now()
        self._waiting.extend([(event, self._trace.link(event, now)) for event in events])
        if self._delivering:
            return
        self._delivering = True
        before = self._trace.current
        try:
            while self._waiting:
                self._deliver(*self._waiting.popleft())
        finally:
            self._trace.current = before
            self._delivering = False

    def _deliver(self, event: Event, link: Cause) -> None:
        for handler in self._route(type(event)):
            self._trace.current = link
            try:
                handler(event)
            except Exception:
                logger.exception("a handler of %s failed", type(event).__name__)

    def _route(self, kind: type[Event]) -> tuple[Callable[[Event], None], ...]:
        route = self._routes.get(kind)
        if route is None:
            wanted = [k for k in self._subscriptions if issubclass(kind, k)]
            route = tuple(h for k in wanted for h in self._subscriptions[k])
            self._routes[kind] = route
        return route


class Dispatcher:
    """Carry each command to the one service that serves its kind."""

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self._clock = clock
        self._trace = trace
        self._servants: dict[type[Command], Callable[[Command], object]] = {}
        self._watches: list[Callable[[Cause], None]] = []

    def serve(self, kind: type[C], handler: Callable[[C], object]) -> None:
        assert kind not in self._servants, f"{kind.__name__} is served already"
        self._servants[kind] = cast("Callable[[Command], object]", handler)

    def watch(self, watch: Callable[[Cause], None]) -> Callable[[], None]:
        """Show each command, as the link of its cause, once it has been carried out and was not
        refused; the result ends that."""
        self._watches.append(watch)

        def unwatch() -> None:
            if watch in self._watches:
                self._watches.remove(watch)

        return unwatch

    def execute(self, command: Command) -> object:
        """Carry the command out and return its result; what takes longer reports by event.

        Raises CommandRefused with the reason.
        """
        servant = self._servants.get(type(command))
        if servant is None:
            raise CommandRefused("not_available", f"nothing here can do {type(command).__name__}")
        link = self._trace.link(command, self._clock.now())
        with self._trace.because(link):
            result = servant(command)
        for watch in self._watches:
            watch(link)
        return result
