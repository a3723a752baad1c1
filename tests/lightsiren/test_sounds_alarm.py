"""Each alarm is what its name says, as far as a meter can tell."""

from itertools import pairwise

import numpy as np
import pytest

from sipstrobe.lightsiren.sounds import SOUNDS
from tests.support.meter import bursts, lowest, share, strongest, track


def alarm(name: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return SOUNDS[f"Alarm: {name}"].render()


def lengths(name: str) -> list[float]:
    return [round(end - begin, 2) for begin, end in bursts(alarm(name))]


def sweeps(name: str) -> int:
    """How often the pitch jumps by more than a fifth of its value."""
    hertz = np.array(track(alarm(name), step=0.005, window=0.015))
    return int(np.count_nonzero(np.abs(np.diff(np.log2(hertz))) > 0.26))


def test_high_pitch_is_high_and_low_pitch_is_low() -> None:
    """3.1 kHz as a smoke alarm; 520 Hz with odd harmonics as NFPA 72 has it for bedrooms."""
    assert strongest(alarm("High pitch"), 0.25, 0.2) == pytest.approx(3100, abs=2)
    low = alarm("Low pitch")
    assert strongest(low, 0.25, 0.2) == pytest.approx(520, abs=2)
    assert share(low, 1500, 1620) > 0.05
    assert share(low, 1000, 1080) < 1e-3
    assert lengths("High pitch") == lengths("Low pitch") == [0.5]


@pytest.mark.parametrize(
    ("name", "beeps"),
    [("Single beep", 1), ("Soft triple beep", 3), ("Soft quad beep", 4), ("Triple high pitch", 3)],
)
def test_as_many_beeps_are_heard_as_the_name_says(name: str, beeps: int) -> None:
    heard = bursts(alarm(name))

    assert len(heard) == beeps
    rest = SOUNDS[f"Alarm: {name}"].seconds - heard[-1][1]
    pauses = [later[0] - earlier[1] for earlier, later in pairwise(heard)]
    assert all(rest > 4 * pause for pause in pauses)  # so that they are heard as a group


def test_soft_beeps_come_softly_and_hard_ones_at_once() -> None:
    def rise(name: str) -> float:
        level = np.maximum.accumulate(np.abs(alarm(name)[:9600]))
        return float(np.argmax(level > 0.9 * level[-1])) / 48_000

    assert rise("Single beep") < 0.006
    assert rise("Triple high pitch") < 0.006
    assert rise("Soft triple beep") > 0.012
    assert rise("Soft quad beep") > 0.012


def test_triple_high_pitch_is_as_high_as_high_pitch() -> None:
    assert strongest(alarm("Triple high pitch"), 0.06) == pytest.approx(3100, abs=5)


def test_bird_sings_high_in_quick_notes_that_glide() -> None:
    song = alarm("Bird")

    hertz = [pitch for pitch in track(song, step=0.005, window=0.01) if pitch]
    assert share(song, 2000, 8000) > 0.98
    assert max(hertz) / min(hertz) > 1.7
    assert len(bursts(song, pause=0.006)) >= 12
    assert max(end - begin for begin, end in bursts(song, pause=0.006)) < 0.25


def test_boat_horn_is_one_long_low_blast_of_beating_reeds() -> None:
    blast = alarm("Boat horn")

    ((begin, end),) = bursts(blast)
    assert end - begin == pytest.approx(2.95, abs=0.1)
    assert lowest(blast, 1.5, 1.0, within_db=30) == pytest.approx(155.6, abs=2)
    assert share(blast, 100, 1500) > 0.85
    assert np.abs(blast[:960]).max() < 0.1  # air needs time
    assert lowest(blast, 0.1, 0.12, within_db=30) < 153  # and the reeds scoop up


def test_car_alarm_goes_through_four_sirens() -> None:
    hertz = track(alarm("Car alarm"), step=0.02)
    yelp, two_tone, wail, phaser = np.array_split(np.array(hertz), 4)

    assert max(yelp) / min(yelp) > 2
    assert np.count_nonzero((abs(two_tone - 1000) < 15) | (abs(two_tone - 700) < 15)) > 60
    top = int(np.argmax(wail))
    assert 0.4 < top / len(wail) < 0.6
    assert max(phaser) > 1700
    assert np.mean(np.diff(phaser) < 0) > 0.7  # falls, and jumps back


def test_car_alarm_fast_does_the_same_in_half_the_time() -> None:
    slow, fast = SOUNDS["Alarm: Car alarm"], SOUNDS["Alarm: Car alarm fast"]

    assert fast.seconds == slow.seconds / 2
    assert sweeps("Car alarm fast") == pytest.approx(sweeps("Car alarm"), abs=3)
    assert sweeps("Car alarm") > 15


def test_classic_clock_hammers_24_times_a_second_on_two_bells() -> None:
    ringing = alarm("Classic clock")

    envelope = np.abs(ringing).reshape(-1, 48).max(axis=1)
    beat = np.abs(np.fft.rfft(envelope - envelope.mean())) / envelope.size * 2
    rates = np.fft.rfftfreq(envelope.size, 0.001)
    assert float(rates[np.argmax(beat * (rates > 20) * (rates < 40))]) == pytest.approx(24, abs=0.6)
    partials = np.abs(np.fft.rfft(ringing))
    for bell in (1610, 1733):
        near = partials[2 * bell - 16 : 2 * bell + 17].max()  # two bins per hertz
        assert near > 0.2 * partials.max()
    assert len(bursts(np.tile(ringing, 2))) == 1


def test_first_attender_alternates_between_two_tones_a_fourth_apart() -> None:
    """DIN 14610: 1 to 1.333."""
    horn = alarm("First attender")

    low, high = (lowest(horn, at, 0.3) for at in (0.4, 1.15))

    assert low == pytest.approx(436, abs=4)
    assert high / low == pytest.approx(4 / 3, rel=0.01)


def test_horror_shrieks_four_times_and_then_slides_through_a_tritone() -> None:
    fear = alarm("Horror")

    heard = bursts(fear)
    shrieks, rest = heard[:4], heard[4:]
    assert [begin for begin, _ in shrieks] == pytest.approx([0, 0.45, 0.9, 1.35], abs=0.02)
    assert sum(end - begin for begin, end in rest) > 4
    voice = [strongest(fear, at, 0.2) for at in (2.5, 4.2, 6.2)]
    assert voice[1] / voice[0] == pytest.approx(2**0.5, rel=0.06)
    assert voice[2] / voice[1] == pytest.approx(2, rel=0.08)


def test_industrial_is_a_harsh_buzz_of_the_mains() -> None:
    buzz = alarm("Industrial")

    assert lengths("Industrial") == pytest.approx([0.9], abs=0.02)
    levels = np.abs(np.fft.rfft(buzz[9600:33_600]))  # bins of 2 Hz
    on = levels[::60].sum()  # multiples of 120 Hz
    off = levels[30::60].sum()
    assert on > 100 * off
    assert share(buzz, 2000, 6000) > 0.2
