"""One connection that we open: TCP, perhaps through a proxy, and what lies between its bytes and
what is said on it.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.connection import CLOSE_LIMIT, Channel

MAX_ANSWER_BYTES: Final = 16 * 1024  # of a proxy
HIGH_WATER: Final = 64 * 1024  # bytes that wait to be sent, from which on no more are wanted
NEXT_ADDRESS: Final = 0.25  # seconds after which the next address of a name is tried as well


class ProxyChannel:
    """The way through an HTTP proxy, by CONNECT (RFC 9110 §9.3.6); see io.connection.Channel."""

    partial = False

    def __init__(self, place: str, user: str, password: str) -> None:
        """place: host:port that we want to reach."""
        self._place = place
        self._credentials = f"{user}:{password}" if user or password else ""
        self._wire = b""
        self._answer = bytearray()
        self.open = False
        self.ended = False

    def begin(self) -> None:
        lines = [f"CONNECT {self._place} HTTP/1.1", f"Host: {self._place}"]
        if self._credentials:
            told = b64encode(self._credentials.encode()).decode()
            lines.append(f"Proxy-Authorization: Basic {told}")  # RFC 7617
        self._wire = ("\r\n".join(lines) + "\r\n\r\n").encode()

    def receive(self, data: bytes) -> list[bytes]:
        if self.open:
            return [data]
        self._answer += data
        head, end, rest = bytes(self._answer).partition(b"\r\n\r\n")
        if not end:
            if len(self._answer) > MAX_ANSWER_BYTES:
                raise RemoteProtocolError("the proxy's answer has no end")
            return []
        self._answer.clear()
        version, _, status = head.partition(b"\r\n")[0].partition(b" ")
        code = status[:3]
        if not version.startswith(b"HTTP/1.") or not code.isdigit():
            raise RemoteProtocolError("the proxy is none: it does not speak HTTP")
        if not code.startswith(b"2"):
            raise RemoteProtocolError(f"the proxy answers {code.decode()}")
        self.open = True
        return [rest] if rest else []

    def send(self, data: bytes) -> None:
        self._wire += data

    def close(self) -> None:
        """A tunnel has no last word."""

    def outgoing(self) -> bytes:
        wire, self._wire = self._wire, b""
        return wire


class Layers:
    """Channels upon each other, the first next to the wire; without any, bytes pass as they are."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = channels
        self._begun = 0
        self._wire = b""

    @property
    def open(self) -> bool:
        return all(channel.open for channel in self._channels)

    @property
    def ended(self) -> bool:
        return any(channel.ended for channel in self._channels)

    def begin(self) -> None:
        """Each begins once the one below it is open."""
        while self._begun < len(self._channels):
            if self._begun and not self._channels[self._begun - 1].open:
                return
            self._channels[self._begun].begin()
            self._begun += 1

    def receive(self, data: bytes) -> list[bytes]:
        """What was said. Raises RemoteProtocolError."""
        pieces = [data]
        for n, channel in enumerate(self._channels):
            if n >= self._begun:
                return []
            pieces = [said for piece in pieces for said in channel.receive(piece)]
            self.begin()
        return pieces

    def send(self, data: bytes) -> None:
        if self._channels:
            self._channels[-1].send(data)
        else:
            self._wire += data

    def close(self) -> None:
        for channel in reversed(self._channels[: self._begun]):
            if channel.open:
                channel.close()
                self._hand_down()

    def outgoing(self) -> bytes:
        if not self._channels:
            wire, self._wire = self._wire, b""
            return wire
        self._hand_down()
        return self._channels[0].outgoing()

    def _hand_down(self) -> None:
        for n in range(self._begun - 1, 0, -1):
            if said := self._channels[n].outgoing():
                self._channels[n - 1].send(said)


@dataclass(slots=True)
class Handlers:
    """closed(words): it has ended, once; words for people about the other side, "" for none."""

    opened: Callable[[], None]
    received: Callable[[bytes], None]
    writable: Callable[[bool], None]
    closed: Callable[[str], None]


class Line(asyncio.Protocol):
    """One connection; made by `connect`."""

    def __init__(self, handlers: Handlers, layers: Layers) -> None:
        self._handlers: Handlers | None = handlers
        self._layers = layers
        self._transport: asyncio.Transport | None = None
        self._open = False
        self._limit: asyncio.TimerHandle | None = None
        self.gone = asyncio.Event()  # nothing is left of it

    async def connect(self, host: str, port: int) -> None:
        """Raises OSError when nobody is there; names are looked up in other threads."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(
            lambda: self, host, port, happy_eyeballs_delay=NEXT_ADDRESS, interleave=1
        )

    # --- told by the loop -----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if self._handlers is None:  # closed meanwhile
            transport.abort()
            self.gone.set()
            return
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self._advance(b"")

    def data_received(self, data: bytes) -> None:
        if self._handlers is not None:
            self._advance(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._limit is not None:
            self._limit.cancel()
        self.gone.set()
        words = exc.strerror if isinstance(exc, OSError) else None
        self._tell_closed("" if exc is None else words or str(exc))

    def pause_writing(self) -> None:
        if self._handlers is not None:
            self._handlers.writable(False)

    def resume_writing(self) -> None:
        if self._handlers is not None:
            self._handlers.writable(True)

    # --- orders ---------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        if self._transport is not None:
            self._layers.send(data)
            self._flush()

    def hold(self, on: bool) -> None:
        """Read nothing, or read on."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if on and transport.is_reading():
            transport.pause_reading()
        elif not on and not transport.is_reading():
            transport.resume_reading()

    def close(self) -> None:
        """Send what waits and close, or break off after CLOSE_LIMIT; nothing is told any more.

        The other side closes first: to close on unread bytes would take back our last word (RFC
        1122 §4.2.2.13), and the broker would say our will.
        """
        self._handlers = None
        transport = self._transport
        if transport is None:
            self.gone.set()
            return
        if self._limit is not None or transport.is_closing():
            return
        self.hold(False)
        self._layers.close()
        self._flush()
        try:
            transport.write_eof()
        except OSError:  # it is gone, and the loop has not noticed yet
            transport.abort()
            return
        self._limit = asyncio.get_running_loop().call_later(CLOSE_LIMIT, transport.abort)

    # --- private --------------------------------------------------------------------------------

    def _advance(self, data: bytes) -> None:
        try:
            self._layers.begin()
            pieces = self._layers.receive(data) if data else []
        except RemoteProtocolError as error:
            self._flush()
            self._give_up(str(error))
            return
        self._flush()
        if self._layers.open and not self._open and self._handlers is not None:
            self._open = True
            self._handlers.opened()
        for piece in pieces:
            if self._handlers is None:
                return
            self._handlers.received(piece)
        if self._layers.ended:
            self._give_up("")

    def _flush(self) -> None:
        data = self._layers.outgoing()
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _give_up(self, words: str) -> None:
        handlers = self._handlers
        self.close()
        if handlers is not None:
            handlers.closed(words)

    def _tell_closed(self, words: str) -> None:
        handlers, self._handlers = self._handlers, None
        if handlers is not None:
            handlers.closed(words)
