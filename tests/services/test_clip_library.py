"""Clips are added, named, deleted and found again, whatever happens to files and power."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from sipstrobe import commands
from sipstrobe.audio.clip import MAX_CLIPS, Clip
from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, RemoveSource
from sipstrobe.clock import LoopClock
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, ConfigError
from sipstrobe.events import ServiceStateChanged
from sipstrobe.lightsiren.settings import Profile, SirenPart
from sipstrobe.rules.actions import PlayClip, StopClip
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.services.clip_library import MAX_INCOMING, ClipLibrary
from sipstrobe.services.clips import Clips
from sipstrobe.services.settings import SettingsService
from tests.support.hear import tone_db
from tests.support.sound_files import make_kind, tone
from tests.support.web import FullDisk

ANY = Condition(event="sound/clip", match={"playing": "true"})


class Bench:
    """A library in a folder, with settings that are stored in memory."""

    def __init__(self, folder: Path, store: Store | None = None) -> None:
        self.folder = folder
        self.context = Context(LoopClock(asyncio.get_running_loop()))
        self.files = FullDisk()
        self.store = store or Store.load(self.files, lambda n: bytes(n))
        self.settings = SettingsService(self.context, self.store)
        self.states: list[ServiceStateChanged] = []
        self.context.bus.subscribe(ServiceStateChanged, self.states.append)
        self.library = ClipLibrary(self.context, folder, self.settings, lambda: self.store.current)
        self.store.watch(lambda s: s.clips, self.library.apply)

    async def add(self, data: bytes, name: str = "") -> Clip:
        return await self.library.add(name, pieces(data))

    @property
    def names(self) -> dict[int, str]:
        own = [clip for clip in self.library.listing() if not clip["factory"]]
        return {clip["number"]: clip["name"] for clip in own}

    @property
    def left(self) -> list[str]:
        return sorted(path.suffix for path in self.folder.iterdir())


async def pieces(data: bytes, size: int = 5000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def unasked() -> AsyncIterator[bytes]:
    """What nobody should take."""
    raise AssertionError("the file is not to be sent first")
    yield b""


async def refusal(work: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(CommandRefused) as refused:
        await work
    return refused.value.code


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "clips")
    await bench.library.ready()
    yield bench
    await bench.library.aclose()
    await bench.settings.aclose()


@pytest.fixture(scope="module")
def gong(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_kind(tmp_path_factory.mktemp("gong"), "wav", tone(seconds=0.5)).read_bytes()


@pytest.fixture(scope="module")
def bell(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = make_kind(tmp_path_factory.mktemp("bell"), "vorbis", tone(440, seconds=0.6))
    return path.read_bytes()


async def test_what_is_added_can_be_played_at_once(bench: Bench, gong: bytes) -> None:
    """CLP-01."""
    clip = await bench.add(gong, "Gong")

    assert (clip.number, clip.name, clip.format, clip.size) == (0, "Gong", "wav", len(gong))
    assert bench.store.current.clips == (clip,)
    found = bench.library.find("Gong")
    assert found is not None
    reel = found.sound.open()
    assert reel.period_samples == round(0.5 * SAMPLE_RATE)
    sound = np.concatenate([reel.read(0, 4800), reel.read(4800, 19200)])
    assert tone_db(sound.astype(np.float64), 1000.0) == pytest.approx(-15.05, abs=0.1)
    assert bench.library.patterns["clip:Gong"].open() is reel


async def test_names_and_numbers_come_by_themselves(bench: Bench, gong: bytes, bell: bytes) -> None:
    """Numbers from 0 up, the lowest that is free; those of every device's clips never are."""
    for n in range(3):
        await bench.add(gong if n % 2 else bell)
    await bench.library.delete(1)
    await bench.add(gong, "New")

    assert bench.names == {0: "Clip 0", 1: "New", 2: "Clip 2"}


async def test_the_same_file_may_be_two_clips(bench: Bench, gong: bytes) -> None:
    await bench.add(gong, "One")
    await bench.add(gong, "Two")

    assert bench.left == [".f32", ".wav"]
    await bench.library.delete(0)
    assert bench.left == [".f32", ".wav"]
    await bench.library.delete(1)
    assert bench.left == []


async def test_what_is_refused_leaves_nothing(bench: Bench) -> None:
    """PRB-04."""
    assert await refusal(bench.add(b"no sound at all")) == "format"

    assert bench.left == []
    assert bench.names == {}


async def test_a_name_that_cannot_be_is_told(bench: Bench, gong: bytes) -> None:
    await bench.add(gong, "Gong")

    for name in ("Gong", "Ding-dong"):
        assert await refusal(bench.add(gong, name)) == "name_taken"
    for name in ("a" * 46, "two\nlines", "line\n"):
        with pytest.raises(ConfigError, match="/clips/1/name"):
            await bench.library.add(name, unasked())

    assert bench.names == {0: "Gong"}
    assert bench.left == [".f32", ".wav"]


async def test_the_space_for_clips_counts_the_sound_as_it_is_played_too(
    bench: Bench, gong: bytes
) -> None:
    bench.store.change_now({"audio": AudioSettings(clip_quota_mb=1)})
    quiet = make_kind(bench.folder, "opus", tone(seconds=6)).read_bytes()
    assert len(quiet) < 100_000

    assert await refusal(bench.add(quiet)) == "storage_full"
    assert await refusal(bench.add(bytes(2_000_000))) == "storage_full"
    await bench.add(gong)

    assert bench.library.space() == {
        "used_bytes": len(gong) + 4 * 24000,
        "quota_bytes": 1_000_000,
    }


async def test_if_the_settings_cannot_be_stored_there_is_no_clip(bench: Bench, gong: bytes) -> None:
    bench.files.full = True

    with pytest.raises(OSError, match="no space left"):
        await bench.add(gong)

    assert bench.left == []
    assert bench.names == {}
    bench.files.full = False
    await bench.add(gong)


async def test_an_upload_that_breaks_off_leaves_nothing(bench: Bench, gong: bytes) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield gong[:2000]
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await bench.library.add("Gong", breaking())

    assert bench.left == []


async def test_so_many_may_be_added_at_once(bench: Bench, gong: bytes) -> None:
    go = asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        await go.wait()
        yield gong

    async with asyncio.TaskGroup() as group:
        adding = [
            group.create_task(bench.library.add(f"Gong {n}", waiting()))
            for n in range(MAX_INCOMING)
        ]
        await asyncio.sleep(0)
        assert await refusal(bench.add(gong)) == "busy"
        go.set()

    assert len({task.result().number for task in adding}) == MAX_INCOMING
    assert set(bench.names.values()) == {f"Gong {n}" for n in range(MAX_INCOMING)}


async def test_what_is_on_its_way_takes_its_space_already(bench: Bench) -> None:
    """Else as many as may be added at once could fill the disk beyond the quota."""
    bench.store.change_now({"audio": AudioSettings(clip_quota_mb=1)})
    half, go, come = bytes(600_000), asyncio.Event(), asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        yield half
        come.set()
        await go.wait()

    async with asyncio.TaskGroup() as group:
        first = group.create_task(refusal(bench.library.add("One", waiting())))
        await come.wait()
        assert await refusal(bench.add(half)) == "storage_full"
        go.set()

    assert first.result() == "format"
    assert await refusal(bench.add(half)) == "format", "there is room again"


async def test_of_two_who_want_a_name_at_once_one_gets_it(bench: Bench, gong: bytes) -> None:
    both = (bench.add(gong, "Gong"), bench.add(gong, "Gong"))

    found = await asyncio.gather(*both, return_exceptions=True)

    (refused,) = [one for one in found if not isinstance(one, Clip)]
    assert isinstance(refused, CommandRefused)
    assert refused.code == "name_taken"
    assert bench.left == [".f32", ".wav"]


async def test_profiles_and_rules_follow_a_clip_to_its_new_name(bench: Bench, gong: bytes) -> None:
    await bench.add(gong, "Gong")
    profile = Profile(name="Break", siren=SirenPart(pattern="clip:Gong"))
    rule = Rule(name="play", when=ANY, action=PlayClip(clip="Gong"))
    bench.store.change_now({"profiles": (profile,), "rules": (rule,)})

    await bench.library.rename(0, "Bell")

    settings = bench.store.current
    assert settings.clips[0].name == "Bell"
    assert settings.profiles[0].siren == SirenPart(pattern="clip:Bell")
    assert settings.rules[0].action == PlayClip(clip="Bell")
    assert bench.library.find("Gong") is None
    assert "clip:Bell" in bench.library.patterns


async def test_a_clip_that_is_needed_is_not_deleted_and_people_hear_by_whom(
    bench: Bench, gong: bytes
) -> None:
    await bench.add(gong, "Gong")
    profile = Profile(name="Break", siren=SirenPart(pattern="clip:Gong"))
    rule = Rule(name="hush", when=ANY, action=StopClip(clip="Gong"))
    bench.store.change_now({"profiles": (profile,), "rules": (rule,)})

    with pytest.raises(CommandRefused, match="'Gong' is needed by profile 'Break', rule 'hush'"):
        await bench.library.delete(0)

    bench.store.change_now({"profiles": (), "rules": ()})
    await bench.library.delete(0)
    assert bench.left == []


@pytest.mark.parametrize(("number", "code"), [(7, "unknown_clip"), (28, "factory")])
async def test_only_clips_that_people_have_added_can_be_changed(
    bench: Bench, number: int, code: str
) -> None:
    assert await refusal(bench.library.rename(number, "New")) == code
    assert await refusal(bench.library.delete(number)) == code


async def test_a_file_can_be_had_back(bench: Bench, gong: bytes) -> None:
    await bench.add(gong, "Gong")

    file = await bench.library.file(0)
    factory = await bench.library.file(28)

    assert (file.name, file.format) == ("Gong.wav", "wav")
    assert file.path is not None
    assert file.path.read_bytes() == gong
    assert (factory.name, factory.data[:4]) == ("Ding-dong.wav", b"RIFF")


async def test_there_is_a_bound_to_how_many_there_can_be(bench: Bench, gong: bytes) -> None:
    clip = await bench.add(gong, "Gong")
    numbers = [n for n in range(2 * MAX_CLIPS) if not 25 <= n <= 49][:MAX_CLIPS]
    clips = [replace(clip, number=n, name=f"Gong {n}") for n in numbers]
    bench.store.change_now({"clips": clips})

    assert await refusal(bench.add(gong, "One more")) == "too_many_clips"


async def test_a_clip_that_is_deleted_while_it_plays_is_silent(bench: Bench, gong: bytes) -> None:
    await bench.add(gong, "Gong")
    sources: set[str] = set()
    bench.context.dispatcher.serve(AddSource, lambda command: sources.add(command.owner))
    bench.context.dispatcher.serve(RemoveSource, lambda command: sources.remove(command.owner))
    clips = Clips(bench.context, bench.library)
    bench.store.watch(lambda s: s.clips, clips.apply)
    bench.context.dispatcher.execute(commands.PlayClip(clip="Gong", repeat=None))
    bench.context.dispatcher.execute(commands.PlayClip(clip="Beep", repeat=None))

    await bench.library.delete(0)

    assert sources == {"clip 2: Beep"}
    clips.close()


# --- what a crash or people may have done to the folder ------------------------------------------


@pytest.fixture
def start_again(
    bench: Bench,
) -> Callable[[], Coroutine[Any, Any, Bench]]:
    async def start() -> Bench:
        again = Bench(bench.folder, Store.load(bench.files, lambda n: bytes(n)))
        await again.library.ready()
        return again

    return start


async def test_the_next_start_has_what_was_added(
    bench: Bench, gong: bytes, start_again: Callable[[], Coroutine[Any, Any, Bench]]
) -> None:
    await bench.add(gong, "Gong")

    again = await start_again()

    assert again.names == {0: "Gong"}
    assert again.library.patterns["clip:Gong"].open().period_samples == 24000
    assert again.states == []


async def test_what_nobody_refers_to_goes_at_the_start(
    bench: Bench, gong: bytes, start_again: Callable[[], Coroutine[Any, Any, Bench]]
) -> None:
    """After a crash between the files and the settings, or in the middle of an upload."""
    await bench.add(gong, "Gong")
    for name in ("incoming-1", "incoming-1.f32", "f" * 64 + ".mp3", "f" * 64 + ".f32"):
        (bench.folder / name).write_bytes(b"half")

    await start_again()

    assert bench.left == [".f32", ".wav"]


@pytest.mark.parametrize("damage", ["gone", "short"])
async def test_sound_that_is_missing_is_decoded_anew(
    bench: Bench,
    gong: bytes,
    damage: str,
    start_again: Callable[[], Coroutine[Any, Any, Bench]],
) -> None:
    await bench.add(gong, "Gong")
    (decoded,) = bench.folder.glob("*.f32")
    whole = decoded.read_bytes()
    decoded.unlink()
    if damage == "short":
        decoded.write_bytes(whole[:-4])

    again = await start_again()

    assert decoded.read_bytes() == whole
    assert again.library.patterns["clip:Gong"].open().period_samples == 24000
    assert again.states == []


@pytest.mark.parametrize(
    ("damage", "words"), [("gone", "cannot be played"), ("changed", "has been changed")]
)
async def test_a_clip_whose_file_is_gone_is_told_and_can_be_deleted(
    bench: Bench,
    gong: bytes,
    bell: bytes,
    damage: str,
    words: str,
    start_again: Callable[[], Coroutine[Any, Any, Bench]],
) -> None:
    await bench.add(gong, "Gong")
    await bench.add(bell, "Bell")
    file = await bench.library.file(0)
    assert file.path is not None
    file.path.with_suffix(".f32").unlink()
    file.path.unlink()
    if damage == "changed":
        file.path.write_bytes(gong[:-2000] + bytes(2000))

    again = await start_again()

    assert [state.problem for state in again.states] == ["without their sound: Gong"]
    assert words in again.library.listing()[0]["problem"]
    assert again.library.patterns["clip:Bell"].open()
    Clips(again.context, again.library)
    with pytest.raises(CommandRefused, match="'Gong': its sound cannot be played") as refused:
        again.context.dispatcher.execute(commands.PlayClip(clip="Gong"))
    assert refused.value.code == "clip_missing"
    await again.library.delete(0)
    assert again.names == {1: "Bell"}


async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path, gong: bytes) -> None:
    (tmp_path / "file").touch()
    bench = Bench(tmp_path / "file" / "clips")
    await bench.library.ready()

    (state,) = bench.states
    assert "the folder of clips cannot be used" in state.problem
    with pytest.raises(OSError, match="Not a directory"):
        await bench.add(gong)
    assert bench.library.find("Beep")


async def test_a_file_that_was_gone_comes_back_under_any_name(
    bench: Bench, gong: bytes, start_again: Callable[[], Coroutine[Any, Any, Bench]]
) -> None:
    """As after the settings were taken to another device."""
    await bench.add(gong, "Gong")
    for path in bench.folder.iterdir():
        path.unlink()
    again = await start_again()

    await again.add(gong, "The same")
    await again.library.ready()

    assert [state.working for state in again.states] == [False, True]
    for name in ("Gong", "The same"):
        assert again.library.patterns[f"clip:{name}"].open()


def test_kill_9_at_any_moment_leaves_a_clip_whole_or_not_at_all(tmp_path: Path) -> None:
    """What had been reported as added is never lost, and at most one more is there."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.services.clip_killing", str(tmp_path)],
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["10", "kills"]
