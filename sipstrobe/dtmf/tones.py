"""Digits as the tones of ITU-T Q.23, to be heard instead of what else would be."""

from collections import deque
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.dtmf.event import DIGITS
from sipstrobe.dtmf.inband import FULL_DBM0, HIGH, KEYS, LOW
from sipstrobe.dtmf.keys import COMMA_PAUSE, PAUSE, TONE, Key, keys_of

LOW_DBM0: Final = -10.0  # ETSI ES 201 235-2 §4.2.3: the high tone 2 dB above the low one
HIGH_DBM0: Final = -8.0
EDGE: Final = 0.003  # seconds in which a tone comes and goes, so that it does not click

Samples = NDArray[np.float32]


class ToneSender:
    """Turns waiting digits into samples (1.0: full scale)."""

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._waiting: deque[Key] = deque()
        self._now: Samples = np.zeros(0, np.float32)  # what is left of the tone and its pause
        self._resting = 0  # samples that a comma still lasts

    @property
    def busy(self) -> bool:
        return bool(self._waiting) or self._now.size > 0 or self._resting > 0

    def send(self, digits: str) -> None:
        """Append digits and commas. Raises ValueError as `keys_of` does."""
        self._waiting.extend(keys_of(digits, waiting=len(self._waiting)))

    def turn(self, count: int) -> Samples | None:
        """The next so many samples; None: nothing is said now, also during a comma."""
        if not self._now.size:
            self._resting = max(0, self._resting - count)
            if self._resting or not self._waiting:
                return None
        said = np.zeros(count, np.float32)
        at = 0
        while at < count and (self._now.size or self._begin()):
            piece = self._now[: count - at]
            said[at : at + piece.size] = piece
            self._now = self._now[piece.size :]
            at += piece.size
        return said if at else None

    def _begin(self) -> bool:
        """Go on with the next digit; False: there is none now."""
        if self._resting or not self._waiting:
            return False
        key = self._waiting.popleft()
        if key is None:
            self._resting = round(COMMA_PAUSE * self._rate)
            return False
        self._now = _sound(DIGITS[key], self._rate)
        return True


@cache
def _sound(digit: str, sample_rate: int) -> Samples:
    """A digit and the pause after it."""
    row = next(row for row in KEYS if digit in row)
    times = np.arange(round(TONE * sample_rate)) / sample_rate
    tones = np.zeros(times.size)
    levels = ((LOW[KEYS.index(row)], LOW_DBM0), (HIGH[row.index(digit)], HIGH_DBM0))
    for frequency, dbm0 in levels:
        tones += 10 ** ((dbm0 - FULL_DBM0) / 20) * np.sin(2 * np.pi * frequency * times)
    edge = 0.5 - 0.5 * np.cos(np.pi * np.arange(round(EDGE * sample_rate)) / (EDGE * sample_rate))
    tones[: edge.size] *= edge
    tones[tones.size - edge.size :] *= edge[::-1]
    pause = np.zeros(round(PAUSE * sample_rate))
    return np.concatenate((tones, pause)).astype(np.float32)
