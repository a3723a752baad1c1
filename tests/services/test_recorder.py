"""Recordings of calls, the speaker and the microphone: AUD-05."""

import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.tap import Tap
from sipstrobe.commands import StartRecording, StopRecording
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import (
    CallReason,
    CallStateChanged,
    CallStatus,
    Direction,
    MicrophoneChanged,
    RecordingChanged,
    ServiceStateChanged,
)
from sipstrobe.services.lanes import Recordable
from sipstrobe.services.recorder import MAX_AT_ONCE, RETRY, SHARE, Recorder
from sipstrobe.services.recording_store import WavSink
from sipstrobe.services.speech import LiveSource, Recording, Witness
from tests.support.clock import FakeClock
from tests.support.hear import loud_spans, tone_db
from tests.support.waiting import until

STEP = 0.02


def tone(hertz: float, seconds: float) -> Samples:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.1 * np.sqrt(2) * np.sin(2 * np.pi * hertz * at)).astype(np.float32)


class Line:
    """A call: what its other side says, and what it is given to hear, 20 ms at a time."""

    def __init__(self, name: str, rate: int) -> None:
        self.ring = SampleRing(SAMPLE_RATE // 2)
        self.name = name
        self.rate = rate
        self.told: Witness | None = None

    def witness(self, told: Witness | None) -> None:
        self.told = told

    def say(self, theirs: Samples | None, ours: Samples | None) -> None:
        if theirs is not None:
            self.ring.write(theirs)
            self.ring.skip(theirs.size)
        if self.told is not None:
            self.told(ours, 960)


class Room:
    """A microphone before a whistle."""

    def __init__(self) -> None:
        self.closed = False
        self._sound = Recording(tone(700.0, 1.0), loop=True)

    def __call__(self, count: int) -> Samples | None:
        return self._sound(count)

    def close(self) -> None:
        self.closed = True


class Studio:
    """A recorder, and all that it can record."""

    def __init__(self, state: Path) -> None:
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.changes: list[RecordingChanged] = []
        self.problems: list[str] = []
        self.context.bus.subscribe(RecordingChanged, self.changes.append)
        self.context.bus.subscribe(ServiceStateChanged, lambda e: self.problems.append(e.problem))
        self.lines: dict[str, Line] = {}
        self.tap = Tap()
        self.room: Room | None = None
        self.recorder = Recorder(self.context, state, self, (self.tap, lambda: None), self._listen)
        self.recorder.apply(500)

    def recordable(self, call: str | None) -> Recordable | None:
        line = next((x for x in self.lines.values() if call in (None, x.name)), None)
        if line is None:
            return None
        return Recordable(line.name, line, line.rate)  # pyright: ignore[reportArgumentType]

    def _listen(self) -> LiveSource | None:
        return self.room

    def start(self, *args: str, **kwargs: object) -> str:
        return self.context.dispatcher.execute(StartRecording(*args, **kwargs))  # type: ignore[arg-type, no-any-return]

    def stop(self, name: str | None = None) -> None:
        self.context.dispatcher.execute(StopRecording(recording=name))

    def switch_microphone(self, *, on: bool) -> None:
        with self.context.trace.input("test", "the microphone", self.clock.now()):
            self.context.bus.publish(MicrophoneChanged(on=on))

    def end(self, call: str) -> None:
        """It is over."""
        del self.lines[call]
        with self.context.trace.input("test", "ends", self.clock.now()):
            self.context.bus.publish(
                CallStateChanged(
                    call=call,
                    direction=Direction.INCOMING,
                    account="",
                    local_uri="",
                    remote_uri="",
                    extension="",
                    line="",
                    before=CallStatus.ACTIVE,
                    state=CallStatus.TERMINATED,
                    reason=CallReason.TERMINATED,
                )
            )

    async def written(self) -> None:
        """All recordings have ended."""
        await until(lambda: not self.recorder.snapshot())

    def talk(self, line: Line, seconds: float, theirs: float = 0.0, ours: float = 0.0) -> None:
        """Tones of these frequencies for so long; 0: silence, or no packets at all."""
        said, heard = (tone(f, seconds) if f else None for f in (theirs, ours))
        for n in range(round(seconds / STEP)):
            at = slice(960 * n, 960 * (n + 1))
            line.say(
                said[at] if said is not None else None, heard[at] if heard is not None else None
            )
            self.clock.advance(STEP)


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    studio = Studio(tmp_path)
    yield studio
    studio.stop()
    await studio.written()
    await studio.recorder.aclose()


def read(path: Path | None) -> tuple[list[np.ndarray[tuple[int], np.dtype[np.float64]]], int]:
    """Channels and sample rate."""
    assert path is not None
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64) / 32768
        return list(data.reshape(-1, file.getnchannels()).T), file.getframerate()


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
async def test_a_call_has_them_on_the_left_and_us_on_the_right(studio: Studio, rate: int) -> None:
    """In step, and at the rate of the codec."""
    line = studio.lines["in-1"] = Line("in-1", rate)
    name = studio.start(source="call")
    studio.talk(line, 0.5, theirs=500.0)
    studio.talk(line, 0.5, ours=1000.0)
    studio.talk(line, 0.5, theirs=500.0, ours=1000.0)
    studio.stop(name)
    await studio.written()

    (left, right), found = read(studio.recorder.path(name))

    assert found == rate
    assert left.size / rate == pytest.approx(1.5, abs=0.02)
    assert [span[0] for span in loud_spans(left, rate)][:1] == pytest.approx([0.0], abs=0.11)
    for channel, hertz, expected in (
        (left, 500.0, [(0, 0.5), (1, 1.5)]),
        (right, 1000.0, [(0.5, 1.5)]),
    ):
        spans = loud_spans(channel, rate)
        assert len(spans) == len(expected)
        for span, wanted in zip(spans, expected, strict=True):
            assert span == pytest.approx(wanted, abs=0.11)
        middle = channel[round(1.15 * rate) : round(1.35 * rate)]
        assert tone_db(middle, hertz, rate) == pytest.approx(-20.0, abs=0.2)


async def test_the_recording_of_a_call_ends_with_it(studio: Studio) -> None:
    line = studio.lines["in-1"] = Line("in-1", 8000)
    name = studio.start(source="call", call="in-1")
    assert name == "20300101T000000Z-call-in-1-1.wav"
    studio.talk(line, 0.4, theirs=500.0)

    studio.end("in-1")
    await studio.written()

    assert line.told is None
    assert [(c.recording, c.active) for c in studio.changes] == [(name, True), (name, False)]
    assert read(studio.recorder.path(name))[0][0].size / 8000 == pytest.approx(0.4, abs=0.02)


async def test_the_speaker_is_recorded_as_it_was_heard_with_its_pauses(studio: Studio) -> None:
    """An output that rests mixes nothing: what was not played was silence."""
    name = studio.start(source="speaker")
    sound = tone(600.0, 0.4)
    for began in (0.2, 1.2):
        studio.clock.advance_to(began)
        for n in range(20):
            studio.clock.advance(STEP)
            studio.tap.write(sound[960 * n : 960 * (n + 1)], began + n * STEP)
    studio.clock.advance_to(2.0)
    studio.stop(name)
    await studio.written()

    ([channel], rate) = read(studio.recorder.path(name))

    assert rate == SAMPLE_RATE
    assert channel.size / rate == pytest.approx(2.0, abs=0.02)
    spans = loud_spans(channel)
    assert spans[0] == pytest.approx((0.2, 0.6), abs=0.1)
    assert spans[1] == pytest.approx((1.2, 1.6), abs=0.1)
    assert len(spans) == 2


async def test_the_microphone_is_listened_to_while_it_is_recorded(studio: Studio) -> None:
    studio.room = Room()
    name = studio.start(source="microphone")
    studio.clock.advance(1.0)
    studio.stop()
    await studio.written()

    assert studio.room.closed
    ([channel], _) = read(studio.recorder.path(name))
    assert tone_db(channel[9600:38400], 700.0) == pytest.approx(-20.0, abs=0.1)


async def test_it_ends_by_itself(studio: Studio) -> None:
    name = studio.start(source="speaker", seconds=2)
    studio.clock.advance(5.0)
    await studio.written()

    ([channel], _) = read(studio.recorder.path(name))
    assert channel.size == 2 * SAMPLE_RATE


async def test_what_was_heard_so_far_is_a_whole_file_at_any_moment(studio: Studio) -> None:
    """A process that is killed leaves what there was until half a second before."""
    name = studio.start(source="speaker")
    for n in range(100):
        studio.tap.write(np.full(960, 0.25, np.float32), n * STEP)
        studio.clock.advance(STEP)
    path = studio.recorder.path(name)
    assert path is not None
    await until(lambda: path.exists() and path.stat().st_size > 1.5 * SAMPLE_RATE * 2)

    # What is written of it counts when the head of the file says so.
    await until(lambda: read(path)[0][0].size / SAMPLE_RATE >= 1.5)
    ([channel], _) = read(path)
    assert channel[SAMPLE_RATE] == 0.25


async def test_what_cannot_be_recorded_is_refused(studio: Studio) -> None:
    for order, code in (
        ({"source": "call"}, "no_call"),
        ({"source": "call", "call": "in-9"}, "no_call"),
        ({"source": "microphone"}, "no_microphone"),
        ({"source": "speaker", "seconds": 0}, "seconds"),
        ({"source": "speaker", "seconds": 86_401}, "seconds"),
    ):
        with pytest.raises(CommandRefused) as refused:
            studio.start(**order)
        assert refused.value.code == code
    assert not studio.changes


async def test_few_at_once_and_each_call_once(studio: Studio) -> None:
    studio.lines["in-1"] = Line("in-1", 8000)
    studio.start(source="call")
    with pytest.raises(CommandRefused, match="in-1 is being recorded already"):
        studio.start(source="call")
    for _ in range(MAX_AT_ONCE - 1):
        studio.start(source="speaker")

    with pytest.raises(CommandRefused) as refused:
        studio.start(source="speaker")

    assert refused.value.code == "too_many_recordings"
    assert len({r["recording"] for r in studio.recorder.snapshot()}) == MAX_AT_ONCE


async def test_the_oldest_make_room(studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for day in (1, 2, 3):
        with (folder / f"2029010{day}T000000Z-speaker-1.wav").open("wb") as file:
            file.truncate(900_000)
    (folder / "notes.txt").write_text("not ours")

    studio.recorder.apply(2)

    await until(lambda: len(list(folder.iterdir())) == 3)
    found = await studio.recorder.recordings()
    assert [r.name[:8] for r in found] == ["20290103", "20290102"]
    assert (found[0].source, found[0].size, found[0].began) == ("speaker", 900_000, 1862092800.0)


async def test_what_grows_beyond_the_quota_ends_and_it_is_said(studio: Studio) -> None:
    studio.recorder.apply(1)
    name = studio.start(source="speaker")
    for n in range(800):
        studio.tap.write(np.full(960, 0.25, np.float32), n * STEP)
        studio.clock.advance(STEP)
        if n % 50 == 0:
            await studio.recorder.recordings()  # the thread keeps up
    await studio.written()

    assert studio.changes[-1] == RecordingChanged(recording=name, active=False)
    assert "the space for recordings (1 MB) is used up" in studio.problems
    [one] = await studio.recorder.recordings()
    assert (one.name, one.size > 1_000_000) == (name, True)  # it is kept as far as it came


async def test_a_recording_is_deleted_unless_it_is_being_made(studio: Studio) -> None:
    name = studio.start(source="speaker")
    studio.clock.advance(0.5)
    with pytest.raises(CommandRefused, match="is being made"):
        await studio.recorder.delete(name)
    studio.stop()
    await studio.written()

    assert await studio.recorder.delete(name)
    assert not await studio.recorder.delete(name)
    assert not await studio.recorder.delete("../settings.json")
    assert studio.recorder.path("../settings.json") is None


async def test_a_folder_that_cannot_be_written_is_said(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "recordings").write_text("a file is in the way")
    studio.start(source="speaker")
    studio.clock.advance(0.5)
    await studio.written()

    assert any("recordings" in problem for problem in studio.problems)
    (tmp_path / "recordings").unlink()


async def test_nothing_of_an_earlier_run_is_written_over(studio: Studio, tmp_path: Path) -> None:
    """A device without a battery for its clock may begin each run at the same instant."""
    first = studio.start(source="speaker")
    studio.clock.advance(1.0)
    studio.stop()
    await studio.written()
    kept = (tmp_path / "recordings" / first).read_bytes()

    again = Studio(tmp_path)
    second = again.start(source="speaker")
    again.clock.advance(0.5)
    again.stop()
    await again.written()
    await again.recorder.aclose()

    assert first != second
    assert first.split("-")[0] == second.split("-")[0]
    assert (tmp_path / "recordings" / first).read_bytes() == kept


def test_what_there_is_is_not_recorded_over(tmp_path: Path) -> None:
    """Whoever has put it there, and whatever its number."""
    there = tmp_path / "20260101T000000Z-speaker-1.wav"
    there.write_bytes(b"kept")

    with pytest.raises(FileExistsError):
        WavSink(there, 1, 1)

    assert there.read_bytes() == b"kept"


async def test_the_microphone_is_recorded_without_end(studio: Studio) -> None:
    """AUD-05: from when it is on, one file after the other, also after a restart."""
    studio.room = Room()
    studio.recorder.apply(1, continuously=True)
    assert studio.recorder.snapshot() == []
    studio.switch_microphone(on=True)
    (first,) = studio.recorder.snapshot()

    studio.clock.advance(SHARE * 1e6 / (2 * SAMPLE_RATE) + 0.5)

    def names() -> list[str]:
        return [r["recording"] for r in studio.recorder.snapshot()]

    await until(lambda: names() not in ([], [first["recording"]]))
    (second,) = studio.recorder.snapshot()

    assert (first["source"], second["source"]) == ("microphone", "microphone")
    assert first["recording"] != second["recording"]
    studio.switch_microphone(on=False)
    await studio.written()
    studio.switch_microphone(on=True)
    assert len(studio.recorder.snapshot()) == 1
    studio.recorder.apply(1, continuously=False)
    await studio.written()


async def test_what_cannot_be_recorded_without_end_is_tried_again(studio: Studio) -> None:
    studio.recorder.apply(500, continuously=True)
    studio.switch_microphone(on=True)
    assert studio.recorder.snapshot() == [], "nobody gives it a microphone"

    studio.room = Room()
    studio.clock.advance(RETRY)

    assert len(studio.recorder.snapshot()) == 1
    studio.recorder.apply(500)
    await studio.written()


async def test_an_order_to_stop_ends_a_file_and_not_what_has_no_end(studio: Studio) -> None:
    studio.room = Room()
    studio.recorder.apply(500, continuously=True)
    studio.switch_microphone(on=True)
    (first,) = studio.recorder.snapshot()

    studio.stop()

    def names() -> list[str]:
        return [r["recording"] for r in studio.recorder.snapshot()]

    await until(lambda: names() not in ([], [first["recording"]]))
    studio.recorder.apply(500)
    await studio.written()
