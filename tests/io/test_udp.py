"""UDP sockets on the loopback interface: drained at once, and told what cannot be reached."""

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from sipstrobe.clock import LoopClock
from sipstrobe.io.udp import (
    DRAIN_LIMIT,
    DRAIN_SECONDS,
    Endpoint,
    PortPairs,
    Receive,
    UdpSocket,
    endpoint_of,
    local_address_for,
    route_to,
)
from tests.support.waiting import turns, until

Datagram = tuple[bytes, Endpoint, float]


@dataclass
class Desk:
    """Opens sockets and keeps what they receive and what they say cannot be reached."""

    clock: LoopClock
    heard: list[Datagram] = field(default_factory=list[Datagram])
    unreachable: list[Endpoint] = field(default_factory=list[Endpoint])
    opened: list[UdpSocket] = field(default_factory=list[UdpSocket])

    def open(
        self, host: str = "127.0.0.1", *, receive: Receive | None = None, deaf: bool = False
    ) -> UdpSocket:
        """deaf: it does not want to know what cannot be reached."""
        failed = None if deaf else self.unreachable.append
        opened = UdpSocket(host, 0, receive or self.note, self.clock, failed=failed)
        self.opened.append(opened)
        return opened

    def note(self, data: bytes, source: Endpoint, received_at: float) -> None:
        self.heard.append((data, source, received_at))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk(LoopClock(asyncio.get_running_loop()))
    yield desk
    for opened in desk.opened:
        opened.close()


def free_port(host: str = "127.0.0.1") -> int:
    """A port at which nobody listens."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_datagram_arrives_with_its_source_and_the_instant_of_receipt(
    desk: Desk, host: str
) -> None:
    a, b = desk.open(host), desk.open(host)
    before = desk.clock.now()

    assert a.send(b"hello", (host, b.port))
    await until(lambda: desk.heard)

    [(data, source, received_at)] = desk.heard
    assert (data, source) == (b"hello", (host, a.port))
    assert before - 0.001 <= received_at <= desk.clock.now()  # two clocks, read one by one


async def test_the_instant_of_receipt_is_the_kernels_and_not_ours(desk: Desk) -> None:
    """A datagram that had to wait for a busy loop says so; if not the first: Linux begins to note
    instants a moment after it is asked to, when nobody else has asked before."""
    a, b = desk.open(), desk.open()
    waited = 0.0
    for _ in range(20):
        desk.heard.clear()
        a.send(b"x", ("127.0.0.1", b.port))
        time.sleep(0.05)  # noqa: ASYNC251 - the loop is busy
        await until(lambda: desk.heard)
        waited = desk.clock.now() - desk.heard[0][2]
        if waited >= 0.05:
            break

    assert waited >= 0.05


async def test_all_that_waits_is_taken_at_one_wake_up(desk: Desk) -> None:
    a, b = desk.open(), desk.open()
    for _ in range(DRAIN_LIMIT):
        a.send(b"x", ("127.0.0.1", b.port))

    turns = 0
    while len(desk.heard) < DRAIN_LIMIT:
        await asyncio.sleep(0)
        turns += 1

    assert turns < DRAIN_LIMIT / 4  # a busy machine may use up our time before the number


async def test_a_flood_leaves_others_their_turn(desk: Desk) -> None:
    a, b = desk.open(), desk.open()
    for _ in range(DRAIN_LIMIT + 10):
        a.send(b"x", ("127.0.0.1", b.port))

    seen = [0]
    while len(desk.heard) < DRAIN_LIMIT + 10:
        await asyncio.sleep(0)
        seen.append(len(desk.heard))

    assert max(later - earlier for earlier, later in pairwise(seen)) <= DRAIN_LIMIT


async def test_slow_work_leaves_others_their_turn_too(desk: Desk) -> None:
    taken: list[float] = []

    def work(data: bytes, source: Endpoint, received_at: float) -> None:
        taken.append(desk.clock.now())
        time.sleep(2 * DRAIN_SECONDS)

    a, b = desk.open(), desk.open(receive=work)
    for _ in range(3):
        a.send(b"x", ("127.0.0.1", b.port))
    turns = 0
    while len(taken) < 3:
        before = len(taken)
        await asyncio.sleep(0)
        assert len(taken) - before <= 1
        turns += 1

    assert turns >= 3


async def test_a_receiver_may_close_the_socket_that_it_is_called_by(desk: Desk) -> None:
    def close(*_: object) -> None:
        taken.append(1)
        b.close()

    taken: list[int] = []
    a = desk.open()
    b = desk.open(receive=close)
    a.send(b"1", ("127.0.0.1", b.port))
    a.send(b"2", ("127.0.0.1", b.port))
    await turns()

    assert taken == [1]
    b.close()  # once more does no harm


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_network_says_which_destination_is_unreachable(desk: Desk, host: str) -> None:
    a, b = desk.open(host), desk.open(host)
    dead = (host, free_port(host))

    a.send(b"anybody?", dead)
    a.send(b"hello", (host, b.port))
    await until(lambda: desk.unreachable and desk.heard)

    assert desk.unreachable == [dead]
    assert desk.heard[0][0] == b"hello"


async def test_news_of_one_destination_costs_another_no_datagram(desk: Desk) -> None:
    """The kernel reports an earlier datagram's fate when the next is sent, whoever that is to."""
    a, b = desk.open(), desk.open()
    dead = ("127.0.0.1", free_port())

    for _ in range(5):
        assert a.send(b"anybody?", dead)
        assert a.send(b"hello", ("127.0.0.1", b.port))
    await until(lambda: len(desk.unreachable) == 5)

    assert [data for data, _, _ in desk.heard] == [b"hello"] * 5
    assert a.dropped == 0
    assert set(desk.unreachable) == {dead}


async def test_what_cannot_be_reached_is_told_from_the_loop_and_never_within_send(
    desk: Desk,
) -> None:
    """Whoever sends may be in the middle of something."""
    a = desk.open()
    dead = ("127.0.0.1", free_port())

    for _ in range(10):
        a.send(b"anybody?", dead)
    assert desk.unreachable == []
    await until(lambda: desk.unreachable)


async def test_more_errors_than_are_read_in_one_go_are_all_told_and_then_there_is_peace(
    desk: Desk,
) -> None:
    a = desk.open()
    dead = ("127.0.0.1", free_port())
    for _ in range(2 * DRAIN_LIMIT + 5):
        a.send(b"x", dead)
    await until(lambda: len(desk.unreachable) == 2 * DRAIN_LIMIT + 5)

    woken = 0

    def count_wake_ups() -> None:
        nonlocal woken
        woken += 1

    loop = asyncio.get_running_loop()
    fd = a._socket.fileno()  # pyright: ignore[reportPrivateUsage]  # is it readable still?
    loop.remove_reader(fd)
    loop.add_reader(fd, count_wake_ups)
    await turns()
    assert woken == 0


async def test_who_does_not_ask_hears_of_no_errors(desk: Desk) -> None:
    """RTP goes on when the peer's port is closed: it may open again."""
    a, b = desk.open(deaf=True), desk.open()
    dead = ("127.0.0.1", free_port())

    assert [a.send(b"x", dead) for _ in range(5)] == [True] * 5
    assert a.send(b"hello", ("127.0.0.1", b.port))
    await until(lambda: desk.heard)
    assert a.dropped == 0


@pytest.mark.parametrize("deaf", [False, True])
async def test_what_the_kernel_does_not_take_is_counted(desk: Desk, deaf: bool) -> None:
    a = desk.open(deaf=deaf)

    assert not a.send(bytes(70_000), ("127.0.0.1", 5060))
    assert not a.send(b"x", ("127.0.0.1", 0))
    assert a.dropped == 2


async def test_an_address_that_is_taken_is_an_error_and_leaves_nothing_open(desk: Desk) -> None:
    a = desk.open()
    with pytest.raises(OSError, match="in use") as raised:
        UdpSocket("127.0.0.1", a.port, desk.note, desk.clock)
    assert raised.value.errno == errno.EADDRINUSE


async def test_ipv4_and_ipv6_share_a_port(desk: Desk) -> None:
    a = desk.open("0.0.0.0")
    b = UdpSocket("::", a.port, desk.note, desk.clock)
    desk.opened.append(b)
    assert a.port == b.port


def test_our_address_on_the_way_to_a_peer_is_the_routing_tables() -> None:
    assert local_address_for("127.0.0.1") == "127.0.0.1"
    assert local_address_for("::1") == "::1"


# --- pairs of ports ----------------------------------------------------------------------------


def free_span(size: int, start: int = 20_000) -> int:
    """The first of so many free even/odd ports in a row."""
    for first in range(start, 60_000, 2):
        if all(_is_free(first + n) for n in range(size)):
            return first
    raise AssertionError("this machine has no free ports")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_how_large_a_packet_may_be_on_the_way(host: str) -> None:
    """RFC 1191, as the kernel knows it; loopback takes whatever there is."""
    ours, mtu = route_to(host)
    assert ours == host
    assert mtu >= 65_535


Pairs = Callable[[int], PortPairs]


@pytest.fixture
def pairs(desk: Desk) -> Pairs:
    return lambda start: PortPairs("127.0.0.1", start, desk.clock)


def _open(desk: Desk, pairs: PortPairs) -> tuple[UdpSocket, UdpSocket]:
    rtp, rtcp = pairs.open(desk.note, desk.note)
    desk.opened += [rtp, rtcp]
    return rtp, rtcp


async def test_rtp_has_an_even_port_and_rtcp_the_next(desk: Desk, pairs: Pairs) -> None:
    """RFC 3550 §11; a start port that is odd counts from the next."""
    start = free_span(10)
    ports = pairs(start + 1)

    opened = [tuple(s.port for s in _open(desk, ports)) for _ in range(3)]

    assert opened == [(start + n, start + n + 1) for n in (2, 4, 6)]


async def test_a_pair_of_which_one_port_is_taken_is_passed_over(desk: Desk, pairs: Pairs) -> None:
    start = free_span(8)
    for taken in (start, start + 3):
        desk.opened.append(UdpSocket("127.0.0.1", taken, desk.note, desk.clock))

    rtp, rtcp = _open(desk, pairs(start))

    assert (rtp.port, rtcp.port) == (start + 4, start + 5)
    assert _is_free(start + 2), "the half of a pair that could not be used was closed again"


async def test_a_port_that_was_just_closed_is_the_last_to_be_used_again(
    desk: Desk, pairs: Pairs
) -> None:
    """What is on its way to the old call must not be heard in the next."""
    start = free_span(6)
    ports = pairs(start)

    for n in (0, 2, 4):
        rtp, rtcp = _open(desk, ports)
        assert rtp.port == start + n
        rtp.close()
        rtcp.close()


async def test_other_addresses_have_their_turn_of_the_same_ports(desk: Desk, pairs: Pairs) -> None:
    start = free_span(8)
    ports = pairs(start)
    elsewhere = ports.at("127.0.0.2")

    opened = [_open(desk, taken)[0] for taken in (ports, elsewhere, ports, elsewhere.at("::1"))]

    assert [socket.port - start for socket in opened] == [0, 2, 4, 6]
    opened[1].send(b"from there", ("127.0.0.1", opened[0].port))
    await until(lambda: desk.heard)
    assert desk.heard[0][1] == ("127.0.0.2", start + 2)


async def test_an_address_that_is_not_ours_is_said_at_once(desk: Desk, pairs: Pairs) -> None:
    with pytest.raises(OSError, match="assign") as caught:
        _open(desk, pairs(free_span(8)).at("192.0.2.77"))
    assert caught.value.errno == errno.EADDRNOTAVAIL


async def test_round_and_round_until_none_is_free(desk: Desk, pairs: Pairs) -> None:
    """65,530 up: three pairs."""
    ports = pairs(65_530)
    free = [p for p in (65_530, 65_532, 65_534) if _is_free(p) and _is_free(p + 1)]
    opened = [_open(desk, ports) for _ in free]
    assert [rtp.port for rtp, _ in opened] == free

    with pytest.raises(OSError, match="no free pair of ports from 65530 up on 127"):
        ports.open(desk.note, desk.note)

    for half in opened[1]:
        half.close()
    assert _open(desk, ports)[0].port == free[1]


async def test_the_last_port_alone_makes_no_pair(desk: Desk, pairs: Pairs) -> None:
    with pytest.raises(OSError, match="no free pair"):
        pairs(65_535).open(desk.note, desk.note)


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        (("192.0.2.1", 5060), ("192.0.2.1", 5060)),
        (("2001:db8::1", 5060, 0, 0), ("2001:db8::1", 5060)),
        (("fe80::1", 5060, 0, 3), ("fe80::1%3", 5060)),
    ],
)
def test_a_link_local_source_keeps_its_link(
    address: tuple[str, int] | tuple[str, int, int, int], endpoint: Endpoint
) -> None:
    """RFC 4007 §6: the same address may be another host on another link."""
    assert endpoint_of(address) == endpoint
