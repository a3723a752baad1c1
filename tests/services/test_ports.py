"""Ports and virtual inputs at work: orders, facts, rules, settings, restarts (IOP-01…06)."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest

from sipstrobe.commands import (
    ChangeSettings,
    Command,
    ConfigurePorts,
    PortChange,
    RunSequence,
    SetOutput,
    SetVirtualInput,
    SimulateInput,
    Step,
)
from sipstrobe.config.files import Memory
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import (
    Event,
    InputPortChanged,
    LineState,
    ManualTriggerChanged,
    OutputPortChanged,
    RuleActionFailed,
    VirtualInputChanged,
)
from sipstrobe.ports.settings import Port, PortsSettings
from sipstrobe.rules.actions import (
    PulseOutput,
    SetOutputWhile,
    SetVirtualInputWhile,
)
from sipstrobe.rules.actions import SetVirtualInput as SetVirtualInputAction
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.services.automation import Automation
from sipstrobe.services.input_memory import CLOSE_LIMIT, NAME, InputMemory, Told
from sipstrobe.services.ports import Ports
from sipstrobe.services.properties import Properties
from sipstrobe.trace import Input
from tests.support.clock import FakeClock
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until
from tests.support.web import FullDisk

INPUT = Port()
OUTPUT = Port(direction="output")


@dataclass
class Bench:
    """Ports with rules and manual triggers around them; `told` is what was published."""

    files: Memory = field(default_factory=Memory)
    clock: FakeClock = field(default_factory=FakeClock)
    settings: PortsSettings = field(default_factory=PortsSettings)

    def __post_init__(self) -> None:
        self.context = Context(self.clock)
        self.events: list[Event] = []
        self.context.bus.subscribe(Event, self.events.append)
        self.context.dispatcher.serve(ChangeSettings, self._change)
        Properties(self.context).apply(("Manual trigger 1",))
        self.automation = Automation(self.context)
        self.ports = Ports(self.context, self.files)
        self.ports.apply(self.settings)

    def do(self, command: Command) -> Any:
        return self.context.dispatcher.execute(command)

    def refused(self, command: Command) -> str:
        with pytest.raises(CommandRefused) as caught:
            self.do(command)
        return caught.value.code

    def told(self) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for event in self.events:
            match event:
                case InputPortChanged(port=port, active=active, state=state):
                    found.append(("input", port, state.value, active))
                case OutputPortChanged(port=port, active=active):
                    found.append(("output", port, active))
                case VirtualInputChanged(input=number, active=active):
                    found.append(("virtual", number, active))
                case ManualTriggerChanged(trigger=number, active=active):
                    found.append(("trigger", number, active))
                case _:
                    pass
        self.events.clear()
        return found

    def states(self) -> list[tuple[str, bool]]:
        return [(port.state, port.active) for port in self.ports.snapshot()]

    def _change(self, command: ChangeSettings) -> int:
        patch = cast("dict[str, dict[str, dict[str, Any]]]", command.patch)["ports"]
        for name, fields in patch.items():
            port = msgspec.structs.replace(getattr(self.settings, name), **fields)
            self.settings = msgspec.structs.replace(self.settings, **{name: port})
        self.ports.apply(self.settings)
        return 1


@asynccontextmanager
async def bench(
    files: Memory | None = None, at: float = 0.0, port_1: Port = INPUT, port_2: Port = INPUT
) -> AsyncGenerator[Bench]:
    settings = PortsSettings(port_1=port_1, port_2=port_2)
    made = Bench(files or Memory(), FakeClock(at), settings)
    try:
        yield made
    finally:
        made.automation.close()
        await made.ports.aclose()


# --- virtual inputs ----------------------------------------------------------------------------


async def test_a_virtual_input_is_switched_and_says_whether_it_has_changed() -> None:
    """API-02, IOP-06."""
    async with bench() as device:
        device.told()
        assert device.do(SetVirtualInput(input=1, active=True)) is True
        assert device.do(SetVirtualInput(input=1, active=True)) is False
        assert device.do(SetVirtualInput(input=1, active=False)) is True

        assert device.told() == [("virtual", 1, True), ("virtual", 1, False)]


async def test_a_duration_ends_by_itself_and_is_seen_to_run() -> None:
    """GAP-32."""
    async with bench() as device:
        device.do(SetVirtualInput(input=64, active=True, seconds=30))
        device.clock.advance(10)
        (shown,) = device.ports.virtual_inputs()
        assert (shown.input, shown.active, shown.seconds_left) == (64, True, 20.0)

        device.told()
        device.clock.advance(20)
        assert device.told() == [("virtual", 64, False)]
        assert device.ports.virtual_inputs() == []


async def test_inputs_with_a_name_are_shown_although_they_rest() -> None:
    async with bench() as device:
        device.ports.apply(PortsSettings(virtual_inputs={"10": "Gate", "9": "Door"}))

        shown = [(i.input, i.name, i.active) for i in device.ports.virtual_inputs()]
        assert shown == [(9, "Door", False), (10, "Gate", False)]


async def test_who_has_switched_last_is_known() -> None:
    async with bench() as device:
        device.ports.apply(
            PortsSettings(port_2=OUTPUT, virtual_inputs={"1": "Camera", "2": "Night"})
        )
        trace, now = device.context.trace, device.clock.now()
        for words, active in (("on by olga", True), ("off by the camera", False)):
            with trace.input("http", words, now):
                device.do(SetVirtualInput(input=1, active=active))
                device.do(SetOutput(port=2, active=active))

        (camera, night), (_, door) = device.ports.virtual_inputs(), device.ports.snapshot()
        assert night.cause is None
        for cause in (camera.cause, door.cause):
            assert cause is not None
            assert cause.root.what == Input("http", "off by the camera")


@pytest.mark.parametrize(
    ("number", "seconds", "code"),
    [
        (0, None, "unknown_input"),
        (65, None, "unknown_input"),
        (1, -1, "duration"),
        (1, 31_536_001, "duration"),
    ],
)
async def test_what_cannot_be_switched_is_refused(
    number: int, seconds: int | None, code: str
) -> None:
    async with bench() as device:
        assert device.refused(SetVirtualInput(input=number, active=True, seconds=seconds)) == code


# --- ports -------------------------------------------------------------------------------------


async def test_an_input_is_simulated_by_meaning_or_by_circuit() -> None:
    """IOP-01, IOP-05: ports without a connector."""
    async with bench(port_1=Port(normal_state="closed")) as device:
        assert device.told() == [("input", 1, "open", True), ("input", 2, "open", False)]
        device.do(SimulateInput(port=1, active=False))
        device.do(SimulateInput(port=1, state=LineState.OPEN))

        assert device.told() == [("input", 1, "closed", False), ("input", 1, "open", True)]


async def test_a_supervised_input_may_be_said_to_be_cut() -> None:
    """IOP-04."""
    async with bench(port_2=Port(supervised=True)) as device:
        device.told()
        device.do(SimulateInput(port=2, state=LineState.CUT))
        assert device.told() == [("input", 2, "cut", True)]
        assert device.refused(SimulateInput(port=1, state=LineState.CUT)) == "not_supervised"


async def test_an_output_is_switched_for_a_time() -> None:
    """API-04."""
    async with bench(port_2=OUTPUT) as device:
        device.told()
        device.do(SetOutput(port=2, active=True, seconds=1.5))
        device.clock.advance(2)

        assert device.told() == [("output", 2, True), ("output", 2, False)]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (SetOutput(port=1, active=True), "not_an_output"),
        (SetOutput(port=3, active=True), "unknown_port"),
        (SetOutput(port=2, active=True, seconds=0), "duration"),
        (SimulateInput(port=2, active=True), "not_an_input"),
        (SimulateInput(port=1), "state"),
        (SimulateInput(port=1, active=True, state=LineState.OPEN), "state"),
        (SimulateInput(port=1, state=LineState.UNDEFINED), "state"),
        (RunSequence(kind="output", number=2, steps=()), "sequence"),
        (RunSequence(kind="output", number=2, steps=(Step(True),) * 257), "sequence"),
        (RunSequence(kind="output", number=2, steps=(Step(True, 65_536),)), "sequence"),
        (RunSequence(kind="output", number=1, steps=(Step(True),)), "not_an_output"),
        (RunSequence(kind="trigger", number=2, steps=(Step(True),)), "unknown_trigger"),
        (ConfigurePorts(changes=(PortChange(1, state="closed"),)), "not_an_output"),
        (ConfigurePorts(changes=(PortChange(0),)), "unknown_port"),
    ],
)
async def test_what_a_port_cannot_do_is_refused(command: Command, code: str) -> None:
    async with bench(port_2=OUTPUT) as device:
        assert device.refused(command) == code


async def test_a_second_sequence_is_refused_while_one_runs() -> None:
    blink = RunSequence(kind="output", number=2, steps=(Step(True, 300), Step(False, 500)))
    async with bench(port_2=OUTPUT) as device:
        device.do(blink)
        device.clock.advance(0.5)
        assert device.refused(blink) == "sequence_running"
        device.clock.advance(0.4)
        device.do(blink)


async def test_a_manual_trigger_is_pressed_for_a_time() -> None:
    """Port 6 of io/virtualinput.cgi."""
    press = RunSequence(kind="trigger", number=1, steps=(Step(True, 2000), Step(False)))
    async with bench() as device:
        device.told()
        device.do(press)
        assert device.refused(press) == "sequence_running"
        device.clock.advance(2)

        assert device.told() == [("trigger", 1, True), ("trigger", 1, False)]


async def test_settings_put_outputs_back_to_normal_and_names_of_inputs_do_not() -> None:
    """IOP-03."""
    async with bench(port_1=OUTPUT, port_2=OUTPUT) as device:
        for port in (1, 2):
            device.do(SetOutput(port=port, active=True))
        device.told()
        device.ports.apply(msgspec.structs.replace(device.settings, virtual_inputs={"1": "Gate"}))
        assert device.told() == []

        named = msgspec.structs.replace(OUTPUT, name="Door")
        device.ports.apply(msgspec.structs.replace(device.settings, port_1=named))
        assert device.told() == [("output", 1, False), ("output", 2, False)]


async def test_whoever_configures_ports_leaves_active_what_is_active() -> None:
    async with bench(port_1=OUTPUT) as device:
        device.do(SetOutput(port=1, active=True))
        device.told()
        device.do(ConfigurePorts(changes=(PortChange(1, normal_state="closed"),)))
        assert device.states()[0] == ("open", True)
        device.do(ConfigurePorts(changes=(PortChange(1, normal_state="open", state="open"),)))
        assert device.states()[0] == ("open", False)

        assert device.told() == [("output", 1, False)]


async def test_a_state_alone_changes_no_settings() -> None:
    async with bench(port_1=OUTPUT) as device:
        before = device.settings
        device.do(ConfigurePorts(changes=(PortChange(1, state="closed"),)))

        assert device.settings is before
        assert device.states()[0] == ("closed", True)


async def test_a_supervised_input_that_becomes_an_output_is_supervised_no_more() -> None:
    async with bench(port_1=Port(supervised=True)) as device:
        device.do(ConfigurePorts(changes=(PortChange(1, direction="output"),)))

        assert device.settings.port_1 == Port(direction="output")


# --- rules -------------------------------------------------------------------------------------


def while_virtual(number: int, *, invert: bool = False) -> tuple[Condition, ...]:
    match = {"input": str(number), "active": "true"}
    return (Condition(event="input/virtual", match=match, invert=invert),)


async def test_a_rule_holds_an_output_for_as_long_as_its_input_is_active() -> None:
    async with bench(port_1=OUTPUT) as device:
        rule = Rule(name="Door", conditions=while_virtual(1), action=SetOutputWhile(port=1))
        device.automation.apply((rule,))
        device.told()
        device.do(SetVirtualInput(input=1, active=True))
        device.do(SetVirtualInput(input=1, active=False))

        assert [said for said in device.told() if said[0] == "output"] == [
            ("output", 1, True),
            ("output", 1, False),
        ]


async def test_of_two_rules_that_hold_an_output_the_last_lets_go() -> None:
    async with bench(port_1=OUTPUT) as device:
        rules = [
            Rule(name=f"Door {n}", conditions=while_virtual(n), action=SetOutputWhile(port=1))
            for n in (1, 2)
        ]
        device.automation.apply(rules)
        for number in (1, 2):
            device.do(SetVirtualInput(input=number, active=True))
        device.do(SetVirtualInput(input=1, active=False))
        assert device.states()[0] == ("closed", True)
        device.do(SetVirtualInput(input=2, active=False))
        assert device.states()[0] == ("open", False)


async def test_a_rule_pulses_an_output() -> None:
    async with bench(port_1=OUTPUT) as device:
        when = Condition(event="input/virtual", match={"active": "true"})
        device.automation.apply(
            (Rule(name="Gong", when=when, action=PulseOutput(port=1, seconds=0.5)),)
        )
        device.do(SetVirtualInput(input=5, active=True))
        assert device.states()[0] == ("closed", True)
        device.clock.advance(0.5)
        assert device.states()[0] == ("open", False)


async def test_inputs_that_switch_each_other_for_ever_are_a_loop_and_stopped() -> None:
    """Rules that contradict each other about the same input."""
    rules = (
        Rule(
            name="Off",
            conditions=while_virtual(1),
            action=SetVirtualInputAction(input=1, active=False),
        ),
        Rule(
            name="On",
            conditions=while_virtual(1, invert=True),
            action=SetVirtualInputAction(input=1, active=True),
        ),
    )
    async with bench() as device:
        device.automation.apply(rules)
        device.do(SetVirtualInput(input=1, active=True))

        failed = [e for e in device.events if isinstance(e, RuleActionFailed)]
        assert failed
        assert {event.rule for event in failed} <= {"Off", "On"}
        assert len(device.told()) < 100


async def test_virtual_inputs_join_rules() -> None:
    async with bench() as device:
        rule = Rule(name="Chain", conditions=while_virtual(1), action=SetVirtualInputWhile(input=2))
        device.automation.apply((rule,))
        device.told()
        device.do(SetVirtualInput(input=1, active=True))
        device.do(SetVirtualInput(input=1, active=False))

        assert [said for said in device.told() if said[1] == 2] == [
            ("virtual", 2, True),
            ("virtual", 2, False),
        ]


# --- restarts ----------------------------------------------------------------------------------


async def test_what_inputs_without_a_wire_were_told_survives_and_outputs_are_normal() -> None:
    """IOP-03; a duration goes on while the device is off."""
    files = Memory()
    closed = Port(normal_state="closed")
    async with bench(files, 0.0, closed, OUTPUT) as device:
        device.do(SimulateInput(port=1, active=False))
        device.do(SetOutput(port=2, active=True))
        device.do(SetVirtualInput(input=1, active=True))
        device.do(SetVirtualInput(input=2, active=True, seconds=10))
        device.do(SetVirtualInput(input=3, active=True, seconds=100))

    async with bench(files, 60.0, closed, OUTPUT) as again:
        assert again.states() == [("closed", False), ("open", False)]
        shown = {i.input: i.seconds_left for i in again.ports.virtual_inputs()}
        assert shown == {1: None, 3: 40.0}
        assert [said[1] for said in again.told() if said[0] == "virtual"] == [1, 3]


async def test_what_is_due_as_it_is_stored_takes_no_other_with_it() -> None:
    """As when the device stops while a duration ends."""
    files = Memory()
    async with bench(files) as device:
        device.do(SetVirtualInput(input=1, active=True, seconds=1))
        device.clock.time = 2.0  # and nobody has looked since
        device.do(SetVirtualInput(input=2, active=True))
    async with bench(files, at=3.0) as again:
        assert [i.input for i in again.ports.virtual_inputs()] == [2]


async def test_a_calendar_that_was_set_back_makes_no_duration_longer() -> None:
    """As of a machine without a clock of its own, before it has asked for the time."""
    files = Memory()
    async with bench(files, at=1000.0) as device:
        device.do(SetVirtualInput(input=1, active=True, seconds=30))
        device.clock.advance(10)
    async with bench(files, at=0.0) as again:
        (shown,) = again.ports.virtual_inputs()
        assert shown.seconds_left is not None
        assert 0 < shown.seconds_left <= 30


async def test_what_a_rule_holds_does_not_outlive_it_when_the_power_fails() -> None:
    files = Memory()
    rule = Rule(name="Chain", conditions=while_virtual(1), action=SetVirtualInputWhile(input=2))
    async with bench(files) as device:
        device.automation.apply((rule,))
        device.do(SetVirtualInput(input=1, active=True))
        assert device.told()[-1] == ("virtual", 2, True)
        await device.ports.aclose()  # while the rule still holds it
        assert msgspec.json.decode(files.contents[NAME])["virtual"] == {"1": None}


async def test_an_input_that_held_before_the_restart_fires_no_trigger_again() -> None:
    files = Memory()
    async with bench(files) as device:
        device.do(SetVirtualInput(input=1, active=True))
    async with bench(files, port_1=OUTPUT) as again:
        when = while_virtual(1)
        again.automation.apply(
            (
                Rule(name="Once", when=when[0], action=SetVirtualInputAction(input=2)),
                Rule(name="While", conditions=when, action=SetOutputWhile(port=1)),
            )
        )
        assert [i.input for i in again.ports.virtual_inputs()] == [1]
        assert again.states()[0] == ("closed", True)


async def test_a_change_is_on_the_disk_while_the_device_runs() -> None:
    """As when the power fails."""
    async with bench() as device:
        device.do(SetVirtualInput(input=1, active=True))
        await until(lambda: NAME in device.files.contents)

        stored = msgspec.json.decode(device.files.contents[NAME])
        assert stored == {"virtual": {"1": None}, "told": {}}


async def test_an_input_that_flutters_spares_the_disk() -> None:
    class Counting(Memory):
        written = 0

        def write(self, name: str, data: bytes, *, mode: int) -> None:
            self.written += 1
            super().write(name, data, mode=mode)

    files = Counting()
    async with bench(files) as device:
        for n in range(100):
            device.do(SetVirtualInput(input=1, active=n % 2 == 0))
        await until(lambda: NAME in files.contents)
        assert files.written <= 2
    assert msgspec.json.decode(files.contents[NAME])["virtual"] == {}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"virtual":{"65":null}}', b"\xff" * 9])
async def test_a_memory_that_cannot_be_read_is_no_memory(content: bytes) -> None:
    files = Memory()
    files.contents[NAME] = content
    async with bench(files) as device:
        assert device.ports.virtual_inputs() == []


async def test_a_disk_that_is_full_hurts_nobody_and_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    files = FullDisk()
    files.full = True
    async with bench(files) as device:
        device.do(SetVirtualInput(input=1, active=True))
        await until(lambda: "no space left" in caplog.text)
        files.full = False
        await until(lambda: device.clock.advance(30) or NAME in files.contents)
    assert [i.active for i in device.ports.virtual_inputs()] == [True]


async def test_a_disk_that_hangs_is_written_to_by_one_at_a_time() -> None:
    """As in the last moments of a device, which does not wait for it for ever."""
    goes_on = threading.Event()

    class Hanging(Memory):
        writing = 0

        def write(self, name: str, data: bytes, *, mode: int) -> None:
            self.writing += 1
            goes_on.wait(10)
            super().write(name, data, mode=mode)

    files, clock = Hanging(), LeapClock()
    memory = InputMemory(clock, files, lambda: Told(virtual={1: None}))
    memory.load()
    memory.note()
    await until(lambda: files.writing)
    memory.note()
    closing = asyncio.ensure_future(memory.aclose())
    await turns()
    clock.leap(CLOSE_LIMIT)
    await closing
    assert files.writing == 1
    goes_on.set()
    await until(lambda: NAME in files.contents)
