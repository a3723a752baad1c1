"""A stream to a server: whole messages out, pieces in, and an end that is told once."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipstrobe.io.link import MAX_UNSENT_BYTES, Link
from sipstrobe.io.tls_client import client_context
from tests.support.authority import Authority
from tests.support.waiting import turns, until

HOST = "127.0.0.1"


class Server:
    """Answers each piece with itself, unless it is deaf."""

    def __init__(self) -> None:
        self.deaf = False
        self.writers: list[asyncio.StreamWriter] = []

    async def open(self, tls: ssl.SSLContext | None = None) -> tuple[str, int]:
        self.server = await asyncio.start_server(self._serve, HOST, 0, ssl=tls)
        return HOST, self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        while not self.deaf and (data := await reader.read(1024)):
            writer.write(data.upper())
        if self.deaf:
            reader._transport.pause_reading()  # pyright: ignore

    async def close(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()
        await turns()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    yield made
    await made.close()


class Client:
    def __init__(self) -> None:
        self.received = b""
        self.lost = 0

    async def open(
        self, to: tuple[str, int], tls: ssl.SSLContext | None = None, name: str = ""
    ) -> Link:
        return await Link.open(to, self._receive, self._lose, tls=tls, name=name)

    def _receive(self, data: bytes) -> None:
        self.received += data

    def _lose(self) -> None:
        self.lost += 1


async def test_what_is_sent_comes_back(server: Server) -> None:
    client = Client()
    link = await client.open(await server.open())

    assert link.send(b"hello")
    await until(lambda: client.received == b"HELLO")

    link.close()
    await turns()
    assert client.lost == 0
    assert not link.send(b"late")


async def test_the_end_is_told_once(server: Server) -> None:
    client = Client()
    link = await client.open(await server.open())
    await until(lambda: server.writers)

    server.writers[0].transport.abort()
    await until(lambda: client.lost)

    assert not link.send(b"late")
    link.close()
    await turns()
    assert client.lost == 1


async def test_a_server_that_does_not_read_loses_messages_and_no_memory(server: Server) -> None:
    server.deaf = True
    client = Client()
    link = await client.open(await server.open())
    message = bytes(1024)

    sent = 0
    while link.send(message):
        sent += 1
        assert sent < 100_000
        await asyncio.sleep(0)

    transport = link._transport  # pyright: ignore[reportPrivateUsage]
    assert transport is not None
    assert transport.get_write_buffer_size() <= MAX_UNSENT_BYTES + len(message)
    assert link.dropped == 1
    link.close()


async def test_nobody_there() -> None:
    server = Server()
    address = await server.open()
    await server.close()
    await server.server.wait_closed()

    with pytest.raises(OSError):  # noqa: PT011 - whatever the system says
        await Client().open(address)


async def test_tls_wants_the_name_that_was_dialled(server: Server, tmp_path: Path) -> None:
    authority = Authority()
    certificate, key, _ = authority.sign("relay.example").write(tmp_path)
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate, key)
    address = await server.open(theirs)
    ours = client_context(authority.certificate)
    client = Client()

    link = await client.open(address, ours, "relay.example")
    link.send(b"hello")
    await until(lambda: client.received == b"HELLO")
    with pytest.raises(ssl.SSLCertVerificationError):
        await Client().open(address, ours, "other.example")
    link.close()
    await turns()
