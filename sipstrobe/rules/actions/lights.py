"""Actions on the light alone, and on the siren alone, without a profile."""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from msgspec import Meta

from sipstrobe import commands
from sipstrobe.commands import Command, OperationId
from sipstrobe.events import Function
from sipstrobe.rules.actions.base import RuleAction

MAX_SECONDS = 259_200  # 72 hours, as of profiles

_Light = Annotated[Literal["SignalingLED", "AudioLED"], Meta(title="Light")]
_Pattern = Annotated[
    str, Meta(min_length=1, max_length=60, title="Pattern", description="Of light, or a sound.")
]
_Colors = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=20)], ...] | None,
    Meta(
        title="Colours",
        description="How many depends on the pattern; null: the pattern's own.",
    ),
]
_Intensity = Annotated[
    Annotated[int, Meta(ge=1, le=5)] | None,
    Meta(title="Intensity", description="1 to 5; null: the usual one."),
]
_Speed = Annotated[
    Annotated[int, Meta(ge=1, le=4)] | None,
    Meta(title="Speed", description="1 to 4; null: the pattern's own."),
]
_Priority = Annotated[
    Annotated[int, Meta(ge=1, le=10)] | None,
    Meta(title="Priority", description="1 to 10; null: the usual one."),
]
_Seconds = Annotated[
    Annotated[int, Meta(ge=1, le=MAX_SECONDS)] | None,
    Meta(title="Length", description="In seconds; null: until it is stopped."),
]


class OneFunction(RuleAction, frozen=True, kw_only=True):
    """Base of the actions that start something on one function."""

    pattern: _Pattern
    intensity: _Intensity = None
    priority: _Priority = None

    @property
    def function(self) -> Function:
        """What it is started on."""
        raise NotImplementedError

    def undo(self, result: object) -> Command:
        operation = cast("OperationId", result)
        return commands.StopOperations(operations=(operation,), tolerant=True)


class LightAction(OneFunction, frozen=True, kw_only=True):
    """Base of the actions on a light."""

    light: _Light = "SignalingLED"
    colors: _Colors = None
    speed: _Speed = None

    @property
    def function(self) -> Function:
        return Function(self.light)

    def start(self, seconds: int | None) -> Command:
        """The order; seconds: None: until it is stopped."""
        return commands.StartOperation(
            function=self.function,
            pattern=self.pattern,
            colors=self.colors,
            speed=self.speed,
            intensity=self.intensity,
            priority=self.priority,
            duration=_duration(seconds),
        )


class SirenAction(OneFunction, frozen=True, kw_only=True):
    """Base of the actions on the siren; pattern: one of its sounds, or of a clip."""

    @property
    def function(self) -> Function:
        return Function.AUDIO_SPEAKER

    def start(self, seconds: int | None) -> Command:
        """The order; seconds: None: until it is stopped."""
        return commands.StartOperation(
            function=self.function,
            pattern=self.pattern,
            intensity=self.intensity,
            priority=self.priority,
            duration=_duration(seconds),
        )


class StartLight(LightAction, tag="start_light", frozen=True, kw_only=True):
    """Start a light; it runs for a while, or until it is stopped."""

    words = "Start a light"
    seconds: _Seconds = None

    def command(self, items: Mapping[str, str]) -> Command:
        return self.start(self.seconds)


class RunLight(LightAction, tag="run_light", frozen=True, kw_only=True):
    """Run a light while the rule is active."""

    words = "Run a light while the rule is active"
    lasting = True
    replaces = True

    def command(self, items: Mapping[str, str]) -> Command:
        return self.start(None)


class StartSiren(SirenAction, tag="start_siren", frozen=True, kw_only=True):
    """Start the siren; it sounds for a while, or until it is stopped."""

    words = "Start the siren"
    seconds: _Seconds = None

    def command(self, items: Mapping[str, str]) -> Command:
        return self.start(self.seconds)


class RunSiren(SirenAction, tag="run_siren", frozen=True, kw_only=True):
    """Let the siren sound while the rule is active."""

    words = "Let the siren sound while the rule is active"
    lasting = True
    replaces = True

    def command(self, items: Mapping[str, str]) -> Command:
        return self.start(None)


class StopSignals(RuleAction, tag="stop_signals", frozen=True, kw_only=True):
    """Stop light, siren or both, whoever started them; clips that play are not meant."""

    words = "Stop light or siren"
    what: Annotated[Literal["all", "light", "siren"], Meta(title="What")] = "all"

    @property
    def functions(self) -> tuple[Function, ...]:
        """Those that are meant."""
        siren = Function.AUDIO_SPEAKER
        lights = tuple(function for function in Function if function is not siren)
        return {"all": (*lights, siren), "light": lights, "siren": (siren,)}[self.what]

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StopAll(functions=self.functions)


def _duration(seconds: int | None) -> tuple[str, int] | None:
    return None if seconds is None else ("seconds", seconds)
