"""What was really played, the last moments of it."""

from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples

TAP_SAMPLES: Final = 2 * SAMPLE_RATE
_MARGIN: Final = SAMPLE_RATE // 10  # what the card may overwrite while the loop is copying


class Tap:
    """The card writes without asking, the loop looks back up to 1.9 s."""

    __slots__ = ("_data", "played")

    def __init__(self) -> None:
        self.played = 0  # samples since the beginning
        self._data = np.zeros(TAP_SAMPLES, np.float32)

    @property
    def seconds(self) -> float:
        """How long it has been playing."""
        return self.played / SAMPLE_RATE

    def write(self, block: Samples) -> None:
        """Keep a block of at most TAP_SAMPLES."""
        start = self.played % TAP_SAMPLES
        first = TAP_SAMPLES - start
        if block.size <= first:
            self._data[start : start + block.size] = block
        else:
            self._data[start:] = block[:first]
            self._data[: block.size - first] = block[first:]
        self.played += block.size

    def recent(self, count: int) -> Samples:
        """The last samples played, 1.9 s at most; silence before the first."""
        count = min(count, TAP_SAMPLES - _MARGIN)
        wanted = np.arange(self.played - count, self.played)
        return self._data[wanted % TAP_SAMPLES]
