"""What a profile may be: the faults of a light, a siren, a profile, and of all profiles together.

One judgement for everybody: the settings (`problems`), the command StartOperation and the HTTP
interfaces, which translate the codes. A code is stable; the message is for people.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from sipstrobe.errors import Problem
from sipstrobe.lightsiren.catalogue import PATTERNS, Pattern
from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.settings import (
    DURATION_UNITS,
    INTENSITIES,
    LIGHT_FUNCTIONS,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_PROFILES,
    MAX_REPETITIONS,
    MAX_SECONDS,
    PRIORITIES,
    Duration,
    LightPart,
    Profile,
    SirenPart,
)


class Fault(NamedTuple):
    """One thing wrong: a stable code, the field ("light/duration/unit") and words for people."""

    code: str
    field: str
    message: str


def check_light(light: LightPart) -> list[Fault]:
    """What is wrong with a light.

    Codes: light_function, light_pattern, speed, color_count, unknown_color, light_intensity,
    light_priority, light_duration_unit, light_duration.
    """
    return list(_light_faults(light))


def check_siren(siren: SirenPart, sounds: Collection[str]) -> list[Fault]:
    """What is wrong with a siren; sounds: the names that can be played.

    Codes: siren_pattern, siren_intensity, siren_priority, siren_duration_unit, siren_duration.
    """
    return list(_siren_faults(siren, sounds))


def check_profile(profile: Profile, sounds: Collection[str]) -> list[Fault]:
    """What is wrong with a profile by itself: of its light, its siren, and the codes name_missing,
    name_length, description_length.
    """
    return list(_profile_faults(profile, sounds))


def problems(
    profiles: Iterable[Profile], sounds: Collection[str], path: str = "/profiles"
) -> list[Problem]:
    """What is wrong with the profiles as a whole, each with its place in the settings."""
    found: list[Problem] = []
    seen: set[str] = set()
    for index, profile in enumerate(profiles):
        place = f"{path}/{index}"
        found += (Problem(f"{place}/{f.field}", f.message) for f in check_profile(profile, sounds))
        if profile.name in seen:
            found.append(Problem(f"{place}/name", f"{profile.name!r} is the name of two profiles"))
        if index == MAX_PROFILES:
            found.append(Problem(path, f"there can be {MAX_PROFILES} profiles at most"))
        seen.add(profile.name)
    return found


def resolved(light: LightPart) -> LightPart:
    """The light with speed and colours filled in where it leaves them to the pattern."""
    pattern = PATTERNS[light.pattern]
    return replace(
        light,
        speed=pattern.default_speed if light.speed is None else light.speed,
        colors=light.colors or pattern.default_colors,
    )


def _profile_faults(profile: Profile, sounds: Collection[str]) -> Iterator[Fault]:
    if not profile.name:
        yield Fault("name_missing", "name", "a profile needs a name")
    if len(profile.name) > MAX_NAME:
        yield Fault("name_length", "name", f"longer than {MAX_NAME} characters")
    if len(profile.description) > MAX_DESCRIPTION:
        words = f"longer than {MAX_DESCRIPTION} characters"
        yield Fault("description_length", "description", words)
    if profile.light is not None:
        yield from _inside("light", _light_faults(profile.light))
    if profile.siren is not None:
        yield from _inside("siren", _siren_faults(profile.siren, sounds))


def _inside(part: str, faults: Iterable[Fault]) -> Iterator[Fault]:
    return (Fault(code, f"{part}/{field}", message) for code, field, message in faults)


def _light_faults(light: LightPart) -> Iterator[Fault]:
    if light.function not in LIGHT_FUNCTIONS:
        yield Fault("light_function", "function", f"the lights are {_either(LIGHT_FUNCTIONS)}")
    pattern = PATTERNS.get(light.pattern)
    if pattern is None:
        yield Fault("light_pattern", "pattern", f"there is no light pattern {light.pattern!r}")
    else:
        yield from _pattern_faults(light, pattern)
    for color in light.colors or ():
        if color not in COLORS:
            words = f"{color!r} is not one of {_either(COLORS)}"
            yield Fault("unknown_color", "colors", words)
            break
    yield from _common_faults("light", light.intensity, light.priority, light.duration)


def _pattern_faults(light: LightPart, pattern: Pattern) -> Iterator[Fault]:
    if light.speed is not None and light.speed not in pattern.speeds:
        words = f"{pattern.name} has the speeds {_either(pattern.speeds)}"
        yield Fault("speed", "speed", words)
    if light.colors is not None:
        least, most = pattern.min_colors, pattern.max_colors
        if not least <= len(light.colors) <= most:
            wanted = str(least) if least == most else f"{least} to {most}"
            words = f"{pattern.name}: {len(light.colors)} colours, must be {wanted}"
            yield Fault("color_count", "colors", words)


def _siren_faults(siren: SirenPart, sounds: Collection[str]) -> Iterator[Fault]:
    if siren.pattern not in sounds:
        yield Fault("siren_pattern", "pattern", f"there is no siren sound {siren.pattern!r}")
    yield from _common_faults("siren", siren.intensity, siren.priority, siren.duration)


def _common_faults(
    part: str, intensity: int, priority: int, duration: Duration | None
) -> Iterator[Fault]:
    if intensity not in INTENSITIES:
        words = f"must be {INTENSITIES[0]} to {INTENSITIES[-1]}"
        yield Fault(f"{part}_intensity", "intensity", words)
    if priority not in PRIORITIES:
        words = f"must be {PRIORITIES[0]} to {PRIORITIES[-1]}"
        yield Fault(f"{part}_priority", "priority", words)
    if duration is None:
        return
    if duration.unit not in DURATION_UNITS:
        words = f"must be {_either(DURATION_UNITS)}"
        yield Fault(f"{part}_duration_unit", "duration/unit", words)
        return
    most = MAX_SECONDS if duration.unit == "seconds" else MAX_REPETITIONS
    if not 0 <= duration.value <= most:
        words = f"must be 0 to {most} {duration.unit}"
        yield Fault(f"{part}_duration", "duration/value", words)


def _either(choices: Iterable[object]) -> str:
    return ", ".join(str(choice) for choice in choices)
