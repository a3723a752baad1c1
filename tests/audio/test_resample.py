"""Between the codecs' rates and 48 kHz: level, images, delay, state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE, Samples, db_from_gain
from sipstrobe.audio.resample import Downsampler, Upsampler


def _tone(frequency: float, rate: int, seconds: float = 0.2) -> Samples:
    t = np.arange(round(rate * seconds)) / rate
    return np.sin(2 * np.pi * frequency * t).astype(np.float32)


def _settled(block: Samples) -> NDArray[np.float64]:
    """Without the filter's first and last moments."""
    return block[len(block) // 8 : -len(block) // 8].astype(np.float64)


def _spectrum_db(block: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies at 48 kHz and the amplitude of the sine at each, in dB."""
    part = _settled(block)
    window = np.blackman(len(part))
    amplitude = np.abs(np.fft.rfft(part * window)) / window.sum() * 2
    frequencies = np.arange(len(amplitude)) * (SAMPLE_RATE / len(part))
    return frequencies.astype(np.float64), 20 * np.log10(amplitude + 1e-9)


@pytest.mark.parametrize(
    ("ratio", "frequency"),
    [
        *((6, hertz) for hertz in (100, 300, 1000, 2200, 3400)),
        *((3, hertz) for hertz in (100, 1000, 7000)),
        *((2, hertz) for hertz in (100, 1000, 10_500)),
    ],
)
def test_a_tone_keeps_its_level_and_its_images_are_60_db_down(ratio: int, frequency: int) -> None:
    block = Upsampler(ratio).process(_tone(frequency, SAMPLE_RATE // ratio))

    frequencies, level_db = _spectrum_db(block)

    assert level_db.max() == pytest.approx(0.0, abs=0.1)
    assert frequencies[level_db.argmax()] == pytest.approx(frequency, abs=10)
    images = frequencies > SAMPLE_RATE / ratio - frequency - 30
    assert level_db[images].max() < -60.0


def test_silence_stays_silent_and_a_constant_stays_constant() -> None:
    up = Upsampler(6)

    assert not up.process(np.zeros(160, np.float32)).any()
    constant = up.process(np.ones(800, np.float32))[480:]
    assert np.abs(constant - 1.0).max() < 0.01


@pytest.mark.parametrize("ratio", [2, 3, 6])
def test_the_delay_is_about_a_millisecond_and_known(ratio: int) -> None:
    up = Upsampler(ratio)
    impulse = np.zeros(160, np.float32)
    impulse[20] = 1.0

    response = up.process(impulse)

    assert int(response.argmax()) - 20 * ratio == up.delay_samples
    assert up.delay_samples / SAMPLE_RATE < 0.0013


@pytest.mark.parametrize("ratio", [2, 3, 6])
@given(cuts=st.lists(st.integers(0, 700), max_size=8).map(sorted))
@settings(max_examples=25, deadline=None)
def test_it_does_not_matter_how_the_sound_is_cut_into_blocks(ratio: int, cuts: list[int]) -> None:
    sound = np.random.default_rng(7).uniform(-1, 1, 700).astype(np.float32)

    whole = Upsampler(ratio).process(sound)
    up = Upsampler(ratio)
    parts = [up.process(part) for part in np.split(sound, cuts)]

    assert [p.size for p in parts] == [ratio * p.size for p in np.split(sound, cuts)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=2e-6)


def test_each_result_is_the_callers_own() -> None:
    up = Upsampler(6)
    first = up.process(_tone(1000, 8000, 0.02))
    kept = first.copy()

    up.process(np.zeros(160, np.float32))

    assert np.array_equal(first, kept)


def test_after_a_reset_nothing_is_left_of_the_stream_before() -> None:
    up = Upsampler(6)
    up.process(_tone(1000, 8000))

    up.reset()

    assert not up.process(np.zeros(160, np.float32)).any()


@pytest.mark.parametrize(("ratio", "frequency"), [(6, 300), (6, 1000), (6, 3400), (3, 7000)])
def test_lowering_the_rate_keeps_what_fits(ratio: int, frequency: int) -> None:
    block = Downsampler(ratio).process(_tone(frequency, SAMPLE_RATE))

    assert block.size == round(SAMPLE_RATE * 0.2) // ratio
    level = np.sqrt(2) * np.sqrt(np.mean(_settled(block) ** 2))
    assert db_from_gain(float(level)) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(("ratio", "frequency"), [(6, 4600), (6, 12000), (3, 9000), (3, 20000)])
def test_lowering_the_rate_filters_out_what_does_not_fit(ratio: int, frequency: int) -> None:
    block = Downsampler(ratio).process(_tone(frequency, SAMPLE_RATE))

    assert db_from_gain(float(np.abs(_settled(block)).max())) < -60.0


@given(cuts=st.lists(st.integers(0, 160), max_size=6).map(sorted))
@settings(max_examples=25, deadline=None)
def test_lowering_does_not_depend_on_the_blocks_either(cuts: list[int]) -> None:
    sound = np.random.default_rng(7).uniform(-1, 1, 960).astype(np.float32)

    whole = Downsampler(6).process(sound)
    down = Downsampler(6)
    parts = [down.process(part) for part in np.split(sound, [6 * cut for cut in cuts])]

    np.testing.assert_allclose(np.concatenate(parts), whole, atol=2e-6)
