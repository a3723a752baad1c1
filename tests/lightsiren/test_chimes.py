"""The clips of every device: EVT-11, EVT-12 have something to play before anybody adds a clip."""

import numpy as np
import pytest

from sipstrobe.audio.loudness import LoudnessMeter
from sipstrobe.lightsiren.chimes import (
    FACTORY_CLIPS,
    FIRST_NUMBER,
    LAST_NUMBER,
    PRE_ANNOUNCEMENT,
    RINGER,
    FactoryClip,
)
from tests.support.meter import bursts, share, strongest, true_peak_db

every_clip = pytest.mark.parametrize("clip", FACTORY_CLIPS.values(), ids=FACTORY_CLIPS)


def test_they_have_numbers_that_people_do_not_use() -> None:
    numbers = [clip.number for clip in FACTORY_CLIPS.values()]

    assert len(set(numbers)) == len(numbers)
    assert all(FIRST_NUMBER <= number <= LAST_NUMBER for number in numbers)
    assert {PRE_ANNOUNCEMENT, RINGER} <= FACTORY_CLIPS.keys()


@every_clip
def test_it_is_as_loud_as_it_says(clip: FactoryClip) -> None:
    samples = clip.sound.render()
    meter = LoudnessMeter()
    meter.feed(samples)

    assert meter.loudness == pytest.approx(clip.loudness, abs=0.1)
    assert true_peak_db(samples) == pytest.approx(-1.0, abs=0.02)


@every_clip
def test_it_begins_and_ends_in_silence(clip: FactoryClip) -> None:
    """Played once it must not click; repeated, there is a pause."""
    samples = clip.sound.render()

    assert np.abs(samples[:5]).max() < 0.02
    assert np.abs(samples[-240:]).max() < 1e-3


@every_clip
def test_a_horn_speaker_can_sound_it(clip: FactoryClip) -> None:
    """What lies below 300 Hz or above 6 kHz is lost on a horn; the test tones show just that."""
    assert share(clip.sound.render(), 300, 6000) > (0.5 if clip.number == 35 else 0.95)


def test_the_announcement_goes_up_and_the_door_goes_down() -> None:
    rising = FACTORY_CLIPS[PRE_ANNOUNCEMENT].sound.render()
    door = FACTORY_CLIPS["Ding-dong"].sound.render()

    assert strongest(rising, 0.1) < strongest(rising, 1.35)
    assert strongest(door, 0.1) > strongest(door, 0.75)


def test_the_ringer_rings_two_seconds_of_six() -> None:
    assert [
        (round(a, 1), round(b, 1)) for a, b in bursts(FACTORY_CLIPS[RINGER].sound.render(), 0.1)
    ] == [(0.0, pytest.approx(2.3, abs=0.15))]
