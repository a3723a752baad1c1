"""Who needs which profile, one under another name, and those of a file beside those that there are.

Everything here looks at settings and makes new ones of them; nothing is changed.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from sipstrobe.config.settings import Settings
from sipstrobe.errors import Problem
from sipstrobe.events import OperationChanged
from sipstrobe.lightsiren.settings import MAX_PROFILES, Profile
from sipstrobe.multicast.settings import Paged
from sipstrobe.rules.actions import RunProfile, StartProfile, StopProfile
from sipstrobe.rules.settings import Condition, Rule

Mode = Literal["add", "replace_all", "overwrite"]
"""PRF-11: add new ones; delete all and add; overwrite those of the same names and add others."""

_TOPIC = OperationChanged.outside.topic


class Mention(NamedTuple):
    """A place in the settings that names a profile."""

    path: str
    who: str  # such as "rule 'Fire'"
    profile: str


class Import(NamedTuple):
    """What becomes of the profiles when those of a file come; the last three by name."""

    profiles: tuple[Profile, ...]
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]


def mentions(settings: Settings) -> Iterator[Mention]:
    """Where profiles are named: by rules, extensions and sources of pages."""
    for i, rule in enumerate(settings.rules):
        for path, name in _of_rule(rule):
            yield Mention(f"/rules/{i}{path}", f"rule {rule.name!r}", name)
    for i, extension in enumerate(settings.extensions):
        if extension.profile:
            who = f"extension {extension.number!r}"
            yield Mention(f"/extensions/{i}/profile", who, extension.profile)
    for i, source in enumerate(settings.multicast.sources):
        if isinstance(source, Paged) and source.profile:
            who = f"page source {source.label!r}"
            yield Mention(f"/multicast/sources/{i}/profile", who, source.profile)


def users_of(settings: Settings, name: str) -> list[str]:
    """Who needs this profile, each once, as people are told."""
    return list(dict.fromkeys(m.who for m in mentions(settings) if m.profile == name))


def renaming(settings: Settings, old: str, new: str) -> dict[str, Any]:
    """The patch by which all that names a profile follows it to its new name; without the profiles
    themselves."""

    def name(given: str) -> str:
        return new if given == old else given

    patch: dict[str, Any] = {}
    rules = tuple(_rule(rule, name) for rule in settings.rules)
    if rules != settings.rules:
        patch["rules"] = rules
    extensions = tuple(replace(e, profile=name(e.profile)) for e in settings.extensions)
    if extensions != settings.extensions:
        patch["extensions"] = extensions
    sources = tuple(
        replace(s, profile=name(s.profile)) if isinstance(s, Paged) else s
        for s in settings.multicast.sources
    )
    if sources != settings.multicast.sources:
        patch["multicast"] = {"sources": sources}
    return patch


def imported(before: Sequence[Profile], file: Sequence[Profile], mode: Mode) -> Import:
    """What a mode makes of the profiles that there are and those of a file, which come last."""
    new = {profile.name: profile for profile in file}
    known = [profile.name for profile in before]
    if mode == "replace_all":
        kept: tuple[Profile, ...] = ()
        removed = tuple(name for name in known if name not in new)
    else:
        kept, removed = tuple(profile for profile in before if profile.name not in new), ()
    return Import(
        profiles=(*kept, *file),
        added=tuple(name for name in new if name not in known),
        replaced=tuple(name for name in known if name in new),
        removed=removed,
    )


def import_problems(
    before: Sequence[Profile], file: Sequence[Profile], mode: Mode
) -> list[Problem]:
    """What keeps the profiles of a file from coming in this mode; paths are those of the file."""
    found: list[Problem] = []
    known = {profile.name for profile in before}
    seen: set[str] = set()
    for i, profile in enumerate(file):
        if profile.name in seen:
            words = f"{profile.name!r} is the name of two profiles of the file"
            found.append(Problem(f"/{i}/name", words))
        elif profile.name in known and mode == "add":
            words = f"there is a profile {profile.name!r} already; the mode overwrite replaces it"
            found.append(Problem(f"/{i}/name", words))
        seen.add(profile.name)
    count = len(seen if mode == "replace_all" else seen | known)
    if count > MAX_PROFILES:
        found.append(Problem("", f"there would be {count} profiles; {MAX_PROFILES} is the most"))
    return found


def _of_rule(rule: Rule) -> Iterator[tuple[str, str]]:
    match rule.action:
        case RunProfile(profile=name) | StartProfile(profile=name) | StopProfile(profile=name):
            yield "/action/profile", name
        case _:
            pass
    if rule.when is not None and (name := _profile_of(rule.when)):
        yield "/when/match/profile", name
    for i, condition in enumerate(rule.conditions):
        if name := _profile_of(condition):
            yield f"/conditions/{i}/match/profile", name


def _profile_of(condition: Condition) -> str:
    """The profile that a condition is about; empty: none in particular."""
    name = condition.match.get("profile", "") if condition.event == _TOPIC else ""
    return "" if "*" in name else name


def _rule(rule: Rule, name: Callable[[str], str]) -> Rule:
    action = rule.action
    match action:
        case RunProfile() | StartProfile() | StopProfile():
            action = replace(action, profile=name(action.profile))
        case _:
            pass
    conditions = tuple(_condition(condition, name) for condition in rule.conditions)
    when = rule.when and _condition(rule.when, name)
    changed = replace(rule, action=action, conditions=conditions, when=when)
    return rule if changed == rule else changed  # what stays the same is not checked again


def _condition(condition: Condition, name: Callable[[str], str]) -> Condition:
    if condition.event != _TOPIC or "profile" not in condition.match:
        return condition
    profile = name(condition.match["profile"])
    return replace(condition, match=condition.match | {"profile": profile})
