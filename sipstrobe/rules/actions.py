"""What a rule can do: each action is a Struct that says which command it is.

A new action is one class here and its name in `Action`.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, cast

from msgspec import Meta, Struct

from sipstrobe import commands
from sipstrobe.commands import Command, OperationId

ProfileName = Annotated[str, Meta(min_length=1, max_length=50, title="Profile")]
OwnPriority = Annotated[int, Meta(ge=1, le=10)] | None
_OwnPriority = Annotated[
    OwnPriority, Meta(title="Priority", description="1 to 10; null: those of the profile.")
]


class _Action(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """Base of all actions."""

    words: ClassVar[str]
    lasting: ClassVar[bool] = False  # True: undone when the rule ends

    def command(self, items: Mapping[str, str]) -> Command:
        """The order to give. items: of the event that fired the rule, and what its conditions
        hold of."""
        raise NotImplementedError

    def undo(self, result: object) -> Command:
        """The order that ends what `result`, the answer to the command, tells of; if lasting."""
        raise NotImplementedError


class RunProfile(_Action, tag="run_profile", frozen=True, kw_only=True):
    """Run a light and siren profile while the rule is active."""

    words = "Run a profile while the rule is active"
    lasting = True
    profile: ProfileName
    priority: _OwnPriority = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StartProfile(profile=self.profile, priority=self.priority)

    def undo(self, result: object) -> Command:
        operations = cast("tuple[OperationId, ...]", result)
        return commands.StopOperations(operations=operations, tolerant=True)


class StartProfile(_Action, tag="start_profile", frozen=True, kw_only=True):
    """Start a light and siren profile; it runs for its own duration."""

    words = "Start a profile"
    profile: ProfileName
    priority: _OwnPriority = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StartProfile(profile=self.profile, priority=self.priority)


class StopProfile(_Action, tag="stop_profile", frozen=True, kw_only=True):
    """Stop a light and siren profile, whoever started it."""

    words = "Stop a profile"
    profile: ProfileName

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.StopProfile(profile=self.profile)


class AnswerCall(_Action, tag="answer_call", frozen=True, kw_only=True):
    """Answer the call that fired the rule, else the one that rings longest."""

    words = "Answer the call"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.AnswerCall(call=items.get("call"))


class HangUp(_Action, tag="hang_up", frozen=True, kw_only=True):
    """End the call that fired the rule, else all calls."""

    words = "Hang up"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.HangUp(call=items.get("call"))


Action = RunProfile | StartProfile | StopProfile | AnswerCall | HangUp
