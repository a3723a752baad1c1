"""Light and siren in JSON."""

from datetime import datetime
from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from sipstrobe.events import Function
from sipstrobe.web.told.common import Chain


class MaintenanceTold(TypedDict):
    """Maintenance mode; until: null for as long as nobody ends it."""

    active: bool
    until: datetime | None


class HealthTold(TypedDict):
    """The last health check; no errors: it was passed."""

    at: datetime
    errors: list[str]


class OperationTold(TypedDict):
    """Something that runs on a light or the siren."""

    id: int
    pattern: str
    priority: int
    intensity: int
    speed: int | None
    colors: list[str]
    profile: Annotated[str, Meta(description="Empty where no profile has begun it.")]
    shown: Annotated[bool, Meta(description="Whether nothing of a higher priority hides it.")]
    seconds_left: float | None
    why: Chain


class FunctionTold(TypedDict):
    """A light or the siren, the highest priority first."""

    name: Function
    operations: list[OperationTold]


class DurationTold(TypedDict):
    """How long a part of a profile lasts."""

    unit: str
    value: int


class PartTold(TypedDict):
    """The siren or the light of a profile; what a siren does not have is missing."""

    pattern: str
    intensity: int
    priority: int
    duration: NotRequired[DurationTold]
    speed: NotRequired[int]
    colors: NotRequired[list[str]]
    function: NotRequired[str]


class RiskTold(TypedDict):
    """Something to be warned of: flash_rate or saturated_red, and words for people."""

    code: str
    words: str


class SafetyTold(TypedDict):
    """How a light flashes (docs/light-patterns.md)."""

    flash_rate_hz: Annotated[
        float, Meta(description="Of the side that flashes most, on average over a repetition.")
    ]
    flashes_per_second: Annotated[
        int, Meta(description="The most that begin within any one second on one side.")
    ]
    sides_at_once: Annotated[int, Meta(description="How many of the four grow bright together.")]
    saturated_red: Annotated[bool, Meta(description="Some of the flashes are red.")]
    warnings: list[RiskTold]


class ProfileTold(SafetyTold):
    """A profile, and how its light flashes."""

    name: str
    description: str
    siren: NotRequired[PartTold]
    light: NotRequired[PartTold]
    running: bool
