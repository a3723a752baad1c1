"""One wire of a stream over ICE: who is taken seriously before there is a pair."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sipstrobe.clock import LoopClock
from sipstrobe.context import Context
from sipstrobe.io.ice import IceAgent
from sipstrobe.io.udp import Endpoint, UdpSocket
from sipstrobe.services.component import MAX_EARLY, Component, Way
from tests.support.clock import FakeClock
from tests.support.waiting import turns, until

PEER, STRANGER = ("192.0.2.1", 5000), ("198.51.100.7", 666)
HELLO, SOUND = b"\x16\xfe\xff hello", b"\x80\x00 sound"


class Wire:
    """A component that waits for its pair, and what it has let through."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.component = Component(Context(FakeClock()), 1, self._take)
        self.component.way = Way.ICE
        self.agent = IceAgent(
            1,
            controlling=False,
            ufrag="abcd",
            pwd="a" * 22,
            ready=lambda: None,
            completed=lambda: None,
            ended=lambda words: None,
        )
        self.component.agent = self.agent
        self.agent.on_proof = lambda component: self.component.prove()

    def comes(self, data: bytes, source: Endpoint) -> None:
        self.component.from_socket(data, source, 0.0)

    def _take(self, data: bytes, source: Endpoint, received_at: float) -> None:
        self.taken.append(data)


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    wire = Wire()
    yield wire
    await wire.agent.aclose()


async def test_a_handshake_that_begins_before_the_checks_are_done_is_not_lost(wire: Wire) -> None:
    """RFC 5764 §4.1: else the peer would repeat it a second later."""
    wire.comes(HELLO, PEER)
    assert not wire.taken

    wire.agent.prove(1, PEER)
    wire.agent.prove(1, PEER)

    assert wire.taken == [HELLO]


async def test_strangers_and_sound_are_not_waited_for(wire: Wire) -> None:
    """RFC 8445 §12.2: who has answered no check of ours sends in vain."""
    wire.comes(HELLO, STRANGER)
    wire.comes(SOUND, PEER)

    wire.agent.prove(1, PEER)

    assert not wire.taken


async def test_few_wait(wire: Wire) -> None:
    for _ in range(1000):
        wire.comes(HELLO, PEER)

    wire.agent.prove(1, PEER)

    assert len(wire.taken) == MAX_EARLY


@pytest.mark.parametrize("prompt", [False, True])
async def test_who_waits_for_digits_is_told_at_once_when_the_way_is_found_too(prompt: bool) -> None:
    """While addresses are looked for all is received as it comes; then only what must be."""
    clock, heard = LoopClock(asyncio.get_running_loop()), list[bytes]()
    component = Component(Context(clock), 1, lambda data, source, at: heard.append(data))
    socket = UdpSocket("127.0.0.1", 0, component.from_socket, clock, polled=True)
    component.attach(socket)
    try:
        component.look_out(True)
        socket.send(SOUND, ("127.0.0.1", component.port))
        await until(lambda: heard == [SOUND])

        component.watch(prompt)
        component.look_out(False)
        socket.send(SOUND, ("127.0.0.1", component.port))
        await turns(5)

        assert len(heard) == 1 + prompt
        component.poll()
        assert len(heard) == 2
    finally:
        component.close()
