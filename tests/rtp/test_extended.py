"""Two sessions that tell each other more than RFC 3550 asks: RFC 3611; and who is not heard."""

from collections.abc import Collection

import pytest

from sipstrobe.rtp import rtcp
from sipstrobe.rtp.jitter import JitterBuffer
from sipstrobe.rtp.rtcp import Report, ReportBlock
from sipstrobe.rtp.session import METRICS, RECEIVER_TIMES, SENT_ENOUGH, SendRtcp, Session
from sipstrobe.rtp.xr import DelaySinceLast, ExtendedReport, ReceiverTime, VoipMetrics
from tests.rtp.test_session import numbers

HERE, THERE = ("192.0.2.1", 4000), ("192.0.2.2", 5000)
BOTH = (METRICS, RECEIVER_TIMES)


class Side:
    """One session with its jitter buffer, played as soon as it may be."""

    def __init__(self, remote: tuple[str, int], extended: Collection[str], seed: int) -> None:
        draw = numbers()
        for _ in range(seed):
            draw(4)
        self.session = Session("cname", 8000, draw)
        control = (remote[0], remote[1] + 1)
        self.session.configure(
            remote, control, frozenset({0}), codec="PCMU", extended=extended, now=0.0
        )
        self.session.jitter = JitterBuffer(8000)

    def hear(self, data: bytes, source: tuple[str, int], now: float) -> None:
        found = self.session.receive(data, source, now=now)
        jitter = self.session.jitter
        assert found is not None
        assert jitter is not None
        number, packet = found
        jitter.push(number, packet.timestamp, 160, 0, packet.payload, now)
        while jitter.take(now + 0.005, now, now) is not None:
            pass

    def report(self, now: float) -> bytes:
        """The compound that is due some time until now."""
        self.session.outbox.clear()
        self.session.wake(now=now)
        (output,) = self.session.outbox
        assert isinstance(output, SendRtcp)
        return output.data


def two(extended: Collection[str] = BOTH) -> tuple[Side, Side]:
    return Side(THERE, extended, 1), Side(HERE, extended, 50)


def talk(speaker: Side, listener: Side, numbers: range, source: tuple[str, int] = HERE) -> None:
    """One packet every 20 ms; each tenth is lost."""
    for n in numbers:
        data = speaker.session.packet(0, bytes(160), 160, False)
        if n % 10 != 9:
            listener.hear(data, source, n * 0.020)


def extended(data: bytes) -> tuple[object, ...]:
    found = [item for item in rtcp.parse(data) if isinstance(item, ExtendedReport)]
    return found[0].blocks if found else ()


def test_who_is_heard_badly_is_told_so() -> None:
    """RFC 3611 §4.7: once both have said that they want it."""
    speaker, listener = two()
    talk(speaker, listener, range(300))

    speaker.session.receive_rtcp(listener.report(10.0), THERE, now=10.0)

    told = speaker.session.remote_metrics
    assert told is not None
    assert told.ssrc == speaker.session.ssrc
    assert told.loss == pytest.approx(0.1, abs=0.01)
    assert told.burst_density == pytest.approx(25, abs=3)
    assert told.mos is not None
    assert 2.5 < told.mos < 3.5


def test_nothing_more_is_told_to_who_has_not_asked() -> None:
    speaker, listener = two(())
    talk(speaker, listener, range(50))

    assert extended(listener.report(10.0)) == ()


def test_who_only_listens_learns_the_round_trip_from_its_receiver_times() -> None:
    """RFC 3611 §4.4, §4.5: as senders do from sender reports."""
    speaker, listener = two()
    talk(speaker, listener, range(50))
    asked = listener.report(10.0)
    assert any(isinstance(block, ReceiverTime) for block in extended(asked))

    speaker.session.receive_rtcp(asked, THERE, now=10.1)
    answered = speaker.report(14.1)
    listener.session.receive_rtcp(answered, HERE, now=14.2)

    assert any(isinstance(block, DelaySinceLast) for block in extended(answered))
    assert not any(isinstance(block, ReceiverTime) for block in extended(answered))
    assert listener.session.round_trip == pytest.approx(0.2, abs=1e-3)


def test_metrics_about_others_are_not_ours() -> None:
    speaker, listener = two()
    talk(speaker, listener, range(10))
    stray = ExtendedReport(1, (VoipMetrics(12345, loss_rate=255),))

    speaker.session.receive_rtcp(bytes(stray), THERE, now=1.0)

    assert speaker.session.remote_metrics is None


def test_reports_that_know_nothing_of_what_we_send_show_that_nothing_arrives() -> None:
    speaker, _ = two()
    for turn in range(1, 4):
        for _ in range(SENT_ENOUGH):
            speaker.session.packet(0, bytes(160), 160, False)
        speaker.session.receive_rtcp(bytes(Report(7)), THERE, now=5.0 * turn)

    assert speaker.session.deaf_reports == 3
    assert speaker.session.deaf_since == 5.0


def test_a_number_that_stands_still_is_as_bad_as_none_and_one_that_moves_ends_it() -> None:
    speaker, _ = two()
    session = speaker.session
    deaf: list[int] = []
    for turn, number in enumerate([10, 40, 40, 40, 70]):
        for _ in range(SENT_ENOUGH):
            session.packet(0, bytes(160), 160, False)
        block = ReportBlock(session.ssrc, 0, 0, number, 0, 0, 0)
        session.receive_rtcp(bytes(Report(7, None, (block,))), THERE, now=float(turn))
        deaf.append(session.deaf_reports)

    assert deaf == [0, 0, 1, 2, 0]


def test_while_we_send_next_to_nothing_reports_say_nothing() -> None:
    """On hold, or at the very beginning."""
    speaker, _ = two()
    for turn in range(5):
        speaker.session.packet(0, bytes(160), 160, False)
        speaker.session.receive_rtcp(bytes(Report(7)), THERE, now=float(turn))

    assert speaker.session.deaf_reports == 0
