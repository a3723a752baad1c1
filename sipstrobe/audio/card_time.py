"""When each sample of a ring is heard, by what its reader says of its last period."""

from typing import Final

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.ring import SampleRing

NOISE: Final = 0.003  # seconds by which a card errs about its periods; more is a gap between them
SMOOTHING: Final = 1 / 16  # of such an error that is believed at each look


class CardTime:
    """Goes on where the card's own figures do, but evenly."""

    __slots__ = ("_begin", "_ring")

    def __init__(self, ring: SampleRing) -> None:
        self._ring = ring
        self._begin: float | None = None  # when a sample before all others would have been heard

    def of(self, position: float) -> float | None:
        """When the sample is heard, or was, that so many others came before; in seconds, or None
        as long as the card has not taken up the ring. Samples that are not written yet are taken to
        follow without a gap."""
        if self._ring.upcoming is None:
            return None
        count, at = self._ring.upcoming
        begin = at - count / SAMPLE_RATE
        if self._begin is None or abs(begin - self._begin) > NOISE:
            self._begin = begin
        else:
            self._begin += SMOOTHING * (begin - self._begin)
        return self._begin + position / SAMPLE_RATE
