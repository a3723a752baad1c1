"""The speed at which to play somebody whose clock is not the card's, by what waits to be played."""

import math
from typing import Final

WINDOW: Final = 4.0  # seconds after which it is known how much waits at the least
FOLLOW: Final = 0.003  # of the speed by which too much or too little is mended: 5 cents


class Follower:
    """much, little: samples from which on more waits than is needed, and less."""

    def __init__(self, *, much: int, little: int) -> None:
        self.speed = 0.0
        self._much = much
        self._little = little
        self._least = math.inf
        self._until = -math.inf

    def restart(self, now: float) -> None:
        """What has waited until now says nothing: it was not the sender who was waited for."""
        self._least, self._until = math.inf, now + WINDOW

    def see(self, waiting: int, now: float) -> None:
        """So many samples wait, just before there will be more."""
        self._least = min(self._least, waiting)
        if now >= self._until:
            fast, slow = self._least > self._much, self._least < self._little
            self.speed = FOLLOW * (fast - slow)
            self.restart(now)
