"""Profiles, lights and sirens as JSON of the siren and light API, and back."""

from collections.abc import Collection
from typing import Any

from sipstrobe.lightsiren.profile import Fault, check_light, check_profile, check_siren, resolved
from sipstrobe.lightsiren.settings import (
    DEFAULT_INTENSITY,
    DEFAULT_PRIORITY,
    LIGHT_FUNCTIONS,
    Duration,
    LightPart,
    Profile,
    SirenPart,
)
from sipstrobe.web.compat.json_cgi import BAD_VALUE, MISSING, NOT_READY, ApiError, Params

LIMIT, PROFILE, OPERATION = 1201, 1202, 1203

_NAMES: dict[str, tuple[int, str]] = {  # our word -> the API's number and what it calls the thing
    "too_many_profiles": (LIMIT, "number of profiles"),
    "unknown_profile": (PROFILE, "profile"),
    "duplicate_profile": (PROFILE, "profile"),
    "siren_pattern": (2200, "siren pattern"),
    "light_pattern": (2201, "light pattern"),
    "siren_intensity": (2202, "siren intensity"),
    "light_intensity": (2203, "light intensity"),
    "siren_priority": (2204, "siren priority"),
    "light_priority": (2205, "light priority"),
    "siren_duration_unit": (2206, "siren duration unit"),
    "light_duration_unit": (2207, "light duration unit"),
    "siren_duration": (2208, "siren duration"),
    "light_duration": (2209, "light duration"),
    "light_function": (2210, "function type"),
    "color_count": (2211, "number of colors"),
    "unknown_color": (2212, "color"),
    "name_length": (2213, "profile name length"),
    "description_length": (2214, "profile description length"),
    "speed": (2215, "speed"),
}
ERRORS: dict[str, tuple[int, str]] = {  # the one table from our words to the API's errors
    "not_available": (NOT_READY, "The service is not initialized"),
    "name_missing": (MISSING, "A required parameter is missing: name"),
    "maintenance_duration": (BAD_VALUE, "Requested duration is invalid"),
    "not_running": (OPERATION, "Requested process id does not exist"),
    "unknown_operation": (OPERATION, "Requested process id does not exist"),
} | {word: (code, f"Requested {name} is invalid") for word, (code, name) in _NAMES.items()}


def refusal(word: str) -> ApiError:
    """The API's error for one of our words; a word it does not know is 1100."""
    return ApiError(*ERRORS[word]) if word in ERRORS else ApiError(1100)


def read_light(params: Params) -> LightPart:
    """A light, checked. Raises ApiError."""
    light = LightPart(
        pattern=params.text("pattern"),
        colors=params.texts("colors") if "colors" in params else None,
        speed=params.number("speed") if "speed" in params else None,
        intensity=params.number("intensity") if "intensity" in params else DEFAULT_INTENSITY,
        priority=params.number("priority") if "priority" in params else DEFAULT_PRIORITY,
        duration=_read_duration(params),
        function=params.text("function") if "function" in params else LIGHT_FUNCTIONS[0],
    )
    _raise_first(check_light(light))
    return light


def read_siren(params: Params, sounds: Collection[str]) -> SirenPart:
    """A siren, checked; sounds: the patterns that there are. Raises ApiError."""
    siren = SirenPart(
        pattern=params.text("pattern"),
        intensity=params.number("intensity") if "intensity" in params else DEFAULT_INTENSITY,
        priority=params.number("priority") if "priority" in params else DEFAULT_PRIORITY,
        duration=_read_duration(params),
    )
    _raise_first(check_siren(siren, sounds))
    return siren


def read_profile(params: Params, sounds: Collection[str]) -> Profile:
    """A profile, checked by itself. Raises ApiError."""
    profile = Profile(
        name=params.text("name"),
        description=params.text("description") if "description" in params else "",
        light=read_light(params.object("light")) if "light" in params else None,
        siren=read_siren(params.object("siren"), sounds) if "siren" in params else None,
    )
    _raise_first(check_profile(profile, sounds))
    return profile


def profile_json(profile: Profile) -> dict[str, Any]:
    told: dict[str, Any] = {"name": profile.name, "description": profile.description}
    if (siren := profile.siren) is not None:
        told["siren"] = _common_json(siren)
    if profile.light is not None:
        light = resolved(profile.light)
        told["light"] = _common_json(light) | {"speed": light.speed, "colors": light.colors}
        if light.function != LIGHT_FUNCTIONS[0]:
            told["light"]["function"] = light.function
    return told


def _common_json(part: LightPart | SirenPart) -> dict[str, Any]:
    told: dict[str, Any] = {
        "pattern": part.pattern,
        "intensity": part.intensity,
        "priority": part.priority,
    }
    if part.duration is not None:
        told["duration"] = {"unit": part.duration.unit, "value": part.duration.value}
    return told


def _read_duration(params: Params) -> Duration | None:
    """Without one an operation runs until it is stopped."""
    if "duration" not in params:
        return None
    duration = params.object("duration")
    return Duration(unit=duration.text("unit"), value=duration.number("value"))


def _raise_first(faults: list[Fault]) -> None:
    if faults:
        raise refusal(faults[0].code)
