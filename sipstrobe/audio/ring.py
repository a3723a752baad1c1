"""Samples on their way from the loop to the card, without a lock.

There is one writer (the loop) and one reader (the card's callback). Each of the two totals has a
single writer, and it moves only after the samples have been copied: so neither side ever sees half
of what the other does, whichever thread runs when.
"""

from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples

HISTORY: Final = SAMPLE_RATE // 20  # samples that stay readable after they have been played: 50 ms


class SampleRing:
    """A bounded queue of samples that remembers the last 50 ms it has handed out.

    That memory is what a source is faded out of when it runs dry, and what its level is read from.
    """

    __slots__ = ("_data", "_size", "capacity", "consumed", "ended", "spared", "upcoming", "written")

    def __init__(self, capacity_samples: int) -> None:
        assert capacity_samples > 0
        self.capacity = capacity_samples
        self.written = 0  # samples taken from the writer so far; the writer's own
        self.consumed = 0  # samples handed to the reader so far; the reader's own
        self.ended = False  # nothing comes after what is written; the writer's own
        self.spared = False  # what nobody hears just now is not written at all; the writer's own
        # The number of samples before the next that is handed out, and when it is heard if it is
        # there by then; the reader's own.
        self.upcoming: tuple[int, float] | None = None
        self._size = capacity_samples + HISTORY
        self._data = np.zeros(self._size, np.float32)

    @property
    def fill(self) -> int:
        """Samples that wait to be read."""
        return self.written - self.consumed

    @property
    def space(self) -> int:
        """Samples that a write would take."""
        return self.capacity - (self.written - self.consumed)

    def write(self, samples: Samples) -> int:
        """Take as many samples as there is space for, from the first on, and say how many."""
        count = min(samples.size, self.capacity - (self.written - self.consumed))
        start = self.written % self._size
        first = self._size - start
        if count <= first:
            self._data[start : start + count] = samples[:count]
        else:
            self._data[start:] = samples[:first]
            self._data[: count - first] = samples[first:count]
        self.written += count
        return count

    def read_into(self, out: Samples) -> int:
        """Move what waits into the start of out, and say how many samples that were."""
        size, waiting = out.size, self.written - self.consumed
        if waiting >= size:
            self._copy(self.consumed, out)
            self.consumed += size
            return size
        if waiting:
            self._copy(self.consumed, out[:waiting])
            self.consumed += waiting
        return waiting

    def skip(self, count: int) -> int:
        """Let up to count samples pass unread, and say how many did."""
        count = min(count, self.written - self.consumed)
        self.consumed += count
        return count

    def recent(self, count: int) -> Samples:
        """The last samples handed out, HISTORY at most; silence before the first. For the writer.

        While it copies, the reader may go on; nothing that it returns is overwritten meanwhile,
        since only the writer could do that.
        """
        count = min(count, HISTORY)
        out = np.zeros(count, np.float32)
        consumed = self.consumed
        known = min(count, consumed)
        self._copy(consumed - known, out[count - known :])
        return out

    def written_since(self, position: int, most: int | None = None) -> Samples:
        """What was written from a position (a former `written`) on, as many samples at most; for
        the writer, who may look back as far as the capacity reaches."""
        start = max(position, self.written - self.capacity, 0)
        count = self.written - start
        out = np.empty(count if most is None else min(count, most), np.float32)
        self._copy(start, out)
        return out

    def mirror_into(self, out: Samples, skipped: int = 0) -> None:
        """Fill out with what was read last, newest sample first, skipped of them left out.

        It goes on from the last sample without a step. For the reader; skipped and the length of
        out must not exceed HISTORY together.
        """
        end = (self.consumed - skipped) % self._size
        first = min(out.size, end)
        out[:first] = self._data[end - first : end][::-1]
        if first < out.size:
            rest = out.size - first
            out[first:] = self._data[self._size - rest :][::-1]

    def _copy(self, position: int, out: Samples) -> None:
        start = position % self._size
        end = start + out.size
        if end <= self._size:
            out[:] = self._data[start:end]
        else:
            first = self._size - start
            out[:first] = self._data[start:]
            out[first:] = self._data[: out.size - first]
