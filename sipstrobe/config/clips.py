"""Who needs which clip: profiles as their siren, rules in what they do and what they wait for."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from sipstrobe.audio import clip
from sipstrobe.audio.clip import CLIP_PATTERN, Clip
from sipstrobe.errors import Problem
from sipstrobe.events import ClipPlaying
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS, FIRST_NUMBER, LAST_NUMBER
from sipstrobe.lightsiren.settings import Profile
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.rules.actions import PageAction, PlayClip, PlayClipWhile, StopClip
from sipstrobe.rules.actions.calls import Calling
from sipstrobe.rules.actions.lights import SirenAction
from sipstrobe.rules.settings import Condition, Rule

_TOPIC = ClipPlaying.outside.topic


class Mention(NamedTuple):
    """A place in the settings that names a clip."""

    path: str
    who: str  # such as "profile 'Alarm'"
    clip: str


def mentions(profiles: tuple[Profile, ...], rules: tuple[Rule, ...]) -> Iterator[Mention]:
    """Where clips are named, by profiles first."""
    for i, profile in enumerate(profiles):
        siren = profile.siren
        if siren is not None and siren.pattern.startswith(CLIP_PATTERN):
            name = siren.pattern.removeprefix(CLIP_PATTERN)
            yield Mention(f"/profiles/{i}/siren/pattern", f"profile {profile.name!r}", name)
    for i, rule in enumerate(rules):
        for path, name in _of_rule(rule):
            yield Mention(f"/rules/{i}{path}", f"rule {rule.name!r}", name)


def patterns(clips: tuple[Clip, ...]) -> list[str]:
    """What sirens can be told to sound, those that people have added last."""
    names = [*FACTORY_CLIPS, *(clip.name for clip in clips)]
    return [*SOUNDS, *(CLIP_PATTERN + name for name in names)]


def section_problems(clips: tuple[Clip, ...]) -> list[Problem]:
    """What single clips cannot say about themselves; paths are relative to the clips."""
    found = clip.problems(clips)
    for i, one in enumerate(clips):
        if one.name in FACTORY_CLIPS:
            found.append(Problem(f"/{i}/name", f"{one.name!r} is a clip of every device"))
        if FIRST_NUMBER <= one.number <= LAST_NUMBER:
            words = f"{FIRST_NUMBER} to {LAST_NUMBER} are those of the clips of every device"
            found.append(Problem(f"/{i}/number", words))
    return found


def problems(
    clips: tuple[Clip, ...], profiles: tuple[Profile, ...], rules: tuple[Rule, ...]
) -> Iterator[Problem]:
    """Clips that are needed and not there."""
    known = {clip.name for clip in clips} | FACTORY_CLIPS.keys()
    for path, who, name in mentions(profiles, rules):
        if name not in known:
            yield Problem(path, f"there is no clip {name!r}, which {who} needs")


def renamed(
    profiles: tuple[Profile, ...], rules: tuple[Rule, ...], old: str, new: str
) -> tuple[tuple[Profile, ...], tuple[Rule, ...]]:
    """The same, with everything that names a clip following it to its new name."""
    name = _renaming(old, new)
    return tuple(_profile(p, old, new) for p in profiles), tuple(_rule(r, name) for r in rules)


def _of_rule(rule: Rule) -> Iterator[tuple[str, str]]:
    match rule.action:
        case PlayClip(clip=str(name)) | PlayClipWhile(clip=str(name)) | StopClip(clip=str(name)):
            yield "/action/clip", name
        case Calling(clip=str(name)) | PageAction(clip=name):
            yield "/action/clip", name
        case SirenAction(pattern=pattern) if pattern.startswith(CLIP_PATTERN):
            yield "/action/pattern", pattern.removeprefix(CLIP_PATTERN)
        case _:
            pass
    if rule.when is not None and (name := _clip_of(rule.when)):
        yield "/when/match/clip", name
    for i, condition in enumerate(rule.conditions):
        if condition.event == _TOPIC and (name := _clip_of(condition)):
            yield f"/conditions/{i}/match/clip", name


def _clip_of(condition: Condition) -> str:
    """The clip that a condition is about; empty: none in particular."""
    name = condition.match.get("clip", "") if condition.event == _TOPIC else ""
    return "" if "*" in name else name


def _renaming(old: str, new: str) -> Callable[[str], str]:
    return lambda name: new if name == old else name


def _profile(profile: Profile, old: str, new: str) -> Profile:
    if profile.siren is None or profile.siren.pattern != CLIP_PATTERN + old:
        return profile
    return replace(profile, siren=replace(profile.siren, pattern=CLIP_PATTERN + new))


def _rule(rule: Rule, name: Callable[[str], str]) -> Rule:
    action = rule.action
    match action:
        case PlayClip(clip=str(clip)) | PlayClipWhile(clip=str(clip)) | StopClip(clip=str(clip)):
            action = replace(action, clip=name(clip))
        case Calling(clip=str(clip)) | PageAction(clip=clip):
            action = replace(action, clip=name(clip))
        case SirenAction(pattern=pattern) if pattern.startswith(CLIP_PATTERN):
            clip = name(pattern.removeprefix(CLIP_PATTERN))
            action = replace(action, pattern=CLIP_PATTERN + clip)
        case _:
            pass
    conditions = tuple(_condition(condition, name) for condition in rule.conditions)
    when = rule.when and _condition(rule.when, name)
    changed = replace(rule, action=action, conditions=conditions, when=when)
    return rule if changed == rule else changed  # what stays the same is not checked again


def _condition(condition: Condition, name: Callable[[str], str]) -> Condition:
    if condition.event != _TOPIC or "clip" not in condition.match:
        return condition
    clip = name(condition.match["clip"])
    return replace(condition, match=condition.match | {"clip": clip})
