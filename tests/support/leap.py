"""Real sockets on a real loop, without waiting for the dull minutes between two events."""

import asyncio

from sipstrobe.clock import LoopClock


class LeapClock(LoopClock):
    """The clock of the running loop, which can leap ahead.

    Everything on the loop leaps along: what fell due meanwhile runs at the next turn, in order.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(loop)
        real, self._ahead = loop.time, 0.0
        self.now = lambda: real() + self._ahead
        loop.time = self.now  # pyright: ignore[reportAttributeAccessIssue]

    def leap(self, seconds: float) -> None:
        self._ahead += seconds
