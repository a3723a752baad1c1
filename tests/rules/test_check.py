"""What looks wrong with rules before they are saved."""

import pytest

from sipstrobe.events import MaintenanceChanged, VirtualInputChanged
from sipstrobe.rules.actions import (
    AnswerCall,
    PlayClip,
    RunLight,
    RunProfile,
    SetOutput,
    SetTrigger,
    SetVirtualInput,
    StartProfile,
    StopProfile,
    StopSignals,
)
from sipstrobe.rules.check import MAX_FIGHTS, MAX_LOOKS, Known, warnings
from sipstrobe.rules.settings import Condition, Rule, problems
from tests.rules.bench import on, rule

ACTIVE = on("call/state", state="active")
RINGING = on("call/state", state="ringing")
PRESSED = on("input/manual_trigger", trigger="1", active="true")
RELEASED = on("input/manual_trigger", trigger="1", active="false")
DIGIT = on("call/digit", digit="1")
INPUT_1 = (on("input/virtual", input="1", active="true"),)
INPUT_2 = (on("input/virtual", input="2", active="true"),)
KNOWN = Known(
    endless=frozenset({"Red"}),
    priorities={
        "Red": {"SignalingLED": 3},
        "Blue": {"SignalingLED": 3, "AudioSpeaker": 3},
        "High": {"SignalingLED": 4},
    },
)


def not_(condition: Condition) -> Condition:
    return on(condition.event, invert=not condition.invert, **condition.match)


def told(*rules: Rule, known: Known = KNOWN) -> list[tuple[str, str]]:
    assert problems(rules) == []
    return [(warned.path, warned.code) for warned in warnings(rules, known)]


@pytest.mark.parametrize(
    "conditions",
    [
        (PRESSED, RELEASED),  # two values of one source
        (PRESSED, not_(PRESSED)),
        (on("signal/maintenance", active="true"), on("signal/maintenance", active="false")),
        (RINGING, not_(on("call/state"))),  # some call, and no call
        (ACTIVE, on("call/state", state="idle")),  # a call, and none
        (PRESSED, on("input/manual_trigger", active="false")),
    ],
)
def test_conditions_that_exclude_each_other_are_told(conditions: tuple[Condition, ...]) -> None:
    assert told(rule("R", *conditions)) == [("/0/conditions/1", "never")]
    assert told(rule("R", *conditions[::-1])) == [("/0/conditions/1", "never")]


@pytest.mark.parametrize(
    "conditions",
    [
        (RINGING, ACTIVE),  # two calls
        (RINGING, not_(ACTIVE)),
        (on("call/state", local_uri="1001"), on("call/state", local_uri="sip:1001@192.0.2.1")),
        (RELEASED, not_(on("input/manual_trigger", active="false"))),  # 2 may be pressed
        (on("input/manual_trigger", trigger="2", active="true"), RELEASED),
        (not_(PRESSED), not_(RELEASED)),
    ],
)
def test_what_may_be_so_at_once_is_not_told(conditions: tuple[Condition, ...]) -> None:
    assert told(rule("R", *conditions)) == []


def test_a_trigger_that_contradicts_a_condition_is_told() -> None:
    starts = StartProfile(profile="Blue")

    assert told(rule("R", not_(PRESSED), when=PRESSED, action=starts)) == [
        ("/0/conditions/0", "never")
    ]
    assert told(rule("R", PRESSED, when=not_(PRESSED), action=starts)) == [
        ("/0/conditions/0", "never")
    ]


def test_what_does_not_come_as_things_are_is_told() -> None:
    known = Known(
        silent={"call/state": "SIP is switched off"},
        values={"call/digit": {"line": {"1001": ""}}},
    )
    odd = on("call/digit", line="1002")

    assert told(rule("R", ACTIVE), known=known) == [("/0/conditions/0", "never")]
    assert told(rule("R", not_(ACTIVE)), known=known) == []
    assert told(rule("R", on("call/state", state="idle")), known=known) == []
    assert told(rule("R", when=odd, action=AnswerCall()), known=known) == [("/0/when", "never")]


def test_rules_that_are_watched_must_be_there_and_on() -> None:
    watch = on("rule/state", rule="other", active="true")

    assert told(rule("R", watch)) == [("/0/conditions/0", "never")]
    assert told(rule("R", watch), rule("other", ACTIVE, enabled=False)) == [
        ("/0/conditions/0", "never")
    ]
    assert told(rule("R", watch, action=RunLight(pattern="Steady")), rule("other", ACTIVE)) == []


def test_a_start_without_a_stop_is_told() -> None:
    start = rule("start", when=DIGIT, action=StartProfile(profile="Red"))

    assert told(start) == [("/0/action", "no_stop")]
    for stop in (StopProfile(profile="Red"), StopSignals()):
        assert told(start, rule("stop", when=on("call/digit", digit="2"), action=stop)) == []
    other = rule("stop", when=on("call/digit", digit="2"), action=StopProfile(profile="Blue"))
    assert told(start, other) == [("/0/action", "no_stop")]


@pytest.mark.parametrize(
    ("leaves", "ended"),
    [
        (SetOutput(port=1), SetOutput(port=1, active=False)),
        (SetVirtualInput(input=3), SetVirtualInput(input=3, active=False)),
        (SetTrigger(trigger=1, active=True), SetTrigger(trigger=1, active=False)),
    ],
)
def test_so_is_a_switch_that_nobody_switches_back(
    leaves: SetOutput | SetVirtualInput | SetTrigger,
    ended: SetOutput | SetVirtualInput | SetTrigger,
) -> None:
    on_rule = rule("on", when=DIGIT, action=leaves)
    off_rule = rule("off", when=on("call/digit", digit="2"), action=ended)

    assert told(on_rule) == [("/0/action", "no_stop")]
    assert told(on_rule, off_rule) == []


def test_what_ends_by_itself_needs_no_stop() -> None:
    assert told(rule("R", when=DIGIT, action=StartProfile(profile="Blue"))) == []
    assert told(rule("R", when=DIGIT, action=SetVirtualInput(input=3, seconds=5))) == []


def test_two_rules_that_fight_for_the_light_are_told() -> None:
    """MIX-02: of equal priority the newest is shown."""
    red = rule("red", ACTIVE, action=RunProfile(profile="Red"))
    blue = rule("blue", ACTIVE, PRESSED, action=RunProfile(profile="Blue"))
    high = rule("high", ACTIVE, PRESSED, action=RunProfile(profile="High"))
    elsewhere = rule("blue", PRESSED, action=RunProfile(profile="Blue"))

    assert told(red, blue) == [("/1/action", "fight")]
    assert told(red, high) == []
    assert told(red, elsewhere) == []  # they may never meet


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (INPUT_1, INPUT_2, True),  # two things of one kind
        ((*INPUT_1, ACTIVE), INPUT_2, True),
        ((*INPUT_1, ACTIVE), (*INPUT_2, PRESSED), False),  # each wants something else besides
        ((not_(INPUT_1[0]),), INPUT_2, True),
        ((RINGING,), (ACTIVE,), False),  # of one call by turns
        ((*INPUT_1, PRESSED), (*INPUT_2, RELEASED), False),
        ((*INPUT_1, PRESSED), (*INPUT_2, not_(PRESSED)), False),
        (INPUT_1, (ACTIVE,), False),
    ],
)
def test_rules_about_the_same_kinds_of_things_that_can_meet_fight(
    one: tuple[Condition, ...], other: tuple[Condition, ...], meet: bool
) -> None:
    """MIX-02: though neither is active only with the other."""
    red = rule("red", *one, action=RunProfile(profile="Red"))
    blue = rule("blue", *other, action=RunProfile(profile="Blue"))

    assert told(red, blue) == told(blue, red) == [("/1/action", "fight")] * meet


def test_what_names_no_priority_has_the_usual_one() -> None:
    steady = rule("steady", ACTIVE, action=RunLight(pattern="Steady"))
    flash = rule("flash", ACTIVE, action=RunLight(pattern="Flash", priority=2))

    assert told(steady, flash, known=Known(usual=2)) == [("/1/action", "fight")]
    assert told(steady, flash, known=Known(usual=3)) == []


@pytest.mark.parametrize(
    ("rules", "conditions", "told"), [(256, 1, MAX_FIGHTS), (64, 30, -(-MAX_LOOKS // 30**2))]
)
def test_of_many_rules_that_can_meet_only_some_are_told(
    rules: int, conditions: int, told: int
) -> None:
    """However many pairs there are, and however much there is to compare."""
    wide = [
        rule(
            f"{n}",
            *(on("call/state", local_uri=f"{n + k}") for k in range(conditions)),
            action=RunLight(pattern="Steady", speed=1 + n % 3, intensity=1 + n % 5, priority=3),
        )
        for n in range(rules)
    ]

    found = warnings(wide, Known())

    assert len({warned.rules for warned in found}) == len(found)
    assert len(found) == told


def test_begin_and_end_at_one_trigger_are_told() -> None:
    start = rule("start", when=DIGIT, action=StartProfile(profile="Red"))
    stop = rule("stop", when=DIGIT, action=StopProfile(profile="Red"))
    by_turns = [
        rule("start", PRESSED, when=DIGIT, action=StartProfile(profile="Red")),
        rule("stop", RELEASED, when=DIGIT, action=StopProfile(profile="Red")),
    ]

    assert told(start, stop) == [("/1/action", "fight")]
    assert told(*by_turns) == []


def test_rules_that_set_each_other_off_are_told_once() -> None:
    first, second = (
        on(VirtualInputChanged.outside.topic, input=number, active="true") for number in "12"
    )
    rules = (
        rule("a", when=first, action=SetVirtualInput(input=2, seconds=1)),
        rule("b", when=second, action=SetVirtualInput(input=1, seconds=1)),
    )

    [warned] = warnings(rules, KNOWN)

    assert (warned.path, warned.code, warned.rules) == ("/0", "loop", ("a", "b"))
    assert warned.message == "may set itself off: a → b → a"


def test_a_rule_that_sets_itself_off_is_told() -> None:
    over = on("sound/clip", clip="Bell", playing="true", invert=True)

    assert told(rule("R", when=over, action=PlayClip(clip="Bell"))) == [("/0", "loop")]
    assert told(rule("R", when=over, action=PlayClip(clip="Gong"))) == []


def test_rules_that_are_off_are_not_looked_at() -> None:
    assert told(rule("R", PRESSED, RELEASED, enabled=False)) == []


def test_only_states_exclude_each_other() -> None:
    maintenance = on(MaintenanceChanged.outside.topic, active="true")
    both = (rule("R", maintenance, when=DIGIT, action=StartProfile(profile="Blue")),)

    assert told(*both) == []
