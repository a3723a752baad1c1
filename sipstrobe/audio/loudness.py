"""How loud a sound is to people: EBU R 128, that is ITU-R BS.1770-4, of one channel at 48 kHz.

Loudness is the power behind the K-weighting, a pair of filters that hears like a head, averaged
over those blocks of 400 ms that are not pauses. True peak is the largest value of the waveform
between the samples, which a converter or a codec may produce although no sample has it.
"""

import math
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB, Samples, db_from_gain, peak

STEP: Final = SAMPLE_RATE // 10  # samples; blocks overlap by three quarters (Annex 1)
BLOCK_STEPS: Final = 4
ABSOLUTE_GATE: Final = -70.0  # LUFS; what is softer is a pause
RELATIVE_GATE: Final = -10.0  # LU below the mean of what the absolute gate lets pass
MAX_TRUE_PEAK_DB: Final = -1.0  # of a sound that we make louder (EBU R 128 §h)
_OFFSET: Final = -0.691  # dB; a sine of 997 Hz at 0 dBFS has −3.01 LUFS

# Annex 1, tables 1 and 2: (b0, b1, b2, a1, a2) of the shelf for the head and of the high-pass.
_SHELF: Final = (
    1.53512485958697,
    -2.69169618940638,
    1.19839281085285,
    -1.69065929318241,
    0.73248077421585,
)
_HIGH_PASS: Final = (1.0, -2.0, 1.0, -1.99004745483398, 0.99007225036621)
_RESPONSE: Final = 4096  # samples, after which the filters' response is below 10⁻⁸
_HOP: Final = 6 * STEP  # samples weighted at a time, by a product of spectra
_SPECTRUM: Final = 34560  # at least _HOP + _RESPONSE − 1, and quick to transform

_PHASES: Final = 4  # true peak looks at four times the rate (Annex 2)
_REACH: Final = 12  # samples on each side that the interpolation looks at


class LoudnessMeter:
    """Measures one sound, fed in blocks of any length.

    It takes about 6 ms for a second of sound, and remembers 10 numbers of it.
    """

    def __init__(self) -> None:
        self._waiting: list[Samples] = []
        self._count = 0  # samples waiting
        self._before = np.zeros(_RESPONSE - 1)
        self._powers: list[NDArray[np.float64]] = []  # mean power of each step
        self._edge = np.zeros(2 * _REACH, np.float32)
        self._peak = 0.0

    def feed(self, block: Samples) -> None:
        """Hear what comes next."""
        while block.size:
            part = block[: _HOP - self._count]
            self._waiting.append(part)
            self._count += part.size
            block = block[part.size :]
            if self._count == _HOP:
                self._measure(self._taken())

    @property
    def loudness(self) -> float | None:
        """Integrated loudness of what was fed, in LUFS; None: shorter than a block, or silent.

        The sound ends here: nothing may be fed any more.
        """
        self._end()
        steps = np.concatenate([np.zeros(0), *self._powers])
        if steps.size < BLOCK_STEPS:
            return None
        blocks = np.convolve(steps, np.full(BLOCK_STEPS, 1 / BLOCK_STEPS), "valid")
        heard = blocks[blocks > _power(ABSOLUTE_GATE)]
        if not heard.size:
            return None
        gated = heard[heard > float(heard.mean()) * 10.0 ** (RELATIVE_GATE / 10.0)]
        return _OFFSET + 10.0 * math.log10(float(gated.mean()))

    @property
    def true_peak_db(self) -> float:
        """In dBTP. The sound ends here: nothing may be fed any more."""
        self._end()
        return db_from_gain(self._peak) if self._peak else SILENCE_DB

    def _end(self) -> None:
        if self._count:
            self._measure(self._taken())
        if self._edge.any():
            self._look_between(np.zeros(2 * _REACH, np.float32))

    def _taken(self) -> Samples:
        block = np.concatenate(self._waiting)
        self._waiting.clear()
        self._count = 0
        return block

    def _measure(self, block: Samples) -> None:
        self._look_between(block)
        line = np.concatenate([self._before, block])
        self._before = line[line.size - (_RESPONSE - 1) :]
        product = np.fft.rfft(line, _SPECTRUM) * _weighting()
        weighted = np.fft.irfft(product, _SPECTRUM)[_RESPONSE - 1 : line.size]
        whole = weighted[: weighted.size - weighted.size % STEP].reshape(-1, STEP)
        self._powers.append(np.mean(np.square(whole), axis=1))

    def _look_between(self, block: Samples) -> None:
        line = np.concatenate([self._edge, block])
        self._edge = line[line.size - 2 * _REACH :]
        self._peak = max(self._peak, peak(block))
        for weights in _interpolation():
            between: Samples = np.convolve(line, weights, "valid")
            self._peak = max(self._peak, peak(between))


def normalising_gain_db(loudness: float | None, peak_db: float, target: float) -> float:
    """The gain that brings a sound to a loudness in LUFS, or as near as a true peak of −1 dBTP
    allows (EBU R 128 §h). What has no loudness is left as it is."""
    if loudness is None:
        return 0.0
    return min(target - loudness, MAX_TRUE_PEAK_DB - peak_db)


def _power(loudness: float) -> float:
    return 10.0 ** ((loudness - _OFFSET) / 10.0)


@cache
def _weighting() -> NDArray[np.complex128]:
    """The spectrum of the K-weighting's response to one sample."""
    response = [1.0] + [0.0] * (_RESPONSE - 1)
    for b0, b1, b2, a1, a2 in (_SHELF, _HIGH_PASS):
        x1 = x2 = y1 = y2 = 0.0
        for i, x in enumerate(response):
            y = b0 * x + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            response[i] = y
            x1, x2, y1, y2 = x, x1, y, y1
    spectrum: NDArray[np.complex128] = np.fft.rfft(np.array(response), _SPECTRUM)
    return spectrum


@cache
def _interpolation() -> tuple[Samples, ...]:
    """The weights for each point between the two middle samples of a window."""
    points = np.arange(1, _PHASES) / _PHASES
    distance = np.arange(1 - _REACH, _REACH + 1) - points[:, None]
    weights = np.sinc(distance) * (0.5 + 0.5 * np.cos(np.pi * distance / _REACH))
    weights /= weights.sum(axis=1, keepdims=True)
    return tuple(weights.astype(np.float32))
