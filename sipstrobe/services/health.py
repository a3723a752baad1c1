"""The health check: each side of the light in turn and a test tone (checklist HCK-01…03).

Every driver of the light must answer, and the tone must be found in what the speaker has played.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec import Struct

from sipstrobe.context import Context
from sipstrobe.events import Function, HealthCheckDone

logger = logging.getLogger(__name__)

LIGHT_FAULT: Final = 101
SIREN_FAULT: Final = 102


class HealthResult(Struct, frozen=True):
    """What the last check has found: when it ended, and errors as (code, words)."""

    wall: datetime
    errors: tuple[tuple[int, str], ...]


class HealthCheck:
    """Runs when told, until every function has finished its part; then asks whether it worked.

    start begins the part of each function; the problems are asked for in words.
    """

    def __init__(
        self,
        context: Context,
        start: Callable[[], None],
        light_problems: Callable[[], list[str]],
        siren_problems: Callable[[], list[str]],
    ) -> None:
        self.last: HealthResult | None = None
        self._context = context
        self._start = start
        self._light_problems = light_problems
        self._siren_problems = siren_problems
        self._running: set[Function] = set()

    def run(self) -> None:
        """Begin, unless a check runs already."""
        if not self._running:
            self._running = set(Function)
            self._start()

    def ended(self, function: Function) -> None:
        """The part of this function has ended."""
        self._running.discard(function)
        if not self._running:
            self._conclude()

    def _conclude(self) -> None:
        errors = [(LIGHT_FAULT, words) for words in self._light_problems()]
        errors += [(SIREN_FAULT, words) for words in self._siren_problems()]
        self.last = HealthResult(self._context.clock.wall(), tuple(errors))
        told = "; ".join(words for _, words in errors)
        for code, words in errors:
            logger.warning("health check failed, error %d: %s", code, words)
        if not errors:
            logger.info("health check passed: the light answers, and the test tone was heard")
        self._context.bus.publish(HealthCheckDone(passed=not errors, errors=told))
