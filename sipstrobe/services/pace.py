"""Things to do that must not come all at once."""

from collections import deque
from collections.abc import Callable

from sipstrobe.clock import Clock, Handle

BURST = 20  # at once
RATE = 200.0  # a second after that


class Pace:
    """Call back at once as long as there are few, and the others in their order, spread out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[Callable[[], None]] = deque()
        self._credit = float(BURST)
        self._counted_at = clock.now()
        self._timer: Handle | None = None

    def __call__(self, what: Callable[[], None]) -> None:
        """Do this as soon as it is its turn; perhaps before this returns."""
        self._waiting.append(what)
        if self._timer is None:
            self._go_on()

    def close(self) -> None:
        """Do nothing more."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go_on(self) -> None:
        self._timer = None
        now = self._clock.now()
        self._credit = min(BURST, self._credit + (now - self._counted_at) * RATE)
        self._counted_at = now
        while self._waiting and self._credit >= 1:
            self._credit -= 1
            self._waiting.popleft()()
        if self._waiting and self._timer is None:
            self._timer = self._clock.call_at(now + 1 / RATE, self._go_on)
