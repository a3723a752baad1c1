"""Sound that is made and not recorded: DTMF as ITU-T Q.23 has it, and what may be taken for it."""

import numpy as np
from numpy.typing import NDArray

from sipstrobe.dtmf.inband import FULL_DBM0, HIGH, KEYS, LOW

Samples = NDArray[np.float32]


def key(
    digit: str,
    seconds: float,
    rate: int = 8000,
    *,
    low_dbm0: float = -10.0,
    high_dbm0: float = -8.0,
    low_off: float = 0.0,
    high_off: float = 0.0,
) -> Samples:
    """The two tones of a key; off: by what part of their frequency they are wrong."""
    row = next(row for row in KEYS if digit in row)
    t = np.arange(round(seconds * rate)) / rate
    low = 2 * np.pi * LOW[KEYS.index(row)] * (1 + low_off) * t + 0.3
    high = 2 * np.pi * HIGH[row.index(digit)] * (1 + high_off) * t
    tones = _amplitude(low_dbm0) * np.sin(low) + _amplitude(high_dbm0) * np.sin(high)
    return tones.astype(np.float32)


def silence(seconds: float, rate: int = 8000) -> Samples:
    return np.zeros(round(seconds * rate), np.float32)


def speech(seconds: float, seed: int, rate: int = 8000) -> Samples:
    """Syllables of men, women and children: pulses of a gliding pitch through three formants that
    glide as well, and now and then a hiss or a pause."""
    random = np.random.default_rng(seed)
    said = np.zeros(round(seconds * rate), np.float32)
    at = 0
    while at < said.size:
        count = min(int(rate * random.uniform(0.08, 0.35)), said.size - at)
        sound = (
            _vowel(count, rate, random) if random.random() < 0.75 else random.normal(0, 1, count)
        )
        sound *= np.sqrt(np.sin(np.pi * np.arange(count) / count))
        peak = 10 ** (random.uniform(-25, -3) / 20)
        said[at : at + count] = sound / (np.abs(sound).max() + 1e-9) * peak
        at += count
        if random.random() < 0.3:
            at += int(rate * random.uniform(0.02, 0.3))
    return said


def music(seconds: float, seed: int, rate: int = 8000, harmonics: int = 6) -> Samples:
    """Chords of one to four notes of the tempered scale that die away."""
    random = np.random.default_rng(seed)
    played = np.zeros(round(seconds * rate), np.float32)
    at = 0
    while at < played.size:
        count = min(int(rate * random.choice([0.12, 0.25, 0.5])), played.size - at)
        chord = sum(_note(count, rate, harmonics, random) for _ in range(random.integers(1, 5)))
        peak = 10 ** (random.uniform(-20, -1) / 20)
        played[at : at + count] = chord / (np.abs(chord).max() + 1e-9) * peak
        at += count
    return played


def _amplitude(dbm0: float) -> float:
    return 10 ** ((dbm0 - FULL_DBM0) / 20)


def _vowel(count: int, rate: int, random: np.random.Generator) -> NDArray[np.float64]:
    t = np.arange(count) / rate
    pitch = random.uniform(80, 350) * np.exp(random.uniform(-0.3, 0.3) * t / 0.2)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    glide = np.linspace(0, 1, count)
    formants = [
        (start + (random.uniform(low, high) - start) * glide, width)
        for low, high, width in ((250, 950, 80), (800, 2500, 100), (2200, 3200, 140))
        for start in (random.uniform(low, high),)
    ]
    said = np.zeros(count)
    for k in range(1, int(3700 / pitch.min()) + 1):
        loud = sum(1 / (1 + ((k * pitch - at) / width) ** 2) for at, width in formants)
        said += np.where(k * pitch < 3700, loud / np.sqrt(k), 0) * np.sin(k * phase + k)
    return said


def _note(
    count: int, rate: int, harmonics: int, random: np.random.Generator
) -> NDArray[np.float64]:
    t = np.arange(count) / rate
    pitch = 440 * 2 ** (random.integers(-24, 25) / 12)
    played = np.zeros(count)
    for k in range(1, harmonics + 1):
        if k * pitch < 0.47 * rate:
            loud = random.uniform(0.3, 1) / k ** random.uniform(0.5, 2)
            played += loud * np.sin(2 * np.pi * k * pitch * t + random.uniform(0, 6))
    return played * np.exp(-t * random.uniform(1, 12))
