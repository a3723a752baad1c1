"""Each siren does what its name, or its standard, says."""

import numpy as np
import pytest

from sipstrobe.lightsiren.sounds import SOUNDS
from tests.support.meter import bursts, lowest, strongest, track


def test_alternate_changes_between_two_tones_four_times_a_second() -> None:
    siren = SOUNDS["Siren: Alternate"].render()

    tones = [strongest(siren, at, 0.1) for at in (0.125, 0.375, 0.625, 0.875)]

    assert tones == pytest.approx([800, 970, 800, 970], abs=3)


def test_bouncy_comes_back_lower_and_sooner_each_time() -> None:
    hertz = track(SOUNDS["Siren: Bouncy"].render(), step=0.01)

    tops = [
        (n * 0.01, pitch)
        for n, pitch in enumerate(hertz)
        if 4 < n < len(hertz) - 4 and max(hertz[n - 4 : n]) < pitch == max(hertz[n : n + 5])
    ]
    heights = [pitch for _, pitch in tops]
    pauses = np.diff([at for at, _ in tops])
    assert len(tops) >= 5
    assert heights == sorted(heights, reverse=True)
    assert list(pauses) == sorted(pauses, reverse=True)
    assert max(hertz) / min(hertz) > 2.5


def test_evac_rises_from_500_to_1200_hz_and_rests_for_half_a_second() -> None:
    """NEN 2575: slow whoop, 3.5 s up, 0.5 s silence."""
    sound = SOUNDS["Siren: Evac"]
    siren = sound.render()

    assert sound.seconds == 4.0
    assert bursts(siren) == [(pytest.approx(0, abs=0.01), pytest.approx(3.5, abs=0.01))]
    hertz = track(siren[: round(3.45 * 48_000)], step=0.1)
    assert hertz == sorted(hertz)
    assert hertz[0] == pytest.approx(500, rel=0.03)
    assert hertz[-1] == pytest.approx(1200, rel=0.05)


def test_falling_pitch_falls_from_1200_to_500_hz_each_second_without_a_rest() -> None:
    """DIN 33404-3."""
    sound = SOUNDS["Siren: Falling pitch"]
    siren = sound.render()

    assert sound.seconds == 1.0
    hertz = track(siren, step=0.05)
    assert hertz == sorted(hertz, reverse=True)
    assert hertz[0] == pytest.approx(1200, rel=0.04)
    assert hertz[-1] == pytest.approx(500, rel=0.05)
    assert len(bursts(np.tile(siren, 2))) == 1


def test_home_soft_is_two_soft_tones_the_second_lower() -> None:
    siren = SOUNDS["Siren: Home soft"].render()

    assert lowest(siren, 0.4, 0.1) == pytest.approx(740, abs=4)
    assert lowest(siren, 1.2, 0.1) == pytest.approx(587, abs=4)
    assert np.abs(siren[:480]).max() < 0.1  # no hard edge
    assert bursts(siren)[-1][1] < 1.7
