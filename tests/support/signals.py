"""Light and siren in a device of their own: a fake clock, a light and a speaker that remember."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

import msgspec
import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.source import AddSource, RemoveSource
from sipstrobe.commands import ChangeSettings, Command
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event
from sipstrobe.io.lights import Picture
from sipstrobe.lightsiren.settings import LightsSettings, MaintenanceSettings, Profile
from sipstrobe.services.light_drivers import OpenLight
from sipstrobe.services.signals import Signals
from tests.support.clock import FakeClock


class SettableClock(FakeClock):
    """A clock whose calendar people can set."""

    ahead = timedelta(0)

    def wall(self) -> datetime:
        return super().wall() + self.ahead


@dataclass
class FakeLight:
    """Keeps every picture. broken: what it fails with, if it fails."""

    seen: ClassVar = True
    parting: ClassVar = False
    pictures: list[Picture] = field(default_factory=list[Picture])
    broken: str = ""
    closed: bool = False

    def show(self, picture: Picture) -> None:
        self.check()
        self.pictures.append(picture)

    def check(self) -> None:
        if self.broken:
            raise OSError(self.broken)

    def close(self) -> None:
        self.closed = True


class FakeSpeaker:
    """Serves the orders for sources; `take` plays the part of the sound card."""

    def __init__(self, context: Context) -> None:
        self.source: AddSource | None = None
        self.heard: list[tuple[float, str | None]] = []  # (seconds, kind); None: silence
        self.full = False
        self._clock = context.clock
        context.dispatcher.serve(AddSource, self._add)
        context.dispatcher.serve(RemoveSource, self._remove)

    def take(self, seconds: float) -> Samples:
        """The next samples of the present source."""
        assert self.source is not None
        ring, refill = self.source.ring, self.source.refill
        assert refill is not None
        out = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
        done = 0
        while done < out.size:
            refill(min(960, ring.space))
            done += ring.read_into(out[done : done + 960])
        return out

    def _add(self, command: AddSource) -> None:
        if self.full:
            raise CommandRefused("too_many_sources", "no room")
        self.source = command
        self.heard.append((self._clock.now(), command.kind.value))

    def _remove(self, command: RemoveSource) -> None:
        assert self.source is not None
        assert command.owner == self.source.owner
        self.source = None
        self.heard.append((self._clock.now(), None))


class Bench:
    """Signals with everything around it, started and out of maintenance unless told otherwise."""

    def __init__(
        self,
        *profiles: Profile,
        maintenance: bool = False,
        open_light: OpenLight | None = None,
    ) -> None:
        self.clock = SettableClock()
        self.context = Context(self.clock)
        self.events: list[Event] = []
        self.context.bus.subscribe(Event, self.events.append)
        self.light = FakeLight()
        self.speaker = FakeSpeaker(self.context)
        self.stored = MaintenanceSettings(active=maintenance)
        self.disk_full = False
        self.sound_problem = ""
        self.tones: list[tuple[float, float]] = []  # that were asked for: Hz, dBFS
        self.context.dispatcher.serve(ChangeSettings, self._change)
        self.signals = Signals(
            self.context,
            open_light=open_light or (lambda output, report: self.light),
            tone_problem=self._hear_tone,
        )
        self.signals.apply_lights(LightsSettings(outputs=("virtual",)))
        self.signals.apply_profiles(profiles)
        self.signals.apply_maintenance(self.stored)

    def do(self, command: Command) -> Any:
        return self.context.dispatcher.execute(command)

    def told(self, kind: type[Event] = Event) -> list[Event]:
        """The events of this kind since last time."""
        found = [event for event in self.events if isinstance(event, kind)]
        self.events.clear()
        return found

    def shown(self, function: str = "SignalingLED") -> list[tuple[float, str, str]]:
        """(seconds, colour of side A or "", profile) of what the light has shown since last."""
        found = [
            (round(p.at, 6), p.sides[0][0], p.profile)
            for p in self.light.pictures
            if p.function == function
        ]
        self.light.pictures.clear()
        return found

    def _hear_tone(self, hertz: float, level_db: float) -> str:
        self.tones.append((hertz, level_db))
        return self.sound_problem

    def _change(self, command: ChangeSettings) -> int:
        if self.disk_full:
            raise OSError("no space left on device")
        patch = cast("dict[str, Any]", command.patch)
        self.stored = msgspec.convert(patch["maintenance"], MaintenanceSettings)
        self.signals.apply_maintenance(self.stored)
        return 1
