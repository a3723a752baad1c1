"""The sirens: tones that do not rest, after the standards of evacuation and danger signals."""

from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.synthesis import (
    HELD,
    Envelope,
    Note,
    Pitch,
    Seconds,
    Tone,
    curve,
    harmonics,
    line,
    np,
    square,
)


def _alternate() -> list[Note]:
    high, low, edge = 970.0, 800.0, 0.002
    steps = [
        point
        for at in (0.0, 0.5)
        for point in (
            (at, low),
            (at + 0.25 - edge, low),
            (at + 0.25, high),
            (at + 0.5 - edge, high),
        )
    ]
    return _for_ever(line(*steps, (1.0, low)), 1.0)


def _bouncy() -> list[Note]:
    seconds, arcs, shrink = 2.4, 6, 0.8
    lengths = seconds * (1 - shrink) / (1 - shrink**arcs) * shrink ** np.arange(arcs)
    starts = np.concatenate(([0.0], np.cumsum(lengths)[:-1]))

    def hertz(t: Seconds) -> Seconds:
        arc = np.searchsorted(starts, t, side="right") - 1
        x = np.clip((t - starts[arc]) / lengths[arc], 0, 1)
        height = 4 * x * (1 - x) * (lengths[arc] / lengths[0])  # a ball, a little springier
        return 480 * np.exp2(1.6 * height)

    return _for_ever(curve(seconds, hertz), seconds)


def _evac() -> list[Note]:
    pitch = line((0.0, 500.0), (3.5, 1200.0))
    return [Note(0.0, 3.5, Tone(pitch, square(9)), Envelope(attack=0.02, release=0.02))]


def _falling_pitch() -> list[Note]:
    return _for_ever(line((0.0, 1200.0), (0.997, 500.0), (1.0, 1200.0)), 1.0)


def _home_soft() -> list[Note]:
    soft = harmonics(1.0, 0.3, 0.14, 0.05)
    swell = Envelope(attack=0.09, release=0.3)
    return [
        Note(0.0, 0.75, Tone(line((0.0, 720.0), (0.12, 740.0)), soft), swell),
        Note(0.7, 0.95, Tone(line((0.0, 600.0), (0.12, 587.0)), soft), swell),
    ]


def _for_ever(pitch: Pitch, seconds: float) -> list[Note]:
    return [Note(0.0, seconds, Tone(pitch.closed(seconds), square(9)), HELD)]


SIRENS = (
    Sound(
        "Siren: Alternate",
        "Two tones, 800 and 970 Hz, changing every quarter of a second.",
        1.0,
        0.804,
        _alternate,
    ),
    Sound(
        "Siren: Bouncy",
        "A tone that jumps up and falls back like a ball, lower each time.",
        2.4,
        0.804,
        _bouncy,
    ),
    Sound(
        "Siren: Evac",
        "Slow whoop: from 500 up to 1200 Hz in 3.5 s, then half a second of rest (NEN 2575).",
        4.0,
        0.804,
        _evac,
    ),
    Sound(
        "Siren: Falling pitch",
        "From 1200 down to 500 Hz every second (the danger signal of DIN 33404-3).",
        1.0,
        0.804,
        _falling_pitch,
    ),
    Sound(
        "Siren: Home soft",
        "Two soft tones, the second lower, with a breath between: an alarm to live beside.",
        2.4,
        1.115,
        _home_soft,
    ),
)
