"""What holds just now, and manual triggers."""

import pytest

from sipstrobe.commands import SetManualTrigger
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event, HealthCheckDone, ManualTriggerChanged
from sipstrobe.services.properties import MAX_SOURCES, Properties
from tests.rules.bench import call
from tests.support.clock import FakeClock


@pytest.fixture
def context() -> Context:
    return Context(FakeClock())


def test_the_last_value_of_each_source_is_kept(context: Context) -> None:
    properties = Properties(context)
    for event in (call("ringing", "c1"), call("ringing", "c2"), call("active", "c1")):
        context.bus.publish(event)

    assert properties.current("call/state") == [call("active", "c1"), call("ringing", "c2")]
    context.bus.publish(call("idle", "c1"))
    assert properties.current() == [call("ringing", "c2")]


def test_pulses_do_not_last(context: Context) -> None:
    properties = Properties(context)
    context.bus.publish(HealthCheckDone(passed=True, errors=""))

    assert properties.current() == []


def test_the_sources_of_a_property_are_bounded(context: Context) -> None:
    properties = Properties(context)
    for i in range(MAX_SOURCES + 1):
        context.bus.publish(call("active", f"c{i}"))

    kept = properties.current("call/state")
    assert len(kept) == MAX_SOURCES
    assert kept[0] == call("active", "c1")


def test_a_manual_trigger_is_pressed_and_released(context: Context) -> None:
    """MTR-01."""
    properties = Properties(context)
    properties.apply(("Doorbell", "Test"))
    told: list[Event] = []
    context.bus.subscribe(ManualTriggerChanged, told.append)

    context.dispatcher.execute(SetManualTrigger(trigger=2, active=True))
    assert properties.manual_triggers() == [(1, "Doorbell", False), (2, "Test", True)]
    context.dispatcher.execute(SetManualTrigger(trigger=2, active=False))

    assert properties.manual_triggers() == [(1, "Doorbell", False), (2, "Test", False)]
    assert told == [
        ManualTriggerChanged(trigger=2, active=True),
        ManualTriggerChanged(trigger=2, active=False),
    ]


@pytest.mark.parametrize("number", [-1, 0, 2])
def test_there_is_no_other_trigger(context: Context, number: int) -> None:
    Properties(context).apply(("Only",))
    with pytest.raises(CommandRefused) as caught:
        context.dispatcher.execute(SetManualTrigger(trigger=number, active=True))
    assert caught.value.code == "unknown_trigger"


def test_a_trigger_that_is_removed_is_released(context: Context) -> None:
    properties = Properties(context)
    properties.apply(("One", "Two"))
    context.dispatcher.execute(SetManualTrigger(trigger=2, active=True))

    properties.apply(("One",))

    assert properties.current("input/manual_trigger") == []
