"""A file of profiles: what is exported (PRF-10) and read again (PRF-11, PRF-14).

It is a JSON list of profiles, the form that control programs export and upload. Read is what others
make of that, too: numbers as texts, and members that nobody here knows, which are left out and
told.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, NamedTuple, cast

from msgspec import Struct

from sipstrobe.audio.clip import CLIP_PATTERN
from sipstrobe.config import check
from sipstrobe.config.patch import pointer
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.lightsiren.profile import check_profile
from sipstrobe.lightsiren.settings import (
    MAX_PROFILES,
    Duration,
    LightPart,
    Profile,
    SirenPart,
)
from sipstrobe.web.compat.siren_profiles import profile_json

MAX_BYTES: Final = 256 * 1024
_PARTS: Final = {"light": LightPart, "siren": SirenPart}
_NUMBERS: Final = frozenset({"intensity", "priority", "speed", "value"})
_DIGITS_MAX: Final = 9


class LeftOut(NamedTuple):
    """A member of a profile that nobody here knows."""

    profile: str
    path: str


class ProfileFile(NamedTuple):
    """What is in a file."""

    profiles: list[Profile]
    left_out: list[LeftOut]


def write_profiles(profiles: Iterable[Profile]) -> bytes:
    """The file of these profiles, fit to be read by people."""
    told = [profile_json(profile) for profile in profiles]
    return json.dumps(told, indent=2, ensure_ascii=False).encode() + b"\n"


def read_profiles(data: bytes, sounds: Collection[str]) -> ProfileFile:
    """What is in a file; sounds: all that a siren can be told to sound.

    Raises ConfigError with everything that is wrong; paths are those of the list.
    """
    entries = _entries(data)
    left_out: list[LeftOut] = []
    plain = [_known(entry, i, left_out) for i, entry in enumerate(entries)]
    profiles: list[Profile] = []
    found: list[Problem] = []
    for i, entry in enumerate(plain):
        try:
            profiles.append(read_profile(entry, sounds, f"/{i}"))
        except ConfigError as error:
            found += error.problems
    if found:
        raise ConfigError(found)
    return ProfileFile(profiles, left_out)


def read_profile(tree: Any, sounds: Collection[str], path: str = "") -> Profile:
    """One profile, checked by itself; path: where it stands in what was sent.

    Raises ConfigError with everything that is wrong with it.
    """
    try:
        return _checked(check.decode(Profile, tree, {}), sounds)
    except ConfigError as error:
        raise ConfigError([Problem(path + p.path, p.message) for p in error.problems]) from None


def _checked(profile: Profile, sounds: Collection[str]) -> Profile:
    found = [Problem(f"/{f.field}", f.message) for f in check_profile(profile, sounds)]
    siren = profile.siren
    if siren is not None and siren.pattern.startswith(CLIP_PATTERN) and found:
        clip = siren.pattern.removeprefix(CLIP_PATTERN)
        words = f"there is no clip {clip!r} here: add it first"
        found = [Problem(p.path, words) if p.path == "/siren/pattern" else p for p in found]
    if found:
        raise ConfigError(found)
    return profile


def _entries(data: bytes) -> list[Any]:
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        raise ConfigError([Problem("", "the file is no JSON")]) from None
    if not isinstance(tree, list):
        raise ConfigError([Problem("", "the file must be a JSON list of profiles")])
    entries = cast("list[Any]", tree)
    if not entries:
        raise ConfigError([Problem("", "there is no profile in the file")])
    if len(entries) > MAX_PROFILES:
        words = f"there are {len(entries)} profiles in the file; {MAX_PROFILES} is the most"
        raise ConfigError([Problem("", words)])
    return entries


def _known(entry: Any, place: int, left_out: list[LeftOut]) -> Any:
    """The members of a profile that we know, with numbers that are numbers."""
    if not isinstance(entry, dict):
        return entry
    whole = cast("dict[str, Any]", entry)
    name = str(whole.get("name", ""))
    kept = dict(_members(whole, Profile, name, f"/{place}", left_out))
    for part, kind in _PARTS.items():
        if isinstance(inner := kept.get(part), dict):
            path = f"/{place}/{part}"
            members = cast("dict[str, Any]", inner)
            kept[part] = inner = dict(_members(members, kind, name, path, left_out))
            if isinstance(duration := inner.get("duration"), dict):
                members = cast("dict[str, Any]", duration)
                path += "/duration"
                inner["duration"] = dict(_members(members, Duration, name, path, left_out))
    return kept


def _members(
    tree: dict[str, Any], kind: type[Struct], profile: str, path: str, left_out: list[LeftOut]
) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if name not in kind.__struct_fields__:
            left_out.append(LeftOut(profile, path + pointer(name)))
        elif name in _NUMBERS and isinstance(value, str) and _is_number(value):
            yield name, int(value)
        else:
            yield name, value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
