"""SIP's way to the network: listening sockets, connections, and our address as a peer sees it."""

import asyncio
import errno
import ipaddress
import logging
import os
from collections.abc import Callable, Coroutine, Iterable
from functools import lru_cache, partial

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import FloodNoticed, ServiceStateChanged
from sipstrobe.io.connection import Connection
from sipstrobe.io.names import Names
from sipstrobe.io.tcp import Handlers, TcpHub
from sipstrobe.io.udp import Endpoint as SocketAddress
from sipstrobe.io.udp import UdpSocket, local_address_for
from sipstrobe.machine import Driver
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import Output
from sipstrobe.sip.transport import Address, Flow, Transport

logger = logging.getLogger(__name__)

RETRY = 5.0  # seconds until a port that was taken is tried again
TIDY = 1.0  # seconds from one look at ports that calls still need to the next
RESOLVE_LIMIT = 5.0  # seconds for a name
ROUTE_LIFE = 30.0  # seconds for which the routing table's answer is kept
MAX_FLOWS = 1024
MAX_RESOLVING = 16  # names that peers have given us, at once
MAX_RESOLVING_FOR_US = 64  # names that we are to call
_ANY = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - a phone listens to everybody; by IP version
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


class SipTransports:
    """Feed the endpoint with what arrives, and put on the wire what it wants to send.

    A port that is no longer wanted stays open for the calls that peers know it by, and closes after
    the last of them; new calls are not taken there.
    """

    def __init__(
        self,
        context: Context,
        driver: Driver[Output],
        endpoint: Endpoint,
        needed: Callable[[int], bool],
    ) -> None:
        """needed: whether something still goes on over a port that is no longer wanted."""
        self.problem = ""
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._needed = needed
        self._port: int | None = None
        self._open: set[int] = set()  # the port that is wanted, and those that linger
        self._udp: dict[tuple[int, int], UdpSocket] = {}  # by port and IP version
        self._tcp: set[tuple[int, int]] = set()  # those on which we accept connections
        self._hub = TcpHub(Handlers(self._chunk, self._closed, self._connect_failed))
        self._flows: dict[tuple[Transport, SocketAddress, int], tuple[Flow, float]] = {}
        self._names = Names(MAX_RESOLVING)
        self._our_names = Names(MAX_RESOLVING_FOR_US)
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self._tidying: Handle | None = None
        self._tried = asyncio.Event()

    # --- listening ------------------------------------------------------------------------------

    def apply(self, port: int | None) -> None:
        """Listen on this port, UDP and TCP, IPv4 and IPv6; None: be deaf."""
        if port == self._port:
            return
        self._give_up_listening()
        self._port = port
        if port is None:
            self._report("")
        else:
            self._tried.clear()
            self._open.add(port)
            self._listening = self._spawn(self._listen(port))
        self._tidy()

    async def ready(self) -> None:
        """Wait until the port is listened on, or could not be."""
        if self._listening is not None:
            await self._tried.wait()

    @property
    def addresses(self) -> list[str]:
        """What we listen on, for people: "UDP 5060 (IPv4, IPv6)"."""
        found: list[str] = []
        for name, places in (("UDP", self._udp), ("TCP", self._tcp)):
            versions = sorted(version for port, version in places if port == self._port)
            if versions:
                words = ", ".join(f"IPv{version}" for version in versions)
                found.append(f"{name} {self._port} ({words})")
        return found

    def accepts(self, flow: Flow) -> bool:
        """Whether a new call that came this way is welcome."""
        return flow.local.port == self._port

    async def aclose(self) -> None:
        self._give_up_listening()
        self._port = None
        for port in list(self._open):
            self._close(port)
        if self._tidying is not None:
            self._tidying.cancel()
        await self._hub.aclose()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self, port: int) -> None:
        while True:
            self._stop_accepting(port)
            problems = [*self._open_udp(port), *await self._open_tcp(port)]
            with self._context.trace.input(
                "network", f"listening on port {port}", self._context.clock.now()
            ):
                self._report("; ".join(problems))
            self._tried.set()
            if not problems:
                return
            await asyncio.sleep(RETRY)

    def _open_udp(self, port: int) -> list[str]:
        problems: list[str] = []
        for version, host in _ANY.items():
            if (port, version) in self._udp:
                continue
            try:
                self._udp[port, version] = UdpSocket(
                    host,
                    port,
                    partial(self._datagram, port),
                    self._context.clock,
                    failed=partial(self._unreachable, port),
                )
            except OSError as error:
                if error.errno not in _NO_SUCH_FAMILY:
                    problems.append(f"UDP {port} on {host}: {error.strerror}")
        return problems

    async def _open_tcp(self, port: int) -> list[str]:
        problems: list[str] = []
        for version, host in _ANY.items():
            try:
                await self._hub.listen(host, port)
            except OSError as error:
                if error.errno not in _NO_SUCH_FAMILY:
                    problems.append(f"TCP {port} on {host}: {os.strerror(error.errno or 0)}")
            else:
                self._tcp.add((port, version))
        return problems

    def _give_up_listening(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None

    def _tidy(self) -> None:
        """Close the ports that are neither wanted nor needed."""
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        for port in self._open - {self._port}:
            if not self._needed(port):
                self._close(port)
        if self._open - {self._port}:
            clock = self._context.clock
            self._tidying = clock.call_at(clock.now() + TIDY, self._tidy)
        elif self._port is None:
            self._hub.close()

    def _close(self, port: int) -> None:
        self._stop_accepting(port)
        self._open.discard(port)
        for version in _ANY:
            if udp := self._udp.pop((port, version), None):
                udp.close()

    def _stop_accepting(self, port: int) -> None:
        self._hub.stop_listening(port)
        self._tcp -= {(port, version) for version in _ANY}

    def _report(self, problem: str) -> None:
        if problem != self.problem or not problem:
            self.problem = problem
            if problem:
                logger.warning("cannot listen: %s; trying again every %g s", problem, RETRY)
            self._context.bus.publish(
                ServiceStateChanged(service="sip", working=not problem, problem=problem)
            )

    # --- receiving ------------------------------------------------------------------------------

    def _datagram(self, port: int, data: bytes, source: SocketAddress, received_at: float) -> None:
        if not self._endpoint.limits.admit(source[0], data, now=received_at):
            self._tell_floods()
            return
        words = f"{_first_line(data)} · UDP from {source[0]}:{source[1]}"
        with self._context.trace.input("datagram", words, received_at):
            flow = self._flow(Transport.UDP, source, port)
            if flow is not None:
                self._driver.feed(self._endpoint.receive, data, flow, received_at=received_at)

    def _chunk(self, data: bytes, connection: Connection) -> None:
        local, remote = connection.local, connection.remote
        words = f"{_first_line(data)} · TCP from {remote[0]}:{remote[1]}"
        # Where others can connect to; a connection that we have opened comes from any port.
        port = local[1] if local[1] in self._open else self._port or local[1]
        flow = Flow(
            Transport.TCP, Address(local[0], port), Address(remote[0], remote[1]), connection.number
        )
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

    def _closed(self, connection: int) -> None:
        with self._context.trace.input(
            "stream", f"TCP connection {connection} closed", self._context.clock.now()
        ):
            self._driver.feed(self._endpoint.connection_closed, connection)

    def _unreachable(self, port: int, to: SocketAddress) -> None:
        self._fail(self._flow(Transport.UDP, to, port))

    def _connect_failed(self, to: SocketAddress, name: str, reason: str) -> None:
        self._fail(self._flow(Transport.TCP, to, self._port))

    def _fail(self, flow: Flow | None) -> None:
        if flow is None:
            return
        words = f"{flow.transport} {flow.remote} cannot be reached"
        with self._context.trace.input("network", words, self._context.clock.now()):
            self._driver.feed(self._endpoint.send_failed, flow)

    # --- sending --------------------------------------------------------------------------------

    def send(self, flow: Flow, data: bytes) -> None:
        if _is_numeric(flow.remote.host):
            self._send_to(flow, data, (flow.remote.host, flow.remote.port))
        else:
            self._spawn(self._send_to_name(flow, data))

    def close_connection(self, connection: int) -> None:
        self._hub.close_connection(connection)

    def flow_to(self, transport: Transport, host: str, port: int) -> Flow | None:
        """The way to a numeric address; None when the routing table knows none."""
        return self._flow(transport, (host, port), self._port)

    def network_changed(self, lost: Iterable[str]) -> None:
        """Look up all routes anew, and give up what came from addresses that are lost."""
        self._flows.clear()
        for host in lost:
            self._hub.close_from(host)

    async def resolve(self, host: str, port: int) -> str:
        """The address of somebody whom we are to call. Raises OSError."""
        if _is_numeric(host):
            return host
        async with asyncio.timeout(RESOLVE_LIMIT):
            return await self._our_names.first_address(host, port)

    def _send_to(self, flow: Flow, data: bytes, to: SocketAddress) -> None:
        if flow.transport is Transport.UDP:
            udp = self._udp.get((flow.local.port, 6 if ":" in to[0] else 4))
            sent = udp is not None and udp.send(data, to)
        else:
            sent = self._hub.send(data, to, flow.connection)
        if not sent:
            self._fail_soon(flow)

    async def _send_to_name(self, flow: Flow, data: bytes) -> None:
        try:
            async with asyncio.timeout(RESOLVE_LIMIT):
                host = await self._names.first_address(flow.remote.host, flow.remote.port)
        except OSError:
            self._fail(flow)
        else:
            self._send_to(flow, data, (host, flow.remote.port))

    def _fail_soon(self, flow: Flow) -> None:
        """Told from the loop: the phone may be in the middle of a step."""
        asyncio.get_running_loop().call_soon(self._fail, flow)

    def _flow(self, transport: Transport, remote: SocketAddress, port: int | None) -> Flow | None:
        """The way to a numeric address; one value for each, as long as the routes may hold."""
        now, port = self._context.clock.now(), port or 0
        known = self._flows.get((transport, remote, port))
        if known is not None and now < known[1]:
            return known[0]
        try:
            local = local_address_for(remote[0])
        except OSError:
            return None
        if len(self._flows) >= MAX_FLOWS:
            self._flows.clear()
        flow = Flow(transport, Address(local, port), Address(*remote))
        self._flows[transport, remote, port] = flow, now + ROUTE_LIFE
        return flow

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


@lru_cache(MAX_FLOWS)
def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _first_line(data: bytes) -> str:
    return data[:80].split(b"\r\n", 1)[0].decode("latin-1")
