"""Extended reports: RFC 3611, byte by byte and spoilt."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.rtp import rtcp
from sipstrobe.rtp.quality import Bursts, Counts, quality
from sipstrobe.rtp.xr import (
    MAX_BLOCKS,
    UNAVAILABLE,
    Block,
    DelaySinceLast,
    ExtendedReport,
    ReceiverDelay,
    ReceiverTime,
    VoipMetrics,
    metrics,
)

word = st.integers(0, 0xFFFFFFFF)
half = st.integers(0, 0xFFFF)
octet = st.integers(0, 0xFF)
level = st.integers(-128, 127)
fmt = (word, *(octet,) * 4, *(half,) * 4, level, level, *(octet,) * 7, half, half, half)
blocks = st.one_of(
    st.builds(ReceiverTime, st.integers(0, 2**64 - 1)),
    st.builds(DelaySinceLast, st.lists(st.builds(ReceiverDelay, word, word, word)).map(tuple)),
    st.builds(VoipMetrics, *fmt),
)


@given(word, st.lists(blocks, max_size=MAX_BLOCKS))
def test_parse_and_bytes_are_a_pair(ssrc: int, told: list[Block]) -> None:
    report = ExtendedReport(ssrc, tuple(told))

    assert rtcp.parse(bytes(report)) == (report,)


@given(word, st.lists(blocks, max_size=4), st.integers(0, 200), octet)
def test_spoilt_reports_are_read_or_refused(
    ssrc: int, told: list[Block], at: int, value: int
) -> None:
    data = bytearray(bytes(ExtendedReport(ssrc, tuple(told))))
    data[at % len(data)] = value
    with contextlib.suppress(RemoteProtocolError):
        rtcp.parse(bytes(data))
    with contextlib.suppress(RemoteProtocolError):
        rtcp.parse(bytes(data)[: at % len(data)])


def test_voip_metrics_octet_by_octet() -> None:
    """RFC 3611 §4.7."""
    data = bytes.fromhex(
        "80cf000a 00000001"
        "07000008 00000002 10203040 00640bb8 003c0050 eca67f10 5a7f2b2a b0000028 00500064"
    )

    (report,) = rtcp.parse(data)

    told = VoipMetrics(
        2,
        loss_rate=0x10,
        discard_rate=0x20,
        burst_density=0x30,
        gap_density=0x40,
        burst_duration=100,
        gap_duration=3000,
        round_trip_delay=60,
        end_system_delay=80,
        signal_level=-20,
        noise_level=-90,
        residual_echo_return_loss=127,
        gmin=16,
        r_factor=90,
        external_r_factor=127,
        mos_lq=43,
        mos_cq=42,
        rx_config=0xB0,
        jitter_buffer_nominal=40,
        jitter_buffer_maximum=80,
        jitter_buffer_absolute_maximum=100,
    )
    assert report == ExtendedReport(1, (told,))
    assert told.mos == 4.2
    assert told.loss == pytest.approx(48 / 256)
    assert VoipMetrics(2).mos is None


def test_the_times_of_receivers_octet_by_octet() -> None:
    """RFC 3611 §4.4, §4.5."""
    data = bytes.fromhex(
        "80cf0008 00000001 04000002 0000000200000003 05000003 00000004 00000005 00000006"
    )

    (report,) = rtcp.parse(data)

    delays = (ReceiverDelay(ssrc=4, last_receiver_time=5, delay=6),)
    assert report == ExtendedReport(1, (ReceiverTime(0x0000000200000003), DelaySinceLast(delays)))


def test_blocks_of_other_types_and_odd_lengths_are_passed_over() -> None:
    """RFC 3611 §3: what a receiver does not know it ignores, by its length."""
    data = bytes.fromhex("80cf0006 00000001 01000001 ffffffff 04000001 00000000 63000000")

    assert rtcp.parse(data) == (ExtendedReport(1, ()),)


def test_no_number_of_blocks_is_read_without_bound() -> None:
    many = ExtendedReport(1, (ReceiverTime(1),) * (MAX_BLOCKS + 5))

    assert rtcp.parse(bytes(many)) == (ExtendedReport(1, (ReceiverTime(1),) * MAX_BLOCKS),)


@pytest.mark.parametrize("data", ["80cf0000", "80cf0002 00000001 04000002"])
def test_what_is_cut_off_is_refused(data: str) -> None:
    with pytest.raises(RemoteProtocolError):
        rtcp.parse(bytes.fromhex(data))


def test_what_is_measured_is_told_in_the_units_of_the_report() -> None:
    found = quality(Counts(1000, 75, 50, 25), "PCMU", 80.0)
    assert found is not None
    told = metrics(
        7,
        found,
        Bursts(0.25, 0.01, burst_length=10.0, gap_length=5000.0),
        ptime_ms=20,
        round_trip_ms=35.4,
        buffer_ms=41.0,
        longest_ms=200.0,
    )

    assert (told.ssrc, told.loss_rate, told.discard_rate) == (7, 12, 6)
    assert (told.burst_density, told.gap_density) == (64, 2)
    assert (told.burst_duration, told.gap_duration) == (200, 0xFFFF)
    assert (told.round_trip_delay, told.end_system_delay) == (35, 61)
    assert (told.jitter_buffer_nominal, told.jitter_buffer_maximum) == (41, 200)
    assert told.mos_cq == round(10 * found.mos_cq)
    assert told.signal_level == told.external_r_factor == UNAVAILABLE
