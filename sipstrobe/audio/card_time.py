"""When each sample of a ring is heard, by what its reader says of its last period."""

from typing import Final

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.ring import SampleRing

NOISE: Final = 0.003  # seconds by which a card errs about its periods; more may be a gap …
BELIEVED: Final = 3  # … if it says so as often in a row
SMOOTHING: Final = 1 / 16  # of such an error that is believed at each look


class CardTime:
    """Goes on where the card's own figures do, but evenly."""

    __slots__ = ("_begin", "_doubts", "_ring", "_seen")

    def __init__(self, ring: SampleRing) -> None:
        self._ring = ring
        self._begin = 0.0  # when a sample before all others would have been heard
        self._seen: tuple[int, float] | None = None  # what the card has said last
        self._doubts = 0  # times in a row that it has said something else before

    def of(self, position: float) -> float | None:
        """When the sample is heard, or was, that so many others came before; in seconds, or None
        as long as the card has not taken up the ring. Samples that are not written yet are taken to
        follow without a gap."""
        upcoming = self._ring.upcoming
        if upcoming is None:
            return None
        if upcoming != self._seen:
            self._follow(*upcoming)
            self._seen = upcoming
        return self._begin + position / SAMPLE_RATE

    def _follow(self, count: int, at: float) -> None:
        begin = at - count / SAMPLE_RATE
        error = begin - self._begin
        if self._seen is None or self._seen[0] == count:  # nothing is playing: it begins anew
            self._begin = begin
        elif abs(error) <= NOISE:
            self._begin += SMOOTHING * error
        elif self._doubts < BELIEVED:
            self._doubts += 1
            return
        else:
            self._begin = begin
        self._doubts = 0
