"""What the waveform reaches between the samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.audio.format import SAMPLE_RATE, Samples, db_from_gain, peak
from sipstrobe.audio.true_peak import MOST, TAPS, TruePeak


def _tone(frequency: float, phase: float) -> Samples:
    t = np.arange(4800) / SAMPLE_RATE
    return np.sin(2 * np.pi * frequency * t + phase).astype(np.float32)


def _look(sound: Samples, *sizes: int) -> float:
    """The true peak of a sound that does not begin abruptly, looked at in these blocks."""
    true_peak = TruePeak(sound.size)
    true_peak.skip(sound[:480])
    largest, start = 0.0, 480
    for size in sizes or (sound.size - 480,):
        largest = max(largest, true_peak.look(sound[start : start + size]))
        start += size
    return largest


@pytest.mark.parametrize("frequency", [997.0, 8000.0, 12000.0, 15000.0, 18000.0, 20000.0])
@pytest.mark.parametrize("phase", np.linspace(0, np.pi, 8, endpoint=False))
def test_the_peak_of_a_tone_is_found_wherever_its_samples_lie(
    frequency: float, phase: float
) -> None:
    """BS.1770-4 Annex 2: four times the rate shows the peak to some tenths of a decibel."""
    tone = _tone(frequency, phase)

    found_db = db_from_gain(max(peak(tone), _look(tone)))

    assert -0.35 < found_db < 0.05


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_it_does_not_matter_how_the_sound_is_cut(sizes: list[int]) -> None:
    tone = _tone(11000.0, 0.3)[: 480 + sum(sizes)]

    assert _look(tone, *sizes) == pytest.approx(_look(tone), abs=1e-5)


def test_a_constant_stays_what_it_is() -> None:
    assert _look(np.full(960, 0.5, np.float32)) == pytest.approx(0.5, abs=1e-6)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_no_signal_goes_further_than_the_bound(seed: int) -> None:
    """The worst there is: the signs of the weights of one point."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], 4 * TAPS).astype(np.float32)

    assert TruePeak(480).look(signs) <= MOST * 1.00001
