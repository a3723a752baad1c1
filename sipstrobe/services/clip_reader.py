"""Reads a file that somebody has added, in a process of its own.

Decoders for six formats of others' files are not let near a device that must not fail: the process
has little memory and time, and if a file makes it crash, that is what is told. It decodes all of
the file, resamples it to 48 kHz, one channel, and measures how loud it is. The loop never waits.
"""

import asyncio
import ctypes
import hashlib
import json
import logging
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from sipstrobe.audio.clip import ClipFormat
from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.loudness import LoudnessMeter
from sipstrobe.errors import MediaError
from sipstrobe.io.soundfiles import MAX_BYTES, MAX_SECONDS, open_sound

logger = logging.getLogger(__name__)

TIME_LIMIT: Final = 300.0  # seconds in which a file must be read, however busy the machine is
CPU_LIMIT: Final = 90  # seconds of the processor for that
MEMORY_LIMIT: Final = 1 << 30  # bytes of address space
PATIENCE: Final = 10  # how much less urgent it is than what the device does (nice)
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_MAX_DECODED: Final = round(MAX_SECONDS * SAMPLE_RATE * 4) + (1 << 20)


class Measured(Struct, frozen=True):
    """What is to be known of a sound file. samples: how many it has at 48 kHz."""

    sha256: str
    format: ClipFormat
    size: int
    sample_rate: int
    channels: int
    samples: int
    loudness: float | None
    peak_db: float


async def read_clip(source: Path, decoded: Path, limit: float = TIME_LIMIT) -> Measured:
    """Decode a file to float32 samples at 48 kHz in another, which is on the disk then.

    limit: seconds that it may take. Raises MediaError with the reason in words, OSError if the
    disk does not take it; what was decoded so far is left there.
    """
    process = await asyncio.to_thread(_start, source, decoded)
    try:
        said, _ = await asyncio.to_thread(process.communicate, timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.communicate)
        raise MediaError(f"the file was not decoded within {limit:g} s") from None
    except asyncio.CancelledError:
        process.kill()  # the thread that waits for it will hear of that
        raise
    if process.returncode:
        logger.warning("reading %s ended with %d", source.name, process.returncode)
        raise MediaError("the file makes the decoder fail")
    answer: dict[str, Any] = json.loads(said)
    if "refused" in answer:
        raise MediaError(answer["refused"])
    if "failed" in answer:
        raise OSError(*answer["failed"])
    return Measured(**answer)


def measure(source: Path, decoded: Path) -> Measured:
    """The same in this process: blocks for as long as it takes."""
    meter = LoudnessMeter()
    samples = 0
    with open_sound(source) as (form, blocks), decoded.open("wb") as out:
        for block in _resampled(blocks, form.sample_rate):
            out.write(block.tobytes())
            meter.feed(block)
            samples += block.size
        out.flush()
        os.fsync(out.fileno())
    loudness = meter.loudness
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Measured(
        sha256=digest,
        format=form.format,
        size=source.stat().st_size,
        sample_rate=form.sample_rate,
        channels=form.channels,
        samples=samples,
        loudness=None if loudness is None else round(loudness, 2),
        peak_db=round(meter.true_peak_db, 2),
    )


def _resampled(blocks: Iterator[Samples], sample_rate: int) -> Iterator[Samples]:
    if sample_rate == SAMPLE_RATE:
        yield from blocks
        return
    from soxr import ResampleStream  # pyright: ignore[reportMissingTypeStubs]

    stream = ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    waiting: Samples | None = None
    for block in blocks:
        if waiting is not None:
            yield stream.resample_chunk(waiting)
        waiting = block
    if waiting is not None:
        yield stream.resample_chunk(waiting, last=True)


def _start(source: Path, decoded: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603  our own program; the paths are ours too
        [sys.executable, "-P", "-m", __name__, str(source), str(decoded)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),  # where we have found ourselves
            "OPENBLAS_NUM_THREADS": "1",  # each thread would take memory
        },
    )


def _confine() -> None:
    """Take from this process what no honest file needs; it ends with the one that began it."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.nice(PATIENCE)
    for which, most in (
        (resource.RLIMIT_AS, MEMORY_LIMIT),
        (resource.RLIMIT_CPU, CPU_LIMIT),
        (resource.RLIMIT_FSIZE, max(_MAX_DECODED, MAX_BYTES)),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(which, (most, most))


def _main(source: str, decoded: str) -> None:
    _confine()
    try:
        answer = asdict(measure(Path(source), Path(decoded)))
    except MediaError as refusal:
        answer = {"refused": str(refusal)}
    except OSError as error:
        answer = {"failed": error.args[:2]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _main(*sys.argv[1:])
