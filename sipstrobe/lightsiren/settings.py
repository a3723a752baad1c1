"""What can be set about light and siren: profiles, maintenance mode and the light's outputs.

The ranges here keep the stored tree sound; `profile.check_profile` says what is wrong with a
profile in the words that the interfaces translate, and knows what depends on the pattern.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from sipstrobe.errors import Problem
from sipstrobe.lightsiren.catalogue import PATTERNS
from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.output_specs import SHORT, output_problems
from sipstrobe.lightsiren.outputs import MAX_OUTPUTS, Output

MAX_PROFILES = 30
MAX_NAME = 50  # characters
MAX_DESCRIPTION = 250  # characters
INTENSITIES = (1, 2, 3, 4, 5)
PRIORITIES = tuple(range(1, 11))  # 10 is the highest; 11…13 belong to the system
MAX_SECONDS = 259_200  # 72 hours
MAX_REPETITIONS = 20
LIGHT_FUNCTIONS = ("SignalingLED", "AudioLED")
DURATION_UNITS = ("seconds", "repetitions")
DEFAULT_INTENSITY = 2
DEFAULT_PRIORITY = 3

Intensity = Annotated[
    int, Meta(ge=INTENSITIES[0], le=INTENSITIES[-1], title="Intensity", description="1 to 5.")
]
Priority = Annotated[
    int,
    Meta(
        ge=PRIORITIES[0],
        le=PRIORITIES[-1],
        title="Priority",
        description="The higher number is shown; 10 is the highest.",
    ),
]


class Duration(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long an operation runs; without one it runs until it is stopped."""

    unit: Annotated[str, Meta(title="Unit", extra_json_schema={"enum": list(DURATION_UNITS)})] = (
        "seconds"
    )
    value: Annotated[
        int,
        Meta(
            ge=0,
            le=MAX_SECONDS,
            title="Duration",
            description="Up to 259200 seconds (72 hours) or 20 repetitions.",
        ),
    ]


class LightPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The light of a profile."""

    pattern: Annotated[str, Meta(title="Pattern", extra_json_schema={"enum": list(PATTERNS)})]
    colors: (
        Annotated[
            tuple[Annotated[str, Meta(extra_json_schema={"enum": list(COLORS)})], ...],
            Meta(
                max_length=len(COLORS),
                title="Colours",
                description="How many depends on the pattern; without any, the pattern's own.",
            ),
        ]
        | None
    ) = None
    speed: (
        Annotated[
            int,
            Meta(ge=1, le=4, title="Speed", description="Without one, the pattern's own."),
        ]
        | None
    ) = None
    intensity: Intensity = DEFAULT_INTENSITY
    priority: Priority = DEFAULT_PRIORITY
    duration: Duration | None = None
    function: Annotated[
        str, Meta(title="Light", extra_json_schema={"enum": list(LIGHT_FUNCTIONS)})
    ] = LIGHT_FUNCTIONS[0]


class SirenPart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The siren of a profile."""

    pattern: Annotated[str, Meta(title="Sound", description="The name of a siren sound.")]
    intensity: Intensity = DEFAULT_INTENSITY
    priority: Priority = DEFAULT_PRIORITY
    duration: Duration | None = None


class Profile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named combination of light and siren."""

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME, title="Name")]
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION, title="Description")] = ""
    light: Annotated[LightPart | None, Meta(title="Light")] = None
    siren: Annotated[SirenPart | None, Meta(title="Siren")] = None


Profiles = Annotated[
    tuple[Profile, ...],
    Meta(
        max_length=MAX_PROFILES,
        title="Profiles",
        description="What light and siren can be told to do by name.",
    ),
]


class MaintenanceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Maintenance mode keeps the device quiet while people work at it."""

    active: Annotated[
        bool,
        Meta(
            title="Maintenance mode",
            description="The siren is silent, and the light pulses white on three sides.",
        ),
    ] = True
    until: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        Meta(title="Until", description="When it ends by itself; empty: never."),
    ] = None


class LightsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the light is shown."""

    outputs: Annotated[
        tuple[str | Output, ...],
        Meta(
            max_length=MAX_OUTPUTS,
            title="Outputs",
            description=f"Each as what can be set about it, or short: {SHORT}.",
        ),
    ] = ("virtual",)


def lights_problems(lights: LightsSettings) -> list[Problem]:
    return list(output_problems(lights.outputs))
