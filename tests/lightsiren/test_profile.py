"""What a profile may be, and how each fault is named (checklist PRF-01…06, GAP-05…12)."""

import msgspec
import pytest

from sipstrobe.errors import Problem
from sipstrobe.lightsiren.profile import (
    check_light,
    check_profile,
    check_siren,
    problems,
    resolved,
)
from sipstrobe.lightsiren.settings import (
    Duration,
    LightPart,
    LightsSettings,
    MaintenanceSettings,
    Profile,
    Profiles,
    SirenPart,
    lights_problems,
)

SOUNDS = {"Alarm: High pitch", "Siren: Evac"}


def light(pattern: str = "Steady", **fields: object) -> LightPart:
    return msgspec.structs.replace(LightPart(pattern=pattern), **fields)


def siren(pattern: str = "Siren: Evac", **fields: object) -> SirenPart:
    return msgspec.structs.replace(SirenPart(pattern=pattern), **fields)


def lasting(value: int, unit: str = "seconds") -> Duration:
    return Duration(unit=unit, value=value)


@pytest.mark.parametrize(
    "part",
    [
        light(),
        light("Off"),
        light("Off", speed=1),
        light("Steady", colors=("green",), intensity=5, priority=10),
        light("Alternate", colors=("red", "green", "blue", "white"), speed=4),
        light("Blink", duration=lasting(0)),
        light("Blink", duration=lasting(259_200)),
        light("Blink", duration=lasting(20, "repetitions")),
        light("Spin", function="AudioLED"),
    ],
)
def test_lights_that_can_be(part: LightPart) -> None:
    assert check_light(part) == []


@pytest.mark.parametrize(
    ("part", "code", "field"),
    [
        (light("Disco"), "light_pattern", "pattern"),
        (light("Steady", speed=2), "speed", "speed"),
        (light("Blink", speed=0), "speed", "speed"),
        (light("Blink", speed=5), "speed", "speed"),
        (light("Steady", colors=("green", "red")), "color_count", "colors"),
        (light("Alternate", colors=("red",)), "color_count", "colors"),
        (light("Off", colors=("red",)), "color_count", "colors"),
        (light("Blink", colors=()), "color_count", "colors"),
        (light("Blink", colors=("Red",)), "unknown_color", "colors"),
        (light(intensity=0), "light_intensity", "intensity"),
        (light(intensity=6), "light_intensity", "intensity"),
        (light(priority=0), "light_priority", "priority"),
        (light(priority=11), "light_priority", "priority"),
        (light(duration=lasting(1, "hours")), "light_duration_unit", "duration/unit"),
        (light(duration=lasting(259_201)), "light_duration", "duration/value"),
        (light(duration=lasting(-1)), "light_duration", "duration/value"),
        (light(duration=lasting(21, "repetitions")), "light_duration", "duration/value"),
        (light(function="AudioSpeaker"), "light_function", "function"),
        (light("Maintenance"), "light_pattern", "pattern"),
    ],
)
def test_each_fault_of_a_light_has_its_code(part: LightPart, code: str, field: str) -> None:
    """GAP-12: distinct errors; the interfaces translate the codes."""
    assert [(fault.code, fault.field) for fault in check_light(part)] == [(code, field)]


@pytest.mark.parametrize(
    ("part", "code", "field"),
    [
        (siren("Siren: Mute"), "siren_pattern", "pattern"),
        (siren(intensity=9), "siren_intensity", "intensity"),
        (siren(priority=13), "siren_priority", "priority"),
        (siren(duration=lasting(3, "minutes")), "siren_duration_unit", "duration/unit"),
        (siren(duration=lasting(300_000)), "siren_duration", "duration/value"),
        (siren(duration=lasting(30, "repetitions")), "siren_duration", "duration/value"),
    ],
)
def test_each_fault_of_a_siren_has_its_code(part: SirenPart, code: str, field: str) -> None:
    assert [(fault.code, fault.field) for fault in check_siren(part, SOUNDS)] == [(code, field)]


def test_an_uploaded_clip_is_a_sound_like_any_other() -> None:
    """PRF-13: the names are whatever can be played."""
    assert check_siren(siren("gong.wav"), {*SOUNDS, "gong.wav"}) == []


def test_all_faults_of_a_profile_are_told_at_once() -> None:
    profile = Profile(
        name="n" * 51,
        description="d" * 251,
        light=light("Blink", speed=9, intensity=7),
        siren=siren("?"),
    )

    assert [(fault.code, fault.field) for fault in check_profile(profile, SOUNDS)] == [
        ("name_length", "name"),
        ("description_length", "description"),
        ("speed", "light/speed"),
        ("light_intensity", "light/intensity"),
        ("siren_pattern", "siren/pattern"),
    ]
    assert [fault.code for fault in check_profile(Profile(name=""), SOUNDS)] == ["name_missing"]


def test_names_are_unique_and_thirty_profiles_are_the_most() -> None:
    """PRF-01, PRF-02."""
    thirty = [Profile(name=f"Profile {n}") for n in range(30)]
    assert problems(thirty, SOUNDS) == []

    found = problems([*thirty, Profile(name="Profile 7")], SOUNDS)

    assert found == [
        Problem("/profiles/30/name", "'Profile 7' is the name of two profiles"),
        Problem("/profiles", "there can be 30 profiles at most"),
    ]


def test_a_problem_names_its_place_in_the_settings() -> None:
    wrong = Profile(name="x", siren=siren(duration=lasting(21, "repetitions")))

    assert problems([Profile(name="y"), wrong], SOUNDS) == [
        Problem("/profiles/1/siren/duration/value", "must be 0 to 20 repetitions")
    ]


def test_what_a_light_leaves_open_is_the_patterns_own() -> None:
    """GAP-05: priority 3, intensity 2; speed and colours by the pattern."""
    whole = resolved(light("Alternate"))

    assert (whole.speed, whole.colors) == (2, ("red", "blue"))
    assert (whole.intensity, whole.priority) == (2, 3)
    assert resolved(light("Blink", speed=4, colors=("pink",))).colors == ("pink",)


def test_profiles_survive_json() -> None:
    profiles = (Profile(name="Gate", light=light(duration=lasting(3)), siren=siren()),)

    assert msgspec.json.decode(msgspec.json.encode(profiles), type=Profiles) == profiles


def test_a_new_device_is_in_maintenance_until_somebody_switches_it_off() -> None:
    """MNT-01."""
    assert MaintenanceSettings() == MaintenanceSettings(active=True, until=None)


@pytest.mark.parametrize("spec", ["log:", "laser", "virtual:1", ""])
def test_an_output_that_is_none_is_refused(spec: str) -> None:
    [problem] = lights_problems(LightsSettings(outputs=(spec,)))

    assert problem.path == "/outputs/0"
    assert "is no light" in problem.message
