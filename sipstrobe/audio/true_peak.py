"""What the waveform reaches between the samples: ITU-R BS.1770-4 Annex 2, for the audio thread.

The converter behind the card draws a smooth line through the samples, which may go beyond every
one of them: by 3 dB for a tone of a quarter of the sample rate. The line is estimated at three
points after each sample. All arrays exist beforehand.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sipstrobe.audio.format import Samples, peak

PHASES: Final = 4  # times the sample rate
TAPS: Final = 12  # samples that a point between two of them is made of
_BETA: Final = 5.0  # of the Kaiser window; what is found is off by 0.3 dB at 20 kHz at the most


def _weights() -> Samples:
    """One row for each point between two samples: a windowed sinc; a constant stays what it is."""
    points = np.arange(1, PHASES)[:, np.newaxis] / PHASES
    distance = np.arange(TAPS) - (TAPS / 2 - 1) - points
    shape = np.sqrt(1.0 - (distance / (TAPS / 2)) ** 2)
    rows = np.sinc(distance) * np.i0(_BETA * shape)
    return (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)


_WEIGHTS: Final = _weights()
MOST: Final = float(np.abs(_WEIGHTS).sum(axis=1).max())
"""No point between samples is larger than the largest of them by more than this factor."""


class TruePeak:
    """Follows one signal, block by block, none longer than max_block."""

    __slots__ = ("_line", "_points", "_rows", "_windows")

    def __init__(self, max_block: int) -> None:
        self._line = np.zeros(TAPS - 1 + max_block, np.float32)
        self._windows = sliding_window_view(self._line, max_block)  # row n is n samples later
        self._rows = np.empty((TAPS, max_block), np.float32)
        self._points = np.empty((PHASES - 1, max_block), np.float32)

    def skip(self, block: Samples) -> None:
        """This block need not be looked at; the next may need its end."""
        self._advance(block)

    def look(self, block: Samples) -> float:
        """The largest magnitude between the samples, from the last of the blocks before on.

        The last TAPS/2 points are not known before the next block.
        """
        size = block.size
        line, rows = self._line, self._rows[:, :size]
        line[TAPS - 1 : TAPS - 1 + size] = block
        np.copyto(rows, self._windows[:, :size])
        self._advance(block)
        points = np.matmul(_WEIGHTS, rows, out=self._points[:, :size])
        return max(peak(points[0]), peak(points[1]), peak(points[2]))

    def _advance(self, block: Samples) -> None:
        before = self._line[: TAPS - 1]
        if block.size >= TAPS - 1:
            before[:] = block[block.size - (TAPS - 1) :]
        else:
            before[: -block.size] = before[block.size :]
            before[-block.size :] = block
