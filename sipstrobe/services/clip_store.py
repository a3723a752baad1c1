"""The clips' files: what people have added, and beside each its sound as it is played.

A file is named by the SHA-256 of what it holds, and comes by being renamed after it is whole and on
the disk; then, and only then, the settings tell of it. So after any crash a clip is there or it is
not. What no clip refers to is left over from a crash, and goes when the device starts.
"""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from sipstrobe.audio.clip import Clip
from sipstrobe.audio.format import samples_in
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.io.pcmfile import PcmFile
from sipstrobe.io.soundfiles import ACCEPTED, MAX_BYTES
from sipstrobe.services.clip_reader import Measured, read_clip

logger = logging.getLogger(__name__)

SAMPLE_BYTES: Final = 4  # of sound as it is played: float32
_INCOMING: Final = "incoming-"
_DECODED: Final = ".f32"
_WRITE_BYTES: Final = 1 << 20  # gathered before they are written


class Incoming:
    """A file that is being added."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decoded = path.with_suffix(_DECODED)
        self.size = 0  # bytes that have come

    async def receive(self, content: AsyncIterator[bytes], room: Callable[[], int]) -> None:
        """Write all of it. room: bytes that are free for it just now.

        Raises CommandRefused: too_large, storage_full; OSError.
        """
        file = await asyncio.to_thread(_create, self.path)
        try:
            waiting = bytearray()
            async for piece in content:
                self.size += len(piece)
                _refuse_size(self.size, room())
                waiting += piece
                if len(waiting) >= _WRITE_BYTES:
                    await asyncio.to_thread(_write, file, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(_write, file, bytes(waiting))
            await asyncio.to_thread(os.fsync, file)
        finally:
            os.close(file)


class ClipStore:
    """One folder of clips; nobody else writes there. What blocks is done in other threads."""

    def __init__(self, folder: Path, random_bytes: Callable[[int], bytes]) -> None:
        self._folder = folder
        self._random_bytes = random_bytes
        self._reading = asyncio.Semaphore(1)  # so much of the machine may be taken

    def path(self, clip: Clip) -> Path:
        """Where the file is that was added."""
        return self._folder / clip.file

    @asynccontextmanager
    async def incoming(self) -> AsyncGenerator[Incoming]:
        """Room for a file to come; what has not been kept is gone in the end."""
        incoming = self._new_incoming()
        try:
            yield incoming
        finally:
            await asyncio.to_thread(_remove, incoming.path, incoming.decoded)

    async def read(self, incoming: Incoming) -> Measured:
        """Decode and measure it, one at a time. Raises MediaError."""
        async with self._reading:
            return await read_clip(incoming.path, incoming.decoded)

    async def keep(self, incoming: Incoming, clip: Clip) -> PcmFile:
        """Let its files be those of a clip from now on. Raises OSError, MediaError."""

        def rename() -> PcmFile:
            os.replace(incoming.decoded, self._decoded(clip))
            os.replace(incoming.path, self.path(clip))
            _sync(self._folder)
            return self._open(clip)

        return await asyncio.to_thread(rename)

    async def open(self, clip: Clip) -> PcmFile:
        """Its sound, decoded anew if that is not there. Raises MediaError, in words."""
        with suppress(MediaError):
            return await asyncio.to_thread(self._open, clip)
        if not await asyncio.to_thread(self.path(clip).is_file):
            raise MediaError("its file is gone")
        logger.info("the clip %r is decoded anew", clip.name)
        incoming = self._new_incoming()
        incoming.path = self.path(clip)
        try:
            measured = await self.read(incoming)
            if measured.sha256 != self.path(clip).stem:
                raise MediaError("its file has been changed")
            await asyncio.to_thread(os.replace, incoming.decoded, self._decoded(clip))
            return await asyncio.to_thread(self._open, clip)
        except OSError as error:
            raise MediaError(f"its file cannot be used: {error.strerror}") from None
        finally:
            await asyncio.to_thread(_remove, incoming.decoded)

    async def remove(self, clip: Clip) -> None:
        """Its files are needed no more; those who play them do so to the end."""
        await asyncio.to_thread(_remove, self.path(clip), self._decoded(clip))

    async def sweep(self, clips: Collection[Clip]) -> None:
        """Make the folder if need be, and remove all files that are not those of these clips."""
        kept = {path.name for clip in clips for path in (self.path(clip), self._decoded(clip))}

        def look() -> None:
            self._folder.mkdir(parents=True, exist_ok=True)
            for path in self._folder.iterdir():
                if path.name not in kept and path.is_file():
                    logger.info("%s is left over and goes", path.name)
                    _remove(path)

        await asyncio.to_thread(look)

    def _new_incoming(self) -> Incoming:
        """By a name that nothing left over from a crash can have."""
        return Incoming(self._folder / f"{_INCOMING}{self._random_bytes(8).hex()}")

    def _decoded(self, clip: Clip) -> Path:
        return self.path(clip).with_suffix(_DECODED)

    def _open(self, clip: Clip) -> PcmFile:
        return PcmFile(self._decoded(clip), samples_in(clip.seconds))


def space_of(clip: Clip) -> int:
    """How many bytes of the disk a clip takes, with its sound as it is played."""
    return clip.size + SAMPLE_BYTES * samples_in(clip.seconds)


def _refuse_size(size: int, room: int) -> None:
    if size > MAX_BYTES:
        raise CommandRefused("too_large", f"the file has more than it may; {ACCEPTED}")
    if size > room:
        raise CommandRefused("storage_full", "the space for clips is used up (clip_quota_mb)")


def _create(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _remove(*paths: Path) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
