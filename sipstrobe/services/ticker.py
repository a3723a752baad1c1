"""The one timer by which all streams of the device send."""

import heapq
import logging
from collections.abc import Callable
from itertools import count
from typing import Final

from sipstrobe.clock import Clock, Handle

logger = logging.getLogger(__name__)

GRID: Final = 0.005  # seconds; those whose turns lie on the same line of the grid share a wake-up
LINES: Final = 4  # over which many members are spread, so that not all send at the same instant
SHARING: Final = 8  # members on one line before the next is begun: a wake-up costs more than a turn
CATCH_UP: Final = 0.1  # seconds by which we may be behind and still make good every turn
LONGEST_RUN: Final = 0.004  # seconds of turns in one go; then others on the loop have theirs
_EARLY: Final = 0.0005  # seconds; a turn that is as near as this is taken at once

Turn = Callable[[float, float], None]  # the instant on the grid, and now


class _Member:
    __slots__ = ("active", "interval", "line", "turn")

    def __init__(self, interval: float, turn: Turn, line: int) -> None:
        self.interval = interval
        self.line = line
        self.turn = turn
        self.active = True


class Ticker:
    """Call each member once an interval, on a grid that never slips.

    After a hold-up of the loop the turns that were missed are made good, up to CATCH_UP; beyond it
    they are left out, which a member sees from the instant on the grid.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: list[tuple[float, int, _Member]] = []  # a heap
        self._loads = [0] * LINES
        self._serials = count()
        self._timer: Handle | None = None
        self._timer_at = float("inf")

    def join(
        self, interval: float, turn: Turn, *, after: float | None = None
    ) -> Callable[[], None]:
        """Give a turn every `interval` seconds; the result ends it.

        after: the instant, not far off, that the first turn is to follow on the grid.
        """
        line = self._line() if after is None else round(after / GRID) + 1
        member = _Member(interval, turn, line % LINES)
        self._loads[member.line] += 1
        heapq.heappush(self._turns, (line * GRID, next(self._serials), member))
        self._arm()

        def leave() -> None:
            if member.active:
                member.active = False
                self._loads[member.line] -= 1

        return leave

    def _line(self) -> int:
        """The next line of the kind on which there is room, or else least is done."""
        loads = self._loads
        kind = next((n for n in range(LINES) if loads[n] < SHARING), loads.index(min(loads)))
        upcoming = int(self._clock.now() / GRID) + 1
        return upcoming + (kind - upcoming) % LINES

    def _run(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        turns, clock_now = self._turns, self._clock.now
        now = clock_now()
        enough = now + LONGEST_RUN
        while turns and turns[0][0] <= now + _EARLY and now < enough:
            due, serial, member = turns[0]
            if not member.active:
                heapq.heappop(turns)
                continue
            upcoming = due + member.interval
            if upcoming < now - CATCH_UP:
                upcoming += int((now - upcoming) / member.interval) * member.interval
            heapq.heapreplace(turns, (upcoming, serial, member))
            try:
                member.turn(due, now)
            except Exception:
                logger.exception("a stream failed at its turn")
                member.active = False
                self._loads[member.line] -= 1
            now = clock_now()
        self._arm()

    def _arm(self) -> None:
        due = max(self._turns[0][0], self._clock.now()) if self._turns else float("inf")
        if due == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = due
        if self._turns:
            self._timer = self._clock.call_at(due, self._run)
