"""What an onlooker would say about the light log, and a listener about the recorded sound."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pytest

from sipstrobe.lightsiren.sound import SirenSource
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.services.siren import LEVELS_DB
from tests.interop.device import RATE, Device, wait_until
from tests.support.hear import Samples, level_db

T = TypeVar("T")
Frame = dict[str, Any]
SILENCE_DB = -100.0  # below the last bit of the file
LOOK = 0.002  # seconds from one look at the clock to the next
STALL = 0.015  # seconds; the jitter buffer holds at least 20 ms


@dataclass(frozen=True, slots=True)
class Shown:
    """One operation as it was seen without interruption; no profile: dark."""

    at: float
    profile: str
    pattern: str
    priority: int
    colors: frozenset[str]


def seen(frames: Iterable[Frame], since: float = 0.0) -> list[Shown]:
    """What the light has shown, one after the other."""
    runs: list[list[Frame]] = []
    for frame in frames:
        if frame["at"] >= since:
            if not runs or runs[-1][0]["operation"] != frame["operation"]:
                runs.append([])
            runs[-1].append(frame)
    return [_shown(run) for run in runs]


def _shown(run: list[Frame]) -> Shown:
    first = run[0]
    colors = {s["color"] for frame in run for s in frame["sides"].values() if s["level"]}
    return Shown(
        at=first["at"],
        profile=first["profile"] or "",
        pattern=first["pattern"] or "",
        priority=first["priority"] or 0,
        colors=frozenset(colors),
    )


def is_dark(frame: Frame) -> bool:
    return all(side["level"] == 0 for side in frame["sides"].values())


def await_profile(device: Device, profile: str, since: float, limit: float = 30.0) -> Shown:
    """Wait until the light shows this profile; "": until it is dark."""

    def found() -> list[Shown]:
        return [shown for shown in seen(device.frames, since) if shown.profile == profile]

    wait_until(lambda: bool(found()), limit, f"the light shows {profile or 'nothing'}")
    return found()[0]


def await_dark_and_silent(device: Device, since: float) -> None:
    """The last call has ended: nothing is lit, and nothing sounds any more."""
    await_profile(device, "", since)
    assert is_dark(device.frames[-1])

    def silent() -> bool:
        now = time.monotonic()
        return level_db(device.heard(now - 0.1, now)) < SILENCE_DB

    wait_until(silent, words="silence")  # sources fade out within some periods


def on_time(
    device: Device,
    story: Callable[[], T],
    attempts: int = 4,
    late: Callable[[], int] = lambda: 0,
) -> T:
    """Tell a story about sound, again if the machine was late when it failed.

    Phones, device and test share a machine with whatever else it does. Where it stopped one of
    them for longer than a jitter buffer holds, the sound says nothing about the device. That a
    phone alone was stopped nobody sees, so a failure without a witness counts when it comes twice.
    A machine that stops somebody each time has no say, and the story is skipped.

    late: how often somebody else who takes part was late so far.
    """
    unwitnessed = 0
    for _ in range(attempts):
        before, stalls = (*_late(device), late()), Stalls()
        try:
            with stalls:
                return story()
        except (AssertionError, ValueError):  # ValueError: more spans or fewer than there should be
            unwitnessed += stalls.longest < STALL and (*_late(device), late()) == before
            if unwitnessed == 2:
                raise
            if device.calls:
                device.command("hang-up")
            device.wait_idle()
    pytest.skip("the machine was too late each time for a story about sound")


def _late(device: Device) -> tuple[int, int]:
    """How often the card's periods or its sources came too late so far."""
    sound = device.status()["sound"]
    return sound["late"], sound["underruns"]


class Stalls:
    """Notices when the machine lets nobody run."""

    def __init__(self) -> None:
        self.longest = 0.0  # seconds
        self.moments: list[tuple[float, float]] = []  # from when to when, each longer than STALL
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Stalls":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.is_set():
            before = time.monotonic()
            time.sleep(LOOK)
            now = time.monotonic()
            self.longest = max(self.longest, now - before - LOOK)
            if now - before - LOOK > STALL:
                self.moments.append((before, now))


@dataclass(frozen=True, slots=True)
class Match:
    """A siren found in a recording. phase: where in its period it was when the piece began."""

    phase: float  # seconds
    rest_db: float  # what is left when it is subtracted, against it


def match_siren(piece: Samples, name: str, intensity: int) -> Match:
    """Find this sound in a piece of a recording by correlation, and subtract it."""
    period = SOUNDS[name].period_samples
    gain = 10 ** (LEVELS_DB[intensity] / 20)
    source = SirenSource(SOUNDS[name])
    ours = np.asarray(source.next(period + len(piece)), np.float64) * gain
    size = 1 << (len(ours) + len(piece)).bit_length()
    spectrum = np.fft.rfft(ours, size) * np.conj(np.fft.rfft(piece, size))
    start = int(np.argmax(np.fft.irfft(spectrum, size)[:period]))
    expected = ours[start : start + len(piece)]
    return Match(start / RATE, level_db(piece - expected) - level_db(expected))


def turned(phase_a: float, at_a: float, phase_b: float, at_b: float, period: float) -> float:
    """By how much the second phase differs from where the first would have gone, in seconds."""
    error = (phase_b - phase_a - (at_b - at_a)) % period
    return min(error, period - error)
