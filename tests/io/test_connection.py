"""Connections with something between their bytes and what is said: who may use them, and how far.

What lies between is WebSocket here, on the bare connection; TLS is no other.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.connection import MAX_UNSENT_BYTES, Connection
from sipstrobe.io.tcp import HANDSHAKE_EVERY, MAX_HANDSHAKES_FROM_ONE, Handlers, TcpHub
from sipstrobe.io.udp import Endpoint
from sipstrobe.io.websocket import WebSocketChannel
from tests.support.waiting import until

HOST = "127.0.0.1"
ASKING = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: sip\r\n\r\n"
)
WORD = bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi"  # RFC 6455 §5.2: text, masked with zeros
PING = bytes([0x89, 0x80 | 125, 0, 0, 0, 0]) + bytes(125)


class Between:
    """WebSocket on every connection."""

    async def accept(self) -> WebSocketChannel:
        return WebSocketChannel(None, max_bytes=1000)

    async def connect(self, name: str, remote: Endpoint) -> WebSocketChannel:
        return WebSocketChannel(None, max_bytes=1000, host=name or remote[0])


class Broken(WebSocketChannel):
    """One that cannot even begin."""

    def begin(self) -> None:
        raise RemoteProtocolError("nothing can be said to it")


class Nothing(Between):
    async def connect(self, name: str, remote: Endpoint) -> WebSocketChannel:
        return Broken(None, max_bytes=1000, host=name)


@dataclass
class Node:
    """A hub that listens, and what it is told."""

    hub: TcpHub = field(init=False)
    heard: list[bytes] = field(default_factory=list[bytes])
    closed: list[int] = field(default_factory=list[int])
    failed: list[tuple[Endpoint, str]] = field(default_factory=list[tuple[Endpoint, str]])
    port: int = 0

    @classmethod
    async def listening(cls, between: Between) -> "Node":
        node = cls()
        handlers = Handlers(node._received, node.closed.append, node._failed)
        node.hub = TcpHub(handlers, channels=between)
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            node.port = int(probe.getsockname()[1])
        await node.hub.listen(HOST, node.port)
        return node

    def _received(self, chunk: bytes, connection: Connection) -> None:
        self.heard.append(chunk)

    def _failed(self, remote: Endpoint, name: str, reason: str) -> None:
        self.failed.append((remote, reason))


@pytest.fixture
async def node() -> AsyncIterator[Node]:
    node = await Node.listening(Between())
    yield node
    await node.hub.aclose()


async def dial(node: Node, line: socket.socket) -> None:
    """Have a line of somebody else's speak WebSocket to the hub."""
    line.settimeout(5)
    line.connect((HOST, node.port))
    line.setblocking(False)
    line.send(ASKING)
    assert b" 101 " in await asyncio.get_running_loop().sock_recv(line, 4096)
    line.send(WORD)
    await until(lambda: node.heard == [b"hi"])


async def test_who_has_come_is_not_taken_for_the_one_whom_we_call(node: Node) -> None:
    """RFC 5922 §4: only whom we call proves who he is. One who calls us from the very address of a
    server has proved nothing, and hears nothing that is meant for that."""
    with socket.socket() as line:
        line.bind((HOST, 0))
        await dial(node, line)
        server: Endpoint = line.getsockname()

        assert node.hub.send(b"REGISTER", server)
        await until(lambda: [to for to, _ in node.failed] == [server])

        with pytest.raises(BlockingIOError):
            line.recv(100)
        assert node.hub.send(b"its own answer", server, 1)
        assert b"its own answer" in await asyncio.get_running_loop().sock_recv(line, 100)


async def test_who_has_us_answer_and_does_not_read_is_let_go(node: Node) -> None:
    """Each PING has its PONG (RFC 6455 §5.5.2), which nobody but us would have to keep."""
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await dial(node, line)
        loop, said = asyncio.get_running_loop(), 0
        try:
            while not node.closed:
                async with asyncio.timeout(30):
                    await loop.sock_sendall(line, PING * 500)
                said += len(PING) * 500
                assert said < 100 * MAX_UNSENT_BYTES
        except (BrokenPipeError, ConnectionResetError):
            pass
        await until(lambda: node.closed)

    assert len(node.hub) == 0


async def test_who_shakes_hands_again_and_again_is_let_wait(node: Node) -> None:
    """One handshake of TLS keeps us busy for a millisecond or more; hundreds each second would
    keep us from everything else."""
    loop = asyncio.get_running_loop()
    begun, welcome = loop.time(), 0
    async with asyncio.timeout(10), asyncio.TaskGroup() as lines:

        async def come() -> None:
            nonlocal welcome
            with socket.create_connection((HOST, node.port), 5) as line:
                line.setblocking(False)
                line.send(ASKING)
                assert b" 101 " in await loop.sock_recv(line, 4096)
                welcome += 1
                earned = (loop.time() - begun) / HANDSHAKE_EVERY
                assert welcome <= MAX_HANDSHAKES_FROM_ONE + earned + 1

        for _ in range(MAX_HANDSHAKES_FROM_ONE):
            await come()
        for _ in range(4):
            lines.create_task(come())


async def test_what_cannot_begin_has_failed(node: Node) -> None:
    other = await Node.listening(Nothing())

    other.hub.send(b"x", (HOST, node.port))

    await until(lambda: [why for _, why in other.failed] == ["nothing can be said to it"])
    await other.hub.aclose()
