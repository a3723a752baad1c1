"""Light and siren: what runs on each function, from the orders to frames and sound."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from msgspec.structs import replace

from sipstrobe.commands import (
    MAX_LOCATE_SECONDS,
    LocateDevice,
    OperationId,
    RunHealthCheck,
    SetMaintenance,
    StartOperation,
    StartProfile,
    StopAll,
    StopOperations,
    StopProfile,
)
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Function, OperationChanged, OperationPhase
from sipstrobe.lightsiren import system
from sipstrobe.lightsiren.activity import activities, ordered
from sipstrobe.lightsiren.frame import Frame
from sipstrobe.lightsiren.operations import Activity, Changed, Operation, Operations, Show
from sipstrobe.lightsiren.preview import PREVIEW_RANK, PreviewProfile, StopPreview, previewed
from sipstrobe.lightsiren.settings import (
    PRIORITIES,
    LightsSettings,
    MaintenanceSettings,
    Profile,
)
from sipstrobe.lightsiren.sound import Playable
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.machine import Driver
from sipstrobe.services.health import HealthCheck, HealthResult
from sipstrobe.services.lamps import Lamp
from sipstrobe.services.light_drivers import LightDrivers, OpenLight
from sipstrobe.services.light_outputs import LightOutputs
from sipstrobe.services.maintenance import Maintenance
from sipstrobe.services.siren import Siren
from sipstrobe.trace import Cause, Input

LIGHTS: Final = (Function.SIGNALING_LED, Function.AUDIO_LED)
MEASURED: Final = ("datagram", "stream", "http", "mqtt")  # people wait to see their light
TONE_TAKEN: Final = 0.5  # of the test tone, which the sound card must have asked for


@dataclass(frozen=True, slots=True)
class OperationStatus:
    """One row of a status list. ends_at: monotonic seconds, None: it runs until it is stopped.

    speed is None and colors are empty for a siren. cause: the order that started it, with what
    led to it.
    """

    function: Function
    id: int
    pattern: str
    priority: int
    intensity: int
    speed: int | None
    colors: tuple[str, ...]
    profile: str
    shown: bool
    ends_at: float | None
    cause: Cause | None = field(compare=False, repr=False)


@dataclass(slots=True)
class _Channel:
    """One function: its running operations, and what plays the one that is shown.

    ids: never given twice, so that the id of what has ended stops nothing else. The lights share
    theirs, since some interfaces do not tell them apart.
    """

    operations: Operations
    driver: Driver[Show | Changed]
    output: Lamp | Siren
    ids: "count[int]"


class Signals:
    """Serves the orders to light and siren, and tells what has become of each operation.

    tone_problem tells in words what keeps a test tone (Hz, RMS in dBFS) that has just been played
    from being heard; empty when it was heard.
    """

    def __init__(
        self,
        context: Context,
        *,
        sounds: Mapping[str, Playable] = SOUNDS,
        open_light: OpenLight | None = None,
        tone_problem: Callable[[float, float], str] = lambda hertz, level_db: "",
    ) -> None:
        self._context = context
        self._sounds = sounds
        self._tone_problem = tone_problem
        self._profiles: dict[str, tuple[tuple[Function, Activity], ...]] = {}
        self._latency = context.measures.histogram(
            "input_to_light_seconds", "From an input's arrival to the light that it switched"
        )
        cid = context.random_bytes(16)
        self._lights = LightOutputs(context, open_light or LightDrivers(context, cid))
        self._lamps = {light: Lamp(context, light, self._lights) for light in LIGHTS}
        self._siren = Siren(context, sounds)
        self._light_ids, self._siren_ids = count(1), count(1)
        self._channels = {function: self._channel(function) for function in Function}
        self._maintenance = Maintenance(context, self._switch_maintenance)
        self._health = HealthCheck(
            context, self._start_health_check, self._lights.check, self._siren_problems
        )
        self._serve()

    # --- settings ------------------------------------------------------------------------------

    def apply_profiles(self, profiles: Iterable[Profile]) -> None:
        """Know these profiles from now on; what runs goes on as it was started."""
        self._profiles = {p.name: activities(p, self._sounds) for p in profiles}

    def apply_maintenance(self, wanted: MaintenanceSettings) -> None:
        self._maintenance.apply(wanted)

    def apply_lights(self, wanted: LightsSettings) -> None:
        self._lights.apply(wanted.outputs)
        for lamp in self._lamps.values():
            lamp.resume()

    # --- what others may look at ---------------------------------------------------------------

    def status(self) -> list[OperationStatus]:
        """What runs on each function, the highest priority first: that one is shown."""
        return [
            self._status(operation, operation is channel.operations.shown)
            for channel in self._channels.values()
            for operation in channel.operations.running
        ]

    def frame(self, function: Function = Function.SIGNALING_LED) -> Frame:
        """What this light shows now."""
        return self._lamps[function].frame

    def watch_frames(
        self,
        watcher: Callable[[Frame], None],
        function: Function = Function.SIGNALING_LED,
    ) -> Callable[[], None]:
        """Call watcher with each frame of this light from now on; the result ends that."""
        return self._lamps[function].watch(watcher)

    @property
    def maintenance(self) -> MaintenanceSettings:
        return self._maintenance.settings

    @property
    def last_health_check(self) -> HealthResult | None:
        return self._health.last

    @property
    def light_states(self) -> dict[str, str]:
        """What keeps each output of the light from working; empty where nothing does."""
        return self._lights.states

    def close(self) -> None:
        """Light dark or as its outputs leave it, siren silent, outputs closed."""
        self._maintenance.close()
        self._lights.part()
        for channel in self._channels.values():
            channel.driver.close()
            channel.output.close()
        self._lights.close()

    # --- orders --------------------------------------------------------------------------------

    def _serve(self) -> None:
        dispatcher = self._context.dispatcher
        dispatcher.serve(StartProfile, self._start_profile)
        dispatcher.serve(StopProfile, self._stop_profile)
        dispatcher.serve(StartOperation, self._start_operation)
        dispatcher.serve(StopOperations, self._stop_operations)
        dispatcher.serve(StopAll, self._stop_all)
        dispatcher.serve(PreviewProfile, self._preview)
        dispatcher.serve(StopPreview, lambda _: self._stop_preview(Function))
        dispatcher.serve(SetMaintenance, self._maintenance.order)
        dispatcher.serve(RunHealthCheck, lambda _: self._health.run())
        dispatcher.serve(LocateDevice, self._locate)

    def _start_profile(self, command: StartProfile) -> tuple[OperationId, ...]:
        wanted = self._profiles.get(command.profile)
        if wanted is None:
            raise CommandRefused("unknown_profile", f"there is no profile {command.profile!r}")
        priority = command.priority
        if priority is not None and priority not in PRIORITIES:
            raise CommandRefused("priority", f"the priority is {PRIORITIES[0]} to {PRIORITIES[-1]}")
        return tuple(
            self._start(f, a if priority is None else replace(a, priority=priority))
            for f, a in wanted
        )

    def _stop_profile(self, command: StopProfile) -> None:
        profile = command.profile
        channels = [c for c in self._channels.values() if _runs_profile(c.operations, profile)]
        if not channels:
            if profile not in self._profiles:
                raise CommandRefused("unknown_profile", f"there is no profile {profile!r}")
            raise CommandRefused("not_running", f"the profile {profile!r} does not run")
        for channel in channels:
            channel.driver.feed(channel.operations.stop_profile, profile)

    def _start_operation(self, command: StartOperation) -> OperationId:
        return self._start(command.function, ordered(command, self._sounds))

    def _stop_operations(self, command: StopOperations) -> None:
        ids: dict[Function, set[int]] = {}
        for wanted in command.operations:
            found = self._channels[wanted.function].operations.find(wanted.id)
            if found is not None and not found.of_system:
                ids.setdefault(wanted.function, set()).add(wanted.id)
            elif not command.tolerant:
                words = f"{wanted.function.value} has no operation {wanted.id} to stop"
                raise CommandRefused("unknown_operation", words)
        for function, which in ids.items():
            channel = self._channels[function]
            channel.driver.feed(channel.operations.stop, which)

    def _stop_all(self, command: StopAll) -> None:
        for function in command.functions:
            channel = self._channels[function]
            channel.driver.feed(channel.operations.stop_all)

    def _preview(self, command: PreviewProfile) -> tuple[OperationId, ...]:
        wanted = previewed(command, self._sounds)
        self._stop_preview(function for function in Function if function not in wanted)
        return tuple(self._start(function, activity) for function, activity in wanted.items())

    def _stop_preview(self, functions: Iterable[Function]) -> None:
        for function in functions:
            channel = self._channels[function]
            channel.driver.feed(channel.operations.stop_rank, PREVIEW_RANK)

    def _locate(self, command: LocateDevice) -> None:
        seconds = min(max(0, command.seconds), MAX_LOCATE_SECONDS)
        for function in Function:
            self._start(function, system.identify(function, seconds))

    # --- what runs -----------------------------------------------------------------------------

    def _channel(self, function: Function) -> _Channel:
        operations = Operations(function)
        output = self._lamps.get(function) or self._siren
        driver = self._context.driver(
            operations, self._deliver, name=f"{function.value} operations"
        )
        ids = self._light_ids if function in LIGHTS else self._siren_ids
        return _Channel(operations, driver, output, ids)

    def _start(self, function: Function, activity: Activity) -> OperationId:
        channel = self._channels[function]
        id_ = next(channel.ids)
        cause = self._context.trace.current
        channel.driver.feed(channel.operations.start, id_, activity, cause=cause)
        return OperationId(function, id_)

    def _deliver(self, output: Show | Changed) -> None:
        if isinstance(output, Show):
            self._channels[output.function].output.play(output.operation)
            if output.operation is not None and output.function is not Function.AUDIO_SPEAKER:
                self._measure()
        else:
            self._publish(output)

    def _measure(self) -> None:
        cause = self._context.trace.current
        if cause is not None:
            root = cause.root
            if isinstance(root.what, Input) and root.what.kind in MEASURED:
                self._latency.record(self._context.clock.now() - root.at)

    def _publish(self, change: Changed) -> None:
        operation = change.operation
        wanted = operation.activity
        self._context.bus.publish(
            OperationChanged(
                function=operation.function,
                operation=operation.id,
                phase=change.phase,
                pattern=wanted.pattern,
                priority=wanted.priority,
                profile=wanted.profile,
            )
        )
        if wanted.priority == system.HEALTH_CHECK_RANK and change.phase is OperationPhase.ENDED:
            self._health.ended(operation.function)

    def _status(self, operation: Operation, shown: bool) -> OperationStatus:
        wanted, siren = operation.activity, operation.function is Function.AUDIO_SPEAKER
        ends_at = operation.ends
        if wanted.priority == system.MAINTENANCE_RANK:
            left = self._maintenance.seconds_left
            ends_at = None if left is None else self._context.clock.now() + left
        return OperationStatus(
            function=operation.function,
            id=operation.id,
            pattern=wanted.pattern,
            priority=wanted.priority,
            intensity=wanted.intensity,
            speed=None if siren else wanted.speed,
            colors=() if siren else wanted.colors,
            profile=wanted.profile,
            shown=shown,
            ends_at=ends_at,
            cause=operation.cause,
        )

    # --- the system's own ----------------------------------------------------------------------

    def _switch_maintenance(self, active: bool) -> None:
        for function, channel in self._channels.items():
            if active:
                self._start(function, system.maintenance())
            else:
                channel.driver.feed(channel.operations.stop_rank, system.MAINTENANCE_RANK)

    def _start_health_check(self) -> None:
        for function in Function:
            self._start(function, system.health_check(function))

    def _siren_problems(self) -> list[str]:
        played, wanted = self._siren.seconds_played, system.HEALTH_CHECK_SECONDS
        words = self._siren.problem
        words = words or self._tone_problem(system.TEST_TONE_HERTZ, self._siren.test_tone_db)
        if not words and played < TONE_TAKEN * wanted:
            words = f"the sound card took {played:.1f} s of a test tone of {wanted:.1f} s"
        return [words] if words else []


def _runs_profile(operations: Operations, profile: str) -> bool:
    return any(operation.activity.profile == profile for operation in operations.running)
