"""Where sound leaves the device: a sound card, a file, or nowhere at all.

An output asks for its sound, period by period, through the callback it was opened with. That is the
only clock of the sound. The callback fills the given block and must neither wait nor raise.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from math import ceil, floor
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sipstrobe.clock import Clock, Handle
from sipstrobe.errors import MediaError
from sipstrobe.io.portaudio import PortAudio, Stream, close_stream, open_stream, start
from sipstrobe.io.wavfile import WavWriter

logger = logging.getLogger(__name__)

# Fill the block; its first sample is played at this instant (monotonic seconds).
Render = Callable[[NDArray[np.float32], float], None]


class Buffering(NamedTuple):
    """What is asked of a card, in seconds of sound. period: that it takes at a time; held: that
    it has before it; one that cannot do with so little takes what it needs."""

    period: float
    held: float


class Output(Protocol):
    """One place for sound. After `open` it rests until `run`."""

    blocking: bool  # open and close may take a while: call them in a thread
    name: str
    period: float  # seconds of sound asked for at a time
    periods: int  # asked for so far
    late: int  # periods that came too late to be heard in time

    @property
    def problem(self) -> str:
        """What keeps an open output from working, in words; empty when it works."""
        ...

    @property
    def next_at(self) -> float | None:
        """When the first sample that is asked for next is heard; None: not known."""
        ...

    def open(self, render: Render) -> None:
        """Begin. Raises MediaError in words for the device's owner."""
        ...

    def close(self) -> None:
        """End; when it returns, render is not called any more. May be called twice."""
        ...

    def run(self) -> None:
        """There is something to hear: ask for it from now on."""
        ...

    def rest(self) -> None:
        """There is nothing to hear: an output may spare itself the asking."""
        ...

    def catch_up(self) -> None:
        """What is to be heard will change: ask for the periods that have begun before that."""
        ...


def is_card(wanted: str) -> bool:
    """Whether a setting means a sound card."""
    return wanted != "null" and not wanted.startswith("wav:")


def make_output(wanted: str, clock: Clock, sample_rate: int, buffering: Buffering) -> Output:
    """The output that a setting names: auto, null, wav:PATH, or (part of) a card's name.

    buffering: concerns cards; the others have none.
    """
    if wanted == "null":
        return Null(clock, sample_rate)
    if wanted.startswith("wav:"):
        return Wav(Path(wanted.removeprefix("wav:")), clock, sample_rate)
    return SoundDevice(None if wanted == "auto" else wanted, clock, sample_rate, buffering)


class Null:
    """Plays to nobody: a card with periods of 5 ms, on a schedule that never drifts.

    Nobody can hear when a period is mixed. So eight at a time are, unless `catch_up` asks for
    those that have begun: what is played is the same, to the sample, with an eighth of the
    wake-ups. When the loop was late everything due is made good, up to a second, eight at a time:
    who fills the sources is as late, and has a turn before each time.
    """

    PERIOD: ClassVar = 0.005
    BATCH: Final = 8  # periods to a wake-up
    BEHIND: Final = 200  # periods that are made good; more are left out

    def __init__(self, clock: Clock, sample_rate: int) -> None:
        self.blocking = False
        self.name = "null"
        self.period = self.PERIOD
        self.periods = 0
        self.late = 0
        self.problem = ""
        self._clock = clock
        self._sample_rate = sample_rate
        self._size = round(sample_rate * self.PERIOD)  # samples in a period
        self._block = np.zeros(self.BATCH * self._size, np.float32)
        self._render: Render | None = None
        self._timer: Handle | None = None
        self._running = False
        self._line = 0  # where the first period begins: multiples of PERIOD on the clock
        self._position = 0  # the next period
        self._counted = 0  # up to which period those are counted that came too late

    @property
    def next_at(self) -> float | None:
        return self._begin(self._position) if self._running else None

    def open(self, render: Render) -> None:
        self._render = render
        self._line = ceil(self._clock.now() / self.PERIOD - 1e-6)
        self._position = self._counted = 0
        self._resting()

    def close(self) -> None:
        self._render = None
        self._running = False
        self._wait_until(None)

    def run(self) -> None:
        if self._render is not None and not self._running:
            self._pass_time()
            self._running = True
            self._wait_until(self._begin(self._position))

    def rest(self) -> None:
        if self._running:
            self.catch_up()
            self._running = False
            self._wait_until(None)
            self._resting()

    def catch_up(self) -> None:
        until = self._position + self._due()  # what begins meanwhile is for the next turn
        while self._running and self._position < until and self._ask():
            pass

    def _ask(self) -> int:
        """Mix what has begun, eight periods at most; how many are left."""
        due = self._due()
        late_until = self._position + due - self.BATCH
        if late_until > (counted := max(self._counted, self._position)):
            self.late += late_until - counted
            self._counted = late_until
        if due > self.BEHIND:
            self._pass_time()
            return 0
        count = min(due, self.BATCH)
        if count <= 0 or (render := self._render) is None:
            return 0
        block = self._block[: count * self._size]
        render(block, self._begin(self._position))
        self._position += count
        self.periods += count
        self._take(block)
        return due - count

    def _tick(self) -> None:
        """At every eighth line of the clock's 5 ms grid, where others have their turns as well."""
        left = self._ask()
        if not self._running:
            return
        line = self._line + self._position - 1 + self.BATCH
        at = (line - line % self.BATCH) * self.PERIOD
        self._wait_until(self._clock.now() if left else at)

    def _due(self) -> int:
        """How many periods have begun and are not mixed."""
        return floor(self._clock.now() / self.PERIOD + 1e-6) - self._line + 1 - self._position

    def _begin(self, period: int) -> float:
        return (self._line + period) * self.PERIOD

    def _pass_time(self) -> None:
        """Let the periods that have begun pass in silence."""
        if (due := self._due()) > 0:
            self._position += due
            self._take_silence(due * self._size)

    def _wait_until(self, when: float | None, then: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if when is None else self._clock.call_at(when, then or self._tick)

    def _resting(self) -> None:
        """There is nothing to hear from now on."""

    def _take(self, block: NDArray[np.float32]) -> None:
        """What was played."""

    def _take_silence(self, count: int) -> None:
        """Samples that passed without being asked for."""


class Wav(Null):
    """Plays into a file: sample n of it was to be heard n/48000 s after the opening.

    (After the next line of the 5 ms grid, to be exact.)
    """

    REST_STEP: Final = 0.1  # how often silence is written while there is nothing to hear

    def __init__(self, path: Path, clock: Clock, sample_rate: int) -> None:
        super().__init__(clock, sample_rate)
        self.name = f"wav:{path}"
        self._path = path
        self._file: WavWriter | None = None

    def open(self, render: Render) -> None:
        try:
            self._file = WavWriter(self._path, self._sample_rate)
        except OSError as error:
            raise MediaError(f"{self._path} cannot be written: {error.strerror}") from error
        self.problem = ""
        super().open(render)

    def close(self) -> None:
        if self._render is not None:
            self.catch_up()
            self._pass_time()
        super().close()
        file, self._file = self._file, None
        if file is not None:
            self._write(file.close)

    def _resting(self) -> None:
        self._wait_until(self._clock.now() + self.REST_STEP, self._rest_on)

    def _rest_on(self) -> None:
        self._pass_time()
        self._resting()

    def _take(self, block: NDArray[np.float32]) -> None:
        if (file := self._file) is not None:
            self._write(lambda: file.write(block))

    def _take_silence(self, count: int) -> None:
        if (file := self._file) is not None:
            self._write(lambda: file.write_silence(count))

    def _write(self, step: Callable[[], None]) -> None:
        """Do one step of writing; after a failure the sound goes on, but not into the file."""
        try:
            step()
        except OSError as error:
            file, self._file = self._file, None
            if file is not None:
                with suppress(OSError):
                    file.close()
            self.problem = f"{self._path} cannot be written any more: {error.strerror or error}"
            logger.error("%s", self.problem)


class SoundDevice:
    """A sound card, through PortAudio; its thread calls render."""

    def __init__(
        self, device: str | None, clock: Clock, sample_rate: int, buffering: Buffering
    ) -> None:
        self.blocking = True
        self.name = device or "auto"
        self.period = buffering.period
        self.periods = 0
        self.late = 0
        self.next_at: float | None = None
        self._clock = clock
        self._device = device
        self._held = buffering.held
        self._sample_rate = sample_rate
        self._stream: Stream | None = None
        self._render: Render | None = None

    @property
    def problem(self) -> str:
        if self._stream is None or self._stream.active:
            return ""
        return f"The sound card {self.name} has stopped."

    def open(self, render: Render) -> None:
        self._render = render
        self._stream = open_stream(self._make)

    def close(self) -> None:
        """End when what has been rendered is played."""
        stream, self._stream = self._stream, None
        if stream is not None:
            close_stream(stream)

    def run(self) -> None:
        """The card asks always: to stop and start it again would take too long."""

    def rest(self) -> None:
        """See run."""

    def catch_up(self) -> None:
        """The card is never behind."""

    def _make(self, audio: PortAudio) -> Stream:
        try:
            self.name = str(audio.query_devices(self._device, "output")["name"])
        except (ValueError, audio.PortAudioError) as error:
            what = f"No sound card is called {self._device}" if self._device else "No sound card"
            raise MediaError(f"{what}: PortAudio finds none ({error}).") from error
        try:
            stream = audio.OutputStream(
                samplerate=self._sample_rate,
                blocksize=round(self._sample_rate * self.period),
                device=self._device,
                channels=1,
                dtype="float32",
                latency=self._held,
                callback=self._fill,
            )
            start(audio, stream)
        except (ValueError, audio.PortAudioError) as error:
            raise MediaError(f"The sound card {self.name} cannot be used: {error}") from error
        return stream

    def _fill(self, out: NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        render = self._render
        assert render is not None
        if status.output_underflow:
            self.late += 1
        ahead = min(max(time.outputBufferDacTime - time.currentTime, 0.0), 1.0)
        at = self._clock.now() + ahead
        render(out.reshape(frames), at)
        self.next_at = at + frames / self._sample_rate
        self.periods += 1
