"""The clips of the device: added, renamed, deleted; and the sound of each, ready to be played.

The settings are the index, the store has the files. A clip of the settings whose file is gone is a
problem that is told, and can be deleted; all others go on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from sipstrobe.audio.clip import CLIP_PATTERN, MAX_CLIPS, Clip, ClipFormat, ClipName
from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.config import check
from sipstrobe.config.clips import mentions, renamed
from sipstrobe.config.settings import Settings
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, ConfigError, MediaError, Problem
from sipstrobe.events import ServiceStateChanged
from sipstrobe.io.pcmfile import PcmFile
from sipstrobe.io.soundfiles import EXTENSIONS
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS, FIRST_NUMBER, LAST_NUMBER
from sipstrobe.lightsiren.sound import PEAK_DB, Playable
from sipstrobe.services.clip_store import ClipStore, Incoming, space_of
from sipstrobe.services.factory_clips import described, wav_of

logger = logging.getLogger(__name__)

MAX_INCOMING: Final = 4  # files that are being added at once
MEGABYTE: Final = 10**6


class Changes(Protocol):
    """What changes the settings."""

    def settled(self) -> "asyncio.Future[Any] | None":
        """What to await until all changes so far are stored and seen; None: they are."""
        ...

    def change(self, patch: object, *, revision: int | None = None) -> Awaitable[object]: ...


class Entry(Struct, frozen=True):
    """A clip that can be played. loudness in LUFS, None: not known."""

    number: int
    name: str
    sound: Playable
    loudness: float | None
    peak_db: float


@dataclass(slots=True, eq=False)
class ClipSound:
    """The sound of one that people have added, once its file has been opened."""

    seconds: float
    file: PcmFile | None = field(default=None, repr=False)
    problem: str = "is not ready yet"

    def open(self) -> PcmFile:
        if self.file is None:
            raise MediaError(f"its sound {self.problem}")
        return self.file


@dataclass(frozen=True, slots=True)
class ClipFile:
    """A file to hand out: where it is, or what is in it."""

    name: str
    format: ClipFormat
    path: Path | None = None
    data: bytes = field(default=b"", repr=False)


class ClipLibrary:
    """Keeps what the settings list, and serves the doors.

    patterns: what can be sounded as a siren, by pattern; it changes as the clips do.
    """

    def __init__(
        self,
        context: Context,
        folder: Path,
        changes: Changes,
        current: Callable[[], Settings],
    ) -> None:
        self.patterns: dict[str, Playable] = {}
        self._context = context
        self._store = ClipStore(folder, context.random_bytes)
        self._changes = changes
        self._current = current
        self._changing = asyncio.Lock()
        self._incoming = 0
        self._arriving: set[Incoming] = set()  # those of them that have begun
        self._clips: tuple[Clip, ...] = ()
        self._sounds: dict[str, ClipSound] = {}  # by file
        self._swept = asyncio.Event()
        self._opening: asyncio.Task[None] | None = None
        self._fault = ""  # of the folder
        self._told = ""

    # --- what there is -------------------------------------------------------------------------

    def apply(self, clips: tuple[Clip, ...]) -> None:
        """Have these clips from now on; those that are new become ready in the background."""
        self._clips = clips
        wanted = {clip.file: clip for clip in clips}
        for file, clip in wanted.items():
            self._sounds.setdefault(file, ClipSound(clip.seconds))
        for file in self._sounds.keys() - wanted.keys():
            del self._sounds[file]
        self.patterns.clear()
        self.patterns |= {CLIP_PATTERN + clip.name: self._sounds[clip.file] for clip in clips}
        self.patterns |= {CLIP_PATTERN + name: f.sound for name, f in FACTORY_CLIPS.items()}
        if self._opening is None or self._opening.done():
            self._opening = asyncio.get_running_loop().create_task(self._open_all())

    async def ready(self) -> None:
        """Until all sounds are open, or it is known why not."""
        while self._opening is not None and not self._opening.done():
            await asyncio.wait([self._opening])

    async def aclose(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])

    def find(self, name: str) -> Entry | None:
        """The clip of this name, if there is one."""
        if (factory := FACTORY_CLIPS.get(name)) is not None:
            return Entry(factory.number, name, factory.sound, factory.loudness, PEAK_DB)
        for clip in self._clips:
            if clip.name == name:
                sound = self._sounds[clip.file]
                return Entry(clip.number, name, sound, clip.loudness, clip.peak_db)
        return None

    def listing(self) -> list[dict[str, Any]]:
        """All clips by number, as plain values. problem: why it cannot be played."""
        own = [
            asdict(clip) | {"factory": False, "problem": self._sounds[clip.file].problem}
            for clip in self._clips
        ]
        return sorted(own + [described(name) for name in FACTORY_CLIPS], key=lambda c: c["number"])

    def space(self) -> dict[str, int]:
        """used_bytes and quota_bytes, of files and of sound as it is played together."""
        files = {clip.file: space_of(clip) for clip in self._clips}
        quota = self._current().audio.clip_quota_mb * MEGABYTE
        return {"used_bytes": sum(files.values()), "quota_bytes": quota}

    async def file(self, number: int) -> ClipFile:
        """The file of a clip as it was added. Refused: unknown_clip, clip_missing."""
        for name, factory in FACTORY_CLIPS.items():
            if factory.number == number:
                data = await asyncio.to_thread(wav_of, factory.sound)
                return ClipFile(f"{name}.wav", "wav", data=data)
        clip = self._own(number)
        path = self._store.path(clip)
        if not path.is_file():
            raise CommandRefused("clip_missing", f"the file of {clip.name!r} is gone")
        return ClipFile(f"{clip.name}.{EXTENSIONS[clip.format]}", clip.format, path)

    # --- what people do ------------------------------------------------------------------------

    async def add(self, name: str, content: AsyncIterator[bytes]) -> Clip:
        """Take a sound file as a clip; without a name it gets one. It is stored in the end.

        Refused: busy, too_many_clips, name_taken, too_large, storage_full, format (with what is
        accepted).
        Raises ConfigError for a name that cannot be, OSError if nothing can be stored.
        """
        if self._incoming >= MAX_INCOMING:
            raise CommandRefused("busy", f"{MAX_INCOMING} clips are being added already")
        self._refuse_number()
        if name:
            self._refuse_name(name)
        self._refuse_taken(name)
        self._incoming += 1
        try:
            await self._swept.wait()
            async with self._store.incoming() as incoming:
                self._arriving.add(incoming)
                try:
                    await incoming.receive(content, lambda: self._room(incoming))
                    return await self._take(name, incoming)
                finally:
                    self._arriving.remove(incoming)
        except MediaError as refusal:
            raise CommandRefused("format", str(refusal)) from None
        finally:
            self._incoming -= 1

    async def rename(self, number: int, name: str) -> None:
        """Give it another name; profiles and rules that name it follow.

        Refused: unknown_clip, factory. Raises ConfigError, OSError.
        """
        async with self._changing:
            settings = await self._settled()
            clip = self._own(number)
            new = replace(clip, name=name)
            clips = tuple(new if c.number == number else c for c in settings.clips)
            before = settings.profiles, settings.rules
            profiles, rules = renamed(*before, clip.name, name)
            patch: dict[str, object] = {"clips": clips}
            if (profiles, rules) != before:
                patch |= {"profiles": profiles, "rules": rules}
            await self._changes.change(patch)

    async def delete(self, number: int) -> None:
        """Refused: unknown_clip, factory, in_use (with the names of who needs it)."""
        async with self._changing:
            settings = await self._settled()
            clip = self._own(number)
            named = mentions(settings.profiles, settings.rules)
            if users := dict.fromkeys(m.who for m in named if m.clip == clip.name):
                words = f"the clip {clip.name!r} is needed by {', '.join(users)}"
                raise CommandRefused("in_use", words)
            kept = tuple(c for c in settings.clips if c.number != number)
            await self._changes.change({"clips": kept})
            if all(c.file != clip.file for c in kept):
                await self._store.remove(clip)

    # --- steps ---------------------------------------------------------------------------------

    async def _take(self, name: str, incoming: Incoming) -> Clip:
        measured = await self._store.read(incoming)
        async with self._changing:
            settings = await self._settled()
            self._refuse_number()
            self._refuse_taken(name)
            number = self._free_number()
            clip = Clip(
                number=number,
                name=name or f"Clip {number}",
                file=f"{measured.sha256}.{EXTENSIONS[measured.format]}",
                format=measured.format,
                size=measured.size,
                seconds=measured.samples / SAMPLE_RATE,
                sample_rate=measured.sample_rate,
                channels=measured.channels,
                loudness=measured.loudness,
                peak_db=measured.peak_db,
            )
            known = any(c.file == clip.file for c in settings.clips)
            if not known and space_of(clip) > (room := self._room(incoming)):
                need, free = space_of(clip) / MEGABYTE, room / MEGABYTE
                words = f"the clip needs {need:.1f} MB, {free:.1f} MB are free"
                raise CommandRefused("storage_full", words)
            file = await self._store.keep(incoming, clip)
            sound = self._sounds.setdefault(clip.file, ClipSound(clip.seconds))
            sound.file, sound.problem = file, ""  # also for a clip whose file was gone
            self._fault = ""
            try:
                await self._changes.change({"clips": (*settings.clips, clip)})
            except (ConfigError, OSError):
                if not known:
                    self._sounds.pop(clip.file, None)
                    await self._store.remove(clip)
                raise
        logger.info("clip %r added: %s, %.1f s", clip.name, clip.format, clip.seconds)
        return clip

    async def _settled(self) -> Settings:
        """The settings, when no change is on its way."""
        while (stored := self._changes.settled()) is not None:
            await asyncio.wait([stored])
        return self._current()

    async def _open_all(self) -> None:
        if not self._swept.is_set():
            try:
                await self._store.sweep(self._clips)
            except OSError as error:
                self._fault = f"the folder of clips cannot be used: {error}"
            self._swept.set()
        tried: set[str] = set()
        while clip := next((c for c in self._clips if self._is_shut(c, tried)), None):
            tried.add(clip.file)
            file, problem = None, ""
            try:
                file = await self._store.open(clip)
            except MediaError as error:
                problem = f"cannot be played: {error}"
            if (sound := self._sounds.get(clip.file)) is not None:
                sound.file, sound.problem = file, problem
        self._tell()

    def _is_shut(self, clip: Clip, tried: set[str]) -> bool:
        return clip.file not in tried and self._sounds[clip.file].file is None

    def _tell(self) -> None:
        """Publish which clips cannot be played, if that has changed."""
        bad = [c.name for c in self._clips if self._sounds[c.file].problem]
        words = self._fault or (f"without their sound: {', '.join(bad)}" if bad else "")
        if words == self._told:
            return
        self._told = words
        if words:
            logger.warning("clips: %s", words)
        with self._context.trace.input("file", "clips", self._context.clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="clips", working=not words, problem=words)
            )

    def _room(self, incoming: Incoming) -> int:
        """Bytes that are free for one file, with what has come of the others that are added."""
        space = self.space()
        others = sum(other.size for other in self._arriving if other is not incoming)
        return space["quota_bytes"] - space["used_bytes"] - others

    def _refuse_number(self) -> None:
        if len(self._clips) >= MAX_CLIPS:
            raise CommandRefused("too_many_clips", f"there can be {MAX_CLIPS} clips at most")

    def _refuse_taken(self, name: str) -> None:
        if self.find(name) is not None:
            raise CommandRefused("name_taken", f"there is a clip {name!r} already")

    def _refuse_name(self, name: str) -> None:
        """Raise ConfigError for one that cannot be, before its file is sent and read."""
        try:
            msgspec.convert(name, ClipName)
        except msgspec.ValidationError:
            path = f"/clips/{len(self._clips)}/name"
            raise ConfigError([Problem(path, check.words(ClipName))]) from None

    def _free_number(self) -> int:
        taken = {clip.number for clip in self._clips} | set(range(FIRST_NUMBER, LAST_NUMBER + 1))
        return next(number for number in count() if number not in taken)

    def _own(self, number: int) -> Clip:
        """A clip that people have added."""
        for clip in self._clips:
            if clip.number == number:
                return clip
        if any(factory.number == number for factory in FACTORY_CLIPS.values()):
            raise CommandRefused("factory", "the clips of every device stay as they are")
        raise CommandRefused("unknown_clip", f"there is no clip {number}")
