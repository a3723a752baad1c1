"""TCP connections on the loop: those that come, those that we open, each with a number."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

Endpoint = tuple[str, int]

MAX_CONNECTIONS = 1024
MAX_UNSENT_BYTES = 256 * 1024  # waiting for a connection or for a peer that does not read
CONNECT_LIMIT = 8.0  # seconds


@dataclass(slots=True)
class Handlers:
    """received(chunk, connection, local, remote) · closed(connection) · failed(remote)."""

    received: Callable[[bytes, int, Endpoint, Endpoint], None]
    closed: Callable[[int], None]
    failed: Callable[[Endpoint], None]


class _Connection(asyncio.Protocol):
    def __init__(self, hub: "TcpHub", number: int, remote: Endpoint | None) -> None:
        self.number = number
        self.remote: Endpoint = remote or ("", 0)
        self.local: Endpoint = ("", 0)
        self.transport: asyncio.Transport | None = None
        self.unsent: list[bytes] = []
        self._hub = hub

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.local = transport.get_extra_info("sockname")[:2]
        self.remote = transport.get_extra_info("peername")[:2]
        if not self._hub.admit(self):
            transport.abort()
            return
        for data in self.unsent:
            transport.write(data)
        self.unsent.clear()

    def data_received(self, data: bytes) -> None:
        self._hub.handlers.received(data, self.number, self.local, self.remote)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hub.lost(self)

    def write(self, data: bytes) -> bool:
        if self.transport is None:
            waiting = sum(map(len, self.unsent))
        else:
            waiting = self.transport.get_write_buffer_size()
        if waiting + len(data) > MAX_UNSENT_BYTES:
            return False
        if self.transport is None:
            self.unsent.append(data)
        else:
            self.transport.write(data)
        return True


class TcpHub:
    """All connections of one protocol; used again for the same remote address (RFC 5923)."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.refused = 0  # connections beyond MAX_CONNECTIONS
        self._connections: dict[int, _Connection] = {}
        self._by_remote: dict[Endpoint, _Connection] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._numbers = count(1)

    async def listen(self, host: str, port: int) -> None:
        """Accept connections on (host, port). Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._servers.append(
            await loop.create_server(
                lambda: _Connection(self, next(self._numbers), None), host, port, backlog=256
            )
        )

    def send(self, data: bytes, to: Endpoint, connection: int | None = None) -> bool:
        """Send on this connection, else on one to this address, which is opened if need be.

        False when the peer does not read what it is sent, or there are too many connections.
        """
        known = self._connections.get(connection) if connection is not None else None
        known = known or self._by_remote.get(to)
        if known is None:
            if len(self._by_remote) >= MAX_CONNECTIONS:
                return False
            known = self._by_remote[to] = _Connection(self, next(self._numbers), to)
            task = asyncio.get_running_loop().create_task(self._connect(known))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        return known.write(data)

    def close_connection(self, connection: int) -> None:
        known = self._connections.get(connection)
        if known is not None and known.transport is not None:
            known.transport.close()

    def stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def aclose(self) -> None:
        for task in self._connecting:
            task.cancel()
        for connection in list(self._connections.values()):
            if connection.transport is not None:
                connection.transport.close()
        self.stop_listening()

    def __len__(self) -> int:
        return len(self._connections)

    def admit(self, connection: _Connection) -> bool:
        if len(self._connections) >= MAX_CONNECTIONS:
            self.refused += 1
            return False
        self._connections[connection.number] = connection
        self._by_remote[connection.remote] = connection
        return True

    def lost(self, connection: _Connection) -> None:
        self._forget(connection)
        if self._connections.pop(connection.number, None) is not None:
            self.handlers.closed(connection.number)

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
