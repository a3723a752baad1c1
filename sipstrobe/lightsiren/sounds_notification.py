"""The notifications: short motifs with a rest after them, so that repeating is bearable."""

from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.synthesis import (
    Bell,
    Envelope,
    Note,
    Partial,
    Tone,
    formant,
    harmonics,
    line,
    semitones,
    steady,
)

MARIMBA = (Partial(1.0, 1.0, 0.22), Partial(3.93, 0.3, 0.06), Partial(9.2, 0.1, 0.02))
GLASS = (
    Partial(1.0, 1.0, 0.45),
    Partial(2.0, 0.25, 0.3),
    Partial(3.01, 0.12, 0.2),
    Partial(5.4, 0.06, 0.06),
)
CHIME = (
    Partial(1.0, 1.0, 0.7),
    Partial(2.0, 0.35, 0.5),
    Partial(2.76, 0.18, 0.35),
    Partial(5.4, 0.08, 0.12),
)
COUNTER_BELL = (
    Partial(1.0, 1.0, 0.7),
    Partial(1.0035, 0.3, 0.6),
    Partial(2.14, 0.5, 0.35),
    Partial(2.71, 0.3, 0.2),
    Partial(3.9, 0.25, 0.06),
)
STRUCK = Envelope(attack=0.003, release=0.1)
C5, D5, E5, G5, A5, C6, D6, E6, G6 = (440 * semitones(n) for n in (3, 5, 7, 10, 12, 15, 17, 19, 22))


def _strike(
    at: float, length: float, hertz: float, body: tuple[Partial, ...], gain: float = 1.0
) -> Note:
    return Note(at, length, Bell(hertz, body), STRUCK, gain)


def _accepted() -> list[Note]:
    """Up a fourth, so: yes."""
    return [_strike(0.0, 0.8, G5, MARIMBA), _strike(0.14, 1.2, C6, MARIMBA)]


def _calling() -> list[Note]:
    """Ringback as in ITU-T E.180's list for the United Kingdom: 400 + 450 Hz, twice, rest."""
    tone = harmonics(1.0, 0.25, 0.12)
    ring = Envelope(attack=0.01, release=0.015)
    return [
        Note(at, 0.4, Tone(steady(hertz), tone), ring) for at in (0.0, 0.6) for hertz in (400, 450)
    ]


def _denied() -> list[Note]:
    """Uh-uh: the same low buzz twice."""
    buzz = Tone(steady(155.6), formant(155.6, (450.0, 0.7, 1.0), (1400.0, 0.5, 0.5), top=4000))
    return [Note(0.0, 0.16, buzz), Note(0.24, 0.34, buzz)]


def _done() -> list[Note]:
    """Up the triad, and home."""
    return [
        _strike(0.0, 0.22, C5, GLASS),
        _strike(0.12, 0.22, E5, GLASS),
        _strike(0.24, 0.22, G5, GLASS),
        _strike(0.36, 1.8, C6, GLASS, 1.1),
    ]


def _entry() -> list[Note]:
    """Ding-dong: the door of a shop."""
    return [_strike(0.0, 1.4, E5, CHIME), _strike(0.55, 2.2, C5, CHIME)]


def _failed() -> list[Note]:
    """Three steps down, the last one giving way."""
    reed = harmonics(1.0, 0.6, 0.5, 0.3, 0.25, 0.15, 0.1, 0.06)
    notes = [
        Note(at, 0.2, Tone(steady(hertz), reed), Envelope(0.015, 0.04))
        for at, hertz in ((0.0, 466.2), (0.24, 415.3))
    ]
    sinking = line((0.0, 370.0), (0.25, 370.0), (0.75, 311.1)).vibrato(6.0, 30.0)
    return [*notes, Note(0.48, 0.75, Tone(sinking, reed), Envelope(0.015, 0.25))]


def _hurry() -> list[Note]:
    """Beeps that come closer and climb: time is running out."""
    beep = Envelope(attack=0.004, release=0.015)
    notes: list[Note] = []
    at, gap = 0.0, 0.26
    for n in range(10):
        pitch = steady(1046.5 * semitones(0.5 * n))
        notes.append(Note(at, min(0.08, 0.7 * gap), Tone(pitch, harmonics(1.0, 0.2, 0.1)), beep))
        at, gap = at + gap, gap * 0.84
    return notes


def _message() -> list[Note]:
    """A drop and a ping."""
    drop = line((0.0, 700.0), (0.09, 1500.0))
    return [
        Note(0.0, 0.09, Tone(drop, harmonics(1.0, 0.1)), Envelope(0.01, 0.03), 0.8),
        _strike(0.13, 1.5, E6, GLASS),
    ]


def _next() -> list[Note]:
    """The bell on a counter: next, please."""
    return [_strike(0.0, 2.2, 2093.0, COUNTER_BELL)]


def _open() -> list[Note]:
    """A door swings: a glide upwards that opens into a bright chord."""
    swing = line((0.0, 392.0), (0.45, 1046.5))
    notes = [
        Note(0.0, 0.5, Tone(swing, harmonics(1.0, 0.4, 0.25, 0.12)), Envelope(0.06, 0.12), 0.7)
    ]
    chord = ((0.44, C6), (0.53, E6), (0.62, G6))
    return [*notes, *(_strike(at, 1.6, hertz, GLASS, 0.55) for at, hertz in chord)]


NOTIFICATIONS = (
    Sound("Notification: Accepted", "Two wooden notes, a fourth up.", 2.5, 1.670, _accepted),
    Sound("Notification: Calling", "Ringback: two rings and a rest.", 3.0, 2.166, _calling),
    Sound("Notification: Denied", "A low buzz, twice.", 2.5, 3.192, _denied),
    Sound("Notification: Done", "Four notes up to the octave.", 3.0, 1.986, _done),
    Sound("Notification: Entry", "Ding-dong, the door chime of a shop.", 4.0, 1.781, _entry),
    Sound("Notification: Failed", "Three notes down, the last giving way.", 3.0, 1.945, _failed),
    Sound("Notification: Hurry", "Ten beeps, closer and higher each time.", 2.5, 1.040, _hurry),
    Sound("Notification: Message", "A drop and a ping.", 3.0, 1.195, _message),
    Sound("Notification: Next", "The bell on a counter.", 3.5, 2.182, _next),
    Sound("Notification: Open", "A glide up into a bright chord.", 3.5, 1.415, _open),
)
