"""Clips in the settings: what needs one, and what becomes of it (PRF-13, CLP-01)."""

from typing import Any

import pytest
from msgspec.structs import asdict

from sipstrobe.audio.clip import Clip
from sipstrobe.config.clips import mentions, renamed
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError
from sipstrobe.lightsiren.settings import Profile, SirenPart
from sipstrobe.rules.actions import PlayClip, PlayClipWhile, StopClip
from sipstrobe.rules.settings import Condition, Rule

PLAYING = Condition(event="sound/clip", match={"clip": "Gong", "playing": "true"})


def clip(name: str, number: int = 0) -> Clip:
    return Clip(
        number=number,
        name=name,
        file="0" * 64 + ".wav",
        format="wav",
        size=1000,
        seconds=1.5,
        sample_rate=8000,
        channels=1,
        loudness=-20.0,
        peak_db=-3.0,
    )


SETTINGS = Settings(
    clips=(clip("Gong"), clip("Spare", 1)),
    profiles=(
        Profile(name="Break", siren=SirenPart(pattern="clip:Gong")),
        Profile(name="Door", siren=SirenPart(pattern="Notification: Entry")),
    ),
    rules=(
        Rule(name="play", conditions=(PLAYING,), action=PlayClip(clip="Gong")),
        Rule(name="ring", conditions=(PLAYING,), action=PlayClipWhile(clip="Ring tone 1")),
        Rule(name="stop", when=PLAYING, action=StopClip(clip="Gong")),
        Rule(name="all", when=PLAYING, action=StopClip()),
    ),
)


def refusal(patch: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        Store.memory(SETTINGS).change_now(patch)
    return [str(problem) for problem in refused.value.problems]


def test_a_clip_that_is_needed_stays() -> None:
    """CLP-01: and people are told who needs it."""
    told = refusal({"clips": [SETTINGS.clips[1]]})

    assert told[0] == (
        "/profiles/0/siren/pattern: there is no clip 'Gong', which profile 'Break' needs"
    )
    assert "/rules/0/action/clip: there is no clip 'Gong', which rule 'play' needs" in told
    assert {line.partition(":")[0] for line in told[1:]} == {
        "/rules/0/action/clip",
        "/rules/0/conditions/0/match/clip",
        "/rules/1/conditions/0/match/clip",
        "/rules/2/action/clip",
        "/rules/2/when/match/clip",
        "/rules/3/when/match/clip",
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Gong\n"),
        ("seconds", 1e305),
        ("seconds", 1e-9),
        ("size", 10**30),
        ("loudness", -1e308),
        ("peak_db", -1e308),
    ],
)
def test_what_was_never_measured_is_no_clip(field: str, value: object) -> None:
    """Settings of another device may say anything; nothing here has to reckon with it."""
    (told,) = refusal({"clips": [asdict(SETTINGS.clips[0]) | {field: value}, SETTINGS.clips[1]]})

    assert told.startswith(f"/clips/0/{field}: must be")


def test_one_that_nobody_needs_may_go() -> None:
    store = Store.memory(SETTINGS)

    store.change_now({"clips": [SETTINGS.clips[0]]})

    assert [clip.name for clip in store.current.clips] == ["Gong"]


def test_the_clips_of_every_device_can_be_used_and_not_taken() -> None:
    for name, number, path in (("Ding-dong", 2, "/clips/0/name"), ("Mine", 25, "/clips/0/number")):
        (told,) = refusal({"clips": [clip(name, number), clip("Gong")]})
        assert told.startswith(path + ": ")
        assert "every device" in told


def test_names_and_numbers_are_given_once() -> None:
    assert refusal({"clips": [clip("Gong", 1), clip("Gong", 1)]}) == [
        "/clips/1/name: there is a clip 'Gong' already",
        "/clips/1/number: there is a clip 1 already",
    ]


def test_a_condition_may_mean_any_clip() -> None:
    anyone = Condition(event="sound/clip", match={"clip": "*", "playing": "true"})
    rule = Rule(name="any", conditions=(anyone,), action=StopClip())

    Store.memory(SETTINGS).change_now({"rules": [*SETTINGS.rules, rule]})


def test_who_needs_a_clip_follows_it_to_its_new_name() -> None:
    profiles, rules = renamed(SETTINGS.profiles, SETTINGS.rules, "Gong", "Bell")

    assert {m.clip for m in mentions(profiles, rules)} == {"Bell", "Ring tone 1"}
    assert len(list(mentions(profiles, rules))) == len(
        list(mentions(SETTINGS.profiles, SETTINGS.rules))
    )
    assert profiles[1] is SETTINGS.profiles[1]
