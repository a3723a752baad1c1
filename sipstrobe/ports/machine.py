"""The two ports: what their circuits are, and what that means (IOP-01, -03, -04).

A port is active while its circuit differs from its normal state. The circuit of an input is
whatever it is; that of an output is what it is switched to.
"""

from collections import deque
from collections.abc import Sequence
from math import ceil

from msgspec import Struct

from sipstrobe.commands import Step
from sipstrobe.events import LineState
from sipstrobe.ports.sequence import Sequencer
from sipstrobe.ports.settings import Port, PortsSettings

_OPEN, _CLOSED, _UNDEFINED = LineState.OPEN, LineState.CLOSED, LineState.UNDEFINED
_UNSUPERVISED = {LineState.SHORTED: _CLOSED, LineState.CUT: _OPEN}  # what it looks like


class InputRead(Struct, frozen=True):
    """An input reads so from now on; of a port that is none, undefined."""

    port: int
    state: LineState
    active: bool
    supervised: bool


class OutputSwitched(Struct, frozen=True):
    """An output is so from now on."""

    port: int
    active: bool


class Drive(Struct, frozen=True):
    """The circuit of an output is to be closed, or open."""

    port: int
    closed: bool


Output = InputRead | OutputSwitched | Drive


class PortState:
    """One port as it stands."""

    def __init__(self, number: int) -> None:
        self.settings = Port()
        self.state = _UNDEFINED
        self.input = InputRead(number, _UNDEFINED, False, False)  # as last told
        self.output = OutputSwitched(number, False)
        self.driven: bool | None = None  # None: not ours to drive

    @property
    def is_output(self) -> bool:
        return self.settings.direction == "output"

    @property
    def active(self) -> bool:
        return self.state not in (_UNDEFINED, self.settings.normal_state)


class Ports:
    """Both ports. Numbers and directions are checked by whoever asks."""

    def __init__(self, numbers: Sequence[int] = (1, 2)) -> None:
        self.outbox: deque[Output] = deque()
        self.ports = {number: PortState(number) for number in numbers}
        self._sequencer: Sequencer[int] = Sequencer()

    @property
    def deadline(self) -> float | None:
        return self._sequencer.deadline

    def running(self, number: int) -> bool:
        """Is a sequence or a pulse under way?"""
        return self._sequencer.running(number)

    def apply(self, settings: PortsSettings, *, now: float, keep: bool = False) -> None:
        """Work by these settings. keep: an output that is active stays so, which it otherwise does
        not, whatever has made it so (IOP-03)."""
        for number, wanted in settings.both.items():
            port = self.ports[number]
            before, port.settings = port.settings, wanted
            if wanted.direction == "output":
                self._apply_output(number, port, before, keep)
            else:
                self._apply_input(number, port, before)
            self._tell(number, port)

    def see(self, number: int, state: LineState, *, now: float) -> None:
        """The circuit of an input is so, or is said to be."""
        port = self.ports[number]
        if port.is_output:
            return
        if not port.settings.supervised:
            state = _UNSUPERVISED.get(state, state)
        self._sequencer.stop(number)
        port.state = state
        self._tell(number, port)

    def switch(
        self, number: int, active: bool, seconds: float | None = None, *, now: float
    ) -> None:
        """Make an output active or not, or have an input as if it were; for so many seconds."""
        settings = self.ports[number].settings
        steps = [Step(active)]
        if seconds is not None:
            steps = [Step(active, ceil(seconds * 1000)), Step(not active)]
        elif active and settings.direction == "output" and settings.mode == "monostable":
            steps = [Step(True, settings.pulse_ms), Step(False)]
        self.run(number, steps, now=now)

    def run(self, number: int, steps: Sequence[Step], *, now: float) -> None:
        """Go through these states; the last one stays."""
        self._sequencer.run(number, steps, now=now)
        self._take_turns()

    def wake(self, *, now: float) -> None:
        self._sequencer.wake(now=now)
        self._take_turns()

    def _take_turns(self) -> None:
        for turn in self._sequencer.outbox:
            port = self.ports[turn.key]
            port.state = _circuit(port.settings, turn.active)
            self._tell(turn.key, port)
        self._sequencer.outbox.clear()

    def _apply_output(self, number: int, port: PortState, before: Port, keep: bool) -> None:
        kept = keep and before.direction == "output"
        if not kept or before.normal_state != port.settings.normal_state:
            self._sequencer.stop(number)
        active = kept and port.output.active
        port.state = _circuit(port.settings, active)

    def _apply_input(self, number: int, port: PortState, before: Port) -> None:
        """The circuit stays what it is; what that means may be another thing."""
        settings = port.settings
        anew = before.direction == "output" or before.driver != settings.driver
        if anew or before.normal_state != settings.normal_state:
            self._sequencer.stop(number)
        if anew or port.state is _UNDEFINED:
            port.state = _OPEN if settings.driver == "none" else _UNDEFINED
        elif not settings.supervised:
            port.state = _UNSUPERVISED.get(port.state, port.state)

    def _tell(self, number: int, port: PortState) -> None:
        """Leave what has changed, for the driver first."""
        is_output = port.is_output
        driven = (port.state is _CLOSED) if is_output else None
        if driven is not port.driven:
            port.driven = driven
            if driven is not None:
                self.outbox.append(Drive(number, driven))
        read = InputRead(number, _UNDEFINED, False, False)
        if not is_output:
            read = InputRead(number, port.state, port.active, port.settings.supervised)
        if read.state is _UNDEFINED:
            read = InputRead(number, _UNDEFINED, False, False)
        if read != port.input:
            port.input = read
            self.outbox.append(read)
        switched = OutputSwitched(number, is_output and port.active)
        if switched != port.output:
            port.output = switched
            self.outbox.append(switched)


def _circuit(settings: Port, active: bool) -> LineState:
    return _CLOSED if (settings.normal_state == "closed") is not active else _OPEN
