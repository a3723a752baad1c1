"""What the kernel says of the network is told once, soon after it has begun to change."""

from collections.abc import Iterator

import pytest

from sipstrobe.context import Context
from sipstrobe.services.network import SETTLE, Changes, Network
from tests.support.leap import LeapClock
from tests.support.netns import Namespace, namespace
from tests.support.waiting import until


@pytest.fixture
def network() -> Iterator[Namespace]:
    with namespace() as made:
        made.ip("link add here type veth peer name there")
        made.ip("link set here up")
        made.ip("addr add 192.0.2.1/24 dev here")
        yield made


async def test_a_burst_of_news_is_one_change(network: Namespace) -> None:
    clock, told = LeapClock(), list[tuple[float, Changes]]()
    part = Network(Context(clock), lambda changes: told.append((clock.now(), changes)))
    with network.inside():
        part.open()

    began = clock.now()
    network.ip("link set there up")
    network.ip("addr add 192.0.2.7/24 dev here")
    network.ip("addr del 192.0.2.1/24 dev here")
    await until(lambda: any("192.0.2.1" in changes.lost for _, changes in told))
    part.close()

    returned = frozenset[str]().union(*(changes.returned for _, changes in told))
    assert "192.0.2.1" in returned
    assert told[0][0] - began >= SETTLE
    assert len(told) <= 2


async def test_nothing_is_told_after_the_end(network: Namespace) -> None:
    told: list[Changes] = []
    clock = LeapClock()
    with network.inside():
        closed, other = (Network(Context(clock), told.append) for _ in range(2))
        closed.open()
        other.open()
    closed.close()
    closed.close()

    network.ip("addr add 192.0.2.7/24 dev here")
    await until(lambda: told)
    other.close()

    assert len(told) == 1
