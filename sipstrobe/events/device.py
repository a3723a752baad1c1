"""The device itself: its settings, its parts and its rules."""

from sipstrobe.events.declare import Event, Kind, declared


@declared("device/settings", Kind.PULSE, "The settings have changed")
class SettingsChanged(Event):
    revision: int
    paths: str  # what has changed, as JSON pointers, space separated


@declared(
    "device/service",
    Kind.PROPERTY,
    "A part of the device works, or what keeps it from working",
    source=("service",),
)
class ServiceStateChanged(Event):
    service: str
    working: bool
    problem: str  # empty when it works


@declared(
    "rule/state", Kind.PROPERTY, "A rule is active", source=("rule",), rest={"active": "false"}
)
class RuleStateChanged(Event):
    rule: str
    active: bool


@declared("rule/failed", Kind.PULSE, "The action of a rule was refused", source=("rule",))
class RuleActionFailed(Event):
    rule: str
    reason: str


@declared("log/entry", Kind.PULSE, "A rule, or a person, has written into the log")
class LogWritten(Event):
    level: str  # info, warning, error
    text: str
    rule: str  # which wanted it; empty: people
