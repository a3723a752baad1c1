"""Profiles as they are told, with what there is to say of their safety."""

from typing import Any

from sipstrobe.lightsiren.safety import Safety, safety_of
from sipstrobe.lightsiren.settings import Profile
from sipstrobe.web.compat.siren_profiles import profile_json


def safety_json(safety: Safety) -> dict[str, Any]:
    """The members of SafetyTold."""
    return {
        "flash_rate_hz": safety.flash_rate_hz,
        "flashes_per_second": safety.flashes_per_second,
        "sides_at_once": safety.sides_at_once,
        "saturated_red": safety.saturated_red,
        "warnings": [{"code": code, "words": words} for code, words in safety.warnings],
    }


def profile_told(profile: Profile, *, running: bool) -> dict[str, Any]:
    """The members of ProfileTold."""
    return profile_json(profile) | safety_json(safety_of(profile.light)) | {"running": running}
