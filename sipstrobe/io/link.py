"""One stream to a server, over TCP or TLS, that carries messages of its own framing."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable

from sipstrobe.io.udp import Endpoint, endpoint_of

MAX_UNSENT_BYTES = 64 * 1024  # more than a second of media; then datagrams are lost instead
READ_BYTES = 64 * 1024

Chunk = Callable[[bytes], None]
Lost = Callable[[], None]


class Link(asyncio.Protocol):
    """Open from `open` to `close`. received: told each piece; lost: told once that it is gone."""

    def __init__(self, received: Chunk, lost: Lost) -> None:
        self.dropped = 0  # messages that the server was too slow for
        self.remote: Endpoint = ("", 0)
        self._received: Chunk | None = received
        self._lost: Lost | None = lost
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(
        cls,
        to: Endpoint,
        received: Chunk,
        lost: Lost,
        *,
        tls: ssl.SSLContext | None = None,
        name: str = "",
    ) -> "Link":
        """Connect to a numeric address; the caller limits the time.

        name: whom the server must prove to be, if tls is given. Raises OSError (ssl.SSLError is
        one), with words for a person.
        """
        loop = asyncio.get_running_loop()
        _, link = await loop.create_connection(
            lambda: cls(received, lost),
            *to,
            ssl=tls,
            server_hostname=name if tls is not None else None,
        )
        return link

    def send(self, data: bytes) -> bool:
        """One whole message; False when it is lost."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.dropped += 1
            return False
        transport.write(data)
        return True

    def close(self) -> None:
        """Send what waits and close; nobody is told any more."""
        self._received = self._lost = None
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.remote = endpoint_of(transport.get_extra_info("peername"))

    def data_received(self, data: bytes) -> None:
        if self._received is not None:
            self._received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        lost, self._lost, self._received = self._lost, None, None
        if lost is not None:
            with contextlib.suppress(asyncio.CancelledError):
                lost()
