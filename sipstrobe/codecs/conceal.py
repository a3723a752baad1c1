"""What is heard where a packet is missing: the last pitch period again, fading into silence.

After ITU-T G.711 Appendix I, at any sample rate and without its delay of 3.75 ms: instead of
blending into the sound that is already on its way, the replacement starts with the difference to it
and lets that die away.
"""

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

SHORTEST_PITCH: Final = 0.005  # seconds: voices from 200 Hz …
LONGEST_PITCH: Final = 0.015  # … down to 66 Hz
COMPARED: Final = 0.020  # seconds of sound that the pitch search compares
HELD: Final = 0.010  # seconds at full level …
FADED: Final = 0.060  # … and silence from here on
BLEND: Final = 0.004  # seconds from the replacement to what really comes
_BLOCKS_KEPT: Final = 16

_Block = NDArray[np.float32]


def best_lag(sound: _Block, window: int, shortest: int, longest: int) -> tuple[int, float]:
    """How far back the end of `sound` is most like itself, and how like (−1…1).

    Compares the last `window` samples with those from `shortest` to `longest` samples earlier.
    """
    newest = sound[-window:].astype(np.float64)
    reach = sound[-window - longest : -shortest].astype(np.float64)
    products = np.correlate(reach, newest)  # [0] belongs to the longest lag
    energy = np.cumsum(np.concatenate([[0.0], reach * reach]))
    norms = np.sqrt((energy[window:] - energy[:-window]) * (newest @ newest)) + 1e-9
    likeness = products / norms
    best = int(np.argmax(likeness))
    return longest - best, float(likeness[best])


class Concealer:
    """Everything heard from one stream passes through; gaps are filled from what came before."""

    def __init__(self, sample_rate: int) -> None:
        self._shortest = round(SHORTEST_PITCH * sample_rate)
        self._longest = round(LONGEST_PITCH * sample_rate)
        self._window = round(COMPARED * sample_rate)
        self._held = round(HELD * sample_rate)
        self._faded = round(FADED * sample_rate)
        self._blend = round(BLEND * sample_rate)
        self._recent: deque[_Block] = deque(maxlen=_BLOCKS_KEPT)
        self._period: _Block | None = None  # the repeated one; None: nothing is being concealed
        self._offset = np.float32(0.0)  # between the last real sample and the one before the period
        self._made = 0  # samples of the replacement so far

    def hear(self, block: _Block) -> _Block:
        """A block that has come: returned as it is, or blended in after a replacement.

        The block stays in use until others have followed it; nobody may change it.
        """
        if self._period is not None:
            block = self._blended(block)
        self._recent.append(block)
        return block

    def conceal(self, samples: int) -> _Block:
        """What to play for a gap of this length; silence when nothing has been heard yet."""
        if self._period is None:
            self._begin()
        made = self._continue(samples)
        self._recent.append(made)
        return made

    @property
    def silent(self) -> bool:
        """True when what conceal says next has faded away: a pause here may be of any length."""
        return not self._recent or self._made >= self._faded

    def reset(self) -> None:
        """Forget the sound so far, as for another sender; what comes next is faded in."""
        self._recent.clear()
        self._period = np.zeros(1, np.float32)
        self._made = self._faded

    def _begin(self) -> None:
        heard = np.concatenate(self._recent) if self._recent else np.zeros(0, np.float32)
        missing = self._window + self._longest - heard.size
        if missing > 0:
            heard = np.concatenate([np.zeros(missing, np.float32), heard])
        lag, _ = best_lag(heard, self._window, self._shortest, self._longest)
        period = heard[-lag:].copy()
        seam = max(1, lag // 4)  # the end of the period flows into its beginning
        rising = np.linspace(0.0, 1.0, seam, dtype=np.float32)
        period[-seam:] += rising * (heard[-lag - seam : -lag] - period[-seam:])
        self._period = period
        self._offset = heard[-1] - heard[-lag - 1]
        self._made = 0

    def _continue(self, samples: int) -> _Block:
        assert self._period is not None
        if self._made >= self._faded:
            return np.zeros(samples, np.float32)
        position = np.arange(self._made, self._made + samples)
        made = self._period[position % self._period.size]
        made += self._offset * np.maximum(0.0, 1.0 - (position + 1) / self._blend)
        made *= np.clip((self._faded - position) / (self._faded - self._held), 0.0, 1.0)
        self._made += samples
        return made.astype(np.float32, copy=False)

    def _blended(self, block: _Block) -> _Block:
        count = min(block.size, self._blend + self._made // 4, 2 * self._blend)
        rising = np.linspace(0.0, 1.0, count, dtype=np.float32)
        replaced = self._continue(count)
        block = block.copy()
        block[:count] = replaced + rising * (block[:count] - replaced)
        self._period = None
        self._made = 0
        return block
