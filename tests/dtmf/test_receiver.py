"""Digits out of telephone events: RFC 4733 §2.5.2."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.dtmf.event import DIGITS, MAX_DURATION, TelephoneEvent
from sipstrobe.dtmf.receiver import EventReceiver
from sipstrobe.dtmf.sender import DigitSender
from sipstrobe.dtmf.sign import Sign

Packet = tuple[bytes, int, bool]  # payload, timestamp, marker


def event(digit: str, duration: int, *, end: bool = False) -> bytes:
    return bytes(TelephoneEvent(DIGITS.index(digit), end, 10, duration))


def sent(digits: str, start: int = 1000) -> list[Packet]:
    """What our own sender makes of these digits, 20 ms a packet."""
    sender = DigitSender(8000)
    sender.send(digits)
    packets: list[Packet] = []
    now = began = start
    while sender.busy:
        packet = sender.turn(160)
        if packet is not None:
            began = now if packet.begins else began
            packets.append((packet.payload, began % 2**32, packet.begins))
        now += 160
    return packets


def numbered(packets: list[Packet]) -> list[tuple[int, Packet]]:
    return list(enumerate(packets))


def heard(packets: list[Packet]) -> str:
    """The digits that begin, of packets sent in this order."""
    return arrived(numbered(packets))


def arrived(packets: list[tuple[int, Packet]]) -> str:
    """The digits that begin, of packets with the sequence numbers that they were sent with."""
    receiver = EventReceiver()
    signs = (receiver.receive(*packet, number, 8000) for number, packet in packets)
    return "".join(sign.digit for sign in signs if sign is not None and sign.begins)


def test_each_digit_is_told_once_with_its_first_packet() -> None:
    receiver = EventReceiver()

    told = [receiver.receive(*packet, n, 8000) for n, packet in enumerate(sent("42"))]

    assert [sign.digit for sign in told if sign is not None and sign.begins] == ["4", "2"]
    assert told[0] == Sign("4", begins=True, seconds=0.02, ended=False)


def test_how_long_a_digit_lasts_is_told_as_far_as_it_is_known() -> None:
    receiver = EventReceiver()

    told = [receiver.receive(*packet, n, 8000) for n, packet in enumerate(sent("4"))]

    assert [sign.seconds for sign in told if sign is not None][:5] == [0.02, 0.04, 0.06, 0.08, 0.1]
    assert [sign.ended for sign in told if sign is not None] == [False] * 4 + [True] * 3


@pytest.mark.parametrize("digits", ["2", "22", "222", "22222", "21222"])
def test_a_digit_pressed_again_and_again_counts_though_all_events_are_stamped_alike(
    digits: str,
) -> None:
    """The end of the third is its own, and no more of the first."""
    alike = [(payload, 0, False) for payload, _, _ in sent(digits)]

    assert heard(alike) == digits


@settings(deadline=None)
@given(st.text(DIGITS, min_size=1, max_size=6), st.integers(0, 2**32 - 1), st.data())
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
    packets = numbered(sent("12"))
    first, second = packets[: len(packets) // 2], packets[len(packets) // 2 :]
    shuffled = [*first[:-2], second[0], *first[-2:], *second[1:], *second, *first]

    assert arrived(shuffled) == "12"


@settings(deadline=None)
@given(st.text(DIGITS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_network_that_reorders_and_repeats_changes_no_digit(digits: str, random: Random) -> None:
    """Packets are late by up to 60 ms, and some come twice."""
    packets = numbered(sent(digits))
    packets += random.sample(packets, len(packets) // 4)
    packets.sort(key=lambda numbered: numbered[0] + random.uniform(0, 3))

    assert sorted(arrived(packets)) == sorted(digits)


def test_an_event_too_long_for_its_duration_is_one_digit() -> None:
    """RFC 4733 §2.5.1.3: it goes on with the timestamp at which the last part ended."""
    packets: list[Packet] = [
        (event("5", 160), 1000, True),
        (event("5", MAX_DURATION), 1000, False),
        (event("5", 160), 1000 + MAX_DURATION, False),
        (event("5", 480, end=True), 1000 + MAX_DURATION, False),
    ]
    receiver = EventReceiver()

    told = [receiver.receive(*packet, n, 8000) for n, packet in enumerate(packets)]

    assert heard(packets) == "5"
    assert told[-1] == Sign("5", begins=False, seconds=(MAX_DURATION + 480) / 8000, ended=True)


def anew(packets: list[Packet]) -> list[Packet]:
    """As sent by those who stamp each packet, also the repeated ends, with the time it is sent."""
    stamped: list[Packet] = []
    stamp = -1
    for payload, timestamp, marker in packets:
        stamp = max(stamp + 160, timestamp) if marker else stamp + 160
        stamped.append((payload, stamp % 2**32, marker))
    return stamped


@pytest.mark.parametrize("lost", [(), (0,), (1, 2), (0, 1, 2, 3), (4,)])
def test_a_sender_that_stamps_each_packet_anew_means_one_digit(lost: tuple[int, ...]) -> None:
    packets = anew(sent("5"))

    assert heard([p for n, p in enumerate(packets) if n not in lost]) == "5"
    assert heard([*packets, *anew(sent("5", 3000))]) == "55"
    assert arrived(sorted(numbered(packets) * 2)) == "5"


def test_a_sender_whose_timestamps_stand_still_presses_each_digit_nevertheless() -> None:
    """As some do that count only the sound between the digits."""
    packets = [(payload, 7000, marker) for payload, _, marker in sent("1121")]

    assert heard(packets) == "1121"
    assert heard([packet for packet in packets if not packet[2]]) == "1121"


@pytest.mark.parametrize("end", [True, False])
def test_the_same_digit_again_is_another_one_though_end_or_marker_were_lost(end: bool) -> None:
    packets: list[Packet] = [
        (event("5", 160), 1000, True),
        (event("5", 800, end=end), 1000, False),
        (event("5", 160), 4000, False),
    ]

    assert heard(packets) == "55"


def test_the_middle_of_a_second_press_is_another_digit_than_the_beginning_of_the_first() -> None:
    """Everything in between was lost, marker and ends included."""
    packets: list[Packet] = [(event("5", 160), 1000, True), (event("5", 640), 2280, False)]

    assert heard(packets) == "55"


def test_another_source_may_begin_anywhere() -> None:
    """Its timestamps have nothing to do with those before: RFC 3550 §5.1."""
    assert heard([(event("1", 160, end=True), 5000, True), (event("2", 160), 17, True)]) == "12"


def test_other_events_and_what_is_none_are_no_digits() -> None:
    receiver = EventReceiver()

    flash = bytes([16, 10, 0, 160])  # RFC 4733 §3.2
    assert receiver.receive(flash, 1, True, 1, 8000) is None
    assert receiver.receive(b"\x05\x0a", 2, True, 2, 8000) is None

    assert receiver.invalid == 1
