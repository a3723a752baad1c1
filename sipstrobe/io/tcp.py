"""TCP connections on the loop: those that come, those that we open, each with a number."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from sipstrobe.io.udp import Endpoint, endpoint_of

MAX_CONNECTIONS = 1024  # then the one that has been silent longest makes room
MAX_CONNECTING = 128
MAX_UNSENT_BYTES = 256 * 1024  # waiting for a connection or for a peer that does not read
CONNECT_LIMIT = 8.0  # seconds
READ_BYTES = 4096  # at once: no more than 2 ms of small messages; then others have their turn
CLOSE_LIMIT = 2.0  # seconds for what waits to be sent when we close


@dataclass(slots=True)
class Handlers:
    """received(chunk, connection, local, remote) · closed(connection) · failed(remote).

    failed: there is nobody, or nobody who says anything before the connection is gone again.
    """

    received: Callable[[bytes, int, Endpoint, Endpoint], None]
    closed: Callable[[int], None]
    failed: Callable[[Endpoint], None]


class _Connection(asyncio.BufferedProtocol):
    def __init__(self, hub: "TcpHub", number: int, remote: Endpoint | None) -> None:
        self.number = number
        self.waited_for = remote is not None  # we have opened it, and nothing has come
        self.remote: Endpoint = remote or ("", 0)
        self.local: Endpoint = ("", 0)
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._hub = hub

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # A peer that has gone again already leaves no address behind.
        self.local = (transport.get_extra_info("sockname") or self.local)[:2]
        self.remote = endpoint_of(transport.get_extra_info("peername") or self.remote)
        self._hub.admit(self)
        for data in self._unsent:
            transport.write(data)
        self._unsent.clear()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._hub.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.waited_for = False
        data = bytes(self._hub.buffer[:nbytes])
        self._hub.heard(self)
        self._hub.handlers.received(data, self.number, self.local, self.remote)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._hub.lost(self)

    @property
    def closing(self) -> bool:
        return self._transport is not None and self._transport.is_closing()

    def write(self, data: bytes) -> bool:
        """False, and the end of it, when the peer does not read what it is sent."""
        transport = self._transport
        if transport is None:
            if sum(map(len, self._unsent)) + len(data) > MAX_UNSENT_BYTES:
                return False
            self._unsent.append(data)
        elif transport.get_write_buffer_size() + len(data) > MAX_UNSENT_BYTES:
            transport.abort()
            return False
        else:
            transport.write(data)
        return True

    def close(self) -> None:
        """Send what waits, for as long as CLOSE_LIMIT, and close."""
        self.waited_for = False
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.close()
            if transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(CLOSE_LIMIT, self.abort)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class TcpHub:
    """All connections of one protocol; used again for the same remote address (RFC 5923)."""

    def __init__(self, handlers: Handlers, *, max_connections: int = MAX_CONNECTIONS) -> None:
        self.handlers = handlers
        self.displaced = 0  # connections that have made room for others
        self.buffer = memoryview(bytearray(READ_BYTES))  # each fills it and empties it at once
        self._max_connections = max_connections
        self._connections: dict[int, _Connection] = {}  # the one silent longest comes first
        self._by_remote: dict[Endpoint, _Connection] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._servers: list[tuple[int, asyncio.Server]] = []
        self._numbers = count(1)

    async def listen(self, host: str, port: int) -> None:
        """Accept connections on (host, port). Raises OSError when the address cannot be had."""
        server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self, next(self._numbers), None),
            host,
            port,
            backlog=256,
            start_serving=False,
        )
        self._servers.append((port, server))
        try:
            await server.start_serving()
        except OSError:
            self._servers.remove((port, server))
            server.close()
            raise

    def send(self, data: bytes, to: Endpoint, connection: int | None = None) -> bool:
        """Send on this connection, else on one to this address, which is opened if need be.

        False when the peer does not read what it is sent, or too many connections are being opened.
        """
        known = self._connections.get(connection) if connection is not None else None
        if known is None or known.closing:
            known = self._by_remote.get(to)
        if known is None or known.closing:
            if len(self._connecting) >= MAX_CONNECTING:
                return False
            known = self._by_remote[to] = _Connection(self, next(self._numbers), to)
            task = asyncio.get_running_loop().create_task(self._connect(known))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        return known.write(data)

    def close_connection(self, connection: int) -> None:
        known = self._connections.get(connection)
        if known is not None:
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
        for task in self._connecting:
            task.cancel()

    async def aclose(self) -> None:
        self.close()
        await asyncio.gather(*self._connecting, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._connections)

    # --- told by the connections ----------------------------------------------------------------

    def admit(self, connection: _Connection) -> None:
        """Take it in; whoever opens connections and says nothing must not keep others out."""
        if len(self._connections) >= self._max_connections:
            silent = next(iter(self._connections.values()))
            self.displaced += 1
            silent.abort()
            self.lost(silent)
        self._connections[connection.number] = connection
        self._by_remote[connection.remote] = connection

    def heard(self, connection: _Connection) -> None:
        if self._connections.pop(connection.number, None) is not None:
            self._connections[connection.number] = connection

    def lost(self, connection: _Connection) -> None:
        self._forget(connection)
        if self._connections.pop(connection.number, None) is not None:
            self.handlers.closed(connection.number)
            if connection.waited_for:
                self.handlers.failed(connection.remote)

    def _forget(self, connection: _Connection) -> None:
        if self._by_remote.get(connection.remote) is connection:
            del self._by_remote[connection.remote]

    async def _connect(self, connection: _Connection) -> None:
        loop = asyncio.get_running_loop()
        host, port = connection.remote
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                await loop.create_connection(lambda: connection, host, port)
        except OSError:  # TimeoutError is one
            self._forget(connection)
            self.handlers.failed((host, port))
        except asyncio.CancelledError:
            self._forget(connection)  # what comes later must not wait for this one
            raise
