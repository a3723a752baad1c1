"""What rules would do, without doing it."""

import pytest

from sipstrobe import commands
from sipstrobe.rules.actions import RunProfile, StartProfile
from sipstrobe.rules.engine import MAX_DEPTH
from sipstrobe.rules.explain import Outcome
from sipstrobe.rules.settings import Rule
from sipstrobe.rules.simulate import (
    MAX_ENTRIES,
    MAX_EVENTS,
    MAX_SECONDS,
    MAX_STEPS,
    Happening,
    Timeline,
    problems,
    simulate,
)
from tests.rules.bench import on, rule

PRESSED = on("input/manual_trigger", trigger="1", active="true")


def press(at: float, active: bool = True) -> Happening:
    items = {"trigger": "1", "active": "true" if active else "false"}
    return Happening(at, "input/manual_trigger", items)


def told(timeline: Timeline) -> list[tuple[float, str, Outcome]]:
    return [(e.record.came.now, e.record.rule.name, e.record.outcome) for e in timeline.entries]


def test_rules_begin_and_end_as_they_would() -> None:
    timeline = simulate([rule("R", PRESSED)], [press(2.0), press(5.0, active=False)])

    assert told(timeline) == [(2.0, "R", Outcome.BEGUN), (5.0, "R", Outcome.ENDED)]
    assert timeline.entries[0].orders == [commands.StartProfile(profile="P")]
    assert (timeline.active, timeline.seconds, timeline.cut) == ([], 5.0, "")


def test_what_would_be_refused_says_which_condition_was_false_and_since_when() -> None:
    active = on("call/state", state="active")
    timeline = simulate([rule("R", PRESSED, active)], [press(2.0)])

    [entry] = timeline.entries
    assert entry.record.outcome is Outcome.UNMET
    assert [(c.holds, c.since) for c in entry.record.conditions] == [(True, 2.0), (False, 0.0)]


def test_what_holds_before_is_taken_into_account() -> None:
    timeline = simulate([rule("R", PRESSED)], [], before=[press(0.0)])

    assert told(timeline) == [(0.0, "R", Outcome.BEGUN)]
    assert timeline.active == ["R"]


def test_waits_run_out_in_simulated_time() -> None:
    """EVT-03."""
    events = [press(1.0), press(2.0, active=False), press(3.0)]
    timeline = simulate([rule("R", PRESSED, minimum_interval=60)], events, seconds=100.0)

    assert told(timeline)[-2:] == [(3.0, "R", Outcome.WAITS), (61.0, "R", Outcome.BEGUN)]
    assert timeline.seconds == 100.0


def test_a_rule_sees_that_another_is_active() -> None:
    follows = rule("second", on("rule/state", rule="first", active="true"))
    timeline = simulate([rule("first", PRESSED), follows], [press(1.0), press(2.0, active=False)])

    assert told(timeline) == [
        (1.0, "first", Outcome.BEGUN),
        (1.0, "second", Outcome.BEGUN),
        (2.0, "first", Outcome.ENDED),
        (2.0, "second", Outcome.ENDED),
    ]


def test_rules_that_set_each_other_off_come_to_an_end() -> None:
    rules = [
        rule("a", PRESSED, on("rule/state", rule="b", active="true", invert=True)),
        rule("b", on("rule/state", rule="a", active="true")),
    ]
    timeline = simulate(rules, [press(1.0)])

    assert [o for _, _, o in told(timeline)].count(Outcome.LOOP) >= 1
    assert [n for _, n, o in told(timeline) if o is Outcome.BEGUN] == ["a", "b"] * MAX_DEPTH


def test_items_that_are_left_out_are_as_at_rest() -> None:
    happening = Happening(1.0, "call/state", {"state": "active"})
    timeline = simulate([rule("R", on("call/state", state="active"))], [happening])

    assert told(timeline) == [(1.0, "R", Outcome.BEGUN)]


def _busy() -> tuple[list[Rule], list[Happening]]:
    pulse = on("call/digit")
    rules = [rule(f"{i}", when=pulse, action=StartProfile(profile="P")) for i in range(3)]
    return rules, [Happening(0.0, "call/digit", {"digit": "1"})] * MAX_EVENTS


def test_a_timeline_has_an_end() -> None:
    timeline = simulate(*_busy())

    assert len(timeline.entries) == MAX_ENTRIES
    assert timeline.cut == f"the timeline has more than {MAX_ENTRIES} entries"


def test_so_have_events() -> None:
    timeline = simulate([], _busy()[1] * 2)

    assert timeline.cut == f"there are more than {MAX_EVENTS} events"


def test_and_so_has_the_work() -> None:
    """Rules that run are touched without an entry."""
    pulse = on("call/digit")
    runs = [rule(f"{i}", PRESSED, when=pulse, action=RunProfile(profile="P")) for i in range(60)]
    timeline = simulate(runs, _busy()[1], before=[press(0.0)])

    assert timeline.cut == f"rules were touched more than {MAX_STEPS} times"
    assert [o for _, _, o in told(timeline)] == [Outcome.BEGUN] * 60


@pytest.mark.parametrize(
    ("happening", "words"),
    [
        (Happening(-1.0, "call/digit", {}), "/0/at: must be from 0"),
        (Happening(MAX_SECONDS + 1, "call/digit", {}), "/0/at: must be from 0"),
        (Happening(0.0, "no/such", {}), "/0/event: there is no event 'no/such'"),
        (Happening(0.0, "call/digit", {"tone": "1"}), "/0/items/tone: there is no such item"),
        (Happening(0.0, "call/state", {"state": "odd"}), "/0/items/state: must be one of idle"),
    ],
)
def test_events_that_cannot_be_are_told(happening: Happening, words: str) -> None:
    [problem] = problems([happening])

    assert str(problem).startswith(words)


def test_events_come_in_their_order() -> None:
    [problem] = problems([press(2.0), press(1.0)])

    assert str(problem).startswith("/1/at: must be from 2")
