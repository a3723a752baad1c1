"""One TCP connection on the loop, and what may lie between its bytes and what is said on it."""

import asyncio
import socket
from typing import Protocol

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.udp import Endpoint, endpoint_of

MAX_UNSENT_BYTES = 256 * 1024  # waiting for a connection or for a peer that does not read
CLOSE_LIMIT = 2.0  # seconds for what waits to be sent when we close
HANDSHAKE_LIMIT = 5.0  # seconds from the connection to the first byte that can be said on it
MAX_EARLY_BYTES = 16 * 1024  # from a peer that speaks before we can listen
# tcp(7): a peer that is gone without a word is known to be after 105 s
KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 3))


class Channel(Protocol):
    """What lies between the bytes of a connection and what is said on it: TLS, WebSocket.

    After any call `outgoing` has what must go on the wire.
    """

    @property
    def open(self) -> bool:
        """Something can be said."""
        ...

    @property
    def ended(self) -> bool:
        """The peer has said that nothing more will come."""
        ...

    @property
    def partial(self) -> bool:
        """A message has begun, and it is not whole."""
        ...

    def begin(self) -> None: ...
    def receive(self, data: bytes) -> list[bytes]:
        """Take bytes from the wire; the result is what was said, in its pieces.

        Raises RemoteProtocolError with words for people about the peer: "it speaks no TLS 1.3".
        """
        ...

    def send(self, data: bytes) -> None:
        """Say this; only when open."""
        ...

    def close(self) -> None:
        """Say good-bye."""
        ...

    def outgoing(self) -> bytes: ...


class Hub(Protocol):
    """Who keeps connections, and hears what becomes of them."""

    buffer: memoryview  # each connection fills it and empties it at once

    def admit(self, connection: "Connection") -> None: ...
    def opened(self, connection: "Connection") -> None: ...
    def received(self, connection: "Connection", data: bytes) -> None: ...
    def lost(self, connection: "Connection", reason: str = "") -> None: ...
    def gone(self, connection: "Connection") -> None: ...


class Connection(asyncio.BufferedProtocol):
    """number: unlike all others'. name: the domain that a peer which we have called must prove to
    be, "" if none."""

    def __init__(
        self,
        hub: Hub,
        number: int,
        remote: Endpoint | None,
        *,
        name: str = "",
    ) -> None:
        """remote: whom we call; None for one that comes."""
        loop = asyncio.get_running_loop()
        self.number = number
        self.name = name
        self.remote: Endpoint = remote or ("", 0)
        self.called = self.remote  # the same as whoever wanted it has spelled it
        self.local: Endpoint = ("", 0)
        self.waited_for = remote is not None  # we have opened it, and nothing has come
        self.came = remote is None
        self.lost = False  # whoever waits for it has been told
        self.heard_at = loop.time()
        self.said_something = False
        self.partial_since: float | None = None
        self._now = loop.time
        self._hub = hub
        self._transport: asyncio.Transport | None = None
        self._channel: Channel | None = None
        self._leaving = False  # what comes is not heard any more
        self._early: bytearray | None = None  # what came before it was known what lies between
        self._open = False
        self._unsent: list[bytes] = []
        self._limit: asyncio.TimerHandle | None = None

    # --- told by the loop -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # A peer that has gone again already leaves no address behind.
        self.local = (transport.get_extra_info("sockname") or self.local)[:2]
        self.remote = endpoint_of(transport.get_extra_info("peername") or self.remote)
        _keep_alive(transport.get_extra_info("socket"))
        self._hub.admit(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._hub.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._leaving:
            return
        data = bytes(self._hub.buffer[:nbytes])
        if self._channel is not None:
            self._hear_through(self._channel, data)
        elif self._early is None:
            self._hear(data)
        elif len(self._early) + nbytes <= MAX_EARLY_BYTES:
            self._early += data
        else:
            self.end("it says too much before the handshake")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._stop_limit()
        self._hub.gone(self)

    # --- what lies between ----------------------------------------------------------------------

    def hold(self) -> None:
        """Keep what comes until `use` says what lies between."""
        self._early = bytearray()
        self._limit = asyncio.get_running_loop().call_later(HANDSHAKE_LIMIT, self._too_late)

    def use(self, channel: Channel | None) -> None:
        """Begin to speak through this channel; None: on the bare connection."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if channel is None:
            self._become_open()
            return
        self._channel = channel
        try:
            channel.begin()
        except RemoteProtocolError as error:
            self.end(str(error))
            return
        self._flush()
        early, self._early = self._early, None
        if early:
            self._hear_through(channel, bytes(early))

    def _hear_through(self, channel: Channel, data: bytes) -> None:
        try:
            pieces = channel.receive(data)
        except RemoteProtocolError as error:
            self._flush()
            self.end(str(error))
            return
        self._flush()
        if self._transport is not None and self._overfull(self._transport):
            self._transport.abort()  # it has us answer, and does not read that
            return
        if channel.open and not self._open:
            self._become_open()
        if not channel.partial:
            self.partial_since = None
        elif pieces or self.partial_since is None:
            self.partial_since = self._now()
        for piece in pieces:
            self._hear(piece)
        if channel.ended:
            self.close()

    def _become_open(self) -> None:
        self._open = True
        self._stop_limit()
        self._hub.opened(self)
        for data in self._unsent:
            self._write(data)
        self._unsent.clear()

    def _hear(self, data: bytes) -> None:
        self.waited_for = False
        self.said_something = True
        self.heard_at = self._now()
        self._hub.received(self, data)

    def _too_late(self) -> None:
        self.end(f"no handshake within {HANDSHAKE_LIMIT:g} s")

    def _stop_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    # --- orders ---------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """There has been a handshake, if there must be one."""
        return self._open

    @property
    def closing(self) -> bool:
        return self._leaving or (self._transport is not None and self._transport.is_closing())

    def write(self, data: bytes) -> bool:
        """False, and the end of it, when the peer does not read what it is sent."""
        if not self._open:
            if sum(map(len, self._unsent)) + len(data) > MAX_UNSENT_BYTES:
                return False
            self._unsent.append(data)
            return True
        transport = self._transport
        if transport is None or self._leaving:
            return False
        if self._overfull(transport, len(data)):
            transport.abort()
            return False
        self._write(data)
        return True

    def close(self) -> None:
        """Send what waits, for as long as CLOSE_LIMIT, and close."""
        self.waited_for = False
        transport = self._transport
        if transport is not None and not transport.is_closing():
            if self._channel is not None:
                self._channel.close()
                self._flush()
            transport.close()
            if transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(CLOSE_LIMIT, self.abort)

    def end(self, reason: str) -> None:
        """Close; whoever waits for the peer is told why.

        The peer can read our last word: to close on unread bytes would take it back (RFC 1122
        §4.2.2.13).
        """
        self._hub.lost(self, reason)
        self._leaving = True
        transport = self._transport
        if transport is not None and not transport.is_closing():
            if self._channel is not None:
                self._channel.close()
                self._flush()
            transport.write_eof()
            self._stop_limit()
            self._limit = asyncio.get_running_loop().call_later(CLOSE_LIMIT, self.abort)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    @staticmethod
    def _overfull(transport: asyncio.Transport, more: int = 0) -> bool:
        return transport.get_write_buffer_size() + more > MAX_UNSENT_BYTES

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        if self._channel is None:
            self._transport.write(data)
        else:
            self._channel.send(data)
            self._flush()

    def _flush(self) -> None:
        assert self._channel is not None
        data = self._channel.outgoing()
        if data and self._transport is not None:
            self._transport.write(data)


def _keep_alive(line: socket.socket | None) -> None:
    if line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEP_ALIVE:
            line.setsockopt(socket.IPPROTO_TCP, option, value)
