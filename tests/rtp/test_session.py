"""One RTP session: sources, reports, farewell."""

import itertools
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.rtcp import Bye, Description, Report, ReportBlock, SenderInfo
from sipstrobe.rtp.session import SendRtcp, Session, SourceChanged, SourceEnded

PEER = ("192.0.2.1", 4000)
PEER_RTCP = ("192.0.2.1", 4001)
PAYLOAD = bytes(160)


def numbers() -> Callable[[int], bytes]:
    """Different bytes each time, the same in each test."""
    values: Iterator[int] = iter(range(1, 100_000))
    return lambda count: (next(values) * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big")[:count]


def session() -> Session:
    made = Session("cname", 8000, numbers())
    made.configure(PEER, PEER_RTCP, frozenset({0, 101}), now=0.0)
    return made


def rtp(number: int, *, ssrc: int = 7, payload_type: int = 0) -> bytes:
    return packet.build(payload_type, False, number & 0xFFFF, number * 160, ssrc, PAYLOAD)


def heard(made: Session, data: bytes, now: float = 1.0) -> int | None:
    found = made.receive(data, PEER, now=now)
    return None if found is None else found[0]


def sent_rtcp(made: Session) -> list[rtcp.RtcpPacket]:
    return [
        item
        for output in made.outbox
        if isinstance(output, SendRtcp)
        for item in rtcp.parse(output.data)
    ]


def test_packets_have_growing_numbers_and_timestamps() -> None:
    made = session()

    first, second = (packet.parse(made.packet(0, PAYLOAD, 160, False)) for _ in range(2))
    made.pause(800)
    third = packet.parse(made.packet(0, PAYLOAD, 160, True))

    assert second.sequence_number == first.sequence_number + 1
    assert third.sequence_number == first.sequence_number + 2
    assert (second.timestamp - first.timestamp) % 2**32 == 160
    assert (third.timestamp - second.timestamp) % 2**32 == 960
    assert third.marker
    assert first.ssrc == second.ssrc == third.ssrc == made.ssrc


def test_packets_of_the_peer_are_heard_from_the_first_on() -> None:
    made = session()

    assert heard(made, rtp(10)) == 65536 + 10
    assert heard(made, rtp(11)) == 65536 + 11


@pytest.mark.parametrize("data", [b"", b"\x80", rtp(1, payload_type=96), bytes(200)])
def test_what_is_not_of_this_session_is_counted_and_dropped(data: bytes) -> None:
    made = session()

    assert heard(made, data) is None
    assert made.invalid == 1
    assert made.source is None


def test_strangers_are_not_heard() -> None:
    made = session()
    heard(made, rtp(1))

    assert made.receive(rtp(2), ("192.0.2.99", 4000), now=1.0) is None
    assert made.latch.refused == 1


def test_another_ssrc_is_heard_after_two_packets_in_sequence() -> None:
    """RFC 3550 §8.2 and appendix A.1: one packet may be a stray."""
    made = session()
    heard(made, rtp(1), 1.0)

    assert heard(made, rtp(500, ssrc=8), 1.06) is None
    assert heard(made, rtp(501, ssrc=8), 1.08) == 65536 + 501
    assert list(made.outbox) == [SourceChanged(8)]
    assert heard(made, rtp(502, ssrc=8), 1.1) == 65536 + 502


def test_who_guesses_the_address_of_the_peer_does_not_speak_over_it() -> None:
    """Volleys of another source between any two packets of the one that is heard."""
    made = session()
    for n in range(50):
        assert heard(made, rtp(n), n * 0.02) is not None
        for volley in range(5):
            assert heard(made, rtp(5 * n + volley, ssrc=8), n * 0.02 + 0.01) is None

    assert not made.outbox


def test_two_sources_at_once_do_not_take_turns() -> None:
    made = session()
    for n in range(10):
        assert heard(made, rtp(n)) is not None
        assert heard(made, rtp(500 + n, ssrc=8)) is None

    assert not made.outbox


def test_a_sender_that_starts_anew_is_followed_and_told() -> None:
    made = session()
    heard(made, rtp(1000))

    assert heard(made, rtp(30000)) is None
    assert heard(made, rtp(30001)) is not None
    assert list(made.outbox) == [SourceChanged(7)]


def test_a_colliding_ssrc_is_left_once_and_an_echo_ignored() -> None:
    """RFC 3550 §8.2."""
    made = session()
    ours = made.ssrc
    made.packet(0, PAYLOAD, 160, False)

    assert heard(made, rtp(1, ssrc=ours)) is None
    assert made.ssrc != ours
    assert Bye((ours,)) in sent_rtcp(made)
    made.outbox.clear()
    second = made.ssrc
    assert heard(made, rtp(2, ssrc=second)) is None
    assert made.ssrc == second
    assert not made.outbox


def test_reports_come_about_every_five_seconds() -> None:
    """RFC 3550 §6.2, §6.3.1: randomised between half and one and a half times."""
    made = session()
    times: list[float] = []
    while made.deadline is not None and made.deadline < 200.0:
        now = made.deadline
        made.packet(0, PAYLOAD, 160, False)
        made.wake(now=now)
        times.append(now)

    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert times[0] < 3.1
    assert all(2.0 <= gap <= 6.2 for gap in gaps)
    assert len(set(gaps)) > len(gaps) // 2
    assert all(output.to == PEER_RTCP for output in made.outbox if isinstance(output, SendRtcp))


def test_who_sends_reports_as_a_sender_who_does_not_as_a_receiver() -> None:
    made = session()
    heard(made, rtp(1))
    made.wake(now=10.0)
    made.packet(0, PAYLOAD, 160, False)
    made.wake(now=20.0)

    receiver, name, sender, _ = sent_rtcp(made)

    assert isinstance(receiver, Report)
    assert receiver.sender is None
    assert [block.ssrc for block in receiver.blocks] == [7]
    assert name == Description(((made.ssrc, "cname"),))
    assert isinstance(sender, Report)
    assert sender.sender is not None
    assert (sender.sender.packets, sender.sender.octets) == (1, 160)


def test_round_trip_from_the_peers_report() -> None:
    """RFC 3550 §6.4.1: A - LSR - DLSR."""
    made = session()
    made.packet(0, PAYLOAD, 160, False)
    made.wake(now=10.0)
    (report, _) = sent_rtcp(made)
    assert isinstance(report, Report)
    assert report.sender is not None

    block = ReportBlock(made.ssrc, 64, 1, 1, 0, report.sender.ntp_middle, 65536 * 2)
    made.receive_rtcp(bytes(Report(7, None, (block,))), PEER_RTCP, now=12.125)

    assert made.round_trip == pytest.approx(0.125, abs=1e-4)
    assert made.remote_loss == 0.25


def test_a_sender_report_of_the_peer_is_answered_with_its_delay() -> None:
    made = session()
    heard(made, rtp(1))
    info = SenderInfo(0xABCD12345678 << 8, 0, 1, 160)

    made.receive_rtcp(bytes(Report(7, info)), PEER_RTCP, now=2.0)
    made.wake(now=3.0)

    report = sent_rtcp(made)[0]
    assert isinstance(report, Report)
    assert report.blocks[0].last_sender_report == info.ntp_middle
    assert report.blocks[0].delay == 65536


def test_bye_of_the_peer_is_told_and_of_others_not() -> None:
    made = session()
    heard(made, rtp(1))

    made.receive_rtcp(bytes(Bye((9,))), PEER_RTCP, now=2.0)
    made.receive_rtcp(bytes(Bye((7,), "gone")), ("192.0.2.99", 1), now=2.0)
    assert not made.outbox
    made.receive_rtcp(bytes(Bye((7,), "gone")), PEER_RTCP, now=2.0)

    assert list(made.outbox) == [SourceEnded(7, "gone")]


def test_closing_says_bye_once_and_only_if_we_were_heard() -> None:
    quiet, loud = session(), session()
    loud.packet(0, PAYLOAD, 160, False)

    for made in (quiet, loud, loud):
        made.close(now=5.0)

    assert not quiet.outbox
    assert [type(item) for item in sent_rtcp(loud)] == [Report, Description, Bye]
    assert loud.deadline is None


def test_the_ssrc_stays_through_another_sdp_exchange() -> None:
    made = session()
    ssrc = made.ssrc

    made.configure(("192.0.2.5", 6000), ("192.0.2.5", 6001), frozenset({8}), now=3.0)

    assert made.ssrc == ssrc
    assert made.latch.address == ("192.0.2.5", 6000)


inputs = st.lists(
    st.tuples(
        st.sampled_from(["rtp", "rtcp"]),
        st.binary(max_size=60)
        | st.builds(rtp, st.integers(0, 70000), ssrc=st.integers(0, 3))
        | st.integers(0, 3).map(lambda ssrc: bytes(Bye((ssrc,)))),
        st.sampled_from([PEER, PEER_RTCP, ("192.0.2.99", 5)]),
    ),
    max_size=40,
)


@given(inputs)
@settings(max_examples=100, deadline=None)
def test_no_input_breaks_the_session(steps: list[tuple[str, bytes, tuple[str, int]]]) -> None:
    made = session()
    for turn, (kind, data, source) in enumerate(steps):
        if kind == "rtp":
            made.receive(data, source, now=float(turn))
        else:
            made.receive_rtcp(data, source, now=float(turn))
        made.wake(now=float(turn))
    made.close(now=100.0)
    assert all(rtcp.parse(o.data) for o in made.outbox if isinstance(o, SendRtcp))
