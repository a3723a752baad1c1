"""Virtual inputs: on, off, and off by themselves (API-02, IOP-06, GAP-32)."""

from sipstrobe.ports.virtual import VirtualInputs


def told(inputs: VirtualInputs) -> list[tuple[int, bool]]:
    found = [(said.input, said.active) for said in inputs.outbox]
    inputs.outbox.clear()
    return found


def test_an_input_that_is_activated_stays_so_until_it_is_deactivated() -> None:
    inputs = VirtualInputs()

    assert inputs.set(7, True, now=0.0)
    assert inputs.deadline is None
    assert not inputs.set(7, True, now=1.0)
    assert inputs.set(7, False, now=2.0)
    assert not inputs.set(7, False, now=3.0)
    assert told(inputs) == [(7, True), (7, False)]


def test_a_duration_is_counted_anew_by_whoever_activates_again() -> None:
    """GAP-32."""
    inputs = VirtualInputs()
    inputs.set(1, True, 10, now=0.0)
    assert not inputs.set(1, True, 10, now=9.0)

    inputs.wake(now=10.0)
    assert told(inputs) == [(1, True)]
    assert inputs.deadline == 19.0
    inputs.wake(now=19.0)
    assert told(inputs) == [(1, False)]
    assert not inputs.active


def test_without_a_duration_a_running_one_is_over() -> None:
    inputs = VirtualInputs()
    inputs.set(1, True, 10, now=0.0)
    inputs.set(1, True, now=5.0)

    assert inputs.deadline is None
    assert inputs.active == {1: None}


def test_a_duration_of_nothing_is_on_and_off_at_once() -> None:
    """GAP-32."""
    inputs = VirtualInputs()

    assert inputs.set(64, True, 0, now=0.0)
    assert told(inputs) == [(64, True), (64, False)]
    inputs.set(64, True, now=1.0)
    assert inputs.set(64, True, 0, now=2.0)
    assert told(inputs) == [(64, True), (64, False)]
    assert inputs.deadline is None


def test_a_deactivation_ends_a_duration() -> None:
    inputs = VirtualInputs()
    inputs.set(1, True, 10, now=0.0)
    inputs.set(1, False, now=5.0)
    inputs.wake(now=10.0)

    assert told(inputs) == [(1, True), (1, False)]


def test_each_input_has_its_own_time() -> None:
    inputs = VirtualInputs()
    for number in (3, 1, 2):
        inputs.set(number, True, number, now=0.0)
    told(inputs)

    inputs.wake(now=2.5)
    assert told(inputs) == [(1, False), (2, False)]
    assert inputs.active == {3: 3.0}
