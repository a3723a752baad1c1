"""What a rule may be."""

import msgspec
import pytest

from sipstrobe.events import DECLARED
from sipstrobe.rules.actions import Action, RunProfile, StartProfile
from sipstrobe.rules.settings import MAX_RULES, Rules, problems
from tests.rules.bench import on, rule

START = StartProfile(profile="P")


def said(*rules: object) -> list[str]:
    return [str(p) for p in problems(rules)]  # pyright: ignore[reportArgumentType]


def test_a_sound_rule_has_no_problems() -> None:
    assert said(rule("R", on("call/state", state="active"))) == []


def test_names_are_unique() -> None:
    """They tell rules apart in events and on the page."""
    one = rule("R", on("call/state"))
    assert said(one, one) == ["/1/name: there is a rule 'R' already"]


def test_a_rule_needs_something_to_start_it() -> None:
    assert said(rule("R")) == ["/0: needs a condition or a trigger"]


def test_what_only_happens_cannot_be_a_condition() -> None:
    """EVT-04: conditions are states; EVT-06: a trigger may be anything."""
    [problem] = said(rule("R", on("call/state_change"), action=START))
    assert problem.startswith("/0/conditions/0/event: call/state_change only happens")
    assert said(rule("R", when=on("call/state_change"), action=START)) == []


def test_what_only_happens_cannot_end() -> None:
    """EVT-05 is for states."""
    [problem] = said(rule("R", when=on("call/state_change", invert=True), action=START))
    assert problem == "/0/when/invert: call/state_change never ends: it only happens"


def test_what_lasts_needs_a_condition_to_end_it() -> None:
    """ACT-02: "while active" ends when the rule ends, and a trigger alone has no end."""
    lasting = RunProfile(profile="P")
    [problem] = said(rule("R", when=on("call/state_change"), action=lasting))
    assert problem == "/0/conditions: this action needs a condition to end it"


def test_every_mistake_of_a_condition_is_told() -> None:
    wrong = on("call/state", state="singing", color="red")
    assert said(rule("R", on("no/such"), wrong)) == [
        "/0/conditions/0/event: there is no event 'no/such'",
        "/0/conditions/1/match/state: must be one of "
        "idle, calling, ringing, pin, active, terminated",
        "/0/conditions/1/match: call/state has no item 'color'",
    ]


@pytest.mark.parametrize("topic", DECLARED)
def test_every_declared_event_can_be_a_trigger(topic: str) -> None:
    """Rules are generic over events: a new one needs no line here."""
    assert said(rule("R", when=on(topic), action=START)) == []


def test_there_are_at_most_256_rules() -> None:
    """EVT-01."""
    one = msgspec.to_builtins(rule("R", on("call/state")))
    assert len(msgspec.convert([one] * MAX_RULES, Rules)) == 256
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert([one] * 257, Rules)


def test_actions_are_told_apart_by_what_they_do() -> None:
    tree = {"do": "start_profile", "profile": "P"}
    assert msgspec.convert(tree, Action) == START  # pyright: ignore[reportArgumentType]
    assert msgspec.to_builtins(START) == tree | {"priority": None}
