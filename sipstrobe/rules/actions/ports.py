"""Actions on outputs and virtual inputs."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from sipstrobe import commands
from sipstrobe.commands import MAX_ACTIVE_SECONDS, PORTS, VIRTUAL_INPUTS, Command
from sipstrobe.rules.actions.base import RuleAction

MAX_PULSE = 3600.0  # seconds

_Port = Annotated[int, Meta(ge=1, le=PORTS, title="I/O port")]
_Input = Annotated[int, Meta(ge=1, le=VIRTUAL_INPUTS, title="Virtual input")]
_Active = Annotated[bool, Meta(title="Active")]


class SetOutput(RuleAction, tag="set_output", frozen=True, kw_only=True):
    """Switch an output; it stays so."""

    words = "Switch an output"
    port: _Port
    active: _Active = True

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SetOutput(port=self.port, active=self.active)


class SetOutputWhile(RuleAction, tag="set_output_while", frozen=True, kw_only=True):
    """Have an output active while the rule is active."""

    words = "Switch an output while the rule is active"
    lasting = True
    replaces = True
    port: _Port

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SetOutput(port=self.port, active=True)

    def undo(self, result: object) -> Command:
        return commands.SetOutput(port=self.port, active=False)


class PulseOutput(RuleAction, tag="pulse_output", frozen=True, kw_only=True):
    """Have an output active for a while."""

    words = "Switch an output for a while"
    port: _Port
    seconds: Annotated[float, Meta(ge=0.05, le=MAX_PULSE, title="Length")] = 1.0

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SetOutput(port=self.port, active=True, seconds=self.seconds)


class SetVirtualInput(RuleAction, tag="set_virtual_input", frozen=True, kw_only=True):
    """Switch a virtual input, as others do over the network."""

    words = "Switch a virtual input"
    input: _Input
    active: _Active = True
    seconds: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_ACTIVE_SECONDS)] | None,
        Meta(
            title="Length",
            description="Seconds until it is inactive again; null: it stays active.",
        ),
    ] = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SetVirtualInput(input=self.input, active=self.active, seconds=self.seconds)


class SetVirtualInputWhile(RuleAction, tag="set_virtual_input_while", frozen=True, kw_only=True):
    """Have a virtual input active while the rule is active."""

    words = "Switch a virtual input while the rule is active"
    lasting = True
    replaces = True
    input: _Input

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SetVirtualInput(input=self.input, active=True, kept=False)

    def undo(self, result: object) -> Command:
        return commands.SetVirtualInput(input=self.input, active=False)
