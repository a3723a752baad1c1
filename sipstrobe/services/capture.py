"""From one open input to what those read who listen to it: echo, gain, and the clock."""

from collections.abc import Callable
from typing import Final

import numpy as np

from sipstrobe.audio.fade import Fade
from sipstrobe.audio.format import (
    SAMPLE_RATE,
    SILENCE_DB,
    Samples,
    db_from_gain,
    gain_from_db,
    rms_db,
    samples_in,
)
from sipstrobe.audio.leveller import Leveller
from sipstrobe.audio.limit import Limiter
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import Microphone as MicrophoneSettings
from sipstrobe.audio.tap import Tap
from sipstrobe.codecs.stretch import MOST, Warp
from sipstrobe.io.microphone import Input
from sipstrobe.services.echo import FRAME, Echo

WAITING: Final = samples_in(0.5)  # samples that a card may hand over while we are held up …
STALE: Final = samples_in(0.1)  # … of which this many are used
PIECE: Final = 10  # frames over which the automatic gain takes a level
SETTLING: Final = 100  # frames after which it is known how far ahead of the clock the samples are
SMOOTHING: Final = 0.01  # of that, a frame
IN_TIME: Final = 0.003  # seconds that are let be
FOLLOWING: Final = 0.2  # of the rest is made good in a second


class Capture:
    """What one input hears. Nothing runs here but the card's thread in `take`, which only copies:
    all else is done when somebody asks for sound. `tap`: what there is to hear, by our clock."""

    def __init__(self, source: Input, echo: Echo | None) -> None:
        self.input = source
        self.tap = Tap()
        self.level_db = SILENCE_DB  # RMS of the last frame
        self.lost = 0  # samples that nobody has asked for in time
        self.witnesses: list[Callable[[Samples], None]] = []  # called with what is heard, raw
        self._echo = echo
        self._line = SampleRing(WAITING)
        self._ends_at = 0.0  # when the last sample in the line was heard
        self._frame: Samples = np.zeros(FRAME, np.float32)
        self._gain = Fade(1.0)
        self._fixed_db = 0.0
        self._leveller: Leveller | None = None
        self._powers: list[float] = []  # of the frames of a piece
        self._limiter = Limiter(FRAME)
        self._drift = _Drift()
        self._warp = Warp()

    def apply(self, wanted: MicrophoneSettings) -> None:
        """How loud it is from now on."""
        self._fixed_db = wanted.gain_db
        if not wanted.automatic_gain:
            self._leveller = None
        elif self._leveller is None:
            self._leveller = Leveller()

    @property
    def gain_db(self) -> float:
        """What is added at present."""
        return self._fixed_db + (self._leveller.gain_db if self._leveller is not None else 0.0)

    @property
    def received(self) -> int:
        """Samples that the input has handed over."""
        return self._line.written

    def take(self, block: Samples, at: float) -> None:
        """A block of the input; called in its thread."""
        self._line.write(block)
        self._ends_at = at + block.size / SAMPLE_RATE

    def run(self, now: float) -> None:
        """Bring `tap` up to date."""
        self.input.catch_up()
        line = self._line
        if line.fill > 2 * STALE:
            self.lost += line.skip(line.fill - STALE)
            self._drift.forget()
        while line.fill >= FRAME:
            heard_at = self._ends_at - line.fill / SAMPLE_RATE
            line.read_into(self._frame)
            self._hear(self._frame, heard_at)
            speed = self._drift.speed(self.tap.played, now)
            self.tap.write(self._warp.process(self._frame, speed), heard_at)

    def close(self) -> None:
        """Forget what was learnt of the room; the input is closed already."""
        if self._echo is not None:
            self._echo.close()

    def _hear(self, frame: Samples, heard_at: float) -> None:
        """Make of one frame, in place, what those who listen are to hear."""
        for witness in self.witnesses:
            witness(frame)
        if self._echo is not None:
            frame[:] = self._echo.process(frame, heard_at)
        if self._leveller is not None:
            self._level(frame, self._leveller)
        self._gain.apply(frame, gain_from_db(self.gain_db))
        self._limiter.apply(frame)
        self.level_db = rms_db(frame)

    def _level(self, frame: Samples, leveller: Leveller) -> None:
        self._powers.append(float(frame @ frame))
        if len(self._powers) == PIECE:
            level_db = db_from_gain((sum(self._powers) / (PIECE * FRAME)) ** 0.5)
            self._powers.clear()
            leveller.hear(level_db + self._fixed_db, PIECE * FRAME / SAMPLE_RATE)


class _Drift:
    """A card's second is not ours. Those who listen go by the clock, so what the card hears is
    played faster or slower by as little as the two differ."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Some samples were left out: begin anew."""
        self._frames = 0
        self._ahead = 0.0  # seconds of sound beyond the clock's, smoothed
        self._usual = 0.0

    def speed(self, made: int, now: float) -> float:
        """For the next frame, as Warp has it: above 0 there is too much. made: samples so far."""
        ahead = made / SAMPLE_RATE - now
        if self._frames < SETTLING:
            self._frames += 1
            self._ahead += (ahead - self._ahead) / self._frames
            self._usual = self._ahead
            return 0.0
        self._ahead += SMOOTHING * (ahead - self._ahead)
        error = self._ahead - self._usual
        beyond = max(abs(error) - IN_TIME, 0.0)
        speed = min(beyond * FOLLOWING, MOST)
        return speed if error > 0.0 else -speed
