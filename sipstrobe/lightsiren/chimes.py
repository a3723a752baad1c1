"""The clips that every device has from the beginning: tones before an announcement, ringers, tests.

They are composed like the sirens, but begin and end by themselves. Rules and profiles call them by
name, programs by number; the numbers are those that such devices have had for long.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.synthesis import (
    Bell,
    Envelope,
    Note,
    Partial,
    Tone,
    harmonics,
    line,
    semitones,
    steady,
)

FIRST_NUMBER: Final = 25  # up to LAST_NUMBER: these clips; all other numbers are people's own
LAST_NUMBER: Final = 49
PRE_ANNOUNCEMENT: Final = "Pre-announcement tone"
RINGER: Final = "Ring tone 1"

_CHIME = (
    Partial(1.0, 1.0, 0.8),
    Partial(2.0, 0.35, 0.5),
    Partial(2.76, 0.18, 0.35),
    Partial(5.4, 0.08, 0.12),
)
_GONG = (
    Partial(1.0, 1.0, 1.1),
    Partial(2.0, 0.5, 0.8),
    Partial(3.0, 0.18, 0.5),
    Partial(4.2, 0.06, 0.2),
)
_RINGER_BELL = (
    Partial(1.0, 1.0, 0.25),
    Partial(2.32, 0.6, 0.18),
    Partial(4.25, 0.3, 0.1),
)
_STRUCK = Envelope(attack=0.003, release=0.15)
_C5, _E5, _G5, _C6 = (440 * semitones(n) for n in (3, 7, 10, 15))


def _ding_dong() -> list[Note]:
    return [
        Note(0.0, 1.4, Bell(_G5, _CHIME), _STRUCK),
        Note(0.6, 2.3, Bell(_E5, _CHIME), _STRUCK),
    ]


def _announcement() -> list[Note]:
    """The four notes of a hall in which somebody is going to speak."""
    notes = zip((0.0, 0.42, 0.84, 1.26), (_C5, _E5, _G5, _C6), strict=True)
    return [Note(at, 3.0 - at, Bell(hertz, _GONG), _STRUCK) for at, hertz in notes]


def _bells() -> list[Note]:
    """Two bells and a hammer, 20 strokes a second, for two seconds of six."""
    strokes = (Bell(1320.0, _RINGER_BELL), Bell(1568.0, _RINGER_BELL))
    blow = Envelope(attack=0.002, release=0.06)
    return [Note(n * 0.05, 0.4, strokes[n % 2], blow, 0.9 + 0.1 * (n % 2)) for n in range(40)]


def _warble() -> list[Note]:
    """Two notes in turn, as electronic telephones have it, in two bursts."""
    edge = Envelope(attack=0.004, release=0.006)
    timbre = harmonics(1.0, 0.35, 0.25, 0.1)
    return [
        Note(start + n * 0.05, 0.05, Tone(steady((1046.5, 1318.5)[n % 2]), timbre), edge)
        for start in (0.0, 0.9)
        for n in range(12)
    ]


def _beep() -> list[Note]:
    return [Note(0.0, 0.3, Tone(steady(1000.0), harmonics(1.0)), Envelope(0.01, 0.02))]


def _test_tones() -> list[Note]:
    """Octaves from low to high, then a glide back: what a speaker has lost is not heard here."""
    edge = Envelope(attack=0.02, release=0.03)
    octaves = [
        Note(0.6 * n, 0.5, Tone(steady(125.0 * 2**n), harmonics(1.0)), edge) for n in range(7)
    ]
    glide = line((0.0, 8000.0), (3.0, 100.0))
    return [*octaves, Note(4.4, 3.0, Tone(glide, harmonics(1.0)), Envelope(0.02, 0.05))]


class FactoryClip(NamedTuple):
    """A clip by its number, with its loudness in LUFS (a test measures it)."""

    number: int
    sound: Sound
    loudness: float


_ALL: Final = (
    FactoryClip(28, Sound("Ding-dong", "A door chime.", 3.0, 1.793, _ding_dong), -13.6),
    FactoryClip(30, Sound(RINGER, "The bells of an office telephone.", 6.0, 3.847, _bells), -8.8),
    FactoryClip(31, Sound("Ring tone 2", "Two notes in turn, twice.", 4.0, 1.240, _warble), -6.2),
    FactoryClip(
        33, Sound(PRE_ANNOUNCEMENT, "Four notes up: attention.", 3.2, 2.883, _announcement), -13.8
    ),
    FactoryClip(34, Sound("Beep", "A short tone.", 0.4, 1.000, _beep), -5.5),
    FactoryClip(
        35, Sound("Test tones", "Seven octaves and a glide.", 7.6, 1.000, _test_tones), -3.5
    ),
)
FACTORY_CLIPS: Final[Mapping[str, FactoryClip]] = MappingProxyType(
    {clip.sound.name: clip for clip in _ALL}
)
