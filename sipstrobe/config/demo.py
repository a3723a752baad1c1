"""The demonstration set-up: dial 1001 to 1004 for four signals of rising priority."""

from typing import Any

from sipstrobe.lightsiren.settings import LightPart, Profile, SirenPart
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import Condition, Rule

EXTENSIONS = {"1001": "Notice", "1002": "Attention", "1003": "Warning", "1004": "Evacuate"}
"""The profile that a call to each extension runs."""

PROFILES = (
    Profile(
        name="Notice",
        description="Somebody has something to say.",
        light=LightPart(pattern="Pulse", colors=("green",), speed=1, intensity=2, priority=3),
        siren=SirenPart(pattern="Notification: Message", intensity=2, priority=3),
    ),
    Profile(
        name="Attention",
        description="Look up and listen.",
        light=LightPart(pattern="Blink", colors=("blue",), speed=2, intensity=3, priority=5),
        siren=SirenPart(pattern="Notification: Entry", intensity=3, priority=5),
    ),
    Profile(
        name="Warning",
        description="Danger: stop what you are doing.",
        light=LightPart(pattern="Rotate", colors=("amber",), speed=3, intensity=4, priority=7),
        siren=SirenPart(pattern="Siren: Alternate", intensity=4, priority=7),
    ),
    Profile(
        name="Evacuate",
        description="Leave the building now.",
        light=LightPart(pattern="Flash 3x", colors=("red",), speed=3, intensity=5, priority=9),
        siren=SirenPart(pattern="Siren: Evac", intensity=5, priority=9),
    ),
)


def demo() -> dict[str, Any]:
    """The patch that turns a new device into a demonstration."""
    return {
        "sip": {"enabled": True, "allow_incoming": True},
        "maintenance": {"active": False, "until": None},
        "profiles": PROFILES,
        "rules": [
            Rule(
                name=f"A call to {extension} runs {profile}",
                conditions=(
                    Condition(
                        event="call/state", match={"state": "active", "extension": extension}
                    ),
                ),
                action=RunProfile(profile=profile),
            )
            for extension, profile in EXTENSIONS.items()
        ],
    }
