"""A media socket: read when a stream has its turn, stamped by the kernel when it came."""

import asyncio

from sipstrobe.clock import LoopClock
from sipstrobe.io.udp import Endpoint, PortPairs
from tests.support.waiting import turns


async def test_what_comes_waits_for_the_poll_and_keeps_its_time() -> None:
    clock = LoopClock(asyncio.get_running_loop())
    heard: list[tuple[bytes, Endpoint, float]] = []

    def hear(data: bytes, source: Endpoint, at: float) -> None:
        heard.append((data, source, at))

    pairs = PortPairs("127.0.0.1", 41000, clock)
    a, a_control = pairs.open(hear, hear)
    b, b_control = pairs.open(hear, hear, polled=True)
    begun = float("inf")
    while not heard or heard.pop()[2] >= begun:  # Linux stamps soon after the first socket asks
        a.send(b"", ("127.0.0.1", b.port))
        await asyncio.sleep(0.01)
        begun = clock.now()
        b.poll()

    before = clock.now()
    a.send(b"one", ("127.0.0.1", b.port))
    a.send(b"two", ("127.0.0.1", b.port))
    await asyncio.sleep(0.05)
    await turns()
    assert not heard
    polled_at = clock.now()
    b.poll()
    b.poll()  # one may stop after the first: it takes two milliseconds at most

    assert [data for data, _, _ in heard] == [b"one", b"two"]
    assert all(before - 0.001 < at < polled_at for _, _, at in heard)
    assert {source for _, source, _ in heard} == {("127.0.0.1", a.port)}
    for opened in (a, a_control, b, b_control):
        opened.close()


async def test_a_port_that_refuses_us_is_counted_and_hides_nothing_that_comes() -> None:
    """RFC 1122 §4.1.3.3: the application is told of ICMP errors."""
    clock = LoopClock(asyncio.get_running_loop())
    heard: list[bytes] = []

    def hear(data: bytes, _: Endpoint, __: float) -> None:
        heard.append(data)

    pairs = PortPairs("127.0.0.1", 41000, clock)
    ours, ours_control = pairs.open(hear, hear, polled=True)
    peer, peer_control = pairs.open(hear, hear)
    gone, gone_control = pairs.open(hear, hear)
    refusing = ("127.0.0.1", gone.port)
    gone.close()

    for number in range(5):
        assert ours.send(b"to nobody", refusing)
        peer.send(bytes([number]), ("127.0.0.1", ours.port))
        ours.poll()
    for _ in range(10):  # what was left for a later turn
        ours.poll()

    assert heard == [bytes([number]) for number in range(5)]
    assert ours.unreachable == 5
    assert ours.dropped == 0
    for opened in (ours, ours_control, peer, peer_control, gone_control):
        opened.close()
