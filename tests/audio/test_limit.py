"""Many loud sources together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.audio.format import SAMPLE_RATE, Samples, gain_from_db
from sipstrobe.audio.limit import CEILING, Limiter


def _tone(amplitude: float, seconds: float, frequency: float = 1000.0) -> Samples:
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * t)).astype(np.float32)


def _limited(limiter: Limiter, sound: Samples, size: int = 480) -> Samples:
    out = sound.copy()
    for start in range(0, len(out), size):
        limiter.apply(out[start : start + size])
    return out


def test_what_stays_below_the_ceiling_passes_bit_for_bit() -> None:
    tone = _tone(0.96, 0.5)

    assert np.array_equal(_limited(Limiter(480), tone), tone)


def test_the_ceiling_is_minus_0_3_dbfs_and_a_loud_tone_stays_a_clean_tone_at_it() -> None:
    out = _limited(Limiter(480), _tone(4.0, 0.5))

    assert gain_from_db(-0.3) == CEILING
    np.testing.assert_allclose(out[4800:], _tone(CEILING, 0.5)[4800:], atol=0.002)


@pytest.mark.parametrize("frequency", [30.0, 440.0, 3000.0])
def test_a_low_tone_is_not_distorted_by_the_gain_following_its_swings(frequency: float) -> None:
    out = _limited(Limiter(240), _tone(2.0, 1.0, frequency), size=240)[SAMPLE_RATE // 2 :]

    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    fundamental = int(spectrum.argmax())
    others = np.delete(spectrum, np.arange(max(fundamental - 3, 0), fundamental + 4))
    assert others.max() / spectrum.max() < gain_from_db(-50.0)


def test_after_a_peak_the_level_comes_back_slowly_to_exactly_what_it_was() -> None:
    quiet = _tone(0.25, 1.0)
    limiter = Limiter(480)
    _limited(limiter, _tone(2.0, 0.1))
    assert limiter.gain < 0.5

    out = _limited(limiter, quiet)

    assert np.abs(out[:480]).max() < 0.15
    assert np.array_equal(out[-4800:], quiet[-4800:])


@pytest.mark.parametrize("frequency", [12000.0, 8000.0, 5000.0])
def test_nothing_between_the_samples_goes_beyond_the_ceiling_either(frequency: float) -> None:
    """ITU-R BS.1770-4 Annex 2: at 12 kHz the samples of this tone are 3 dB below its peaks."""
    t = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    tone = (1.3 * np.sin(2 * np.pi * frequency * t + np.pi / 4)).astype(np.float32)
    if frequency == 12000.0:
        assert np.abs(tone).max() < CEILING

    out = _limited(Limiter(480), tone)

    assert _true_peak(out[960:-960]) <= CEILING * gain_from_db(0.15)
    assert _true_peak(out[960:-960]) >= CEILING * gain_from_db(-0.2)


def test_a_tone_whose_peaks_just_fit_passes_bit_for_bit() -> None:
    t = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    tone = (0.95 * np.sin(2 * np.pi * 12000.0 * t + np.pi / 4)).astype(np.float32)

    assert np.array_equal(_limited(Limiter(480), tone, 240), tone)


def _true_peak(sound: Samples) -> float:
    """By resampling all of it to 16 times the rate, without its ends."""
    spectrum = np.fft.rfft(sound.astype(np.float64) * 16)
    fine = np.fft.irfft(spectrum, 16 * sound.size)
    return float(np.abs(fine[16 * 200 : -16 * 200]).max())


@given(
    st.lists(
        st.tuples(st.floats(0.0, 50.0), st.integers(1, 480), st.floats(20.0, 20000.0)),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_no_sample_is_ever_above_the_ceiling(blocks: list[tuple[float, int, float]]) -> None:
    limiter = Limiter(480)

    for amplitude, size, frequency in blocks:
        block = _tone(amplitude, size / SAMPLE_RATE, frequency)
        limiter.apply(block)
        assert np.abs(block).max() <= CEILING * 1.000001  # but for the rounding


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_becomes_silence_and_does_no_harm_later(broken: float) -> None:
    limiter = Limiter(480)
    block = _tone(0.5, 0.01)
    block[7] = broken

    limiter.apply(block)

    assert not block.any()
    assert np.array_equal(_limited(limiter, _tone(0.5, 0.01)), _tone(0.5, 0.01))
