"""A little slower or faster, at the same pitch and without a click."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sipstrobe.codecs.stretch import MOST, Warp, lengthen, shorten

WIDE = 48000
NARROW = 8000


def tone(frequency: float, samples: int, rate: int) -> NDArray[np.float32]:
    return np.sin(2 * np.pi * frequency * np.arange(samples) / rate).astype(np.float32)


def warped(sound: NDArray[np.float32], speeds: list[float], block: int) -> NDArray[np.float32]:
    warp = Warp()
    pieces = [
        warp.process(sound[n * block : (n + 1) * block], speed).copy()
        for n, speed in enumerate(speeds)
    ]
    return np.concatenate(pieces)


@pytest.mark.parametrize("speed", [200e-6, -200e-6, 1e-3, -1e-3, MOST, -MOST])
@pytest.mark.parametrize("frequency", [1000, 3400])
def test_a_tone_comes_out_as_the_same_tone_at_another_speed(speed: float, frequency: float) -> None:
    """Interpolation errors lie 55 dB down at the end of the telephone band."""
    sound = tone(frequency, 960 * 50, WIDE)

    heard = warped(sound, [speed] * 50, 960)

    assert heard.size == pytest.approx(sound.size / (1 + speed), abs=2)
    ideal = np.sin(2 * np.pi * frequency * (np.arange(heard.size) * (1 + speed) - 2) / WIDE)
    error = heard[10:] - ideal[10:]
    assert 10 * np.log10((error**2).mean() / 0.5) < -55


def test_at_speed_0_nothing_changes_but_a_delay_of_two_samples() -> None:
    sound = tone(1000, 960 * 4, WIDE)

    heard = warped(sound, [0.0] * 4, 960)

    assert np.array_equal(heard[2:], sound[:-2])


def test_back_at_speed_0_it_comes_to_rest_on_a_whole_sample() -> None:
    sound = tone(1000, 960 * 10, WIDE)

    heard = warped(sound, [4e-4] * 3 + [0.0] * 7, 960)

    rest = heard[-960:]
    assert any(np.array_equal(rest[:900], sound[s : s + 900]) for s in range(8600, 8700))
    assert np.abs(np.diff(heard)).max() < 0.14


@given(st.lists(st.tuples(st.integers(1, 400), st.floats(-MOST, MOST)), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_blocks_at_any_speeds_keep_the_sound_whole(blocks: list[tuple[int, float]]) -> None:
    """A ramp stays a ramp: no sample is lost, repeated or taken out of order."""
    warp = Warp()
    position, out = 3, 0
    for size, speed in blocks:
        ramp = np.arange(position, position + size, dtype=np.float32)
        made = warp.process(ramp, speed)
        steps = np.diff(made[made > 3.5])
        assert ((steps > 0.9) & (steps < 1.1)).all()
        position += size
        out += made.size
    assert abs(out - (position - 3)) <= MOST * (position - 3) + 2


@pytest.mark.parametrize("frequency", [200, 437, 1000, 1004])
@pytest.mark.parametrize("change", [shorten, lengthen])
def test_a_pitch_period_goes_or_comes_without_a_click(
    frequency: float, change: Callable[[NDArray[np.float32], int], NDArray[np.float32] | None]
) -> None:
    sound = tone(frequency, 480, NARROW)
    before, block, after = sound[:160], sound[160:320], sound[320:]

    changed = change(block, NARROW)

    assert changed is not None
    assert 20 <= abs(changed.size - block.size) <= 80
    heard = np.concatenate([before, changed, after])
    steepest = float(np.abs(np.diff(sound)).max())
    assert np.abs(np.diff(heard)).max() < 1.1 * steepest + 0.02


def test_noise_is_left_alone_unless_it_must_not_be() -> None:
    noise = np.random.default_rng(3).normal(0, 0.2, 160).astype(np.float32)

    assert shorten(noise, NARROW) is None
    assert lengthen(noise, NARROW) is None
    assert shorten(noise, NARROW, -1.0) is not None


def test_silence_may_be_cut_anywhere_and_short_blocks_nowhere() -> None:
    silence = np.zeros(160, np.float32)

    assert shorten(silence, NARROW).size == 80  # pyright: ignore[reportOptionalMemberAccess]
    assert lengthen(silence, NARROW).size == 240  # pyright: ignore[reportOptionalMemberAccess]
    assert shorten(silence[:40], NARROW) is None
