"""How the run before ended is known at the next start (CON-01: boot)."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sipstrobe.context import Context
from sipstrobe.events import DeviceStarted, StartReason
from sipstrobe.services.run_file import FILE, touch_run
from sipstrobe.services.starts import Starts
from tests.support.clock import FakeClock

SEEN = datetime(2029, 12, 31, 23, tzinfo=UTC).timestamp()  # an hour before the clock of tests


async def start(folder: Path, *, ends: bool) -> DeviceStarted:
    """One run, which ends as it should or not; what it told at its start."""
    context = Context(FakeClock())
    told: list[DeviceStarted] = []
    context.bus.subscribe(DeviceStarted, told.append)
    starts = Starts(context, folder)
    await starts.open()
    starts.announce()
    if ends:
        await starts.aclose()
    if (folder / FILE).exists():
        os.utime(folder / FILE, (SEEN, SEEN))
    return told[0]


async def test_a_new_device_has_never_run(tmp_path: Path) -> None:
    assert await start(tmp_path, ends=True) == DeviceStarted(
        reason=StartReason.FIRST, off_since="", off_seconds=0
    )


async def test_after_a_clean_end_it_was_stopped(tmp_path: Path) -> None:
    await start(tmp_path, ends=True)

    assert await start(tmp_path, ends=True) == DeviceStarted(
        reason=StartReason.STOPPED, off_since="2029-12-31T23:00:00+00:00", off_seconds=3600
    )


async def test_without_one_it_was_killed(tmp_path: Path) -> None:
    await start(tmp_path, ends=False)

    assert (await start(tmp_path, ends=False)).reason is StartReason.KILLED


@pytest.mark.parametrize("text", ['{"boot": "another", "stopped": false}', '{"bo', "[]"])
async def test_when_the_machine_has_started_anew_its_power_had_failed(
    tmp_path: Path, text: str
) -> None:
    """Also when the file is not whole."""
    (tmp_path / FILE).write_text(text)

    assert (await start(tmp_path, ends=False)).reason is StartReason.POWER


async def test_a_sign_of_life_is_the_age_of_the_file(tmp_path: Path) -> None:
    await start(tmp_path, ends=False)
    touch_run(tmp_path)

    assert (tmp_path / FILE).stat().st_mtime != SEEN


async def test_a_disk_that_fails_keeps_no_device_from_starting(tmp_path: Path) -> None:
    assert (await start(tmp_path / "none", ends=True)).reason is StartReason.FIRST
