"""What lies between a connection and SIP: TLS, WebSocket, or both, made for each connection."""

import asyncio
from typing import TYPE_CHECKING

from sipstrobe.io.connection import Channel
from sipstrobe.io.udp import Endpoint
from sipstrobe.services.certificates import Certificates

if TYPE_CHECKING:
    from sipstrobe.io.websocket import WebSocketChannel


class TlsChannels:
    """See io.tcp.Channels."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates

    async def accept(self) -> Channel:
        return (await self._certificates.server()).accept()

    async def connect(self, name: str, remote: Endpoint) -> Channel:
        return (await self._certificates.client()).connect(name or remote[0])


class WebSocketChannels:
    """See io.tcp.Channels; over TLS with certificates, over nothing without."""

    def __init__(self, certificates: Certificates | None, max_bytes: int) -> None:
        """max_bytes: of one message."""
        self._tls = None if certificates is None else TlsChannels(certificates)
        self._max_bytes = max_bytes
        self._kind: type[WebSocketChannel] | None = None

    async def accept(self) -> Channel:
        make = self._kind or await self._load()
        below = None if self._tls is None else await self._tls.accept()
        return make(below, max_bytes=self._max_bytes)

    async def connect(self, name: str, remote: Endpoint) -> Channel:
        make = self._kind or await self._load()
        below = None if self._tls is None else await self._tls.connect(name, remote)
        host = name or (f"[{remote[0]}]" if ":" in remote[0] else remote[0])
        return make(below, max_bytes=self._max_bytes, host=f"{host}:{remote[1]}")

    async def _load(self) -> "type[WebSocketChannel]":
        """What WebSocket needs is loaded when it is first spoken."""
        self._kind = await asyncio.to_thread(_websocket)
        return self._kind


def _websocket() -> "type[WebSocketChannel]":
    from sipstrobe.io.websocket import WebSocketChannel

    return WebSocketChannel
