"""SIP's way to the network: what arrives is fed to the endpoint, what it wants to send is sent."""

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from itertools import count
from pathlib import Path

from sipstrobe.context import Context
from sipstrobe.events import FloodNoticed
from sipstrobe.io.connection import Connection
from sipstrobe.io.names import Names, is_numeric
from sipstrobe.io.signalling import SignallingSocket
from sipstrobe.io.tcp import Handlers, TcpHub
from sipstrobe.io.udp import Endpoint as SocketAddress
from sipstrobe.io.udp import route_to
from sipstrobe.machine import Driver
from sipstrobe.services.certificates import Certificates
from sipstrobe.services.doors import Door, Doors
from sipstrobe.services.secure import TlsChannels, WebSocketChannels
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.message import MAX_MESSAGE_BYTES
from sipstrobe.sip.outputs import Output
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from sipstrobe.sip.uri import readable

logger = logging.getLogger(__name__)

RESOLVE_LIMIT = 5.0  # seconds for a name
ROUTE_LIFE = 30.0  # seconds for which the routing table's answer is kept
MAX_FLOWS = 1024
MAX_REASONS = 256  # why somebody could not be reached
MAX_RESOLVING = 16  # names that peers have given us, at once
_BEGINNING = re.compile(rb"SIP/2\.0 |[A-Z]+ sips?:")  # of a message


class SipTransports:
    """UDP, TCP, TLS, WebSocket and secure WebSocket, as the settings want them."""

    def __init__(
        self,
        context: Context,
        driver: Driver[Output],
        endpoint: Endpoint,
        needed: Callable[[int], bool],
        folder: Path | None = None,
    ) -> None:
        """needed: whether something still goes on over a port that is no longer wanted. folder:
        where a certificate of our own making is kept."""
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._settings: SipSettings | None = None
        self._certificates = Certificates(folder, context.clock.wall)
        numbers = count(1)
        channels = {
            Transport.TCP: None,
            Transport.TLS: TlsChannels(self._certificates),
            Transport.WS: WebSocketChannels(None, MAX_MESSAGE_BYTES),
            Transport.WSS: WebSocketChannels(self._certificates, MAX_MESSAGE_BYTES),
        }
        self._hubs = {
            transport: TcpHub(self._handlers(transport), channels=between, numbers=numbers)
            for transport, between in channels.items()
        }
        self._doors = Doors(context, self._hubs, self._open_udp, self._certificates.problem, needed)
        self._ways: dict[int, Flow] = {}  # of each connection on which something has come
        self._flows: dict[tuple[Transport, SocketAddress, str], tuple[Flow, float]] = {}
        self._from: dict[tuple[str, SocketAddress, int], Flow] = {}  # by which datagrams came
        self._reasons: dict[tuple[Transport, Address, str], str] = {}
        self._named: dict[tuple[Transport, SocketAddress, str], Flow] = {}  # what was looked up
        self._names = Names(MAX_RESOLVING)
        self._tasks: set[asyncio.Task[None]] = set()

    # --- settings -------------------------------------------------------------------------------

    def apply(self, settings: SipSettings | None) -> None:
        """Listen where and how these want it; None: be deaf. Connections that stand go on."""
        before, self._settings = self._settings, settings
        for known in (self._ways, self._flows, self._from):
            known.clear()
        anew = settings is not None and self._certificates.apply(settings.tls)
        if anew:  # a connection that was trusted before need not be any more
            self._hubs[Transport.TLS].renew()
            self._hubs[Transport.WSS].renew()
        wanted = _doors(settings)
        if anew or before is None or settings is None or wanted != _doors(before):
            self._doors.apply(wanted)

    async def ready(self) -> None:
        """Wait until every port is listened on, or could not be."""
        await self._doors.ready()

    @property
    def problem(self) -> str:
        """Why we do not listen everywhere, "" if we do."""
        return self._doors.problem

    @property
    def addresses(self) -> list[str]:
        """What we listen on, for people: "UDP 5060 (IPv4, IPv6)"."""
        return self._doors.in_words

    def connections(self) -> list[tuple[str, SocketAddress, bool]]:
        """Those that stand: transport, the other side, and whether it has opened it."""
        return [
            (transport.value, *one) for transport, hub in self._hubs.items() for one in hub.peers()
        ]

    def accepts(self, flow: Flow) -> bool:
        """Whether a new call that came this way is welcome."""
        return self._settings is not None and flow.local.port == self._port_of(flow.transport)

    async def aclose(self) -> None:
        self._settings = None
        await self._doors.aclose()
        for hub in self._hubs.values():
            await hub.aclose()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _open_udp(self, host: str, port: int) -> SignallingSocket:
        return SignallingSocket(
            host,
            port,
            partial(self._datagram, port),
            self._context.clock,
            failed=self._unreachable,
        )

    def _handlers(self, transport: Transport) -> Handlers:
        return Handlers(
            partial(self._chunk, transport),
            partial(self._closed, transport),
            partial(self._failed, transport),
        )

    # --- receiving ------------------------------------------------------------------------------

    def _datagram(
        self, port: int, data: bytes, source: SocketAddress, came_to: str, received_at: float
    ) -> None:
        if not self._endpoint.limits.admit(source[0], data, now=received_at):
            self._tell_floods()
            return
        words = f"{_first_line(data)} · UDP from {source[0]}:{source[1]}"
        with self._context.trace.input("datagram", words, received_at):
            flow = self._way_of(came_to, source, port)
            if flow is not None:
                self._driver.feed(self._endpoint.receive, data, flow, received_at=received_at)

    def _chunk(self, transport: Transport, data: bytes, connection: Connection) -> None:
        flow = self._ways.get(connection.number) or self._know(transport, connection)
        begun = _BEGINNING.match(data)  # else it is a piece of anything, such as keys in a body
        what = _first_line(data) if begun else f"{len(data)} bytes"
        words = f"{what} · {transport} from {flow.remote}"
        with self._context.trace.input("stream", words, self._context.clock.now()):
            self._driver.feed(self._endpoint.receive_stream, data, flow)
        self._tell_floods()

    def _tell_floods(self) -> None:
        """Publish which sources are being slowed down."""
        noticed = self._endpoint.limits.noticed
        while noticed:
            flood = noticed.popleft()
            words = f"too many {flood.what} from {flood.address}"
            logger.warning("%s: some are dropped", words)
            with self._context.trace.input("network", words, self._context.clock.now()):
                self._context.bus.publish(FloodNoticed(address=flood.address, kind=flood.what))

    def _know(self, transport: Transport, connection: Connection) -> Flow:
        """The way that a connection is; it works."""
        host, port = connection.local
        if not self._doors.is_open(Door(transport, port)):
            port = self._port_of(transport)  # a connection that we have opened comes from any
        remote = Address(*connection.remote)
        self._reasons.pop((transport, remote, connection.name), None)
        flow = Flow(transport, Address(host, port), remote, connection.number, connection.name)
        self._ways[connection.number] = flow
        return flow

    def _closed(self, transport: Transport, connection: int) -> None:
        self._ways.pop(connection, None)
        words = f"{transport} connection {connection} closed"
        with self._context.trace.input("stream", words, self._context.clock.now()):
            self._driver.feed(self._endpoint.connection_closed, connection)

    # --- what cannot be reached -----------------------------------------------------------------

    def reason(self, flow: Flow) -> str:
        """Why somebody could not be reached when last tried, for people: "its certificate expired
        on 2024-02-29"; "" if that is not known."""
        return self._reasons.get((flow.transport, flow.remote, flow.server_name), "")

    def _unreachable(self, to: SocketAddress) -> None:
        self._fail(self._flow(Transport.UDP, to, ""), "there is nobody at this port")

    def _failed(self, transport: Transport, to: SocketAddress, name: str, reason: str) -> None:
        asked = self._named.pop((transport, to, name), None)
        if asked is not None:
            self._fail(asked, reason)
        self._fail(self._flow(transport, to, name), reason)

    def _fail(self, flow: Flow | None, reason: str) -> None:
        if flow is None:
            return
        self._reasons[flow.transport, flow.remote, flow.server_name] = reason
        if len(self._reasons) > MAX_REASONS:
            del self._reasons[next(iter(self._reasons))]
        words = f"{flow.transport} {flow.remote} cannot be reached: {reason}"
        with self._context.trace.input("network", words, self._context.clock.now()):
            self._driver.feed(self._endpoint.send_failed, flow, why=reason)

    # --- sending --------------------------------------------------------------------------------

    def send(self, flow: Flow, data: bytes) -> None:
        if is_numeric(flow.remote.host):
            self._send_to(flow, data, (flow.remote.host, flow.remote.port), flow.server_name)
        else:
            self._spawn(self._send_to_name(flow, data))

    def close_connection(self, connection: int) -> None:
        for hub in self._hubs.values():
            hub.close_connection(connection)

    def flow_to(
        self, transport: Transport, host: str, port: int, *, server_name: str = ""
    ) -> Flow | None:
        """The way to a numeric address; None when the routing table knows none.

        server_name: the domain that it was found by; what is shown over TLS must be for it.
        """
        named = "" if transport in (Transport.UDP, Transport.TCP) else server_name
        return self._flow(transport, (host, port), "" if is_numeric(named) else named)

    def network_changed(self, lost: Iterable[str]) -> None:
        """Look up all routes anew, and give up what came from addresses that are lost."""
        self._flows.clear()
        for hub in self._hubs.values():
            for host in lost:
                hub.close_from(host)

    def _send_to(self, flow: Flow, data: bytes, to: SocketAddress, name: str) -> None:
        if flow.transport is Transport.UDP:
            udp = self._doors.udp.get((flow.local.port, 6 if ":" in to[0] else 4))
            sent = udp is not None and udp.send_from(flow.local.host, data, to)
        else:
            hub, source = self._hubs[flow.transport], flow.local.host
            sent = hub.send(data, to, flow.connection, name=name, source=source)
        if not sent:  # told from the loop: the phone may be in the middle of a step
            why = "nothing more can be sent there"
            asyncio.get_running_loop().call_soon(self._fail, flow, why)

    async def _send_to_name(self, flow: Flow, data: bytes) -> None:
        host, port = flow.remote.host, flow.remote.port
        try:
            async with asyncio.timeout(RESOLVE_LIMIT):
                address, *_ = await self._names.addresses(host)
        except OSError:
            self._fail(flow, f"the name {host} could not be looked up")
            return
        secured = flow.transport not in (Transport.UDP, Transport.TCP)
        name = (flow.server_name or host) if secured else ""
        self._named[flow.transport, (address, port), name] = flow
        if len(self._named) > MAX_FLOWS:
            del self._named[next(iter(self._named))]
        self._send_to(flow, data, (address, port), name)

    # --- ways -----------------------------------------------------------------------------------

    def _port_of(self, transport: Transport) -> int:
        """The port of ours that others see over this transport."""
        port = self._settings.port_of(transport) if self._settings is not None else None
        return port or transport.usual_port

    def _way_of(self, came_to: str, source: SocketAddress, port: int) -> Flow | None:
        """By which datagrams came from this source to this address and port of ours."""
        known = self._from.get((came_to, source, port))
        if known is None:
            if not came_to:
                return self._flow(Transport.UDP, source, "")
            known = Flow(Transport.UDP, Address(came_to, port), Address(*source))
            if len(self._from) >= MAX_FLOWS:
                self._from.clear()
            self._from[came_to, source, port] = known
        return known

    def _flow(self, transport: Transport, remote: SocketAddress, name: str) -> Flow | None:
        """The way to a numeric address; one value for each, as long as the routes may hold."""
        now = self._context.clock.now()
        known = self._flows.get((transport, remote, name))
        if known is not None and now < known[1]:
            return known[0]
        try:
            local, mtu = route_to(remote[0])
        except OSError:
            return None
        if len(self._flows) >= MAX_FLOWS:
            self._flows.clear()
        self._endpoint.learn_mtu(remote[0], mtu)
        ours = Address(local, self._port_of(transport))
        flow = Flow(transport, ours, Address(*remote), server_name=name)
        self._flows[transport, remote, name] = flow, now + ROUTE_LIFE
        return flow

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _doors(settings: SipSettings | None) -> frozenset[Door]:
    if settings is None:
        return frozenset()
    ports = ((transport, settings.port_of(transport)) for transport in Transport)
    return frozenset(Door(transport, port) for transport, port in ports if port is not None)


def _first_line(data: bytes) -> str:
    return readable(data[:80].split(b"\r\n", 1)[0].decode("latin-1"))
