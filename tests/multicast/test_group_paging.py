"""The packets of desk phones that page each other."""

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.multicast.group_paging import (
    CALLER_ID_BYTES,
    MAX_AUDIO,
    MAX_CHANNEL,
    OpCode,
    Packet,
    Page,
    channel_of,
    parse,
)

SERIAL = 0xF2FB1C51
HEADER = bytes.fromhex("0f1af2fb1c510d") + b"Reception".ljust(CALLER_ID_BYTES, b"\0")


def test_an_alert_is_a_header_of_twenty_bytes() -> None:
    """EA 70568, Table 1: op code, channel, serial number, length of the caller id, caller id."""
    packet = Packet(OpCode.ALERT, 26, SERIAL, "Reception")

    assert bytes(packet) == HEADER
    assert len(HEADER) == 20
    assert parse(HEADER) == packet
    assert channel_of(HEADER) == 26


def test_a_page_repeats_in_each_packet_the_sound_of_the_one_before() -> None:
    """EA 70568: the first has only its own."""
    page = Page(26, SERIAL, "Reception", 9)
    first, second, third = (bytes([n]) * 240 for n in range(3))

    packets = [page.transmit(sound) for sound in (first, second, third)]

    assert [data[:7] for data in packets] == [b"\x10" + HEADER[1:7]] * 3
    assert [struct.unpack("!BBI", data[20:26]) for data in packets] == [
        (9, 0, 0),
        (9, 0, 240),
        (9, 0, 480),
    ]
    assert [data[26:] for data in packets] == [first, first + second, second + third]
    assert (page.alert()[0], page.end()[0]) == (0x0F, 0xFF)
    assert len(page.end()) == 20


def test_nothing_is_repeated_after_a_pause() -> None:
    page = Page(26, SERIAL, "", 0)
    page.transmit(bytes(160))

    page.pause(800)
    packet = parse(page.transmit(b"\1" * 160))

    assert (packet.sample_count, packet.audio) == (960, b"\1" * 160)


@pytest.mark.parametrize(
    ("length", "text", "read"),
    [
        (13, b"Asterisk\0\0\0\0\0", "Asterisk"),
        (8, b"Asterisk\0\0\0\0\0", "Asterisk"),
        (255, b"Longer than t", "Longer than t"),
        (13, b"\x1b[31mRed\xe9  \0\0", "[31mRed"),
        (0, bytes(13), ""),
    ],
)
def test_a_caller_id_is_what_of_it_can_be_shown(length: int, text: bytes, read: str) -> None:
    """Senders differ in what they give for its length."""
    assert parse(HEADER[:6] + bytes([length]) + text).caller_id == read


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEADER[:19],
        b"\x11" + HEADER[1:],
        b"\x0f\x00" + HEADER[2:],
        bytes([0x0F, MAX_CHANNEL + 1]) + HEADER[2:],
        b"\x10" + HEADER[1:],
        b"\x10" + HEADER[1:] + bytes(6),
        b"\x10" + HEADER[1:] + bytes(6 + MAX_AUDIO + 1),
    ],
    ids=["empty", "short", "op code", "channel 0", "channel 51", "no codec", "no sound", "long"],
)
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(data)


@given(st.binary(max_size=60), st.sampled_from([b"", HEADER, b"\x10" + HEADER[1:]]))
def test_whatever_comes_is_a_packet_or_refused(data: bytes, before: bytes) -> None:
    with suppress(RemoteProtocolError):
        packet = parse(before + data)
        assert parse(bytes(packet)) == packet
