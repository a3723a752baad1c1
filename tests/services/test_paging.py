"""The sources of the settings are groups that are joined."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from sipstrobe.audio.source import AddSource, RemoveSource
from sipstrobe.context import Context
from sipstrobe.events import PageStateChanged, ServiceStateChanged
from sipstrobe.multicast.settings import MulticastSettings, PageSource
from sipstrobe.rtp import packet as rtp
from sipstrobe.services.paging import JOINED_AT_ONCE, RETRY, SOURCES_TOLD, Paging
from tests.support.leap import LeapClock
from tests.support.netns import Namespace, namespace
from tests.support.waiting import until

PORT = 5004
NOTHING = MulticastSettings()


@pytest.fixture
def network() -> Iterator[Namespace]:
    """The sockets of this test are in it."""
    with namespace() as made, made.inside():
        yield made


def on_lo(network: Namespace) -> None:
    network.ip("link set lo multicast on")
    network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")


class Building:
    """A paging service, and the orders that it gives to a speaker that hears everything."""

    def __init__(self) -> None:
        self.clock = LeapClock()
        self.context = Context(self.clock)
        self.orders: list[AddSource] = []
        self.states: list[tuple[str, str]] = []
        self.problems: list[str] = []
        self.context.dispatcher.serve(AddSource, self._add)
        self.context.dispatcher.serve(RemoveSource, lambda _: None)
        self.context.bus.subscribe(
            PageStateChanged, lambda e: self.states.append((e.page, e.state.value))
        )
        self.context.bus.subscribe(ServiceStateChanged, lambda e: self.problems.append(e.problem))
        self.paging = Paging(self.context)

    def have(self, *sources: PageSource, enabled: bool = True) -> None:
        self.paging.apply(MulticastSettings(enabled=enabled, sources=sources))

    def _add(self, order: AddSource) -> None:
        self.orders.append(order)
        assert order.on_heard is not None
        order.on_heard(True)


def page(n: int) -> PageSource:
    return PageSource(label=f"Page {n}", address=f"239.1.{n // 250}.{n % 250}", port=PORT)


def send(n: int, packets: int = 1) -> None:
    source = page(n)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        for number in range(packets):
            data = rtp.build(0, False, number, 160 * number, 7, bytes(160))
            made.sendto(data, (source.address, source.port))


async def test_groups_are_joined_while_pages_are_received(network: Namespace) -> None:
    """MCC-01, MCC-07: sources are added, changed and removed while it runs."""
    on_lo(network)
    building = Building()
    building.have(page(1), page(2), enabled=False)
    assert building.paging.snapshot()["sources"] == 0

    building.have(page(1), page(2))
    send(2)
    await until(lambda: building.states)
    assert building.states == [("Page 2", "active")]
    assert building.orders[0].place == 5  # after calls, streams, clips and the first page
    building.have(page(1))

    assert building.states[-1] == ("Page 2", "idle")
    building.paging.apply(NOTHING)
    assert building.paging.snapshot() == {
        "sources": 0,
        "joined": 0,
        "told": [],
        "hearing": {"state": "idle", "words": "No groups are joined."},
    }


async def test_a_page_that_moves_in_the_list_stays_joined(network: Namespace) -> None:
    on_lo(network)
    building = Building()
    building.have(page(1), page(2))

    building.have(page(2), page(1))
    send(2)
    await until(lambda: building.orders)

    assert building.orders[0].place == 4
    building.paging.close()


async def test_sources_are_shown_by_their_rank_whenever_they_were_added(
    network: Namespace,
) -> None:
    on_lo(network)
    building = Building()
    building.have(page(1), page(2))

    building.have(page(3), page(2), page(1))
    told = building.paging.snapshot()["told"]

    assert [source["label"] for source in told] == ["Page 3", "Page 2", "Page 1"]
    building.paging.close()


async def test_a_group_that_cannot_be_joined_is_told_and_tried_again(network: Namespace) -> None:
    """There is no way to it until there is a network."""
    building = Building()
    building.have(page(1))
    assert building.paging.snapshot()["joined"] == 0
    assert building.problems[-1].startswith("Page 1: 239.1.0.1 cannot be joined: ")

    on_lo(network)
    building.clock.leap(RETRY)
    await until(lambda: building.paging.snapshot()["joined"])

    assert building.problems[-1] == ""
    building.paging.close()


async def test_a_thousand_groups_are_joined_on_a_hundred_sockets(network: Namespace) -> None:
    on_lo(network)
    building = Building()
    building.have(*(page(n) for n in range(1, 1001)))

    before = 0
    while before < 1000:
        joined = building.paging.snapshot()["joined"]
        assert before <= joined <= before + JOINED_AT_ONCE  # nothing else has to wait for long
        before = joined
        await asyncio.sleep(0)
    told = building.paging.snapshot()
    assert (told["joined"], len(told["told"])) == (1000, SOURCES_TOLD)
    send(1000)
    await until(lambda: building.states)

    assert building.states == [("Page 1000", "active")]
    assert building.paging.snapshot()["told"][0]["label"] == "Page 1000"
    building.paging.close()
    await asyncio.sleep(0)
