"""The last step before the card: many sources together must not clip."""

import math
from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples, gain_from_db, peak
from sipstrobe.audio.true_peak import MOST, TruePeak

CEILING: Final = gain_from_db(-0.3)  # of the samples, and of what lies between them (dBTP)
NEAR: Final = CEILING / MOST  # without a larger sample nothing between them is beyond the ceiling
ATTACK_SAMPLES: Final = SAMPLE_RATE // 1000
HOLD_SAMPLES: Final = SAMPLE_RATE // 20  # longer than a period of anything that can be heard
RELEASE_DB_PER_SECOND: Final = 30.0


class Limiter:
    """Keep the sound within the ceiling; what stays below it passes untouched, bit for bit.

    The whole block is looked at before its first sample is passed on, so the gain is down before
    most peaks come. Only a peak in the first millisecond of a block can meet a gain that is not
    there yet; those few samples are clipped. Then the gain is held, and rises slowly. What lies
    between the last six samples of a block counts with the next one.
    """

    __slots__ = ("_hold", "_near", "_ramp", "_steps", "_true_peak", "gain")

    def __init__(self, max_block: int) -> None:
        self.gain = 1.0  # at the end of the last block
        self._hold = 0  # samples
        self._near = False  # the last block came near the ceiling
        self._true_peak = TruePeak(max_block)
        self._steps = np.arange(1, max_block + 1, dtype=np.float32)
        self._ramp = np.empty(max_block, np.float32)

    def apply(self, block: Samples) -> None:
        """Limit the block in place. What is not a number becomes silence."""
        level = peak(block)
        if not level < math.inf:
            block.fill(0.0)
            level = 0.0
        near, self._near = self._near, level > NEAR
        if near or self._near:
            level = max(level, self._true_peak.look(block))
        else:
            self._true_peak.skip(block)
        if level <= CEILING and self.gain == 1.0:
            return
        allowed = min(1.0, CEILING / level) if level else 1.0
        if allowed < self.gain:
            self._attack(block, allowed)
        elif self._hold > 0:
            self._hold -= block.size
            block *= self.gain
        else:
            self._release(block, allowed)

    def _attack(self, block: Samples, goal: float) -> None:
        falling = min(block.size, ATTACK_SAMPLES)
        self._glide(block[:falling], goal)
        block[falling:] *= goal
        np.clip(block, -CEILING, CEILING, out=block)
        self._hold = HOLD_SAMPLES

    def _release(self, block: Samples, allowed: float) -> None:
        rise_db = RELEASE_DB_PER_SECOND * block.size / SAMPLE_RATE
        self._glide(block, min(allowed, self.gain * gain_from_db(rise_db)))

    def _glide(self, block: Samples, goal: float) -> None:
        """Scale by a straight line from the gain that was to the goal."""
        ramp = self._ramp[: block.size]
        np.multiply(self._steps[: block.size], (goal - self.gain) / block.size, out=ramp)
        ramp += self.gain
        block *= ramp
        self.gain = goal
