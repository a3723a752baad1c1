"""What is found of a tone."""

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples, gain_from_db
from sipstrobe.audio.tone import find_tone


def _tone(frequency: float, level_db: float = -16.0) -> Samples:
    t = np.arange(SAMPLE_RATE // 4) / SAMPLE_RATE
    amplitude = gain_from_db(level_db) * 2**0.5
    return (amplitude * np.sin(2 * np.pi * frequency * t + 0.3)).astype(np.float32)


@pytest.mark.parametrize("level_db", [-3.0, -16.0, -70.0])
def test_its_level_and_its_frequency_are_measured(level_db: float) -> None:
    found = find_tone(_tone(1000.0, level_db), 1000.0)

    assert found.level_db == pytest.approx(level_db, abs=0.05)
    assert found.frequency == pytest.approx(1000.0, abs=0.1)
    assert found.rest_db <= max(level_db - 60.0, -120.0)


@pytest.mark.parametrize("frequency", [997.0, 1002.0])
def test_a_tone_that_is_a_little_off_is_told_by_how_much(frequency: float) -> None:
    assert find_tone(_tone(frequency), 1000.0).frequency == pytest.approx(frequency, abs=0.1)


def test_another_tone_is_the_rest() -> None:
    found = find_tone(_tone(440.0), 1000.0)

    assert found.level_db < -60.0
    assert found.rest_db == pytest.approx(-16.0, abs=0.1)


def test_what_sounds_besides_is_the_rest() -> None:
    noise = np.random.default_rng(1).normal(0.0, gain_from_db(-30.0), SAMPLE_RATE // 4)

    found = find_tone(_tone(1000.0) + noise.astype(np.float32), 1000.0)

    assert found.level_db == pytest.approx(-16.0, abs=0.1)
    assert found.rest_db == pytest.approx(-30.0, abs=0.5)


def test_silence_is_silent() -> None:
    found = find_tone(np.zeros(SAMPLE_RATE // 4, np.float32), 1000.0)

    assert (found.level_db, found.rest_db) == (-120.0, -120.0)
