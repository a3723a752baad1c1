"""What was really played, the last moments of it."""

from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples

TAP_SAMPLES: Final = 2 * SAMPLE_RATE
_MARGIN: Final = SAMPLE_RATE // 10  # what the card may overwrite while the loop is copying
LOOK_BACK: Final = TAP_SAMPLES - _MARGIN  # samples


class Tap:
    """The card writes without asking, the loop looks back up to 1.9 s."""

    __slots__ = ("_data", "ends_at", "played")

    def __init__(self) -> None:
        self.played = 0  # samples since the beginning
        self.ends_at = 0.0  # when the last of them is over, monotonic seconds
        self._data = np.zeros(TAP_SAMPLES, np.float32)

    @property
    def seconds(self) -> float:
        """How long it has been playing."""
        return self.played / SAMPLE_RATE

    def write(self, block: Samples, at: float) -> None:
        """Keep a block of at most TAP_SAMPLES, whose first sample is played at this instant."""
        start = self.played % TAP_SAMPLES
        first = TAP_SAMPLES - start
        if block.size <= first:
            self._data[start : start + block.size] = block
        else:
            self._data[start:] = block[:first]
            self._data[: block.size - first] = block[first:]
        self.played += block.size
        self.ends_at = at + block.size / SAMPLE_RATE

    def since(self, position: int, most: int = LOOK_BACK) -> Samples:
        """What was played from a position (a former `played`) on, as many samples at most; what is
        older than LOOK_BACK is lost, and left out."""
        played = self.played
        start = max(position, played - LOOK_BACK, 0)
        wanted = np.arange(start, min(played, start + most))
        return self._data[wanted % TAP_SAMPLES]

    def recent(self, count: int) -> Samples:
        """The last samples played, 1.9 s at most; silence before the first."""
        count = min(count, LOOK_BACK)
        wanted = np.arange(self.played - count, self.played)
        return self._data[wanted % TAP_SAMPLES]
