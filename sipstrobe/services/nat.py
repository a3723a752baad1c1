"""Help with address translation: which servers there are, whether they answer, and what way the
media of each call takes.

Publishes: ServiceStateChanged for "nat".
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.names import Names
from sipstrobe.io.tls_client import client_context
from sipstrobe.io.udp import Endpoint, PortPairs, UdpSocket
from sipstrobe.services.component import Component
from sipstrobe.services.media_path import MAX_ADDRESSES, MediaPath, Plan
from sipstrobe.services.relay import RelayServer
from sipstrobe.services.router import Router
from sipstrobe.sip.settings import NatSettings, SipSettings, TlsSettings, TurnServer
from sipstrobe.sip.transport import Flow

logger = logging.getLogger(__name__)

LOOK_AGAIN: Final = 300.0  # seconds from one look at servers that answer to the next
LOOK_SOON: Final = 30.0  # the same while one does not
LOOK_LIMIT: Final = 8.0  # seconds for a look at one server
STUN_PORT, STUNS_PORT = 3478, 5349  # RFC 8489 §18.6
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - by IP version


class ServerSnapshot(Struct, frozen=True, kw_only=True):
    """One server as it was seen last. milliseconds: until it had answered; address: what it says
    of us, or the relay that it lent; problem: why it is of no use, empty when it is."""

    kind: str  # "STUN", "TURN" or "UPnP"
    server: str
    milliseconds: float | None = None
    address: str = ""
    problem: str = ""


class NatSnapshot(Struct, frozen=True, kw_only=True):
    """public: our address as others see it, empty while it is not known."""

    public: str
    servers: tuple[ServerSnapshot, ...]


class _Place(Struct, frozen=True):
    """A server of the settings, and where it is by IP version."""

    name: str
    host: str
    addresses: dict[int, Endpoint]


class Nat:
    """Servers, and paths for calls that use them."""

    def __init__(self, context: Context, routed: Callable[[Endpoint | None], None]) -> None:
        """routed: told where a router lets others in to our SIP port."""
        self._context = context
        self._routed = routed
        self._settings = NatSettings()
        self._tls = TlsSettings()
        self._names = Names(8)
        self._stun: _Place | None = None
        self._turn: tuple[tuple[TurnServer, _Place], ...] = ()
        self._known = asyncio.Event()  # where the servers are, as far as that can be found
        self._seen: dict[tuple[str, str], ServerSnapshot] = {}
        self._sip_port = 0
        self._router: Router | None = None
        self._looking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._context_of_tls: ssl.SSLContext | None = None

    # --- settings and life ----------------------------------------------------------------------

    def apply(self, wanted: SipSettings) -> None:
        """Bring settings into effect; calls go on as they are."""
        settings = wanted.nat if wanted.enabled else NatSettings()
        self._use_router(settings.upnp, wanted.port)
        if (settings, wanted.tls) == (self._settings, self._tls):
            return
        self._settings, self._tls = settings, wanted.tls
        self._context_of_tls = None
        self._stun, self._turn = None, ()
        self._known.clear()
        self._seen.clear()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        if settings.stun or settings.turn or settings.ice:
            self._looking = self._spawn(self._look_on())
        else:
            self._known.set()
            self._report()

    async def aclose(self) -> None:
        """Stop looking; what ends beside the loop is waited for."""
        if self._looking is not None:
            self._looking.cancel()
        self._use_router(False, 0)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def snapshot(self) -> NatSnapshot:
        router = self._router
        servers = (*self._seen.values(), *([_seen(router)] if router is not None else ()))
        public = next((s.address for s in servers if s.kind != "TURN" and s.address), "")
        return NatSnapshot(public=public.rpartition(":")[0] or public, servers=servers)

    # --- calls ----------------------------------------------------------------------------------

    @property
    def wanted(self) -> bool:
        """Whether calls have something to prepare."""
        settings = self._settings
        return settings.ice or settings.stun or settings.turn or settings.upnp

    def path(self, flow: Flow, ports: PortPairs) -> MediaPath | None:
        """The way for the media of a call; None when the settings want no help."""
        if not self.wanted:
            return None
        host = flow.local.host
        return MediaPath(
            self._context, ports, host, flow.remote.host, partial(self._plan, host), self._tasks
        )

    async def _plan(self, host: str) -> Plan:
        """What helps a call from this address of ours, once it is known where the servers are."""
        await self._known.wait()
        version = 6 if ":" in host else 4
        return Plan(
            stun=self._stun.addresses.get(version) if self._stun is not None else None,
            relays=tuple(self._relays(version)),
            router=self._router if version == 4 else None,
            addresses=_addresses(host) if self._settings.ice else (),
        )

    def _relays(self, version: int) -> list[RelayServer]:
        """Those that have answered when they were looked at first; the others may have come back
        meanwhile."""
        found = [
            self._relay_server(server, place, place.addresses[version])
            for server, place in self._turn
            if version in place.addresses
        ]
        return sorted(found, key=lambda one: bool(self._problem_of("TURN", one.name)))

    # --- the router -----------------------------------------------------------------------------

    def _use_router(self, wanted: bool, port: int) -> None:
        if self._router is not None and not (wanted and port == self._sip_port):
            self._spawn(self._router.aclose())
            self._router = None
            self._routed(None)
        if wanted and self._router is None:
            self._sip_port = port
            self._router = Router(self._context, port, self._router_changed)

    def _router_changed(self) -> None:
        if self._router is not None:
            self._routed(self._router.public)
            self._report()

    # --- looking at servers ---------------------------------------------------------------------

    async def _look_on(self) -> None:
        if self._settings.ice:
            # Imported beside the loop, which it would hold up.
            await asyncio.to_thread(__import__, "sipstrobe.io.ice")
        while True:
            await self._look()
            bad = any(server.problem for server in self._seen.values())
            await asyncio.sleep(LOOK_SOON if bad else LOOK_AGAIN)

    async def _look(self) -> None:
        settings = self._settings
        servers = settings.turn_servers if settings.turn else ()
        wanted = [("TURN", one.address, _usual_port(one)) for one in servers]
        if settings.stun:
            wanted.append(("STUN", settings.stun_server, STUN_PORT))
        places = list(await asyncio.gather(*(self._find(*one) for one in wanted)))
        self._stun = (places.pop() if settings.stun else None) or self._stun
        found = [(s, place) for s, place in zip(servers, places, strict=True) if place is not None]
        self._turn = tuple(found) or self._turn
        self._known.set()
        judging = [self._judge("TURN", place, self._borrower(s, place)) for s, place in found]
        if settings.stun and self._stun is not None:
            judging.append(self._judge("STUN", self._stun, self._ask))
        await asyncio.gather(*judging)
        self._report()

    async def _find(self, kind: str, written: str, usual_port: int) -> _Place | None:
        host, port = _host_port(written, usual_port)
        try:
            found = await self._names.addresses(host)
        except OSError as error:
            words = f"the {kind} server {written}: {error}"
            self._seen[kind, written] = ServerSnapshot(kind=kind, server=written, problem=words)
            return None
        addresses = {6 if ":" in one else 4: (one, port) for one in reversed(found)}
        return _Place(written, host, addresses)

    async def _judge(
        self,
        kind: str,
        place: _Place,
        ask: Callable[[Component, Endpoint], Coroutine[object, object, tuple[float, Endpoint]]],
    ) -> None:
        """Ask a server for what calls ask it for."""
        version, address = next(iter(sorted(place.addresses.items())))
        component = Component(self._context, 1, lambda data, source, at: None)
        seen = ServerSnapshot(kind=kind, server=place.name)
        try:
            component.attach(
                UdpSocket(_ANY[version], 0, component.from_socket, self._context.clock)
            )
        except OSError as error:
            self._seen[kind, place.name] = replace(seen, problem=f"{kind}: {error.strerror}")
            return
        try:
            async with asyncio.timeout(LOOK_LIMIT):
                after, found = await ask(component, address)
            words = f"[{found[0]}]:{found[1]}" if ":" in found[0] else f"{found[0]}:{found[1]}"
            seen = replace(seen, milliseconds=after * 1000, address=words)
        except TimeoutError:
            problem = component.problem or f"the {kind} server {place.name} does not answer"
            seen = replace(seen, problem=problem)
        finally:
            component.close()
        self._seen[kind, place.name] = seen

    async def _ask(self, component: Component, server: Endpoint) -> tuple[float, Endpoint]:
        """Raises TimeoutError when nothing was learnt."""
        after = await component.learn(server)
        if after is None or component.mapped is None:
            raise TimeoutError
        return after, component.mapped

    def _borrower(
        self, server: TurnServer, place: _Place
    ) -> Callable[[Component, Endpoint], Coroutine[object, object, tuple[float, Endpoint]]]:
        async def borrow(component: Component, address: Endpoint) -> tuple[float, Endpoint]:
            relay = await component.borrow(self._relay_server(server, place, address))
            if relay is None or relay.address is None:
                raise TimeoutError
            return relay.after, relay.address

        return borrow

    def _relay_server(self, server: TurnServer, place: _Place, address: Endpoint) -> RelayServer:
        secure = server.transport == "tls"
        return RelayServer(
            name=place.name,
            host=place.host,
            address=address,
            transport=server.transport,
            user=server.user,
            password=server.password,
            tls=self._tls_context() if secure else None,
        )

    def _tls_context(self) -> ssl.SSLContext:
        """As the settings of TLS want it for all accounts."""
        if self._context_of_tls is None:
            made = client_context(self._tls.authorities, verify=self._tls.verify)
            if self._tls.versions == "1.2":
                made.maximum_version = ssl.TLSVersion.TLSv1_2
            elif self._tls.versions == "1.3":
                made.minimum_version = ssl.TLSVersion.TLSv1_3
            self._context_of_tls = made
        return self._context_of_tls

    def _problem_of(self, kind: str, name: str) -> str:
        seen = self._seen.get((kind, name))
        return "" if seen is None else seen.problem

    def _report(self) -> None:
        problem = "; ".join(one.problem for one in self.snapshot().servers if one.problem)
        with self._context.trace.input("network", "NAT servers", self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="nat", working=not problem, problem=problem)
            )

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _seen(router: Router) -> ServerSnapshot:
    return ServerSnapshot(
        kind="UPnP",
        server=router.name,
        milliseconds=None if router.seconds is None else router.seconds * 1000,
        address=router.external,
        problem=router.problem,
    )


def _addresses(host: str) -> tuple[str, ...]:
    """Our own addresses of the family, the one on the way to the peer first (RFC 8445 §5.1.1.1);
    calls within the machine stay within it."""
    from sipstrobe.io.ice import local_addresses

    if host in ("127.0.0.1", "::1"):
        return (host,)
    others = (one for one in local_addresses(6 if ":" in host else 4) if one != host)
    return (host, *others)[:MAX_ADDRESSES]


def _usual_port(server: TurnServer) -> int:
    return STUNS_PORT if server.transport == "tls" else STUN_PORT


def _host_port(written: str, usual_port: int) -> tuple[str, int]:
    """``stun.example:3478``, ``[2001:db8::1]``."""
    host, colon, port = written.rpartition(":")
    if not colon or written.endswith("]"):
        host, port = written, str(usual_port)
    return host.strip("[]"), int(port)
