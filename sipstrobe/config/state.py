"""One state of the settings, and the way from one to the next.

What an edit has not touched is the same object in the tree as before: such a section is neither
decoded nor checked nor encoded again, so that a change costs as much as the sections it is about.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from sipstrobe.config import check
from sipstrobe.config.patch import pointer
from sipstrobe.config.settings import SECTION_CHECKS, Settings, problems
from sipstrobe.errors import ConfigError, Problem

SECTIONS = tuple(field.name for field in msgspec.structs.fields(Settings))


@dataclass(frozen=True, slots=True)
class Stored:
    """One state in all its forms."""

    settings: Settings
    tree: dict[str, Any]  # as in the file: with references in place of secrets
    hidden: dict[str, dict[str, str]]  # of each section, the value of each reference
    revision: int

    @property
    def secrets(self) -> dict[str, str]:
        """The value of each reference."""
        return {name: value for some in self.hidden.values() for name, value in some.items()}


def build(
    tree: Any, secrets: Mapping[str, str], draw_id: Callable[[], str], *, revision: int
) -> Stored:
    """A state from a JSON tree. Raises ConfigError with every problem that can be told."""
    settings = _decode(tree, secrets)
    _check(settings, SECTIONS)
    sections = {name: check.encode(getattr(settings, name), draw_id) for name in SECTIONS}
    return Stored(
        settings,
        {name: section for name, (section, _) in sections.items()},
        {name: hidden for name, (_, hidden) in sections.items()},
        revision,
    )


def follow(before: Stored, tree: Any, draw_id: Callable[[], str]) -> Stored:
    """The state that an edited tree leads to; the same as before, if nothing differs.

    Raises ConfigError with every problem that can be told.
    """
    if not isinstance(tree, dict):
        return build(tree, {}, draw_id, revision=0)
    edited = cast("dict[str, Any]", tree)
    same = {n for n in SECTIONS if n in edited and edited[n] is before.tree[n]}
    rest = {name: section for name, section in edited.items() if name not in same}
    decoded = _decode(rest, before.secrets)
    differing = [
        n for n in SECTIONS if n not in same and getattr(decoded, n) != getattr(before.settings, n)
    ]
    if not differing:
        return before
    changed = {name: getattr(decoded, name) for name in differing}
    settings = msgspec.structs.replace(before.settings, **changed)
    _check(settings, differing)
    sections = {name: check.encode(section, draw_id) for name, section in changed.items()}
    return Stored(
        settings,
        {**before.tree, **{name: section for name, (section, _) in sections.items()}},
        {**before.hidden, **{name: hidden for name, (_, hidden) in sections.items()}},
        before.revision + 1,
    )


def _decode(tree: Any, secrets: Mapping[str, str]) -> Settings:
    """Typed settings, or the problems of form, and those of the sections that have no such."""
    try:
        return check.decode(Settings, tree, secrets)
    except ConfigError as error:
        found = list(error.problems)
    for name in SECTION_CHECKS:
        if isinstance(tree, dict) and name in tree:
            try:
                alone = check.decode(Settings, {name: tree[name]}, secrets)
            except ConfigError:
                continue
            found += _section_problems(alone, name)
    raise ConfigError(found)


def _check(settings: Settings, sections: Iterable[str]) -> None:
    """Raise ConfigError if these sections, or what others have to do with them, cannot be."""
    found = [problem for name in sections for problem in _section_problems(settings, name)]
    if found := found or list(problems(settings)):
        raise ConfigError(found)


def _section_problems(settings: Settings, name: str) -> list[Problem]:
    section_check = SECTION_CHECKS.get(name)
    if section_check is None:
        return []
    relative = section_check(getattr(settings, name))
    return [Problem(pointer(name) + problem.path, problem.message) for problem in relative]
