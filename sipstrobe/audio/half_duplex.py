"""The microphone goes down while the speaker plays: what helps against echo that is not cancelled.

Whoever speaks through the speaker does not hear himself, nor does it howl; the price is that nobody
is heard who speaks at the same time.
"""

from typing import Final

from sipstrobe.audio.fade import Fade
from sipstrobe.audio.format import Samples, gain_from_db, rms_db, samples_in

LOUD_DB: Final = -50.0  # RMS of what is played, from which on it can be heard in the microphone
DOWN_DB: Final = -36.0  # what becomes of the microphone then
HOLD_SAMPLES: Final = samples_in(0.25)  # for which the room still rings


class HalfDuplex:
    """Feed it block by block what is heard and what was played meanwhile, or shortly before."""

    __slots__ = ("_down", "_fade", "_hold")

    def __init__(self) -> None:
        self._down = gain_from_db(DOWN_DB)
        self._fade = Fade(1.0)
        self._hold = 0  # samples for which the microphone stays down

    @property
    def reduction_db(self) -> float:
        """What is taken away at present, 0 or less."""
        return DOWN_DB if self._hold > 0 else 0.0

    def apply(self, heard: Samples, played: Samples) -> None:
        """Make a block of the microphone softer in place, while and shortly after it is loud in the
        other one; down within 5 ms."""
        if rms_db(played) > LOUD_DB:
            self._hold = HOLD_SAMPLES
        down = self._hold > 0
        if down or self._fade.gain != 1.0:
            self._fade.apply(heard, self._down if down else 1.0)
        self._hold = max(0, self._hold - heard.size)
