"""Play a stream a little slower or faster than it was sent, so that no clock but the card's rules.

`Warp` does it continuously and by so little that the pitch stays (the drift of two crystals is
20–200 ppm). `shorten` and `lengthen` take a whole pitch period out of a block or repeat one, which
also leaves the pitch alone and is ten times quicker.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.codecs.conceal import best_lag

MOST: Final = 0.004  # largest relative change of speed that Warp makes: 7 cents
LIKE_ENOUGH: Final = 0.6  # correlation from which on a splice of pitch periods is not heard
QUIET: Final = 1e-3  # RMS; below it any splice goes unheard
OVERLAP: Final = 0.004  # seconds of blending in a splice
SHORTEST_SPLICE: Final = 0.0025  # seconds
LONGEST_SPLICE: Final = 0.010  # seconds
_TAPS: Final = 4
_BEYOND: Final = 0.25  # samples beyond the middle two; the error is no larger there than between
_NEAR: Final = 1e-6  # samples, or samples a sample, that make no difference
_LAGRANGE: Final = np.array(  # rows: powers of the fraction; columns: samples at -1, 0, 1, 2
    [
        [0, 1, 0, 0],
        [-1 / 3, -1 / 2, 1, -1 / 6],
        [1 / 2, -1, 1 / 2, 0],
        [-1 / 6, 1 / 2, -1 / 2, 1 / 6],
    ],
    np.float32,
)

_Block = NDArray[np.float32]


class Warp:
    """Cubic interpolation (Lagrange, four points) at a speed that may change with each block.

    For sound that is oversampled six times (8 kHz at 48 kHz) its error lies 60 dB down at the upper
    end of the band and 100 dB down at 1 kHz. It delays by two samples.
    """

    delay_samples: Final = 2

    def __init__(self) -> None:
        self._line = np.zeros(_TAPS - 1, np.float32)  # the last samples, then the block
        self._position = 0.0  # of the next output between line[1] and line[2]
        self._ramp = np.arange(0, dtype=np.float32)

    def process(self, block: _Block, speed: float) -> _Block:
        """Output samples are 1 + speed input samples apart, |speed| <= MOST.

        At speed 0 the position goes on to the next whole sample, and from there on nothing is
        computed. The result is valid until the next call.
        """
        assert abs(speed) <= MOST
        size = block.size
        line = self._take(block)
        if abs(speed) < _NEAR:
            if self._position < _NEAR:
                self._position = 0.0
                return line[1 : 1 + size]
            speed = max(-MOST, -self._position / size)
        count = max(0, math.ceil((size - self._position) / (1.0 + speed) - _NEAR))
        out = np.empty(count, np.float32)
        self._fill(out, speed)
        self._position = max(0.0, self._position + count * (1.0 + speed) - size)
        return out

    def _take(self, block: _Block) -> _Block:
        """The line with the block behind the last samples of the one before."""
        size, kept = block.size, _TAPS - 1
        line = self._line
        if line.size == size + kept:
            line[:kept] = line[-kept:]
        else:
            line = np.empty(size + kept, np.float32)
            line[:kept] = self._line[-kept:]
            self._line = line
            self._ramp = np.arange(size + math.ceil(size * MOST) + 2, dtype=np.float32)
        line[kept:] = block
        return line

    def _fill(self, out: _Block, speed: float) -> None:
        """Interpolate stretch by stretch, in each of which input and output go in step."""
        done, count, step = 0, out.size, 1.0 + speed
        last = self._line.size - _TAPS
        beyond = math.copysign(_BEYOND, speed)
        while done < count:
            position = self._position + done * step
            first = min(max(math.floor(position + beyond), 0), last)
            fraction = position - first
            left = 1.0 + _BEYOND - fraction if speed > 0.0 else fraction + _BEYOND
            steps = min(max(math.ceil(left / abs(speed)), 1), last - first + 1, count - done)
            self._interpolate(out[done : done + steps], first, fraction, speed)
            done += steps

    def _interpolate(self, out: _Block, first: int, fraction: float, speed: float) -> None:
        count, line = out.size, self._line
        step = line.itemsize
        shifted = np.ndarray((_TAPS, count), np.float32, line, first * step, (step, step))
        powers = _LAGRANGE.dot(shifted)  # the cubic through each four samples
        f = self._ramp[:count] * np.float32(speed)
        f += np.float32(fraction)
        cubic = powers[3]
        cubic *= f
        cubic += powers[2]
        cubic *= f
        cubic += powers[1]
        cubic *= f
        np.add(cubic, powers[0], out=out)


def shorten(block: _Block, sample_rate: int, like_enough: float = LIKE_ENOUGH) -> _Block | None:
    """The block without one pitch period, or None where that could be heard."""
    lag = _splice(block, sample_rate, like_enough)
    if lag is None:
        return None
    blend = round(OVERLAP * sample_rate)
    rising = _rising(blend)
    out = block[lag:].copy()
    out[:blend] = block[:blend] + rising * (out[:blend] - block[:blend])
    return out


def lengthen(block: _Block, sample_rate: int, like_enough: float = LIKE_ENOUGH) -> _Block | None:
    """The block with one pitch period repeated, or None where that could be heard."""
    lag = _splice(block, sample_rate, like_enough)
    if lag is None:
        return None
    blend = round(OVERLAP * sample_rate)
    rising = _rising(blend)
    out = np.concatenate([block[:lag], block])
    seam = block[lag : lag + blend]
    out[lag : lag + blend] = seam + rising * (block[:blend] - seam)
    return out


@lru_cache(8)
def _rising(count: int) -> _Block:
    return np.linspace(0.0, 1.0, count, dtype=np.float32)


def _splice(block: _Block, sample_rate: int, like_enough: float) -> int | None:
    """How far apart two like places at the start of the block are; None: nowhere, or too short."""
    blend = round(OVERLAP * sample_rate)
    shortest = round(SHORTEST_SPLICE * sample_rate)
    longest = min(round(LONGEST_SPLICE * sample_rate), block.size - blend)
    if longest <= shortest:
        return None
    if float(block @ block) < QUIET * QUIET * block.size:
        return longest
    # best_lag compares the end of a sound with earlier places: read backwards, its start with later
    lag, likeness = best_lag(block[blend + longest - 1 :: -1], blend, shortest, longest)
    return lag if likeness >= like_enough else None
