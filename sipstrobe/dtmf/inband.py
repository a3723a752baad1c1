"""Digits out of sound: the tones of ITU-T Q.23, received as Q.24 wants it.

A bank of eight Goertzel filters, one for each tone, looks at the sound through a window of 20 ms
every 5 ms; all windows of a packet are one matrix product. The window (Hann) keeps the two groups
of tones apart by more than 50 dB. From one window to the next a tone turns its phase by what its
frequency says, so each frequency is known to about 1 Hz.

Against talk-off, speech and music that happen to have both frequencies, three things help: hardly
anything else may sound than the two tones, second harmonics included; their frequencies must be
right; and that for longer than voices keep both.
"""

import math
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sipstrobe.dtmf.sign import Sign

LOW: Final = (697.0, 770.0, 852.0, 941.0)  # Hz; ITU-T Q.23
HIGH: Final = (1209.0, 1336.0, 1477.0, 1633.0)
KEYS: Final = ("123A", "456B", "789C", "*0#D")  # rows: LOW, columns: HIGH

WINDOW: Final = 0.020  # seconds
HOP: Final = 0.005
TOLERANCE: Final = 0.019  # of a frequency; Q.24: 1.5 % must be taken, 3.5 % must not
LEAST_DBM0: Final = -35.0  # of a tone; Q.24: −25 (−29) must be taken, −48 (−55) must not
FULL_DBM0: Final = 3.14  # a sine of full scale; ITU-T G.711 (µ-law: 3.17)
STRONGER_HIGH_DB: Final = 6.0  # Q.24: 4 to 6 must be taken
STRONGER_LOW_DB: Final = 10.0  # Q.24: 8 to 10 must be taken
PURITY: Final = 0.9  # share of the power that the two tones must have: noise 9.5 dB below them
SUSPICION: Final = 0.45  # the same, before it is known how far off the frequencies are
BEGINS: Final = 4  # windows in a row; Q.24: 40 ms must be taken, 20 to 24 ms must not
ENDS: Final = 7  # windows without it; Q.24: gaps of 10 ms are none, pauses of 40 ms are
_LEAST: Final = 10 ** ((LEAST_DBM0 - FULL_DBM0) / 10) / 2  # mean square

_Floats = NDArray[np.float32]


class _Bank(NamedTuple):
    """All that depends on the sample rate; window and hop in samples."""

    window: int
    hop: int
    filters: _Floats  # (window, 16): cosines, then sines; their squares add up to a mean square
    weights: _Floats  # of the squares of the samples, for the mean square of the window
    turns: tuple[float, ...]  # radians of each tone from one window to the next


class ToneReceiver:
    """Turns the sound of one call into signs. sample_rate: a multiple of 200, 8000 or more."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self._bank = _bank(sample_rate)
        self._line = np.zeros(self._bank.window - self._bank.hop, np.float32)
        self._before: list[float] = [0.0] * 16  # what the filters said of the window before
        self._candidate = ""  # what has sounded in the windows before
        self._windows = 0  # in how many
        self._digit = ""  # that sounds
        self._lasted = 0  # windows since it began
        self._missed = 0  # the last of them, without it

    def hear(self, samples: _Floats) -> list[Sign]:
        """The next samples, as many as there are (1.0: full scale)."""
        bank = self._bank
        line = np.concatenate((self._line, samples))
        count = (line.size - bank.window) // bank.hop + 1
        if count <= 0:
            self._line = line
            return []
        step = line.itemsize
        rows = np.ndarray((count, bank.window), np.float32, line, 0, (bank.hop * step, step))
        self._line = line[count * bank.hop :].copy()
        power = (rows * rows) @ bank.weights
        if not self._digit and not self._windows and float(power.max()) < 2 * _LEAST:
            self._before = [0.0] * 16
            return []
        return self._listen(rows @ bank.filters, power)

    def _listen(self, said: _Floats, power: _Floats) -> list[Sign]:
        squares = said * said
        tones = squares[:, :8] + squares[:, 8:]
        strongest = tones[:, :4].max(axis=1) + tones[:, 4:].max(axis=1)
        suspicious: list[bool] = (strongest > SUSPICION * power).tolist()
        signs: list[Sign] = []
        if not any(suspicious):
            self._before = said[-1].tolist()
            for _ in suspicious if self._digit or self._candidate else ():
                signs += self._step("")
            return signs
        windows: list[list[float]] = said.tolist()
        each = zip(suspicious, tones.tolist(), windows, power.tolist(), strict=True)
        for suspected, levels, now, total in each:
            heard = self._judge(levels, now, total) if suspected else ""
            self._before = now
            signs += self._step(heard)
        if self._digit and not self._missed and not signs:
            signs.append(self._sign())
        return signs

    def _judge(self, tones: list[float], now: list[float], power: float) -> str:
        """The digit of one window; empty: none."""
        low, high = tones.index(max(tones[:4])), tones.index(max(tones[4:]), 4)
        levels: list[float] = []
        for tone in (low, high):
            off = self._off(tone, now)
            if abs(off) > TOLERANCE * _TONES[tone]:
                return ""
            levels.append(tones[tone] / _response(off))
        if min(levels) < _LEAST or sum(levels) < PURITY * power:
            return ""
        twist = 10 * math.log10(levels[1] / levels[0])
        if not -STRONGER_LOW_DB <= twist <= STRONGER_HIGH_DB:
            return ""
        return KEYS[low][high - 4]

    def _off(self, tone: int, now: list[float]) -> float:
        """By how many Hz the frequency is off, within half of what one turn a hop is."""
        before = self._before
        turned = math.atan2(now[tone + 8], now[tone]) - math.atan2(before[tone + 8], before[tone])
        more = math.remainder(turned - self._bank.turns[tone], 2 * math.pi)
        return more / (2 * math.pi * HOP)

    def _step(self, heard: str) -> list[Sign]:
        """One window further."""
        self._windows = self._windows + 1 if heard and heard == self._candidate else bool(heard)
        self._candidate = heard
        signs: list[Sign] = []
        if self._digit:
            self._lasted += 1
            self._missed = 0 if heard == self._digit else self._missed + 1
            another = heard != self._digit and self._windows >= BEGINS
            if another or self._missed >= ENDS:
                signs.append(self._sign(ended=True))
                self._digit = ""
        if not self._digit and self._windows >= BEGINS:
            self._digit, self._lasted, self._missed = heard, BEGINS, 0
            signs.append(self._sign(begins=True))
        return signs

    def _sign(self, *, begins: bool = False, ended: bool = False) -> Sign:
        """A window of which a good part was silence tells nothing: so many tell of 15 ms more."""
        seconds = (self._lasted - self._missed) * HOP + WINDOW - HOP
        return Sign(self._digit, begins, seconds, ended)


_TONES: Final = (*LOW, *HIGH)


def _response(off: float) -> float:
    """How much of a tone's power its filter hears when the tone is off by so many Hz."""
    bins = off * WINDOW
    if abs(bins) < 1e-6:
        return 1.0
    sinc = math.sin(math.pi * bins) / (math.pi * bins)
    return (sinc / (1 - bins * bins)) ** 2


@cache
def _bank(sample_rate: int) -> _Bank:
    window, hop = round(WINDOW * sample_rate), round(HOP * sample_rate)
    times = np.arange(window)
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * (times + 0.5) / window)
    angles = 2 * np.pi / sample_rate * np.outer(times, _TONES)
    waves = np.concatenate((np.cos(angles), -np.sin(angles)), axis=1)
    filters = waves * (shape * math.sqrt(2) / shape.sum())[:, None]
    weights = shape**2 / (shape**2).sum()
    turns = tuple(2 * math.pi * tone * HOP for tone in _TONES)
    return _Bank(window, hop, filters.astype(np.float32), weights.astype(np.float32), turns)
