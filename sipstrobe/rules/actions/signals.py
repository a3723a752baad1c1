"""Actions on light and siren."""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from msgspec import Meta

from sipstrobe import commands
from sipstrobe.commands import Command, OperationId
from sipstrobe.events import Function
from sipstrobe.rules.actions.base import RuleAction

ProfileName = Annotated[str, Meta(min_length=1, max_length=50, title="Profile")]
OwnPriority = Annotated[int, Meta(ge=1, le=10)] | None
_OwnPriority = Annotated[
    OwnPriority, Meta(title="Priority", description="1 to 10; null: those of the profile.")
]


class RunProfile(RuleAction, tag="run_profile", frozen=True, kw_only=True):
    """Run a light and siren profile while the rule is active."""

    words = "Run a profile while the rule is active"
    lasting = True
    replaces = True
    profile: ProfileName
    priority: _OwnPriority = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StartProfile(profile=self.profile, priority=self.priority)

    def undo(self, result: object) -> Command:
        operations = cast("tuple[OperationId, ...]", result)
        return commands.StopOperations(operations=operations, tolerant=True)


class StartProfile(RuleAction, tag="start_profile", frozen=True, kw_only=True):
    """Start a light and siren profile; it runs for its own duration."""

    words = "Start a profile"
    profile: ProfileName
    priority: _OwnPriority = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StartProfile(profile=self.profile, priority=self.priority)


class StopProfile(RuleAction, tag="stop_profile", frozen=True, kw_only=True):
    """Stop a light and siren profile, whoever started it."""

    words = "Stop a profile"
    profile: ProfileName

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StopProfile(profile=self.profile)


class ShowColor(RuleAction, tag="show_color", frozen=True, kw_only=True):
    """Let a light have a colour while the rule is active; no sound belongs to it."""

    words = "Show a colour while the rule is active"
    lasting = True
    replaces = True
    light: Annotated[Literal["AudioLED", "SignalingLED"], Meta(title="Light")] = "AudioLED"
    color: Annotated[str, Meta(min_length=1, max_length=20, title="Colour")]
    priority: _OwnPriority = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StartOperation(
            function=Function(self.light),
            pattern="Steady",
            colors=(self.color,),
            priority=self.priority,
        )

    def undo(self, result: object) -> Command:
        operation = cast("OperationId", result)
        return commands.StopOperations(operations=(operation,), tolerant=True)
