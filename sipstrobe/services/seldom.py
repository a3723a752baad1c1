"""Lines of the log that others could make us write without end."""

import logging
from typing import Final

from sipstrobe.clock import Clock

INTERVAL: Final = 10.0  # seconds


class Seldom:
    """Say the first at once, then one an interval, with how many were left out before it."""

    def __init__(self, logger: logging.Logger, clock: Clock) -> None:
        self._logger = logger
        self._clock = clock
        self._after = float("-inf")
        self._left_out = 0

    def say(self, words: str, *arguments: object) -> None:
        """Log this at INFO, or count it."""
        now = self._clock.now()
        if now < self._after:
            self._left_out += 1
            return
        more = f" ({self._left_out} of the kind were left out before)" if self._left_out else ""
        self._after = now + INTERVAL
        self._left_out = 0
        self._logger.info("%s%s", words % arguments, more)
