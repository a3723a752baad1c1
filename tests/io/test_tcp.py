"""TCP connections on the loopback interface: those that come and those that we open."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from sipstrobe.io.connection import CLOSE_LIMIT, MAX_UNSENT_BYTES, Connection
from sipstrobe.io.tcp import (
    ACCEPTED_AT_ONCE,
    CONNECT_LIMIT,
    IDLE_LIMIT,
    MAX_CONNECTING,
    MAX_FROM_ONE,
    READ_BYTES,
    SILENT_LIMIT,
    SWEEP,
    Handlers,
    TcpHub,
)
from sipstrobe.io.udp import Endpoint
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until


@dataclass
class Node:
    """A hub that listens on a port of its own and keeps what it is told."""

    hub: TcpHub = field(init=False)
    port: int = 0
    heard: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    ways: list[tuple[Endpoint, Endpoint]] = field(default_factory=list[tuple[Endpoint, Endpoint]])
    closed: list[int] = field(default_factory=list[int])
    failed: list[Endpoint] = field(default_factory=list[Endpoint])
    reasons: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.hub = TcpHub(Handlers(self._received, self.closed.append, self._failed))

    @property
    def address(self) -> Endpoint:
        return ("127.0.0.1", self.port)

    def texts(self) -> bytes:
        return b"".join(data for _, data in self.heard)

    def connection_of(self, first: bytes) -> int:
        """The number of the connection on which this came."""
        return next(number for number, data in self.heard if data.startswith(first))

    def _received(self, chunk: bytes, connection: Connection) -> None:
        self.heard.append((connection.number, chunk))
        self.ways.append((connection.local, connection.remote))

    def _failed(self, remote: Endpoint, name: str, reason: str) -> None:
        self.failed.append(remote)
        self.reasons.append(reason)


Start = Callable[..., Awaitable[Node]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts nodes; in the end nothing of them is left."""
    nodes: list[Node] = []

    async def begin(host: str = "127.0.0.1", *, max_connections: int = 100) -> Node:
        node = Node()
        node.hub = TcpHub(node.hub.handlers, max_connections=max_connections)
        nodes.append(node)
        node.port = free_port(host)
        await node.hub.listen(host, node.port)
        return node

    yield begin
    for node in nodes:
        await node.hub.aclose()
    await until(lambda: not any(len(node.hub) for node in nodes))


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def dial(node: Node) -> socket.socket:
    """A connection of somebody else."""
    line = socket.create_connection(node.address, timeout=5)
    line.setblocking(False)
    return line


async def gone(line: socket.socket) -> None:
    """Wait until the other side has closed."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(30):
        try:
            while await loop.sock_recv(line, 65536):
                pass
        except ConnectionResetError:
            pass


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_what_is_sent_before_the_connection_stands_arrives_in_order(
    start: Start, host: str
) -> None:
    a, b = await start(host), await start(host)

    for piece in (b"one ", b"two ", b"three"):
        assert a.hub.send(piece, (host, b.port))
    await until(lambda: b.texts() == b"one two three")

    assert {number for number, _ in b.heard} == {1}
    local, remote = b.ways[0]
    assert local == (host, b.port)
    assert remote[0] == host


async def test_a_connection_is_used_again_by_number_and_by_address(start: Start) -> None:
    """RFC 5923: and answers go back on the connection that the question came by."""
    a, b = await start(), await start()
    a.hub.send(b"question", b.address)
    await until(lambda: b.heard)

    b.hub.send(b"answer", ("127.0.0.1", 9), b.connection_of(b"question"))
    await until(lambda: a.heard)
    b.hub.send(b" more", b.ways[0][1])
    await until(lambda: a.texts() == b"answer more")
    a.hub.send(b" again", b.address)
    await until(lambda: b.texts() == b"question again")

    assert (len(a.hub), len(b.hub)) == (1, 1)


async def test_nobody_listening_is_told_and_the_next_attempt_is_a_new_one(start: Start) -> None:
    a = await start()
    dead = ("127.0.0.1", free_port())

    assert a.hub.send(b"anybody?", dead)
    await until(lambda: a.failed)
    assert a.failed == [dead]
    assert a.reasons == ["it refuses the connection"]
    assert a.closed == []

    b = Node()
    b.port = dead[1]
    await b.hub.listen("127.0.0.1", b.port)
    a.hub.send(b"hello", dead)
    await until(lambda: b.heard)
    await b.hub.aclose()


async def test_when_the_peer_closes_it_is_told_once_and_the_next_message_opens_another(
    start: Start,
) -> None:
    a, b = await start(), await start()
    a.hub.send(b"one", b.address)
    await until(lambda: b.heard)

    b.hub.close_connection(b.connection_of(b"one"))
    await until(lambda: a.closed and b.closed)
    a.hub.send(b"two", b.address)
    await until(lambda: b.texts() == b"onetwo")

    assert (a.closed, b.closed) == ([1], [1])
    assert b.connection_of(b"two") == 2


async def test_an_address_in_another_spelling_is_the_same(start: Start) -> None:
    """RFC 4291 §2.2; a connection by it is used again, and forgotten when it is gone."""
    a, b = await start("::1"), await start("::1")
    spelled = ("0:0::1", b.port)
    for piece in (b"one", b" two"):
        a.hub.send(piece, spelled)
        await until(lambda piece=piece: b.texts().endswith(piece))
    assert len(b.hub) == 1
    b.hub.close_connection(1)
    await until(lambda: a.closed == [1])

    assert a.hub.send(b" three", spelled)
    await until(lambda: b.texts() == b"one two three")


async def test_who_takes_a_connection_and_closes_it_without_a_word_has_failed(
    start: Start,
) -> None:
    """A request that was sent there need not wait for timer B or F: RFC 3261 §18.4."""
    a, b = await start(), await start()
    a.hub.send(b"INVITE", b.address)
    await until(lambda: b.heard)

    b.hub.close_connection(b.connection_of(b"INVITE"))
    await until(lambda: a.failed)

    assert (a.closed, a.failed) == ([1], [b.address])
    assert a.reasons == ["it has closed the connection without a word"]
    assert b.failed == []


async def test_whom_we_leave_ourselves_has_not_failed(start: Start) -> None:
    a, b = await start(), await start()
    a.hub.send(b"ACK", b.address)
    await until(lambda: b.heard)

    a.hub.close_connection(1)
    await until(lambda: a.closed)

    assert a.failed == []


async def test_what_comes_at_once_is_taken_in_bites(start: Start) -> None:
    """Whoever sends much must not keep the loop from lights and sound."""
    a, b = await start(), await start()
    a.hub.send(bytes(40 * READ_BYTES), b.address)
    await until(lambda: len(b.texts()) == 40 * READ_BYTES)

    assert max(len(data) for _, data in b.heard) == READ_BYTES


async def test_a_connection_that_is_being_closed_is_not_used_any_more(start: Start) -> None:
    a, b = await start(), await start()
    a.hub.send(b"one", b.address)
    await until(lambda: b.heard)

    a.hub.close_connection(1)
    assert a.hub.send(b"two", b.address, 1)
    await until(lambda: b.texts() == b"onetwo")

    assert len({number for number, _ in b.heard}) == 2


async def test_after_a_renewal_a_new_connection_is_opened_and_the_old_one_goes_on(
    start: Start,
) -> None:
    a, b = await start(), await start()
    a.hub.send(b"one", b.address)
    await until(lambda: b.heard)

    a.hub.renew()
    a.hub.send(b" two", b.address, 1)
    await until(lambda: b.texts() == b"one two")
    a.hub.send(b" three", b.address)
    await until(lambda: b.texts() == b"one two three")

    assert [number for number, _ in b.heard] == [1, 1, 2]


async def test_closing_an_unknown_connection_does_nothing(start: Start) -> None:
    node = await start()
    node.hub.close_connection(99)
    assert len(node.hub) == 0


async def test_what_waits_for_a_connection_is_bounded(start: Start) -> None:
    a, b = await start(), await start()
    piece = bytes(MAX_UNSENT_BYTES // 4)

    assert [a.hub.send(piece, b.address) for _ in range(5)] == [True] * 4 + [False]
    await until(lambda: len(b.texts()) == MAX_UNSENT_BYTES)


async def test_a_peer_that_does_not_read_is_let_go(start: Start) -> None:
    """What we would have to keep for it has a bound; the call behind it learns that it failed."""
    node = await start()
    with dial(node) as line:
        line.send(b"x")
        await until(lambda: node.heard)

        sent = 0
        while node.hub.send(bytes(65_536), ("", 0), 1):
            sent += 65_536
            assert sent < 100 * MAX_UNSENT_BYTES
        await until(lambda: node.closed)

        assert node.closed == [1]
        assert len(node.hub) == 0


async def test_how_many_connections_are_being_opened_at_once_is_bounded(start: Start) -> None:
    a = await start()
    with contextlib.ExitStack() as stack:
        bound = [stack.enter_context(socket.socket()) for _ in range(MAX_CONNECTING + 1)]
        for one in bound:
            one.bind(("127.0.0.1", 0))  # nobody listens there, and nobody can begin to
        dead = [one.getsockname() for one in bound]

        answers = [a.hub.send(b"x", to) for to in dead]

        assert answers == [True] * MAX_CONNECTING + [False]
        await until(lambda: len(a.failed) == MAX_CONNECTING)
        await until(lambda: a.hub.send(b"x", dead[-1]))
        await until(lambda: len(a.failed) == MAX_CONNECTING + 1)


async def test_a_connection_that_takes_too_long_has_failed(start: Start) -> None:
    """A listener whose queue is full neither accepts nor refuses."""
    clock = LeapClock()
    a = await start()
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for line in (first, second):
            line.setblocking(False)
            line.connect_ex(listener.getsockname())
        a.hub.send(b"x", listener.getsockname())
        await turns()
        assert a.failed == []

        clock.leap(CONNECT_LIMIT)
        await until(lambda: a.failed)
        assert a.reasons == ["it does not answer within 8 s"]


async def test_after_an_end_in_the_middle_of_connecting_others_are_called_again(
    start: Start,
) -> None:
    """SIP is switched off and on again while a listener's queue is full."""
    a = await start()
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for line in (first, second):
            line.setblocking(False)
            line.connect_ex(listener.getsockname())
        a.hub.send(b"lost", listener.getsockname())
        await turns()

        a.hub.close()
        await turns()
        first.close()
        second.close()
        listener.accept()[0].close()
        listener.setblocking(False)
        a.hub.send(b"heard", listener.getsockname())
        await until(lambda: len(a.hub) == 1)

        loop, heard = asyncio.get_running_loop(), b""
        with contextlib.suppress(BlockingIOError):
            while True:
                line = listener.accept()[0]
                line.setblocking(False)
                async with asyncio.timeout(30):
                    heard = await loop.sock_recv(line, 9)
                line.close()
        assert heard == b"heard"


# --- many, and silent ones ---------------------------------------------------------------------


async def test_who_opens_connections_and_says_nothing_keeps_nobody_out(start: Start) -> None:
    """The hub holds three; seven come and are silent, then one that has something to say."""
    node = await start(max_connections=3)
    silent = [dial(node) for _ in range(7)]
    await until(lambda: node.hub.displaced == 4)

    with dial(node) as line:
        line.send(b"help")
        await until(lambda: node.texts() == b"help")

    await until(lambda: len(node.hub) == 2)
    assert node.hub.displaced == 5
    assert node.closed[:5] == [1, 2, 3, 4, 5], "those that came first went first"
    for one in silent[:5]:
        await gone(one)
    for one in silent:
        one.close()


async def test_whom_we_have_called_makes_room_last(start: Start) -> None:
    """The connection to a server of ours is silent for minutes; strangers come in seconds."""
    server, node = await start(), await start(max_connections=3)
    node.hub.send(b"REGISTER", server.address)
    await until(lambda: server.heard)

    strangers = [dial(node) for _ in range(5)]
    await until(lambda: node.hub.displaced == 3)

    assert 1 not in node.closed
    for one in strangers:
        one.close()


async def test_many_that_come_at_once_are_taken_in_turn_with_everything_else(start: Start) -> None:
    node = await start()
    lines = [dial(node) for _ in range(50)]
    most = before = 0
    while len(node.hub) < 50:
        await asyncio.sleep(0)
        most, before = max(most, len(node.hub) - before), len(node.hub)

    assert most <= ACCEPTED_AT_ONCE
    for line in lines:
        line.close()


async def test_who_was_heard_last_stays_longest(start: Start) -> None:
    node = await start(max_connections=3)
    lines = [dial(node) for _ in range(3)]
    await until(lambda: len(node.hub) == 3)
    lines[0].send(b"I am still here")
    await until(lambda: node.heard)

    lines += [dial(node), dial(node)]
    await until(lambda: node.hub.displaced == 2)

    assert node.closed == [2, 3]
    node.hub.send(b"welcome", ("", 0), 1)
    async with asyncio.timeout(30):
        assert await asyncio.get_running_loop().sock_recv(lines[0], 100) == b"welcome"
    for line in lines:
        line.close()


async def test_who_opens_many_makes_room_for_more_of_its_own_and_pushes_out_nobody_else(
    start: Start,
) -> None:
    node = await start(max_connections=MAX_FROM_ONE + 10)
    with socket.socket() as other:
        other.bind(("127.0.0.2", 0))
        other.connect(node.address)
        await until(lambda: len(node.hub) == 1)
        lines: list[socket.socket] = []
        for n in range(MAX_FROM_ONE + 20):
            lines.append(dial(node))
            if n % 20 == 0:
                await turns()
        await until(lambda: node.hub.displaced == 20)

        assert len(node.hub) == MAX_FROM_ONE + 1
        assert 1 not in node.closed
        for line in lines:
            line.close()


async def test_who_says_nothing_at_all_is_let_go_and_who_has_said_something_stays(
    start: Start,
) -> None:
    clock = LeapClock()
    node = await start()
    with dial(node) as silent, dial(node) as talker:
        talker.send(b"x")
        await until(lambda: node.heard and len(node.hub) == 2)
        clock.leap(SILENT_LIMIT - SWEEP)
        await turns()
        clock.leap(2 * SWEEP)
        await until(lambda: len(node.closed) == 1)
        await gone(silent)

        for _ in range(round(IDLE_LIMIT / 900)):
            clock.leap(900.0)
            await turns()
        await until(lambda: len(node.closed) == 2)


async def test_a_new_connection_comes_from_the_address_that_is_wanted(start: Start) -> None:
    """What Via and Contact say is where it comes from; an address that is gone is not missed."""
    a, b = await start(), await start()
    a.hub.send(b"one", b.address, source="127.0.0.5")
    await until(lambda: b.heard)
    assert b.ways[0][1][0] == "127.0.0.5"

    c = await start()
    a.hub.send(b"two", c.address, source="192.0.2.77")
    await until(lambda: c.heard)
    assert c.ways[0][1][0] == "127.0.0.1"


async def test_a_full_hub_still_calls_others(start: Start) -> None:
    a, b = await start(max_connections=2), await start()
    lines = [dial(a) for _ in range(2)]
    await until(lambda: len(a.hub) == 2)

    a.hub.send(b"hello", b.address)
    await until(lambda: b.texts() == b"hello")

    assert (len(a.hub), a.hub.displaced) == (2, 1)
    for line in lines:
        line.close()


async def test_a_peer_that_is_gone_before_we_look_harms_nothing(start: Start) -> None:
    node = await start()
    for _ in range(20):
        line = dial(node)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        line.close()  # with RST
    await turns(50)
    await until(lambda: len(node.hub) == 0)


# --- the end -----------------------------------------------------------------------------------


async def test_closing_sends_what_waits_and_ends_every_connection(start: Start) -> None:
    a, b = await start(), await start()
    a.hub.send(b"hello", b.address)
    await until(lambda: b.heard)

    a.hub.send(b" and good-bye", b.address)
    await a.hub.aclose()
    await until(lambda: b.closed)

    assert b.texts() == b"hello and good-bye"
    with pytest.raises(ConnectionRefusedError):
        dial(a)


async def test_closing_waits_for_nobody_who_does_not_read(start: Start) -> None:
    clock = LeapClock()
    node = await start()
    with dial(node) as line:
        line.send(b"x")
        await until(lambda: node.heard)
        while _kept(node.hub) == 0:  # the kernel takes some MB
            assert node.hub.send(bytes(MAX_UNSENT_BYTES // 2), ("", 0), 1)

        await node.hub.aclose()
        await turns()
        assert node.closed == []
        clock.leap(CLOSE_LIMIT)
        await until(lambda: node.closed)


def _kept(hub: TcpHub) -> int:
    """Bytes that the kernel has not taken."""
    [connection] = hub._connections.values()  # pyright: ignore[reportPrivateUsage]
    transport = connection._transport  # pyright: ignore[reportPrivateUsage]
    return 0 if transport is None else transport.get_write_buffer_size()


async def test_closing_gives_up_connections_that_do_not_stand_yet(start: Start) -> None:
    a, b = await start(), await start()
    a.hub.send(b"hello", b.address)
    await a.hub.aclose()
    await turns()

    assert (len(a.hub), b.heard, a.failed) == (0, [], [])


async def test_a_port_that_is_taken_is_an_error(start: Start) -> None:
    a, b = await start(), Node()
    with pytest.raises(OSError, match="in use"):
        await b.hub.listen("127.0.0.1", a.port)


async def test_after_stop_listening_connections_go_on(start: Start) -> None:
    a, b = await start(), await start()
    a.hub.send(b"hello", b.address)
    await until(lambda: b.heard)

    b.hub.stop_listening(b.port)
    with pytest.raises(ConnectionRefusedError):
        dial(b)
    a.hub.send(b" again", b.address)
    await until(lambda: b.texts() == b"hello again")
