"""The microphone makes room for the speaker."""

import numpy as np
import pytest

from sipstrobe.audio.format import Samples
from sipstrobe.audio.half_duplex import DOWN_DB, HOLD_SAMPLES, HalfDuplex
from tests.support.hear import largest_step, level_db

FRAME = 480


def tone(level_db: float, count: int) -> Samples:
    at = np.arange(count) / 48000
    amplitude = 10 ** (level_db / 20) * np.sqrt(2)
    return (amplitude * np.sin(2 * np.pi * 400 * at)).astype(np.float32)


def heard(played: Samples) -> Samples:
    """What becomes of a tone in the microphone while this is played."""
    line, half = tone(-20.0, played.size), HalfDuplex()
    for start in range(0, played.size, FRAME):
        half.apply(line[start : start + FRAME], played[start : start + FRAME])
    return line


def level(sound: Samples) -> float:
    return level_db(sound.astype(np.float64))


def test_it_passes_bit_for_bit_while_the_speaker_is_silent() -> None:
    assert np.array_equal(heard(np.zeros(4800, np.float32)), tone(-20.0, 4800))
    assert np.array_equal(heard(tone(-60.0, 4800)), tone(-20.0, 4800))


def test_it_goes_down_with_the_first_block_and_comes_back_after_the_hold() -> None:
    played = np.zeros(48000, np.float32)
    played[4800:14400] = tone(-30.0, 9600)

    out = heard(played)

    assert level(out[:4800]) == pytest.approx(-20.0, abs=0.1)
    back = 14400 + HOLD_SAMPLES
    assert level(out[4800 + 240 : back]) == pytest.approx(-20.0 + DOWN_DB, abs=0.2)
    assert level(out[back + 12000 :]) == pytest.approx(-20.0, abs=0.1)


def test_a_pause_between_two_words_does_not_let_it_up() -> None:
    played = np.tile(np.concatenate([tone(-20.0, 9600), np.zeros(9600, np.float32)]), 3)

    out = heard(played)

    assert level(out[240:-9600]) == pytest.approx(-20.0 + DOWN_DB, abs=0.2)


def test_there_is_no_click_on_the_way_down_or_up() -> None:
    played = np.zeros(48000, np.float32)
    played[4800:9600] = tone(-10.0, 4800)

    needed = largest_step(tone(-20.0, 4800).astype(np.float64))

    assert largest_step(heard(played).astype(np.float64)) < 1.5 * needed


def test_it_says_what_it_takes_away() -> None:
    half = HalfDuplex()
    assert half.reduction_db == 0.0
    half.apply(tone(-20.0, FRAME), tone(-20.0, FRAME))
    assert half.reduction_db == DOWN_DB
