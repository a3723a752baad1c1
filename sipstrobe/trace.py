"""Every effect has a cause: the chain from a light back to the datagram that lit it."""

from collections.abc import Awaitable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Actor(Struct, frozen=True, kw_only=True):
    """Who gives an order. way: account, token, anonymous, command line, mqtt, …; who: the name;
    address: where from."""

    way: str
    who: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """Something that came from outside, a timer or a schedule: where every chain begins."""

    kind: str  # "datagram", "http", "timer", "start", …
    words: str
    actor: Actor | None = field(default=None, compare=False)  # where it is known who it was


class Decision(Struct, frozen=True):
    """Who decided that an order follows from a fact."""

    kind: str  # "rule", …
    words: str  # its name


class Cause(Struct, frozen=True, eq=False):
    """One link: what happened (an Input, Event, Decision or Command), when, and because of what."""

    serial: int
    at: float  # monotonic seconds; of an input, when it was received
    what: object
    parent: "Cause | None" = None

    @property
    def root(self) -> "Cause":
        """The input that this came of at once: of what has waited, the timer."""
        cause = self
        while cause.parent is not None and not isinstance(cause.what, Input):
            cause = cause.parent
        return cause

    def chain(self) -> "list[Cause]":
        """From this link back to what began it, through timers to what they were set by."""
        links: list[Cause] = []
        cause: Cause | None = self
        while cause is not None:
            links.append(cause)
            cause = cause.parent
        return links


class Trace:
    """Knows because of what the loop is running just now."""

    def __init__(self) -> None:
        self.current: Cause | None = None
        self._serials = count(1)

    def link(self, what: object, at: float) -> Cause:
        """A new link that follows from the current cause."""
        return Cause(next(self._serials), at, what, self.current)

    @contextmanager
    def because(self, cause: Cause | None) -> Generator[None]:
        """What is done inside has this cause."""
        before = self.current
        self.current = cause
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def input(
        self, kind: str, words: str, at: float, actor: Actor | None = None
    ) -> Generator[Cause]:
        """What is done inside follows from an input that was received at `at`."""
        before = self.current
        self.current = cause = Cause(next(self._serials), at, Input(kind, words, actor))
        try:
            yield cause
        finally:
            self.current = before

    def follow(self, cause: Cause | None, work: Awaitable[T]) -> "Following[T]":
        """Await the result of work whose every step has this cause, and nothing in between has."""
        return Following(self, cause, work)


class Following(Awaitable[T], Generic[T]):
    """See Trace.follow."""

    def __init__(self, trace: Trace, cause: Cause | None, work: Awaitable[T]) -> None:
        self._trace, self._cause, self._work = trace, cause, work

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        step = partial(next, steps)
        while True:
            try:
                with self._trace.because(self._cause):
                    awaited = step()
            except StopIteration as ended:
                return ended.value
            try:
                yield awaited
                step = partial(next, steps)
            except BaseException as error:  # the loop's word for work, as when it is cancelled
                step = partial(steps.throw, error)
