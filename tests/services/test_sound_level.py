"""Audio detection at the microphone (CON-01)."""

import numpy as np

from sipstrobe.audio.format import Samples, gain_from_db
from sipstrobe.context import Context
from sipstrobe.events import SoundLevelChanged
from sipstrobe.services.sound_level import HOLD, SoundLevel
from tests.support.clock import FakeClock


class Microphone:
    """Hears a steady level; None: it is off, or hears nothing yet."""

    def __init__(self, level_db: float | None) -> None:
        self.level_db = level_db
        self.underruns = 0
        self.listeners = 0

    def listen(self) -> "Microphone":
        self.listeners += 1
        return self

    def __call__(self, count: int) -> Samples | None:
        if self.level_db is None:
            return None
        return np.full(count, gain_from_db(self.level_db), np.float32)

    def close(self) -> None:
        self.listeners -= 1


def watched(microphone: Microphone) -> tuple[FakeClock, SoundLevel, list[bool]]:
    clock = FakeClock()
    context = Context(clock)
    told: list[bool] = []
    context.bus.subscribe(SoundLevelChanged, lambda event: told.append(event.above))
    return clock, SoundLevel(context, microphone.listen), told


def test_it_is_loud_at_once_and_quiet_after_a_while_of_less() -> None:
    """Between the two levels nothing changes: a sound at the edge does not flicker."""
    microphone = Microphone(-60.0)
    clock, level, told = watched(microphone)
    level.apply(-30.0)
    clock.advance(1.0)
    assert told == []

    microphone.level_db = -29.0
    clock.advance(0.15)
    assert told == [True]
    microphone.level_db = -34.0
    clock.advance(2 * HOLD)
    assert told == [True]
    microphone.level_db = None
    clock.advance(HOLD - 0.2)
    assert told == [True]
    clock.advance(0.4)

    assert told == [True, False]


def test_nobody_listens_while_nobody_wants_to_know() -> None:
    microphone = Microphone(-10.0)
    clock, level, told = watched(microphone)
    level.apply(None)
    assert (microphone.listeners, clock.waiting) == (0, 0)

    level.apply(-30.0)
    clock.advance(0.5)
    level.apply(None)

    assert told == [True, False]
    assert (microphone.listeners, clock.waiting) == (0, 0)


def test_without_a_microphone_nothing_is_loud() -> None:
    clock = FakeClock()
    level = SoundLevel(Context(clock), lambda: None)

    level.apply(-30.0)

    assert clock.waiting == 0
