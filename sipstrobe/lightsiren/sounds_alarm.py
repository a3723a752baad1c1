"""The alarms: horns, bells, beeps, and things that nobody can overhear."""

from collections.abc import Iterable

import numpy as np

from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.synthesis import (
    HELD,
    Envelope,
    Hammer,
    Noise,
    Note,
    Partial,
    Pitch,
    Tone,
    Voice,
    formant,
    harmonics,
    line,
    semitones,
    square,
    steady,
)

PIEZO = harmonics(1.0, 0.12)  # a sounder with one strong resonance
SOFT = harmonics(1.0, 0.22, 0.08, 0.03)
SOFTLY = Envelope(attack=0.025, release=0.06)


def _repeat(times: Iterable[float], length: float, voice: Voice, envelope: Envelope) -> list[Note]:
    return [Note(at, length, voice, envelope) for at in times]


# --- steady and beeping ------------------------------------------------------------------------


def _high_pitch() -> list[Note]:
    return [Note(0.0, 0.5, Tone(steady(3100.0), PIEZO))]


def _low_pitch() -> list[Note]:
    return [Note(0.0, 0.5, Tone(steady(520.0), square(11)))]


def _single_beep() -> list[Note]:
    return [Note(0.0, 0.2, Tone(steady(1000.0), square(5)))]


def _soft_quad_beep() -> list[Note]:
    return _repeat((0.0, 0.2, 0.4, 0.6), 0.13, Tone(steady(880.0), SOFT), SOFTLY)


def _soft_triple_beep() -> list[Note]:
    return _repeat((0.0, 0.28, 0.56), 0.18, Tone(steady(660.0), SOFT), SOFTLY)


def _triple_high_pitch() -> list[Note]:
    return _repeat((0.0, 0.2, 0.4), 0.12, Tone(steady(3100.0), PIEZO), Envelope())


# --- horns -------------------------------------------------------------------------------------


def _boat_horn() -> list[Note]:
    """Three reeds that come up together, two of them beating, with the air that drives them."""
    seconds = 3.0
    blast = Envelope(attack=0.22, release=0.4)
    notes = [Note(0.0, seconds, Noise(400.0, 2500.0), blast, 0.10)]
    for hertz, gain in ((155.6, 1.0), (156.4, 0.3), (185.2, 0.5)):
        pitch = line(
            (0.0, hertz * semitones(-1.2)),
            (0.35, hertz),
            (2.6, hertz),
            (3.0, hertz * semitones(-0.5)),
        )
        reed = formant(
            hertz, (420.0, 0.75, 1.0), (1000.0, 0.6, 0.55), (2300.0, 0.6, 0.16), top=4500
        )
        notes.append(Note(0.0, seconds, Tone(pitch, reed), blast, gain))
    return notes


def _first_attender() -> list[Note]:
    """The two-tone horn of DIN 14610: a fourth, each tone blown by a pair of reeds."""
    blown = Envelope(attack=0.02, release=0.03)
    notes: list[Note] = []
    for at, hertz in ((0.0, 435.0), (0.75, 580.0)):
        for detuned in (0.0, 2.3):
            reed = formant(hertz, (900.0, 0.8, 1.0), (2300.0, 0.6, 0.5))
            pitch = line((0.0, hertz * 0.97), (0.06, hertz + detuned))
            notes.append(Note(at, 0.75, Tone(pitch, reed), blown))
    return notes


def _industrial() -> list[Note]:
    """A mains buzzer: a membrane thrown to and fro in an iron housing."""
    iron = formant(120.0, (560.0, 0.6, 1.0), (1500.0, 0.3, 0.8), (2900.0, 0.3, 0.7))
    return [Note(0.0, 0.9, Tone(steady(120.0), iron), Envelope(attack=0.015, release=0.03))]


# --- cars --------------------------------------------------------------------------------------

Sweep = tuple[float, float, float]  # seconds, from Hz, to Hz


def _car_alarm(pace: float) -> list[Note]:
    """Four sirens in turn, as a thief hears them: yelp, two-tone, wail, phaser."""
    sweeps: list[Sweep] = [
        *[(0.3, 650.0, 1500.0)] * 5,
        *[(0.25, 1000.0, 1000.0), (0.25, 700.0, 700.0)] * 3,
        (0.75, 600.0, 1500.0),
        (0.75, 1500.0, 600.0),
        *[(0.125, 1900.0, 700.0)] * 12,
    ]
    seconds = 6.0 / pace
    pitch = _joined([(length / pace, low, high) for length, low, high in sweeps])
    return [Note(0.0, seconds, Tone(pitch.closed(seconds), square(7)), HELD)]


def _joined(sweeps: Iterable[Sweep], edge: float = 0.002) -> Pitch:
    points: list[tuple[float, float]] = []
    at = 0.0
    for seconds, low, high in sweeps:
        points += ((at, low), (at + seconds - edge, high))
        at += seconds
    return line(*points, (at, points[0][1]))


# --- animals, clocks, fear ---------------------------------------------------------------------


def _bird() -> list[Note]:
    """A call of two whistles, three tweets, and a trill that falls."""
    whistle = harmonics(1.0, 0.12)
    notes: list[Note] = []

    def sing(at: float, length: float, *points: tuple[float, float]) -> None:
        pitch = line(*((x * length, hertz) for x, hertz in points))
        envelope = Envelope(attack=min(0.02, length / 4), release=length / 2)
        notes.append(Note(at, length, Tone(pitch, whistle), envelope))

    for at in (0.0, 0.3):
        sing(at, 0.2, (0, 2700), (0.4, 3900), (1, 3500))
    for at in (0.65, 0.83, 1.01):
        sing(at, 0.12, (0, 3000), (0.25, 5200), (1, 2600))
    for tweet in range(11):
        top = 4800 * semitones(-0.5 * tweet)
        sing(1.3 + 0.065 * tweet, 0.055, (0, top * 0.75), (0.3, top), (1, top * 0.62))
    return notes


def _classic_clock() -> list[Note]:
    """Two bells and a hammer between them, 24 strokes a second, none quite like the last."""
    strokes = 48
    strength = 0.9 + 0.1 * np.sin(2.4 * np.arange(strokes))
    bell = (
        Partial(1.0, 1.0, 0.11),
        Partial(1.52, 0.7, 0.09),
        Partial(2.18, 0.6, 0.06),
        Partial(2.91, 0.45, 0.035),
        Partial(4.1, 0.5, 0.012),
    )
    left = strength * (np.arange(strokes) % 2 == 0)
    right = strength * (np.arange(strokes) % 2 == 1)
    return [
        Note(0.0, 2.0, Hammer(1610.0, bell, 2000, left.tolist()), HELD),
        Note(0.0, 2.0, Hammer(1733.0, bell, 2000, right.tolist()), HELD),
    ]


def _horror() -> list[Note]:
    """Four shrieks; then a cluster swells, and a voice slides through it by tritones."""
    notes: list[Note] = []
    bow = harmonics(1.0, 0.5j, 0.4, 0.2)
    for shriek in range(4):
        at, up = 0.45 * shriek, semitones(shriek)
        for hertz, gain in ((1174.7, 0.55), (1244.5, 0.4), (1318.5, 0.3)):
            pitch = line((0.0, hertz * up * 0.8), (0.09, hertz * up), (0.36, hertz * up))
            notes.append(Note(at, 0.36, Tone(pitch, bow), Envelope(0.015, 0.2), gain))
    strings = harmonics(1.0, 0.5, 0.35, 0.2, 0.1)
    swell = Envelope(attack=1.0, release=1.2, tremolo=(6.5, 0.3))
    cluster = (Tone(steady(hertz), strings) for hertz in (311.1, 329.6, 466.2))
    notes.extend(Note(1.7, 5.3, string, swell, 0.22) for string in cluster)
    slide = line((0, 440), (0.8, 440), (2.0, 622.3), (2.6, 622.3), (4.1, 1244.5), (5.0, 1174.7))
    voice = Tone(slide.vibrato(5.6, 45.0), harmonics(1.0, 0.4, 0.15))
    notes.append(Note(1.8, 5.0, voice, Envelope(attack=0.5, release=0.6), 0.85))
    return notes


ALARMS = (
    Sound(
        "Alarm: High pitch",
        "A piercing 3.1 kHz, half a second on and off, as a smoke alarm.",
        1.0,
        1.028,
        _high_pitch,
    ),
    Sound(
        "Alarm: Low pitch",
        "A hollow 520 Hz square wave, half a second on and off, which wakes sleepers (NFPA 72).",
        1.0,
        0.804,
        _low_pitch,
    ),
    Sound("Alarm: Bird", "Whistles, tweets and a falling trill.", 3.0, 1.028, _bird),
    Sound("Alarm: Boat horn", "One long blast of low reeds.", 4.5, 6.418, _boat_horn),
    Sound(
        "Alarm: Car alarm",
        "Four sirens in turn: yelp, two-tone, wail, phaser.",
        6.0,
        0.803,
        lambda: _car_alarm(1.0),
    ),
    Sound(
        "Alarm: Car alarm fast",
        "The same four sirens at twice the pace.",
        3.0,
        0.803,
        lambda: _car_alarm(2.0),
    ),
    Sound(
        "Alarm: Classic clock",
        "A hammer between the two bells of an alarm clock.",
        2.0,
        3.060,
        _classic_clock,
    ),
    Sound(
        "Alarm: First attender",
        "The two-tone horn of an emergency vehicle.",
        1.5,
        5.713,
        _first_attender,
    ),
    Sound(
        "Alarm: Horror",
        "Shrieks; then a swelling dissonance and a sliding voice.",
        7.5,
        1.940,
        _horror,
    ),
    Sound("Alarm: Industrial", "The harsh buzzer of a factory hall.", 1.4, 5.178, _industrial),
    Sound("Alarm: Single beep", "One beep each second.", 1.0, 0.802, _single_beep),
    Sound("Alarm: Soft quad beep", "Four soft beeps and a rest.", 1.6, 1.031, _soft_quad_beep),
    Sound("Alarm: Soft triple beep", "Three soft beeps and a rest.", 1.6, 1.031, _soft_triple_beep),
    Sound(
        "Alarm: Triple high pitch",
        "Three piercing beeps and a rest.",
        1.2,
        1.028,
        _triple_high_pitch,
    ),
)
