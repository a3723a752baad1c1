"""A profile may have a clip as its siren (PRF-13, EXA-09)."""

from collections import ChainMap
from dataclasses import dataclass, field

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.commands import StartProfile
from sipstrobe.context import Context
from sipstrobe.errors import MediaError
from sipstrobe.events import Function, OperationChanged
from sipstrobe.lightsiren.settings import Duration, LightPart, LightsSettings, Profile, SirenPart
from sipstrobe.lightsiren.sound import Playable, Reel
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.services.signals import Signals
from tests.support.clock import FakeClock
from tests.support.signals import FakeLight, FakeSpeaker

CLIP = np.linspace(-0.5, 0.5, 36_000, dtype=np.float32)  # 0.75 s
TWICE = Profile(
    name="Twice",
    siren=SirenPart(
        pattern="clip:Gong", intensity=5, duration=Duration(unit="repetitions", value=2)
    ),
    light=LightPart(pattern="Steady"),
)


@dataclass
class ArrayClip:
    """A clip in memory. problem: why it has no sound."""

    samples: Samples
    problem: str = ""
    period_samples: int = field(init=False)

    def __post_init__(self) -> None:
        self.period_samples = self.samples.size

    @property
    def seconds(self) -> float:
        return self.samples.size / SAMPLE_RATE

    def open(self) -> Reel:
        if self.problem:
            raise MediaError(self.problem)
        return self

    def read(self, start: int, n: int) -> Samples:
        return self.samples[start : start + n]


class Bench:
    def __init__(self, clip: ArrayClip) -> None:
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.speaker = FakeSpeaker(self.context)
        self.told: list[OperationChanged] = []
        self.context.bus.subscribe(OperationChanged, self.told.append)
        sounds = ChainMap[str, Playable]({"clip:Gong": clip}, dict(SOUNDS))
        self.signals = Signals(
            self.context, sounds=sounds, open_light=lambda output, report: FakeLight()
        )
        self.signals.apply_lights(LightsSettings())
        self.signals.apply_profiles((TWICE,))

    def start(self) -> None:
        self.context.dispatcher.execute(StartProfile(profile="Twice"))


def test_one_repetition_is_one_time_of_the_clip() -> None:
    bench = Bench(ArrayClip(CLIP))

    bench.start()

    assert np.array_equal(bench.speaker.take(1.5), np.tile(CLIP, 2))
    bench.clock.advance(1.49)
    assert bench.speaker.heard == [(0.0, "siren")]
    bench.clock.advance(0.02)
    assert bench.speaker.heard == [(0.0, "siren"), (1.5, None)]


def test_a_clip_without_its_sound_is_told_and_the_light_shines_all_the_same() -> None:
    bench = Bench(ArrayClip(CLIP, problem="its file is gone"))

    bench.start()

    assert bench.speaker.heard == []
    shown = [e.function for e in bench.told if e.phase.value == "shown"]
    assert shown == [Function.SIGNALING_LED, Function.AUDIO_SPEAKER]
    assert bench.signals.frame()[0].level > 0
