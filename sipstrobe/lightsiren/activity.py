"""From a profile or an order to what a function is to do: in seconds, with defaults filled in.

Parts of a profile must be such as `profile.check_light` and `check_siren` pass.
"""

from collections.abc import Mapping, Sequence

from sipstrobe.commands import StartOperation
from sipstrobe.errors import CommandRefused
from sipstrobe.events import Function
from sipstrobe.lightsiren.operations import Activity
from sipstrobe.lightsiren.patterns import animate
from sipstrobe.lightsiren.profile import Fault, check_light, check_siren, resolved
from sipstrobe.lightsiren.settings import (
    DEFAULT_INTENSITY,
    DEFAULT_PRIORITY,
    Duration,
    LightPart,
    Profile,
    SirenPart,
)
from sipstrobe.lightsiren.sound import Playable


def light_activity(light: LightPart, profile: str = "") -> Activity:
    """Also composes the animation, so that it is ready when it is to be shown."""
    light = resolved(light)
    assert light.speed is not None
    assert light.colors is not None
    animation = animate(light.pattern, light.colors, light.speed, light.intensity)
    return Activity(
        pattern=light.pattern,
        priority=light.priority,
        intensity=light.intensity,
        speed=light.speed,
        colors=light.colors,
        seconds=_seconds(light.duration, animation.period),
        profile=profile,
    )


def siren_activity(siren: SirenPart, sound: Playable, profile: str = "") -> Activity:
    return Activity(
        pattern=siren.pattern,
        priority=siren.priority,
        intensity=siren.intensity,
        seconds=_seconds(siren.duration, sound.seconds),
        profile=profile,
    )


def activities(
    profile: Profile, sounds: Mapping[str, Playable]
) -> tuple[tuple[Function, Activity], ...]:
    """What each function is to do for a profile."""
    found: list[tuple[Function, Activity]] = []
    if (light := profile.light) is not None:
        found.append((Function(light.function), light_activity(light, profile.name)))
    if (siren := profile.siren) is not None:
        sound = sounds[siren.pattern]
        found.append((Function.AUDIO_SPEAKER, siren_activity(siren, sound, profile.name)))
    return tuple(found)


def ordered(command: StartOperation, sounds: Mapping[str, Playable]) -> Activity:
    """What a function is to do for this order. Raises CommandRefused with the first fault."""
    intensity = DEFAULT_INTENSITY if command.intensity is None else command.intensity
    priority = DEFAULT_PRIORITY if command.priority is None else command.priority
    duration = None
    if command.duration is not None:
        unit, value = command.duration
        duration = Duration(unit=unit, value=value)
    if command.function is Function.AUDIO_SPEAKER:
        siren = SirenPart(
            pattern=command.pattern, intensity=intensity, priority=priority, duration=duration
        )
        _refuse(check_siren(siren, sounds))
        return siren_activity(siren, sounds[siren.pattern])
    light = LightPart(
        pattern=command.pattern,
        colors=command.colors,
        speed=command.speed,
        intensity=intensity,
        priority=priority,
        duration=duration,
        function=command.function.value,
    )
    _refuse(check_light(light))
    return light_activity(light)


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise CommandRefused(faults[0].code, f"{faults[0].field}: {faults[0].message}")


def _seconds(duration: Duration | None, repetition: float) -> float | None:
    if duration is None:
        return None
    return duration.value * (1.0 if duration.unit == "seconds" else repetition)
