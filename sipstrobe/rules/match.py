"""Which of many wanted values an event has, found without trying them all.

A wanted value is compared as text. Addresses (items whose name ends in ``_uri``) match by parts:

====================  ==========================================================
wanted                matches
====================  ==========================================================
sip:1001@192.0.2.1    this user at this host, whatever port and parameters
sip:1001@192.0.2.1:7  … at this port only
1001                  this user at any host
sip:10*@*             ``*`` stands for any text, in any of these forms
sip:1001@host;x=y     with parameters: exactly this text
====================  ==========================================================

The scheme and the host are compared without regard to case (RFC 3261 §19.1.4).
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Form(Enum):
    """The part of a value that is compared."""

    TEXT = 0
    USER = 1
    HOST = 2  # scheme, user and host
    PORT = 3  # scheme, user, host and port


Part = tuple[str, Form]
"""An item by name, and the part of it that counts."""


def is_address(name: str) -> bool:
    """Is an item of this name an address?"""
    return name.endswith("_uri")


def forms(address: str) -> tuple[str, str, str, str]:
    """The forms of an address, in the order of Form. Any text has all of them."""
    scheme, colon, rest = address.partition(":")
    if not colon:
        return (address, address, address, address)
    user, at, place = rest.rpartition("@")
    place = place.partition(";")[0].partition("?")[0].lower()
    scheme = scheme.lower()
    if not at:  # tel:+49… names nobody's host
        whole = f"{scheme}:{place}"
        return (address, place, whole, whole)
    host, colon, port = place.rpartition(":")
    if not colon or "]" in port:  # the colons of an IPv6 address stand in brackets
        host = place
    return (address, user, f"{scheme}:{user}@{host}", f"{scheme}:{user}@{place}")


def wanted_part(name: str, value: str) -> tuple[Part, str]:
    """How a wanted value is compared: the part of the item, and what it must be."""
    if not is_address(name):
        return (name, Form.TEXT), value
    if ":" not in value and "@" not in value:
        return (name, Form.USER), value
    if ";" in value or "?" in value:
        return (name, Form.TEXT), value
    _, _, host, port = forms(value)
    return ((name, Form.HOST), host) if host == port else ((name, Form.PORT), port)


class Finder(Generic[T]):
    """Entries by what they want; `find` gives those that the items of an event satisfy.

    Entries that want the same parts share a table, so that an event costs one look for each
    combination of parts in use, however many entries there are; those with ``*`` are tried singly.
    """

    def __init__(self) -> None:
        self._tables: dict[tuple[Part, ...], dict[tuple[str | None, ...], list[T]]] = {}
        self._patterns: list[tuple[dict[str, tuple[str, ...]], Finder[T], T]] = []

    def add(self, match: Mapping[str, str], entry: T) -> None:
        """Each entry is added once."""
        stars, plain = _apart(match)
        if stars:
            rest: Finder[T] = Finder()
            rest.add(plain, entry)
            self._patterns.append((stars, rest, entry))
            return
        parts, values = _wanted(plain)
        self._tables.setdefault(parts, {}).setdefault(values, []).append(entry)

    def remove(self, match: Mapping[str, str], entry: T) -> None:
        """Forget an entry, which was added with this match."""
        stars, plain = _apart(match)
        if stars:
            self._patterns = [kept for kept in self._patterns if kept[2] is not entry]
            return
        parts, values = _wanted(plain)
        table = self._tables[parts]
        table[values].remove(entry)
        if not table[values]:
            del table[values]
        if not table:
            del self._tables[parts]

    def find(self, items: Mapping[str, str]) -> Iterator[T]:
        """The entries that want nothing which these items do not have."""
        for parts, table in self._tables.items():
            key = tuple([_part_of(items, name, form) for name, form in parts])
            yield from table.get(key, ())
        for stars, rest, _ in self._patterns:
            if all(_like(pattern, items.get(name, "")) for name, pattern in stars.items()):
                yield from rest.find(items)


def _apart(match: Mapping[str, str]) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """The wanted values with stars, as patterns, and those without."""
    stars = {n: v for n, v in match.items() if is_address(n) and "*" in v}
    plain = {n: v for n, v in match.items() if n not in stars}
    return {n: _pattern(v) for n, v in stars.items()}, plain


def _wanted(match: Mapping[str, str]) -> tuple[tuple[Part, ...], tuple[str | None, ...]]:
    """The parts that are compared, by name, and the value that each must have."""
    wanted = sorted((wanted_part(n, v) for n, v in match.items()), key=_by_name)
    return tuple(part for part, _ in wanted), tuple(value for _, value in wanted)


def _by_name(wanted: tuple[Part, str]) -> str:
    return wanted[0][0]


def _part_of(items: Mapping[str, str], name: str, form: Form) -> str | None:
    value = items.get(name)
    if value is None or form is Form.TEXT:
        return value
    return forms(value)[form.value]


def _pattern(value: str) -> tuple[str, ...]:
    """The pieces between the stars."""
    return tuple(value.lower().split("*"))


def _like(pieces: tuple[str, ...], address: str) -> bool:
    return any(follow(pieces, form.lower()) for form in forms(address))


def follow(pieces: tuple[str, ...], text: str) -> bool:
    """Does the text consist of these pieces and anything between them? Linear in its length."""
    first, *middle, last = pieces
    if not text.startswith(first):
        return False
    at = len(first)
    for piece in middle:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(text) - at >= len(last) and text.endswith(last)
