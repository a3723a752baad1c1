"""The two ports and the virtual inputs: orders in, circuits switched, facts out.

Serves: SetVirtualInput, SetOutput, SimulateInput, RunSequence, ConfigurePorts. Publishes:
InputPortChanged, OutputPortChanged, VirtualInputChanged, ServiceStateChanged.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

from msgspec import Struct

from sipstrobe.commands import (
    MAX_ACTIVE_SECONDS,
    MAX_STEP_MS,
    MAX_STEPS,
    PORTS,
    VIRTUAL_INPUTS,
    ChangeSettings,
    ConfigurePorts,
    PortChange,
    RunSequence,
    SetManualTrigger,
    SetOutput,
    SetVirtualInput,
    SimulateInput,
)
from sipstrobe.config.files import Files
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import (
    InputPortChanged,
    LineState,
    OutputPortChanged,
    VirtualInputChanged,
)
from sipstrobe.io.lines import OpenLine, open_line
from sipstrobe.ports import machine, virtual
from sipstrobe.ports.sequence import Sequencer, Turn
from sipstrobe.ports.settings import PortsSettings
from sipstrobe.services.input_memory import InputMemory, Lasts, Told
from sipstrobe.services.port_lines import PortLine, Wanted
from sipstrobe.trace import Cause

logger = logging.getLogger(__name__)

PORT, VIRTUAL = "port", "virtual"  # of what a cause is kept
OPEN_LIMIT: Final = 1.0  # seconds for which rules wait for the first reading of lines
_CHANGED = ("name", "usage", "direction", "normal_state", "supervised")  # of settings


class PortStatus(Struct, frozen=True, kw_only=True):
    """One port as others see it. problem: what keeps its driver from working, or empty; cause: of
    what it is active or not by now, None: nobody has told since the start."""

    port: int
    name: str
    usage: str
    direction: str
    normal_state: str
    state: str
    active: bool
    supervised: bool
    driver: str
    problem: str
    cause: Cause | None


class VirtualInputStatus(Struct, frozen=True, kw_only=True):
    """One virtual input. seconds_left: until it is inactive by itself; None: it is not. cause: of
    what it was switched last, None: it was not since the start."""

    input: int
    name: str
    active: bool
    seconds_left: float | None
    cause: Cause | None


class Ports:
    """Everything that is switched one by one."""

    def __init__(self, context: Context, files: Files, open_line: OpenLine = open_line) -> None:
        """files: where the states of inputs are kept that have no wire."""
        self._context = context
        self._settings = PortsSettings()
        self._applied = False
        self._ports = machine.Ports()
        self._port_driver = context.driver(self._ports, self._tell_port, name="ports")
        self._virtual = virtual.VirtualInputs()
        self._virtual_driver = context.driver(
            self._virtual, self._tell_virtual, name="virtual inputs"
        )
        self._passing: set[int] = set()  # inputs that somebody holds, and will after a restart
        self._triggers: Sequencer[int] = Sequencer()
        self._trigger_driver = context.driver(
            self._triggers, self._press, name="manual trigger sequences"
        )
        self._causes: dict[tuple[str, int], Cause | None] = {}  # of the last change of each
        self._refusal: CommandRefused | None = None  # of the manual trigger that was pressed last
        self._lines = {
            port: PortLine(context, port, self._see, open_line) for port in self._ports.ports
        }
        self._memory = InputMemory(context.clock, files, self._to_remember)
        serve = context.dispatcher.serve
        serve(SetVirtualInput, self._set_virtual)
        serve(SetOutput, self._set_output)
        serve(SimulateInput, self._simulate)
        serve(RunSequence, self._run_sequence)
        serve(ConfigurePorts, self._configure)

    def apply(self, settings: PortsSettings) -> None:
        """Work by these settings; unless ConfigurePorts has made them, any change of a port puts
        all outputs back to normal (IOP-03)."""
        changed = settings.both != self._settings.both
        self._settings = settings
        if not self._applied:
            self._start()
        elif changed:
            order = self._order()
            self._port_driver.feed(self._ports.apply, settings, keep=order is not None)
            self._apply_lines()
            if order is not None:
                self._switch_to(order.changes)

    async def opened(self) -> None:
        """Wait until lines have been read for the first time, or for OPEN_LIMIT."""
        waits = [asyncio.ensure_future(line.tried.wait()) for line in self._lines.values()]
        _, late = await asyncio.wait(waits, timeout=OPEN_LIMIT)
        for wait in late:
            wait.cancel()

    async def aclose(self) -> None:
        """Open the circuits of outputs (IOP-03), and store what inputs were told."""
        for driver in (self._port_driver, self._virtual_driver, self._trigger_driver):
            driver.close()
        await asyncio.gather(*(line.aclose() for line in self._lines.values()))
        await self._memory.aclose()

    def snapshot(self) -> list[PortStatus]:
        """Both ports."""
        return [
            PortStatus(
                port=number,
                name=port.settings.name,
                usage=port.settings.usage,
                direction=port.settings.direction,
                normal_state=port.settings.normal_state,
                state=port.state.value,
                active=port.active,
                supervised=port.settings.supervised,
                driver=port.settings.driver,
                problem=self._lines[number].problem,
                cause=self._causes.get((PORT, number)),
            )
            for number, port in self._ports.ports.items()
        ]

    def virtual_inputs(self) -> list[VirtualInputStatus]:
        """Those that are active or have a name; all others are inactive."""
        now, active = self._context.clock.now(), self._virtual.active
        names = {int(number): name for number, name in self._settings.virtual_inputs.items()}
        told: list[VirtualInputStatus] = []
        for number in sorted(active.keys() | names.keys()):
            until = active.get(number)
            left = None if until is None else round(max(0.0, until - now), 2)
            status = VirtualInputStatus(
                input=number,
                name=names.get(number, ""),
                active=number in active,
                seconds_left=left,
                cause=self._causes.get((VIRTUAL, number)),
            )
            told.append(status)
        return told

    # --- settings and start ---------------------------------------------------------------------

    def _start(self) -> None:
        """Outputs are normal (IOP-03), and inputs without a wire as they were told last."""
        self._applied = True
        told = self._memory.load()
        clock = self._context.clock
        with self._context.trace.input("start", "as it was before", clock.now()):
            self._port_driver.feed(self._ports.apply, self._settings)
            for number, state in told.told.items():
                if self._is_told(number):
                    self._port_driver.feed(self._ports.see, number, state)
            for number, lasts in told.virtual.items():
                left = None if lasts is None else lasts.left(clock.wall())
                if left is None or left > 0:
                    self._virtual_driver.feed(self._virtual.set, number, True, left)
        self._apply_lines()

    def _apply_lines(self) -> None:
        for number, port in self._ports.ports.items():
            spec = port.settings.driver
            self._lines[number].apply(Wanted(spec, port.is_output) if spec != "none" else None)

    def _configure(self, command: ConfigurePorts) -> None:
        """Change the settings, which come back to `apply`; the states follow then."""
        patch: dict[str, Any] = {}
        for change in command.changes:
            port = self._port(change.port).settings
            direction = change.direction or port.direction
            if change.state is not None and direction != "output":
                raise CommandRefused("not_an_output", f"port {change.port} is an input")
            wanted = {name: getattr(change, name) for name in _CHANGED}
            fields = {name: value for name, value in wanted.items() if value is not None}
            if direction == "output" and port.supervised:
                fields["supervised"] = False
            if any(getattr(port, name) != value for name, value in fields.items()):
                patch.setdefault(f"port_{change.port}", {}).update(fields)
        if patch:
            self._context.dispatcher.execute(ChangeSettings(patch={"ports": patch}))
        else:
            self._switch_to(command.changes)

    def _order(self) -> ConfigurePorts | None:
        """The order that settings are being changed for, if it was one of ours."""
        cause = self._context.trace.current
        while cause is not None:
            if isinstance(cause.what, ConfigurePorts):
                return cause.what
            cause = cause.parent
        return None

    def _switch_to(self, changes: Sequence[PortChange]) -> None:
        for change in changes:
            port = self._ports.ports[change.port]
            if change.state is not None and port.is_output:
                active = change.state != port.settings.normal_state
                self._port_driver.feed(self._ports.switch, change.port, active)

    # --- orders ---------------------------------------------------------------------------------

    def _set_virtual(self, command: SetVirtualInput) -> bool:
        if not 1 <= command.input <= VIRTUAL_INPUTS:
            words = f"there is no virtual input {command.input}; there are 1 to {VIRTUAL_INPUTS}"
            raise CommandRefused("unknown_input", words)
        seconds = command.seconds
        if seconds is not None and not 0 <= seconds <= MAX_ACTIVE_SECONDS:
            _refuse_duration(f"0 to {MAX_ACTIVE_SECONDS} seconds")
        if command.kept:
            self._passing.discard(command.input)
        else:
            self._passing.add(command.input)
        changed: bool = self._virtual_driver.feed(
            self._virtual.set, command.input, command.active, seconds
        )
        self._memory.note()
        return changed

    def _set_output(self, command: SetOutput) -> None:
        self._require(command.port, "output")
        seconds = command.seconds
        if seconds is not None and not 0 < seconds <= MAX_ACTIVE_SECONDS:
            _refuse_duration(f"more than 0, and {MAX_ACTIVE_SECONDS} seconds at most")
        self._port_driver.feed(self._ports.switch, command.port, command.active, seconds)

    def _simulate(self, command: SimulateInput) -> None:
        port = self._require(command.port, "input")
        if (command.active is None) is (command.state is None):
            raise CommandRefused("state", "give either active or state")
        if command.state is None:
            active = bool(command.active)
            self._port_driver.feed(self._ports.switch, command.port, active)
        else:
            if command.state is LineState.UNDEFINED:
                raise CommandRefused("state", "an input is open, closed, shorted or cut")
            supervised = command.state in (LineState.SHORTED, LineState.CUT)
            if supervised and not port.settings.supervised:
                raise CommandRefused("not_supervised", f"port {command.port} is not supervised")
            self._port_driver.feed(self._ports.see, command.port, command.state)

    def _run_sequence(self, command: RunSequence) -> None:
        steps, number = command.steps, command.number
        if not 1 <= len(steps) <= MAX_STEPS:
            raise CommandRefused("sequence", f"a sequence has 1 to {MAX_STEPS} steps")
        if any(not 0 <= step.ms <= MAX_STEP_MS for step in steps):
            raise CommandRefused("sequence", f"a step lasts 0 to {MAX_STEP_MS} milliseconds")
        if command.kind == "trigger":
            if self._triggers.running(number):
                _refuse_second(f"manual trigger {number}")
            self._refusal = None
            self._trigger_driver.feed(self._triggers.run, number, steps)
            if self._refusal is not None:
                raise self._refusal
            return
        self._require(number, command.kind)
        if self._ports.running(number):
            _refuse_second(f"port {number}")
        self._port_driver.feed(self._ports.run, number, steps)

    def _require(self, number: int, direction: str) -> machine.PortState:
        port = self._port(number)
        if port.settings.direction != direction:
            words = f"port {number} is an {port.settings.direction}"
            raise CommandRefused(f"not_an_{direction}", words)
        return port

    def _port(self, number: int) -> machine.PortState:
        port = self._ports.ports.get(number)
        if port is None:
            words = f"there is no port {number}; there are 1 to {PORTS}"
            raise CommandRefused("unknown_port", words)
        return port

    # --- what comes of them ---------------------------------------------------------------------

    def _see(self, port: int, closed: bool) -> None:
        state = LineState.CLOSED if closed else LineState.OPEN
        self._port_driver.feed(self._ports.see, port, state)

    def _tell_port(self, output: machine.Output) -> None:
        match output:
            case machine.Drive(port, closed):
                self._lines[port].drive(closed)
            case machine.OutputSwitched(port, active):
                self._causes[PORT, port] = self._context.trace.current
                self._context.bus.publish(OutputPortChanged(port=port, active=active))
            case machine.InputRead(port, state, active, supervised):
                self._causes[PORT, port] = self._context.trace.current
                self._context.bus.publish(
                    InputPortChanged(port=port, active=active, state=state, supervised=supervised)
                )
                if self._is_told(port):
                    self._memory.note()

    def _tell_virtual(self, switched: virtual.Switched) -> None:
        self._causes[VIRTUAL, switched.input] = self._context.trace.current
        self._context.bus.publish(VirtualInputChanged(input=switched.input, active=switched.active))
        self._memory.note()  # last, for light does not wait for the disk

    def _press(self, turn: Turn[int]) -> None:
        order = SetManualTrigger(trigger=turn.key, active=turn.active)
        try:
            self._context.dispatcher.execute(order)
        except CommandRefused as refusal:
            self._triggers.stop(turn.key)
            self._refusal = refusal

    # --- memory ---------------------------------------------------------------------------------

    def _is_told(self, number: int) -> bool:
        """Is this an input whose circuit is whatever people say?"""
        settings = self._ports.ports[number].settings
        return settings.direction == "input" and settings.driver == "none"

    def _to_remember(self) -> Told:
        clock = self._context.clock
        now, wall = clock.now(), clock.wall()
        return Told(
            virtual={
                number: None if until is None else _lasts(max(0.0, until - now), wall)
                for number, until in self._virtual.active.items()
                if number not in self._passing
            },
            told={
                number: port.state
                for number, port in self._ports.ports.items()
                if self._is_told(number) and port.state is not LineState.OPEN
            },
        )


def _lasts(seconds: float, wall: datetime) -> Lasts:
    return Lasts(until=wall + timedelta(seconds=seconds), seconds=seconds)


def _refuse_duration(wanted: str) -> NoReturn:
    raise CommandRefused("duration", f"the duration must be {wanted}")


def _refuse_second(what: str) -> NoReturn:
    raise CommandRefused("sequence_running", f"a sequence of {what} is running already")
