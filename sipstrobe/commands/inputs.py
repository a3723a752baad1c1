"""Inputs: served by services.properties."""

from dataclasses import dataclass

from sipstrobe.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class SetManualTrigger(Command):
    """Press or release a manual trigger. -> None. Refused: unknown_trigger."""

    trigger: int  # 1…
    active: bool
