"""Digits on their way out."""

from itertools import pairwise

import pytest

from sipstrobe.dtmf.event import TelephoneEvent
from sipstrobe.dtmf.keys import COMMA_PAUSE, MAX_WAITING
from sipstrobe.dtmf.sender import DigitSender


def sent(sender: DigitSender, turns: int) -> list[tuple[int, TelephoneEvent, bool]]:
    """(turn, event, whether it begins) of the packets of so many 20 ms turns."""
    found: list[tuple[int, TelephoneEvent, bool]] = []
    for n in range(turns):
        packet = sender.turn(160)
        if packet is not None:
            event = TelephoneEvent.parse(packet.payload)
            found.append((n, event, packet.begins))
    return found


def test_a_digit_grows_and_its_end_is_sent_three_times() -> None:
    """RFC 4733 §2.5.1.3 and .4: durations grow from the same timestamp; three final packets."""
    sender = DigitSender(8000)
    sender.send("5")

    packets = sent(sender, 20)

    assert [event.duration for _, event, _ in packets] == [160, 320, 480, 640, 800, 800, 800]
    assert [event.end for _, event, _ in packets] == [False] * 4 + [True] * 3
    assert [begins for *_, begins in packets] == [True] + [False] * 6
    assert {event.digit for _, event, _ in packets} == {"5"}
    assert not sender.busy


def test_equal_digits_are_parted_by_a_pause() -> None:
    sender = DigitSender(8000)
    sender.send("*#")
    sender.send("#")

    packets = sent(sender, 60)

    starts = [n for n, _, begins in packets if begins]
    assert [packets[i][1].digit for i in range(0, 21, 7)] == ["*", "#", "#"]
    assert all(later - earlier - 7 >= 2 for earlier, later in pairwise(starts))


def test_a_comma_is_a_pause() -> None:
    sender = DigitSender(8000)
    sender.send("1,,2")

    packets = sent(sender, 240)

    first, second = (n for n, _, begins in packets if begins)
    assert (second - first) * 0.020 == pytest.approx(2 * COMMA_PAUSE + 0.16, abs=0.08)


def test_digits_that_wait_go_on_at_another_clock() -> None:
    """RFC 3264 §8.3.2: the codec, and with it the clock, may change during a call; a digit that
    was told in part is told."""
    sender = DigitSender(8000)
    sender.send("12")
    before = sent(sender, 2)

    sender.change_clock(48000)
    after = [p for _ in range(20) if (p := sender.turn(960)) is not None]

    events = [TelephoneEvent.parse(packet.payload) for packet in after]
    assert {event.digit for _, event, _ in before} == {"1"}
    assert {event.digit for event in events} == {"2"}
    assert [packet.begins for packet in after] == [True] + [False] * 6
    assert events[-1].duration == 4800


@pytest.mark.parametrize("digits", ["", "1x", "1 2", "1p2", "ß", "0" * (MAX_WAITING + 1)])
def test_what_cannot_be_sent_is_refused_whole(digits: str) -> None:
    sender = DigitSender(8000)

    with pytest.raises(ValueError, match=r"else than|more than|no digits"):
        sender.send(digits)

    assert not sender.busy
