"""What actions leave behind, end, and make happen: as far as that is certain beforehand."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sipstrobe.events import (
    CallState,
    ClipPlaying,
    Event,
    MaintenanceChanged,
    ManualTriggerChanged,
    OperationChanged,
    OutputPortChanged,
    PageOutChanged,
    RuleStateChanged,
    VirtualInputChanged,
)
from sipstrobe.events.mqtt import MqttMessageReceived, MqttStateChanged
from sipstrobe.rules import actions
from sipstrobe.rules.settings import Rule


class Fact(NamedTuple):
    """An event that follows from an action, with those of its items that are known."""

    topic: str
    items: Mapping[str, str]


class Mark(NamedTuple):
    """Something that goes on until somebody ends it. name: empty: all of them."""

    kind: str  # "profile", "output", …
    name: str

    def covers(self, other: "Mark") -> bool:
        """Is the other one of those that are meant?"""
        return self.kind == other.kind and self.name in ("", other.name)


def leaves(action: actions.Action) -> Mark | None:
    """What goes on after the action until another ends it. Whether a profile has an end of its own
    is not known here."""
    match action:
        case actions.StartProfile(profile=name):
            return Mark("profile", name)
        case actions.StartLight(seconds=None) | actions.StartSiren(seconds=None):
            return Mark("function", action.function.value)
        case actions.SetOutput(port=port, active=True):
            return Mark("output", str(port))
        case actions.SetVirtualInput(input=number, active=True, seconds=None):
            return Mark("virtual input", str(number))
        case actions.SetTrigger(trigger=number, active=True):
            return Mark("manual trigger", str(number))
        case actions.SwitchMaintenance(active=True, seconds=None):
            return Mark("maintenance mode", "")
        case _:
            return None


def ends(action: actions.Action) -> Iterator[Mark]:
    """What the action ends, whoever began it."""
    match action:
        case actions.StopProfile(profile=name):
            yield Mark("profile", name)
        case actions.StopSignals():
            yield Mark("profile", "")
            yield from (Mark("function", function.value) for function in action.functions)
        case actions.StopClip(clip=clip):
            yield Mark("clip", clip or "")
        case actions.SetOutput(port=port, active=False) | actions.PulseOutput(port=port):
            yield Mark("output", str(port))
        case actions.SetVirtualInput(input=number, active=False):
            yield Mark("virtual input", str(number))
        case actions.SetTrigger(trigger=number, active=False):
            yield Mark("manual trigger", str(number))
        case actions.SwitchMaintenance(active=False):
            yield Mark("maintenance mode", "")
        case _:
            pass


def facts(rule: Rule) -> Iterator[Fact]:
    """What happens because the rule begins."""
    if rule.when is None or rule.conditions:
        yield _fact(RuleStateChanged, rule=rule.name, active="true")
    match rule.action:
        case actions.RunProfile(profile=name) | actions.StartProfile(profile=name):
            yield _fact(OperationChanged, profile=name, phase="shown")
        case actions.StopProfile(profile=name):
            yield _fact(OperationChanged, profile=name, phase="ended")
        case actions.PlayClip(clip=name):
            yield _fact(ClipPlaying, clip=name, playing="true")
            yield _fact(ClipPlaying, clip=name, playing="false")  # it ends by itself
        case actions.PlayClipWhile(clip=name):
            yield _fact(ClipPlaying, clip=name, playing="true")
        case actions.PageClip(clip=name, address=address, port=port):
            for state in ("waiting", "speaking", "idle"):  # it ends by itself
                yield _page(name, address, port, state)
        case actions.PageWhile(clip=name, address=address, port=port):
            for state in ("waiting", "speaking"):
                yield _page(name, address, port, state)
        case actions.SetOutput(port=port, active=active):
            yield _fact(OutputPortChanged, port=str(port), active=_text(active))
        case actions.SetOutputWhile(port=port):
            yield _fact(OutputPortChanged, port=str(port), active="true")
        case actions.PulseOutput(port=port):
            yield _fact(OutputPortChanged, port=str(port), active="true")
            yield _fact(OutputPortChanged, port=str(port), active="false")
        case actions.SetVirtualInput(input=number, active=active, seconds=seconds):
            yield _fact(VirtualInputChanged, input=str(number), active=_text(active))
            if active and seconds is not None:
                yield _fact(VirtualInputChanged, input=str(number), active="false")
        case actions.SetVirtualInputWhile(input=number):
            yield _fact(VirtualInputChanged, input=str(number), active="true")
        case actions.SetTrigger(trigger=number, active=active):
            yield _fact(ManualTriggerChanged, trigger=str(number), active=_text(active))
        case actions.Call() | actions.CallWhile():
            yield _fact(CallState, direction="outgoing", state="calling")
        case actions.SwitchMaintenance(active=active):
            yield _fact(MaintenanceChanged, active=_text(active))
        case actions.PublishMqtt():
            yield from _published(rule.action)
        case _:
            pass


def _published(action: actions.PublishMqtt) -> Iterator[Fact]:
    """What comes back from the broker, where there is a subscription to exactly that."""
    if "{" in action.topic:
        return
    items = {"filter": action.topic, "prefix": _text(action.use_prefix)}
    if "{" not in action.payload:
        items["payload"] = action.payload
    yield _fact(MqttMessageReceived, **items)
    yield _fact(MqttStateChanged, **items)


def _page(clip: str, address: str, port: int, state: str) -> Fact:
    return _fact(PageOutChanged, clip=clip, address=address, port=str(port), state=state)


def _fact(event: type[Event], **items: str) -> Fact:
    return Fact(event.outside.topic, items)


def _text(value: bool) -> str:
    return "true" if value else "false"
