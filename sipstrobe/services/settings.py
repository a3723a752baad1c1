"""Change the settings without holding up the loop: validated at once, stored in another thread."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable
from functools import partial
from typing import TypeVar

from msgspec import Struct

from sipstrobe.commands import ChangeSettings
from sipstrobe.config.store import Change, Prepared, Store
from sipstrobe.context import Context
from sipstrobe.events import SettingsChanged
from sipstrobe.trace import Actor, Cause

logger = logging.getLogger(__name__)

CLOSE_LIMIT = 2.0  # seconds that the last write may take at the end

T = TypeVar("T")


class _Waiting(Struct, frozen=True):
    prepared: Prepared
    done: "asyncio.Future[Change]"
    cause: Cause | None


class SettingsService:
    """Changes of the settings in the order in which they were asked for.

    The methods raise ConfigError or StaleRevision at once, when nothing has been changed; what
    they return is to be awaited by those who want to know when the change is stored and seen, and
    raises OSError if it could not be stored.
    """

    def __init__(self, context: Context, store: Store) -> None:
        self._context = context
        self._store = store
        self._waiting: deque[_Waiting] = deque()  # the first is being written
        context.dispatcher.serve(ChangeSettings, self._serve)

    def change(self, patch: object, *, revision: int | None = None) -> Awaitable[Change]:
        """Merge a patch (RFC 7396)."""
        return self._enqueue(self._store.prepare(patch, revision=revision))

    def put(self, pointer: str, value: object) -> Awaitable[Change]:
        """Put one value in its place."""
        return self._enqueue(self._store.prepare_put(pointer, value))

    def replace(self, data: bytes) -> Awaitable[Change]:
        """Take over exported settings as a whole."""
        return self._enqueue(self._store.prepare_import(data))

    def by_command_line(self, words: str, work: Awaitable[T]) -> Awaitable[T]:
        """The result of work that the owner of the state folder has asked for."""
        actor = Actor(way="command line")
        now = self._context.clock.now()
        with self._context.trace.input(actor.way, words, now, actor) as cause:
            return self._context.trace.follow(cause, work)

    def settled(self) -> "asyncio.Future[Change] | None":
        """What to await until all changes so far are stored and seen; None: they are."""
        return self._waiting[-1].done if self._waiting else None

    async def aclose(self) -> None:
        """Wait until what was asked for is stored."""
        if self._waiting:
            await asyncio.wait([w.done for w in self._waiting], timeout=CLOSE_LIMIT)

    def _serve(self, command: ChangeSettings) -> int:
        prepared = self._store.prepare(command.patch, revision=command.revision)
        self._enqueue(prepared)
        return prepared.change.revision

    def _enqueue(self, prepared: Prepared) -> "asyncio.Future[Change]":
        done: asyncio.Future[Change] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_retrieve)
        self._waiting.append(_Waiting(prepared, done, self._context.trace.current))
        if len(self._waiting) == 1:
            self._write()
        return done

    def _write(self) -> None:
        """Begin to store the first that waits."""
        loop = asyncio.get_running_loop()
        first = self._waiting[0]
        writing = loop.run_in_executor(None, self._store.write, first.prepared)
        writing.add_done_callback(partial(self._written, first))

    def _written(self, first: _Waiting, writing: "asyncio.Future[None]") -> None:
        error = (
            OSError("the device is being shut down") if writing.cancelled() else writing.exception()
        )
        if error is not None:
            self._give_up(error)
            return
        with self._context.trace.because(first.cause):
            change = self._store.commit(first.prepared)
            if change.paths:
                paths = " ".join(change.paths)
                self._context.bus.publish(SettingsChanged(revision=change.revision, paths=paths))
        self._waiting.popleft()
        if not first.done.done():
            first.done.set_result(change)
        if self._waiting:
            self._write()

    def _give_up(self, error: BaseException) -> None:
        """What could not be stored is not seen, nor is what built on it."""
        logger.error("the settings could not be stored: %s", error)
        self._store.give_up()
        failed, self._waiting = self._waiting, deque()
        for waiting in failed:
            if not waiting.done.done():
                waiting.done.set_exception(error)


def _retrieve(done: "asyncio.Future[Change]") -> None:
    """Nobody has to await a change: its failure has been logged."""
    if not done.cancelled():
        done.exception()
