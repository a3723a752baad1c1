"""Builds what looks after the device as a system: its logs, its state folder, its machine."""

from contextlib import AsyncExitStack
from pathlib import Path

from sipstrobe.context import Context
from sipstrobe.services.access_log import AccessLog
from sipstrobe.services.log_book import LogBook
from sipstrobe.web.system_views import SystemViews


class System:
    """These parts of one device."""

    def __init__(self, context: Context, state: Path) -> None:
        self.log = LogBook(state)
        self.access = AccessLog(context, state)

    async def open(self, stack: AsyncExitStack) -> None:
        """First of all, so that whatever else is said is heard."""
        await self.log.open()
        stack.push_async_callback(self.log.aclose)
        await self.access.open()
        stack.push_async_callback(self.access.aclose)

    def views(self) -> SystemViews:
        return SystemViews(log=self.log, access=self.access)
