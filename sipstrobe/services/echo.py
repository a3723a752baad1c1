"""What the speaker plays is taken out of what the microphone hears, or the microphone goes down
meanwhile where there is no library for it."""

from collections.abc import Callable
from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples, samples_in
from sipstrobe.audio.half_duplex import HalfDuplex
from sipstrobe.audio.tap import Tap
from sipstrobe.io.speexdsp import EchoCanceller, library

FRAME: Final = samples_in(0.010)  # samples at a time
TAIL: Final = samples_in(0.200)  # of the room, and for what the instants of the cards are wrong by
AHEAD: Final = samples_in(0.010)  # so much later than it was heard the reference was played: no
# echo may come before its sound, even if the instants of the cards are not quite right
ASTRAY: Final = samples_in(0.007)  # what is out of step by more, on average, is put right
SMOOTHING: Final = 0.05  # of that average, a frame

assert ASTRAY < AHEAD < TAIL


class Reference:
    """What was played, in step with what is heard: the echo canceller learns how the one becomes
    the other, so that nothing must shift between them.

    The instants of a card's blocks jitter, its samples do not. So the instants only say where to
    begin, and where to begin anew when both have drifted apart.
    """

    def __init__(self, tap: Tap, catch_up: Callable[[], None]) -> None:
        """catch_up: brings the tap up to date."""
        self._tap = tap
        self._catch_up = catch_up
        self._position: int | None = None  # in the tap, of the next frame
        self._astray = 0.0  # samples that the instants are ahead of it, on average

    def take(self, heard_at: float) -> Samples:
        """A FRAME of what is played AHEAD of this instant; silence where nothing is."""
        self._catch_up()
        tap = self._tap
        wanted = round(tap.played - (tap.ends_at - heard_at) * SAMPLE_RATE) + AHEAD
        position = self._position
        if position is not None:
            self._astray += SMOOTHING * (wanted - position - self._astray)
        if position is None or abs(self._astray) > ASTRAY:
            position, self._astray = wanted, 0.0
        found = tap.since(position, FRAME) if position >= 0 else np.zeros(0, np.float32)
        if not found.size:  # the speaker rests
            self._position = None
            return np.zeros(FRAME, np.float32)
        self._position = position + FRAME
        if found.size < FRAME:
            found = np.concatenate([found, np.zeros(FRAME - found.size, np.float32)])
        return found


class Echo:
    """Keep what is played out of what is heard, frame by frame."""

    def __init__(self, reference: Reference, canceller: EchoCanceller | None) -> None:
        """canceller: of frames of FRAME; None: half duplex."""
        self._reference = reference
        self._canceller = canceller
        self._half_duplex = HalfDuplex()

    def process(self, heard: Samples, heard_at: float) -> Samples:
        """What is left of one frame, whose first sample was heard at this instant."""
        played = self._reference.take(heard_at)
        if self._canceller is not None:
            return self._canceller.process(heard, played)
        self._half_duplex.apply(heard, played)
        return heard

    def close(self) -> None:
        if self._canceller is not None:
            self._canceller.close()


def means() -> str:
    """What can be done about echo here: cancellation or half_duplex."""
    return "half_duplex" if library() is None else "cancellation"


def make_echo(reference: Reference) -> Echo:
    """The best that can be done here."""
    canceller = None if library() is None else EchoCanceller(SAMPLE_RATE, FRAME, TAIL)
    return Echo(reference, canceller)
