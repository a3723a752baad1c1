"""What people and wires tell the device."""

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
