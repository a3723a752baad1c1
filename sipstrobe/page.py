"""Keeps the page where the settings want it."""

import asyncio
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from sipstrobe.context import Context
from sipstrobe.services.supervise import supervise

if TYPE_CHECKING:
    from sipstrobe.web.server import WebServer

Address = tuple[str, int]


class Page:
    """The web server of one device: it moves while it runs, and is tried again where it fails.

    make_server is called when the module of the web server has been imported.
    addresses: where it is served at present. tried: set once it works, or is known not to.
    """

    def __init__(self, context: Context, make_server: "Callable[[], WebServer]") -> None:
        self.addresses: list[Address] = []
        self.tried = asyncio.Event()
        self._context = context
        self._make_server = make_server
        self._wanted: Address | None = None
        self._moved = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def move(self, address: Address) -> None:
        """Serve at this address from now on."""
        if address == self._wanted:
            return
        self._wanted = address
        self._moved.set()
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def aclose(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _run(self) -> None:
        """One address after another: the next is opened when the last has been closed."""
        while self._wanted is not None:
            self._moved.clear()
            work = supervise(self._context, "page", partial(self._serve, self._wanted))
            serving = asyncio.get_running_loop().create_task(work)
            try:
                await self._moved.wait()
            finally:
                serving.cancel()
                await asyncio.wait([serving])

    async def _serve(self, address: Address, works: Callable[[], None]) -> None:
        await asyncio.to_thread(import_module, "sipstrobe.web.server")  # calls do not wait for it
        server = self._make_server()
        try:
            await server.start(*address)
            self.addresses = server.addresses
            works()
            self.tried.set()
            await asyncio.Event().wait()
        finally:
            self.tried.set()
            self.addresses = []
            await server.aclose()
