"""How late packets are against the most punctual of the last seconds."""

from collections import deque
from typing import Final

HALF_WINDOW: Final = 5.0  # seconds; the least value of the last 5–10 s counts
REMEMBERED: Final = 500  # packets whose lateness makes up the quantile: 10 s at 20 ms
QUANTILE: Final = 0.99
_EVERY: Final = 50  # packets between two looks at the quantile, since it means sorting
_HURRY: Final = 10  # one that is later than most counts as so many of them
_WORSE: Final = 0.002  # seconds later than the quantile
_FAR: Final = 1.0  # seconds off that mean another time base rather than delay


class RecentLeast:
    """The least value of the last few seconds, in two windows that take turns."""

    __slots__ = ("_before", "_now", "_until", "value")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.value = self._before = self._now = float("inf")
        self._until = float("-inf")

    def update(self, value: float, now: float) -> float:
        """Take in a value and return the least."""
        if now >= self._until:
            self._before = self._now if now < self._until + HALF_WINDOW else float("inf")
            self._now = value
            self._until = now + HALF_WINDOW
            self.value = min(self._before, value)
        elif value < self._now:
            self._now = value
            if value < self.value:
                self.value = value
        return self.value


class Lateness:
    """Lateness of each packet in seconds, and how late all but the latest of them are."""

    __slots__ = ("_history", "_least", "_until_look", "quantile")

    def __init__(self) -> None:
        self._least = RecentLeast()
        self._history: deque[float] = deque(maxlen=REMEMBERED)
        self.reset()

    def reset(self) -> None:
        self._least.reset()
        self._history.clear()
        self._until_look = _EVERY
        self.quantile = 0.0

    @property
    def punctual(self) -> float:
        """Arrival minus timestamp of the most punctual packet."""
        return self._least.value

    def update(self, arrival: float, media: float) -> float:
        """A packet came at `arrival` with sound of the instant `media`, both in seconds."""
        transit = arrival - media
        if self._history and abs(transit - self._least.value) > _FAR:
            self.reset()  # the sender's timestamps have jumped
        late = transit - self._least.update(transit, arrival)
        self._history.append(late)
        self._until_look -= 1 if late <= self.quantile + _WORSE else _HURRY
        if self._until_look <= 0:
            self._until_look = _EVERY
            ordered = sorted(self._history)
            self.quantile = ordered[int(QUANTILE * (len(ordered) - 1))]
        return late
