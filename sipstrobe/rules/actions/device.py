"""Actions on the device itself: its modes, its volume, its log."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from sipstrobe import commands
from sipstrobe.commands import MAX_LOCATE_SECONDS, MAX_MAINTENANCE_SECONDS, Command, LogLevel
from sipstrobe.rules.actions.base import RULE_NAME, RuleAction

MAX_LOG_TEXT = 500  # characters


class CheckHealth(RuleAction, tag="run_health_check", frozen=True, kw_only=True):
    """Light each side in turn and play a test tone (MNT-06)."""

    words = "Run a health check"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.RunHealthCheck()


class Locate(RuleAction, tag="locate", frozen=True, kw_only=True):
    """Flash and sound, so that people find the device."""

    words = "Let the device be found"
    seconds: Annotated[int, Meta(ge=1, le=MAX_LOCATE_SECONDS, title="Length")] = 10

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.LocateDevice(seconds=self.seconds)


class SwitchMaintenance(RuleAction, tag="set_maintenance", frozen=True, kw_only=True):
    """Switch maintenance mode on, for good or for some time, or off."""

    words = "Switch maintenance mode"
    active: Annotated[bool, Meta(title="Active")] = True
    seconds: Annotated[
        Annotated[int, Meta(ge=1, le=MAX_MAINTENANCE_SECONDS)] | None,
        Meta(title="Length", description="Seconds until it ends; null: until it is switched off."),
    ] = None

    def command(self, items: Mapping[str, str]) -> Command:
        seconds = self.seconds if self.active else None
        return commands.SetMaintenance(active=self.active, seconds=seconds)


class SwitchVolume(RuleAction, tag="set_volume", frozen=True, kw_only=True):
    """Change the volume of the speaker, until the settings next say otherwise."""

    words = "Change the volume"
    volume_db: Annotated[
        Annotated[float, Meta(ge=-60.0, le=0.0)] | None,
        Meta(title="Volume", description="In dB; null: as it is."),
    ] = None
    muted: Annotated[
        bool | None, Meta(title="Muted", description="Whether it is silent; null: as it is.")
    ] = None

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SetVolume(volume_db=self.volume_db, muted=self.muted)


class SetTrigger(RuleAction, tag="set_manual_trigger", frozen=True, kw_only=True):
    """Press or release a manual trigger, as people do (MTR-01)."""

    words = "Switch a manual trigger"
    trigger: Annotated[int, Meta(ge=1, le=16, title="Manual trigger")]
    active: Annotated[bool, Meta(title="Active")] = True

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.SetManualTrigger(trigger=self.trigger, active=self.active)


class WriteToLog(RuleAction, tag="write_log", frozen=True, kw_only=True):
    """Write a line into the log, and publish log/entry. The text may hold placeholders, such as
    {event.digit} and {rule}."""

    words = "Write to the log"
    text: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_LOG_TEXT,
            pattern=r"^[^\x00-\x1f\x7f]+$(?!\n)",
            title="Text",
        ),
    ]
    level: Annotated[LogLevel, Meta(title="Level")] = "info"

    @property
    def templates(self) -> dict[str, str]:
        """The texts with placeholders, by their place in the action."""
        return {"/text": self.text}

    def command(self, items: Mapping[str, str]) -> Command:
        rule = items.get(RULE_NAME, "")
        return commands.WriteLog(text=self.text, level=self.level, items=items, rule=rule)
