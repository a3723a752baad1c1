"""Sound from here and there, put in step with the clock, to be recorded.

A lane is looked at a few times a second and gives what has come since. Where less has come than
time has passed, there was silence.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
from msgspec import Struct

from sipstrobe.audio.format import SAMPLE_RATE, Samples, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.tap import Tap
from sipstrobe.services.speech import LiveSource
from sipstrobe.services.stream import Stream

STEP: Final = 0.05  # seconds between two looks; what is looked at keeps far more
LAG: Final = 0.2  # seconds by which a recording is behind, so that all lanes have come so far
BREAK: Final = samples_in(0.08)  # what lacks by more is a pause, and no delay on the way
AHEAD: Final = samples_in(0.5)  # what has come beyond the clock by more is left out

_NOTHING: Final[Samples] = np.zeros(0, np.float32)


class Recordable(Struct, frozen=True):
    """A call that can be recorded."""

    call: str
    stream: Stream
    sample_rate: int  # of its codec


class Side(Protocol):
    """What a lane is fed from."""

    def __call__(self, lacking: int) -> Samples:
        """What has come since the last look. lacking: how much there should be, by the clock."""
        ...

    def close(self) -> None: ...


class TheirSide:
    """What the other side of a call says, as it goes to the speaker."""

    def __init__(self, ring: SampleRing) -> None:
        self._ring = ring
        self._position = ring.written

    def __call__(self, lacking: int) -> Samples:
        found = self._ring.written_since(self._position)
        self._position = self._ring.written
        return found

    def close(self) -> None:
        """There is nothing to end."""


class OurSide:
    """What the other side of a call is given to hear."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._pieces: list[Samples] = []
        stream.witness(self._hear)

    def __call__(self, lacking: int) -> Samples:
        pieces, self._pieces = self._pieces, []
        return np.concatenate(pieces) if pieces else _NOTHING

    def close(self) -> None:
        self._stream.witness(None)
        self._pieces.clear()

    def _hear(self, samples: Samples | None, count: int) -> None:
        self._pieces.append(np.zeros(count, np.float32) if samples is None else samples.copy())


class SpeakerSide:
    """What is really played. A speaker that rests plays nothing, and its tap stands still: that
    there was a pause is seen from when its last sample ended."""

    def __init__(self, tap: Tap, catch_up: Callable[[], None]) -> None:
        catch_up()
        self._tap = tap
        self._catch_up = catch_up
        self._position = tap.played
        self._ended_at = tap.ends_at

    def __call__(self, lacking: int) -> Samples:
        self._catch_up()
        tap = self._tap
        found = tap.since(self._position)
        paused = round((tap.ends_at - self._ended_at) * SAMPLE_RATE) - found.size
        self._position, self._ended_at = tap.played, tap.ends_at
        if not found.size or paused <= BREAK:
            return found
        silence = np.zeros(min(paused, max(0, lacking - found.size)), np.float32)
        return np.concatenate([silence, found])

    def close(self) -> None:
        """There is nothing to end."""


class MicrophoneSide:
    """What the microphone hears."""

    def __init__(self, listener: LiveSource) -> None:
        self._listener = listener

    def __call__(self, lacking: int) -> Samples:
        if lacking <= 0:
            return _NOTHING
        found = self._listener(lacking)
        return np.zeros(lacking, np.float32) if found is None else found

    def close(self) -> None:
        self._listener.close()


class Lane:
    """One channel of a recording, as long as the time that has passed."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._pieces: deque[Samples] = deque()
        self.total = 0  # samples since the beginning

    def feed(self, due: int) -> None:
        """Look what has come. due: samples since the beginning, by the clock."""
        found = self._side(due - self.total)
        lacking = due - self.total - found.size
        if lacking > BREAK:
            self._append(np.zeros(lacking, np.float32))
        elif lacking < -AHEAD:
            found = found[: max(0, due + AHEAD - self.total)]
        if found.size:
            self._append(found)

    def take(self, count: int) -> Samples:
        """The next samples, and silence if there are not as many."""
        out = np.zeros(count, np.float32)
        done = 0
        while done < count and self._pieces:
            piece = self._pieces.popleft()
            part = piece[: count - done]
            out[done : done + part.size] = part
            done += part.size
            if part.size < piece.size:
                self._pieces.appendleft(piece[part.size :])
        self.total += count - done  # silence that was not fed
        return out

    def close(self) -> None:
        self._side.close()

    def _append(self, piece: Samples) -> None:
        self._pieces.append(piece)
        self.total += piece.size
