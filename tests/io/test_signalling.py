"""UDP sockets for SIP, on a machine with several addresses: all of 127/8 are ours."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from sipstrobe.clock import LoopClock
from sipstrobe.io.signalling import SignallingSocket
from sipstrobe.io.udp import Endpoint
from tests.support.waiting import until

Arrival = tuple[bytes, str]  # data, our address


@dataclass
class Desk:
    heard: list[Arrival] = field(default_factory=list[Arrival])
    sources: list[Endpoint] = field(default_factory=list[Endpoint])
    ages: list[float] = field(default_factory=list[float])
    unreachable: list[Endpoint] = field(default_factory=list[Endpoint])
    opened: list[SignallingSocket] = field(default_factory=list[SignallingSocket])

    def open(self, host: str = "0.0.0.0") -> SignallingSocket:
        clock = LoopClock(asyncio.get_running_loop())

        def note(data: bytes, source: Endpoint, came_to: str, received_at: float) -> None:
            self.heard.append((data, came_to))
            self.sources.append(source)
            self.ages.append(clock.now() - received_at)

        self.opened.append(SignallingSocket(host, 0, note, clock, failed=self.unreachable.append))
        return self.opened[-1]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    for opened in desk.opened:
        opened.close()


def phone(host: str = "127.0.0.1") -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.bind((host, 0))
    made.settimeout(5)
    return made


async def test_which_of_our_addresses_a_datagram_came_to(desk: Desk) -> None:
    port = desk.open().port
    with phone() as caller:
        for last in (1, 2, 77):
            caller.sendto(b"%d" % last, (f"127.0.0.{last}", port))
        await until(lambda: len(desk.heard) == 3)

    assert desk.heard == [(b"1", "127.0.0.1"), (b"2", "127.0.0.2"), (b"77", "127.0.0.77")]
    assert max(desk.ages) < 1.0


async def test_the_answer_leaves_from_the_address_that_was_asked(desk: Desk) -> None:
    ours = desk.open()
    with phone() as caller:
        caller.sendto(b"hello", ("127.0.0.2", ours.port))
        await until(lambda: desk.heard)
        assert ours.send_from(desk.heard[0][1], b"answer", desk.sources[0])

        assert caller.recvfrom(100) == (b"answer", ("127.0.0.2", ours.port))


async def test_on_ipv6(desk: Desk) -> None:
    ours = desk.open("::")
    with phone("::1") as caller:
        caller.sendto(b"hello", ("::1", ours.port))
        await until(lambda: desk.heard == [(b"hello", "::1")])
        assert ours.send_from("::1", b"answer", desk.sources[0])

        assert caller.recvfrom(100)[0] == b"answer"


async def test_an_address_that_is_not_ours_any_more_does_not_keep_us_from_answering(
    desk: Desk,
) -> None:
    ours = desk.open()
    with phone() as caller:
        assert ours.send_from("192.0.2.77", b"answer", caller.getsockname())
        assert caller.recvfrom(100) == (b"answer", ("127.0.0.1", ours.port))


async def test_what_cannot_be_reached_is_told(desk: Desk) -> None:
    with phone() as gone:
        nobody = gone.getsockname()
    ours = desk.open()

    ours.send_from("127.0.0.1", b"anybody?", nobody)
    await until(lambda: desk.unreachable == [nobody])


async def test_after_the_end_nobody_is_told_anything(desk: Desk) -> None:
    ours = desk.open()
    with phone() as caller:
        caller.sendto(b"late", ("127.0.0.1", ours.port))
        ours.close()
        ours.close()
    await asyncio.sleep(0)

    assert desk.heard == []
