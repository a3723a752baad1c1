"""Levels and durations."""

import numpy as np
import pytest

from sipstrobe.audio.format import (
    SAMPLE_RATE,
    SILENCE_DB,
    db_from_gain,
    gain_from_db,
    peak_db,
    rms_db,
    samples_in,
)


def test_a_full_scale_sine_has_a_peak_of_0_and_an_rms_of_minus_3_dbfs() -> None:
    sine = np.sin(np.arange(SAMPLE_RATE) * (2 * np.pi * 1000 / SAMPLE_RATE)).astype(np.float32)

    assert peak_db(sine) == pytest.approx(0.0, abs=0.01)
    assert rms_db(sine) == pytest.approx(-3.01, abs=0.01)


def test_silence_has_a_level_and_so_has_an_empty_block() -> None:
    for block in (np.zeros(480, np.float32), np.zeros(0, np.float32)):
        assert peak_db(block) == rms_db(block) == SILENCE_DB


def test_the_peak_of_a_negative_swing_counts() -> None:
    assert peak_db(np.array([0.1, -0.5], np.float32)) == pytest.approx(-6.02, abs=0.01)


def test_gains_and_levels_are_inverse_down_to_silence() -> None:
    for level_db in (-60.0, -6.0, 0.0, 12.0):
        assert db_from_gain(gain_from_db(level_db)) == pytest.approx(level_db)
    assert db_from_gain(0.0) == db_from_gain(1e-9) == SILENCE_DB


def test_durations_are_whole_samples() -> None:
    assert samples_in(0.005) == 240
