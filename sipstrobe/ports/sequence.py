"""States one after the other, each for its time: pulses, and what doors call sequences."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from msgspec import Struct

from sipstrobe.commands import Step
from sipstrobe.timers import Timers

K = TypeVar("K", bound=int | str)


class Turn(Struct, Generic[K], frozen=True):
    """It is the turn of this state."""

    key: K
    active: bool


class Sequencer(Generic[K]):
    """Run at most one sequence for each key; the state of its last step stays.

    Steps follow each other by their own times: one that is looked at late does not delay the next.
    """

    def __init__(self) -> None:
        self.outbox: deque[Turn[K]] = deque()
        self._left: dict[K, Iterator[Step]] = {}
        self._timers: Timers[K] = Timers()
        self._due: dict[K, float] = {}

    @property
    def deadline(self) -> float | None:
        return self._timers.deadline

    def running(self, key: K) -> bool:
        """Until the time of the last step is over."""
        return key in self._left

    def run(self, key: K, steps: Iterable[Step], *, now: float) -> None:
        """Begin with the first step; what ran for this key ends where it is."""
        self.stop(key)
        self._left[key] = iter(steps)
        self._advance(key, now)

    def stop(self, key: K) -> None:
        self._left.pop(key, None)
        self._due.pop(key, None)
        self._timers.stop(key)

    def wake(self, *, now: float) -> None:
        for key in self._timers.due(now):
            self._advance(key, self._due[key])

    def _advance(self, key: K, at: float) -> None:
        for step in self._left[key]:
            self.outbox.append(Turn(key, step.active))
            if step.ms:
                self._due[key] = at + step.ms / 1000
                self._timers.start(key, self._due[key])
                return
        self.stop(key)
