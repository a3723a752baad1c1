"""Clips as they play: each playback is a source for the speaker like any other (CLP-01…08)."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import numpy as np

from sipstrobe.audio.clip import Clip
from sipstrobe.audio.format import SAMPLE_RATE, gain_from_db, samples_in
from sipstrobe.audio.loudness import normalising_gain_db
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.commands import CLIP_VOLUME_DB, MAX_REPEAT, PlayClip, StopClip
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.events import ClipPlaying
from sipstrobe.lightsiren.settings import PRIORITIES
from sipstrobe.lightsiren.sound import SirenSource
from sipstrobe.services.clip_library import ClipLibrary, Entry
from sipstrobe.services.page_causes import PAGE_INPUT, follows_from_page

logger = logging.getLogger(__name__)

MAX_PLAYBACKS: Final = 8
RING_SECONDS: Final = 0.2


@dataclass(slots=True, eq=False)
class Playback:
    """One clip on its way to the speaker.

    total: samples of all repetitions; None: it goes on until it is stopped.
    """

    id: int
    clip: Entry
    source: SirenSource
    period: int  # samples
    total: int | None
    volume_db: float
    gain_db: float  # by which it is levelled
    priority: int
    on_end: Callable[["Playback"], None]
    paged: bool  # a page by multicast has led to it
    ring: SampleRing = field(default_factory=lambda: SampleRing(samples_in(RING_SECONDS)))
    over: bool = False

    @property
    def owner(self) -> str:
        """As the speaker calls it."""
        return f"clip {self.id}: {self.clip.name}"

    def refill(self, n: int) -> None:
        """Write the next n samples, or those that are left."""
        n = min(n, self.ring.space)
        if self.total is not None:
            n = min(n, self.total - self.source.position)
        if n > 0:
            self.ring.write(self.source.next(n) * self._gain)
        self.ring.ended = self.source.position == self.total
        if self.ring.consumed == self.total and not self.over:
            self.over = True
            self.on_end(self)

    def snapshot(self) -> dict[str, Any]:
        """See `Clips.snapshot`."""
        position = self.ring.consumed
        over = position == self.total
        done = position // self.period - over  # the end of the last round is no new one
        return {
            "playback": self.id,
            "clip": self.clip.name,
            "number": self.clip.number,
            "priority": self.priority,
            "volume_db": self.volume_db,
            "levelled_db": round(self.gain_db, 1),
            "seconds": round(self.period / SAMPLE_RATE, 3),
            "position_seconds": round((position - done * self.period) / SAMPLE_RATE, 3),
            "round": done + 1,
            "rounds": self.total and self.total // self.period,
        }

    @property
    def _gain(self) -> np.float32:
        if self.volume_db <= CLIP_VOLUME_DB[0]:
            return np.float32(0.0)
        return np.float32(gain_from_db(self.volume_db + self.gain_db))


class Clips:
    """Serves the orders to clips, and publishes which of them play."""

    def __init__(self, context: Context, library: ClipLibrary) -> None:
        self._context = context
        self._library = library
        self._audio = AudioSettings()
        self._playing: dict[int, Playback] = {}
        self._ids = count(1)
        context.dispatcher.serve(PlayClip, self._play)
        context.dispatcher.serve(StopClip, self._stop)

    def apply(self, clips: tuple[Clip, ...]) -> None:
        """Have these clips from now on; one that is gone, or has another name, is stopped."""
        self._library.apply(clips)
        for playback in list(self._playing.values()):
            found = self._library.find(playback.clip.name)
            if found is None or found.number != playback.clip.number:
                self._end(playback)

    def apply_audio(self, audio: AudioSettings) -> None:
        """Level clips as these settings say; those that play go on as they began."""
        self._audio = audio

    def close(self) -> None:
        """Stop all that plays."""
        for playback in list(self._playing.values()):
            self._end(playback)

    def snapshot(self) -> list[dict[str, Any]]:
        """What plays. round: which repetition, from 1; rounds: of how many, null: no end."""
        return [playback.snapshot() for playback in self._playing.values()]

    # --- orders --------------------------------------------------------------------------------

    def _play(self, command: PlayClip) -> int:
        clip = self._library.find(command.clip)
        if clip is None:
            raise CommandRefused("unknown_clip", f"there is no clip {command.clip!r}")
        _refuse(command)
        if len(self._playing) >= MAX_PLAYBACKS:
            raise CommandRefused("too_many_clips", f"{MAX_PLAYBACKS} clips play already")
        try:
            period = clip.sound.open().period_samples
            source = SirenSource(clip.sound)
        except MediaError as error:
            raise CommandRefused("clip_missing", f"the clip {clip.name!r}: {error}") from None
        playback = Playback(
            id=next(self._ids),
            clip=clip,
            source=source,
            period=period,
            total=None if command.repeat is None else period * (command.repeat + 1),
            volume_db=command.volume_db,
            gain_db=self._levelled_db(clip),
            priority=command.priority,
            on_end=self._ended,
            paged=follows_from_page(self._context.trace.current),
        )
        self._begin(playback)
        return playback.id

    def _begin(self, playback: Playback) -> None:
        self._context.dispatcher.execute(
            AddSource(
                owner=playback.owner,
                kind=SourceKind.CLIP,
                ring=playback.ring,
                rank=playback.priority,
                refill=playback.refill,
                relayable=True,
            )
        )
        name = playback.clip.name
        first = not self._times(name)
        self._playing[playback.id] = playback
        logger.info("clip %r plays", name)
        if first:
            self._context.bus.publish(ClipPlaying(clip=name, playing=True))

    def _stop(self, command: StopClip) -> None:
        if command.clip is not None and self._library.find(command.clip) is None:
            raise CommandRefused("unknown_clip", f"there is no clip {command.clip!r}")
        for playback in list(self._playing.values()):
            if command.playback in (None, playback.id) and command.clip in (
                None,
                playback.clip.name,
            ):
                self._end(playback)

    def _ended(self, playback: Playback) -> None:
        """It has been played; the speaker, which is among its sources now, is told in a moment."""

        def end() -> None:
            now = self._context.clock.now()
            kind = PAGE_INPUT if playback.paged else "clip"
            with self._context.trace.input(kind, f"{playback.clip.name} is over", now):
                self._end(playback)

        self._context.clock.call_at(self._context.clock.now(), end)

    def _end(self, playback: Playback) -> None:
        if self._playing.pop(playback.id, None) is None:
            return
        self._context.dispatcher.execute(RemoveSource(owner=playback.owner))
        name = playback.clip.name
        if not self._times(name):
            self._context.bus.publish(ClipPlaying(clip=name, playing=False))

    def _times(self, name: str) -> int:
        return Counter(playback.clip.name for playback in self._playing.values())[name]

    def _levelled_db(self, clip: Entry) -> float:
        if not self._audio.normalise_clips:
            return 0.0
        return normalising_gain_db(clip.loudness, clip.peak_db, self._audio.clip_loudness)


def _refuse(command: PlayClip) -> None:
    """Raise CommandRefused for a number that is out of its range."""
    if command.repeat is not None and not 0 <= command.repeat <= MAX_REPEAT:
        raise CommandRefused("repeat", f"repeat is 0 to {MAX_REPEAT}, or null: until it is stopped")
    low, high = CLIP_VOLUME_DB
    if not low <= command.volume_db <= high:
        raise CommandRefused("volume", f"volume_db is {low:g} to {high:g}")
    if command.priority not in PRIORITIES:
        words = f"the priority is {PRIORITIES[0]} to {PRIORITIES[-1]}"
        raise CommandRefused("priority", words)
