"""Which of the running operations is shown (checklist MIX-01…07, GAP-01…04, GAP-10)."""

import pytest

from sipstrobe.events import Function, OperationPhase
from sipstrobe.lightsiren.operations import Activity, Changed, Operations, Show
from sipstrobe.trace import Trace

LED = Function.SIGNALING_LED
SHOWN, HIDDEN, ENDED = OperationPhase.SHOWN, OperationPhase.HIDDEN, OperationPhase.ENDED

Told = str | tuple[int, str]


def activity(priority: int, *, seconds: float | None = None, profile: str = "") -> Activity:
    return Activity(
        pattern="Blink", priority=priority, intensity=2, seconds=seconds, profile=profile
    )


def start(
    operations: Operations,
    priority: int,
    *,
    now: float = 0.0,
    seconds: float | None = None,
    profile: str = "",
) -> int:
    id_ = max([operation.id for operation in operations.running], default=0) + 1
    operations.start(id_, activity(priority, seconds=seconds, profile=profile), now=now)
    return id_


def told(operations: Operations) -> list[Told]:
    """What has been said since last time: "shows 2", "shows nothing", (id, phase)."""
    found: list[Told] = []
    for output in operations.outbox:
        if isinstance(output, Show):
            found.append(f"shows {output.operation.id if output.operation else 'nothing'}")
        else:
            found.append((output.operation.id, output.phase.value))
    operations.outbox.clear()
    return found


def ids(operations: Operations) -> list[int]:
    return [operation.id for operation in operations.running]


def run_to(operations: Operations, until: float) -> list[tuple[float, list[Told]]]:
    """Wake it whenever it wants to be, and note what it says at each instant."""
    found: list[tuple[float, list[Told]]] = []
    while (at := operations.deadline) is not None and at <= until:
        operations.wake(now=at)
        found.append((at, told(operations)))
    return found


def test_what_is_started_is_shown_before_anything_is_told() -> None:
    operations = Operations(LED)

    start(operations, 3)

    assert told(operations) == ["shows 1", (1, SHOWN)]
    assert operations.shown is operations.running[0]


def test_a_higher_priority_interrupts_and_a_lower_one_waits() -> None:
    """MIX-01: 10 is the highest."""
    operations = Operations(LED)
    start(operations, 5)
    told(operations)

    start(operations, 10)
    start(operations, 1)

    assert told(operations) == ["shows 2", (1, HIDDEN), (2, SHOWN), (3, HIDDEN)]
    assert ids(operations) == [2, 1, 3]


def test_the_newest_of_one_priority_replaces_the_other() -> None:
    """MIX-02, GAP-02: a new id, the old one is gone."""
    operations = Operations(LED)
    start(operations, 4)
    told(operations)

    assert start(operations, 4) == 2

    assert told(operations) == ["shows 2", (1, ENDED), (2, SHOWN)]
    assert ids(operations) == [2]


def test_a_hidden_one_can_be_replaced_unseen() -> None:
    operations = Operations(LED)
    start(operations, 9)
    start(operations, 4)
    told(operations)

    start(operations, 4)

    assert told(operations) == [(2, ENDED), (3, HIDDEN)]


def test_the_next_highest_returns_when_the_highest_ends() -> None:
    """MIX-03."""
    operations = Operations(LED)
    for priority in (2, 7, 5):
        start(operations, priority)
    told(operations)

    operations.stop([2], now=1.0)

    assert told(operations) == ["shows 3", (2, ENDED), (3, SHOWN)]
    operations.stop([3], now=2.0)
    assert told(operations) == ["shows 1", (3, ENDED), (1, SHOWN)]
    operations.stop([1], now=3.0)
    assert told(operations) == ["shows nothing", (1, ENDED)]


def test_a_hidden_one_counts_on_and_may_expire_unseen() -> None:
    """GAP-03."""
    operations = Operations(LED)
    start(operations, 3, seconds=10)
    start(operations, 8, now=2.0, seconds=20)
    told(operations)

    assert operations.running[1].seconds_left(7.5) == 2.5
    assert run_to(operations, 60) == [
        (10.0, [(1, ENDED)]),
        (22.0, ["shows nothing", (2, ENDED)]),
    ]


def test_what_is_left_of_a_hidden_one_is_shown() -> None:
    operations = Operations(LED)
    start(operations, 3, seconds=10)
    start(operations, 8, now=2.0, seconds=5)
    told(operations)

    assert run_to(operations, 60) == [
        (7.0, ["shows 1", (2, ENDED), (1, SHOWN)]),
        (10.0, ["shows nothing", (1, ENDED)]),
    ]


def test_what_has_run_out_is_not_shown_again_by_a_late_timer() -> None:
    """A stop that comes before the timer of a hidden one must not let it flash up."""
    operations = Operations(LED)
    start(operations, 3, seconds=10)
    start(operations, 8)
    told(operations)

    operations.stop([2], now=10.01)

    assert told(operations) == ["shows nothing", (2, ENDED), (1, ENDED)]


def test_ten_priorities_are_ten_rows() -> None:
    """MIX-06."""
    operations = Operations(LED)
    for _ in range(3):
        for priority in range(1, 11):
            start(operations, priority)

    assert [operation.activity.priority for operation in operations.running] == [*range(10, 0, -1)]


def test_stopping_a_profile_stops_what_it_started_and_nothing_else() -> None:
    """GAP-04."""
    operations = Operations(LED)
    start(operations, 3, profile="Gate")
    start(operations, 5, profile="Fire")
    start(operations, 7, profile="Gate")
    told(operations)

    operations.stop_profile("Gate", now=1.0)

    assert told(operations) == ["shows 2", (3, ENDED), (1, ENDED), (2, SHOWN)]
    assert ids(operations) == [2]


@pytest.mark.parametrize("stop", ["all", "ids", "profile"])
def test_users_cannot_stop_what_the_system_shows(stop: str) -> None:
    """MIX-04: 11 maintenance, 12 identify, 13 health check."""
    operations = Operations(LED)
    for priority in (3, 11, 12, 13):
        start(operations, priority)
    told(operations)

    match stop:
        case "all":
            operations.stop_all(now=1.0)
        case "ids":
            operations.stop(range(20), now=1.0)
        case _:
            operations.stop_profile("", now=1.0)

    assert told(operations) == [(1, ENDED)]
    assert ids(operations) == [4, 3, 2]


def test_maintenance_hides_users_operations_which_count_on() -> None:
    """MNT-02, MNT-03."""
    operations = Operations(LED)
    start(operations, 10, seconds=30)
    start(operations, 11, now=5.0)
    told(operations)

    start(operations, 9, now=6.0, seconds=60)
    assert told(operations) == [(3, HIDDEN)]
    assert run_to(operations, 40.0) == [(30.0, [(1, ENDED)])]

    operations.stop_rank(11, now=50.0)
    assert told(operations) == ["shows 3", (2, ENDED), (3, SHOWN)]


def test_stopping_nothing_says_nothing() -> None:
    operations = Operations(LED)
    start(operations, 3)
    told(operations)

    operations.stop([7], now=0.0)
    operations.stop_profile("Gate", now=0.0)
    operations.stop_rank(11, now=0.0)
    operations.wake(now=99.0)

    assert told(operations) == []


def test_no_time_at_all_is_over_at_once() -> None:
    """GAP-10: a duration of 0 is allowed; it begins and ends."""
    operations = Operations(LED)
    start(operations, 3, now=1.0, seconds=0)

    assert told(operations) == ["shows 1", (1, SHOWN), "shows nothing", (1, ENDED)]
    assert operations.deadline is None


def test_an_operation_remembers_why_it_runs() -> None:
    trace = Trace()
    operations = Operations(LED)
    with trace.input("datagram", "INVITE", 4.0) as cause:
        operations.start(1, activity(3), now=4.0, cause=trace.current)

    assert operations.running[0].cause is cause
    changed = operations.outbox[-1]
    assert isinstance(changed, Changed)
    assert changed.operation.cause is cause
