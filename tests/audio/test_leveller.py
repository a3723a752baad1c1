"""Callers become as loud as each other; what lies between their words does not."""

import pytest

from sipstrobe.audio.leveller import MAX_GAIN_DB, MIN_GAIN_DB, TARGET_DB, Leveller

STEP = 0.1


def speak(leveller: Leveller, level_db: float, seconds: float, noise_db: float = -70.0) -> None:
    """Words of 0.3 s, and 0.1 s of noise after each."""
    for step in range(round(seconds / STEP)):
        leveller.hear(noise_db if step % 4 == 3 else level_db, STEP)


def rest(leveller: Leveller, noise_db: float, seconds: float) -> None:
    for _ in range(round(seconds / STEP)):
        leveller.hear(noise_db, STEP)


@pytest.mark.parametrize("level_db", [-36.0, -30.0, -26.0, -20.0, -10.0])
def test_within_seconds_a_voice_is_as_loud_as_it_should_be(level_db: float) -> None:
    leveller = Leveller()

    speak(leveller, level_db, 8.0)

    assert level_db + leveller.gain_db == pytest.approx(TARGET_DB, abs=0.5)


def test_the_gain_has_limits() -> None:
    quiet, loud = Leveller(), Leveller()

    speak(quiet, -48.0, 30.0)
    speak(loud, -2.0, 30.0)

    assert (quiet.gain_db, loud.gain_db) == (MAX_GAIN_DB, MIN_GAIN_DB) == (18.0, -12.0)


def test_it_rises_by_4_db_a_second_and_falls_by_12() -> None:
    leveller = Leveller()
    rest(leveller, -70.0, STEP)

    leveller.hear(-35.0, STEP)
    assert leveller.gain_db == pytest.approx(0.4)
    speak(leveller, -35.0, 20.0)
    before = leveller.gain_db
    leveller.hear(0.0, STEP)

    assert before - leveller.gain_db == pytest.approx(1.2)


@pytest.mark.parametrize("noise_db", [-120.0, -60.0, -45.0])
def test_in_pauses_the_gain_stays_where_it_is_and_no_noise_swells(noise_db: float) -> None:
    leveller = Leveller()
    speak(leveller, -32.0, 10.0, noise_db)
    before = leveller.gain_db

    rest(leveller, noise_db, 60.0)

    assert leveller.gain_db == before


@pytest.mark.parametrize("noise_db", [-49.0, -40.0, -30.0])
def test_a_line_with_nothing_but_noise_is_left_alone(noise_db: float) -> None:
    leveller = Leveller()

    rest(leveller, noise_db, 60.0)

    assert leveller.gain_db == 0.0
