"""The timers of one machine, by name."""

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Timers(Generic[K]):
    """A few named instants; the earliest is the machine's deadline."""

    __slots__ = ("_at", "deadline")

    def __init__(self) -> None:
        self._at: dict[K, float] = {}
        self.deadline: float | None = None

    def start(self, key: K, at: float) -> None:
        """Set the timer to the instant `at`, moving it if it runs already."""
        moved = key in self._at
        self._at[key] = at
        if moved:
            self.deadline = min(self._at.values())
        elif self.deadline is None or at < self.deadline:
            self.deadline = at

    def stop(self, key: K) -> None:
        if self._at.pop(key, None) is not None:
            self.deadline = min(self._at.values(), default=None)

    def stop_all(self) -> None:
        self._at.clear()
        self.deadline = None

    def at(self, key: K) -> float | None:
        """When the timer runs out; None: it does not run."""
        return self._at.get(key)

    def running(self, key: K) -> bool:
        return key in self._at

    def due(self, now: float) -> Iterator[K]:
        """The timers that have run out, earliest first; each is stopped as it is handed out.

        A timer that the caller stops or moves meanwhile is not handed out.
        """
        while self.deadline is not None and self.deadline <= now:
            key = min(self._at, key=self._at.__getitem__)
            self.stop(key)
            yield key
