"""Ports: what their circuits are, and what that means (IOP-01, IOP-03, IOP-04, API-04)."""

from dataclasses import dataclass, field

import pytest
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from sipstrobe.commands import Step
from sipstrobe.events import LineState
from sipstrobe.ports.machine import Drive, InputRead, OutputSwitched, Ports
from sipstrobe.ports.settings import Circuit, Port, PortsSettings

OPEN, CLOSED, UNDEFINED = LineState.OPEN, LineState.CLOSED, LineState.UNDEFINED
OUTPUT = Port(direction="output")
NORMALLY_CLOSED = Port(normal_state="closed")


@dataclass
class Bench:
    """Ports in a test's hand; `told` is what they have left since last time."""

    port_1: Port = field(default_factory=Port)
    ports: Ports = field(default_factory=Ports)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.apply(self.port_1)
        self.told()

    def apply(self, port: Port, *, keep: bool = False) -> None:
        self.ports.apply(PortsSettings(port_1=port), now=self.now, keep=keep)

    def see(self, state: LineState) -> None:
        self.ports.see(1, state, now=self.now)

    def switch(self, active: bool, seconds: float | None = None) -> None:
        self.ports.switch(1, active, seconds, now=self.now)

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self.ports.deadline) is not None and due <= until:
            self.now = due
            self.ports.wake(now=due)
        self.now = until

    def told(self) -> list[object]:
        """(state, active) of an input, active of an output, "close" and "open" for the driver."""
        found: list[object] = []
        for said in self.ports.outbox:
            match said:
                case InputRead(1, state, active, _):
                    found.append((state.value, active))
                case OutputSwitched(1, active):
                    found.append(active)
                case Drive(1, closed):
                    found.append("close" if closed else "open")
                case _:
                    pass
        self.ports.outbox.clear()
        return found

    @property
    def port(self) -> tuple[LineState, bool]:
        port = self.ports.ports[1]
        return port.state, port.active


# --- inputs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("normal", "active"), [("open", LineState.CLOSED), ("closed", LineState.OPEN)]
)
def test_an_input_is_active_while_it_differs_from_its_normal_state(
    normal: Circuit, active: LineState
) -> None:
    """IOP-01."""
    bench = Bench(Port(normal_state=normal))
    bench.see(LineState(normal))
    bench.told()

    bench.see(active)
    bench.see(active)
    assert bench.told() == [(active.value, True)]
    bench.see(LineState(normal))
    assert bench.told() == [(normal, False)]


def test_an_input_with_nothing_connected_is_open() -> None:
    """IOP-02."""
    assert Bench().port == (OPEN, False)
    assert Bench(NORMALLY_CLOSED).port == (OPEN, True)


def test_an_input_that_has_not_been_read_is_neither_active_nor_not() -> None:
    bench = Bench(Port(normal_state="closed", driver="gpio:gpiochip0/17"))
    assert bench.port == (UNDEFINED, False)
    assert bench.told() == []

    bench.see(OPEN)
    assert bench.told() == [("open", True)]


def test_another_normal_state_gives_the_same_circuit_another_meaning() -> None:
    bench = Bench()
    bench.apply(NORMALLY_CLOSED)
    assert bench.told() == [("open", True)]

    bench.see(CLOSED)
    bench.apply(Port())
    assert bench.told() == [("closed", False), ("closed", True)]


def test_a_supervised_line_tells_that_it_is_cut_or_shorted() -> None:
    """IOP-04: neither is its normal state."""
    bench = Bench(Port(supervised=True))
    for state in (LineState.CUT, LineState.SHORTED, OPEN):
        bench.see(state)
    assert bench.told() == [("cut", True), ("shorted", True), ("open", False)]


def test_a_line_that_is_not_supervised_is_open_or_closed() -> None:
    bench = Bench()
    bench.see(LineState.SHORTED)
    bench.see(LineState.CUT)
    assert bench.told() == [("closed", True), ("open", False)]

    bench.apply(Port(supervised=True))
    bench.see(LineState.CUT)
    bench.apply(Port())
    assert bench.port == (OPEN, False)


def test_a_simulated_input_is_as_if_its_circuit_were_so_until_that_changes() -> None:
    bench = Bench(NORMALLY_CLOSED)
    bench.switch(False)
    assert bench.told() == [("closed", False)]
    bench.switch(True, 5)
    bench.see(CLOSED)
    assert bench.told() == [("open", True), ("closed", False)]
    bench.advance(10)
    assert bench.told() == []


def test_another_driver_knows_nothing_of_what_the_last_one_saw() -> None:
    bench = Bench()
    bench.see(CLOSED)
    bench.told()
    bench.apply(Port(driver="gpio:gpiochip0/17"))

    assert bench.told() == [("undefined", False)]


# --- outputs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("normal", "driven"), [("open", "close"), ("closed", "open")])
def test_an_active_output_differs_from_its_normal_state(normal: Circuit, driven: str) -> None:
    """API-04; the circuit is switched before anybody is told."""
    bench = Bench(Port(direction="output", normal_state=normal))
    bench.switch(True)
    bench.switch(True)

    assert bench.told() == [driven, True]


def test_an_output_begins_in_its_normal_state() -> None:
    """IOP-03."""
    bench = Bench()
    bench.apply(Port(direction="output", normal_state="closed"))

    assert bench.told() == ["close", ("undefined", False)]
    assert bench.port == (CLOSED, False)


def test_any_change_puts_an_output_back_to_normal() -> None:
    """IOP-03: regardless of what has made it active."""
    bench = Bench(OUTPUT)
    bench.switch(True)
    bench.told()
    bench.apply(replace(OUTPUT, name="Door"))

    assert bench.told() == ["open", False]


@pytest.mark.parametrize("keep", [True, False])
def test_a_change_ends_a_pulse_unless_outputs_are_kept(keep: bool) -> None:
    """IOP-03."""
    bench = Bench(OUTPUT)
    bench.switch(True, 2)
    bench.apply(replace(OUTPUT, name="Door"), keep=keep)

    assert (bench.port[1], bench.ports.running(1)) == (keep, keep)


def test_whoever_keeps_outputs_flips_both_states_of_one() -> None:
    """As portmanagement.cgi has it: normal and present state are both inverted."""
    bench = Bench(OUTPUT)
    bench.switch(True)
    bench.told()
    bench.apply(replace(OUTPUT, normal_state="closed"), keep=True)

    assert bench.port == (OPEN, True)
    assert bench.told() == ["open"]


def test_a_pulse_ends_by_itself() -> None:
    bench = Bench(OUTPUT)
    bench.switch(True, 2.5)
    bench.advance(2.4)
    assert bench.told() == ["close", True]
    bench.advance(0.2)
    assert bench.told() == ["open", False]
    assert not bench.ports.running(1)


def test_a_monostable_output_is_active_for_its_pulse_time() -> None:
    bench = Bench(replace(OUTPUT, mode="monostable", pulse_ms=300))
    bench.switch(True)
    bench.advance(0.31)
    assert bench.told() == ["close", True, "open", False]


def test_a_newer_order_ends_a_pulse() -> None:
    bench = Bench(OUTPUT)
    bench.switch(True, 2)
    bench.advance(1)
    bench.switch(True)
    bench.advance(10)
    assert bench.told() == ["close", True]


def test_the_steps_of_a_sequence_keep_their_times_although_one_is_late() -> None:
    bench = Bench(OUTPUT)
    steps = (Step(True, 300), Step(False, 500), Step(True, 300), Step(False))
    bench.ports.run(1, steps, now=0.0)
    bench.ports.wake(now=0.9)
    assert bench.told() == ["close", True, "open", False, "close", True]
    assert bench.ports.deadline == pytest.approx(1.1)
    bench.ports.wake(now=1.1)
    assert bench.told() == ["open", False]
    assert not bench.ports.running(1)


def test_the_last_state_of_a_sequence_stays_and_its_time_counts() -> None:
    bench = Bench(OUTPUT)
    bench.ports.run(1, (Step(False, 100), Step(True, 100)), now=0.0)
    bench.advance(0.15)
    assert bench.ports.running(1)
    bench.advance(0.1)
    assert not bench.ports.running(1)
    assert bench.port == (CLOSED, True)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("change", [{"direction": "input"}, {"normal_state": "closed"}])
def test_another_direction_or_normal_state_ends_a_sequence(
    change: dict[str, str], keep: bool
) -> None:
    bench = Bench(OUTPUT)
    bench.ports.run(1, (Step(True, 100), Step(False, 100), Step(True)), now=0.0)
    bench.apply(replace(OUTPUT, **change), keep=keep)

    assert not bench.ports.running(1)
    assert bench.ports.deadline is None


def test_an_output_that_becomes_an_input_is_active_no_more() -> None:
    bench = Bench(OUTPUT)
    bench.switch(True)
    bench.told()
    bench.apply(Port())

    assert bench.told() == [("open", False), False]


def test_an_output_sees_nothing() -> None:
    bench = Bench(OUTPUT)
    bench.see(CLOSED)
    assert bench.told() == []


# --- against a model ---------------------------------------------------------------------------


class Model(RuleBasedStateMachine):
    """What people are told follows from the circuit and the settings, and from nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.active = False  # as told of the output
        self.read: tuple[str, bool] = ("open", False)  # as told of the input
        self.closed = False  # as driven

    @property
    def settings(self) -> Port:
        return self.bench.ports.ports[1].settings

    @rule(
        direction=st.sampled_from(["input", "output"]),
        normal=st.sampled_from(["open", "closed"]),
        keep=st.booleans(),
    )
    def apply(self, direction: str, normal: str, keep: bool) -> None:
        stays = keep and self.settings.direction == direction == "output" and self.active
        wanted = replace(self.settings, direction=direction, normal_state=normal)
        self.bench.apply(wanted, keep=keep)
        self.listen()
        if direction == "output":
            assert self.active is stays

    @precondition(lambda self: self.settings.direction == "input")
    @rule(state=st.sampled_from([OPEN, CLOSED]))
    def see(self, state: LineState) -> None:
        self.bench.see(state)
        self.listen()
        assert self.read[0] == state.value

    @rule(active=st.booleans(), seconds=st.sampled_from([None, 0.5, 2.0]))
    def switch(self, active: bool, seconds: float | None) -> None:
        self.bench.switch(active, seconds)
        self.listen()
        assert self.bench.port[1] is active

    @rule(seconds=st.sampled_from([0.4, 1.0, 5.0]))
    def wait(self, seconds: float) -> None:
        self.bench.advance(seconds)
        self.listen()

    def listen(self) -> None:
        for said in self.bench.told():
            match said:
                case bool():
                    self.active = said
                case str():
                    self.closed = said == "close"
                case (str() as state, bool() as active):
                    self.read = (state, active)
                case _:
                    raise AssertionError(said)

    @invariant()
    def told_is_what_is(self) -> None:
        state, active = self.bench.port
        assert active == (state.value != self.settings.normal_state)
        if self.settings.direction == "output":
            assert self.active is active
            assert self.closed is (state is CLOSED)
            assert self.read == ("undefined", False)
        else:
            assert self.read == (state.value, active)
            assert not self.active


TestModel = Model.TestCase
TestModel.settings = hypothesis(max_examples=15, stateful_step_count=20, deadline=None)
