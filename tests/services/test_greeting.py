"""What callers hear when they are answered."""

from pathlib import Path

import numpy as np
import pytest

from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.wavfile import WavWriter
from sipstrobe.services.greeting import Greeting
from tests.support.leap import LeapClock
from tests.support.waiting import until


class Desk:
    """A greeting on a bus, and what it told."""

    def __init__(self) -> None:
        self.context = Context(LeapClock())
        self.greeting = Greeting(self.context)
        self.told: list[ServiceStateChanged] = []
        self.context.bus.subscribe(ServiceStateChanged, self.told.append)

    async def apply(self, path: str) -> ServiceStateChanged:
        """What was told once the file has been looked at."""
        count = len(self.told)
        self.greeting.apply(path)
        await until(lambda: len(self.told) > count)
        return self.told[-1]

    async def loaded(self) -> None:
        """All that was asked for has been looked at."""
        await until(lambda: not self.greeting._loading)  # pyright: ignore[reportPrivateUsage]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


def written(path: Path, level: float, count: int = 960) -> str:
    writer = WavWriter(path, 48_000)
    writer.write(np.full(count, level, np.float32))
    writer.close()
    return str(path)


async def test_each_caller_hears_the_recording_from_its_beginning(
    desk: Desk, tmp_path: Path
) -> None:
    told = await desk.apply(written(tmp_path / "hello.wav", 0.25))

    assert told == ServiceStateChanged(service="greeting", working=True, problem="")
    for _ in range(2):
        recording = desk.greeting.recording()
        assert recording is not None
        first = recording(480)
        assert first is not None
        assert first.tolist() == [0.25] * 480
        assert recording(480) is not None
        assert recording(480) is None, "then silence"


async def test_without_a_file_there_is_silence(desk: Desk, tmp_path: Path) -> None:
    assert desk.greeting.recording() is None
    await desk.apply(written(tmp_path / "hello.wav", 0.25))
    assert (await desk.apply("")).working
    assert desk.greeting.recording() is None


async def test_a_file_that_cannot_be_used_is_a_problem_and_callers_hear_silence(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.apply(written(tmp_path / "hello.wav", 0.25))

    told = await desk.apply(str(tmp_path / "nothing.wav"))

    assert told.working is False
    assert "nothing.wav cannot be read" in told.problem
    assert desk.greeting.recording() is None
    assert (await desk.apply(str(tmp_path / "hello.wav"))).working


async def test_of_two_changes_in_a_row_the_last_holds(desk: Desk, tmp_path: Path) -> None:
    long = written(tmp_path / "long.wav", 0.25, 4_800_000)
    short = written(tmp_path / "short.wav", 0.5)

    desk.greeting.apply(long)
    desk.greeting.apply(short)
    await desk.loaded()

    assert len(desk.told) == 1
    recording = desk.greeting.recording()
    assert recording is not None
    samples = recording(10)
    assert samples is not None
    assert samples.tolist() == [0.5] * 10


async def test_what_is_loaded_too_late_is_not_heard(desk: Desk, tmp_path: Path) -> None:
    desk.greeting.apply(written(tmp_path / "long.wav", 0.25, 4_800_000))
    desk.greeting.apply("")
    await desk.loaded()

    assert len(desk.told) == 1
    assert desk.greeting.recording() is None
