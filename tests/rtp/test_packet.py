"""RTP packets on the wire: RFC 3550 §5.1."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.rtp.packet import Extension, Packet, build, parse

extensions = st.builds(
    Extension, st.integers(0, 0xFFFF), st.binary(max_size=40).map(lambda b: b[: len(b) // 4 * 4])
)
packets = st.builds(
    Packet,
    payload_type=st.integers(0, 127),
    marker=st.booleans(),
    sequence_number=st.integers(0, 0xFFFF),
    timestamp=st.integers(0, 0xFFFFFFFF),
    ssrc=st.integers(0, 0xFFFFFFFF),
    payload=st.binary(max_size=200),
    csrcs=st.lists(st.integers(0, 0xFFFFFFFF), max_size=15).map(tuple),
    extension=st.none() | extensions,
).filter(lambda p: not (p.marker and 64 <= p.payload_type < 96))  # RFC 5761 §4


@given(packets)
def test_parse_and_bytes_are_a_pair(packet: Packet) -> None:
    assert parse(bytes(packet)) == packet


def test_a_plain_packet_bit_by_bit() -> None:
    """RFC 3550 §5.1: V=2, marker, payload type 8, then number, timestamp and SSRC."""
    data = bytes.fromhex("8088 0102 03040506 0708090a d5d5")

    packet = parse(data)

    assert packet == Packet(8, True, 0x0102, 0x03040506, 0x0708090A, b"\xd5\xd5")
    assert build(8, True, 0x0102, 0x03040506, 0x0708090A, b"\xd5\xd5") == data


def test_padding_is_taken_off() -> None:
    data = bytes.fromhex("a000 0001 00000002 00000003 ffff 00000004")

    assert parse(data).payload == b"\xff\xff"


@pytest.mark.parametrize(
    "data",
    [
        "",
        "8000 0001 00000002 000000",  # eleven octets
        "4000 0001 00000002 00000003 ff",  # version 1
        "80c8 0001 00000002 00000003 ff",  # a sender report on the RTP port
        "8200 0001 00000002 00000003 00000004",  # two CSRCs, of which one is there
        "9000 0001 00000002 00000003 bede",  # extension header cut off
        "9000 0001 00000002 00000003 bede 0002 00000000",  # extension cut off
        "a000 0001 00000002 00000003 ff02 0009",  # more padding than payload
        "a000 0001 00000002 00000003",  # padding without any octet
        "a000 0001 00000002 00000003 ff00",  # padding of length 0
    ],
)
def test_what_breaks_the_rules_is_refused(data: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(bytes.fromhex(data))


@given(st.binary(max_size=120))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        parse(data)


@given(packets, st.data())
def test_a_damaged_packet_does_no_more_than_be_refused(packet: Packet, data: st.DataObject) -> None:
    damaged = bytearray(bytes(packet))
    damaged[data.draw(st.integers(0, min(15, len(damaged) - 1)))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(RemoteProtocolError):
        parse(bytes(damaged[: data.draw(st.integers(0, len(damaged)))]))
