"""What has happened lately."""

from sipstrobe.context import Context
from sipstrobe.events import RuleStateChanged
from sipstrobe.rules.simulate import MAX_EVENTS, Happening
from sipstrobe.services.past import Past
from tests.rules.bench import digit, trigger
from tests.support.clock import FakeClock


def _pressed(at: float) -> Happening:
    return Happening(at, "input/manual_trigger", {"trigger": "1", "active": "true"})


def test_the_last_seconds_and_what_held_before_them() -> None:
    clock = FakeClock()
    context = Context(clock)
    past = Past(context)
    context.bus.publish(trigger(True), trigger(True, 2))
    clock.advance(1.0)
    context.bus.publish(trigger(False, 2), digit("1"))
    context.bus.publish(RuleStateChanged(rule="R", active=True))  # follows from the rules
    clock.advance(60.0)
    context.bus.publish(trigger(False))
    clock.advance(2.0)

    found = past.last(10.0)

    assert found.before == [_pressed(0.0)]
    assert [(e.at, e.event, e.items["active"]) for e in found.events] == [
        (8.0, "input/manual_trigger", "false")
    ]
    assert found.seconds == 10.0


def test_what_is_forgotten_of_a_storm_still_tells_what_holds() -> None:
    clock = FakeClock()
    context = Context(clock)
    past = Past(context)
    context.bus.publish(trigger(True))
    clock.advance(5.0)
    for _ in range(MAX_EVENTS):
        context.bus.publish(digit("1"))
    clock.advance(1.0)

    found = past.last(60.0)

    assert found.before == [_pressed(0.0)]
    assert len(found.events) == MAX_EVENTS
    assert (found.events[0].at, found.seconds) == (0.0, 1.0)
