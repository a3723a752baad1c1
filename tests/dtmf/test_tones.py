"""Digits that are said as tones."""

import numpy as np
import pytest

from sipstrobe.dtmf.event import DIGITS
from sipstrobe.dtmf.inband import ToneReceiver
from sipstrobe.dtmf.keys import COMMA_PAUSE, MAX_WAITING, PAUSE, TONE
from sipstrobe.dtmf.tones import Samples, ToneSender


def said(sender: ToneSender, rate: int, seconds: float) -> tuple[Samples, list[bool]]:
    """What is to be heard in so long, packets of 20 ms; and in which of them there is something."""
    count = rate // 50
    turns = [sender.turn(count) for _ in range(round(seconds * 50))]
    nothing = np.zeros(count, np.float32)
    sound = np.concatenate([nothing if turn is None else turn for turn in turns])
    return sound, [turn is not None for turn in turns]


def heard(sound: Samples, rate: int) -> str:
    return "".join(sign.digit for sign in ToneReceiver(rate).hear(sound) if sign.begins)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_they_are_heard_as_what_they_are(rate: int) -> None:
    sender = ToneSender(rate)
    sender.send(DIGITS)

    sound, _ = said(sender, rate, 16 * (TONE + PAUSE) + 0.1)

    assert heard(sound, rate) == DIGITS
    assert not sender.busy


def test_they_neither_click_nor_clip() -> None:
    sender = ToneSender(48000)
    sender.send("D")

    sound, _ = said(sender, 48000, 0.3)

    assert 0.4 < np.abs(sound).max() < 0.6
    assert np.abs(np.diff(sound)).max() < 2 * np.pi * (941 * 0.22 + 1633 * 0.28) / 48000


def test_a_comma_leaves_the_sound_as_it_is() -> None:
    sender = ToneSender(48000)
    sender.send("1,2")

    sound, told = said(sender, 48000, COMMA_PAUSE + 1.0)

    assert heard(sound, 48000) == "12"
    assert told.count(False) * 0.020 > COMMA_PAUSE
    assert told[:8] == [True] * 8


@pytest.mark.parametrize("digits", ["", "1x", "0" * (MAX_WAITING + 1)])
def test_what_cannot_be_sent_is_refused_whole(digits: str) -> None:
    sender = ToneSender(8000)

    with pytest.raises(ValueError, match=r"else than|more than|no digits"):
        sender.send(digits)

    assert not sender.busy
