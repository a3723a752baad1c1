"""Actions on the test of the speaker."""

from collections.abc import Mapping

from sipstrobe import commands
from sipstrobe.commands import Command
from sipstrobe.rules.actions.base import RuleAction


class CheckSpeaker(RuleAction, tag="run_speaker_test", frozen=True, kw_only=True):
    """Test the speaker; what came of it is the event device/speaker_test (SPT-05)."""

    words = "Test the speaker"

    def command(self, items: Mapping[str, str]) -> Command:
        return commands.RunSpeakerTest()
