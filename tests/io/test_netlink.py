"""News of a network that exists for the test alone, and of bytes that no kernel sends."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.io.netlink import NetlinkSocket, News, read
from tests.support.netns import Namespace, namespace
from tests.support.waiting import until


@pytest.fixture
def network() -> Iterator[Namespace]:
    """Two ends of a cable, both in the same namespace, not plugged in yet."""
    with namespace() as made:
        made.ip("link add here type veth peer name there")
        made.ip("link set here up")
        yield made


async def test_a_network_that_comes_and_goes_is_noticed(network: Namespace) -> None:
    """What a device sees whose cable is plugged in, whose address is set, and the same back."""
    heard: list[News] = []
    with network.inside():
        link = NetlinkSocket(heard.append)

    async def after(command: str, news: News) -> None:
        heard.clear()
        network.ip(command)
        await until(lambda: news in heard)

    await after("link set there up", News.LINK_UP)
    await after("addr add 192.0.2.1/24 dev here", News.ADDRESS_ADDED)
    await after("addr add 2001:db8::1/64 dev here nodad", News.ADDRESS_ADDED)
    await after("route add default via 192.0.2.2", News.ROUTE_ADDED)
    await after("route del default", News.ROUTE_REMOVED)
    await after("addr del 192.0.2.1/24 dev here", News.ADDRESS_REMOVED)
    await after("link set there down", News.LINK_DOWN)
    link.close()


async def test_nothing_is_heard_after_the_end(network: Namespace) -> None:
    heard: list[News] = []
    with network.inside():
        closed, other = NetlinkSocket(heard.append), NetlinkSocket(heard.append)
    closed.close()

    network.ip("addr add 192.0.2.1/24 dev here")
    await until(lambda: heard)
    other.close()

    assert heard.count(News.ADDRESS_ADDED) == 1


def message(kind: int, body: bytes) -> bytes:
    padded = body + bytes(-len(body) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + padded


def link(index: int, flags: int, kind: int = 16) -> bytes:
    return message(kind, struct.pack("=BxHiII", 0, 1, index, flags, 0))


def test_a_link_that_repeats_itself_is_no_news() -> None:
    """The kernel tells of each change of any property of a link, counters of errors included."""
    up: dict[int, bool] = {}

    told = [read(link(2, flags), up) for flags in (0x1043, 0x1043, 0x1003, 0x1002, 0x1043)]

    assert told == [[News.LINK_UP], [], [News.LINK_DOWN], [], [News.LINK_UP]]
    assert read(link(2, 0, kind=17), up) == [News.LINK_DOWN]
    assert up == {}


def test_several_messages_may_come_in_one_datagram() -> None:
    address = message(20, bytes(8))
    broadcast, unicast = (
        message(24, bytes([2, 24, 0, 0, 255, 2, 253, t]) + bytes(4)) for t in (3, 1)
    )

    told = read(address + link(7, 0x40) + broadcast + unicast + message(3, b""), {})

    assert told == [News.ADDRESS_ADDED, News.LINK_UP, News.ROUTE_ADDED]


@given(st.binary(max_size=200))
def test_bytes_that_make_no_sense_are_passed_over(data: bytes) -> None:
    read(data, {})
