"""The disk under the state of the device: whether there is room, and whether it can be written.

Publishes: StorageAlert. Each look leaves a sign of life (see run_file), which is what is tried.
"""

import asyncio
import os
from pathlib import Path
from typing import Final

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import StorageAlert
from sipstrobe.services.run_file import touch_run

LOOK: Final = 30.0  # seconds between two looks
LOW_MB: Final = 64  # below so much it is nearly full …
ENOUGH_MB: Final = 96  # … and from so much on no longer
_MB: Final = 1024 * 1024


class Storage:
    """Looks from `open` on."""

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self._alert = False
        self._timer: Handle | None = None
        self._closed = False
        self.words = ""
        self.free_mb = 0

    def open(self) -> None:
        self._timer = None
        looking = asyncio.get_running_loop().run_in_executor(None, _look, self._folder)
        looking.add_done_callback(self._seen)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def snapshot(self) -> dict[str, object]:
        """What the status shows."""
        return {"alert": self._alert, "words": self.words, "free_mb": self.free_mb}

    def _seen(self, looking: "asyncio.Future[tuple[int, str]]") -> None:
        if self._closed or looking.cancelled():
            return
        clock = self._context.clock
        self._timer = clock.call_at(clock.now() + LOOK, self.open)
        free_mb, problem = looking.result()
        limit = ENOUGH_MB if self._alert else LOW_MB
        if not problem and free_mb < limit:
            problem = f"the disk is nearly full: {free_mb} MB are free"
        self.words, self.free_mb = problem, free_mb
        alert = bool(problem)
        if alert is self._alert:
            return
        self._alert = alert
        event = StorageAlert(alert=alert, words=problem, free_mb=free_mb)
        with self._context.trace.input("file", "the disk", clock.now()):
            self._context.bus.publish(event)


def _look(folder: Path) -> tuple[int, str]:
    """How much is free, in MB, and why it cannot be written; empty: it can."""
    try:
        found = os.statvfs(folder)
        free_mb = found.f_bavail * found.f_frsize // _MB
        if found.f_flag & os.ST_RDONLY:
            return free_mb, "the disk can only be read"
        touch_run(folder)
    except OSError as error:
        return 0, f"the disk cannot be written: {error}"
    return free_mb, ""
