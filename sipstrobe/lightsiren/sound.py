"""A sound as something to play: one period, rendered in pieces as it is first heard."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Protocol

from msgspec import Struct
import numpy as np

from sipstrobe.lightsiren.synthesis import SAMPLE_RATE, Note, Samples, render

BLOCK = 960  # samples rendered at a time: 20 ms of sound, well under 1 ms of work
MAX_PERIODS = 4  # rendered periods kept for the next time; 8 s are 1.5 MB
PEAK_DB = -1.0  # true peak of every sound, dB relative to full scale


class Reel(Protocol):
    """One period of sound, mono at 48 kHz, that can be read from anywhere."""

    @property
    def period_samples(self) -> int: ...
    def read(self, start: int, n: int) -> Samples:
        """n samples from start on, not beyond the period; read-only."""
        ...


class Playable(Protocol):
    """What can be sounded. seconds: its period, after which it begins again."""

    @property
    def seconds(self) -> float: ...
    def open(self) -> Reel:
        """Its sound, for one sounding. Raises MediaError where there is none."""
        ...


class Sound(Struct, frozen=True, eq=False):
    """One entry of the catalogue: what it is called, what it is like, and its score.

    seconds: the period, after which it begins again without a seam. peak: the true peak of the
    notes as composed, which the rendering brings to PEAK_DB (a test measures it).
    """

    name: str
    words: str
    seconds: float
    peak: float
    compose: Callable[[], Sequence[Note]]

    @property
    def period_samples(self) -> int:
        return round(self.seconds * SAMPLE_RATE)

    def open(self) -> Reel:
        """The period, shared by all who sound it now or did lately."""
        return _period(self)

    def render(self) -> Samples:
        """One whole period, mono at 48 kHz; in any thread, apart from all who sound it."""
        return _Period(self).read(0, self.period_samples)


class SirenSource:
    """One sounding of a sound: its samples in order, round and round.

    position counts samples since the beginning, over all rounds; it may be set to go on where
    something hidden would be by now. Blocks not heard before are rendered when they are needed
    (about 0.1 ms for 20 ms), all others are copies.
    """

    __slots__ = ("_reel", "position")

    def __init__(self, sound: Playable, position: int = 0) -> None:
        """Raises MediaError where the sound has none."""
        self.position = position
        self._reel = sound.open()

    def next(self, n: int) -> Samples:
        """The next n samples; read-only, and valid for as long as the caller likes."""
        length = self._reel.period_samples
        at = self.position % length
        self.position += n
        if at + n <= length:
            return self._reel.read(at, n)
        pieces = [self._reel.read(at, length - at)]
        n -= length - at
        while n > 0:
            pieces.append(self._reel.read(0, min(n, length)))
            n -= length
        return np.concatenate(pieces)


class _Period:
    """One period in memory, filled block by block in whatever order it is wanted.

    Blocks lie on a fixed grid, so that a sample does not depend on how it was asked for.
    """

    __slots__ = ("_gain", "_missing", "_notes", "_samples")

    def __init__(self, sound: Sound) -> None:
        self._notes = sound.compose()
        self._gain = np.float32(10 ** (PEAK_DB / 20) / sound.peak)
        self._samples = np.empty(sound.period_samples, np.float32)
        self._missing = set(range(-(-sound.period_samples // BLOCK)))

    @property
    def period_samples(self) -> int:
        return self._samples.size

    def read(self, start: int, n: int) -> Samples:
        if self._missing:
            self._fill(start, start + n)
        view = self._samples[start : start + n]
        view.flags.writeable = False
        return view

    def _fill(self, start: int, stop: int) -> None:
        for block in range(start // BLOCK, -(-stop // BLOCK)):
            if block in self._missing:
                self._missing.remove(block)
                low = block * BLOCK
                high = min(low + BLOCK, self._samples.size)
                self._samples[low:high] = render(self._notes, low, high) * self._gain
        if not self._missing:
            self._notes = ()  # complete: the score is needed no more


@lru_cache(maxsize=MAX_PERIODS)
def _period(sound: Sound) -> _Period:
    return _Period(sound)
