"""Changing a JSON tree by merge patch (RFC 7396) and by pointer (RFC 6901).

Trees are never changed in place: what differs is made anew, the rest is shared.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from sipstrobe.errors import ConfigError, Problem

_MISSING = object()  # differs from everything, null too
MAX_PATHS = 64  # a change that touches more is told by its sections


def merge(target: Any, patch: Any) -> Any:
    """Apply a merge patch: objects merge, null removes, all else (arrays too) replaces."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(cast("dict[str, Any]", target)) if isinstance(target, dict) else {}
    for key, value in cast("dict[str, Any]", patch).items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def pointer(*steps: str | int) -> str:
    """The JSON pointer of these steps: "/sip/accounts/2"."""
    return "".join("/" + str(s).replace("~", "~0").replace("/", "~1") for s in steps)


def steps_of(path: str) -> list[str]:
    """The steps of a JSON pointer; "" and "/" are the whole tree."""
    if path in ("", "/"):
        return []
    if not path.startswith("/"):
        raise ConfigError([Problem(path, 'must begin with "/", like /sip/port')])
    return [s.replace("~1", "/").replace("~0", "~") for s in path[1:].split("/")]


def get(tree: Any, path: str) -> Any:
    """What the pointer points at. Raises ConfigError where there is nothing."""
    here = tree
    for step in steps_of(path):
        match here:
            case dict():
                inner = cast("dict[str, Any]", here)
                if step not in inner:
                    raise ConfigError([Problem(path, f"there is no {step!r} here")])
                here = inner[step]
            case list():
                here = cast("list[Any]", here)[_index(here, step, path)]
            case _:
                raise ConfigError([Problem(path, f"there is nothing below {step!r}")])
    return here


def put(tree: Any, path: str, value: Any) -> Any:
    """The tree with this value in that place; "-" as last step adds to an array."""
    return _put(tree, steps_of(path), value, path)


def _put(tree: Any, steps: list[str], value: Any, path: str) -> Any:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    match tree:
        case dict():
            inner = cast("dict[str, Any]", tree)
            if rest and step not in inner:
                raise ConfigError([Problem(path, f"there is no {step!r} here")])
            return {**inner, step: _put(inner.get(step), rest, value, path)}
        case list():
            items = list(cast("list[Any]", tree))
            if step == "-" and not rest:
                return [*items, value]
            at = _index(items, step, path)
            items[at] = _put(items[at], rest, value, path)
            return items
        case _:
            raise ConfigError([Problem(path, f"there is nothing below {step!r}")])


def _index(items: Any, step: str, path: str) -> int:
    if step.isascii() and step.isdigit() and int(step) < len(items):
        return int(step)
    raise ConfigError([Problem(path, f"there is no entry {step} among {len(items)}")])


def between(before: Any, after: Any) -> Any:
    """The least merge patch that makes the one into the other, where no null is in it."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    old, new = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
    changed = {key: between(old.get(key), new[key]) for key in new if _differ(old, new, key)}
    return changed | {key: None for key in old if key not in new}


def differences(before: Any, after: Any) -> tuple[str, ...]:
    """The pointers at which two trees differ, arrays of another length as a whole."""
    found = tuple(islice(_differences(before, after, ""), MAX_PATHS + 1))
    if len(found) <= MAX_PATHS:
        return found
    sections = before | after
    return tuple(pointer(name) for name in sections if _differ(before, after, name))


def _differ(before: Any, after: Any, name: str) -> bool:
    return before.get(name, _MISSING) != after.get(name, _MISSING)


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    if before == after:
        return
    match before, after:
        case dict(), dict():
            old, new = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
            for key in old | new:
                yield from _differences(
                    old.get(key, _MISSING), new.get(key, _MISSING), path + pointer(key)
                )
        case list(), list() if len(cast("list[Any]", before)) == len(cast("list[Any]", after)):
            pairs = zip(cast("list[Any]", before), cast("list[Any]", after), strict=True)
            for i, (old_entry, new_entry) in enumerate(pairs):
                if old_entry is not new_entry:
                    yield from _differences(old_entry, new_entry, path + pointer(i))
        case _:
            yield path
