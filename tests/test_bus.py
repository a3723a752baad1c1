"""Facts reach everybody in the same order; orders reach exactly one; both know why."""

import pytest

from sipstrobe.commands import HangUp, SetManualTrigger
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Event, MaintenanceChanged, ManualTriggerChanged
from tests.support.clock import FakeClock


def pressed(trigger: int) -> ManualTriggerChanged:
    return ManualTriggerChanged(trigger=trigger, active=True)


@pytest.fixture
def context() -> Context:
    return Context(FakeClock())


def test_an_event_published_by_a_handler_waits_until_everybody_has_the_current_one(
    context: Context,
) -> None:
    seen: list[tuple[str, Event]] = []

    def first(event: ManualTriggerChanged) -> None:
        seen.append(("first", event))
        if event.trigger == 1:
            context.bus.publish(pressed(2))

    context.bus.subscribe(ManualTriggerChanged, first)
    context.bus.subscribe(ManualTriggerChanged, lambda e: seen.append(("second", e)))

    context.bus.publish(pressed(1))

    assert [(who, e.trigger) for who, e in seen if isinstance(e, ManualTriggerChanged)] == [
        ("first", 1),
        ("second", 1),
        ("first", 2),
        ("second", 2),
    ]


def test_a_handler_of_the_base_class_hears_all_kinds_and_can_leave(context: Context) -> None:
    seen: list[Event] = []
    leave = context.bus.subscribe(Event, seen.append)

    context.bus.publish(pressed(1))
    context.bus.publish(MaintenanceChanged(active=True))
    leave()
    context.bus.publish(pressed(3))

    assert seen == [pressed(1), MaintenanceChanged(active=True)]


def test_a_failing_handler_hurts_nobody_else(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Event] = []

    def broken(_: Event) -> None:
        raise ZeroDivisionError

    context.bus.subscribe(ManualTriggerChanged, broken)
    context.bus.subscribe(ManualTriggerChanged, seen.append)

    context.bus.publish(pressed(1))

    assert seen == [pressed(1)]
    assert "a handler of ManualTriggerChanged failed" in caplog.text


def test_why_can_be_answered_by_walking_back_to_the_input(context: Context) -> None:
    """ARCHITECTURE §11.3: every effect has a cause, and the chain ends at an input."""
    context.dispatcher.serve(
        SetManualTrigger,
        lambda c: context.bus.publish(ManualTriggerChanged(trigger=c.trigger, active=c.active)),
    )
    chains: list[list[object]] = []

    def light(_: ManualTriggerChanged) -> None:
        assert context.trace.current is not None
        chains.append([link.what for link in context.trace.current.chain()])

    context.bus.subscribe(ManualTriggerChanged, light)

    order = SetManualTrigger(trigger=1, active=True)
    with context.trace.input("http", "POST /x", 12.5) as cause:
        context.dispatcher.execute(order)

    assert chains == [[pressed(1), order, cause.what]]
    assert cause.root.at == 12.5


def test_an_order_that_nobody_serves_is_refused(context: Context) -> None:
    with pytest.raises(CommandRefused, match="HangUp") as refused:
        context.dispatcher.execute(HangUp())
    assert refused.value.code == "not_available"
