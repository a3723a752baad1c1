"""SIP's way to the network: listening sockets, connections, and our address as a peer sees it."""

import asyncio
import errno
import ipaddress
import logging
import socket
from collections.abc import Coroutine
from functools import lru_cache

from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.tcp import Handlers, TcpHub
from sipstrobe.io.udp import Endpoint as SocketAddress
from sipstrobe.io.udp import UdpSocket, local_address_for
from sipstrobe.machine import Driver
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.outputs import Output
from sipstrobe.sip.transport import Address, Flow, Transport

logger = logging.getLogger(__name__)

RETRY = 5.0  # seconds until a port that was taken is tried again
RESOLVE_LIMIT = 5.0  # seconds for a name
ROUTE_LIFE = 30.0  # seconds for which the routing table's answer is kept
MAX_FLOWS = 1024
MAX_RESOLVING = 64
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT)


class SipTransports:
    """Feed the endpoint with what arrives, and put on the wire what it wants to send."""

    def __init__(self, context: Context, driver: Driver[Output], endpoint: Endpoint) -> None:
        self.problem = ""
        self._context = context
        self._driver = driver
        self._endpoint = endpoint
        self._port: int | None = None
        self._udp: dict[int, UdpSocket] = {}  # by IP version
        self._hub: TcpHub | None = None
        self._flows: dict[tuple[Transport, SocketAddress], tuple[Flow, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()

    # --- listening ------------------------------------------------------------------------------

    def apply(self, port: int | None) -> None:
        """Listen on this port, UDP and TCP, IPv4 and IPv6; None: be deaf."""
        if port == self._port:
            return
        self._close()
        self._port = port
        if port is not None:
            self._open(port)

    async def ready(self) -> None:
        """Wait until the port is listened on, or could not be."""
        if self._listening is not None:
            await self._tried.wait()

    @property
    def addresses(self) -> list[str]:
        """What we listen on, for people: "UDP 5060 (IPv4, IPv6)"."""
        versions = ", ".join(f"IPv{v}" for v in sorted(self._udp))
        found = [f"UDP {self._port} ({versions})"] if self._udp else []
        return found + ([f"TCP {self._port} ({versions})"] if self._hub is not None else [])

    async def aclose(self) -> None:
        self._port = None
        self._close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _open(self, port: int) -> None:
        self._tried.clear()
        self._hub = hub = TcpHub(Handlers(self._chunk, self._closed, self._connect_failed))
        self._listening = self._spawn(self._listen(port, hub))

    async def _listen(self, port: int, hub: TcpHub) -> None:
        while True:
            problems = self._open_udp(port)
            for host in ("0.0.0.0", "::"):  # noqa: S104 - a phone listens to everybody
                try:
                    await hub.listen(host, port)
                except OSError as error:
                    if error.errno not in _NO_SUCH_FAMILY:
                        problems.append(f"TCP {port} on {host}: {error.strerror}")
            self._report("; ".join(problems))
            self._tried.set()
            if not problems:
                return
            await asyncio.sleep(RETRY)
            hub.stop_listening()

    def _open_udp(self, port: int) -> list[str]:
        problems: list[str] = []
        for version, host in ((4, "0.0.0.0"), (6, "::")):  # noqa: S104
            if version in self._udp:
                continue
            try:
                self._udp[version] = UdpSocket(
                    host, port, self._datagram, self._context.clock, failed=self._unreachable
                )
            except OSError as error:
                if error.errno not in _NO_SUCH_FAMILY:
                    problems.append(f"UDP {port} on {host}: {error.strerror}")
        return problems

    def _close(self) -> None:
        self._flows.clear()  # they name our port
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
        for udp in self._udp.values():
            udp.close()
        self._udp.clear()
        if self._hub is not None:
            self._spawn(self._hub.aclose())
            self._hub = None

    def _report(self, problem: str) -> None:
        if problem != self.problem or not problem:
            self.problem = problem
            if problem:
                logger.warning("cannot listen: %s; trying again every %g s", problem, RETRY)
            self._context.bus.publish(
                ServiceStateChanged(service="sip", working=not problem, problem=problem)
            )

    # --- receiving ------------------------------------------------------------------------------

    def _datagram(self, data: bytes, source: SocketAddress, received_at: float) -> None:
        words = f"{_first_line(data)} · UDP from {source[0]}:{source[1]}"
        with self._context.trace.input("datagram", words, received_at):
            flow = self._flow(Transport.UDP, source)
            if flow is not None:
                self._driver.feed(self._endpoint.receive, data, flow)

    def _chunk(
        self, data: bytes, connection: int, local: SocketAddress, remote: SocketAddress
    ) -> None:
        words = f"{_first_line(data)} · TCP from {remote[0]}:{remote[1]}"
        flow = Flow(
            Transport.TCP,
            Address(local[0], self._port or local[1]),
            Address(remote[0], remote[1]),
            connection,
        )
        with self._context.trace.input("stream", words, self._context.clock.now()):
            self._driver.feed(self._endpoint.receive_stream, data, flow)

    def _closed(self, connection: int) -> None:
        with self._context.trace.input(
            "stream", f"TCP connection {connection} closed", self._context.clock.now()
        ):
            self._driver.feed(self._endpoint.connection_closed, connection)

    def _unreachable(self, to: SocketAddress) -> None:
        self._fail(self._flow(Transport.UDP, to))

    def _connect_failed(self, to: SocketAddress) -> None:
        self._fail(self._flow(Transport.TCP, to))

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
        elif len(self._tasks) < MAX_RESOLVING:
            self._spawn(self._send_to_name(flow, data))

    def close_connection(self, connection: int) -> None:
        if self._hub is not None:
            self._hub.close_connection(connection)

    def flow_to(self, transport: Transport, host: str, port: int) -> Flow | None:
        """The way to a numeric address; None when the routing table knows none."""
        return self._flow(transport, (host, port))

    async def resolve(self, host: str, port: int) -> str:
        """The first address of a host name (RFC 3263 §4.2 without SRV). Raises OSError."""
        if _is_numeric(host):
            return host
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(RESOLVE_LIMIT):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        return str(found[0][4][0])

    def _send_to(self, flow: Flow, data: bytes, to: SocketAddress) -> None:
        if flow.transport is Transport.UDP:
            udp = self._udp.get(6 if ":" in to[0] else 4)
            sent = udp is not None and udp.send(data, to)
        else:
            sent = self._hub is not None and self._hub.send(data, to, flow.connection)
        if not sent:  # told from the loop: the endpoint may be in the middle of a step
            asyncio.get_running_loop().call_soon(self._fail, flow)

    async def _send_to_name(self, flow: Flow, data: bytes) -> None:
        try:
            host = await self.resolve(flow.remote.host, flow.remote.port)
        except OSError:
            self._fail(flow)
        else:
            self._send_to(flow, data, (host, flow.remote.port))

    def _flow(self, transport: Transport, remote: SocketAddress) -> Flow | None:
        """The way to a numeric address; one value for each, as long as the routes may hold."""
        now = self._context.clock.now()
        known = self._flows.get((transport, remote))
        if known is not None and now < known[1]:
            return known[0]
        try:
            local = local_address_for(remote[0])
        except OSError:
            return None
        if len(self._flows) >= MAX_FLOWS:
            self._flows.clear()
        flow = Flow(transport, Address(local, self._port or 0), Address(*remote))
        self._flows[transport, remote] = flow, now + ROUTE_LIFE
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
