"""The starts of the device, and how the run before each of them ended.

Publishes: DeviceStarted.
"""

import asyncio
import logging
from datetime import UTC, datetime
from pathlib import Path

from sipstrobe.context import Context
from sipstrobe.events import DeviceStarted, StartReason
from sipstrobe.services.run_file import LastRun, begin_run, end_run

logger = logging.getLogger(__name__)


class Starts:
    """Notes in the state folder that the device runs, and that it has ended as it should."""

    def __init__(self, context: Context, folder: Path) -> None:
        self._context = context
        self._folder = folder
        self.last = LastRun(StartReason.FIRST, 0.0)

    async def open(self) -> None:
        """Find out about the run before; where the disk fails, nothing is known of it."""
        try:
            self.last = await asyncio.to_thread(begin_run, self._folder)
        except OSError as error:
            logger.warning("it is not known how the device ended before: %s", error)

    def announce(self) -> None:
        """All is ready: let rules know."""
        last = self.last
        since = datetime.fromtimestamp(last.seen, UTC).isoformat(timespec="seconds")
        gone = self._context.clock.wall().timestamp() - last.seen
        event = DeviceStarted(
            reason=last.reason,
            off_since=since if last.seen else "",
            off_seconds=max(0, round(gone)) if last.seen else 0,
        )
        with self._context.trace.input("start", str(last.reason), self._context.clock.now()):
            self._context.bus.publish(event)

    async def aclose(self) -> None:
        try:
            await asyncio.to_thread(end_run, self._folder)
        except OSError as error:
            logger.warning("the end could not be noted: %s", error)
