"""Digits out of telephone events: RFC 4733 §2.5.2."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.dtmf.event import DIGITS, MAX_DURATION, TelephoneEvent
from sipstrobe.dtmf.receiver import DigitReceiver
from sipstrobe.dtmf.sender import DigitSender

Packet = tuple[bytes, int, bool]  # payload, timestamp, marker


def event(digit: str, duration: int, *, end: bool = False) -> bytes:
    return bytes(TelephoneEvent(DIGITS.index(digit), end, 10, duration))


def sent(digits: str, start: int = 1000) -> list[Packet]:
    """What our own sender makes of these digits, 20 ms a packet."""
    sender = DigitSender(8000)
    sender.send(digits)
    packets: list[Packet] = []
    now = start
    while sender.busy:
        packet = sender.turn(160)
        if packet is not None:
            timestamp = (now - packet.since) % 2**32
            packets.append((packet.payload, timestamp, packet.marker))
        now += 160
    return packets


def heard(packets: list[Packet]) -> str:
    receiver = DigitReceiver()
    return "".join(filter(None, (receiver.receive(*packet) for packet in packets)))


def test_each_digit_is_told_once_with_its_first_packet() -> None:
    receiver = DigitReceiver()
    packets = sent("42")

    told = [receiver.receive(*packet) for packet in packets]

    assert [digit for digit in told if digit] == ["4", "2"]
    assert told[0] == "4"


@given(st.text(DIGITS, max_size=6), st.integers(0, 2**32 - 1), st.data())
def test_digits_are_the_same_whatever_is_lost_of_each_event_but_one_packet(
    digits: str, start: int, data: st.DataObject
) -> None:
    """RFC 4733 §2.5.1.4: the end is sent three times because packets get lost."""
    packets = sent(digits, start)
    stamps = dict.fromkeys(timestamp for _, timestamp, _ in packets)
    kept: list[Packet] = []
    for stamp in stamps:
        of_event = [packet for packet in packets if packet[1] == stamp]
        only = data.draw(st.integers(0, len(of_event) - 1))
        kept += [p for n, p in enumerate(of_event) if n == only or data.draw(st.booleans())]

    assert heard(kept) == digits


def test_packets_that_overtake_one_another_or_come_twice_tell_nothing_new() -> None:
    packets = sent("12")
    first, second = packets[: len(packets) // 2], packets[len(packets) // 2 :]

    assert heard([*first[:-2], second[0], *first[-2:], *second[1:], *second, *first]) == "12"


def test_an_event_too_long_for_its_duration_is_one_digit() -> None:
    """RFC 4733 §2.5.1.3: it goes on with the timestamp at which the last part ended."""
    packets: list[Packet] = [
        (event("5", 160), 1000, True),
        (event("5", MAX_DURATION), 1000, False),
        (event("5", 160), 1000 + MAX_DURATION, False),
        (event("5", 480, end=True), 1000 + MAX_DURATION, False),
    ]

    assert heard(packets) == "5"


def test_a_sender_that_stamps_each_packet_anew_means_one_digit() -> None:
    packets: list[Packet] = [(event("5", 160 * n), 1000 + 160 * n, n == 1) for n in range(1, 5)]
    packets.append((event("5", 800, end=True), 1800, False))

    assert heard(packets) == "5"


@pytest.mark.parametrize("end", [True, False])
def test_the_same_digit_again_is_another_one_though_end_or_marker_were_lost(end: bool) -> None:
    packets: list[Packet] = [
        (event("5", 160), 1000, True),
        (event("5", 800, end=end), 1000, False),
        (event("5", 160), 4000, False),
    ]

    assert heard(packets) == "55"


def test_another_source_may_begin_anywhere() -> None:
    """Its timestamps have nothing to do with those before: RFC 3550 §5.1."""
    assert heard([(event("1", 160, end=True), 5000, True), (event("2", 160), 17, True)]) == "12"


def test_other_events_and_what_is_none_are_no_digits() -> None:
    receiver = DigitReceiver()

    assert receiver.receive(bytes([16, 10, 0, 160]), 1, True) is None  # flash: RFC 4733 §3.2
    assert receiver.receive(b"\x05\x0a", 2, True) is None

    assert receiver.invalid == 1
