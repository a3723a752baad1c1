"""A connection that we open: through a proxy, through TLS and WebSocket, and its end."""

import asyncio
import errno
import os
from base64 import b64encode
from socket import SO_LINGER, SOL_SOCKET
from socket import socket as socket_type
from struct import pack

import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.io.broker_line import MAX_ANSWER_BYTES, Handlers, Layers, Line, ProxyChannel
from sipstrobe.io.connection import Channel
from sipstrobe.io.tls import Tls
from sipstrobe.io.websocket import WebSocketChannel, mqtt
from sipstrobe.io.x509 import Identity
from sipstrobe.secret import Secret
from tests.support.authority import Authority
from tests.support.waiting import until

TARGET = "broker.example:8883"


def test_a_proxy_is_asked_for_the_way_and_then_lets_all_pass() -> None:
    """RFC 9110 §9.3.6."""
    proxy = ProxyChannel(TARGET, "us", "p w")
    proxy.begin()

    asked = proxy.outgoing()
    early = proxy.receive(b"HTTP/1.1 200 Connection est")
    rest = proxy.receive(b"ablished\r\nX: y\r\n\r\nfirst")

    told = b64encode(b"us:p w")
    assert asked == (
        b"CONNECT broker.example:8883 HTTP/1.1\r\nHost: broker.example:8883\r\n"
        b"Proxy-Authorization: Basic " + told + b"\r\n\r\n"
    )
    assert (early, rest, proxy.receive(b"more")) == ([], [b"first"], [b"more"])
    proxy.send(b"out")
    assert proxy.outgoing() == b"out"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "the proxy answers 407"),
        (b"220 mail.example ESMTP\r\n\r\n", "does not speak HTTP"),
        (b"x" * (MAX_ANSWER_BYTES + 1), "no end"),
    ],
)
def test_a_proxy_that_does_not_help_is_told_of(answer: bytes, words: str) -> None:
    proxy = ProxyChannel(TARGET, "", "")
    proxy.begin()

    with pytest.raises(RemoteProtocolError, match=words):
        proxy.receive(answer)


@pytest.mark.parametrize("piece", [1, 7, 65_536])
def test_each_layer_begins_when_the_one_below_it_is_open(piece: int) -> None:
    """A WebSocket in TLS through a proxy, whatever the pieces in which it comes."""
    authority = Authority()
    shown = authority.sign("broker.example")
    tls = Tls.client(None, "automatic", authorities=authority.certificate, verify=True, alpn="mqtt")
    ours = Layers(
        [
            ProxyChannel(TARGET, "", ""),
            tls.connect("broker.example"),
            WebSocketChannel(None, max_bytes=1000, host=TARGET, spoken=mqtt("mqtt")),
        ]
    )
    server = Tls.server(Identity(shown.certificate, Secret(shown.key)), "automatic")
    theirs = WebSocketChannel(server.accept(), max_bytes=1000, spoken=mqtt("mqtt"))
    ours.begin()
    assert ours.outgoing().startswith(b"CONNECT ")
    ours.receive(b"HTTP/1.0 200 OK\r\n\r\n")
    theirs.begin()

    heard = _carry(ours, theirs, piece)
    assert (heard, ours.open, theirs.open) == ([], True, True)
    ours.send(b"\x10\x00")
    theirs.send(b"\x20\x02\x00\x00")
    assert b"".join(_carry(ours, theirs, piece)) in (
        b"\x10\x00\x20\x02\x00\x00",
        b"\x20\x02\x00\x00\x10\x00",
    )
    ours.close()
    _carry(ours, theirs, piece)
    assert theirs.ended


def _carry(ours: Layers, theirs: Channel, piece: int) -> list[bytes]:
    heard: list[bytes] = []
    while (pair := (ours.outgoing(), theirs.outgoing())) != (b"", b""):
        for at in range(0, len(pair[0]), piece):
            heard += theirs.receive(pair[0][at : at + piece])
        for at in range(0, len(pair[1]), piece):
            heard += ours.receive(pair[1][at : at + piece])
    return heard


class Ears:
    """What a line tells."""

    def __init__(self) -> None:
        self.open = False
        self.heard = b""
        self.closed: list[str] = []
        self.writable: list[bool] = []
        self.handlers = Handlers(self._open, self._hear, self.writable.append, self.closed.append)

    def _open(self) -> None:
        self.open = True

    def _hear(self, data: bytes) -> None:
        self.heard += data


class Server:
    """Somebody who takes one connection."""

    def __init__(self) -> None:
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def start(self) -> tuple[asyncio.Server, int]:
        server = await asyncio.start_server(self._took, "127.0.0.1", 0)
        return server, server.sockets[0].getsockname()[1]

    def _took(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer


async def test_the_last_word_arrives_although_the_other_side_was_still_speaking() -> None:
    """RFC 1122 §4.2.2.13: to close on unread bytes would take it back."""
    ears, other = Ears(), Server()
    server, port = await other.start()
    line = Line(ears.handlers, Layers([]))
    await line.connect("127.0.0.1", port)
    await until(lambda: other.writer)
    assert other.reader is not None
    assert other.writer is not None
    other.writer.write(b"x" * 100_000)

    line.send(b"bye")
    line.close()
    heard = await other.reader.read()
    other.writer.close()
    await line.gone.wait()
    server.close()

    assert (ears.open, heard, ears.closed) == (True, b"bye", [])


async def test_while_it_is_held_nothing_is_read_and_then_all_of_it() -> None:
    ears, other = Ears(), Server()
    server, port = await other.start()
    line = Line(ears.handlers, Layers([]))
    await line.connect("127.0.0.1", port)
    await until(lambda: other.writer)
    assert other.writer is not None
    line.hold(True)
    line.hold(True)
    await asyncio.sleep(0)
    other.writer.write(b"later")
    await other.writer.drain()
    assert ears.heard == b""

    line.hold(False)
    await until(lambda: ears.heard == b"later")
    other.writer.close()
    await until(lambda: ears.closed)

    assert ears.closed == [""]
    await line.gone.wait()
    server.close()


async def test_who_speaks_another_language_is_told_of_once() -> None:
    ears, other = Ears(), Server()
    server, port = await other.start()
    line = Line(ears.handlers, Layers([ProxyChannel(TARGET, "", "")]))
    await line.connect("127.0.0.1", port)
    await until(lambda: other.writer)
    assert other.writer is not None

    other.writer.write(b"SSH-2.0-x\r\n\r\n")
    await until(lambda: ears.closed)
    other.writer.close()
    await line.gone.wait()
    server.close()

    assert ears.closed == ["the proxy is none: it does not speak HTTP"]
    assert not ears.open


async def test_a_connection_that_is_reset_is_told_of_in_words() -> None:
    ears, other = Ears(), Server()
    server, port = await other.start()
    line = Line(ears.handlers, Layers([]))
    await line.connect("127.0.0.1", port)
    await until(lambda: other.writer)
    assert other.writer is not None

    socket: socket_type = other.writer.get_extra_info("socket")
    socket.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))  # to close is to reset
    other.writer.transport.abort()
    await until(lambda: ears.closed)
    await line.gone.wait()
    server.close()

    assert ears.closed == [os.strerror(errno.ECONNRESET)]


async def test_nobody_there_is_an_error() -> None:
    server, port = await Server().start()
    server.close()
    await server.wait_closed()

    with pytest.raises(OSError, match="Connect call failed"):
        await Line(Ears().handlers, Layers([])).connect("127.0.0.1", port)
