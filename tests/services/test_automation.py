"""The rules at work: from an event on the bus to a command, and back when it ends."""

import logging
from collections.abc import Callable
from itertools import count

import pytest

from sipstrobe import commands
from sipstrobe.commands import Command, OperationId
from sipstrobe.config.demo import demo
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import (
    Event,
    Function,
    OperationChanged,
    OperationPhase,
    RuleActionFailed,
    RuleStateChanged,
)
from sipstrobe.lightsiren.settings import Duration, LightPart, Profile
from sipstrobe.rules.actions import (
    MAX_SECONDS,
    AnswerCall,
    HangUp,
    PlayClip,
    PlayClipWhile,
    RecordWhile,
    RunProfile,
    SendDigits,
    StartProfile,
    StopClip,
    StopProfile,
)
from sipstrobe.rules.extensions import Extension
from sipstrobe.rules.settings import Rule
from sipstrobe.services import recorder
from sipstrobe.services.automation import Automation
from sipstrobe.services.signals import Signals
from tests.rules.bench import call, change, clip, digit, on, rule, trigger
from tests.support.clock import FakeClock

PRESSED = on("input/manual_trigger", trigger="1", active="true")
ACTIVE = on("call/state", state="active")
RINGING = on("call/state", state="ringing")


class Desk:
    """Automation on a bus, and stand-ins for the services that carry its commands out."""

    def __init__(self, *rules: Rule) -> None:
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.told: list[Event] = []
        self.orders: list[Command] = []
        self.refused: dict[type[Command], Exception] = {}
        ids = count(1)

        def start(command: commands.StartProfile) -> tuple[OperationId, ...]:
            return (OperationId(Function.SIGNALING_LED, next(ids)),)

        self._serve(commands.StartProfile, start)
        for kind in (
            commands.StopProfile,
            commands.StopOperations,
            commands.AnswerCall,
            commands.HangUp,
            commands.SendDigits,
            commands.StopRecording,
        ):
            self._serve(kind, _done)
        self._serve(commands.PlayClip, self._play)
        self._serve(commands.StopClip, self._stop)
        self._serve(commands.StartRecording, _record)
        self.automation = Automation(self.context)
        self.context.bus.subscribe(Event, self.told.append)
        self.automation.apply(rules)

    def _serve(self, kind: type[Command], answer: Callable[..., object]) -> None:
        def serve(command: Command) -> object:
            self.orders.append(command)
            if kind in self.refused:
                raise self.refused[kind]
            return answer(command)

        self.context.dispatcher.serve(kind, serve)

    def _play(self, command: commands.PlayClip) -> int:
        """A player that has one clip, Bell."""
        self.context.bus.publish(clip(command.clip, True))
        return 41

    def _stop(self, _: commands.StopClip) -> None:
        self.context.bus.publish(clip("Bell", False))

    def publish(self, *events: Event) -> None:
        for event in events:
            with self.context.trace.input("datagram", "from a test", self.clock.now()):
                self.context.bus.publish(event)

    def rules_told(self) -> list[Event]:
        return [e for e in self.told if isinstance(e, RuleStateChanged | RuleActionFailed)]


def _done(command: Command) -> None:
    """Carried out."""


def _record(_: commands.StartRecording) -> str:
    return "recording 1"


def test_a_call_runs_a_profile_while_it_is_active() -> None:
    """EXA-02: what the rule started is stopped by its operations, and nothing else is."""
    desk = Desk(rule("In a call", ACTIVE, action=RunProfile(profile="Red")))

    desk.publish(call("ringing"), call("active"), call("idle"))

    assert desk.orders == [
        commands.StartProfile(profile="Red"),
        commands.StopOperations(
            operations=(OperationId(Function.SIGNALING_LED, 1),), tolerant=True
        ),
    ]
    assert desk.rules_told() == [
        RuleStateChanged(rule="In a call", active=True),
        RuleStateChanged(rule="In a call", active=False),
    ]


def test_the_rules_of_extensions_act_beside_those_of_people_and_are_marked() -> None:
    desk = Desk()
    own = rule("Own", ACTIVE, action=RunProfile(profile="Green"))
    page = Extension(number="1001", role="page", profile="Red", priority=7)

    desk.automation.apply([own], [page])
    desk.publish(call("ringing", line="1001"), call("active", line="1001"))

    assert desk.orders == [
        commands.AnswerCall(call="c1"),
        commands.StartProfile(profile="Green"),
        commands.StartProfile(profile="Red", priority=7),
    ]
    assert [(s.rule.name, s.source, s.active) for s in desk.automation.snapshot()] == [
        ("Own", "", True),
        ("Extension 1001: answer", "extension 1001", False),
        ("Extension 1001: profile", "extension 1001", True),
    ]


def test_two_extensions_start_and_stop_their_profiles() -> None:
    """EXA-03."""
    uri = "sip:{}@192.168.0.90"
    rules: list[Rule] = []
    for ext in ("1001", "1002"):
        accepted = on("call/state_change", reason="accepted_by_device", local_uri=uri.format(ext))
        ended = on("call/state_change", reason="terminated", local_uri=uri.format(ext))
        rules += [
            rule(f"{ext} on", when=accepted, action=StartProfile(profile=ext)),
            rule(f"{ext} off", when=ended, action=StopProfile(profile=ext)),
        ]
    desk = Desk(*rules)

    for reason in ("initiated", "accepted_by_device", "terminated"):
        desk.publish(change(reason, local_uri="sip:1002@192.168.0.90:5060"))

    assert desk.orders == [
        commands.StartProfile(profile="1002"),
        commands.StopProfile(profile="1002"),
    ]


def test_a_manual_trigger_runs_a_profile_over_one_that_runs_by_hand() -> None:
    """EXA-04: only the rule's own operation is stopped on release, so the other is shown again."""
    desk = Desk(rule("Input", PRESSED, action=RunProfile(profile="Priority 4")))
    desk.context.dispatcher.execute(commands.StartProfile(profile="Priority 3"))

    desk.publish(trigger(True), trigger(False))

    assert desk.orders[1:] == [
        commands.StartProfile(profile="Priority 4"),
        commands.StopOperations(
            operations=(OperationId(Function.SIGNALING_LED, 2),), tolerant=True
        ),
    ]


def test_the_demonstration_answers_each_extension_with_its_profile() -> None:
    store = Store.memory()
    store.change_now(demo())
    desk = Desk(*store.current.rules)

    desk.publish(call("active", "c1", "1001"), call("active", "c2", "1004"))
    desk.publish(call("idle", "c2", "1004"), call("idle", "c1", "1001"))

    light = Function.SIGNALING_LED
    assert desk.orders == [
        commands.StartProfile(profile="Notice"),
        commands.StartProfile(profile="Evacuate"),
        commands.StopOperations(operations=(OperationId(light, 2),), tolerant=True),
        commands.StopOperations(operations=(OperationId(light, 1),), tolerant=True),
    ]


def test_calls_are_answered_and_hung_up_by_rules() -> None:
    ringing = on("call/state", state="ringing")
    desk = Desk(
        rule("answer", when=ringing, action=AnswerCall()),
        rule("end", when=PRESSED, action=HangUp()),
    )

    desk.publish(call("ringing", "c7"), trigger(True))

    assert desk.orders == [commands.AnswerCall(call="c7"), commands.HangUp(call=None)]


def test_a_refused_action_is_told_and_the_rule_goes_on() -> None:
    desk = Desk(rule("R", PRESSED), rule("S", PRESSED, action=StopProfile(profile="Q")))
    desk.refused[commands.StartProfile] = CommandRefused("unknown_profile", "no profile 'P'")

    desk.publish(trigger(True), trigger(False))

    assert RuleActionFailed(rule="R", reason="no profile 'P'") in desk.told
    assert desk.orders == [
        commands.StartProfile(profile="P"),
        commands.StopProfile(profile="Q"),
    ]  # nothing to undo


def test_a_rule_that_was_refused_is_not_said_to_act(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(rule("R", PRESSED))
    desk.refused[commands.StartProfile] = CommandRefused("unknown_profile", "no profile 'P'")

    with caplog.at_level(logging.INFO, logger="sipstrobe.services.automation"):
        desk.publish(trigger(True))

    assert caplog.messages == ["rule 'R' could not act: no profile 'P'"]


def test_a_broken_service_keeps_no_other_rule_from_acting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk(rule("R", PRESSED), rule("S", PRESSED, action=StopProfile(profile="Q")))
    desk.refused[commands.StartProfile] = RuntimeError("bug")

    with caplog.at_level(logging.CRITICAL, logger="sipstrobe.services.automation"):
        desk.publish(trigger(True))

    assert commands.StopProfile(profile="Q") in desk.orders
    assert any(isinstance(e, RuleActionFailed) and e.rule == "R" for e in desk.told)


def test_an_edit_ends_what_the_rule_had_started() -> None:
    """EVT-08."""
    desk = Desk(rule("R", PRESSED, action=RunProfile(profile="Old")))
    desk.publish(trigger(True))

    desk.automation.apply((rule("R", PRESSED, action=RunProfile(profile="New")),))

    assert isinstance(desk.orders[-1], commands.StopOperations)
    assert [status.active for status in desk.automation.snapshot()] == [False]
    desk.publish(trigger(False), trigger(True))
    assert desk.orders[-1] == commands.StartProfile(profile="New")


def test_rules_can_build_on_one_another() -> None:
    """That a rule is active is a property like any other."""
    desk = Desk(
        rule("follower", on("rule/state", rule="leader", active="true")),
        rule("leader", PRESSED, action=AnswerCall()),
    )

    desk.publish(trigger(True))
    assert [s.active for s in desk.automation.snapshot()] == [True, True]
    desk.publish(trigger(False))
    assert [s.active for s in desk.automation.snapshot()] == [False, False]


def test_rules_that_chase_one_another_are_stopped() -> None:
    """A rule whose own effect ends its condition would begin and end for ever."""
    shown = on("signal/operation", phase="shown", invert=True)
    desk = Desk()

    def light(event: RuleStateChanged) -> None:
        phase = OperationPhase.SHOWN if event.active else OperationPhase.ENDED
        desk.context.bus.publish(
            OperationChanged(
                function=Function.SIGNALING_LED,
                operation=1,
                phase=phase,
                pattern="Steady",
                priority=3,
                profile="P",
            )
        )

    desk.context.bus.subscribe(RuleStateChanged, light)
    with desk.context.trace.input("http", "settings", 0.0):
        desk.automation.apply((rule("chase", shown),))

    failures = [e for e in desk.told if isinstance(e, RuleActionFailed)]
    assert len(failures) == 1
    assert "loop" in failures[0].reason


class Lit:
    """Rules and a real light, which shows the profile Red for as long as it is told to."""

    def __init__(self, *rules: Rule, seconds: int | None = None) -> None:
        self.clock = FakeClock()
        self.context = Context(self.clock)
        self.told: list[Event] = []
        self.signals = Signals(self.context)
        duration = None if seconds is None else Duration(value=seconds)
        light = LightPart(pattern="Steady", duration=duration)
        self.signals.apply_profiles((Profile(name="Red", light=light),))
        self.context.bus.subscribe(Event, self.told.append)
        Automation(self.context).apply(rules)

    def press(self, active: bool, number: int = 1) -> list[str]:
        """Press or release a trigger; the profiles that run then."""
        with self.context.trace.input("http", "pressed", 0.0):
            self.context.bus.publish(trigger(active, number))
        return [operation.profile for operation in self.signals.status()]


def test_a_call_is_answered_when_the_clip_has_ended_and_it_still_rings() -> None:
    """EXA-12, EVT-11: the end of the clip is heard of on the bus, like its beginning."""
    ended = on("sound/clip", clip="Bell", playing="true", invert=True)
    desk = Desk(
        rule("play", when=RINGING, action=PlayClip(clip="Bell")),
        rule("answer", RINGING, when=ended, action=AnswerCall()),
    )

    desk.publish(call("ringing", "c7"))
    assert desk.orders == [commands.PlayClip(clip="Bell")]
    desk.publish(clip("Bell", False))

    assert desk.orders[1:] == [commands.AnswerCall(call="c7")]


def test_all_who_ring_when_the_clip_has_ended_are_answered() -> None:
    """EVT-11: each of them has been promised that; the clip of the second begins no new rule."""
    ended = on("sound/clip", clip="Bell", playing="true", invert=True)
    desk = Desk(rule("answer", RINGING, when=ended, action=AnswerCall(all=True)))

    desk.publish(clip("Bell", True), call("ringing", "c7"), call("ringing", "c8"))
    desk.publish(clip("Bell", False))

    assert desk.orders == [commands.AnswerCall(call="c7"), commands.AnswerCall(call="c8")]


def test_a_call_that_fires_the_rule_is_answered_alone() -> None:
    desk = Desk(
        rule("answer", RINGING, when=on("call/digit", digit="1"), action=AnswerCall(all=True))
    )

    desk.publish(call("ringing", "c7"), call("ringing", "c8"), digit("1", "c8"))

    assert desk.orders == [commands.AnswerCall(call="c8")]


def test_the_ringer_stops_when_the_call_is_answered() -> None:
    """EVT-12."""
    desk = Desk(rule("ringer", RINGING, action=PlayClipWhile(clip="Bell")))

    desk.publish(call("ringing"), call("active"))

    assert desk.orders == [
        commands.PlayClip(clip="Bell", repeat=None),
        commands.StopClip(playback=41),
    ]


def test_a_digit_of_the_caller_stops_the_clip_and_what_waits_for_its_end_begins() -> None:
    """EXA-11."""
    ended = on("sound/clip", playing="true", invert=True)
    desk = Desk(
        rule("play", when=PRESSED, action=PlayClip(clip="Bell", repeat=9)),
        rule("stop", when=on("call/digit", digit="1"), action=StopClip(clip="Bell")),
        rule("tell", when=ended, action=SendDigits(digits="#")),
    )

    desk.publish(trigger(True), digit("2", "c7"), digit("1", "c7"))

    assert desk.orders == [
        commands.PlayClip(clip="Bell", repeat=9),
        commands.StopClip(clip="Bell"),
        commands.SendDigits(call=None, digits="#"),
    ]


def test_a_call_is_recorded_as_long_as_it_is_active() -> None:
    desk = Desk(rule("record", ACTIVE, action=RecordWhile(source="call")))

    desk.publish(call("active", "c7"), call("idle", "c7"))

    assert desk.orders == [
        commands.StartRecording(source="call", call="c7", seconds=MAX_SECONDS),
        commands.StopRecording(recording="recording 1"),
    ]


def test_a_clip_that_cannot_be_played_is_told_and_nothing_is_stopped() -> None:
    desk = Desk(rule("ringer", RINGING, action=PlayClipWhile(clip="Gone")))
    desk.refused[commands.PlayClip] = CommandRefused("unknown_clip", "there is no clip 'Gone'")

    desk.publish(call("ringing"), call("active"))

    assert RuleActionFailed(rule="ringer", reason="there is no clip 'Gone'") in desk.told
    assert [type(order) for order in desk.orders] == [commands.PlayClip]


def test_a_rule_may_record_as_long_as_the_recorder_does() -> None:
    """Said twice, because a core knows no service."""
    assert MAX_SECONDS == recorder.LONGEST


@pytest.mark.parametrize("first", [1, 2])
def test_a_profile_that_two_rules_run_goes_on_until_both_have_ended(first: int) -> None:
    """MIX-02: the second start replaces the first, and is not ended by it, nor the reverse."""
    other = on("input/manual_trigger", trigger="2", active="true")
    red = RunProfile(profile="Red")
    desk = Lit(rule("A", PRESSED, action=red), rule("B", other, action=red))
    last = 3 - first

    assert desk.press(True, 1) == ["Red"]
    assert desk.press(True, 2) == ["Red"]
    assert desk.press(False, first) == ["Red"]
    assert desk.press(False, last) == []
    assert desk.press(True, last) == ["Red"]


def test_what_a_person_has_started_since_is_not_ended_by_the_rules() -> None:
    """MIX-02: the newest counts; what the rule ends was replaced before."""
    desk = Lit(rule("A", PRESSED, action=RunProfile(profile="Red")))
    desk.press(True)
    desk.context.dispatcher.execute(commands.StartProfile(profile="Red"))

    assert desk.press(False) == ["Red"]


def test_a_profile_of_no_length_that_starts_itself_is_stopped() -> None:
    """GAP-10: a duration of 0 is allowed; its end has the same cause as its beginning."""
    ended = on("signal/operation", phase="shown", invert=True)
    again = rule("again", when=ended, action=StartProfile(profile="Red"))
    desk = Lit(rule("first", when=PRESSED, action=StartProfile(profile="Red")), again, seconds=0)

    desk.press(True)

    [failure] = [e for e in desk.told if isinstance(e, RuleActionFailed)]
    assert failure.rule == "again"
    assert "loop" in failure.reason
    assert desk.clock.waiting == 0


def test_a_failure_that_triggers_itself_is_stopped() -> None:
    failed = on("rule/failed")
    desk = Desk(
        rule("first", when=PRESSED, action=StopProfile(profile="P")),
        rule("again", when=failed, action=StopProfile(profile="P")),
    )
    desk.refused[commands.StopProfile] = CommandRefused("not_running", "it does not run")

    desk.publish(trigger(True))

    assert 2 < len(desk.orders) < 20


def test_the_effect_names_its_cause() -> None:
    """From the command back to the datagram: why is the light on?"""
    desk = Desk(rule("R", PRESSED))
    chains: list[list[object]] = []

    def note(event: RuleStateChanged) -> None:
        link = desk.context.trace.current
        assert link is not None
        chains.append([type(cause.what).__name__ for cause in link.chain()])

    desk.context.bus.subscribe(RuleStateChanged, note)
    desk.publish(trigger(True))

    assert chains == [["RuleStateChanged", "ManualTriggerChanged", "Input"]]


def test_it_is_told_until_when_a_rule_waits() -> None:
    """EVT-03; and no more when it no longer does."""
    desk = Desk(rule("R", PRESSED, minimum_interval=10))
    told: list[float | None] = []

    for pressed in (True, False, True, False):
        desk.publish(trigger(pressed))
        told += [status.waits_until for status in desk.automation.snapshot()]
        desk.clock.advance(1.0)

    assert told == [None, None, 10.0, None]


def test_a_rule_that_waits_begins_by_the_clock() -> None:
    """EVT-03."""
    desk = Desk(rule("R", PRESSED, minimum_interval=10))
    desk.publish(trigger(True), trigger(False), trigger(True))
    assert len(desk.orders) == 2

    desk.clock.advance(10.0)

    assert desk.orders[-1] == commands.StartProfile(profile="P")


def test_the_page_sees_what_each_rule_did() -> None:
    desk = Desk(rule("R", PRESSED, ACTIVE), rule("off", PRESSED, enabled=False))
    desk.clock.advance(5.0)
    desk.publish(trigger(True))

    shown, off = desk.automation.snapshot()
    assert (shown.active, off.active, off.history) == (False, False, ())
    assert shown.history[-1] == (
        5.0,
        "input/manual_trigger (trigger 1, active true): not all conditions hold;"
        " false: call/state: state active",
    )


def test_closing_ends_all_rules() -> None:
    desk = Desk(rule("R", PRESSED))
    desk.publish(trigger(True))

    desk.automation.close()

    assert isinstance(desk.orders[-1], commands.StopOperations)
    desk.publish(trigger(False), trigger(True))
    assert isinstance(desk.orders[-1], commands.StopOperations)
