"""Doors that see whether TLS is spoken: who is let in, who is not, and what that costs others."""

import asyncio
import contextlib
import os
import resource
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sipstrobe.io.doorway import (
    HANDSHAKE_TIME,
    HANDSHAKES_PER_ADDRESS_MAX,
    REST,
    SILENT_MAX,
    SILENT_TIME,
    Behind,
    Doorway,
)
from sipstrobe.io.identity import Identity
from sipstrobe.io.tls_server import server_context
from sipstrobe.secret import Secret
from tests.support.authority import Authority
from tests.support.clock import FakeClock
from tests.support.waiting import turns, until

HOST = "127.0.0.1"
SHOWN = Authority().sign("siren.example", HOST)
CLIENT_HELLO = b"\x16\x03\x01\x02\x00"  # as it begins


class Room(asyncio.Protocol):
    """Says its name to whoever comes in, and hears what is said."""

    def __init__(self, name: bytes, house: "House") -> None:
        self._name = name
        self._house = house

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._house.transports.append(transport)
        transport.write(self._name + b"\n")

    def data_received(self, data: bytes) -> None:
        self._house.heard.append(data)


class House:
    """A door with two rooms behind it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.heard: list[bytes] = []
        self.transports: list[asyncio.BaseTransport | asyncio.StreamWriter] = []  # of both sides
        self.full = False
        self.asked = 0
        identity = Identity(SHOWN.certificate, Secret(SHOWN.key))
        self.behind = Behind(
            plain=lambda: Room(b"plain", self),
            encrypted=lambda: Room(b"encrypted", self),
            tls=server_context(identity),
        )
        self.way: Doorway

    def has_room(self, address: str, coming: int) -> bool:
        self.asked += 1
        return not self.full

    @property
    def port(self) -> int:
        return self.way.addresses[0][1]

    async def connect(self, **how: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        at = {} if "sock" in how else {"host": HOST, "port": self.port}
        reader, writer = await asyncio.open_connection(**at, **how)
        self.transports.append(writer)
        return reader, writer

    async def encrypted(self, context: ssl.SSLContext) -> bytes:
        """What is said over TLS."""
        reader, _ = await self.connect(ssl=context)
        return await reader.readline()

    async def aclose(self) -> None:
        self.way.close()
        for transport in self.transports:
            transport.close()
        await turns()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    house.way = await Doorway.open(HOST, 0, house.behind, house.has_room, house.clock)
    yield house
    await house.aclose()


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def test_both_come_in_by_one_door_and_nothing_of_what_they_say_is_lost(house: House) -> None:
    reader, writer = await house.connect()
    writer.write(b"G")
    assert await reader.readline() == b"plain\n"
    writer.write(b"ET")
    await until(lambda: b"".join(house.heard) == b"GET")

    assert await house.encrypted(trusting()) == b"encrypted\n"


async def test_where_there_is_no_certificate_nobody_comes_in_by_tls(house: House) -> None:
    house.way.behind = Behind(plain=house.behind.plain)

    with pytest.raises((ConnectionError, ssl.SSLError)):
        await house.encrypted(trusting())


async def test_tls_is_of_today(house: House) -> None:
    """RFC 9325 §3.1, §4.2: TLS 1.2 and above, forward secrecy, authenticated encryption."""
    for version, cipher in (
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-GCM-SHA384"),
        (ssl.TLSVersion.TLSv1_3, "TLS_AES_256_GCM_SHA384"),
    ):
        context = trusting()
        context.set_alpn_protocols(["h2", "http/1.1"])
        context.minimum_version = context.maximum_version = version
        reader, writer = await house.connect(ssl=context)
        assert await reader.readline() == b"encrypted\n"
        tls = writer.get_extra_info("ssl_object")
        assert (tls.cipher()[0], tls.selected_alpn_protocol()) == (cipher, "http/1.1")
    old = trusting()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("ECDHE-ECDSA-AES128-SHA:AES128-SHA")
    with pytest.raises((ConnectionError, ssl.SSLError)):
        await house.encrypted(old)


async def test_another_certificate_is_shown_to_those_who_come_next(house: House) -> None:
    other = Authority().sign("other.example")
    identity = Identity(other.certificate, Secret(other.key))
    behind = house.way.behind
    house.way.behind = Behind(
        plain=behind.plain, encrypted=behind.encrypted, tls=server_context(identity)
    )

    reader, writer = await house.connect(ssl=trusting())
    await reader.readline()

    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    assert ssl.DER_cert_to_PEM_cert(shown).strip() == other.certificate.strip()


async def test_a_certificate_that_cannot_be_shown_is_told_without_its_key() -> None:
    broken = Identity(SHOWN.certificate, Secret(Authority().sign("x").key))

    with pytest.raises(ValueError, match="cannot be used") as wrong:
        server_context(broken)

    assert "PRIVATE" not in str(wrong.value)


# --- bounds -------------------------------------------------------------------------------------


async def test_who_says_nothing_is_sent_away_in_time(house: House) -> None:
    early = await house.connect()
    await until(lambda: house.asked == 1)
    house.clock.advance(SILENT_TIME / 2)
    late = await house.connect()
    await until(lambda: house.asked == 2)

    house.clock.advance(SILENT_TIME / 2)

    assert await early[0].read() == b""
    late[1].write(b"G")
    assert await late[0].readline() == b"plain\n"


async def test_of_many_who_say_nothing_the_first_goes_for_the_next(house: House) -> None:
    """Silence keeps nobody out."""
    silent = [await house.connect() for _ in range(SILENT_MAX + 1)]

    assert await silent[0][0].read() == b""
    silent[-1][1].write(b"G")
    assert await silent[-1][0].readline() == b"plain\n"


async def test_where_there_is_no_room_nobody_comes_in(house: House) -> None:
    house.full = True
    reader, _ = await house.connect()

    assert await reader.read() == b""


async def test_handshakes_that_do_not_go_on_keep_out_only_their_own_address(house: House) -> None:
    stalled = [await house.connect() for _ in range(HANDSHAKES_PER_ADDRESS_MAX)]
    for _, writer in stalled:
        writer.write(CLIENT_HELLO)
    await until(lambda: house.way.handshakes == HANDSHAKES_PER_ADDRESS_MAX)

    with pytest.raises((ConnectionError, ssl.SSLError)):
        await house.encrypted(trusting())
    reader, writer = await house.connect()
    writer.write(b"G")
    assert await reader.readline() == b"plain\n", "who does not shake hands comes in"
    elsewhere = await house.connect(ssl=trusting(), local_addr=("127.0.0.9", 0))
    assert await elsewhere[0].readline() == b"encrypted\n"

    for _, stalling in stalled:
        stalling.transport.abort()
    await until(lambda: not house.way.handshakes)
    assert HANDSHAKE_TIME < SILENT_TIME


async def test_what_is_no_tls_after_all_ends_there(house: House) -> None:
    reader, writer = await house.connect()
    writer.write(CLIENT_HELLO + bytes(600))
    said = b""

    with contextlib.suppress(ConnectionError):
        said = await reader.read()

    assert b"encrypted" not in said
    assert not house.way.handshakes


async def test_many_handshakes_at_once_begin_at_one_turn_each(house: House) -> None:
    """Each takes a millisecond; calls and sound have their turns in between."""
    gone = asyncio.Event()
    most = 0

    async def watch() -> None:
        nonlocal most
        before = house.way.begun
        while not gone.is_set():
            await asyncio.sleep(0)
            most = max(most, house.way.begun - before)
            before = house.way.begun

    watching = asyncio.ensure_future(watch())
    said = await asyncio.gather(*(house.encrypted(trusting()) for _ in range(20)))
    gone.set()
    await watching

    assert said == [b"encrypted\n"] * 20
    assert most == 1


async def test_without_a_free_file_the_door_rests_and_opens_again(house: House) -> None:
    connecting = socket.socket()
    connecting.setblocking(False)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        connecting.connect_ex((HOST, house.port))
        await until(lambda: house.clock.waiting)
        await turns()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    house.clock.advance(REST)

    await until(lambda: house.clock.waiting)
    reader, writer = await house.connect(sock=connecting)
    writer.write(b"G")
    assert await reader.readline() == b"plain\n"


async def test_an_address_that_is_taken_and_a_name_that_is_none_are_told(house: House) -> None:
    for host in (HOST, "no.such.name.invalid"):
        with pytest.raises(OSError, match=r".+"):
            await Doorway.open(host, house.port, house.behind, house.has_room, house.clock)
