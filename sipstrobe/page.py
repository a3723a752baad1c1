"""Keeps the page where the settings want it, over HTTP, HTTPS or both (HTT-01…04)."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from sipstrobe.clock import Handle
from sipstrobe.config.certificates import identity_of
from sipstrobe.config.settings import Settings
from sipstrobe.context import Context
from sipstrobe.events import ClockSet, ServiceStateChanged
from sipstrobe.io.doorway import barred
from sipstrobe.io.identity import Identity, fingerprint
from sipstrobe.services.supervise import FIRST_DELAY, LONGEST_DELAY, supervise

if TYPE_CHECKING:
    from ssl import SSLContext

    from sipstrobe.web.connections import Door, Entrance
    from sipstrobe.web.server import WebServer

logger = logging.getLogger(__name__)

Address = tuple[str, int]
Kind = Literal["https", "http"]
KINDS: tuple[Kind, ...] = ("https", "http")  # in the order in which they are opened
LOOK_EVERY = 3600.0  # seconds between two looks at how long our own certificate lasts


class Wanted(Struct, frozen=True, kw_only=True):
    """How the page is to be served. None: not by this.

    leads: whoever comes by HTTP is only told to come by HTTPS. identity: what is shown, None: the
    certificate of the device's own making. problem: why it is not as the settings have it.
    """

    http: Address | None = None
    https: Address | None = None
    leads: bool = False
    identity: Identity | None = None
    problem: str = ""


def page_wanted(
    settings: Settings, *, http: Address | None = None, https: Address | None = None
) -> Wanted:
    """As the settings have it. http, https: where it is served instead, and nowhere else."""
    web = settings.web
    identity = identity_of(settings.certificates, web.certificate)
    if http is not None or https is not None:
        leads = web.mode == "https" and https is not None
        return Wanted(http=http, https=https, leads=leads, identity=identity)
    if web.mode != "http" and web.https_port == web.port:
        words = f"HTTPS needs a port of its own: {web.port} is that of HTTP"
        return Wanted(http=(web.host, web.port), problem=words)
    return Wanted(
        http=(web.host, web.port),
        https=None if web.mode == "http" else (web.host, web.https_port),
        leads=web.mode == "https",
        identity=identity,
    )


@dataclass(slots=True)
class _Open:
    """A door that is open, and the address it was opened for."""

    door: "Door"
    wanted: Address


class _Shown(Struct, frozen=True):
    """What is shown over TLS. wanted: for which wish; signed: by somebody else than ourselves."""

    wanted: Identity | None
    identity: Identity
    tls: "SSLContext"
    fingerprint: str
    signed: bool = False


class Page:
    """The web server of one device: its doors move while it runs, and are tried again where they
    cannot be opened. What works is not given up before what takes its place works.

    make_server is called when the module of the web server has been imported; own, in another
    thread, for the certificate of the device's own making, again when its end is near. tried: set
    once all is done that can be.
    """

    def __init__(
        self,
        context: Context,
        make_server: "Callable[[], WebServer]",
        own: Callable[[], Identity],
    ) -> None:
        self.tried = asyncio.Event()
        self._context = context
        self._make_server = make_server
        self._own = own
        self._wanted = Wanted()
        self._news = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._open: dict[Kind, _Open] = {}
        self._shown: _Shown | None = None
        self._looking: Handle | None = None
        self._unsubscribe = context.bus.subscribe(ClockSet, lambda _: self._look())
        self._told = ""

    def addresses(self, kind: Kind) -> list[Address]:
        """Where it is served at present."""
        return self._open[kind].door.addresses if kind in self._open else []

    @property
    def fingerprint(self) -> str:
        """Of the certificate that is shown, as browsers tell it; empty without HTTPS."""
        return self._shown.fingerprint if self._shown and "https" in self._open else ""

    def apply(self, wanted: Wanted) -> None:
        """Serve it so from now on."""
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._news.set()
        if self._running is None:
            work = supervise(self._context, "page", self._serve)
            self._running = asyncio.get_running_loop().create_task(work)
            self._look_again()

    async def aclose(self) -> None:
        self._unsubscribe()
        if self._looking is not None:
            self._looking.cancel()
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])

    async def _serve(self, works: Callable[[], None]) -> None:
        for module in ("server", "http"):  # calls do not wait for them
            await asyncio.to_thread(import_module, f"sipstrobe.web.{module}")
        server = self._make_server()
        delay = FIRST_DELAY
        try:
            while True:
                self._news.clear()
                wanted = self._wanted
                problems = await self._arrange(server, wanted)
                words = "; ".join([*problems, wanted.problem] if wanted.problem else problems)
                if words:
                    self._tell(words)
                else:
                    works()
                    self._told = ""
                self.tried.set()
                if await self._news_within(delay if problems else None):
                    delay = FIRST_DELAY
                else:
                    delay = min(2 * delay, LONGEST_DELAY)
        finally:
            self.tried.set()
            self._open.clear()
            await server.aclose()

    async def _news_within(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._news.wait()
        except TimeoutError:
            return False

    def _tell(self, problem: str) -> None:
        if problem == self._told:
            return  # it is tried again and again
        self._told = problem
        logger.warning("page: %s; it will be tried again", problem)
        with self._context.trace.input("service", "page", self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="page", working=False, problem=problem)
            )

    # --- our own certificate --------------------------------------------------------------------

    def _look_again(self) -> None:
        self._look()
        clock = self._context.clock
        self._looking = clock.call_at(clock.now() + LOOK_EVERY, self._look_again)

    def _look(self) -> None:
        if self._is_due():
            self._news.set()

    def _is_due(self) -> bool:
        now = self._context.clock.wall()
        return self._shown is not None and self._shown.identity.is_due(now)

    # --- one arrangement after the other --------------------------------------------------------

    async def _arrange(self, server: "WebServer", wanted: Wanted) -> list[str]:
        """Come as near to it as is possible now; what does not work, in words."""
        problems: list[str] = []
        if wanted.https is not None:
            problems += await self._choose(wanted.identity)
        addresses: dict[Kind, Address | None] = {
            "https": wanted.https if self._shown else None,
            "http": wanted.http,
        }
        for kind in KINDS:
            address = addresses[kind]
            if address is None or (kind in self._open and self._open[kind].wanted == address):
                continue
            try:
                await self._move(server, kind, address, wanted)
            except OSError as error:
                words = barred(error, address[1])
                problems.append(f"{kind.upper()} on port {address[1]}: {words}")
        for kind, it in self._open.items():
            it.door.change(self._entrance(kind, wanted))
        if any(addresses[kind] and self._serves(kind) for kind in KINDS):
            for kind in KINDS:
                if addresses[kind] is None and kind in self._open:
                    self._open.pop(kind).door.close()
        signed = self._shown is not None and self._shown.signed
        server.strict = wanted.leads and signed and not problems
        return problems

    async def _choose(self, wanted: Identity | None) -> list[str]:
        """Make ready what is to be shown; where that is of no use the last one goes on, or the
        device's own."""
        if self._shown is not None and self._shown.wanted == wanted and not self._is_due():
            return []
        try:
            self._shown = await asyncio.to_thread(self._prepare, wanted)
        except (ValueError, OSError) as error:
            if wanted is not None and (self._shown is None or self._is_due()):
                await self._choose(None)
            return [f"HTTPS: {error}"]
        return []

    def _prepare(self, wanted: Identity | None) -> _Shown:
        """Runs in another thread."""
        from sipstrobe.io.tls_server import server_context

        identity = wanted or self._own()
        tls = server_context(identity)
        signed = False
        if wanted is not None:
            from sipstrobe.io.x509 import is_self_signed

            signed = not is_self_signed(wanted)
        return _Shown(wanted, identity, tls, fingerprint(identity.certificate), signed)

    async def _move(
        self, server: "WebServer", kind: Kind, address: Address, wanted: Wanted
    ) -> None:
        """Open a door, and close the one that it takes the place of. Raises OSError."""
        same_port: list[Kind] = [
            k for k, it in self._open.items() if address[1] and it.wanted[1] == address[1]
        ]
        for other in same_port:
            self._open[other].door.shut()  # two cannot have it at once
        try:
            door = await server.open(*address, self._entrance(kind, wanted))
        except OSError:
            for other in same_port:
                await self._reopen(server, other)
            raise
        for other in KINDS:
            if other in self._open and (other == kind or other in same_port):
                self._open.pop(other).door.close()
        self._open[kind] = _Open(door, address)

    async def _reopen(self, server: "WebServer", kind: Kind) -> None:
        it = self._open[kind]
        try:
            it.door = await server.open(*it.wanted, it.door.entrance)
        except OSError:
            del self._open[kind]

    def _entrance(self, kind: Kind, wanted: Wanted) -> "Entrance":
        from sipstrobe.web.connections import Entrance

        tls = self._shown.tls if self._shown else None
        if kind == "https":
            return Entrance("encrypted", tls)
        if not wanted.leads:
            return Entrance("plain", tls)
        stays = self._serves("http") and not self._serves("https")
        return Entrance("plain" if stays else "nobody", tls)

    def _serves(self, kind: Kind) -> bool:
        """Whether it is open, and one can do more than be sent elsewhere."""
        return kind in self._open and self._open[kind].door.entrance.serves != "nobody"
