"""Who speaks to a group: what its packets and reports say, on a clock that stands still."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from sipstrobe.codecs.registry import CODECS
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.group_srtp import GroupSrtp
from sipstrobe.rtp.packet import Packet
from sipstrobe.secret import Secret
from sipstrobe.services.talker import Talker

CYCLE = 1 << 32


@dataclass
class Air:
    """A group that keeps what is sent to it."""

    rtcp: tuple[str, int] = ("239.1.2.3", 5005)
    sent: list[bytes] = field(default_factory=list[bytes])
    reports: list[bytes] = field(default_factory=list[bytes])

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def send_rtcp(self, data: bytes) -> None:
        self.reports.append(data)

    @property
    def packets(self) -> list[Packet]:
        return [packet.parse(data) for data in self.sent]


def drawn(octets: int) -> bytes:
    return b"\xf0" * octets


def talker(air: Air, codec: str = "PCMU", srtp: GroupSrtp | None = None) -> Talker:
    return Talker(air, codec, srtp, drawn, ntp_offset=1000.0, now=100.0)


def speak(one: Talker, seconds: float, since: float = 100.0) -> float:
    """Until when it has spoken."""
    frame = np.full(one.frame_samples, 0.25, np.float32)
    count = round(seconds / one.frame_seconds)
    for n in range(count):
        one.say(frame, now=since + n * one.frame_seconds)
    return since + count * one.frame_seconds


@pytest.mark.parametrize(
    ("codec", "payload_type", "octets", "units"),
    [
        ("PCMU", 0, 160, 160),
        ("PCMA", 8, 160, 160),
        ("G722", 9, 160, 160),  # RFC 3551 §4.5.2: of a clock at 8 kHz
        ("L16/8000", 99, 320, 160),
        ("L16/16000", 98, 640, 320),
        ("L16/48000", 97, 960, 480),  # 10 ms: no network has to cut it in two
        ("opus", 96, None, 960),
    ],
)
def test_the_packets_of_each_codec(
    codec: str, payload_type: int, octets: int | None, units: int
) -> None:
    """RFC 3551 §4.2, §6: numbers and timestamps without a gap, the marker at the beginning."""
    if not CODECS[codec].usable:
        pytest.skip(f"{codec} is not there")
    air = Air()

    speak(talker(air, codec), 0.2)

    found = air.packets
    assert {p.payload_type for p in found} == {payload_type}
    assert octets is None or {len(p.payload) for p in found} == {octets}
    assert [p.marker for p in found] == [True] + [False] * (len(found) - 1)
    for before, after in pairwise(found):
        assert after.sequence_number == before.sequence_number + 1
        assert (after.timestamp - before.timestamp) % CYCLE == units


def test_what_is_drawn_is_in_the_packet() -> None:
    """RFC 3550 §5.1; the number keeps away from its end (RFC 3711 §3.3.1)."""
    air = Air()

    speak(talker(air), 0.02)

    (first,) = air.packets
    assert (first.ssrc, first.timestamp) == (0xF0F0F0F0, 0xF0F0F0F0)
    assert first.sequence_number <= 1 << 15


def test_the_report_puts_the_sound_beside_the_calendar() -> None:
    """RFC 3550 §6.4.1: the timestamp of the report is that of its very instant; before the first
    packet, and every few seconds from then on."""
    air = Air()

    speak(talker(air), 12.0)

    first, *more = [rtcp.parse(data)[0] for data in air.reports]
    assert 1 <= len(more) <= 6
    for report in (first, *more):
        assert isinstance(report, rtcp.Report)
        assert report.sender is not None
        seconds = report.sender.ntp / CYCLE - 1100.0
        spoken = (report.sender.timestamp - 0xF0F0F0F0) % CYCLE
        assert spoken / 8000 == pytest.approx(seconds, abs=1e-6)
    assert isinstance(first, rtcp.Report)
    assert first.sender is not None
    assert (first.sender.packets, first.sender.octets) == (0, 0)


def test_the_first_report_goes_out_before_the_first_packet_and_is_about_it() -> None:
    """Who plays it together with others knows when its first sample is wanted."""
    air = Air()
    order: list[bytes] = []
    air.sent = air.reports = order

    speak(talker(air), 0.02)

    report, _ = rtcp.parse(order[0])
    assert isinstance(report, rtcp.Report)
    assert report.sender is not None
    assert report.sender.timestamp == packet.parse(order[1]).timestamp


def test_it_says_goodbye_once() -> None:
    """RFC 3550 §6.6: in a compound after a report and its name."""
    air = Air()
    one = talker(air)
    end = speak(one, 0.1)

    one.end(now=end)
    one.end(now=end)

    *_, last = air.reports
    report, description, bye = rtcp.parse(last)
    assert isinstance(report, rtcp.Report)
    assert isinstance(description, rtcp.Description)
    assert bye == rtcp.Bye((0xF0F0F0F0,))
    assert len(air.reports) == 2


def test_who_has_said_nothing_says_no_goodbye() -> None:
    air = Air()

    talker(air).end(now=100.0)

    assert air.reports == []


def test_a_pause_moves_the_timestamps() -> None:
    """RFC 3551 §4.1: what follows is marked as the beginning of a talkspurt."""
    air = Air()
    one = talker(air)
    speak(one, 0.04)

    one.pause(10)
    speak(one, 0.04, since=100.24)

    _, before, after, last = air.packets
    assert after.sequence_number == before.sequence_number + 1
    assert (after.timestamp - before.timestamp) % CYCLE == 11 * 160
    assert (after.marker, last.marker) == (True, False)


def test_all_of_it_is_encrypted() -> None:
    """RFC 3711: who has the key reads the packets, the reports and the goodbye."""
    key = Secret("3c" * 30)
    air, opened = Air(), GroupSrtp("AES_CM_128_HMAC_SHA1_80", key)
    one = talker(air, "L16/8000", GroupSrtp("AES_CM_128_HMAC_SHA1_80", key))

    one.end(now=speak(one, 0.06))

    plain = [opened.open(data) for data in air.sent]
    assert [packet.parse(data).payload[:2] for data in plain if data] == [b"\x20\x00"] * 3
    assert not any(b"\x20\x00" * 3 in data for data in air.sent)
    *_, goodbye = [opened.open_rtcp(data) for data in air.reports]
    assert goodbye is not None
    assert rtcp.Bye((0xF0F0F0F0,)) in rtcp.parse(goodbye)
