"""Inputs without a circuit, which others switch over the network (API-02, IOP-06, GAP-32)."""

from collections import deque
from collections.abc import Mapping

from msgspec import Struct

from sipstrobe.timers import Timers


class Switched(Struct, frozen=True):
    """A virtual input is so from now on."""

    input: int
    active: bool


class VirtualInputs:
    """Which are active, and until when. Numbers are checked by whoever asks."""

    def __init__(self) -> None:
        self.outbox: deque[Switched] = deque()
        self._active: dict[int, float | None] = {}
        self._timers: Timers[int] = Timers()

    @property
    def deadline(self) -> float | None:
        return self._timers.deadline

    @property
    def active(self) -> Mapping[int, float | None]:
        """The instant at which each active one ends by itself; None: somebody must end it."""
        return self._active

    def set(self, number: int, active: bool, seconds: float | None = None, *, now: float) -> bool:
        """Switch one; seconds: how long it stays active, counted anew. Has it changed?"""
        was = number in self._active
        self._timers.stop(number)
        if not active:
            return self._end(number)
        self._active[number] = None if seconds is None else now + seconds
        if not was:
            self.outbox.append(Switched(number, True))
        if seconds is not None and seconds <= 0:
            self._end(number)
            return True
        if seconds is not None:
            self._timers.start(number, now + seconds)
        return not was

    def wake(self, *, now: float) -> None:
        for number in self._timers.due(now):
            self._end(number)

    def _end(self, number: int) -> bool:
        if number not in self._active:
            return False
        del self._active[number]
        self.outbox.append(Switched(number, False))
        return True
