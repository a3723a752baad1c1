"""Each notification says what its name says, in its motif."""

import numpy as np
import pytest

from sipstrobe.lightsiren.sounds import SOUNDS
from tests.support.meter import bursts, lowest, share, strongest


def notification(name: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return SOUNDS[f"Notification: {name}"].render()


def test_accepted_goes_up_and_failed_goes_down() -> None:
    yes, no = notification("Accepted"), notification("Failed")

    assert strongest(yes, 0.08) == pytest.approx(784, abs=8)
    assert strongest(yes, 0.5) == pytest.approx(1046.5, abs=8)
    steps = [lowest(no, at) for at in (0.1, 0.34, 0.6, 1.15)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] / steps[-1] > 1.4


def test_calling_rings_twice_as_a_telephone_does() -> None:
    """ITU-T E.180, United Kingdom: 400 + 450 Hz, 0.4 s on, 0.2 s off, 0.4 s on, 2 s off."""
    sound = SOUNDS["Notification: Calling"]
    ring = sound.render()

    heard = bursts(ring)
    assert np.array(heard) == pytest.approx(np.array([(0, 0.4), (0.6, 1.0)]), abs=0.01)
    assert sound.seconds == 3.0
    assert lowest(ring, 0.2, 0.3) == pytest.approx(400, abs=3)
    assert share(ring, 390, 410) == pytest.approx(share(ring, 440, 460), rel=0.1)


def test_denied_says_no_twice_on_one_low_note() -> None:
    buzz = notification("Denied")

    assert len(bursts(buzz)) == 2
    first, second = (lowest(buzz, at, 0.12, within_db=35) for at in (0.08, 0.4))
    assert first == pytest.approx(second, abs=5) == pytest.approx(155.6, abs=5)


def test_done_climbs_to_the_octave_and_stays() -> None:
    notes = [strongest(notification("Done"), at, 0.06) for at in (0.06, 0.18, 0.3, 1.0)]

    ratios = [note / notes[0] for note in notes]
    assert ratios == pytest.approx([1, 5 / 4, 3 / 2, 2], rel=0.02)


def test_entry_is_a_ding_and_a_lower_dong() -> None:
    chime = notification("Entry")

    ding, dong = strongest(chime, 0.3, 0.2), strongest(chime, 1.5, 0.2)
    assert ding / dong == pytest.approx(5 / 4, rel=0.015)


def test_hurry_beeps_closer_and_higher() -> None:
    beeps = notification("Hurry")

    heard = bursts(beeps, pause=0.01)
    gaps = np.diff([begin for begin, _ in heard])
    hertz = [strongest(beeps, (begin + end) / 2, 0.03) for begin, end in heard]
    assert len(heard) == 10
    assert (np.diff(gaps) < 0).all()
    assert hertz == sorted(hertz)


def test_message_drops_and_pings() -> None:
    message = notification("Message")

    assert strongest(message, 0.02, 0.03) < strongest(message, 0.07, 0.03)
    assert strongest(message, 0.5) == pytest.approx(1318.5, abs=5)


def test_next_is_one_stroke_on_a_bell() -> None:
    bell = notification("Next")

    assert len(bursts(bell)) == 1
    assert strongest(bell, 0.5, 0.4) == pytest.approx(2093, abs=10)
    assert float(np.argmax(np.abs(bell))) < 0.02 * 48_000


def test_open_glides_up_into_a_chord() -> None:
    opening = notification("Open")

    glide = [strongest(opening, at, 0.04) for at in (0.1, 0.2, 0.3, 0.4)]
    assert glide == sorted(glide)
    assert glide[-1] / glide[0] > 1.8
    assert all(
        share(opening[33_600:57_600], hertz * 0.98, hertz * 1.02) > 0.1
        for hertz in (1046.5, 1318.5, 1568.0)
    )
