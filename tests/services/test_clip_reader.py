"""A file of somebody else's is read in a process of its own."""

import asyncio
import hashlib
import os
import signal
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.errors import MediaError
from sipstrobe.services.clip_reader import measure, read_clip
from tests.support.hear import tone_db
from tests.support.sound_files import make_kind, tone
from tests.support.waiting import until


def process_of(decoded: Path) -> int:
    """The reader that writes this file."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "cmdline").read_bytes().endswith(b"\0" + bytes(decoded) + b"\0"):
                return int(folder.name)
    raise AssertionError("nobody writes it")


@pytest.mark.parametrize("kind", ["au", "mp3", "wav"])
def test_a_file_is_decoded_to_48_khz_and_measured(kind: str, tmp_path: Path) -> None:
    """PRB-05: a tone of 1 kHz with an amplitude of 1/4 has −15.0 LUFS and −12.0 dBTP."""
    source = make_kind(tmp_path, kind, tone(seconds=1.5))

    found = measure(source, tmp_path / "decoded")

    sound = np.fromfile(tmp_path / "decoded", np.float32)
    assert found.samples == sound.size == pytest.approx(1.5 * SAMPLE_RATE, abs=2000)
    assert found.format == kind
    assert found.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert found.size == source.stat().st_size
    assert found.loudness == pytest.approx(-15.05, abs=0.6)
    assert found.peak_db == pytest.approx(-12.0, abs=0.7)
    assert tone_db(sound[9600:-9600].astype(np.float64), 1000.0) == pytest.approx(-15.05, abs=0.6)


async def test_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    source = make_kind(tmp_path, "flac", tone(seconds=20))
    turns = 0

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read_clip(source, tmp_path / "decoded"))
        while not reading.done():
            turns += 1
            await asyncio.sleep(0.001)

    assert turns > 50
    assert reading.result() == measure(source, tmp_path / "again")
    assert (tmp_path / "decoded").read_bytes() == (tmp_path / "again").read_bytes()


async def test_what_is_refused_there_is_refused_here(tmp_path: Path) -> None:
    path = tmp_path / "text.wav"
    path.write_text("Dear sir or madam")

    with pytest.raises(MediaError, match="none of the known kinds; accepted are wav"):
        await read_clip(path, tmp_path / "decoded")


async def test_a_reader_that_fails_hurts_nobody_else(tmp_path: Path) -> None:
    """It stands for all that a decoder could do wrong: its process has ended with a fault."""
    source = make_kind(tmp_path, "flac", "anoisesrc=d=120:r=48000:a=0.1")
    reading = asyncio.create_task(read_clip(source, tmp_path / "decoded"))
    await until((tmp_path / "decoded").exists)

    os.kill(process_of(tmp_path / "decoded"), signal.SIGSEGV)

    with pytest.raises(MediaError, match="makes the decoder fail"):
        await reading


async def test_a_disk_that_is_full_is_no_fault_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        await read_clip(make_kind(tmp_path, "wav"), Path("/dev/full"))


async def test_what_lies_where_the_device_was_started_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_kind(tmp_path, "wav")
    (tmp_path / "json.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)

    assert (await read_clip(source, tmp_path / "decoded")).format == "wav"


async def test_a_reader_has_only_so_much_time(tmp_path: Path) -> None:
    source = make_kind(tmp_path, "flac", tone(seconds=1))

    with pytest.raises(MediaError, match=r"not decoded within 0\.01 s"):
        await read_clip(source, tmp_path / "decoded", limit=0.01)

    assert not (tmp_path / "decoded").exists()


async def test_one_that_is_given_up_does_not_go_on(tmp_path: Path) -> None:
    source = make_kind(tmp_path, "flac", "anoisesrc=d=120:r=48000:a=0.1")
    reading = asyncio.create_task(read_clip(source, tmp_path / "decoded"))
    await until((tmp_path / "decoded").exists)

    reading.cancel()
    await asyncio.wait([reading])

    await asyncio.sleep(0.2)  # what was on its way
    size = (tmp_path / "decoded").stat().st_size
    await asyncio.sleep(0.2)
    assert (tmp_path / "decoded").stat().st_size == size < 120 * 4 * SAMPLE_RATE
