"""What the device notices of its own state, and of those who have no business with it."""

from enum import StrEnum

from sipstrobe.events.declare import Event, Kind, declared


@declared("device/sign_in_failed", Kind.PULSE, "Somebody gave a wrong name or password")
class SignInFailed(Event):
    address: str
    name: str  # of an account; "an unknown name" where what was given is none's
    attempts: int  # of this address since the last that was told


@declared("device/address_blocked", Kind.PULSE, "An address is not heard, for it guesses passwords")
class AddressBlocked(Event):
    address: str
    seconds: float  # for which it is not


@declared(
    "storage/alert",
    Kind.PROPERTY,
    "The disk of the device is nearly full, or cannot be written",
    rest={"alert": "false"},
)
class StorageAlert(Event):
    alert: bool
    words: str  # what is wrong; empty when nothing is
    free_mb: int


class SpeakerRun(StrEnum):
    """What was done with the speaker."""

    TEST = "test"
    CALIBRATION = "calibration"


class SpeakerWay(StrEnum):
    """Where the tones were heard (checklist SPT-08)."""

    ACOUSTIC = "acoustic"  # by the microphone
    LOOP_BACK = "loop-back"  # only at the output


@declared("device/speaker_test", Kind.PULSE, "A test or calibration of the speaker has ended")
class SpeakerTested(Event):
    test: SpeakerRun
    passed: bool
    way: SpeakerWay
    words: str  # what was found
