"""RTCP: RFC 3550 §6 and the checks of appendix A.2."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.rtp import rtcp
from sipstrobe.rtp.rtcp import Bye, Description, Report, ReportBlock, SenderInfo, compound, parse

word = st.integers(0, 0xFFFFFFFF)
blocks = st.builds(
    ReportBlock, word, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), word, word, word, word
)
senders = st.builds(SenderInfo, st.integers(0, 2**64 - 1), word, word, word)
short_text = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=60)
packets = st.one_of(
    st.builds(Report, word, st.none() | senders, st.lists(blocks, max_size=31).map(tuple)),
    st.builds(Description, st.lists(st.tuples(word, short_text), max_size=31).map(tuple)),
    st.builds(Bye, st.lists(word, max_size=31).map(tuple), short_text),
)


@given(st.lists(packets, min_size=1, max_size=5))
def test_parse_and_bytes_are_a_pair(sent: list[rtcp.RtcpPacket]) -> None:
    assert parse(compound(sent)) == tuple(sent)


def test_a_sender_report_bit_by_bit() -> None:
    """RFC 3550 §6.4.1; the loss is a signed number of 24 bits."""
    data = bytes.fromhex(
        "81c8000c 00000001 0000000200000003 00000004 00000005 00000006"
        "00000007 80fffffe 00000009 0000000a 0000000b 0000000c"
    )

    (report,) = parse(data)

    assert report == Report(
        1, SenderInfo(0x0000000200000003, 4, 5, 6), (ReportBlock(7, 0x80, -2, 9, 10, 11, 12),)
    )
    assert isinstance(report, Report)
    assert report.sender is not None
    assert report.sender.ntp_middle == 0x00020000


def test_packets_we_do_not_know_are_passed_over() -> None:
    app = bytes.fromhex("80cc0002 00000001 6e616d65")

    assert parse(app + bytes(Bye((1,)))) == (Bye((1,)),)


def test_padding_stands_on_the_last_packet_only() -> None:
    padded = bytes.fromhex("a1cb0002 00000001 00000004")

    assert parse(bytes(Report(1)) + padded) == (Report(1), Bye((1,)))
    with pytest.raises(RemoteProtocolError):
        parse(padded + bytes(Report(1)))


@pytest.mark.parametrize(
    "data",
    [
        "",
        "80",
        "80c90001",  # shorter than it says
        "40c90001 00000001",  # version 1
        "81c90001 00000001",  # a block is missing
        "80c80001 00000001",  # no sender info
        "81ca0001 00000001 80",  # rest too short for a header
        "81ca0002 00000001 01ff6161",  # an item longer than the packet
        "82cb0001 00000001",  # one of two sources
        "81cb0002 00000001 09616161",  # a reason longer than the packet
        "80cb0000" * 33,  # more packets than anybody sends
    ],
)
def test_what_breaks_the_rules_is_refused(data: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(bytes.fromhex(data))


@given(st.binary(max_size=100))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse(data)


@given(st.lists(packets, min_size=1, max_size=3), st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_compound_does_no_more_than_be_refused(
    sent: list[rtcp.RtcpPacket], at: int, value: int
) -> None:
    damaged = bytearray(compound(sent))
    damaged[at % len(damaged)] = value
    with contextlib.suppress(RemoteProtocolError):
        parse(bytes(damaged))
