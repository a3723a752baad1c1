"""One state of the settings, and the way from one to the next.

What an edit has not touched is the same object in the tree as before: such a section is neither
decoded nor checked nor encoded again, and of a section that is touched neither are the entries of
lists, so that one account among a thousand can be changed without holding up the loop.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any, cast

import msgspec
from msgspec import Struct

from sipstrobe.config import check
from sipstrobe.config.patch import pointer
from sipstrobe.config.settings import LIST_CHECKS, SECTION_CHECKS, Settings, problems
from sipstrobe.errors import ConfigError, Problem

SECTIONS = tuple(field.name for field in msgspec.structs.fields(Settings))


class Part(Struct, frozen=True):
    """Something typed, its tree, and the value of each reference in it."""

    typed: Any
    tree: Any
    hidden: dict[str, str]


class Section(Part, frozen=True):
    """entries: of its lists, by the identity of what is typed."""

    entries: dict[int, Part]


class Stored(Struct, frozen=True):
    """One state in all its forms."""

    settings: Settings
    tree: dict[str, Any]  # as in the file: with references in place of secrets
    sections: dict[str, Section]
    revision: int

    @property
    def secrets(self) -> dict[str, str]:
        """The value of each reference."""
        return {n: value for s in self.sections.values() for n, value in s.hidden.items()}


def build(
    tree: Any, secrets: Mapping[str, str], draw_id: Callable[[], str], *, revision: int
) -> Stored:
    """A state from a JSON tree. Raises ConfigError with every problem that can be told."""
    settings = _decode(tree, secrets)
    _check(settings, SECTIONS)
    sections = {n: _section(getattr(settings, n), draw_id, {}) for n in SECTIONS}
    return Stored(settings, {n: part.tree for n, part in sections.items()}, sections, revision)


def follow(before: Stored, tree: Any, draw_id: Callable[[], str]) -> Stored:
    """The state that an edited tree leads to; the same as before, if nothing differs.

    Raises ConfigError with every problem that can be told.
    """
    if not isinstance(tree, dict):
        return build(tree, {}, draw_id, revision=0)
    edited = cast("dict[str, Any]", tree)
    same = {n for n in SECTIONS if n in edited and edited[n] is before.tree[n]}
    rest = {
        name: _shared(section, before.sections[name]) if name in before.sections else section
        for name, section in edited.items()
        if name not in same
    }
    decoded = _decode(rest, before.secrets)
    differing = [
        n for n in SECTIONS if n not in same and getattr(decoded, n) != getattr(before.settings, n)
    ]
    if not differing:
        return before
    changed = {name: getattr(decoded, name) for name in differing}
    settings = msgspec.structs.replace(before.settings, **changed)
    sound = {id(e.typed) for n in differing for e in before.sections[n].entries.values()}
    _check(settings, differing, sound)
    sections = {
        name: _section(section, draw_id, before.sections[name].entries)
        for name, section in changed.items()
    }
    return Stored(
        settings,
        {**before.tree, **{name: part.tree for name, part in sections.items()}},
        {**before.sections, **sections},
        before.revision + 1,
    )


def _shared(tree: Any, before: Section) -> Any:
    """The tree of a section, in which entries of lists that were there before are typed already."""
    known = {id(part.tree): part.typed for part in before.entries.values()}

    def entries(edited: Any) -> Any:
        if not isinstance(edited, list):
            return edited
        return [known.get(id(entry), entry) for entry in cast("list[Any]", edited)]

    if isinstance(tree, dict):
        fields = cast("dict[str, Any]", tree)
        return {name: entries(value) for name, value in fields.items()}
    return entries(tree)


def _section(typed: Any, draw_id: Callable[[], str], known: Mapping[int, Part]) -> Section:
    """Encode a section; known: entries that have been encoded before."""
    if _is_list(typed):
        parts = _parts(typed, draw_id, known)
        hidden = {name: value for part in parts for name, value in part.hidden.items()}
        return Section(typed, [p.tree for p in parts], hidden, {id(p.typed): p for p in parts})
    lists: dict[str, Any] = {}
    if isinstance(typed, msgspec.Struct):
        lists = {n: v for n in typed.__struct_fields__ if _is_list(v := getattr(typed, n))}
        without = msgspec.structs.replace(typed, **dict.fromkeys(lists, ()))
        tree, hidden = check.encode(without, draw_id)
    else:
        tree, hidden = check.encode(typed, draw_id)
    entries: dict[int, Part] = {}
    for name, values in lists.items():
        parts = _parts(values, draw_id, known)
        for part in parts:
            hidden |= part.hidden
            entries[id(part.typed)] = part
        tree[name] = [part.tree for part in parts]
    return Section(typed, tree, hidden, entries)


def _parts(values: Any, draw_id: Callable[[], str], known: Mapping[int, Part]) -> list[Part]:
    return [known.get(id(value)) or Part(value, *check.encode(value, draw_id)) for value in values]


def _is_list(value: Any) -> bool:
    """Whether these are entries that can be changed one by one."""
    if not isinstance(value, tuple):
        return False
    entries = cast("tuple[Any, ...]", value)
    return bool(entries) and isinstance(entries[0], msgspec.Struct)


def _decode(tree: Any, secrets: Mapping[str, str]) -> Settings:
    """Typed settings, or the problems of form, and those of the sections that have no such."""
    try:
        return check.decode(Settings, tree, secrets)
    except ConfigError as error:
        found = list(error.problems)
    for name in (*SECTION_CHECKS, *LIST_CHECKS):
        if isinstance(tree, dict) and name in tree:
            try:
                alone = check.decode(Settings, {name: tree[name]}, secrets)
            except ConfigError:
                continue
            found += _section_problems(alone, name)
    raise ConfigError(found)


def _check(
    settings: Settings, sections: Iterable[str], sound: Container[int] = frozenset()
) -> None:
    """Raise ConfigError if these sections, or what others have to do with them, cannot be.

    sound: the ids of entries that have passed before.
    """
    found = [problem for name in sections for problem in _section_problems(settings, name, sound)]
    if found := found or list(problems(settings)):
        raise ConfigError(found)


def _section_problems(
    settings: Settings, name: str, sound: Container[int] = frozenset()
) -> list[Problem]:
    section = getattr(settings, name)
    relative: list[Problem] = []
    if name in LIST_CHECKS:
        relative = LIST_CHECKS[name](section, sound)
    elif name in SECTION_CHECKS:
        relative = SECTION_CHECKS[name](section)
    return [Problem(pointer(name) + problem.path, problem.message) for problem in relative]
