"""An engine in a test's hand: events in, what begins and ends out."""

from collections.abc import Iterable

from sipstrobe.commands import Command
from sipstrobe.events import (
    CallReason,
    CallState,
    CallStateChanged,
    CallStatus,
    ClipPlaying,
    DigitReceived,
    Direction,
    Event,
    Kind,
    ManualTriggerChanged,
    SequenceReceived,
)
from sipstrobe.rules.actions import Action, RunProfile
from sipstrobe.rules.engine import Begin, Engine
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.rules.text import texts_of
from sipstrobe.trace import Cause


class Bench:
    """`hear` answers with "begin X", "end X" and "refuse X" in the order they were left."""

    def __init__(self, *rules: Rule) -> None:
        self.engine = Engine()
        self.now = 0.0
        self.commands: list[Command] = []
        self.first = self.apply(*rules)

    def apply(self, *rules: Rule) -> list[str]:
        self.engine.apply(rules, now=self.now)
        return self._outputs()

    def hear(
        self, event: Event, *, causes: tuple[int, ...] = (), cause: Cause | None = None
    ) -> list[str]:
        """causes: the serials of a chain, as `linked` has it; cause: the chain itself."""
        cause = cause or linked(causes)
        items, topic = texts_of(event), event.outside.topic
        if event.outside.kind is Kind.PROPERTY:
            source = tuple(items[name] for name in event.outside.source)
            self.engine.property(topic, source, items, now=self.now, cause=cause)
        else:
            self.engine.pulse(topic, items, now=self.now, cause=cause)
        return self._outputs()

    def advance(self, seconds: float) -> list[str]:
        self.now += seconds
        if self.engine.deadline is not None and self.engine.deadline <= self.now:
            self.engine.wake(now=self.now)
        return self._outputs()

    def active(self) -> list[str]:
        return [name for name, state in self.engine.rules.items() if state.active]

    def _outputs(self) -> list[str]:
        said: list[str] = []
        for output in self.engine.outbox:
            said.append(f"{type(output).__name__.lower()} {output.rule.name}")
            if isinstance(output, Begin) and output.command is not None:
                self.commands.append(output.command)
        self.engine.outbox.clear()
        return said


def linked(serials: Iterable[int]) -> Cause | None:
    """A chain of causes with these serials, from the effect back to its root."""
    cause = None
    for serial in reversed(tuple(serials)):
        cause = Cause(serial, 0.0, None, cause)
    return cause


def begins(said: Iterable[str]) -> list[str]:
    return [word for word in said if word.startswith("begin")]


def rule(
    name: str,
    *conditions: Condition,
    when: Condition | None = None,
    action: Action | None = None,
    minimum_interval: int = 0,
    enabled: bool = True,
) -> Rule:
    return Rule(
        name=name,
        enabled=enabled,
        when=when,
        conditions=conditions,
        minimum_interval=minimum_interval,
        action=action or RunProfile(profile="P"),
    )


def on(event: str, *, invert: bool = False, **match: str) -> Condition:
    return Condition(event=event, match=match, invert=invert)


def call(
    state: str,
    name: str = "c1",
    extension: str = "1001",
    host: str = "192.168.0.90",
    line: str = "",
) -> CallState:
    return CallState(
        call=name,
        state=CallStatus(state),
        direction=Direction.INCOMING,
        account="peer-to-peer",
        local_uri=f"sip:{extension}@{host}",
        remote_uri="sip:alice@192.168.0.7",
        extension=extension,
        line=line,
    )


def change(
    reason: str,
    name: str = "c1",
    local_uri: str = "sip:1001@192.168.0.90",
    state: str = "active",
    line: str = "",
) -> CallStateChanged:
    return CallStateChanged(
        call=name,
        direction=Direction.INCOMING,
        account="peer-to-peer",
        local_uri=local_uri,
        remote_uri="sip:alice@192.168.0.7",
        extension=local_uri.partition(":")[2].partition("@")[0],
        line=line,
        before=CallStatus.RINGING,
        state=CallStatus(state),
        reason=CallReason(reason),
    )


def trigger(active: bool, number: int = 1) -> ManualTriggerChanged:
    return ManualTriggerChanged(trigger=number, active=active)


def clip(name: str, playing: bool) -> ClipPlaying:
    return ClipPlaying(clip=name, playing=playing)


def digit(pressed: str, name: str = "c1", line: str = "") -> DigitReceived:
    return DigitReceived(call=name, extension="1001", line=line, digit=pressed)


def sequence(event: str, pressed: str, name: str = "c1") -> SequenceReceived:
    return SequenceReceived(
        name=event,
        sequence=pressed,
        call=name,
        account="peer-to-peer",
        extension="1001",
        line="",
    )
