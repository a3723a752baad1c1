"""What is true of every sound of the catalogue."""

from itertools import groupby

import numpy as np
import pytest

from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.sounds import SOUNDS
from tests.support.meter import loudness, share, true_peak_db

NAMES = """
Alarm: High pitch, Low pitch, Bird, Boat horn, Car alarm, Car alarm fast, Classic clock,
First attender, Horror, Industrial, Single beep, Soft quad beep, Soft triple beep, Triple high pitch
Notification: Accepted, Calling, Denied, Done, Entry, Failed, Hurry, Message, Next, Open
Siren: Alternate, Bouncy, Evac, Falling pitch, Home soft
"""

every_sound = pytest.mark.parametrize("sound", SOUNDS.values(), ids=SOUNDS)


def test_the_names_and_their_order_are_those_of_the_manual() -> None:
    """Checklist PAT-02, PAT-03, PAT-04."""
    words = NAMES.replace(",\n", ", ").split("\n")
    expected = [
        f"{family}: {name}"
        for family, names in (line.split(": ") for line in words if line)
        for name in names.split(", ")
    ]

    assert list(SOUNDS) == expected
    assert len(SOUNDS) == 29
    assert all(SOUNDS[name].name == name and SOUNDS[name].words for name in SOUNDS)


@every_sound
def test_a_period_has_the_length_it_says_and_is_short_enough_to_keep(sound: Sound) -> None:
    samples = sound.render()

    assert samples.dtype == np.float32
    assert samples.shape == (sound.period_samples,)
    assert 0.5 <= sound.seconds <= 8.0
    assert np.isfinite(samples).all()


@every_sound
def test_the_true_peak_is_one_decibel_below_full_scale(sound: Sound) -> None:
    assert true_peak_db(sound.render()) == pytest.approx(-1.0, abs=0.02)


@every_sound
def test_there_is_no_direct_current(sound: Sound) -> None:
    assert abs(float(np.mean(sound.render(), dtype=np.float64))) < 1e-4


@every_sound
def test_the_seam_is_as_smooth_as_the_rest(sound: Sound) -> None:
    """A click would be a step, or a kink, larger than any that the sound has itself."""
    samples = sound.render().astype(np.float64)
    around = np.concatenate((samples[-2:], samples[:2]))

    assert np.abs(np.diff(around)).max() <= np.abs(np.diff(samples)).max()
    assert np.abs(np.diff(around, 2)).max() <= np.abs(np.diff(samples, 2)).max()


@every_sound
def test_nothing_lies_above_the_band_or_has_folded_back(sound: Sound) -> None:
    assert share(sound.render(), 16_000, 24_000) < 1e-8


@every_sound
def test_a_horn_speaker_can_sound_it(sound: Sound) -> None:
    """What lies below 300 Hz or above 6 kHz is lost on a horn."""
    assert share(sound.render(), 300, 6000) > 0.95


@every_sound
def test_it_is_heard_at_once(sound: Sound) -> None:
    """A siren that starts with a long swell would be late, however quickly it was started."""
    assert np.abs(sound.render()[:4800]).max() > 0.2


@every_sound
def test_the_same_score_gives_the_same_samples(sound: Sound) -> None:
    fresh = Sound(sound.name, sound.words, sound.seconds, sound.peak, sound.compose)

    assert np.array_equal(fresh.render(), sound.render())


def test_members_of_a_family_are_about_equally_loud() -> None:
    by_family = groupby(SOUNDS.values(), key=lambda sound: sound.name.split(":")[0])
    spread_db: dict[str, float] = {}
    for family, members in by_family:
        loud = [loudness(sound.render()) for sound in members]
        spread_db[family] = max(loud) - min(loud)

    assert spread_db["Alarm"] < 10
    assert spread_db["Notification"] < 6
    assert spread_db["Siren"] < 5


@pytest.mark.parametrize("name", [name for name in SOUNDS if name.startswith("Notification")])
def test_a_notification_is_short_and_leaves_a_rest(name: str) -> None:
    samples = SOUNDS[name].render()
    loud = np.flatnonzero(np.abs(samples) > 0.05 * np.abs(samples).max())

    assert samples.size - loud[-1] > 0.3 * samples.size
    assert loud[-1] < 2.5 * 48_000
