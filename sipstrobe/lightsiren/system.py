"""What the system itself shows, above all that users start (checklist MIX-04).

Maintenance mode keeps the siren silent and lets the light say so; locating the device and the
health check interrupt even that.
"""

from sipstrobe.events import Function
from sipstrobe.lightsiren.catalogue import HEALTH_CHECK, IDENTIFY, MAINTENANCE, Pattern
from sipstrobe.lightsiren.operations import Activity
from sipstrobe.lightsiren.patterns import period
from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.lightsiren.synthesis import HELD, Note, Tone, harmonics, steady

MAINTENANCE_RANK = 11
IDENTIFY_RANK = 12
HEALTH_CHECK_RANK = 13
HEALTH_CHECK_SECONDS = period(HEALTH_CHECK.name)
_MAINTENANCE_INTENSITY = 2  # to be worked beside
_FULL_INTENSITY = 5

TEST_TONE_HERTZ = 1000.0
TEST_TONE = Sound(
    "Test tone",
    "1 kHz, pure and steady",
    1.0,
    1.0,
    lambda: (Note(0.0, 1.0, Tone(steady(TEST_TONE_HERTZ), harmonics(1.0)), HELD),),
)
SYSTEM_SOUNDS: dict[str, Sound] = {
    IDENTIFY.name: SOUNDS["Notification: Calling"],
    HEALTH_CHECK.name: TEST_TONE,
}
"""By the names of the patterns; maintenance has none, since it is silent."""


def maintenance() -> Activity:
    """Every function, until it is switched off."""
    return _activity(MAINTENANCE, MAINTENANCE_RANK, _MAINTENANCE_INTENSITY, None)


def identify(function: Function, seconds: float) -> Activity:
    """Light and sound, for people who look for the device."""
    intensity = 3 if function is Function.AUDIO_SPEAKER else _FULL_INTENSITY
    return _activity(IDENTIFY, IDENTIFY_RANK, intensity, seconds)


def health_check(function: Function) -> Activity:
    """Each side of the light in turn, and the test tone."""
    intensity = 3 if function is Function.AUDIO_SPEAKER else _FULL_INTENSITY
    return _activity(HEALTH_CHECK, HEALTH_CHECK_RANK, intensity, HEALTH_CHECK_SECONDS)


def _activity(pattern: Pattern, rank: int, intensity: int, seconds: float | None) -> Activity:
    return Activity(
        pattern=pattern.name,
        priority=rank,
        intensity=intensity,
        colors=pattern.default_colors,
        seconds=seconds,
    )
