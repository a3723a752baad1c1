"""What was played: told as each sound ends, and kept for whoever asks later."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from sipstrobe.context import Context
from sipstrobe.events import OutputActive, SoundPlayed
from sipstrobe.services.listed import Listed
from sipstrobe.trace import Cause

PLAYED_MAX: Final = 256  # sounds


class Played(Struct, frozen=True, kw_only=True):
    """One sound that has ended. first and last: the instants of its first sample that is not zero
    and of the end of its last; None: nothing of it was heard."""

    first: datetime | None
    last: datetime | None
    sound: SoundPlayed


class PlayedSounds:
    """The last PLAYED_MAX sounds, the oldest first."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._kept: deque[Played] = deque(maxlen=PLAYED_MAX)
        self._causes: dict[str, tuple[Cause | None, Cause | None]] = {}  # by owner

    def __call__(self) -> tuple[Played, ...]:
        return tuple(self._kept)

    def why(self, owner: str) -> tuple[Cause | None, Cause | None] | None:
        """Because of what the last sound of this owner began and ended; None: there was none."""
        return self._causes.get(owner)

    def conclude(self, source: Listed, cause: Cause | None) -> None:
        """The source is silent for good; because of what."""
        channel, sound = source.entry.channel, source.played()
        first, last = self._wall(channel.heard_at), self._wall(channel.heard_until)
        self._kept.append(Played(first=first, last=first and last, sound=sound))
        self._causes.pop(sound.owner, None)
        self._causes[sound.owner] = source.cause, cause
        if len(self._causes) > PLAYED_MAX:
            del self._causes[next(iter(self._causes))]
        with self._context.trace.because(cause):
            self._context.bus.publish(sound)

    def output(self, active: bool, cause: Cause | None) -> None:
        """Something is heard, or nothing any more."""
        with self._context.trace.because(cause):
            self._context.bus.publish(OutputActive(active=active))

    def _wall(self, at: float | None) -> datetime | None:
        clock = self._context.clock
        return None if at is None else clock.wall() + timedelta(seconds=at - clock.now())
