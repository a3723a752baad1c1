"""Callers as loud as each other: a slow automatic gain that knows speech from its pauses."""

from math import log10
from typing import Final

# RMS in dBFS of speech while it lasts. Telephones are to send about -26 dBov (ITU-T P.56, G.115);
# a loudspeaker may have a little more, and keeps 20 dB for the peaks.
TARGET_DB: Final = -20.0
MAX_GAIN_DB: Final = 18.0
MIN_GAIN_DB: Final = -12.0
RISE_DB_PER_SECOND: Final = 4.0
FALL_DB_PER_SECOND: Final = 12.0
GATE_DB: Final = -50.0  # what is softer is no speech
ABOVE_NOISE_DB: Final = 6.0  # nor is what stands out less from the noise
NOISE_RISE_DB_PER_SECOND: Final = 2.0  # how quickly what does not stop is taken for noise
MEMORY: Final = 1.0  # seconds of speech whose level counts


class Leveller:
    """Follows one caller. Only speech moves the gain; in pauses it stays, and no noise swells."""

    __slots__ = ("_noise_db", "_power", "gain_db")

    def __init__(self) -> None:
        self.gain_db = 0.0
        self._noise_db: float | None = None
        self._power = 0.0  # of speech: mean square; 0 before the first

    def hear(self, level_db: float, seconds: float) -> None:
        """So long it was so loud (RMS, before this gain); pieces of 0.1 s, about a syllable."""
        noise_db = level_db if self._noise_db is None else self._noise_db
        self._noise_db = min(level_db, noise_db + NOISE_RISE_DB_PER_SECOND * seconds)
        if level_db < GATE_DB or level_db < self._noise_db + ABOVE_NOISE_DB:
            return
        power = 10.0 ** (level_db / 10.0)
        share = min(1.0, seconds / MEMORY) if self._power else 1.0
        self._power += (power - self._power) * share
        wanted = min(max(TARGET_DB - 10.0 * log10(self._power), MIN_GAIN_DB), MAX_GAIN_DB)
        fall, rise = FALL_DB_PER_SECOND * seconds, RISE_DB_PER_SECOND * seconds
        self.gain_db += min(max(wanted - self.gain_db, -fall), rise)
