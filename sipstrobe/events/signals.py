"""Light and siren."""

from enum import StrEnum

from sipstrobe.events.declare import Event, Kind, declared


class Function(StrEnum):
    """The outputs with a status list of their own (checklist MIX-05)."""

    SIGNALING_LED = "SignalingLED"
    AUDIO_LED = "AudioLED"
    AUDIO_SPEAKER = "AudioSpeaker"


class OperationPhase(StrEnum):
    """What has become of a light or siren operation."""

    SHOWN = "shown"  # it is what its function shows now
    HIDDEN = "hidden"  # it runs, and a higher priority is shown
    ENDED = "ended"


@declared(
    "signal/operation",
    Kind.PROPERTY,
    "A light or siren operation is shown, hidden or has ended",
    source=("function", "operation"),
    rest={"phase": "ended"},
)
class OperationChanged(Event):
    function: Function
    operation: int
    phase: OperationPhase
    pattern: str
    priority: int
    profile: str  # empty when not started through a profile


@declared("signal/maintenance", Kind.PROPERTY, "Maintenance mode is on", rest={"active": "false"})
class MaintenanceChanged(Event):
    active: bool


@declared("signal/health_check", Kind.PULSE, "A health check has ended")
class HealthCheckDone(Event):
    passed: bool
    errors: str  # what is wrong, in words; empty when all is well
