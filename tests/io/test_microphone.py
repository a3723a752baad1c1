"""Inputs: a file in place of a microphone, and cards that are not there."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sipstrobe.errors import MediaError
from sipstrobe.io.microphone import BEHIND, CardInput, Looped, make_input
from tests.support.clock import FakeClock

RATE = 48000


class Listening:
    """Remembers what was handed over."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self.at: list[float] = []

    def __call__(self, block: NDArray[np.float32], at: float) -> None:
        self.samples += block.tolist()
        self.at.append(at)


def ramp(_: Path) -> NDArray[np.float32]:
    """A file of 10 ms: 0, 1, 2 …"""
    return np.arange(480, dtype=np.float32)


def test_the_names_of_the_settings_lead_to_their_inputs() -> None:
    clock = FakeClock()

    made = [make_input(name, clock, RATE, ramp) for name in ("auto", "wav:/a.wav", "USB")]

    assert [type(one) for one in made] == [CardInput, Looped, CardInput]
    assert [one.name for one in made] == ["auto", "wav:/a.wav", "USB"]


def test_a_file_is_heard_at_the_pace_of_the_clock_over_and_over() -> None:
    clock, heard = FakeClock(5.0), Listening()
    file = Looped(Path("ramp.wav"), clock, RATE, ramp)
    file.open(heard)

    for _ in range(10):
        clock.advance(0.0025)
        file.catch_up()

    assert heard.samples == [n % 480 for n in range(1200)]
    assert heard.at[:3] == pytest.approx([5.0, 5.0025, 5.005])
    assert file.late == 0


def test_what_nobody_has_asked_for_in_time_is_left_out() -> None:
    clock, heard = FakeClock(), Listening()
    file = Looped(Path("ramp.wav"), clock, RATE, ramp)
    file.open(heard)

    clock.advance(3600.0)
    file.catch_up()

    assert len(heard.samples) == BEHIND * RATE
    assert heard.samples[-1] == (3600 * RATE - 1) % 480
    assert heard.at[0] == pytest.approx(3600.0 - BEHIND)
    assert file.late == 1


def test_a_closed_file_is_silent_and_begins_anew_when_it_is_opened() -> None:
    clock, heard = FakeClock(), Listening()
    file = Looped(Path("ramp.wav"), clock, RATE, ramp)
    file.open(heard)
    clock.advance(0.003)
    file.close()
    file.close()
    file.catch_up()
    assert not heard.samples

    file.open(heard)
    clock.advance(0.001)
    file.catch_up()

    assert heard.samples == list(range(48))


def test_a_file_without_sound_is_refused() -> None:
    file = Looped(Path("empty.wav"), FakeClock(), RATE, lambda _: np.zeros(0, np.float32))
    with pytest.raises(MediaError, match=r"empty\.wav holds no sound"):
        file.open(Listening())


@pytest.mark.parametrize(
    ("name", "words"), [("auto", "No microphone"), ("Nobody's", "No input is called Nobody's")]
)
def test_a_card_that_is_not_there_is_said_in_words(name: str, words: str) -> None:
    card = make_input(name, FakeClock(), RATE, ramp)
    with pytest.raises(MediaError, match=words):
        card.open(Listening())
    card.close()
