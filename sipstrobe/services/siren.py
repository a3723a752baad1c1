"""Where the siren goes: what it sounds is a source for the speaker like any other."""

import logging
from collections.abc import Mapping
from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, gain_from_db, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused, MediaError
from sipstrobe.events import Function
from sipstrobe.lightsiren.operations import Operation
from sipstrobe.lightsiren.sound import PEAK_DB, Playable, SirenSource
from sipstrobe.lightsiren.system import HEALTH_CHECK_RANK, SYSTEM_SOUNDS, health_check

logger = logging.getLogger(__name__)

OWNER: Final = "siren"
LEVELS_DB: Final = {1: -24.0, 2: -18.0, 3: -12.0, 4: -6.0, 5: 0.0}  # by intensity
RING_SECONDS: Final = 0.2
SINE_DB: Final = 3.01  # from the peak of a sine down to its RMS


class Siren:
    """Sounds the operation it is given, from where it would be by now."""

    def __init__(self, context: Context, sounds: Mapping[str, Playable]) -> None:
        self.problem = ""  # why the latest sound cannot be heard
        self.seconds_played = 0.0  # how much of the sound before this one the speaker has taken
        self._context = context
        self._sounds = sounds
        self._ring: SampleRing | None = None

    def play(self, operation: Operation | None) -> None:
        """Sound this from now on; None: nothing."""
        self.seconds_played = 0.0 if self._ring is None else self._ring.consumed / SAMPLE_RATE
        sound = None if operation is None else self._find(operation.activity.pattern)
        if operation is not None and sound is not None:
            self._sound(operation, sound)
        elif self._ring is not None:
            self._ring = None
            self._context.dispatcher.execute(RemoveSource(owner=OWNER))

    @property
    def test_tone_db(self) -> float:
        """The RMS of the health check's tone, in dBFS before any volume."""
        intensity = health_check(Function.AUDIO_SPEAKER).intensity
        return LEVELS_DB[intensity] + PEAK_DB - SINE_DB

    def close(self) -> None:
        self.play(None)

    def _find(self, pattern: str) -> Playable | None:
        return SYSTEM_SOUNDS.get(pattern) or self._sounds.get(pattern)

    def _sound(self, operation: Operation, sound: Playable) -> None:
        wanted = operation.activity
        elapsed = self._context.clock.now() - operation.started
        try:
            source = SirenSource(sound, samples_in(elapsed))
        except MediaError as error:
            self._fail(f"{wanted.pattern}: {error}")
            return
        gain = np.float32(gain_from_db(LEVELS_DB[wanted.intensity]))
        ring = SampleRing(samples_in(RING_SECONDS))

        def refill(samples: int) -> None:
            ring.write(source.next(min(samples, ring.space)) * gain)

        kind = SourceKind.TONE if wanted.priority == HEALTH_CHECK_RANK else SourceKind.SIREN
        try:
            self._context.dispatcher.execute(
                AddSource(owner=OWNER, kind=kind, ring=ring, rank=wanted.priority, refill=refill)
            )
        except CommandRefused as refused:
            self._fail(str(refused))
        else:
            self._ring, self.problem = ring, ""

    def _fail(self, words: str) -> None:
        """Be silent, and say why."""
        if words != self.problem:
            logger.warning("the siren cannot be heard: %s", words)
        self.problem = words
        if self._ring is not None:
            self._ring = None
            self._context.dispatcher.execute(RemoveSource(owner=OWNER))
