"""The lines of ports on a real loop: opened, failing, tried again, let go of (IOP-03, IOP-05)."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sipstrobe.commands import SetOutput
from sipstrobe.config.files import Memory
from sipstrobe.context import Context
from sipstrobe.events import InputPortChanged, ServiceStateChanged
from sipstrobe.io.lines import Line, Seen
from sipstrobe.ports.settings import Port, PortsSettings
from sipstrobe.services.port_lines import RETRY
from sipstrobe.services.ports import OPEN_LIMIT, Ports
from sipstrobe.trace import Cause, Input
from tests.support.leap import LeapClock
from tests.support.waiting import turns, until

WATCHED = Port(driver="gpio:chip/1")
SWITCHED = Port(driver="gpio:chip/1", direction="output")
NONE = Port()


@dataclass
class FakeLine:
    """A line in a test's hand; `said` is what was done to it."""

    chip: "Chip"
    said: list[str]
    closed: bool
    output: bool
    seen: Seen = lambda closed, at: None
    failed: Callable[[str], None] = lambda words: None
    broken: bool = False
    started: bool = False

    def start(self, seen: Seen, failed: Callable[[str], None]) -> None:
        self.seen, self.failed, self.started = seen, failed, True
        if not self.output:
            seen(self.closed, None)

    def drive(self, closed: bool) -> None:
        if self.broken:
            raise OSError("gone")
        self.said.append("close" if closed else "open")
        self.closed = closed

    def close(self) -> None:
        self.chip.taken -= 1
        self.said.append("let go")


@dataclass
class Chip:
    """Hands out lines. problem: why it does not."""

    said: list[str] = field(default_factory=list[str])
    lines: list[FakeLine] = field(default_factory=list[FakeLine])
    problem: str = ""
    pressed: bool = False
    held: threading.Event | None = None  # opening waits for it
    taken: int = 0  # of whom one is allowed

    def __call__(self, spec: str, *, output: bool, closed: bool) -> Line:
        if self.taken:
            raise OSError("busy")
        if self.problem:
            raise OSError(self.problem)
        self.taken += 1
        if self.held is not None:
            self.held.wait(10)
        self.said.append(f"{spec} {'output' if output else 'input'}{' closed' if closed else ''}")
        line = FakeLine(self, self.said, closed if output else self.pressed, output)
        self.lines.append(line)
        return line

    def told(self) -> list[str]:
        said = list(self.said)
        self.said.clear()
        return said


class Bench:
    def __init__(self, port: Port) -> None:
        self.clock = LeapClock()
        self.context = Context(self.clock)
        self.chip = Chip()
        self.opens = 0  # that were waited for
        self.problems: list[str] = []
        self.read: list[InputPortChanged] = []
        self.context.bus.subscribe(
            ServiceStateChanged, lambda event: self.problems.append(event.problem)
        )
        self.context.bus.subscribe(InputPortChanged, self.read.append)
        self.ports = Ports(self.context, Memory(), self.chip)
        self.apply(port)

    def apply(self, port: Port) -> None:
        self.ports.apply(PortsSettings(port_1=port))

    async def opened(self) -> None:
        """Wait until the line that is wanted is there, or cannot be had."""
        self.opens += 1
        await until(lambda: self.chip.problem in self.problems or len(self.started) >= self.opens)

    @property
    def started(self) -> list[FakeLine]:
        return [line for line in self.chip.lines if line.started]

    @property
    def state(self) -> tuple[str, str]:
        port = self.ports.snapshot()[0]
        return port.state, port.problem


@asynccontextmanager
async def bench(port: Port, **chip: Any) -> AsyncGenerator[Bench]:
    made = Bench(NONE)
    for name, value in chip.items():
        setattr(made.chip, name, value)
    made.apply(port)
    try:
        yield made
    finally:
        await made.ports.aclose()


async def test_an_input_is_read_when_it_is_opened_and_as_it_changes() -> None:
    """The instant is the kernel's, and the cause of all that follows."""
    async with bench(WATCHED, pressed=True) as device:
        assert device.state == ("undefined", "")
        await device.opened()
        assert device.state == ("closed", "")

        causes: list[Cause | None] = []
        device.context.bus.subscribe(
            InputPortChanged, lambda _: causes.append(device.context.trace.current)
        )
        device.chip.lines[0].seen(False, 12.5)
        assert device.state == ("open", "")
        (cause,) = causes
        assert cause is not None
        assert (cause.root.at, cause.root.what) == (12.5, Input("gpio", "port 1 opens"))


async def test_a_line_that_cannot_be_had_is_told_and_tried_again() -> None:
    async with bench(WATCHED, problem="no such device") as device:
        await device.opened()
        assert device.state == ("undefined", "no such device")
        device.chip.problem = ""
        device.clock.leap(RETRY)
        await until(lambda: device.state == ("open", ""))

        assert device.problems == ["no such device", ""]


async def test_a_line_that_fails_keeps_its_state_and_is_opened_again() -> None:
    async with bench(WATCHED, pressed=True) as device:
        await device.opened()
        device.chip.lines[0].failed("unplugged")
        assert device.state == ("closed", "unplugged")
        await until(lambda: device.chip.said[-1] == "let go")
        device.clock.leap(RETRY)
        await until(lambda: device.state == ("closed", ""))
        assert device.problems == ["unplugged", ""]


async def test_an_output_is_driven_and_open_in_the_end() -> None:
    """IOP-03: while the device restarts, outputs are open; here it is the driver who opens."""
    async with bench(SWITCHED) as device:
        await device.opened()
        device.context.dispatcher.execute(SetOutput(port=1, active=True))
        assert device.chip.told() == ["gpio:chip/1 output", "open", "close"]
    assert device.chip.told() == ["let go"]


async def test_an_output_that_is_normally_closed_is_so_from_the_start() -> None:
    normal = Port(driver="gpio:chip/1", direction="output", normal_state="closed")
    async with bench(normal) as device:
        await device.opened()
        assert device.chip.told()[0] == "gpio:chip/1 output closed"


async def test_what_was_switched_before_the_line_was_there_is_not_forgotten() -> None:
    held = threading.Event()
    async with bench(SWITCHED, held=held) as device:
        device.context.dispatcher.execute(SetOutput(port=1, active=True))
        held.set()
        await device.opened()
        await until(lambda: device.chip.lines and device.chip.lines[0].closed)


async def test_an_output_that_cannot_be_driven_is_opened_again() -> None:
    async with bench(SWITCHED) as device:
        await device.opened()
        device.chip.lines[0].broken = True
        device.context.dispatcher.execute(SetOutput(port=1, active=True))
        assert device.state == ("closed", "gone")
        await until(lambda: device.chip.said[-1] == "let go")
        device.clock.leap(RETRY)
        await until(lambda: device.problems == ["gone", ""])
        assert device.chip.lines[1].closed


async def test_a_line_is_let_go_of_before_it_is_opened_anew() -> None:
    async with bench(WATCHED) as device:
        await device.opened()
        device.apply(SWITCHED)
        device.chip.lines[0].seen(True, 1.0)  # a last edge, of which nobody wants to know
        await device.opened()
        device.apply(NONE)
        await until(lambda: device.chip.said.count("let go") == 2)

        assert device.chip.told() == [
            "gpio:chip/1 input",
            "let go",
            "gpio:chip/1 output",
            "open",
            "let go",
        ]
        assert device.state == ("open", "")


async def test_a_line_that_is_still_being_opened_is_let_go_of_first_too() -> None:
    held = threading.Event()
    async with bench(WATCHED, held=held) as device:
        await until(lambda: device.chip.taken)
        device.apply(SWITCHED)
        await turns()
        held.set()
        await until(lambda: device.started)

        assert device.problems == []
        assert device.chip.said[:3] == ["gpio:chip/1 input", "let go", "gpio:chip/1 output"]
        assert device.state == ("open", "")


async def test_an_edge_of_a_line_that_is_wanted_no_more_is_nobodys() -> None:
    async with bench(WATCHED) as device:
        await device.opened()
        device.apply(NONE)
        device.chip.lines[0].seen(True, 1.0)
        assert device.state == ("open", "")


async def test_rules_wait_for_the_first_reading_and_not_for_ever() -> None:
    """What holds when the device starts is no news to them."""
    held = threading.Event()
    async with bench(WATCHED, held=held) as device:
        waiting = asyncio.ensure_future(device.ports.opened())
        await asyncio.sleep(0)
        assert not waiting.done()
        await asyncio.sleep(0)
        device.clock.leap(OPEN_LIMIT)
        await waiting
        assert device.state == ("undefined", "")
        held.set()
        await device.opened()
        await device.ports.opened()
        assert device.state == ("open", "")


async def test_what_was_wrong_with_a_line_is_not_wrong_with_what_comes_after_it() -> None:
    """As of a chip that is pulled out while its driver is taken from the port."""
    async with bench(WATCHED) as device:
        await device.opened()
        device.apply(NONE)
        device.chip.lines[0].failed("gone")

        assert device.state == ("open", "")
