"""Builds what looks after the device as a system: its logs, its state folder, its machine."""

import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol

from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.io.own_files import OwnFiles, check_own_files
from sipstrobe.io.udp import Tap
from sipstrobe.services.access_log import AccessLog
from sipstrobe.services.beside import beside
from sipstrobe.services.ladder import Ladder
from sipstrobe.services.log_book import LogBook
from sipstrobe.services.network_trace import NetworkTrace
from sipstrobe.services.phone import Onlooker
from sipstrobe.services.upkeep import Upkeep
from sipstrobe.sip.transport import Flow
from sipstrobe.web.system_views import SystemViews

logger = logging.getLogger(__name__)


class Spoken(Protocol):
    """The phone, as far as others may look on while it speaks."""

    @property
    def media_tap(self) -> Tap: ...
    def look_on(self, onlooker: Onlooker) -> None: ...
    def connections(self) -> list[tuple[str, tuple[str, int], bool]]: ...


class System:
    """These parts of one device."""

    def __init__(
        self,
        context: Context,
        state: Path,
        store: Store,
        phone: Spoken | None = None,
        again: Callable[[], None] = lambda: None,
    ) -> None:
        """again: ends the device, and has its process begin anew."""
        self.log = LogBook(state)
        self.access = AccessLog(context, state)
        self.ladder = Ladder(context.clock)
        media = phone.media_tap if phone is not None else Tap()
        self.trace = NetworkTrace(context, state, media)
        if phone is not None:
            phone.look_on(_Onlooker(self.ladder, self.trace))
        self.upkeep = Upkeep(context, store, state, again)
        self.own_files: OwnFiles | None = None  # while they are being looked through
        self._connections = phone.connections if phone is not None else list

    async def open(self, stack: AsyncExitStack) -> None:
        """First of all, so that whatever else is said is heard."""
        await self.log.open()
        stack.push_async_callback(self.log.aclose)
        await self.access.open()
        stack.push_async_callback(self.access.aclose)
        await self.trace.open()
        stack.push_async_callback(self.trace.aclose)
        beside("own files", self._look_at_files, self._looked_at_files)

    def _look_at_files(self) -> None:
        self._files_found = check_own_files()

    def _looked_at_files(self, failure: BaseException | None) -> None:
        """GEN-06: at each start."""
        if failure is not None:
            logger.warning("the files of the program cannot be looked through: %s", failure)
            return
        self.own_files = self._files_found
        if self.own_files.state == "changed":
            logger.error("%s", self.own_files.words)

    def views(self) -> SystemViews:
        return SystemViews(
            log=self.log,
            access=self.access,
            ladder=self.ladder,
            trace=self.trace,
            upkeep=self.upkeep,
            own_files=lambda: self.own_files,
            sip_connections=self._connections,
        )


class _Onlooker:
    """Shows each SIP message to both."""

    def __init__(self, ladder: Ladder, trace: NetworkTrace) -> None:
        self._ladder, self._trace = ladder, trace
        self.named = ladder.named

    def message(self, data: bytes, flow: Flow, *, sent: bool) -> None:
        self._ladder.message(data, flow, sent=sent)
        self._trace.message(data, flow, sent=sent)
