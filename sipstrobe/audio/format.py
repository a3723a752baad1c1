"""The one form of sound inside the device, and its levels.

A block is a one-dimensional float32 array: mono, 48 kHz, full scale −1…1. Levels are in dBFS, of
which 0 is full scale: for a peak the sample ±1, for an RMS value the square wave between them (so
a full-scale sine has a peak of 0 and an RMS of −3.01).
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48000  # Hz
SILENCE_DB = -120.0  # the level of nothing at all, and of everything below it

Samples: TypeAlias = NDArray[np.float32]


def samples_in(seconds: float) -> int:
    """How many samples last that long."""
    return round(seconds * SAMPLE_RATE)


def gain_from_db(level_db: float) -> float:
    return 10.0 ** (level_db / 20.0)


def db_from_gain(gain: float) -> float:
    """The level of a gain or an amplitude; SILENCE_DB at the least."""
    return max(SILENCE_DB, 20.0 * math.log10(gain)) if gain > 0.0 else SILENCE_DB


def peak(block: Samples) -> float:
    """The largest magnitude; 0 of an empty block."""
    if not block.size:
        return 0.0
    # Three times as quick as max and min of the array.
    return max(block.item(block.argmax()), -block.item(block.argmin()))


def rms(block: Samples) -> float:
    return math.sqrt(float(block @ block) / block.size) if block.size else 0.0


def peak_db(block: Samples) -> float:
    return db_from_gain(peak(block))


def rms_db(block: Samples) -> float:
    return db_from_gain(rms(block))
