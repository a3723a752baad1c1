"""Where the siren goes: what it sounds is a source for the speaker like any other."""

import logging
from collections.abc import Mapping
from typing import Final

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, gain_from_db, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.lightsiren.operations import Operation
from sipstrobe.lightsiren.sound import SirenSource, Sound
from sipstrobe.lightsiren.system import HEALTH_CHECK_RANK

logger = logging.getLogger(__name__)

OWNER: Final = "siren"
LEVELS_DB: Final = {1: -24.0, 2: -18.0, 3: -12.0, 4: -6.0, 5: 0.0}  # by intensity
RING_SECONDS: Final = 0.2


class Siren:
    """Sounds the operation it is given, from where it would be by now."""

    def __init__(self, context: Context, sounds: Mapping[str, Sound]) -> None:
        self.problem = ""  # why the latest sound cannot be heard
        self.seconds_played = 0.0  # how much of the sound before this one the speaker has taken
        self._context = context
        self._sounds = sounds
        self._ring: SampleRing | None = None

    def play(self, operation: Operation | None) -> None:
        """Sound this from now on; None: nothing."""
        self.seconds_played = 0.0 if self._ring is None else self._ring.consumed / SAMPLE_RATE
        sound = None if operation is None else self._sounds.get(operation.activity.pattern)
        if operation is not None and sound is not None:
            self._sound(operation, sound)
        elif self._ring is not None:
            self._ring = None
            self._context.dispatcher.execute(RemoveSource(owner=OWNER))

    def close(self) -> None:
        self.play(None)

    def _sound(self, operation: Operation, sound: Sound) -> None:
        wanted = operation.activity
        elapsed = self._context.clock.now() - operation.started
        source = SirenSource(sound, samples_in(elapsed))
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
            if str(refused) != self.problem:
                logger.warning("the siren cannot be heard: %s", refused)
            self._ring, self.problem = None, str(refused)
        else:
            self._ring, self.problem = ring, ""
