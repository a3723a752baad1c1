"""The file that says that the device runs: its age is the last sign of life.

It tells the next run how this one ended: as it should, by the end of the process alone, or by that
of the whole machine, whose every start has an id of its own (random(4)).
"""

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from sipstrobe.config.files import Folder
from sipstrobe.events import StartReason

FILE: Final = "run.json"
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class _Run(msgspec.Struct, frozen=True):
    boot: str
    stopped: bool


class LastRun(Struct, frozen=True):
    """How the run before ended, and when it was last seen alive, in seconds since 1970; 0: there
    was none."""

    reason: StartReason
    seen: float


def begin_run(folder: Path) -> LastRun:
    """Find out how the last one ended, and begin a new one. Raises OSError."""
    last = _last_run(folder)
    _write(folder, stopped=False)
    return last


def touch_run(folder: Path) -> None:
    """A sign of life. Raises OSError."""
    os.utime(folder / FILE)


def end_run(folder: Path) -> None:
    """It ends as it should. Raises OSError."""
    _write(folder, stopped=True)


def _last_run(folder: Path) -> LastRun:
    path = folder / FILE
    try:
        seen = path.stat().st_mtime
        text = path.read_bytes()
    except FileNotFoundError:
        return LastRun(StartReason.FIRST, 0.0)
    try:
        run = msgspec.json.decode(text, type=_Run)
    except msgspec.DecodeError:
        return LastRun(StartReason.POWER, seen)
    if run.stopped:
        return LastRun(StartReason.STOPPED, seen)
    same = run.boot == _boot_id()
    return LastRun(StartReason.KILLED if same else StartReason.POWER, seen)


def _write(folder: Path, *, stopped: bool) -> None:
    files = Folder(folder)
    text = msgspec.json.encode(_Run(_boot_id(), stopped))
    files.write(FILE + ".new", text, mode=0o644)
    files.replace(FILE, FILE + ".new")


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
