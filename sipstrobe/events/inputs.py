"""What people and wires tell the device."""

from enum import StrEnum

from sipstrobe.events.declare import Event, Kind, declared


@declared(
    "input/manual_trigger",
    Kind.PROPERTY,
    "A trigger that people set by hand",
    source=("trigger",),
    rest={"active": "false"},
)
class ManualTriggerChanged(Event):
    trigger: int  # 1…
    active: bool


class LineState(StrEnum):
    """What the circuit at a port is; the last three only where the line is supervised (IOP-04)."""

    OPEN = "open"
    CLOSED = "closed"
    SHORTED = "shorted"
    CUT = "cut"
    UNDEFINED = "undefined"  # not known, or no input


@declared(
    "input/port",
    Kind.PROPERTY,
    "An input port is active: its circuit is not in its normal state",
    source=("port",),
    rest={"state": "undefined"},
)
class InputPortChanged(Event):
    port: int  # 1…2
    active: bool
    state: LineState
    supervised: bool


@declared(
    "output/port",
    Kind.PROPERTY,
    "An output port is active: its circuit is not in its normal state",
    source=("port",),
    rest={"active": "false"},
)
class OutputPortChanged(Event):
    port: int  # 1…2
    active: bool


@declared(
    "input/virtual",
    Kind.PROPERTY,
    "A virtual input is active",
    source=("input",),
    rest={"active": "false"},
)
class VirtualInputChanged(Event):
    input: int  # 1…64
    active: bool
