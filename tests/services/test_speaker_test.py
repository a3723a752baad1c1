"""The test of the speaker, at the output and in the room (SPT-01…08)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples, gain_from_db
from sipstrobe.audio.source import AddSource, RemoveSource
from sipstrobe.commands import CalibrateSpeaker, RunSpeakerTest
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import SpeakerRun, SpeakerTested, SpeakerWay
from sipstrobe.services.speaker_test import FILE, TONE_SECONDS, TONES, Ear, SpeakerTest
from tests.support.clock import FakeClock

LONG = TONE_SECONDS * len(TONES) + 1.0


class Room:
    """Hears what the speaker plays, so much softer, and some noise."""

    def __init__(self, bench: "Bench", heard: Callable[[Samples], None]) -> None:
        self._bench, self._heard = bench, heard
        self._at = bench.clock.time
        self._noise = np.random.default_rng(1)
        self.closed = False

    def read(self) -> None:
        count = round((self._bench.clock.time - self._at) * SAMPLE_RATE)
        self._at = self._bench.clock.time
        noise = self._noise.normal(0.0, gain_from_db(-70.0), count)
        path_db = self._bench.path_db
        assert path_db is not None
        sound = self._bench.take(count) * gain_from_db(path_db)
        self._heard((sound + noise).astype(np.float32))

    def close(self) -> None:
        self.closed = True


@dataclass
class Bench:
    folder: Path
    path_db: float | None = None  # from the speaker to the microphone; None: there is none
    volume_db: float = 0.0
    problem: str = ""
    room_for_sounds: bool = True
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[SpeakerTested] = field(default_factory=list[SpeakerTested])
    asked: list[float] = field(default_factory=list[float])
    rooms: list[Room] = field(default_factory=list[Room])
    source: AddSource | None = None

    def __post_init__(self) -> None:
        self.context = Context(self.clock)
        self.context.dispatcher.serve(AddSource, self._add)
        self.context.dispatcher.serve(RemoveSource, self._remove)
        self.context.bus.subscribe(SpeakerTested, self.told.append)
        ear = Ear(self._problem, lambda: self.volume_db, self._witness)
        self.speaker = SpeakerTest(self.context, self.folder, ear)

    def take(self, count: int) -> Samples:
        """What the speaker plays."""
        if self.source is None or self.source.refill is None:
            return np.zeros(count, np.float32)
        self.source.refill(count)
        played = np.zeros(count, np.float32)
        self.source.ring.read_into(played)
        return played * np.float32(gain_from_db(self.volume_db))

    def run(self, command: CalibrateSpeaker | RunSpeakerTest) -> SpeakerTested:
        """To the end."""
        self.context.dispatcher.execute(command)
        self.clock.advance(LONG)
        return self.told.pop()

    def _add(self, command: AddSource) -> None:
        if not self.room_for_sounds:
            raise CommandRefused("too_many_sources", "no room")
        self.source = command

    def _remove(self, _: RemoveSource) -> None:
        self.source = None

    def _problem(self, hertz: float, _: float) -> str:
        self.asked.append(hertz)
        return self.problem

    def _witness(self, heard: Callable[[Samples], None]) -> Room | None:
        if self.path_db is None:
            return None
        self.rooms.append(Room(self, heard))
        return self.rooms[-1]


async def test_a_test_before_any_calibration_is_refused(tmp_path: Path) -> None:
    """SPT-02."""
    bench = Bench(tmp_path)
    with pytest.raises(CommandRefused, match="not calibrated yet") as refused:
        bench.context.dispatcher.execute(RunSpeakerTest())
    assert refused.value.code == "not_calibrated"


async def test_without_a_microphone_the_output_is_tested_and_the_result_says_so(
    tmp_path: Path,
) -> None:
    """SPT-08."""
    bench = Bench(tmp_path)

    assert bench.run(CalibrateSpeaker()) == SpeakerTested(
        test=SpeakerRun.CALIBRATION,
        passed=True,
        way=SpeakerWay.LOOP_BACK,
        words="the calibration of the speaker is done",
    )
    assert bench.run(RunSpeakerTest()).passed
    bench.problem = "the speaker is muted"
    failed = bench.run(RunSpeakerTest())

    assert (failed.passed, failed.way, failed.words) == (
        False,
        "loop-back",
        "the speaker is muted",
    )
    assert bench.asked == [*TONES, *TONES, TONES[0]]
    assert bench.source is None


async def test_the_room_is_heard_and_what_is_much_softer_fails(tmp_path: Path) -> None:
    """SPT-01, SPT-02: the volume of all makes no difference, a cover over the horn does."""
    bench = Bench(tmp_path, path_db=-25.0)
    assert bench.run(CalibrateSpeaker()).way == "acoustic"
    bench.volume_db = -12.0
    assert bench.run(RunSpeakerTest()).passed

    bench.volume_db, bench.path_db = 0.0, -40.0
    failed = bench.run(RunSpeakerTest())

    assert not failed.passed
    assert failed.words.startswith("the tone of 500 Hz is 15 dB softer")
    assert "see what stands before it" in failed.words  # PRB-07
    assert all(room.closed for room in bench.rooms)


async def test_a_speaker_that_is_not_heard_at_all_fails(tmp_path: Path) -> None:
    bench = Bench(tmp_path, path_db=-25.0)
    bench.run(CalibrateSpeaker())
    bench.path_db = -100.0

    failed = bench.run(RunSpeakerTest())

    assert failed.words.startswith("the microphone does not hear the tone of 500 Hz")


async def test_a_calibration_of_the_other_kind_says_nothing(tmp_path: Path) -> None:
    """SPT-03: the surroundings have changed."""
    bench = Bench(tmp_path)
    bench.run(CalibrateSpeaker())
    bench.path_db = -25.0

    assert "calibrate anew" in bench.run(RunSpeakerTest()).words


async def test_a_calibration_is_kept_over_restarts(tmp_path: Path) -> None:
    """SPT-06; one that cannot be read is none."""
    bench = Bench(tmp_path, path_db=-25.0)
    assert bench.speaker.snapshot()["calibrated"] is False
    bench.run(CalibrateSpeaker())
    await bench.speaker.aclose()

    again = Bench(tmp_path, path_db=-25.0)
    await again.speaker.open()
    assert again.speaker.snapshot()["way"] == "acoustic"
    assert again.run(RunSpeakerTest()).passed

    (tmp_path / FILE).write_text("{")
    broken = Bench(tmp_path)
    await broken.speaker.open()
    assert broken.speaker.calibration is None


async def test_one_at_a_time_and_none_without_room(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.context.dispatcher.execute(CalibrateSpeaker())
    assert bench.speaker.snapshot()["running"] == "calibration"
    with pytest.raises(CommandRefused, match="is running"):
        bench.context.dispatcher.execute(CalibrateSpeaker())
    bench.room_for_sounds = False
    bench.clock.advance(LONG)
    assert bench.told.pop().words == "no room"

    with pytest.raises(CommandRefused, match="no room"):
        bench.context.dispatcher.execute(CalibrateSpeaker())
    bench.room_for_sounds = True
    assert bench.run(CalibrateSpeaker()).passed


async def test_who_ends_meanwhile_is_not_waited_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, path_db=-25.0)
    bench.context.dispatcher.execute(CalibrateSpeaker())

    await bench.speaker.aclose()
    bench.clock.advance(LONG)

    assert bench.told == []
    assert bench.rooms[0].closed
    assert bench.clock.waiting == 0
