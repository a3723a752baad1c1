"""What the clock and the calendar bring."""

from enum import StrEnum

from sipstrobe.events.declare import Event, Kind, declared


class StartReason(StrEnum):
    """How the run before this one ended."""

    FIRST = "first"  # there was none
    STOPPED = "stopped"  # as it should
    KILLED = "killed"  # this program alone: it was killed, or failed
    POWER = "power"  # the whole machine: its power failed, or it was reset


@declared(
    "schedule/interval",
    Kind.PROPERTY,
    "An interval of a schedule has begun or ended",
    source=("schedule",),
    rest={"active": "false"},
)
class ScheduleInterval(Event):
    schedule: str  # its name
    active: bool
    again: bool = False  # it had begun already: the device was started anew, or its clock put back


@declared("schedule/pulse", Kind.PULSE, "The instant of a schedule has come")
class SchedulePulse(Event):
    schedule: str


@declared("device/started", Kind.PULSE, "The device has started")
class DeviceStarted(Event):
    reason: StartReason
    off_since: str  # its last sign of life before, ISO 8601 with zone; empty: it is new
    off_seconds: int  # since then; 0: not known


@declared("device/time", Kind.PULSE, "The clock was set, or the machine has slept")
class ClockSet(Event):
    before: str  # what it should have said, ISO 8601 with zone
    after: str  # what it says
    seconds: float  # by how much it was put forward; below 0: back
