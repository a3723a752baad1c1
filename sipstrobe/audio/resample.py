"""Between the codecs' sample rates and ours: polyphase FIR filters by whole ratios.

One symmetric low-pass filter serves both directions. Its taps are found by least squares, weighted
anew a few times where the error was largest (Lawson's method), which spreads the error evenly over
each band, so that few taps do: about 1 ms of delay.

The convolution is done as one small matrix product: each row of the left side is a stretch of the
input, the matrix holds the taps shifted by one input sample from column group to column group.
"""

from functools import cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sipstrobe.audio.format import SAMPLE_RATE, Samples

_ROW = 8  # samples of the lower rate in one row of the matrix product; the quickest of 8, 16, 32


class _Band(Struct, frozen=True):
    """What the filter lets pass and what it stops, for one ratio."""

    passband: float  # Hz; flat within 0.08 dB up to here
    stopband: float  # Hz; at least 62 dB down from here on
    taps: int  # odd, and one less than a multiple of the ratio


_BANDS = {
    2: _Band(10500.0, 13500.0, 47),  # 24 kHz: a delay of 0.48 ms
    3: _Band(7000.0, 9000.0, 71),  # 16 kHz: a delay of 0.73 ms
    6: _Band(3400.0, 4600.0, 113),  # 8 kHz: 1.17 ms
}
_STOP_WEIGHT = 12.0  # how much more an error in the stop band counts
_ROUNDS = 6
_GRID = 256  # frequencies in each band that the design looks at


@cache
def _low_pass(ratio: int) -> NDArray[np.float64]:
    """The taps for this ratio, padded with a zero to a multiple of it; their sum is about 1."""
    band = _BANDS[ratio]
    passing = np.linspace(0.0, band.passband, _GRID // 2)
    stopped = np.linspace(band.stopband, SAMPLE_RATE / 2, _GRID)
    frequencies = np.concatenate([passing, stopped])
    wanted = (frequencies <= band.passband).astype(np.float64)
    importance = np.where(wanted, 1.0, _STOP_WEIGHT)
    angles = 2 * np.pi / SAMPLE_RATE * np.outer(frequencies, np.arange((band.taps + 1) // 2))
    cosines = np.cos(angles)  # amplitude response = cosines @ half of the symmetric filter
    weight = np.ones_like(wanted)
    half = np.zeros(cosines.shape[1])
    for _ in range(_ROUNDS):
        weighted = (cosines * (weight * importance**2)[:, None]).T
        half = np.linalg.solve(weighted @ cosines, weighted @ wanted)
        error = np.abs(cosines @ half - wanted) * importance
        weight *= (error / error.max() + 1e-3) ** 0.6
        weight /= weight.sum()
    side = half[1:] / 2
    return np.concatenate([side[::-1], half[:1], side, [0.0]])


class _RowFilter:
    """A filter that turns `taken` samples into `made` at a time, by one matrix product a block."""

    __slots__ = ("_block", "_history", "_line", "_made", "_matrix", "_out", "_rows", "_taken")

    def __init__(self, matrix: Samples, taken: int) -> None:
        self._matrix = matrix  # (history + taken, made)
        self._taken = taken
        self._made = matrix.shape[1]
        self._history = matrix.shape[0] - taken
        self._line = np.zeros(self._history, np.float32)  # history, the block, zeros to a full row
        self._prepare(0)

    def reset(self) -> None:
        """Forget what came before, as for a new stream."""
        self._line[:] = 0.0

    def process(self, block: Samples) -> Samples:
        """The filtered block, an array of its own."""
        count = block.size
        if count != self._block:
            self._prepare(count)
        line, history = self._line, self._history
        line[history : history + count] = block
        filtered: Samples = self._rows.dot(self._matrix)
        line[:history] = line[count : count + history]
        return filtered.reshape(-1)[: self._out]

    def _prepare(self, count: int) -> None:
        """Lay out the line for blocks of this length, keeping the history."""
        rows = -(-count // self._taken)
        line = np.zeros(self._history + rows * self._taken, np.float32)
        line[: self._history] = self._line[: self._history]
        step = line.itemsize
        self._line = line
        self._block = count
        self._out = count * self._made // self._taken
        self._rows = np.ndarray(
            (rows, self._matrix.shape[0]), np.float32, line, 0, (self._taken * step, step)
        )


@cache
def _upward(ratio: int) -> Samples:
    phases = (_low_pass(ratio) * ratio).reshape(-1, ratio)  # [k, phase]: tap k * ratio + phase
    depth = len(phases)
    matrix = np.zeros((depth - 1 + _ROW, _ROW * ratio), np.float32)
    for sample in range(_ROW):
        matrix[sample : sample + depth, sample * ratio : (sample + 1) * ratio] = phases[::-1]
    return matrix


@cache
def _downward(ratio: int) -> Samples:
    taps = _low_pass(ratio)[:-1]
    matrix = np.zeros((len(taps) - 1 + _ROW * ratio, _ROW), np.float32)
    for sample in range(_ROW):
        newest = sample * ratio + ratio - 1
        matrix[newest : newest + len(taps), sample] = taps[::-1]
    return matrix


class Upsampler:
    """Raise mono samples to 48 kHz: ratio 6 from 8 kHz, 3 from 16 kHz, 2 from 24 kHz.

    The result has exactly ``ratio`` times as many samples and is the caller's own. State is kept
    between calls: feed the blocks, of any length, in order.
    """

    __slots__ = ("_filter", "delay_samples", "ratio")

    def __init__(self, ratio: int) -> None:
        self.ratio = ratio
        self.delay_samples = _BANDS[ratio].taps // 2  # at 48 kHz
        self._filter = _RowFilter(_upward(ratio), _ROW)

    def process(self, block: Samples) -> Samples:
        return self._filter.process(block)

    def reset(self) -> None:
        """Forget what came before, as for a new stream."""
        self._filter.reset()


class Downsampler:
    """Lower 48 kHz to 8 kHz (ratio 6) or 16 kHz (ratio 3); what cannot be kept is filtered out.

    Blocks must be a multiple of ``ratio`` long; the result is the caller's own. State is kept
    between calls.
    """

    __slots__ = ("_filter", "delay_samples", "ratio")

    def __init__(self, ratio: int) -> None:
        self.ratio = ratio
        self.delay_samples = _BANDS[ratio].taps // 2 - (ratio - 1)  # at 48 kHz
        self._filter = _RowFilter(_downward(ratio), _ROW * ratio)

    def process(self, block: Samples) -> Samples:
        assert block.size % self.ratio == 0
        return self._filter.process(block)

    def reset(self) -> None:
        """Forget what came before, as for a new stream."""
        self._filter.reset()
