"""The only source of time."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Handle(Protocol):
    """A call that has been arranged and can be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Monotonic seconds for everything that lasts, the calendar for people."""

    def now(self) -> float: ...
    def wall(self) -> datetime: ...
    def call_at(self, when: float, callback: Callable[[], None]) -> Handle: ...


class LoopClock:
    """The clock of the running asyncio loop; `now` is CLOCK_MONOTONIC."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now: Callable[[], float] = time.monotonic
        self._loop = loop

    def wall(self) -> datetime:
        return datetime.now(UTC)

    def call_at(self, when: float, callback: Callable[[], None]) -> Handle:
        return self._loop.call_at(when, callback)
