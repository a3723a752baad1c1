"""TCP connections of one protocol: those that come, those that we open, each with a number."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Protocol

from sipstrobe.errors import SipstrobeError
from sipstrobe.io.connection import Channel, Connection
from sipstrobe.io.udp import Endpoint, family_of
from sipstrobe.sources import source_of

BACKLOG = 256  # connections that the kernel keeps until we take them …
ACCEPTED_AT_ONCE = 8  # … in one go; then others on the loop have their turn
MAX_CONNECTIONS = 1024  # then the one that has come and been silent longest makes room
MAX_FROM_ONE = 256  # the same for those of one source, so that it pushes out nobody else
MAX_HANDSHAKES = 128  # unfinished ones of those that come; then the oldest makes room
MAX_HANDSHAKES_FROM_ONE = 16  # the same for those of one source
HANDSHAKE_EVERY = 0.05  # seconds of one source after as many at once; one costs us up to 4 ms
MAX_CONNECTING = 128
CONNECT_LIMIT = 8.0  # seconds
SILENT_LIMIT = 60.0  # seconds for the first word of those that come
PARTIAL_LIMIT = 30.0  # seconds for a message of a protocol that has messages
IDLE_LIMIT = 7200.0  # seconds without a word; longer than calls last
SWEEP = 15.0  # seconds from one look at idle connections to the next
READ_BYTES = 4096  # at once: no more than 2 ms of small messages; then others have their turn

_REFUSED = "it refuses the connection"
_WORDS = {
    errno.ECONNREFUSED: _REFUSED,
    errno.ECONNRESET: _REFUSED,
    errno.EHOSTUNREACH: "it cannot be reached",
    errno.ENETUNREACH: "there is no way to it",
    errno.ETIMEDOUT: "it does not answer",
}
_NO_WAY_FROM_THERE = (errno.EADDRNOTAVAIL, errno.EINVAL, errno.ENETUNREACH)


class Channels(Protocol):
    """Makes what lies between connections and what is said on them."""

    async def accept(self) -> Channel:
        """Raises SipstrobeError when nobody can be let in."""
        ...

    async def connect(self, name: str, remote: Endpoint) -> Channel:
        """name: whom the other side must prove to be, "" for its address."""
        ...


@dataclass(slots=True)
class Handlers:
    """received(chunk, connection) · closed(number) · failed(remote, name, reason).

    failed: there is nobody, or nobody who says anything before the connection is gone again, or
    not the one whom we want; reason: words for people about the peer.
    """

    received: Callable[[bytes, Connection], None]
    closed: Callable[[int], None]
    failed: Callable[[Endpoint, str, str], None]


class TcpHub:
    """All connections of one protocol; used again for the same remote address (RFC 5923), and over
    TLS for the same name, since a certificate proves no other; those that come prove nothing."""

    def __init__(
        self,
        handlers: Handlers,
        *,
        channels: Channels | None = None,
        numbers: Iterator[int] | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        """numbers: where the connections get theirs from, if several hubs share them."""
        self.handlers = handlers
        self.displaced = 0  # connections that have made room for others
        self.buffer = memoryview(bytearray(READ_BYTES))
        self._channels = channels
        self._max_connections = max_connections
        # In each, the one silent longest comes first.
        self._connections: dict[int, Connection] = {}
        self._from: dict[str, dict[int, Connection]] = {}  # by source
        self._handshakes_due: dict[str, float] = {}  # when a source may begin the next one
        self._unfinished: dict[int, Connection] = {}
        self._by_remote: dict[tuple[Endpoint, str], Connection] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._preparing: set[asyncio.Task[None]] = set()
        self._servers: list[tuple[int, asyncio.Server]] = []
        self._numbers = numbers or count(1)
        self._sweeping: asyncio.TimerHandle | None = None

    async def listen(self, host: str, port: int) -> None:
        """Accept connections on (host, port). Raises OSError when the address cannot be had."""
        line = _bound(host, port)
        try:
            server = await asyncio.get_running_loop().create_server(
                lambda: Connection(self, next(self._numbers), None),
                sock=line,
                backlog=ACCEPTED_AT_ONCE,
                start_serving=False,
            )
        except BaseException:
            line.close()
            raise
        self._servers.append((port, server))
        try:
            await server.start_serving()
            line.listen(BACKLOG)
        except (OSError, asyncio.CancelledError):
            self._servers.remove((port, server))
            server.close()
            raise

    def send(
        self,
        data: bytes,
        to: Endpoint,
        connection: int | None = None,
        *,
        name: str = "",
        source: str = "",
    ) -> bool:
        """Send on this connection, else on one to this address, which is opened if need be.

        name: whom the other side must prove to be. source: our address for a new connection, if
        there is a way from it. False when the peer does not read what it is sent, or too many
        connections are being opened.
        """
        known = self._connections.get(connection) if connection is not None else None
        if known is None or known.closing:
            known = self._by_remote.get((to, name))
        if known is None or known.closing:
            if len(self._connecting) >= MAX_CONNECTING:
                return False
            known = Connection(self, next(self._numbers), to, name=name)
            self._by_remote[to, name] = known
            self._spawn(self._connect(known, source), self._connecting)
        return known.write(data)

    def renew(self) -> None:
        """What comes next to an address goes over a new connection; those that stand go on for
        whoever names them."""
        self._by_remote.clear()

    def close_connection(self, connection: int) -> None:
        known = self._connections.get(connection)
        if known is not None:
            known.close()

    def close_from(self, host: str) -> None:
        """End all connections from this address of ours, which nothing leads to any more."""
        for known in list(self._connections.values()):
            if known.local[0] == host:
                known.close()

    def stop_listening(self, port: int) -> None:
        """Accept no more connections there; those that stand go on."""
        for server in [server for at, server in self._servers if at == port]:
            server.close()
        self._servers = [(at, server) for at, server in self._servers if at != port]

    def close(self) -> None:
        """Accept nothing, and end every connection once it has sent what waits."""
        for port, _ in list(self._servers):
            self.stop_listening(port)
        for connection in list(self._connections.values()):
            connection.close()
        for task in (*self._connecting, *self._preparing):
            task.cancel()
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    async def aclose(self) -> None:
        self.close()
        await asyncio.gather(*self._connecting, *self._preparing, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._connections)

    def peers(self) -> list[tuple[Endpoint, bool]]:
        """The other side of each connection, and whether it has opened it."""
        return [(one.remote, one.came) for one in self._connections.values()]

    @property
    def unfinished(self) -> int:
        """How many of those that have come are still shaking hands."""
        return len(self._unfinished)

    # --- told by the connections ----------------------------------------------------------------

    def admit(self, connection: Connection) -> None:
        """Take it in; whoever opens connections and says nothing must not keep others out."""
        source, number = source_of(connection.remote[0]), connection.number
        beside = self._from.get(source, {})
        if len(beside) >= min(MAX_FROM_ONE, self._max_connections):
            self._displace(_least(beside))
        elif len(self._connections) >= self._max_connections:
            self._displace(_least(self._connections))
        self._connections[number] = connection
        self._from.setdefault(source, {})[number] = connection
        if self._channels is None or not connection.came:
            self._by_remote[connection.remote, connection.name] = connection
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP, self._sweep)
        if self._channels is None:
            connection.use(None)
            return
        connection.hold()
        if connection.came:
            self._admit_handshake(connection)
        self._spawn(self._prepare(connection, self._channels), self._preparing)

    def opened(self, connection: Connection) -> None:
        self._unfinished.pop(connection.number, None)

    def received(self, connection: Connection, data: bytes) -> None:
        number = connection.number
        if connection.lost or self._connections.pop(number, None) is None:
            return  # it has been given up
        beside = self._from[source_of(connection.remote[0])]
        del beside[number]
        beside[number] = self._connections[number] = connection
        self.handlers.received(data, connection)

    def gone(self, connection: Connection) -> None:
        """The connection is no more."""
        self.lost(connection)
        number, source = connection.number, source_of(connection.remote[0])
        if self._connections.pop(number, None) is not None:
            beside = self._from[source]
            del beside[number]
            if not beside:
                del self._from[source]

    def lost(self, connection: Connection, reason: str = "") -> None:
        """It is of no use any more, though it may take its leave for some time yet."""
        self._forget(connection)
        number = connection.number
        self._unfinished.pop(number, None)
        if number not in self._connections or connection.lost:
            return
        connection.lost = True
        waited_for = connection.waited_for
        connection.waited_for = False
        self.handlers.closed(number)
        if waited_for:
            when = "without a word" if connection.open else "in the middle of the handshake"
            reason = reason or f"it has closed the connection {when}"
            self.handlers.failed(connection.remote, connection.name, reason)

    # --- making room ----------------------------------------------------------------------------

    def _admit_handshake(self, connection: Connection) -> None:
        source = source_of(connection.remote[0])
        unfinished = self._unfinished.values()
        beside = [other for other in unfinished if source_of(other.remote[0]) == source]
        if len(beside) >= MAX_HANDSHAKES_FROM_ONE:
            self._displace(beside[0])
        elif len(self._unfinished) >= MAX_HANDSHAKES:
            self._displace(next(iter(self._unfinished.values())))
        self._unfinished[connection.number] = connection

    def _wait_for_handshake(self, connection: Connection) -> float:
        """Seconds until it may begin, so that those of one source do not keep us busy."""
        source, now = source_of(connection.remote[0]), asyncio.get_running_loop().time()
        burst = MAX_HANDSHAKES_FROM_ONE * HANDSHAKE_EVERY
        due = max(self._handshakes_due.pop(source, now), now)
        if len(self._handshakes_due) >= self._max_connections:
            del self._handshakes_due[next(iter(self._handshakes_due))]
        self._handshakes_due[source] = min(due + HANDSHAKE_EVERY, now + 2 * burst)
        return due - now - burst

    def _displace(self, connection: Connection) -> None:
        self.displaced += 1
        connection.abort()
        self.lost(connection, "it was silent while others had something to say")
        self.gone(connection)

    def _sweep(self) -> None:
        """End connections on which nothing is said."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._connections.values()):
            silent = connection.came and not connection.said_something
            idle = now - connection.heard_at >= (SILENT_LIMIT if silent else IDLE_LIMIT)
            begun = connection.partial_since
            if idle or (begun is not None and now - begun >= PARTIAL_LIMIT):
                connection.close()
        self._sweeping = loop.call_later(SWEEP, self._sweep) if self._connections else None

    # --- opening --------------------------------------------------------------------------------

    async def _prepare(self, connection: Connection, channels: Channels) -> None:
        try:
            if connection.came:
                if (wait := self._wait_for_handshake(connection)) > 0:
                    await asyncio.sleep(wait)
                if connection.lost:
                    return
                channel = await channels.accept()
            else:
                channel = await channels.connect(connection.name, connection.remote)
        except SipstrobeError as error:
            connection.end(str(error))
        else:
            connection.use(channel)

    async def _connect(self, connection: Connection, source: str) -> None:
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                await self._connect_from(connection, source)
        except TimeoutError:
            self._fail(connection, f"it does not answer within {CONNECT_LIMIT:g} s")
        except OSError as error:
            self._fail(connection, _WORDS.get(error.errno or 0) or _in_words(error))
        except asyncio.CancelledError:
            self._forget(connection)  # what comes later must not wait for this one
            raise

    async def _connect_from(self, connection: Connection, source: str) -> None:
        loop = asyncio.get_running_loop()
        host, port = connection.remote
        if source and "%" not in host:  # which says where a link-local peer is
            try:
                await loop.create_connection(lambda: connection, host, port, local_addr=(source, 0))
            except OSError as error:
                if error.errno not in _NO_WAY_FROM_THERE:
                    raise
            else:
                return
        await loop.create_connection(lambda: connection, host, port)

    def _fail(self, connection: Connection, reason: str) -> None:
        self._forget(connection)
        self.handlers.failed(connection.remote, connection.name, reason)

    def _forget(self, connection: Connection) -> None:
        for remote in {connection.remote, connection.called}:
            if self._by_remote.get((remote, connection.name)) is connection:
                del self._by_remote[remote, connection.name]

    def _spawn(self, work: Coroutine[object, object, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)


def _bound(host: str, port: int) -> socket.socket:
    """Raises OSError."""
    line = socket.socket(family_of(host), socket.SOCK_STREAM)
    try:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if line.family == socket.AF_INET6:
            line.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        line.bind((host, port))
    except OSError:
        line.close()
        raise
    return line


def _least(connections: dict[int, Connection]) -> Connection:
    """The one that has been silent longest; those that we have opened ourselves come last."""
    came = (connection for connection in connections.values() if connection.came)
    return next(came, None) or next(iter(connections.values()))


def _in_words(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)
