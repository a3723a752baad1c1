"""Writes down what happens in the outbox, by a thread of its own, as fast as the disk takes it."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.sending.record import Left, Step

if TYPE_CHECKING:
    from sipstrobe.services.outbox_store import OutboxStore

logger = logging.getLogger(__name__)

MAX_STEPS: Final = 10_000  # that wait for the disk; of more, the oldest are not written
AGAIN_AFTER: Final = 5.0  # seconds after a failure
LOAD_LIMIT: Final = 5.0  # seconds that the start waits for the disk
CLOSE_LIMIT: Final = 2.0  # seconds that the last write may take at the end


class Journal:
    """What happens while a write runs is written together by the next."""

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self._thread = ThreadPoolExecutor(1, "outbox")
        self._store: OutboxStore | None = None  # of the thread alone
        self._steps: list[Step] = []
        self._writing: asyncio.Future[None] | None = None
        self._again: Handle | None = None
        self._problem = ""

    async def load(self) -> Left:
        """What earlier runs have left; nothing, if the disk does not say."""
        loading = asyncio.get_running_loop().run_in_executor(self._thread, self._load)
        try:
            return await asyncio.wait_for(asyncio.shield(loading), LOAD_LIMIT)
        except Exception as error:  # of the disk, or of what is on it
            self._tell(str(error) or "the disk does not answer")
            return Left(self._beyond(), [], [])

    def write(self, step: Step) -> None:
        """Take this down, soon."""
        if len(self._steps) >= MAX_STEPS:
            del self._steps[0]
        self._steps.append(step)
        if self._writing is None and self._again is None:
            self._begin()

    async def aclose(self) -> None:
        """Write down what is left."""
        if self._again is not None:
            self._again.cancel()
            self._begin()
        deadline = self._context.clock.now() + CLOSE_LIMIT
        while self._writing is not None and self._context.clock.now() < deadline:
            await asyncio.wait([self._writing], timeout=CLOSE_LIMIT)
            await asyncio.sleep(0)
        closed = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        await asyncio.wait([closed], timeout=CLOSE_LIMIT)
        self._thread.shutdown(wait=False)

    def _begin(self) -> None:
        self._again = None
        steps, self._steps = self._steps, []
        self._writing = asyncio.get_running_loop().run_in_executor(self._thread, self._write, steps)
        self._writing.add_done_callback(lambda done: self._written(steps, done))

    def _written(self, steps: list[Step], done: "asyncio.Future[None]") -> None:
        self._writing = None
        error = None if done.cancelled() else done.exception()
        self._tell("" if error is None else str(error) or type(error).__name__)
        if error is not None:
            self._steps = [*steps, *self._steps][-MAX_STEPS:]
            clock = self._context.clock
            self._again = clock.call_at(clock.now() + AGAIN_AFTER, self._begin)
        elif self._steps:
            self._begin()

    def _tell(self, problem: str) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        if problem:
            logger.warning("the outbox is not kept over a restart: %s", problem)
        with self._context.trace.input("file", "outbox", self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="outbox", working=not problem, problem=problem)
            )

    # --- the thread ------------------------------------------------------------------------------

    def _open(self) -> "OutboxStore":
        from sipstrobe.services.outbox_store import OutboxStore  # SQLite is not needed to start

        if self._store is None:
            self._store = OutboxStore(self._folder)
        return self._store

    def _load(self) -> Left:
        store = self._open()
        left = store.load()
        if left.serial == 0 and store.is_successor:
            left.serial = self._beyond()
        return left

    def _beyond(self) -> int:
        """A number that no message can have had, for when the last one is not known."""
        return int(self._context.clock.wall().timestamp())

    def _write(self, steps: list[Step]) -> None:
        self._open().write(steps)

    def _close(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None
