"""Changes of gain that nobody hears as a click."""

from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples

FADE_SAMPLES: Final = SAMPLE_RATE // 200  # from and to silence, and when it becomes softer: 5 ms
RISE_SAMPLES: Final = SAMPLE_RATE // 5  # when what is heard becomes louder: 200 ms


def _curve(size: int) -> Samples:
    """Half a cosine from 0 to 1: no step, and no corner where it begins and ends."""
    return (0.5 - 0.5 * np.cos(np.pi * np.arange(1, size + 1) / size)).astype(np.float32)


_FADE: Final = _curve(FADE_SAMPLES)
_RISE: Final = _curve(RISE_SAMPLES)


class Fade:
    """A gain that glides to its goal, and to the next one from wherever it is.

    What has to make room does so at once; what comes back to its place does it gently.
    """

    __slots__ = ("_at", "_curve", "_goal", "_ramp", "_start", "gain")

    def __init__(self, gain: float) -> None:
        self.gain: float = gain  # at the end of the last block
        self._start: float = gain
        self._goal: float = gain
        self._curve = _FADE
        self._at = FADE_SAMPLES  # of the curve, from start to goal
        self._ramp = np.empty(FADE_SAMPLES, np.float32)

    def apply(self, block: Samples, goal: float) -> None:
        """Scale the block in place, on the way to the goal."""
        if goal != self._goal:
            self._start, self._goal, self._at = self.gain, goal, 0
            self._curve = _RISE if 0.0 < self.gain < goal else _FADE
        done = 0
        while self._at < self._curve.size and done < block.size:
            done += self._glide(block[done : done + FADE_SAMPLES])
        if done < block.size and goal != 1.0:
            block[done:] *= goal

    def _glide(self, block: Samples) -> int:
        """Scale the start of the block by the next piece of the curve, and say how far."""
        at = self._at
        count = min(block.size, self._curve.size - at)
        ramp = self._ramp[:count]
        np.multiply(self._curve[at : at + count], self._goal - self._start, out=ramp)
        ramp += self._start
        block[:count] *= ramp
        self._at = at + count
        self.gain = self._goal if self._at == self._curve.size else float(ramp[-1])
        return count
