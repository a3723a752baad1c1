"""Light and siren: served by services.signals."""

from dataclasses import dataclass
from typing import Literal

from sipstrobe.commands.base import Command
from sipstrobe.events import Function

MAX_LOCATE_SECONDS = 600
MAX_MAINTENANCE_SECONDS = 31_536_000  # a year

DurationUnit = Literal["seconds", "repetitions"]


@dataclass(frozen=True, slots=True)
class OperationId:
    """One operation: the lights count together and the siren by itself, so both have a first."""

    function: Function
    id: int

    def __str__(self) -> str:
        """As in a trace, and in the URL of "why"."""
        return f"{self.function.value}/{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartProfile(Command):
    """Start the light and the siren of a profile. -> tuple[OperationId, ...]

    priority: 1…10 instead of those of the profile. Refused: unknown_profile, priority.
    """

    profile: str
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopProfile(Command):
    """Stop every operation that this profile started. -> None

    Refused: unknown_profile, not_running.
    """

    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOperation(Command):
    """Start one light or siren operation without a profile. -> OperationId

    None means the default of the pattern. duration None: continuous.
    Refused: light_pattern, siren_pattern, light_intensity, siren_intensity, light_priority,
    siren_priority, light_duration_unit, siren_duration_unit, light_duration, siren_duration,
    color_count, unknown_color, speed.
    """

    function: Function
    pattern: str
    intensity: int | None = None
    priority: int | None = None
    speed: int | None = None
    colors: tuple[str, ...] | None = None
    duration: tuple[str, int] | None = None  # (unit, value), unit as DurationUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class StopOperations(Command):
    """Stop operations by id. -> None. Refused: unknown_operation (unless tolerant)."""

    operations: tuple[OperationId, ...]
    tolerant: bool = False  # True: those that have ended already are passed over


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAll(Command):
    """Stop all user operations (priority 1–10) of these functions. -> None"""

    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMaintenance(Command):
    """Switch maintenance mode. seconds: how long, None = until switched off. -> None

    Refused: maintenance_duration.
    """

    active: bool
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHealthCheck(Command):
    """Light each side in turn and play a test tone; ends with HealthCheckDone. -> None"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocateDevice(Command):
    """Flash and sound for some seconds, so that people find the device. -> None"""

    seconds: int = 10
