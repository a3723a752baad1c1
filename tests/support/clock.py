"""A clock that stands still until a test moves it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

_START = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(eq=False)
class _Call:
    when: float
    serial: int
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class FakeClock:
    """`advance_to` runs everything that falls due on the way, in order, at its own instant."""

    time: float = 0.0
    _calls: list[_Call] = field(default_factory=list["_Call"])
    _serials: "count[int]" = field(default_factory=count)

    def now(self) -> float:
        return self.time

    def wall(self) -> datetime:
        return _START + timedelta(seconds=self.time)

    def call_at(self, when: float, callback: Callable[[], None]) -> _Call:
        call = _Call(when, next(self._serials), callback)
        self._calls.append(call)
        return call

    @property
    def waiting(self) -> int:
        """How many calls are arranged."""
        return sum(not call.cancelled for call in self._calls)

    def advance_to(self, time: float) -> None:
        while True:
            due = [c for c in self._calls if not c.cancelled and c.when <= time]
            if not due:
                break
            call = min(due, key=lambda c: (c.when, c.serial))
            self._calls = [c for c in self._calls if c is not call and not c.cancelled]
            self.time = max(self.time, call.when)
            call.callback()
        self.time = time

    def advance(self, seconds: float) -> None:
        self.advance_to(self.time + seconds)
