"""Where sound enters the device: the input of a sound card, or a file that is played over and over.

An input hands over what it has heard, block by block, each with the instant of its first sample. A
card does so by itself, in a thread of its own; a file when it is asked to catch up.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from sipstrobe.clock import Clock
from sipstrobe.errors import MediaError
from sipstrobe.io.portaudio import PortAudio, Stream, close_stream, open_stream, start

Samples = NDArray[np.float32]
Take = Callable[[Samples, float], None]  # a block −1…1, and when its first sample was heard
Load = Callable[[Path], Samples]  # a file at our rate; raises MediaError

PERIOD: Final = 0.010  # seconds that a card hands over at a time
BEHIND: Final = 0.2  # seconds of a file that are handed over at once; what is older is left out


class Input(Protocol):
    """One place where sound comes from. It is heard from `open` to `close`."""

    name: str
    late: int  # blocks of which something was lost before

    @property
    def problem(self) -> str:
        """What keeps an open input from working, in words; empty when it works."""
        ...

    def open(self, take: Take) -> None:
        """Begin; may take a while. Raises MediaError in words for the device's owner."""
        ...

    def close(self) -> None:
        """End; when it returns, take is not called any more. May be called twice."""
        ...

    def catch_up(self) -> None:
        """Hand over what was heard until now."""
        ...


def make_input(wanted: str, clock: Clock, sample_rate: int, load: Load) -> Input:
    """The input that a setting names: auto, wav:PATH, or (part of) a card's name."""
    if wanted.startswith("wav:"):
        return Looped(Path(wanted.removeprefix("wav:")), clock, sample_rate, load)
    return CardInput(None if wanted == "auto" else wanted, clock, sample_rate)


class Looped:
    """A file in place of a microphone, from its beginning when it is opened, over and over."""

    def __init__(self, path: Path, clock: Clock, sample_rate: int, load: Load) -> None:
        self.name = f"wav:{path}"
        self.problem = ""
        self.late = 0
        self._path = path
        self._clock = clock
        self._sample_rate = sample_rate
        self._load = load
        self._samples: Samples | None = None
        self._take: Take | None = None
        self._began = 0.0
        self._position = 0  # samples that have been handed over

    def open(self, take: Take) -> None:
        self._samples = self._load(self._path)
        if not self._samples.size:
            raise MediaError(f"{self._path} holds no sound")
        self._began, self._position = self._clock.now(), 0
        self._take = take

    def close(self) -> None:
        self._take = None

    def catch_up(self) -> None:
        take, samples = self._take, self._samples
        if take is None or samples is None:
            return
        rate = self._sample_rate
        due = int((self._clock.now() - self._began) * rate + 0.5)
        most = round(BEHIND * rate)
        if due - self._position > most:
            self.late += 1
            self._position = due - most
        while self._position < due:
            start = self._position % samples.size
            piece = samples[start : start + due - self._position]
            take(piece, self._began + self._position / rate)
            self._position += piece.size


class CardInput:
    """The input of a sound card, through PortAudio; its thread calls take."""

    def __init__(self, device: str | None, clock: Clock, sample_rate: int) -> None:
        self.name = device or "auto"
        self.late = 0
        self._device = device
        self._clock = clock
        self._sample_rate = sample_rate
        self._stream: Stream | None = None
        self._take: Take | None = None

    @property
    def problem(self) -> str:
        if self._stream is None or self._stream.active:
            return ""
        return f"The microphone {self.name} has stopped."

    def open(self, take: Take) -> None:
        self._take = take
        self._stream = open_stream(self._make)

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            close_stream(stream)

    def catch_up(self) -> None:
        """The card is never behind."""

    def _make(self, audio: PortAudio) -> Stream:
        try:
            found = audio.query_devices(self._device, "input")
        except (ValueError, audio.PortAudioError) as error:
            what = f"No input is called {self._device}" if self._device else "No microphone"
            raise MediaError(f"{what}: PortAudio finds none ({error}).") from error
        self.name = str(found["name"])
        try:
            stream = audio.InputStream(
                samplerate=self._sample_rate,
                blocksize=round(self._sample_rate * PERIOD),
                device=self._device,
                channels=min(2, int(found["max_input_channels"])),
                dtype="float32",
                latency="low",
                callback=self._hear,
            )
            start(audio, stream)
        except (ValueError, audio.PortAudioError) as error:
            raise MediaError(f"The microphone {self.name} cannot be used: {error}") from error
        return stream

    def _hear(self, heard: NDArray[np.float32], frames: int, time: Any, status: Any) -> None:
        take = self._take
        assert take is not None
        if status.input_overflow:
            self.late += 1
        ago = min(max(time.currentTime - time.inputBufferAdcTime, 0.0), 1.0)
        take(heard[:, 0], self._clock.now() - ago)  # of a stereo input the left one (AUD-06)
