"""Why a rule acted or did not, as data: what its conditions were, since when, and by what."""

from sipstrobe.rules.actions import HangUp, RunProfile, StartProfile
from sipstrobe.rules.engine import Begin
from sipstrobe.rules.explain import MAX_RECORDS, Outcome, describe
from sipstrobe.trace import Input
from tests.rules.bench import Bench, call, change, linked, on, rule, trigger

ACTIVE = on("call/state", state="active")
PRESSED = on("input/manual_trigger", trigger="1", active="true")
RELEASED = on("input/manual_trigger", trigger="1", active="true", invert=True)


def test_each_condition_says_since_when_it_is_so_and_by_what() -> None:
    bench = Bench(rule("R", ACTIVE, PRESSED))
    bench.now = 5.0
    bench.hear(call("active", "c9"))
    bench.now = 8.0
    bench.hear(trigger(True))
    bench.now = 9.0
    bench.hear(call("idle", "c9"))

    conditions = bench.engine.rules["R"].records[-1].conditions

    assert [(describe(c.condition), c.holds, c.since) for c in conditions] == [
        ("call/state: state active", False, 9.0),
        ("input/manual_trigger: trigger 1, active true", True, 8.0),
    ]
    assert [c.by.topic for c in conditions] == ["call/state", "input/manual_trigger"]
    assert conditions[0].by.items["state"] == "idle"


def test_what_was_so_before_the_rule_was_made_is_told_by_what_is_known() -> None:
    bench = Bench()
    bench.now = 3.0
    bench.hear(call("active"))
    bench.now = 7.0
    bench.apply(rule("R", ACTIVE, PRESSED))

    in_a_call, pressed = bench.engine.rules["R"].records[-1].conditions

    assert (in_a_call.holds, in_a_call.since, in_a_call.by.topic) == (True, 3.0, "call/state")
    assert (pressed.holds, pressed.since, pressed.by.topic) == (False, 7.0, "settings")


def test_of_several_sources_the_first_made_it_so_before_the_rule_too() -> None:
    bench = Bench()
    for bench.now, name in ((3.0, "c1"), (5.0, "c2")):
        bench.hear(call("active", name))
    bench.apply(rule("R", ACTIVE))

    [in_a_call] = bench.engine.rules["R"].conditions

    assert (in_a_call.since, in_a_call.by.items["call"]) == (3.0, "c1")


def test_a_record_keeps_how_it_stood_then() -> None:
    bench = Bench(rule("R", ACTIVE, PRESSED))
    bench.now = 1.0
    bench.hear(call("active"))
    bench.now = 2.0
    bench.hear(trigger(True))
    bench.now = 3.0
    bench.hear(call("idle"))

    begun = [r for r in bench.engine.rules["R"].records if r.outcome is Outcome.BEGUN]

    assert [[c.since for c in record.conditions] for record in begun] == [[1.0, 2.0]]


def test_an_inverted_condition_that_is_false_says_since_when() -> None:
    bench = Bench(rule("R", ACTIVE, RELEASED))
    bench.now = 4.0
    bench.hear(trigger(True))
    bench.now = 6.0
    bench.hear(call("active"))

    held, kept_back = bench.engine.rules["R"].records[-1].conditions

    assert (held.holds, held.since) == (True, 6.0)
    assert (kept_back.holds, kept_back.since) == (False, 4.0)


def test_what_a_rule_did_is_not_lost_among_all_that_it_did_not_do() -> None:
    pressed_while_active = rule(
        "R", ACTIVE, when=on("call/state_change"), action=StartProfile(profile="P")
    )
    bench = Bench(pressed_while_active)
    bench.hear(call("active"))
    bench.hear(change("accepted_by_device"))
    bench.hear(call("idle"))
    for _ in range(2 * MAX_RECORDS):
        bench.hear(change("terminated"))

    outcomes = [record.outcome for record in bench.engine.rules["R"].records]

    assert outcomes[:3] == [Outcome.BEGUN, Outcome.ENDED, Outcome.UNMET]
    assert len(outcomes) == 2 + MAX_RECORDS


def test_a_rule_that_has_waited_tells_what_made_it_wait() -> None:
    bench = Bench(rule("R", PRESSED, minimum_interval=10))
    bench.hear(trigger(True), causes=(2, 1))
    bench.hear(trigger(False), causes=(4, 3))
    bench.hear(trigger(True), causes=(6, 5))

    bench.engine.wake(now=10.0)
    [begun] = [output for output in bench.engine.outbox if isinstance(output, Begin)]

    assert begun.armed is not None
    assert [link.serial for link in begun.armed.chain()] == [6, 5]
    assert begun.record.came.topic == "timer"


def test_what_comes_of_a_wait_each_time_is_no_loop() -> None:
    """It cannot run away: it waits each time."""
    bench = Bench(rule("R", when=PRESSED, action=HangUp()))
    cause = linked((1,))
    for serial in range(2, 60, 2):
        with_timer = linked((serial,))
        assert with_timer is not None
        cause = type(with_timer)(serial, 0.0, Input("timer", "a wait is over"), cause)
        event = type(with_timer)(serial + 1, 0.0, None, cause)
        items = {"trigger": "1", "active": "true"}
        bench.engine.property("input/manual_trigger", ("1",), items, now=0.0, cause=event)
        bench.engine.property(
            "input/manual_trigger", ("1",), items | {"active": "false"}, now=0.0, cause=event
        )

    assert [type(output) for output in bench.engine.outbox] == [Begin] * 29


def test_an_action_that_was_refused_is_told_with_what_began_it() -> None:
    bench = Bench(rule("R", PRESSED, action=RunProfile(profile="P")))
    bench.hear(trigger(True))
    record = bench.engine.rules["R"].records[-1]
    assert record.told[1].endswith(": begun")

    record.fail("there is no profile 'P'")

    assert record.told[1].endswith(": begun; but not carried out: there is no profile 'P'")
