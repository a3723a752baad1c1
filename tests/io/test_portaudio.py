"""One library for all cards that are open: no sound ends because another card is looked for."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sipstrobe.clock import Clock
from sipstrobe.errors import MediaError
from sipstrobe.io.microphone import CardInput
from sipstrobe.io.soundcard import Buffering, SoundDevice
from tests.support.clock import FakeClock


class Library:
    """Takes the place of sounddevice, and notes what is done with it."""

    class PortAudioError(Exception):
        pass

    def __init__(self) -> None:
        self.done: list[str] = []
        self.broken = False

    def OutputStream(self, **_: object) -> "Opened":  # noqa: N802
        return Opened(self, "output")

    def InputStream(self, **options: object) -> "Opened":  # noqa: N802
        return Opened(self, f"input of {options['channels']}")

    def query_devices(self, device: str | None, kind: str) -> dict[str, object]:
        return {"name": f"{device} {kind}", "max_input_channels": 8}

    def _initialize(self) -> None:
        self.done.append("look")

    def _terminate(self) -> None:
        pass


class Opened:
    def __init__(self, library: Library, what: str) -> None:
        self.active = True
        self._library = library
        self._what = what

    def start(self) -> None:
        if self._library.broken:
            raise self._library.PortAudioError("busy")
        self._library.done.append(f"{self._what} starts")

    def stop(self, ignore_errors: bool = True) -> None:
        self.active = False

    def close(self, ignore_errors: bool = True) -> None:
        self._library.done.append(f"{self._what} closes")


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setitem(sys.modules, "sounddevice", library)
    return library


def card(clock: Clock) -> SoundDevice:
    return SoundDevice("USB", clock, 48000, Buffering(0.005, 0.015))


def test_a_fresh_look_is_taken_while_nothing_is_open_and_never_else(library: Library) -> None:
    clock = FakeClock()
    speaker, microphone = card(clock), CardInput("USB", clock, 48000)

    speaker.open(lambda out, at: None)
    microphone.open(lambda block, at: None)
    speaker.close()
    speaker.close()
    speaker.open(lambda out, at: None)
    speaker.close()
    microphone.close()
    speaker.open(lambda out, at: None)
    speaker.close()

    looks = [n for n, what in enumerate(library.done) if what == "look"]
    assert library.done[:3] == ["look", "output starts", "input of 2 starts"]
    assert len(looks) == 2
    assert library.done[looks[1] - 1] == "input of 2 closes"
    assert (speaker.name, microphone.name) == ("USB output", "USB input")


def test_what_does_not_start_is_closed_and_said(library: Library) -> None:
    library.broken = True
    for one, words in (
        (CardInput(None, FakeClock(), 48000), "microphone None input"),
        (card(FakeClock()), "sound card USB output"),
    ):
        with pytest.raises(MediaError, match=f"The {words} cannot be used: busy"):
            one.open(lambda block, at: None)
        assert library.done[-1].endswith("closes")
        assert one.problem == ""
    assert library.done.count("look") == 2


def test_the_left_channel_of_a_stereo_input_is_heard(library: Library) -> None:
    """AUD-06, with the instant at which it was heard."""
    heard: list[tuple[list[float], float]] = []
    clock = FakeClock(10.0)
    microphone = CardInput("USB", clock, 48000)
    microphone.open(lambda block, at: heard.append((block.tolist(), at)))

    block = np.array([[0.5, -1.0], [0.25, -1.0]], np.float32)
    time = SimpleNamespace(currentTime=3.0, inputBufferAdcTime=2.99)
    microphone._hear(block, 2, time, SimpleNamespace(input_overflow=False))  # pyright: ignore[reportPrivateUsage]
    microphone._hear(block, 2, time, SimpleNamespace(input_overflow=True))  # pyright: ignore[reportPrivateUsage]
    microphone.close()

    assert heard[0] == ([0.5, 0.25], pytest.approx(9.99))
    assert microphone.late == 1
