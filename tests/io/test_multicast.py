"""Multicast groups on the loopback interface of a network of its own."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from sipstrobe.clock import LoopClock
from sipstrobe.io.multicast import (
    BUSY,
    GRID,
    MAX_MEMBERSHIPS,
    SPAN,
    Group,
    GroupSockets,
    open_group,
)
from sipstrobe.io.udp import Endpoint
from tests.support.netns import Namespace, namespace
from tests.support.waiting import until

PORT = 5004
ROUTES = 10.0  # seconds


@pytest.fixture
def network() -> Iterator[Namespace]:
    """Sockets of this test are in it. IPv4 is on its loopback, IPv6 on one end of a cable."""
    with namespace() as made:
        made.ip("link set lo multicast on")
        made.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        made.ip("link add cable type veth peer name far")
        made.ip("addr add fd00::1/64 dev cable nodad")
        made.ip("link set cable up")
        made.ip("link set far up")
        with made.inside():
            _await_ipv6()
            yield made


def _await_ipv6() -> None:
    """The kernel needs a moment for a cable that has just been plugged in."""
    deadline = time.monotonic() + ROUTES
    while True:
        try:
            send(b"", "ff05::1:ff")
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        else:
            return


@dataclass
class Ear:
    """Keeps what it hears."""

    heard: list[bytes] = field(default_factory=list[bytes])
    sources: list[Endpoint] = field(default_factory=list[Endpoint])
    times: list[float] = field(default_factory=list[float])

    def __call__(self, data: bytes, source: Endpoint, received_at: float) -> None:
        self.heard.append(data)
        self.sources.append(source)
        self.times.append(received_at)


def send(data: bytes, group: str, port: int = PORT, source: str = "127.0.0.1") -> None:
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as made:
        if family == socket.AF_INET:
            made.setsockopt(
                socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1")
            )
            made.bind((source, 0))
        else:
            index = struct.pack("@I", socket.if_nametoindex("cable"))
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        made.sendto(data, (group, port))


def sockets() -> GroupSockets:
    return GroupSockets(LoopClock(asyncio.get_running_loop()))


async def test_groups_of_one_port_do_not_leak_into_each_other(network: Namespace) -> None:
    hub, one, other = sockets(), Ear(), Ear()
    hub.join(Group("239.1.1.1", PORT), one)
    hub.join(Group("239.1.1.2", PORT), other)

    before = LoopClock(asyncio.get_running_loop()).now()
    send(b"a", "239.1.1.1")
    send(b"b", "239.1.1.2")
    send(b"c", "239.1.1.3")
    await until(lambda: bool(one.heard and other.heard))

    assert (len(hub), one.heard, other.heard) == (1, [b"a"], [b"b"])
    assert one.sources[0][0] == "127.0.0.1"
    assert before - 0.1 <= one.times[0] <= LoopClock(asyncio.get_running_loop()).now()
    hub.close()


async def test_more_groups_than_a_socket_can_hear_take_several(network: Namespace) -> None:
    """net.ipv4.igmp_max_memberships is 20."""
    hub, ears = sockets(), [Ear() for _ in range(2 * MAX_MEMBERSHIPS + 1)]
    for n, ear in enumerate(ears):
        hub.join(Group(f"239.1.1.{n + 1}", PORT), ear)

    for n in range(len(ears)):
        send(str(n).encode(), f"239.1.1.{n + 1}")
    await until(lambda: all(ear.heard for ear in ears))

    assert len(hub) == 3
    assert [ear.heard for ear in ears] == [[str(n).encode()] for n in range(len(ears))]
    hub.close()
    assert len(hub) == 0


async def test_only_the_senders_that_are_named_are_heard(network: Namespace) -> None:
    """RFC 4607, with a second source for the same group that hears everybody."""
    hub, chosen, everybody = sockets(), Ear(), Ear()
    hub.join(Group("232.1.1.1", PORT, "lo", ("127.0.0.2", "127.0.0.3")), chosen)
    hub.join(Group("232.1.1.1", PORT, "lo"), everybody)

    for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"):
        send(host.encode(), "232.1.1.1", source=host)
    await until(lambda: len(everybody.heard) == 4)

    assert chosen.heard == [b"127.0.0.2", b"127.0.0.3"]
    hub.close()


async def test_groups_of_ipv6_are_heard(network: Namespace) -> None:
    hub, one, other = sockets(), Ear(), Ear()
    hub.join(Group("ff05::1:1", PORT, "cable"), one)
    hub.join(Group("ff05::1:2", PORT, "cable", ("fd00::1",)), other)

    send(b"one", "ff05::1:1")
    send(b"other", "ff05::1:2")
    await until(lambda: bool(one.heard and other.heard))

    assert (one.heard, other.heard) == ([b"one"], [b"other"])
    assert one.sources[0][0] == "fd00::1"
    hub.close()


async def test_who_has_left_hears_nothing_and_may_come_back(network: Namespace) -> None:
    hub, stays, leaves = sockets(), Ear(), Ear()
    hub.join(Group("239.1.1.1", PORT), stays)
    leave = hub.join(Group("239.1.1.2", PORT), leaves)

    leave()
    leave()
    send(b"a", "239.1.1.2")
    send(b"b", "239.1.1.1")
    await until(lambda: bool(stays.heard))
    assert leaves.heard == []
    hub.join(Group("239.1.1.2", PORT), leaves)
    send(b"c", "239.1.1.2")
    await until(lambda: bool(leaves.heard))

    assert leaves.heard == [b"c"]
    hub.close()


async def test_an_interface_that_is_not_there_is_an_error_and_leaves_nothing(
    network: Namespace,
) -> None:
    hub = sockets()

    with pytest.raises(OSError, match="interface"):
        hub.join(Group("239.1.1.1", PORT, "nowhere"), Ear())

    assert len(hub) == 0


async def test_a_group_is_joined_anew_for_all_who_hear_it(network: Namespace) -> None:
    """Only when nobody is in it for a moment does the kernel report it again."""
    hub, one, other, apart = sockets(), Ear(), Ear(), Ear()
    told: list[tuple[str, str, bool]] = []
    hub.told = lambda address, interface, joined: told.append((address, interface, joined))
    leave = hub.join(Group("ff05::1:1", PORT, "cable"), one)
    hub.join(Group("FF05:0::1:1", PORT, "cable", ("fd00::1",)), other)
    hub.join(Group("ff05::1:2", PORT, "cable"), apart)

    hub.rejoin("ff05::1:1", "cable")
    for group in ("ff05::1:1", "ff05::1:2"):
        send(b"a", group)
    await until(lambda: bool(one.heard and other.heard and apart.heard))
    leave()
    hub.close()

    assert told[:2] == [("ff05::1:1", "cable", True), ("ff05::1:2", "cable", True)]
    assert sorted(told[2:]) == [("ff05::1:1", "cable", False), ("ff05::1:2", "cable", False)]


async def test_an_interface_that_is_back_under_another_number_is_joined(
    network: Namespace,
) -> None:
    """More often than a socket has memberships: none of the past is left behind."""
    hub, ear = sockets(), Ear()
    hub.join(Group("239.1.1.1", PORT), Ear())
    hub.join(Group("239.1.1.2", PORT, "cable"), ear)

    for _ in range(MAX_MEMBERSHIPS):
        network.ip("link del cable")
        with pytest.raises(OSError, match=r"interface|device"):
            hub.rejoin("239.1.1.2", "cable")
        network.ip("link add cable type veth peer name far")
        network.ip("link set cable up")
        hub.rejoin("239.1.1.2", "cable")

    assert len(hub) == 1
    hub.close()


@pytest.mark.parametrize("group", ["239.1.1.1", "ff15::1"])
def test_one_group_is_heard_without_a_loop(network: Namespace, group: str) -> None:
    """And no other that this machine hears on the same port."""
    interface = "cable" if ":" in group else ""
    other = group[:-1] + "2"
    with (
        open_group(Group(group, PORT, interface)) as ear,
        open_group(Group(other, PORT, interface)) as another,
    ):
        with pytest.raises(BlockingIOError):
            ear.recv(9)
        send(b"b", other)
        send(b"a", group)

        for one, data in ((ear, b"a"), (another, b"b")):
            one.settimeout(10.0)
            assert one.recv(9) == data
            one.setblocking(False)
            with pytest.raises(BlockingIOError):
                one.recv(9)


def test_a_group_without_a_way_to_it_cannot_be_heard() -> None:
    with namespace() as empty, empty.inside(), pytest.raises(OSError, match="No such device"):
        open_group(Group("239.1.1.1", PORT))


async def test_much_is_fetched_and_little_wakes_up(network: Namespace) -> None:
    """Nothing of it is lost, from one way to the other and back."""
    hub, ears = sockets(), [Ear() for _ in range(30)]
    for n, ear in enumerate(ears):
        hub.join(Group(f"239.1.1.{n + 1}", PORT), ear)

    for count in range(1, 2 * BUSY // len(ears) + 1):  # more than little
        for n in range(len(ears)):
            send(bytes([count]), f"239.1.1.{n + 1}")
        await until(lambda count=count: all(len(ear.heard) == count for ear in ears))
    much = [list(ear.heard) for ear in ears]
    await asyncio.sleep(2 * SPAN)  # until it is little again
    send(b"last", "239.1.1.1")
    await until(lambda: ears[0].heard[-1] == b"last")

    assert much == [[bytes([n]) for n in range(1, 2 * BUSY // len(ears) + 1)]] * len(ears)
    hub.close()


async def test_a_receiver_may_leave_while_much_comes(network: Namespace) -> None:
    hub, stays = sockets(), Ear()
    hub.join(Group("239.1.1.1", PORT), stays)
    leaves: list[Callable[[], None]] = []

    def leave(data: bytes, source: Endpoint, received_at: float) -> None:
        leaves[0]()

    leaves.append(hub.join(Group("239.1.1.2", PORT + 2), leave))
    for _ in range(BUSY):
        send(b"a", "239.1.1.1")
    await until(lambda: len(stays.heard) == BUSY)

    send(b"b", "239.1.1.2", PORT + 2)
    await until(lambda: len(hub) == 1)
    hub.close()

    assert len(hub) == 0
    await asyncio.sleep(2 * GRID)  # nothing is fetched any more


async def test_it_is_known_until_when_all_has_been_read(network: Namespace) -> None:
    hub, ear = sockets(), Ear()
    clock = LoopClock(asyncio.get_running_loop())
    known: list[float] = []

    def hear(data: bytes, source: Endpoint, received_at: float) -> None:
        ear(data, source, received_at)
        known.append(hub.read_until())

    hub.join(Group("239.1.1.1", PORT), hear)
    send(b"a", "239.1.1.1")
    await until(lambda: bool(known))

    assert known == ear.times
    assert hub.read_until() <= clock.now()
    assert hub.read_until() > ear.times[0]
    hub.close()
