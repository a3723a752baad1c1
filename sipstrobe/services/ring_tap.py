"""Sound on its way to the speaker, taken along for others: frame after frame, on our own clock.

It is taken from the ring as it is written there, so before the volume and before whatever else is
heard here, and as soon as a little more than a frame of it waits. The card empties the ring by a
clock of its own, and who writes follows the card; so a tap plays a little slower or faster when the
card's clock leads or lags behind ours.
"""

from typing import Final

import numpy as np

from sipstrobe.audio.format import Samples, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.codecs.stretch import Warp

CUSHION: Final = samples_in(0.020)  # waits besides the first frame: what comes may come unevenly
WINDOW: Final = 128  # frames over which it is seen how far the tap is ahead of the card
OFF: Final = samples_in(0.005)  # further ahead or behind than at first, from which on …
ON: Final = samples_in(0.001)  # … until it is as near as this …
PACE: Final = 0.0005  # … it plays so much slower or faster: less than a cent

_NOTHING: Final[Samples] = np.zeros(0, np.float32)


class RingTap:
    """Only for the writer's side of the ring. frame: samples that are taken at a time."""

    def __init__(self, ring: SampleRing, frame: int) -> None:
        self._ring = ring
        self._frame = frame
        self._position = ring.consumed  # of the next sample; what was played before is past
        self._running = False
        self._rest = _NOTHING  # of what was taken, less than a frame
        self._warp = Warp()
        self._drift = _Drift()

    @property
    def resting(self) -> bool:
        """What comes next is the beginning of something."""
        return not self._running

    def rest(self) -> None:
        """There is a pause: what follows is not joined to what was before."""
        self._running = False
        self._rest = _NOTHING
        self._warp, self._drift = Warp(), _Drift()

    def take(self) -> Samples | None:
        """The next frame; None: it has not come yet, or all has been taken of what ended."""
        if not self._running and not self._begin():
            return None
        ring = self._ring
        speed = self._drift.speed(self._position - ring.consumed)
        while (lacking := self._frame - self._rest.size) > 0:
            if ring.written - self._position < lacking:
                return self._last() if ring.ended else None
            self._play(lacking, speed)
        frame, self._rest = self._rest[: self._frame], self._rest[self._frame :]
        return frame

    def _begin(self) -> bool:
        """When there is enough. Silence before the first sound is left out as far as can be."""
        ring = self._ring
        self._position = max(self._position, ring.written - ring.capacity)
        spare = ring.written - self._position - self._frame - CUSHION
        if spare < 0 and not (ring.ended and ring.written > self._position):
            return False
        if spare > 0:
            sounding = np.flatnonzero(ring.written_since(self._position, spare))
            self._position += int(sounding[0]) if sounding.size else spare
        self._running = True
        return True

    def _play(self, count: int, speed: float) -> None:
        oldest = self._ring.written - self._ring.capacity
        if self._position < oldest:  # we were held up for longer than it is kept
            self._position = oldest
            self._drift = _Drift()
        piece = self._ring.written_since(self._position, count)
        self._position += piece.size
        self._rest = np.concatenate([self._rest, self._warp.process(piece, speed)])

    def _last(self) -> Samples | None:
        """What is left, filled up with silence."""
        left = self._ring.written - self._position
        if left <= 0 and not self._rest.size:
            return None
        if left > 0:
            self._play(left, 0.0)
        frame, self._rest = self._rest, _NOTHING
        return np.pad(frame[: self._frame], (0, max(0, self._frame - frame.size)))


class _Drift:
    """By how much the card's clock has come to differ from ours since the beginning."""

    __slots__ = ("_at_first", "_count", "_speed", "_sum")

    def __init__(self) -> None:
        self._at_first: float | None = None
        self._sum = self._count = 0
        self._speed = 0.0

    def speed(self, ahead: int) -> float:
        """By how much faster (> 0) or slower to play. ahead: of the card, in samples, just now; the
        card takes more than a frame at a time, so that it is the mean that counts."""
        self._sum += ahead
        self._count += 1
        if self._count == WINDOW:
            mean = self._sum / WINDOW
            self._sum = self._count = 0
            if self._at_first is None:
                self._at_first = mean
            by = mean - self._at_first
            if abs(by) > OFF:
                self._speed = -PACE if by > 0 else PACE
            elif abs(by) < ON:
                self._speed = 0.0
        return self._speed
