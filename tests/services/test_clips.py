"""Clips as they are heard: how often, how loud, and until when (CLP-01, CLP-06…08)."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.commands import Command, PlayClip, StopClip
from sipstrobe.config.settings import Settings
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import ClipPlaying
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS
from sipstrobe.services.clip_library import ClipLibrary
from sipstrobe.services.clips import MAX_PLAYBACKS, Clips
from tests.services.test_sound import Bench as SoundBench
from tests.support.clock import FakeClock

TICK = 960
DING_DONG = FACTORY_CLIPS["Ding-dong"].sound.render()
BEEP = FACTORY_CLIPS["Beep"].sound.render()


class Bench:
    """Clips with a clock and a speaker moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.sources: dict[str, AddSource] = {}
        self.told: list[tuple[str, bool]] = []
        self.full = False
        serve = self.context.dispatcher.serve
        serve(AddSource, self._add)
        serve(RemoveSource, lambda command: self.sources.pop(command.owner))
        self.context.bus.subscribe(ClipPlaying, lambda e: self.told.append((e.clip, e.playing)))
        nobody = cast("Any", None)
        self.clips = Clips(self.context, ClipLibrary(self.context, folder, nobody, Settings))

    def do(self, command: Command) -> Any:
        return self.context.dispatcher.execute(command)

    def hear(self, seconds: float) -> Samples:
        """What all sources play together in this time, in steps of 20 ms."""
        heard: list[Samples] = []
        for _ in range(round(seconds * SAMPLE_RATE / TICK)):
            out = np.zeros(TICK, np.float32)
            for source in list(self.sources.values()):
                block = np.zeros(TICK, np.float32)
                source.ring.read_into(block)
                out += block
                assert source.refill is not None
                source.refill(7200 - source.ring.fill)
            heard.append(out)
            self.clock.advance(TICK / SAMPLE_RATE)
        return np.concatenate(heard)

    def _add(self, command: AddSource) -> None:
        if self.full:
            raise CommandRefused("too_many_sources", "no room")
        self.sources[command.owner] = command
        assert command.refill is not None
        command.refill(7200)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("repeat", [0, 1, 3])
def test_a_clip_is_played_once_and_then_again_as_often_as_was_asked_for(
    bench: Bench, repeat: int
) -> None:
    """CLP-06: 0 means once. Sample for sample, one after the other, without a pause."""
    bench.do(PlayClip(clip="Beep", repeat=repeat))

    heard = bench.hear(3.0)

    expected = np.tile(BEEP, repeat + 1)
    assert np.array_equal(heard[: expected.size], expected)
    assert not heard[expected.size :].any()
    assert bench.sources == {}
    assert bench.told == [("Beep", True), ("Beep", False)]


def test_what_is_told_of_a_clip_is_its_sound_and_nothing_more(tmp_path: Path) -> None:
    bench = SoundBench()
    library = ClipLibrary(bench.context, tmp_path, cast("Any", None), Settings)
    clips = Clips(bench.context, library)

    bench.context.dispatcher.execute(PlayClip(clip="Beep", repeat=1))
    bench.play(1.5)

    assert clips.snapshot() == []
    (played,) = bench.sound.played()
    assert played.sound.heard_seconds == pytest.approx(2 * BEEP.size / SAMPLE_RATE)
    assert (played.sound.underruns, played.sound.hidden_seconds) == (0, 0.0)


def test_there_is_no_round_after_the_last(bench: Bench) -> None:
    bench.do(PlayClip(clip="Beep", repeat=1))
    (source,) = bench.sources.values()
    rounds: list[tuple[int, float]] = []

    while source.ring.read_into(np.empty(TICK, np.float32)):
        (told,) = bench.clips.snapshot()
        rounds.append((told["round"], told["position_seconds"]))
        assert source.refill is not None
        source.refill(7200 - source.ring.fill)

    assert rounds[18:21] == [(1, 0.38), (2, 0.0), (2, 0.02)]
    assert rounds[-1] == (2, 0.4)


def test_a_clip_without_end_is_played_until_it_is_stopped(bench: Bench) -> None:
    playback = bench.do(PlayClip(clip="Beep", repeat=None))

    heard = bench.hear(20 * BEEP.size / SAMPLE_RATE)
    bench.do(StopClip(playback=playback))

    assert np.array_equal(heard, np.tile(BEEP, 20))
    assert not bench.hear(1.0).any()
    assert bench.told == [("Beep", True), ("Beep", False)]


def test_it_can_be_stopped_by_its_playback_by_its_name_or_with_all_others(bench: Bench) -> None:
    """CLP-08."""
    first = bench.do(PlayClip(clip="Beep", repeat=None))
    bench.do(PlayClip(clip="Beep", repeat=None))
    bench.do(PlayClip(clip="Ding-dong"))

    bench.do(StopClip(playback=first))
    assert [p["clip"] for p in bench.clips.snapshot()] == ["Beep", "Ding-dong"]
    assert bench.told == [("Beep", True), ("Ding-dong", True)], "one still plays"
    bench.do(StopClip(clip="Beep"))
    assert [p["clip"] for p in bench.clips.snapshot()] == ["Ding-dong"]
    bench.do(StopClip())
    bench.do(StopClip(playback=first))

    assert bench.sources == {}
    assert bench.told[2:] == [("Beep", False), ("Ding-dong", False)]


def test_several_are_heard_together_up_to_a_bound(bench: Bench) -> None:
    for _ in range(MAX_PLAYBACKS):
        bench.do(PlayClip(clip="Beep"))

    with pytest.raises(CommandRefused, match="8 clips play already") as refused:
        bench.do(PlayClip(clip="Beep"))

    assert refused.value.code == "too_many_clips"
    assert np.allclose(bench.hear(0.2), MAX_PLAYBACKS * BEEP[:9600])
    bench.hear(1.0)
    bench.do(PlayClip(clip="Beep"))


def test_a_speaker_without_room_is_told_and_nothing_is_left(bench: Bench) -> None:
    bench.full = True

    with pytest.raises(CommandRefused, match="no room"):
        bench.do(PlayClip(clip="Beep"))

    assert bench.clips.snapshot() == []
    assert bench.told == []


@pytest.mark.parametrize(
    ("volume_db", "gain"), [(0.0, 1.0), (-20.0, 0.1), (20.0, 10.0), (-60.0, 0.0)]
)
def test_the_volume_is_that_of_the_order(bench: Bench, volume_db: float, gain: float) -> None:
    bench.do(PlayClip(clip="Beep", volume_db=volume_db))

    assert np.allclose(bench.hear(0.2), gain * BEEP[:9600], atol=1e-6)


def test_clips_are_levelled_if_the_settings_say_so(bench: Bench) -> None:
    """CLP-07: every clip as loud as all others, in the way that EBU R 128 measures it."""
    bench.clips.apply_audio(AudioSettings(normalise_clips=True, clip_loudness=-23.0))
    clip = FACTORY_CLIPS["Ding-dong"]

    bench.do(PlayClip(clip="Ding-dong"))

    gain = 10 ** ((-23.0 - clip.loudness) / 20)
    assert np.allclose(bench.hear(0.2), gain * DING_DONG[:9600], atol=1e-6)
    assert bench.clips.snapshot()[0]["levelled_db"] == pytest.approx(-23.0 - clip.loudness)


def test_it_goes_to_the_speaker_as_a_clip_of_its_priority(bench: Bench) -> None:
    bench.do(PlayClip(clip="Beep", priority=9))

    (source,) = bench.sources.values()
    assert (source.kind, source.rank) == (SourceKind.CLIP, 9)
    assert source.owner == "clip 1: Beep"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (PlayClip(clip="Nothing"), "unknown_clip"),
        (PlayClip(clip="Beep", repeat=-1), "repeat"),
        (PlayClip(clip="Beep", repeat=1001), "repeat"),
        (PlayClip(clip="Beep", volume_db=20.5), "volume"),
        (PlayClip(clip="Beep", volume_db=float("nan")), "volume"),
        (PlayClip(clip="Beep", priority=0), "priority"),
        (PlayClip(clip="Beep", priority=11), "priority"),
        (StopClip(clip="Nothing"), "unknown_clip"),
    ],
)
def test_an_order_that_cannot_be_is_refused(bench: Bench, command: Command, code: str) -> None:
    with pytest.raises(CommandRefused) as refused:
        bench.do(command)

    assert refused.value.code == code
    assert bench.sources == {}


def test_how_far_it_is_can_be_seen(bench: Bench) -> None:
    bench.do(PlayClip(clip="Beep", repeat=2))
    bench.hear(0.5)

    (seen,) = bench.clips.snapshot()

    assert (seen["clip"], seen["number"], seen["seconds"]) == ("Beep", 34, 0.4)
    assert (seen["round"], seen["rounds"]) == (2, 3)
    assert seen["position_seconds"] == pytest.approx(0.1, abs=0.001)


def test_what_is_hidden_goes_on_and_ends(bench: Bench) -> None:
    """The speaker takes its samples whether they are heard or not."""
    bench.do(PlayClip(clip="Beep"))
    (source,) = bench.sources.values()
    assert source.refill is not None

    for _ in range(30):
        source.ring.skip(TICK)
        source.refill(7200 - source.ring.fill)
        bench.clock.advance(0.02)

    assert bench.told[-1] == ("Beep", False)


def test_at_the_end_of_the_device_all_is_silent(bench: Bench) -> None:
    bench.do(PlayClip(clip="Beep", repeat=None))

    bench.clips.close()

    assert bench.sources == {}
