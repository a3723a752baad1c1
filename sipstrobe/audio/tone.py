"""Is this the tone that it should be? What is found of one steady tone in a piece of sound."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB, Samples, db_from_gain


class Tone(Struct, frozen=True):
    """level_db: RMS of the tone in dBFS; frequency: in Hz, to about 0.1; rest_db: RMS of all else
    in dBFS. Without any tone the frequency means nothing."""

    level_db: float
    frequency: float
    rest_db: float


def find_tone(block: Samples, frequency: float) -> Tone:
    """Look for a tone near this frequency: within 1/duration of the block, in Hz.

    The two halves of the block are correlated with the frequency, under a window; how far the
    phase turns from one to the other is how far the tone is off. Then its level is measured where
    it really is. About 1 ms for 0.25 s of sound.
    """
    half = block.size // 2
    parts = block[: 2 * half].astype(np.float64).reshape(2, half)
    weighted = parts * np.hanning(half)
    before, after = _correlate(weighted, frequency)
    turned = float(np.angle(after * before.conjugate()))
    frequency += turned / (2.0 * np.pi * half / SAMPLE_RATE)
    amplitude = 2.0 * float(np.abs(_correlate(weighted, frequency)).mean())
    power = float(np.square(weighted).sum() / np.square(np.hanning(half)).sum()) / 2.0
    rest = max(0.0, power - amplitude**2 / 2.0)
    return Tone(
        level_db=max(SILENCE_DB, db_from_gain(amplitude / 2.0**0.5)),
        frequency=frequency,
        rest_db=db_from_gain(rest**0.5),
    )


def _correlate(weighted: NDArray[np.float64], frequency: float) -> NDArray[np.complex128]:
    """Half the amplitude and the phase in each half, as if both were one tone from the start on."""
    half = weighted.size // 2
    step = -2j * np.pi * frequency / SAMPLE_RATE
    turning = np.exp(step * np.arange(half)).astype(np.complex128)
    turns = np.exp(step * half * np.arange(2)).astype(np.complex128)
    return weighted.astype(np.complex128) @ turning * turns / np.hanning(half).sum()
