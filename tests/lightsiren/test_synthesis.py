"""The parts of sirens, each against what theory says of it."""

import numpy as np
import pytest

from sipstrobe.lightsiren.synthesis import (
    SAMPLE_RATE,
    Bell,
    Envelope,
    Hammer,
    Noise,
    Partial,
    Tone,
    curve,
    formant,
    harmonics,
    line,
    square,
    steady,
)
from tests.support.meter import share, strongest

SECOND = np.arange(SAMPLE_RATE) / SAMPLE_RATE


def test_a_steady_tone_is_the_sine_it_says() -> None:
    tone = Tone(steady(1000.0), harmonics(1.0))

    assert np.allclose(tone(SECOND), np.sin(2 * np.pi * 1000 * SECOND), atol=1e-5)


def test_harmonics_are_the_sum_of_their_sines_and_cosines() -> None:
    tone = Tone(steady(440.0), harmonics(1.0, 0.5j, -0.25))

    turn = 2 * np.pi * 440 * SECOND
    expected = np.sin(turn) + 0.5 * np.cos(2 * turn) - 0.25 * np.sin(3 * turn)
    assert np.allclose(tone(SECOND), expected, atol=1e-4)


def test_a_line_passes_its_points_at_equal_intervals() -> None:
    tone = Tone(line((0.0, 500.0), (1.0, 2000.0)), harmonics(1.0))(SECOND)

    assert strongest(tone, 0.25) == pytest.approx(500 * 4**0.25, rel=0.01)
    assert strongest(tone, 0.5) == pytest.approx(1000, rel=0.01)
    assert strongest(tone, 0.75) == pytest.approx(500 * 4**0.75, rel=0.01)


def test_a_pitch_stays_where_its_last_point_was() -> None:
    tone = Tone(line((0.0, 500.0), (0.2, 900.0)), harmonics(1.0))(SECOND)

    assert strongest(tone, 0.3) == pytest.approx(900, abs=2)
    assert strongest(tone, 0.9) == pytest.approx(900, abs=2)


def test_a_phase_does_not_depend_on_what_was_asked_before() -> None:
    pitch = curve(1.0, lambda t: 600 + 300 * np.sin(7 * t)).vibrato(5.0, 40.0)

    later = pitch.phase(SECOND[30_000:30_100])

    assert np.array_equal(later, pitch.phase(SECOND)[30_000:30_100])


def test_a_closed_pitch_ends_where_it_began_and_is_hardly_out_of_tune() -> None:
    pitch = line((0.0, 700.0), (0.7134, 1300.0)).closed(0.7134)

    phase = float(pitch.phase(np.array([0.7134]))[0])
    assert min(phase, 1 - phase) < 1e-5
    hertz = strongest(Tone(pitch, harmonics(1.0))(SECOND), 0.9)
    assert hertz == pytest.approx(1300, rel=1 / (0.7134 * 900))


def test_a_square_wave_has_odd_harmonics_only_and_no_overshoot() -> None:
    tone = Tone(steady(500.0), square(11))(SECOND)

    assert share(tone, 900, 1100) < 1e-9
    assert 10 * np.log10(share(tone, 1400, 1600) / share(tone, 400, 600)) == pytest.approx(
        20 * np.log10(np.sinc(3 / 12) / np.sinc(1 / 12) / 3), abs=0.1
    )
    plateau = np.abs(tone[24:72])  # half a period: between the edges it stays flat
    assert plateau.max() / np.median(plateau) < 1.05


def test_formants_lie_where_they_should_and_the_crest_is_low() -> None:
    tone = Tone(steady(120.0), formant(120.0, (700.0, 0.4, 1.0), (2500.0, 0.3, 0.5)))(SECOND)

    assert share(tone, 500, 1000) + share(tone, 1900, 3300) > 0.85
    assert share(tone, 6000, 24_000) < 1e-8
    crest_db = 20 * np.log10(np.abs(tone).max() / np.sqrt(np.mean(tone**2)))
    assert crest_db < 8  # all in phase it would be 13


def test_a_bell_rings_at_its_partials_and_dies_away() -> None:
    bell = Bell(1000.0, (Partial(1.0, 1.0, 0.2), Partial(2.7, 0.5, 0.05)))(SECOND)

    assert strongest(bell, 0.5) == pytest.approx(1000, abs=2)
    assert share(bell[:4800], 2600, 2800) > 0.03
    early, late = np.abs(bell[14_400:19_200]).max(), np.abs(bell[24_000:28_800]).max()
    assert late / early == pytest.approx(np.exp(-0.2 / 0.2), rel=0.05)


def test_partials_of_a_bell_beyond_hearing_are_left_out() -> None:
    bell = Bell(4000.0, (Partial(1.0, 1.0, 0.2), Partial(7.0, 1.0, 0.2)))(SECOND)

    assert share(bell, 15_000, 24_000) < 1e-4


def test_a_hammer_is_the_sum_of_bells_struck_in_a_circle() -> None:
    """Each stroke comes upon what is left of all before it, even of those beyond the seam."""
    body = (Partial(1.0, 1.0, 0.3), Partial(2.2, 0.4, 0.1))
    strokes, interval = (1.0, 0.0, 0.5, 0.8), 12_000
    hammered = Hammer(900.0, body, interval, strokes)(SECOND)

    muffled = [Partial(p.ratio, -p.gain, 1 / (1 / p.decay + 1 / Hammer.BLOW)) for p in body]
    bell = Bell(900.0, (*body, *muffled))
    expected = np.zeros(SAMPLE_RATE)
    for lap in range(5):
        for n, strength in enumerate(strokes):
            since = SECOND - n * interval / SAMPLE_RATE + lap
            expected += np.where(since >= 0, strength * bell(np.maximum(since, 0)), 0)
    assert np.allclose(hammered, expected, atol=2e-3)


def test_noise_keeps_to_its_band_and_is_the_same_every_time() -> None:
    noise = Noise(1000.0, 2000.0)

    samples = noise(SECOND)

    assert share(samples[: 1 << 15], 990, 2010) > 0.999
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.25, rel=0.02)
    assert np.array_equal(noise(SECOND[777:999]), samples[777:999])


def test_an_envelope_comes_stays_and_goes() -> None:
    level = Envelope(attack=0.1, release=0.2)(SECOND, 1.0)

    assert level[0] == 0
    assert level[2400] == pytest.approx(0.5, abs=1e-3)
    assert (level[4800:38_400] == 1).all()
    assert level[43_200] == pytest.approx(0.5, abs=1e-3)
    assert level[-1] < 1e-6
    assert np.abs(np.diff(level)).max() < 0.001


def test_a_tremolo_begins_loud_and_goes_down_by_its_depth() -> None:
    level = Envelope(attack=0.0, release=0.0, tremolo=(4.0, 0.6))(SECOND, 1.0)

    assert level[0] == 1
    assert level[6000] == pytest.approx(0.4, abs=1e-4)
    assert level[12_000] == pytest.approx(1.0, abs=1e-4)
