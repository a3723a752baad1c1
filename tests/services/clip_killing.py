"""Kill a process that adds clips, again and again, and look at what it has left.

Run as a program of its own, because it forks: ``python -m tests.services.clip_killing FOLDER``.
"""

import asyncio
import hashlib
import os
import random
import signal
import sys
import time
import wave
from collections.abc import AsyncIterator
from io import BytesIO
from itertools import count
from pathlib import Path

import numpy as np

from sipstrobe.clock import LoopClock
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.services.clip_library import ClipLibrary
from sipstrobe.services.settings import SettingsService

KILLS = 10


def sound_file(number: int) -> bytes:
    """A WAV file that no other number has."""
    file = BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setparams((1, 2, 48000, 0, "NONE", ""))
        wav.writeframes(np.full(4800, number, "<i2").tobytes())
    return file.getvalue()


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]
        await asyncio.sleep(0)


async def library_in(folder: Path) -> tuple[ClipLibrary, Store]:
    """What is there after a start."""
    context = Context(LoopClock(asyncio.get_running_loop()))
    store = Store.open(folder)
    settings = SettingsService(context, store)
    library = ClipLibrary(context, folder / "clips", settings, lambda: store.current)
    store.watch(lambda s: s.clips, library.apply)
    await library.ready()
    return library, store


async def add_until_killed(folder: Path, first: int, report: int) -> None:
    library, _ = await library_in(folder)
    for number in count(first):
        os.write(report, b"b")
        await library.add(f"Clip number {number}", pieces(sound_file(number)))
        os.write(report, b"a")


def killed_after(folder: Path, first: int, seconds: float) -> int:
    """Kill a process at work after this time; how many clips it had said that it had added."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(add_until_killed(folder, first, writer))
        finally:
            os._exit(1)
    os.close(writer)
    assert os.read(reader, 1) == b"b"  # it is at work
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    said = b""
    while more := os.read(reader, 4096):
        said += more
    os.close(reader)
    return said.count(b"a")


async def found(folder: Path) -> list[str]:
    """The clips after the next start; each must be whole, and nothing else may be left."""
    library, store = await library_in(folder)
    clips = store.current.clips
    for clip in clips:
        number = int(clip.name.rpartition(" ")[2])
        data = (folder / "clips" / clip.file).read_bytes()
        assert data == sound_file(number)
        assert clip.file.startswith(hashlib.sha256(data).hexdigest())
        sound = library.patterns[f"clip:{clip.name}"].open().read(0, 4800)
        assert np.array_equal(sound, np.full(4800, number / 32768, np.float32))
    names = {path.name for path in (folder / "clips").iterdir()}
    assert len(names) == 2 * len(clips), names
    store.close()
    return [clip.name for clip in clips]


async def add_one(folder: Path) -> float:
    """Add the first clip undisturbed; how long that takes."""
    library, store = await library_in(folder)
    began = time.monotonic()
    await library.add("Clip number 1", pieces(sound_file(1)))
    store.close()
    return time.monotonic() - began


def main(folder: Path) -> None:
    moments = random.Random(5)
    lasts = asyncio.run(add_one(folder))
    before = ["Clip number 1"]
    for _ in range(KILLS):
        said = killed_after(folder, len(before) + 1, moments.uniform(0, 1.5 * lasts))
        after = asyncio.run(found(folder))
        assert after[: len(before)] == before
        assert len(after) - len(before) in (said, said + 1), (before, after, said)
        before = after
    print(KILLS, "kills")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
