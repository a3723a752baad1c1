"""News of a network that exists for the test alone, and of bytes that no kernel sends."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.io.netlink import Links, NetlinkSocket, News, What, read
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

    async def after(command: str, what: What, *addresses: str) -> None:
        heard.clear()
        network.ip(command)
        await until(lambda: News(what, frozenset(addresses)) in heard)

    await after("link set there up", What.LINK_UP)
    await after("addr add 192.0.2.1/24 dev here", What.ADDRESS_ADDED, "192.0.2.1")
    await after("addr add 2001:db8::1/64 dev here nodad", What.ADDRESS_ADDED, "2001:db8::1")
    await after("route add default via 192.0.2.2", What.ROUTE_ADDED)
    await after("route del default", What.ROUTE_REMOVED)
    await after("addr del 2001:db8::1/64 dev here", What.ADDRESS_REMOVED, "2001:db8::1")
    link.close()


async def test_a_link_is_known_by_its_addresses(network: Namespace) -> None:
    """Those that it had before somebody listened as well."""
    network.ip("addr add 192.0.2.1/24 dev here")
    network.ip("link set there up")
    heard: list[News] = []
    with network.inside():
        link = NetlinkSocket(heard.append)
    network.ip("addr add 192.0.2.9/24 dev here")
    await until(lambda: News(What.ADDRESS_ADDED, frozenset(["192.0.2.9"])) in heard)

    network.ip("link set there down")
    await until(lambda: any(news.what is What.LINK_DOWN for news in heard))
    heard.clear()  # also that the link came up at first, which the kernel may tell late
    network.ip("link set there up")
    both = {"192.0.2.1", "192.0.2.9"}
    await until(lambda: any(n.what is What.LINK_UP and n.addresses >= both for n in heard))
    link.close()


async def test_nothing_is_heard_after_the_end(network: Namespace) -> None:
    heard: list[News] = []
    with network.inside():
        closed, other = NetlinkSocket(heard.append), NetlinkSocket(heard.append)
    closed.close()

    network.ip("addr add 192.0.2.1/24 dev here")
    await until(lambda: heard)
    other.close()

    assert heard.count(News(What.ADDRESS_ADDED, frozenset(["192.0.2.1"]))) == 1


US = 7


def message(kind: int, body: bytes, port: int = 0) -> bytes:
    padded = body + bytes(-len(body) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, port) + padded


def link(index: int, flags: int, kind: int = 16) -> bytes:
    return message(kind, struct.pack("=BxHiII", 0, 1, index, flags, 0))


def address(index: int, host: str, kind: int = 20, port: int = 0, flags: int = 0) -> bytes:
    packed = bytes(map(int, host.split(".")))
    body = struct.pack("=BBBBI", 2, 24, flags, 0, index) + struct.pack("=HH", 8, 2) + packed
    return message(kind, body, port)


def test_a_link_that_repeats_itself_is_no_news() -> None:
    """The kernel tells of each change of any property of a link, counters of errors included."""
    links = Links()

    told = [read(link(2, f), links, asked_by=US) for f in (0x1043, 0x1043, 0x1003, 0x1002, 0x1043)]

    up, down = [News(What.LINK_UP)], [News(What.LINK_DOWN)]
    assert told == [up, [], down, [], up]
    assert read(link(2, 0, kind=17), links, asked_by=US) == down
    assert links == Links()


def test_an_address_that_repeats_itself_is_no_news() -> None:
    """Each router advertisement makes the kernel tell of it; that it is no duplicate is news."""
    links = Links()
    seen = [address(7, "192.0.2.1", flags=flags) for flags in (0x40, 0x40, 0x80, 0x80)]
    seen += [address(7, "192.0.2.1", kind=21), address(7, "192.0.2.1", flags=0x80)]

    told = [[news.what for news in read(data, links, asked_by=US)] for data in seen]

    added = [What.ADDRESS_ADDED]
    assert told == [added, [], added, [], [What.ADDRESS_REMOVED], added]


def test_several_messages_may_come_in_one_datagram() -> None:
    broadcast, unicast = (
        message(24, bytes([2, 24, 0, 0, 255, 2, 253, kind]) + bytes(4)) for kind in (3, 1)
    )
    data = address(7, "192.0.2.1") + link(7, 0x40) + broadcast + unicast + message(3, b"")

    told = read(data, Links(), asked_by=US)

    ours = frozenset(["192.0.2.1"])
    expected = [News(What.ADDRESS_ADDED, ours), News(What.LINK_UP, ours), News(What.ROUTE_ADDED)]
    assert told == expected


def test_answers_to_our_own_question_are_no_news() -> None:
    links = Links()

    assert read(address(7, "192.0.2.1", port=US), links, asked_by=US) == []
    assert read(link(7, 0x40), links, asked_by=US)[0].addresses == {"192.0.2.1"}


@given(st.binary(max_size=200))
def test_bytes_that_make_no_sense_are_passed_over(data: bytes) -> None:
    read(data, Links(), asked_by=US)


@given(st.sampled_from([16, 17, 20, 21, 24, 25]), st.binary(max_size=80))
def test_bodies_that_make_no_sense_are_passed_over(kind: int, body: bytes) -> None:
    read(message(kind, body), Links(), asked_by=US)
