"""The short tone that tells a caller to speak."""

from functools import cache
from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples, gain_from_db, rms, samples_in

LEAD: Final = 0.1  # seconds of silence before it, which phones often miss at the start of a call
SECONDS: Final = 0.15
EDGE: Final = 0.02  # seconds that it takes to rise, and to fall
LEVEL_DB: Final = -20.0  # RMS
PARTIALS: Final = ((880.0, 1.0), (1760.0, 0.3))  # Hz, amplitude: within the band of any telephone


@cache
def beep() -> Samples:
    """The lead and the tone."""
    at = np.arange(samples_in(SECONDS)) / SAMPLE_RATE
    tone: Samples = np.zeros(at.size, np.float32)
    for frequency, amplitude in PARTIALS:
        tone += amplitude * np.sin(2 * np.pi * frequency * at).astype(np.float32)
    tone *= gain_from_db(LEVEL_DB) / rms(tone)
    edge = samples_in(EDGE)
    rise = (0.5 - 0.5 * np.cos(np.pi * np.arange(edge) / edge)).astype(np.float32)
    tone[:edge] *= rise
    tone[-edge:] *= rise[::-1]
    return np.concatenate([np.zeros(samples_in(LEAD), np.float32), tone])
