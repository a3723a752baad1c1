"""Audio detection: whether it is louder at the microphone than is set (CON-01).

Publishes: SoundLevelChanged. While no level is set nobody listens, and it costs nothing.
"""

from collections.abc import Callable
from typing import Final

from sipstrobe.audio.format import SILENCE_DB, rms_db, samples_in
from sipstrobe.audio.presence import Presence
from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import SoundLevelChanged
from sipstrobe.services.speech import LiveSource

PIECE: Final = 0.1  # seconds whose level is taken at a time
LOWER_DB: Final = 6.0  # by which it must be quieter than what is set …
HOLD: Final = 2.0  # … for so many seconds until it counts as quiet


class SoundLevel:
    """Listens as long as a level is set and there is a microphone."""

    def __init__(self, context: Context, listen: Callable[[], LiveSource | None]) -> None:
        """listen: begins to listen to the microphone; None while it is off."""
        self._context = context
        self._listen = listen
        self._threshold_db: float | None = None
        self._source: LiveSource | None = None
        self._presence = Presence(0.0, HOLD)
        self._above = False
        self._timer: Handle | None = None

    def apply(self, threshold_db: float | None) -> None:
        """What counts as loud, RMS in dBFS; None: nobody wants to know."""
        self.close()
        self._threshold_db = threshold_db
        if threshold_db is not None:
            self._presence = Presence(threshold_db - LOWER_DB, HOLD)
            self._source = self._listen()
            if self._source is not None:
                self._wait()

    def close(self) -> None:
        """Listen no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._source is not None:
            self._source.close()
            self._source = None
        self._tell(above=False, level_db=SILENCE_DB)

    def _wait(self) -> None:
        clock = self._context.clock
        self._timer = clock.call_at(clock.now() + PIECE, self._look)

    def _look(self) -> None:
        assert self._source is not None
        assert self._threshold_db is not None
        self._wait()
        heard = self._source(samples_in(PIECE))
        level_db = SILENCE_DB if heard is None else rms_db(heard)
        now = self._context.clock.now()
        self._presence.hear(10.0 ** (level_db / 10.0), now=now)
        if level_db >= self._threshold_db or not self._presence.at(now):
            self._tell(above=level_db >= self._threshold_db, level_db=level_db)

    def _tell(self, *, above: bool, level_db: float) -> None:
        if above is self._above:
            return
        self._above = above
        words = "loud" if above else "quiet again"
        with self._context.trace.input("sound", f"it is {words}", self._context.clock.now()):
            event = SoundLevelChanged(above=above, level_db=round(level_db, 1))
            self._context.bus.publish(event)
