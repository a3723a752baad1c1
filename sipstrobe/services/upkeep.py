"""Backup and restore, restart, and the ways back to the defaults (checklist OPS-01…03).

Whatever concerns the whole state folder is decided here and carried out by the next run, which
begins as soon as this one has taken its leave: calls are hung up, and what was set is stored.
"""

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Literal

from sipstrobe.config import overhaul
from sipstrobe.config.state_files import RESTORING, gone_by_restore
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.secret import Secret

logger = logging.getLogger(__name__)

Kind = Literal["restart", "restore", "factory"]

FILE: Final = "backup.zip"  # in it
MOMENT: Final = 0.3  # seconds for the answer to go out, before the device ends
_PIECE: Final = 1 << 18
_WRITE: Final = 1 << 20


class Upkeep:
    """Of one device. again: ends it, and has the process begin anew."""

    def __init__(
        self, context: Context, store: Store, folder: Path, again: Callable[[], None]
    ) -> None:
        self._context = context
        self._store = store
        self._folder = folder
        self._again = again
        self._busy = ""  # with what
        self.ending = False

    # --- going back, and beginning anew ---------------------------------------------------------

    async def reset(self, kind: Kind) -> None:
        """Begin anew; for "restore" with almost all defaults, for "factory" with all of them.

        Raises CommandRefused "busy"; OSError, when nothing has changed.
        """
        with self._alone(kind):
            await asyncio.to_thread(self._decide, kind)
            self._leave(
                {"restart": "a restart", "restore": "a return to the defaults"}.get(
                    kind, "a factory default"
                )
            )

    def _decide(self, kind: Kind) -> None:
        from sipstrobe.config.defaults import restore_defaults, restore_factory

        stored = self._store.stored
        if kind == "restore":
            restore_defaults(self._folder, stored)
        elif kind == "factory":
            restore_factory(self._folder, stored.settings.device.serial)

    def _leave(self, words: str) -> None:
        logger.warning("the device ends for %s", words)
        self.ending = True
        clock = self._context.clock
        clock.call_at(clock.now() + MOMENT, self._again)

    # --- backup ---------------------------------------------------------------------------------

    async def backup(self, password: Secret) -> AsyncGenerator[bytes]:
        """All that people have set, as it is to be sent. password: empty: without secrets.

        Raises CommandRefused "busy", OSError before it gives anything.
        """
        with self._alone("backup"):
            file = await asyncio.to_thread(self._make, password)
        return _content(file)

    def _make(self, password: Secret) -> IO[bytes]:
        from sipstrobe.config.backup import write_backup

        file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  gone when it is closed
        try:
            made = self._context.clock.wall()
            write_backup(file, self._folder, self._store.stored, password, made)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    # --- restore --------------------------------------------------------------------------------

    async def restore(self, content: AsyncIterator[bytes], password: Secret) -> tuple[str, ...]:
        """Take all of a backup over and begin anew; the pointers of secrets that are missing.

        Raises ConfigError with every problem, when nothing has changed; CommandRefused "busy",
        "too_large"; OSError.
        """
        with self._alone("restore"):
            folder = self._folder / RESTORING
            try:
                await asyncio.to_thread(_make_anew, folder)
                await _receive(content, folder / FILE)
                missing = await asyncio.to_thread(self._take_over, folder, password)
            except BaseException:
                await asyncio.to_thread(shutil.rmtree, folder, True)
                raise
            self._leave("a backup to take its place")
        return missing

    def _take_over(self, folder: Path, password: Secret) -> tuple[str, ...]:
        from sipstrobe.config.backup import read_backup

        now = self._store.stored
        found = read_backup(folder / FILE, folder, now, password)
        words = f"the backup of {found.made[:32]}"
        gone = gone_by_restore(self._folder)
        overhaul.decide(self._folder, put=found.put, gone=gone, words=words)
        return found.missing

    @contextmanager
    def _alone(self, what: str) -> Generator[None]:
        if self.ending or self._busy:
            words = "the device is about to start anew" if self.ending else "one at a time"
            raise CommandRefused("busy", f"not now: {words}")
        self._busy = what
        try:
            yield
        finally:
            self._busy = ""


def _make_anew(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)


async def _receive(content: AsyncIterator[bytes], path: Path) -> None:
    from sipstrobe.config.backup import MAX_BYTES

    size, waiting = 0, bytearray()
    with path.open("wb") as file:
        async for piece in content:
            size += len(piece)
            if size > MAX_BYTES:
                raise CommandRefused("too_large", f"a backup has {MAX_BYTES >> 20} MB at most")
            waiting += piece
            if len(waiting) >= _WRITE:
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(file.write, bytes(waiting))
        await asyncio.to_thread(file.flush)


async def _content(file: IO[bytes]) -> AsyncGenerator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
    finally:
        file.close()
