"""A stream between a socket that is no socket and a card that is no card."""

import logging
from dataclasses import dataclass, field

import numpy as np
import pytest
from msgspec.structs import replace

from sipstrobe.codecs.g711 import UlawDecoder, UlawEncoder
from sipstrobe.context import Context
from sipstrobe.io.udp import Endpoint, Receive
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.packet import Packet
from sipstrobe.sdp.description import Direction
from sipstrobe.sdp.negotiate import MediaParameters
from sipstrobe.services.speech import Recording
from sipstrobe.services.stream import Stream
from sipstrobe.services.ticker import Ticker
from tests.support.clock import FakeClock

PEER = ("192.0.2.1", 5000)
PEER_RTCP = ("192.0.2.1", 5001)
AGREED = MediaParameters(
    host=PEER[0],
    rtp_port=PEER[1],
    rtcp_port=PEER_RTCP[1],
    codec="PCMU",
    payload_type=0,
    receive_types={0: "PCMU", 8: "PCMA"},
    event_type=101,
    receive_event_types={101: 8000},
    ptime_ms=20,
    direction=Direction.SENDRECV,
    on_hold=False,
)
LOUD = UlawEncoder().encode((0.5 * np.sin(np.arange(160) * 2 * np.pi / 8)).astype(np.float32))


@dataclass
class FakeSocket:
    port: int
    clock: FakeClock
    receive: Receive
    sent: list[tuple[float, bytes, Endpoint]] = field(
        default_factory=list[tuple[float, bytes, Endpoint]]
    )
    closed: bool = False
    watched: bool = False
    dropped: int = 0
    unreachable: int = 0

    def send(self, data: bytes, to: Endpoint) -> bool:
        assert not self.closed
        self.sent.append((self.clock.time, data, to))
        return True

    def poll(self) -> None:
        """Everything has been delivered at once."""

    def watch(self, wanted: bool) -> None:
        self.watched = wanted

    def close(self) -> None:
        self.closed = True


@dataclass
class Bench:
    """A stream, its two sockets, and a card that takes 5 ms at a time."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(50.0))
    card: bool = True
    shortest: float = 0.020  # that sound waits, as of Stream
    prompt: bool = False
    played: list[float] = field(default_factory=list[float])  # peak of each period
    events: list[bytes] = field(default_factory=list[bytes])
    silences: list[float] = field(default_factory=list[float])

    def __post_init__(self) -> None:
        seed = iter(range(1, 1000))
        self.context = Context(
            self.clock, lambda n: (next(seed) * 0x9E3779B97F4A7C15 % 2**96).to_bytes(12, "big")[:n]
        )
        self.stream = Stream(
            self.context,
            self,
            Ticker(self.clock),
            shortest=self.shortest,
            silence_limit=5.0,
            on_silence=lambda: self.silences.append(self.clock.time),
            on_event=lambda packet, number, rate, at: self.events.append(packet.payload),
            prompt=self.prompt,
        )
        self.number = 1000
        if self.card:
            self._period()

    def open(
        self, receive_rtp: Receive, receive_rtcp: Receive, *, polled: bool
    ) -> tuple[FakeSocket, FakeSocket]:
        self.rtp = FakeSocket(4000, self.clock, receive_rtp)
        self.rtcp = FakeSocket(4001, self.clock, receive_rtcp)
        return self.rtp, self.rtcp

    def talk(
        self,
        packets: int,
        payload: bytes = LOUD,
        *,
        ssrc: int = 7,
        payload_type: int = 0,
        source: Endpoint = PEER,
    ) -> None:
        """The peer sends for that long."""
        for _ in range(packets):
            self.number += 1
            data = packet.build(
                payload_type, False, self.number & 0xFFFF, self.number * 160, ssrc, payload
            )
            self.rtp.receive(data, source, self.clock.time)
            self.clock.advance(0.020)

    @property
    def sent(self) -> list[Packet]:
        return [packet.parse(data) for _, data, _ in self.rtp.sent]

    def _period(self) -> None:
        block = np.zeros(240, np.float32)
        self.stream.ring.read_into(block)
        self.played.append(float(np.abs(block).max()))
        self.clock.call_at(self.clock.time + 0.005, self._period)


def test_silence_flows_every_packet_time() -> None:
    """NATs and the peer's timers see that we are there."""
    bench = Bench()
    bench.stream.start(AGREED)

    bench.clock.advance(1.0)

    times = [at for at, _, _ in bench.rtp.sent]
    assert len(times) in (49, 50)
    assert np.diff(times) == pytest.approx([0.020] * (len(times) - 1))
    assert {to for _, _, to in bench.rtp.sent} == {PEER}
    first, *rest = bench.sent
    assert first.marker
    assert not any(p.marker for p in rest)
    assert all(p.payload == b"\xff" * 160 for p in bench.sent)
    assert {
        (b.timestamp - a.timestamp) % 2**32 for a, b in zip(bench.sent, rest, strict=False)
    } == {160}


def test_the_caller_hears_a_recording_and_then_silence() -> None:
    bench = Bench()
    tone = (0.25 * np.sin(np.arange(4800) * 2 * np.pi * 1000 / 48000)).astype(np.float32)
    bench.stream.source = Recording(tone)
    bench.stream.start(AGREED)

    bench.clock.advance(0.3)

    heard = UlawDecoder().decode(b"".join(p.payload for p in bench.sent))
    assert np.abs(heard[100:700]).max() == pytest.approx(0.25, abs=0.02)
    assert not heard[1000:].any()


def test_a_recording_may_go_round() -> None:
    recording = Recording(np.arange(5, dtype=np.float32), loop=True)

    first, second = recording(3), recording(3)

    assert first is not None
    assert second is not None
    assert list(first) == [0, 1, 2]
    assert list(second) == [3, 4, 0]
    assert Recording(np.zeros(0, np.float32), loop=True)(10) is None


def test_the_caller_is_heard_after_20_to_40_ms() -> None:
    bench = Bench()
    bench.stream.start(AGREED)
    bench.clock.advance(0.1)
    begun = len(bench.played)

    bench.talk(50)

    loud = next(n for n, peak in enumerate(bench.played[begun:]) if peak > 0.1)
    assert 4 <= loud <= 9  # periods of 5 ms
    assert all(peak > 0.45 for peak in bench.played[begun + 10 :])
    latency = bench.context.measures.histogram("packet_to_sound_seconds")
    assert latency.count > 10
    assert latency.quantile(0.99) <= 0.040


def test_what_it_says_about_itself() -> None:
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(50)

    said = bench.stream.statistics

    assert (said.packets, said.lost, said.late, said.refused, said.invalid) == (50, 0, 0, 0, 0)
    assert said.level_db == pytest.approx(-9.0, abs=0.3)
    assert said.jitter_ms < 0.1
    assert 15 < said.depth_ms < 50
    assert said.sent == len(bench.sent)
    assert said.source == "192.0.2.1:5000"
    bench.clock.advance(1.0)
    assert bench.stream.statistics.level_db == -120.0
    assert bench.stream.statistics.quiet == pytest.approx(1.02)


def test_what_keeps_it_from_being_heard_is_counted_by_kind() -> None:
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(3, payload_type=9)
    bench.talk(1, source=("192.0.2.66", 6000))
    bench.rtp.unreachable, bench.rtp.dropped = 2, 1

    said = bench.stream.statistics

    assert (said.packets, said.quiet) == (0, None)
    assert (said.foreign, said.foreign_type) == (3, 9)
    assert (said.refused, said.stranger) == (1, "192.0.2.66:6000")
    assert (said.unreachable, said.undelivered) == (2, 1)


def test_what_is_missing_lowers_the_quality_of_its_interval_only() -> None:
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(100)
    perfect, then = bench.stream.quality(), bench.stream.counts
    for _ in range(20):
        bench.talk(4)
        bench.number += 1  # lost
        bench.clock.advance(0.020)
    bench.talk(20)

    whole, lately = bench.stream.quality(), bench.stream.quality(then)

    assert perfect is not None
    assert whole is not None
    assert lately is not None
    assert perfect.mos_lq == pytest.approx(4.41, abs=0.01)
    assert perfect.mos_lq > whole.mos_lq > lately.mos_lq
    assert lately.loss == pytest.approx(20 / 120)
    assert bench.stream.bursts.burst_density == pytest.approx(20 / 96)


def test_hold_and_resume_keep_the_ssrc_and_the_clock_of_the_stream() -> None:
    """RFC 3264 §8.4; RFC 3550 §5.1: timestamps go on while nothing is sent."""
    bench = Bench()
    bench.stream.start(AGREED)
    bench.clock.advance(0.5)
    before = bench.sent[-1]

    bench.stream.update(replace(AGREED, direction=Direction.INACTIVE, on_hold=True))
    held = len(bench.sent)
    bench.clock.advance(1.0)
    assert len(bench.sent) == held
    bench.stream.update(AGREED)
    bench.clock.advance(0.1)

    after = bench.sent[held]
    assert after.ssrc == before.ssrc
    assert after.marker
    assert after.sequence_number == before.sequence_number + 1
    assert (after.timestamp - before.timestamp) % 2**32 == pytest.approx(8000, abs=320)


def test_while_we_do_not_receive_nothing_is_played() -> None:
    bench = Bench()
    bench.stream.start(replace(AGREED, direction=Direction.SENDONLY))

    bench.talk(25)

    assert max(bench.played) == 0.0


def test_another_address_and_codec_are_followed() -> None:
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(10)

    bench.stream.update(
        replace(AGREED, host="192.0.2.7", rtp_port=7000, codec="PCMA", payload_type=8, ptime_ms=40)
    )
    bench.rtp.sent.clear()
    bench.clock.advance(0.4)

    assert {to for _, _, to in bench.rtp.sent} == {("192.0.2.7", 7000)}
    assert {(p.payload_type, p.payload) for p in bench.sent} == {(8, b"\xd5" * 320)}
    assert 9 <= len(bench.sent) <= 11


def test_the_peer_may_change_between_the_agreed_codecs() -> None:
    bench = Bench()
    bench.stream.start(AGREED)

    bench.talk(20)
    begun = len(bench.played)
    bench.talk(20, b"\xd5" * 160, payload_type=8)

    assert bench.played[-1] < 0.001
    assert max(bench.played[begun:]) < 0.6
    assert bench.stream.statistics.invalid == 0


def test_another_ssrc_in_the_middle_of_a_call_is_heard_without_garbage() -> None:
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(50)

    bench.number = 60000
    bench.talk(50, ssrc=99)

    assert bench.stream.statistics.packets >= 47  # those of the old one are waited for
    tail = bench.played[-180:]
    assert max(tail) < 0.6
    assert sum(peak < 0.4 for peak in tail) < 30  # the change itself may be heard, briefly


def test_a_peer_that_changes_all_the_time_does_not_fill_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """By new beginnings, and by farewells that are none."""
    caplog.set_level(logging.INFO)
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(1)
    farewell = rtcp.compound((rtcp.Report(7, None), rtcp.Bye((7,), "one\ntwo")))

    for n in range(200):
        bench.number = 20_000 * (n % 3)
        bench.talk(3)
        bench.rtcp.receive(farewell, PEER_RTCP, bench.clock.time)

    assert 1 <= len(caplog.records) <= 3


@pytest.mark.parametrize("prompt", [True, False])
def test_who_waits_for_digits_is_woken_by_each_packet(prompt: bool) -> None:
    """Others look at the socket at their turns only, which is cheaper."""
    bench = Bench(prompt=prompt)
    bench.stream.start(AGREED)
    assert not bench.rtp.watched

    bench.talk(1)

    assert bench.rtp.watched == prompt


def test_telephone_events_are_handed_over_and_not_played() -> None:
    """RFC 4733: they share numbers and clock with the sound."""
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(10)

    bench.talk(5, b"\x05\x0a\x03\x20", payload_type=101)
    bench.talk(10)

    assert bench.events == [b"\x05\x0a\x03\x20"] * 5
    assert bench.played[-1] > 0.4
    assert bench.stream.statistics.late == 0
    assert bench.stream.statistics.depth_ms < 60


def test_strangers_and_garbage_are_counted_and_not_heard() -> None:
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(10)

    bench.talk(10, source=("198.51.100.9", 9))
    bench.rtp.receive(b"\x80", PEER, bench.clock.time)
    bench.rtcp.receive(b"\x80", PEER_RTCP, bench.clock.time)

    said = bench.stream.statistics
    assert (said.refused, said.invalid, said.packets) == (10, 2, 10)


def test_a_peer_behind_a_nat_is_sent_to_where_it_sends_from() -> None:
    bench = Bench()
    bench.stream.start(AGREED)

    bench.talk(10, source=("203.0.113.9", 61000))

    assert bench.rtp.sent[-1][2] == ("203.0.113.9", 61000)
    assert bench.played[-1] > 0.4


def test_a_name_that_nobody_has_looked_up_is_not_sent_to() -> None:
    bench = Bench()
    bench.stream.start(replace(AGREED, host="phone.example.com"))

    bench.clock.advance(0.5)
    assert not bench.sent
    bench.talk(10)

    assert bench.rtp.sent[-1][2] == PEER


def test_silence_of_the_peer_is_told_once_and_again_after_it_spoke() -> None:
    bench = Bench()
    bench.stream.start(AGREED)

    bench.clock.advance(12.0)
    assert [round(at - 50.0) for at in bench.silences] == [5]
    bench.talk(5)
    bench.clock.advance(12.0)

    assert len(bench.silences) == 2


def test_reports_go_out_and_closing_says_bye() -> None:
    bench = Bench()
    bench.stream.start(AGREED)
    bench.talk(20)
    bench.clock.advance(12.0)

    bench.stream.close()
    bench.stream.close()

    reports = [rtcp.parse(data) for _, data, _ in bench.rtcp.sent]
    assert {to for _, _, to in bench.rtcp.sent} == {PEER_RTCP}
    assert len(reports) >= 3
    assert all(isinstance(items[0], rtcp.Report) for items in reports)
    assert isinstance(reports[-1][-1], rtcp.Bye)
    assert bench.rtp.closed
    assert bench.rtcp.closed
    before = len(bench.rtp.sent)
    bench.clock.advance(1.0)
    assert len(bench.rtp.sent) == before


def test_a_card_that_does_not_play_costs_nothing_and_comes_back() -> None:
    bench = Bench(card=False)
    bench.stream.start(AGREED)
    bench.talk(200)
    assert bench.stream.ring.fill < 0.25 * 48000

    bench._period()  # pyright: ignore[reportPrivateUsage]
    bench.talk(150)

    assert bench.stream.statistics.depth_ms < 70
    assert bench.played[-1] > 0.4


def test_turns_left_out_by_a_busy_loop_move_the_timestamps() -> None:
    """RFC 3550 §5.1: the timestamp is the sampling instant, whatever was sent in between."""
    bench = Bench()
    bench.stream.start(AGREED)
    bench.clock.advance(0.1)
    sent = len(bench.sent)

    bench.clock.time += 5.0
    bench.clock.advance(0.1)

    before, after = bench.sent[sent - 1], bench.sent[-1]
    elapsed = bench.rtp.sent[-1][0] - bench.rtp.sent[sent - 1][0]
    units = (after.timestamp - before.timestamp) % 2**32
    assert units == pytest.approx(elapsed * 8000, abs=0.15 * 8000)
    assert any(p.marker for p in bench.sent[sent:])
