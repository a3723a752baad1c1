"""Texts in the settings are what their patterns say, to the last character."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import inspect

from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError


def patterns(kind: Any, seen: set[Any]) -> Iterator[str]:
    """Of all texts inside."""
    match kind:
        case inspect.StrType(pattern=str(pattern)):
            yield pattern
        case inspect.StructType(cls=cls, fields=fields) if cls not in seen:
            seen.add(cls)
            for field in fields:
                yield from patterns(field.type, seen)
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            for inner in types:
                yield from patterns(inner, seen)
        case inspect.Metadata(type=inner) | inspect.VarTupleType(item_type=inner):
            yield from patterns(inner, seen)
        case inspect.DictType(key_type=key, value_type=value):
            yield from patterns(key, seen)
            yield from patterns(value, seen)
        case _:
            pass


def test_no_pattern_lets_a_newline_pass_at_the_end() -> None:
    """In Python, $ stands before one as well; in a SIP header it would begin a new line."""
    found = set(patterns(inspect.type_info(Settings), set()))
    assert len(found) > 15

    classes = re.compile(r"\[\^?.[^\]]*\]")  # in which $ is a character like others
    open_ended = [p for p in found if re.search(r"\$(?!\(\?!\\n\)|,)", classes.sub("", p))]

    assert [p for p in open_ended if "[^\\x00]" not in p] == []  # names of files may have any


def test_a_newline_at_the_end_of_a_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="/device/name: must be"):
        Store.memory().change_now({"device": {"name": "strobe\n"}})


@pytest.mark.parametrize("host", ["stun.example.org x", "stun.example.org\r\nVia: x", "[::1]]"])
def test_nothing_stands_after_the_name_of_a_host(host: str) -> None:
    for good in ("", "stun.example.org", "[2001:db8::1]:3478"):
        Store.memory().change_now({"sip": {"nat": {"stun_server": good}}})

    with pytest.raises(ConfigError, match="/sip/nat/stun_server: must be"):
        Store.memory().change_now({"sip": {"nat": {"stun_server": host}}})
