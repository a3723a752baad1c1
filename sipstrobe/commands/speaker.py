"""The test of the speaker: served by services.speaker_test."""

from dataclasses import dataclass

from sipstrobe.commands.base import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateSpeaker(Command):
    """Play the test tones and remember how they are heard; ends with SpeakerTested. -> None

    SPT-01; somebody should listen (SPT-07). Refused: busy.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpeakerTest(Command):
    """Play the test tones and compare with the calibration; ends with SpeakerTested. -> None

    SPT-02. Refused: not_calibrated, busy.
    """
