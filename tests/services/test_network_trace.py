"""The network trace: what was said and heard, as other programs read it (LOG-05)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.io.udp import Tap, UdpSocket
from sipstrobe.services import network_trace
from sipstrobe.services.network_trace import FILE, FLUSH, NetworkTrace
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.support.clock import FakeClock
from tests.support.pcap import read_pcap
from tests.support.waiting import until

FLOW = Flow(Transport.TLS, Address("192.0.2.10", 5061), Address("192.0.2.77", 40000), 7)
FLOW_6 = Flow(Transport.UDP, Address("2001:db8::1", 5060), Address("2001:db8::2", 5060))
START = 1893456000.0  # 2030-01-01, where the clock begins


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tap() -> Tap:
    return Tap()


@pytest.fixture
async def trace(clock: FakeClock, tap: Tap, tmp_path: Path) -> AsyncIterator[NetworkTrace]:
    trace = NetworkTrace(Context(clock), tmp_path, tap)
    await trace.open()
    yield trace
    await trace.aclose()


async def test_sip_and_media_are_written_with_when_whence_and_where(
    trace: NetworkTrace, clock: FakeClock, tap: Tap
) -> None:
    trace.message(b"too early", FLOW, sent=True)
    await trace.start(10)
    trace.message(b"INVITE", FLOW, sent=False)
    clock.advance(0.5)
    trace.message(b"SIP/2.0 200 OK", FLOW, sent=True)
    trace.message(b"odd", FLOW_6, sent=True)
    assert tap.sink is not None
    tap.sink(4000, ("127.0.0.1", 4002), b"\x80rtp", 0.25)
    tap.sink(4000, ("127.0.0.1", 4002), b"\x80back", None)
    await trace.stop()
    trace.message(b"too late", FLOW, sent=True)

    assert trace.path is not None
    found = read_pcap(trace.path.read_bytes())
    assert [(one.at - START, one.source, one.to, one.payload) for one in found] == [
        (0.0, ("192.0.2.77", 40000), ("192.0.2.10", 5061), b"INVITE"),
        (0.5, ("192.0.2.10", 5061), ("192.0.2.77", 40000), b"SIP/2.0 200 OK"),
        (0.5, ("2001:db8::1", 5060), ("2001:db8::2", 5060), b"odd"),
        (0.25, ("127.0.0.1", 4002), ("127.0.0.1", 4000), b"\x80rtp"),
        (0.5, ("127.0.0.1", 4000), ("127.0.0.1", 4002), b"\x80back"),
    ]
    assert all(one.sound for one in found)
    assert tap.sink is None
    assert trace.snapshot()["packets"] == 5
    assert trace.snapshot()["bytes"] == trace.path.stat().st_size
    assert trace.path.stat().st_mode & 0o777 == 0o600


async def test_it_ends_by_itself_when_the_time_is_up(
    trace: NetworkTrace, clock: FakeClock, tap: Tap
) -> None:
    await trace.start(2)
    assert (trace.path, trace.snapshot()["seconds_left"]) == (None, 2.0)
    clock.advance(1.99)
    assert trace.running
    clock.advance(0.02)

    assert not trace.running
    assert tap.sink is None
    assert trace.snapshot()["words"] == "the time is up"


async def test_one_at_a_time_and_the_next_takes_the_place_of_the_last(
    trace: NetworkTrace,
) -> None:
    await trace.start(2)
    with pytest.raises(CommandRefused) as refused:
        await trace.start(2)
    assert refused.value.code == "running"
    trace.message(b"first", FLOW, sent=True)
    await trace.stop()

    await trace.start(2)
    await trace.stop()
    assert trace.path is not None
    assert read_pcap(trace.path.read_bytes()) == []


async def test_the_file_has_a_bound(
    trace: NetworkTrace, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = b"x" * 60_000
    await trace.start(300)
    written = 0
    while trace.running and written < 700:
        trace.message(big, FLOW, sent=True)
        clock.advance(FLUSH)
        await until(lambda w=written: trace.snapshot()["bytes"] > w * len(big))
        written += 1

    assert not trace.running
    assert "32 MB" in trace.snapshot()["words"]
    assert trace.snapshot()["bytes"] < network_trace.MAX_BYTES + 2 * len(big)


async def test_what_waits_for_a_slow_disk_has_a_bound_too(trace: NetworkTrace) -> None:
    await trace.start(300)
    for _ in range(100):
        trace.message(b"x" * 65_000, FLOW, sent=True)
    told = trace.snapshot()
    assert told["packets"] + told["lost"] == 100
    assert told["packets"] * 65_000 < network_trace.WAITING_MAX + 2 * 65_000


async def test_no_trace_outlives_a_restart_nor_its_removal(
    trace: NetworkTrace, tmp_path: Path, clock: FakeClock
) -> None:
    """It holds voices and digests."""
    await trace.start(2)
    await trace.remove()
    assert (trace.path, (tmp_path / FILE).exists()) == (None, False)

    (tmp_path / FILE).write_bytes(b"of an earlier run")
    later = NetworkTrace(Context(clock), tmp_path, Tap())
    await later.open()
    assert not (tmp_path / FILE).exists()
    await later.aclose()


async def test_a_disk_that_takes_nothing_is_said(clock: FakeClock, tmp_path: Path) -> None:
    trace = NetworkTrace(Context(clock), tmp_path / "missing", Tap())
    with pytest.raises(OSError, match="No such file"):
        await trace.start(2)
    assert not trace.running
    await trace.aclose()


async def test_sockets_tell_what_goes_through_them() -> None:
    """On the wire, of sockets that are polled and of those that are not."""
    loop = asyncio.get_running_loop()
    clock = FakeClock()
    clock.now = loop.time  # type: ignore[method-assign]
    told: list[tuple[int, int, bytes, bool]] = []
    heard: list[bytes] = []
    tap = Tap()

    def receive(data: bytes, *_: object) -> None:
        heard.append(data)

    def sink(port: int, peer: tuple[str, int], data: bytes, at: float | None) -> None:
        told.append((port, peer[1], data, at is None))

    one = UdpSocket("127.0.0.1", 0, receive, clock, polled=True, tap=tap)
    other = UdpSocket("127.0.0.1", 0, receive, clock, tap=tap)
    try:
        one.send(b"unseen", ("127.0.0.1", other.port))
        await until(lambda: heard == [b"unseen"])
        tap.sink = sink
        one.send(b"there", ("127.0.0.1", other.port))
        await until(lambda: b"there" in heard)
        other.send(b"back", ("127.0.0.1", one.port))

        def came() -> bool:
            one.poll()
            return b"back" in heard

        await until(came)
    finally:
        one.close()
        other.close()

    assert told == [
        (one.port, other.port, b"there", True),
        (other.port, one.port, b"there", False),
        (other.port, one.port, b"back", True),
        (one.port, other.port, b"back", False),
    ]


async def test_who_ends_it_while_it_begins_ends_it(
    trace: NetworkTrace, clock: FakeClock, tap: Tap
) -> None:
    """Voices are not written by a trace that is said to have ended."""
    beginning = asyncio.create_task(trace.start(60))
    await asyncio.sleep(0)
    await trace.stop()
    await beginning

    assert not trace.running
    assert tap.sink is None
    assert clock.waiting == 0


async def test_who_forgets_it_while_it_begins_forgets_it(
    trace: NetworkTrace, tap: Tap, tmp_path: Path
) -> None:
    beginning = asyncio.create_task(trace.start(60))
    await asyncio.sleep(0)
    await trace.remove()
    await beginning

    assert (trace.running, trace.path, tap.sink) == (False, None, None)
    assert not (tmp_path / FILE).exists()


async def test_who_ends_the_last_one_does_not_end_half_of_the_next(
    trace: NetworkTrace, tap: Tap
) -> None:
    """Two end it at once, and a third begins another before both have had their turn."""
    await trace.start(60)
    ending = [asyncio.create_task(trace.remove()), asyncio.create_task(trace.stop())]
    await asyncio.sleep(0)
    beginning = asyncio.create_task(trace.start(60))
    await asyncio.gather(*ending, beginning)

    assert (trace.running, tap.sink is None) == (True, False)
    await trace.stop()
    assert (trace.running, tap.sink is None) == (False, True)


async def test_of_two_that_begin_one_at_once_one_does(trace: NetworkTrace) -> None:
    await trace.start(60)
    ending = asyncio.create_task(trace.stop())
    await asyncio.sleep(0)
    both = await asyncio.gather(trace.start(60), trace.start(60), ending, return_exceptions=True)

    assert [type(one) for one in both] == [type(None), CommandRefused, type(None)]
