"""Ports and virtual inputs: served by services.ports."""

from dataclasses import dataclass
from typing import Final, Literal

from sipstrobe.commands.base import Command
from sipstrobe.events import LineState

PORTS: Final = 2
VIRTUAL_INPUTS: Final = 64  # GAP-32
MAX_ACTIVE_SECONDS: Final = 31_536_000  # a year: of a virtual input and of an output
MAX_STEPS: Final = 256  # of a sequence
MAX_STEP_MS: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVirtualInput(Command):
    """Switch a virtual input. -> bool: whether it has changed

    seconds: after which it is inactive again, counted anew each time; 0: it is active for no
    longer than it takes to tell of it; None: until somebody switches it off. kept: it is still
    active after a restart, as what nobody is going to say again. Refused: unknown_input, duration.
    """

    input: int  # 1…64
    active: bool
    seconds: int | None = None
    kept: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOutput(Command):
    """Switch an output port, and end a sequence that runs there. -> None

    seconds: after which it is switched to the contrary; None: until somebody does, or, of an
    active monostable output, its pulse time. Refused: unknown_port, not_an_output, duration.
    """

    port: int  # 1…2
    active: bool
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateInput(Command):
    """Have an input port as if its circuit were so, until it really changes. -> None

    Either active or state is given. Refused: unknown_port, not_an_input, not_supervised, state.
    """

    port: int  # 1…2
    active: bool | None = None
    state: LineState | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One state of a sequence, and how long it lasts; the last one stays."""

    active: bool
    ms: int = 0

    def __str__(self) -> str:
        return f"{'active' if self.active else 'inactive'} {self.ms} ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSequence(Command):
    """Go through states: of an output or simulated input port, or of a manual trigger. -> None

    Refused: unknown_port, unknown_trigger, not_an_output, not_an_input, sequence,
    sequence_running.
    """

    kind: Literal["output", "input", "trigger"]
    number: int  # 1…
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class PortChange:
    """What is to be different at one port; None: it stays as it is."""

    port: int  # 1…2
    name: str | None = None
    usage: str | None = None
    direction: Literal["input", "output"] | None = None
    normal_state: Literal["open", "closed"] | None = None
    supervised: bool | None = None
    state: Literal["open", "closed"] | None = None  # of an output, once all else is so


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurePorts(Command):
    """Change settings of ports without putting their outputs back to normal. -> None

    Unlike a change of the settings (IOP-03), it leaves active what is active. Refused:
    unknown_port, not_an_output; raises ConfigError.
    """

    changes: tuple[PortChange, ...]
