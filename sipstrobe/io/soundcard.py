"""Where sound leaves the device: a sound card, a file, or nowhere at all.

An output asks for its sound, period by period, through the callback it was opened with. That is the
only clock of the sound. The callback fills the given block and must neither wait nor raise.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from sipstrobe.clock import Clock, Handle
from sipstrobe.errors import MediaError
from sipstrobe.io.wavfile import WavWriter

logger = logging.getLogger(__name__)

# Fill the block; its first sample is played at this instant (monotonic seconds).
Render = Callable[[NDArray[np.float32], float], None]


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


def make_output(wanted: str, clock: Clock, sample_rate: int) -> Output:
    """The output that a setting names: auto, null, wav:PATH, or (part of) a card's name."""
    if wanted == "null":
        return Null(clock, sample_rate)
    if wanted.startswith("wav:"):
        return Wav(Path(wanted.removeprefix("wav:")), clock, sample_rate)
    return SoundDevice(None if wanted == "auto" else wanted, clock, sample_rate)


class Null:
    """Plays to nobody, as fast as a card would.

    Periods have an absolute schedule, so it never drifts from the clock. When the loop was late
    it catches up a few periods at a time; what is behind by more than a second is left out.
    """

    PERIOD: ClassVar = 0.010
    CATCH_UP: Final = 10  # periods in one go
    BEHIND: Final = 1.0  # seconds

    def __init__(self, clock: Clock, sample_rate: int) -> None:
        self.blocking = False
        self.name = "null"
        self.period = self.PERIOD
        self.periods = 0
        self.late = 0
        self.problem = ""
        self._clock = clock
        self._sample_rate = sample_rate
        self._block = np.zeros(round(sample_rate * self.PERIOD), np.float32)
        self._render: Render | None = None
        self._timer: Handle | None = None
        self._running = False
        self._origin = 0.0  # when sample 0 was played
        self._position = 0  # the next sample

    def open(self, render: Render) -> None:
        self._render = render
        self._origin = self._clock.now()
        self._position = 0
        self._resting()

    def close(self) -> None:
        self._render = None
        self._running = False
        self._wait_until(None)

    def run(self) -> None:
        if self._render is not None and not self._running:
            self._running = True
            now = self._clock.now()
            self._pass_until(now)
            self._wait_until(now)

    def rest(self) -> None:
        if self._running:
            self._running = False
            self._wait_until(None)
            self._resting()

    def _tick(self) -> None:
        now = self._clock.now()
        due = self._sample_at(now)
        if due - self._position > self.BEHIND * self._sample_rate:
            self.late += (due - self._position) // self._block.size
            self._pass_until(now)
        for _ in range(self.CATCH_UP):
            if self._position > due or not self._running:
                break
            self._play(now, due)
        if self._running:
            self._wait_until(max(now, self._origin + self._position / self._sample_rate))

    def _play(self, now: float, due: int) -> None:
        block, render = self._block, self._render
        assert render is not None
        if due - self._position >= block.size:
            self.late += 1
        render(block, now)
        self._position += block.size
        self.periods += 1
        self._take(block)

    def _pass_until(self, now: float) -> None:
        """Let the time up to now pass in silence."""
        silent = self._sample_at(now) - self._position
        if silent > 0:
            self._position += silent
            self._take_silence(silent)

    def _sample_at(self, at: float) -> int:
        return round((at - self._origin) * self._sample_rate)

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
    """Plays into a file: sample n of it is what was to be heard n/48000 s after the opening."""

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
            self._pass_until(self._clock.now())
        super().close()
        file, self._file = self._file, None
        if file is not None:
            self._write(file.close)

    def _resting(self) -> None:
        self._wait_until(self._clock.now() + self.REST_STEP, self._rest_on)

    def _rest_on(self) -> None:
        self._pass_until(self._clock.now())
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


class _Stream(Protocol):
    """What is used of sounddevice.OutputStream."""

    @property
    def active(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self, ignore_errors: bool = True) -> None: ...
    def close(self, ignore_errors: bool = True) -> None: ...


class _PortAudio(Protocol):
    """What is used of the module sounddevice, which comes without types."""

    PortAudioError: type[Exception]

    def OutputStream(self, **options: object) -> _Stream: ...  # noqa: N802
    def query_devices(self, device: str | None, kind: str) -> dict[str, Any]: ...
    def _initialize(self) -> None: ...
    def _terminate(self) -> None: ...


class SoundDevice:
    """A sound card, through PortAudio; its thread calls render."""

    PERIOD: ClassVar = 0.005

    def __init__(self, device: str | None, clock: Clock, sample_rate: int) -> None:
        self.blocking = True
        self.name = device or "auto"
        self.period = self.PERIOD
        self.periods = 0
        self.late = 0
        self.faults = 0  # of render; each is a period of silence
        self._clock = clock
        self._device = device
        self._sample_rate = sample_rate
        self._stream: _Stream | None = None
        self._render: Render | None = None

    @property
    def problem(self) -> str:
        if self._stream is None or self._stream.active:
            return ""
        return f"The sound card {self.name} has stopped."

    def open(self, render: Render) -> None:
        audio = _portaudio()
        self._render = render
        try:
            self.name = str(audio.query_devices(self._device, "output")["name"])
        except (ValueError, audio.PortAudioError) as error:
            what = f"No sound card is called {self._device}" if self._device else "No sound card"
            raise MediaError(f"{what}: PortAudio finds none ({error}).") from error
        try:
            self._stream = audio.OutputStream(
                samplerate=self._sample_rate,
                blocksize=round(self._sample_rate * self.PERIOD),
                device=self._device,
                channels=1,
                dtype="float32",
                latency="low",
                callback=self._fill,
            )
            self._stream.start()
        except (ValueError, audio.PortAudioError) as error:
            self.close()
            raise MediaError(f"The sound card {self.name} cannot be used: {error}") from error

    def close(self) -> None:
        """End when what has been rendered is played."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.stop(ignore_errors=True)
            stream.close(ignore_errors=True)

    def run(self) -> None:
        """The card asks always: to stop and start it again would take too long."""

    def rest(self) -> None:
        """See run."""

    def _fill(self, out: NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        render = self._render
        assert render is not None
        if status.output_underflow:
            self.late += 1
        ahead = min(max(time.outputBufferDacTime - time.currentTime, 0.0), 1.0)
        try:
            render(out.reshape(frames), self._clock.now() + ahead)
        except Exception:
            self.faults += 1
            out.fill(0.0)
        self.periods += 1


def _portaudio() -> _PortAudio:
    """The library, with a fresh look at which cards there are."""
    try:
        audio = cast("_PortAudio", import_module("sounddevice"))
    except (ImportError, OSError) as error:
        raise MediaError(
            "Sound cards need the library PortAudio: install the package libportaudio2."
        ) from error
    try:
        audio._terminate()  # pyright: ignore[reportPrivateUsage]
        audio._initialize()  # pyright: ignore[reportPrivateUsage]
    except audio.PortAudioError as error:
        raise MediaError(f"PortAudio does not start: {error}") from error
    return audio
