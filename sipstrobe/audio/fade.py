"""Changes of gain that nobody hears as a click."""

from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples

FADE_SAMPLES: Final = SAMPLE_RATE // 200  # every change of gain takes 5 ms

# Half a cosine from 0 to 1: no step, and no corner where it begins and ends.
_CURVE: Final = (0.5 - 0.5 * np.cos(np.pi * np.arange(1, FADE_SAMPLES + 1) / FADE_SAMPLES)).astype(
    np.float32
)


class Fade:
    """A gain that glides to its goal, and to the next one from wherever it is."""

    __slots__ = ("_at", "_goal", "_ramp", "_start", "gain")

    def __init__(self, gain: float) -> None:
        self.gain = gain  # at the end of the last block
        self._start = self._goal = gain
        self._at = FADE_SAMPLES  # of the curve, from start to goal
        self._ramp = np.empty(FADE_SAMPLES, np.float32)

    def jump(self, gain: float) -> None:
        """Be there already; for when nothing can be heard."""
        self.gain = self._start = self._goal = gain
        self._at = FADE_SAMPLES

    def apply(self, block: Samples, goal: float) -> None:
        """Scale the block in place, on the way to the goal."""
        if goal != self._goal:
            self._start, self._goal, self._at = self.gain, goal, 0
        at = self._at
        gliding = 0
        if at < FADE_SAMPLES:
            gliding = min(block.size, FADE_SAMPLES - at)
            ramp = self._ramp[:gliding]
            np.multiply(_CURVE[at : at + gliding], goal - self._start, out=ramp)
            ramp += self._start
            block[:gliding] *= ramp
            self._at = at + gliding
            self.gain = goal if self._at == FADE_SAMPLES else float(ramp[-1])
        if gliding < block.size and goal != 1.0:
            block[gliding:] *= goal
