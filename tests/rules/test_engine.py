"""When rules begin and end: EVT-01…08 of the checklist, and the worked examples."""

from sipstrobe import commands
from sipstrobe.rules.actions import AnswerCall, HangUp, RunProfile, StartProfile, StopProfile
from sipstrobe.rules.engine import MAX_BEGUN, MAX_DEPTH, MAX_OFTEN, OFTEN_SECONDS
from sipstrobe.rules.explain import MAX_RECORDS, Outcome
from sipstrobe.rules.facts import MAX_SOURCES
from sipstrobe.rules.settings import Rule
from sipstrobe.trace import Cause, Input
from tests.rules.bench import Bench, begins, call, change, on, rule, trigger

ACTIVE = on("call/state", state="active")
RINGING = on("call/state", state="ringing")
PRESSED = on("input/manual_trigger", trigger="1", active="true")


def test_a_call_runs_a_profile_while_it_is_active() -> None:
    """EXA-02: call state active ⇒ run profile while active."""
    bench = Bench(rule("In a call", ACTIVE, action=RunProfile(profile="Red")))

    assert bench.hear(call("ringing")) == []
    assert bench.hear(call("active")) == ["begin In a call"]
    assert bench.commands == [commands.StartProfile(profile="Red")]
    assert bench.hear(call("terminated")) == ["end In a call"]


def test_a_rule_stays_active_as_long_as_any_call_is() -> None:
    """A property condition holds when any of its sources matches."""
    bench = Bench(rule("In a call", ACTIVE))

    assert bench.hear(call("active", "c1")) == ["begin In a call"]
    assert bench.hear(call("active", "c2")) == []
    assert bench.hear(call("idle", "c1")) == []
    assert bench.hear(call("idle", "c2")) == ["end In a call"]


def test_each_extension_starts_and_stops_its_own_profile() -> None:
    """EXA-03: accepted on sip:<extension>@<ip> starts a profile, terminated stops it."""
    rules: list[Rule] = []
    for extension in ("1001", "1002"):
        uri = f"sip:{extension}@192.168.0.90"
        start = on("call/state_change", reason="accepted_by_device", local_uri=uri)
        stop = on("call/state_change", reason="terminated", local_uri=uri)
        rules.append(
            rule(f"{extension} on", when=start, action=StartProfile(profile=f"P{extension}"))
        )
        rules.append(
            rule(f"{extension} off", when=stop, action=StopProfile(profile=f"P{extension}"))
        )
    bench = Bench(*rules)

    bench.hear(change("accepted_by_device", local_uri="sip:1001@192.168.0.90:5060"))
    bench.hear(change("accepted_by_device", local_uri="sip:1002@192.168.0.90;transport=udp"))
    bench.hear(change("terminated", local_uri="sip:1002@192.168.0.90"))
    bench.hear(change("terminated", local_uri="sip:1001@192.168.0.90:5060"))

    assert bench.commands == [
        commands.StartProfile(profile="P1001"),
        commands.StartProfile(profile="P1002"),
        commands.StopProfile(profile="P1002"),
        commands.StopProfile(profile="P1001"),
    ]
    assert bench.active() == []


def test_all_conditions_must_hold() -> None:
    """EVT-04."""
    bench = Bench(rule("both", ACTIVE, PRESSED))

    assert bench.hear(call("active")) == []
    assert bench.hear(trigger(True)) == ["begin both"]
    assert bench.hear(call("idle")) == ["end both"]
    assert bench.hear(trigger(False)) == []


def test_an_inverted_condition_holds_from_the_start() -> None:
    """EVT-05: invert a condition."""
    bench = Bench(rule("quiet", on("call/state", state="active", invert=True)))

    assert bench.first == ["begin quiet"]
    assert bench.hear(call("active")) == ["end quiet"]
    assert bench.hear(call("idle")) == ["begin quiet"]


def test_without_any_source_conditions_see_the_declared_rest() -> None:
    """A property that nobody reports has the value of its declaration: no call is idle."""
    bench = Bench(rule("idle", on("call/state", state="idle")))

    assert bench.first == ["begin idle"]
    assert bench.hear(call("ringing")) == ["end idle"]
    assert bench.hear(call("idle")) == ["begin idle"]


def test_a_condition_without_values_asks_for_any_source() -> None:
    """Nothing that rests is reported, so nothing but a source can make it hold."""
    bench = Bench(rule("any call", on("call/state")))

    assert bench.first == []
    assert bench.hear(call("ringing")) == ["begin any call"]
    assert bench.hear(call("idle")) == ["end any call"]


def test_the_rest_of_one_source_is_not_disturbed_by_another() -> None:
    """Trigger 1 is off as long as only trigger 2 is pressed."""
    bench = Bench(rule("off", on("input/manual_trigger", trigger="1", active="false")))

    assert bench.first == ["begin off"]
    assert bench.hear(trigger(True, 2)) == []
    assert bench.hear(trigger(True, 1)) == ["end off"]
    assert bench.hear(trigger(False, 1)) == ["begin off"]


def test_a_trigger_starts_the_rule_and_the_others_keep_it() -> None:
    """EVT-06: the trigger only starts it; it stays active while the other conditions hold."""
    bench = Bench(rule("R", PRESSED, when=on("call/state_change", reason="accepted_by_device")))

    assert bench.hear(change("accepted_by_device")) == []  # trigger 1 is not pressed
    assert bench.hear(trigger(True)) == []  # and now nothing has triggered
    assert bench.hear(change("accepted_by_device")) == ["begin R"]
    assert bench.hear(change("accepted_by_device")) == []  # it runs already
    assert bench.hear(trigger(False)) == ["end R"]


def test_a_property_as_trigger_fires_for_each_source_that_comes_to_match() -> None:
    bench = Bench(rule("R", when=RINGING, action=AnswerCall()))

    assert bench.hear(call("ringing", "c1")) == ["begin R"]
    assert bench.hear(call("ringing", "c1")) == []  # nothing new
    assert bench.hear(call("ringing", "c2")) == ["begin R"]
    assert bench.commands == [commands.AnswerCall(call="c1"), commands.AnswerCall(call="c2")]


def test_an_inverted_trigger_fires_as_the_last_source_ceases_to_match() -> None:
    """As in EXA-12: what has ended is the trigger, and the call still rings."""
    ended = on("input/manual_trigger", active="true", invert=True)
    bench = Bench(rule("R", RINGING, when=ended, action=AnswerCall()))

    bench.hear(trigger(True, 1))
    bench.hear(trigger(True, 2))
    bench.hear(call("ringing"))
    assert bench.hear(trigger(False, 1)) == []
    assert bench.hear(trigger(False, 2)) == ["begin R"]
    assert bench.commands == [commands.AnswerCall(call="c1")]


def test_an_action_that_runs_once_is_repeated_by_each_trigger() -> None:
    bench = Bench(rule("R", ACTIVE, when=PRESSED, action=StopProfile(profile="P")))
    bench.hear(call("active"))

    assert bench.hear(trigger(True)) == ["begin R"]
    bench.hear(trigger(False))
    assert bench.hear(trigger(True)) == ["begin R"]
    assert bench.hear(call("idle")) == ["end R"]


def test_a_trigger_that_comes_too_soon_is_passed_over() -> None:
    """EVT-03: the minimum time between activations."""
    bench = Bench(rule("R", when=PRESSED, action=StartProfile(profile="P"), minimum_interval=10))

    assert bench.hear(trigger(True)) == ["begin R"]
    bench.hear(trigger(False))
    bench.now = 9.9
    assert bench.hear(trigger(True)) == []
    bench.hear(trigger(False))
    bench.now = 10.0
    assert bench.hear(trigger(True)) == ["begin R"]


def test_a_state_that_lasts_is_waited_for() -> None:
    """EVT-03: without a trigger the rule is active while all holds, once the time is over."""
    bench = Bench(rule("R", PRESSED, minimum_interval=10))

    assert bench.hear(trigger(True)) == ["begin R"]
    assert bench.hear(trigger(False)) == ["end R"]
    bench.now = 3.0
    assert bench.hear(trigger(True)) == []
    assert bench.engine.deadline == 10.0
    assert bench.advance(7.0) == ["begin R"]


def test_a_state_that_has_passed_is_not_made_up_for() -> None:
    """EVT-03: what does not hold when the time is over starts nothing."""
    bench = Bench(rule("R", PRESSED, minimum_interval=10))
    for pressed in (True, False, True, False):
        bench.hear(trigger(pressed))

    assert bench.engine.deadline is None
    assert bench.advance(20.0) == []


def test_a_rule_that_waits_and_is_taken_away_does_not_come_back() -> None:
    """Nor does one that is switched off meanwhile; others wait on."""
    waiting = [rule(name, PRESSED, minimum_interval=10) for name in ("gone", "off", "stays")]
    bench = Bench(*waiting)
    for pressed in (True, False, True):
        bench.hear(trigger(pressed))
    bench.apply(rule("off", PRESSED, minimum_interval=10, enabled=False), waiting[2])

    assert bench.advance(10.0) == ["begin stays"]


def test_what_waits_each_time_is_no_loop() -> None:
    """It comes of what it has done before, but cannot run away: the wait is the brake."""
    bench = Bench(rule("R", PRESSED, minimum_interval=10))
    said = bench.hear(trigger(True), causes=(7,))
    causes: tuple[int, ...] = (7,)
    for serial in range(8, 8 + 3 * MAX_DEPTH):
        causes = (serial, *causes)
        said += bench.advance(1.0)
        said += bench.hear(trigger(False), causes=causes)
        said += bench.hear(trigger(True), causes=causes)
        said += bench.advance(9.0)

    assert said == ["begin R"] + ["end R", "begin R"] * 3 * MAX_DEPTH


def test_what_follows_from_a_wait_is_no_loop_either() -> None:
    """Each time that a wait is over is an input of its own, whatever it began by."""
    bench = Bench(rule("R", when=on("call/state_change"), action=StopProfile(profile="P")))
    cause: Cause | None = None
    for serial in range(1, 6 * MAX_DEPTH, 2):
        waited = Cause(serial, 0.0, Input("timer", "the wait is over"), cause)
        cause = Cause(serial + 1, 0.0, None, waited)
        assert bench.hear(change("terminated"), cause=cause) == ["begin R"]


def test_a_disabled_rule_does_nothing() -> None:
    """EVT-02."""
    bench = Bench(rule("R", PRESSED, enabled=False))

    assert bench.hear(trigger(True)) == []
    assert bench.apply(rule("R", PRESSED)) == ["begin R"]
    assert bench.apply(rule("R", PRESSED, enabled=False)) == ["end R"]


def test_changing_an_active_rule_requires_switching_it_on_again() -> None:
    """EVT-08: its effect ends, and what holds already does not start it."""
    changed = rule("R", PRESSED, action=RunProfile(profile="Other"))
    bench = Bench(rule("R", PRESSED))
    bench.hear(trigger(True))

    assert bench.apply(changed) == ["end R"]
    assert bench.apply(rule("R", PRESSED, enabled=False)) == []
    assert bench.apply(changed) == ["begin R"]


def test_a_changed_rule_starts_when_its_conditions_hold_anew() -> None:
    """EVT-08: the other way to switch it on again."""
    bench = Bench(rule("R", PRESSED))
    bench.hear(trigger(True))
    bench.apply(rule("R", PRESSED, action=RunProfile(profile="Other")))

    assert bench.hear(trigger(False)) == []
    assert bench.hear(trigger(True)) == ["begin R"]
    assert bench.commands[-1] == commands.StartProfile(profile="Other")


def test_a_changed_rule_that_its_trigger_has_begun_waits_for_nothing_more() -> None:
    """EVT-08: it is told what it waits for, and only as long as it does."""
    by_trigger = [
        rule("R", when=PRESSED, action=StartProfile(profile=profile)) for profile in ("B", "C")
    ]
    bench = Bench(rule("R", ACTIVE, when=PRESSED))
    bench.hear(call("active"))
    bench.hear(trigger(True))

    bench.apply(by_trigger[0])
    bench.hear(trigger(False))
    bench.hear(trigger(True))
    bench.apply(by_trigger[1])

    outcomes = [record.outcome for record in bench.engine.rules["R"].records]
    assert outcomes[-3:] == [Outcome.CHANGED, Outcome.BEGUN, Outcome.NOT_FIRED]


def test_a_change_that_leaves_it_active_keeps_the_others_going() -> None:
    one, two = rule("one", PRESSED), rule("two", PRESSED)
    bench = Bench(one, two)
    bench.hear(trigger(True))

    assert bench.apply(two, one) == []  # the order alone is no change of a rule
    assert bench.apply(two) == ["end one"]
    assert bench.active() == ["two"]


def test_rules_touched_at_once_act_in_the_order_of_the_list() -> None:
    bench = Bench(
        rule("a", PRESSED), rule("b", on("input/manual_trigger", active="true")), rule("c", PRESSED)
    )

    assert bench.hear(trigger(True)) == ["begin a", "begin b", "begin c"]
    assert bench.hear(trigger(False)) == ["end a", "end b", "end c"]


def test_the_call_that_fired_the_rule_is_hung_up() -> None:
    bench = Bench(rule("R", when=RINGING, action=HangUp()))
    bench.hear(call("active", "c1"))
    bench.hear(call("ringing", "c2"))

    assert bench.commands == [commands.HangUp(call="c2")]


def test_a_condition_about_a_call_says_which_call_is_meant() -> None:
    """Two calls ring, one of them for extension 1002; a manual trigger answers that one."""
    wanted = on("call/state", state="ringing", extension="1002")
    bench = Bench(rule("R", wanted, when=PRESSED, action=AnswerCall()))
    bench.hear(call("ringing", "c1", "1001"))
    bench.hear(call("ringing", "c2", "1002"))
    bench.hear(call("ringing", "c3", "1002"))
    bench.hear(trigger(True))

    assert bench.commands == [commands.AnswerCall(call="c2")]  # the one that rings longest


def test_all_calls_that_a_condition_is_about_are_meant_wherever_it_stands() -> None:
    """Other conditions say nothing about calls, or that there is none of some kind."""
    on_duty = on("input/manual_trigger", trigger="2", active="true")
    nobody_speaks = on("call/state", state="active", invert=True)
    answer = AnswerCall(all=True)
    bench = Bench(rule("R", nobody_speaks, on_duty, RINGING, when=PRESSED, action=answer))
    bench.hear(trigger(True, 2))
    bench.hear(call("ringing", "c1"))
    bench.hear(call("ringing", "c2"))

    bench.hear(trigger(True))

    assert bench.commands == [commands.AnswerCall(call="c1"), commands.AnswerCall(call="c2")]


def test_an_action_without_a_call_leaves_the_choice_to_the_phone() -> None:
    bench = Bench(rule("R", when=PRESSED, action=AnswerCall()))
    bench.hear(trigger(True))

    assert bench.commands == [commands.AnswerCall(call=None)]


def test_a_rule_that_sets_itself_off_again_and_again_is_stopped_and_said_once() -> None:
    """Each time it comes from what it has done before, back to one input."""
    bench = Bench(rule("R", when=PRESSED, action=StartProfile(profile="P")))
    said: list[str] = []
    causes: tuple[int, ...] = (7,)
    for serial in range(8, 8 + 3 * MAX_DEPTH):
        causes = (serial, *causes)
        said += bench.hear(trigger(True), causes=causes)
        said += bench.hear(trigger(False), causes=causes)

    assert begins(said) == ["begin R"] * MAX_DEPTH
    assert said[MAX_DEPTH:] == ["refuse R"]
    assert bench.hear(trigger(True), causes=(99,)) == ["begin R"]  # another input, another matter


def looping(bench: Bench) -> None:
    """Trigger 1 is pressed again and again because of itself, and stays so."""
    causes: tuple[int, ...] = (7,)
    for serial in range(8, 9 + MAX_DEPTH):
        causes = (serial, *causes)
        bench.hear(trigger(False), causes=causes)
        bench.hear(trigger(True), causes=causes)


def test_a_rule_that_was_stopped_in_a_loop_begins_as_soon_as_it_is_mended() -> None:
    """It was not active as it was changed, so that there is nothing to wait for (EVT-08)."""
    bench = Bench(rule("R", PRESSED))
    looping(bench)
    assert bench.active() == []

    assert bench.apply(rule("R", PRESSED, action=RunProfile(profile="Other"))) == ["begin R"]


def test_a_rule_that_was_stopped_in_a_loop_is_not_said_to_have_been_changed() -> None:
    bench = Bench(rule("R", when=PRESSED, action=StartProfile(profile="P")))
    looping(bench)
    bench.apply(rule("R", when=PRESSED, action=StartProfile(profile="Other")))

    outcomes = [record.outcome for record in bench.engine.rules["R"].records]

    assert outcomes[-2:] == [Outcome.LOOP, Outcome.NOT_FIRED]


def test_a_circle_that_no_cause_shows_is_broken_by_how_often_it_turns() -> None:
    """A rule that publishes where it hears itself: each time, the input is from elsewhere."""
    bench = Bench(rule("R", when=PRESSED, action=StopProfile(profile="P")))
    said: list[str] = []
    for serial in range(MAX_OFTEN + 2):
        said += bench.hear(trigger(True), causes=(serial + 1,))
        said += bench.hear(trigger(False))

    assert said == ["begin R"] * MAX_OFTEN + ["refuse R"]
    bench.advance(OFTEN_SECONDS)
    assert bench.hear(trigger(True), causes=(1_000_000,)) == ["begin R"]


def test_what_one_order_does_to_a_hundred_calls_is_no_loop() -> None:
    """A person hangs up all calls: the rule acts for each of them."""
    bench = Bench(rule("R", when=on("call/state_change"), action=StopProfile(profile="P")))

    said = [bench.hear(change("terminated", f"c{i}"), causes=(i, 7)) for i in range(100, 200)]

    assert said == [["begin R"]] * 100


def test_rules_that_set_off_one_another_in_all_ways_come_to_an_end() -> None:
    """None of them begins often because of itself, and yet there would be no end to it."""
    bench = Bench(rule("R", when=on("call/state_change"), action=StopProfile(profile="P")))
    said: list[str] = []
    for i in range(2 * MAX_BEGUN):
        said += bench.hear(change("terminated"), causes=(100 + i, 7))

    assert said == ["begin R"] * MAX_BEGUN + ["refuse R"]


def test_every_rule_tells_why_it_did_not_act() -> None:
    both = rule("R", ACTIVE, on("input/manual_trigger", active="true", invert=True))
    bench = Bench(both)
    bench.hear(trigger(True))
    bench.hear(call("active", "c9"))

    words = [record.told[1] for record in bench.engine.rules["R"].records]

    assert words[-1].startswith("call/state (call c9, state active,")
    assert words[-1].endswith(
        "not all conditions hold; false: not input/manual_trigger: active true"
    )


def test_a_rule_that_was_changed_tells_what_kept_it_back_before() -> None:
    """The conditions are those of then."""
    bench = Bench(rule("R", ACTIVE, PRESSED))
    bench.hear(trigger(True))
    bench.apply(rule("R", RINGING, ACTIVE))

    words = [record.told[1] for record in bench.engine.rules["R"].records]

    assert words[-2].endswith("not all conditions hold; false: call/state: state active")
    assert words[-1] == (
        "settings: not all conditions hold; false: call/state: state ringing;"
        " call/state: state active"
    )


def test_the_history_of_a_rule_is_bounded() -> None:
    """What it did, and as much of what it did not do."""
    bench = Bench(rule("R", PRESSED, ACTIVE))
    for _ in range(3 * MAX_RECORDS):
        bench.hear(trigger(True))
        bench.hear(call("active"))
        bench.hear(call("idle"))
        bench.hear(trigger(False))

    assert len(bench.engine.rules["R"].records) == 2 * MAX_RECORDS


def test_the_sources_of_a_property_are_bounded() -> None:
    """The source that came first is forgotten, as if it had nothing to report any more."""
    bench = Bench(rule("first", on("call/state", call="c0")), rule("any", ACTIVE))
    for i in range(MAX_SOURCES):
        bench.hear(call("active", f"c{i}"))
    assert bench.active() == ["first", "any"]

    assert bench.hear(call("active", "one more")) == ["end first"]


def test_what_no_rule_asks_for_any_more_is_not_watched() -> None:
    """A device whose rules are edited for years watches what they are now, and nothing else."""
    digit, changed = on("call/digit", digit="1"), on("call/state_change")
    bench = Bench(rule("R", when=digit, action=AnswerCall()), rule("S", ACTIVE, when=changed))
    bench.hear(call("active"))

    bench.apply(rule("S", ACTIVE, when=changed))
    assert [bench.engine.hears(topic) for topic in ("call/digit", "call/state_change")] == [
        False,
        True,
    ]
    assert bench.hear(change("terminated")) == ["begin S"]
    assert bench.engine.hears("call/state")
    bench.apply()
    assert not bench.engine.hears("call/state_change")
    assert not bench.engine.hears("call/state")


def test_what_begins_for_one_reason_is_forgotten_with_the_next() -> None:
    """A device that rings bells for years keeps no list of them."""
    bench = Bench(rule("R", when=on("call/state_change"), action=StopProfile(profile="P")))

    for serial in range(1, 101):
        bench.hear(change("terminated"), causes=(serial,))

    assert len(bench.engine.rules["R"].begun) == 1


def test_an_instant_value_can_be_asked_for_after_rules_are_changed() -> None:
    """Rules see what came before they were made."""
    bench = Bench()
    bench.hear(call("active"))
    bench.hear(trigger(True))

    assert bench.apply(rule("R", ACTIVE, PRESSED)) == ["begin R"]
