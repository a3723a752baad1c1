"""Sound on its way into a file: put in step on the loop, written by a thread."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from math import floor
from typing import Final, Protocol

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.clock import Clock, Handle
from sipstrobe.services.beside import on_loop
from sipstrobe.services.lanes import LAG, STEP, Lane, Side

logger = logging.getLogger(__name__)

UNIT: Final = 480  # samples; blocks are multiples of it
MAX_WAITING: Final = 100  # blocks that the thread may be behind: 5 s; more are lost


class Sink(Protocol):
    """A file, for the thread alone. Each step may raise OSError."""

    def write(self, block: Samples) -> None:
        """Samples at 48 kHz, (count, channels)."""
        ...

    def skip(self, count: int) -> None:
        """So many samples are lost: silence in their place."""
        ...

    def close(self) -> None: ...


class Tape:
    """Records until `stop`, or for so many seconds. on_end is told once, when all is in the file
    or cannot be written: what was wrong, in words; empty: nothing."""

    def __init__(
        self,
        clock: Clock,
        thread: Executor,
        open_sink: Callable[[], Sink],
        sides: Sequence[Side],
        seconds: float,
        on_end: Callable[[str], None],
    ) -> None:
        """thread: one that does one thing after another. open_sink: called there."""
        self.samples = 0  # so far
        self._clock = clock
        self._thread = thread
        self._open_sink = open_sink
        self._sink: Sink | None = None  # the thread's own
        self._lanes = [Lane(side) for side in sides]
        self._longest = round(seconds * SAMPLE_RATE)
        self._on_end = on_end
        self._waiting = 0  # blocks that are not written yet
        self._lost = 0  # samples since the last block that was handed over
        self._stopped = self._over = False
        self._tell = on_loop(self._written)
        self._began = clock.now()
        self._timer: Handle | None = clock.call_at(self._began + STEP, self._look)

    def stop(self) -> None:
        """Take what has come until now, and no more."""
        if self._stopped:
            return
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        self._feed()
        self._hand_over(min(self._due(), self._longest))
        for lane in self._lanes:
            lane.close()
        self._submit(self._finish)

    def _look(self) -> None:
        self._timer = None
        self._feed()
        self._hand_over(min(self._due() - round(LAG * SAMPLE_RATE), self._longest))
        if self._due() >= self._longest:
            self.stop()
        else:
            self._timer = self._clock.call_at(self._clock.now() + STEP, self._look)

    def _due(self) -> int:
        return floor((self._clock.now() - self._began) * SAMPLE_RATE + 1e-3)

    def _feed(self) -> None:
        due = self._due()
        for lane in self._lanes:
            lane.feed(due)

    def _hand_over(self, until: int) -> None:
        """Give the thread what there is up to this sample, in whole units."""
        count = (until - self.samples) // UNIT * UNIT
        if count <= 0:
            return
        block = np.stack([lane.take(count) for lane in self._lanes], axis=1)
        self.samples += count
        if self._waiting >= MAX_WAITING:
            self._lost += count
            return
        lost, self._lost = self._lost, 0
        self._submit(lambda: self._write(block, lost))

    def _submit(self, step: Callable[[], None]) -> None:
        self._waiting += 1
        self._thread.submit(step).add_done_callback(self._tell)

    def _written(self, done: "Future[None]") -> None:
        self._waiting -= 1
        failure = done.exception() if not done.cancelled() else None
        if self._over:
            return
        if failure is not None:
            self._over = True
            self.stop()
            self._on_end(str(failure))
        elif self._stopped and not self._waiting:
            self._over = True
            self._on_end("")

    # --- the thread -----------------------------------------------------------------------------

    def _write(self, block: Samples, lost: int) -> None:
        sink = self._opened()
        if lost:
            sink.skip(lost)
        sink.write(block)

    def _finish(self) -> None:
        self._opened().close()

    def _opened(self) -> Sink:
        if self._sink is None:
            self._sink = self._open_sink()
        return self._sink
