"""Merge patches (RFC 7396) and pointers (RFC 6901)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.config.patch import MAX_PATHS, between, differences, get, merge, put
from sipstrobe.errors import ConfigError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7396, Appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_the_standard(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


@given(JSON, JSON)
def test_what_is_merged_into_stays_as_it_was(target: Any, patch: Any) -> None:
    before = json.dumps([target, patch])
    merge(target, patch)
    assert json.dumps([target, patch]) == before


def test_a_pointer_names_any_place() -> None:
    """RFC 6901 §5."""
    tree = {"foo": ["bar", "baz"], "a/b": 1, "m~n": 8}

    assert get(tree, "") == get(tree, "/") == tree
    assert get(tree, "/foo/0") == "bar"
    assert get(tree, "/a~1b") == 1
    assert get(tree, "/m~0n") == 8


@pytest.mark.parametrize(
    "path", ["foo", "/no", "/foo/2", "/foo/-1", "/foo/-", "/foo/x", "/foo/\u00b2", "/foo/0/x"]
)
def test_a_pointer_to_nothing_is_refused(path: str) -> None:
    """RFC 6901 §4: an index has digits of ASCII alone; "-" is behind the last entry."""
    tree = {"foo": ["bar", "baz"]}
    with pytest.raises(ConfigError):
        get(tree, path)
    with pytest.raises(ConfigError):
        put(tree, path + "/deeper", 1)


def test_a_value_is_put_in_its_place() -> None:
    tree = {"sip": {"port": 5060, "accounts": [{"name": "a"}, {"name": "b"}]}}

    assert put(tree, "/sip/port", 5070)["sip"]["port"] == 5070
    assert put(tree, "/sip/accounts/1/name", "c")["sip"]["accounts"] == [
        {"name": "a"},
        {"name": "c"},
    ]
    assert put(tree, "/sip/accounts/-", {})["sip"]["accounts"][2] == {}
    assert put(tree, "/web", {})["web"] == {}
    assert tree["sip"]["port"] == 5060


def without_null(tree: Any) -> Any:
    """As settings are: in a merge patch, null removes."""
    match tree:
        case dict():
            return {k: without_null(v) for k, v in tree.items() if v is not None}  # pyright: ignore[reportUnknownVariableType]
        case _:
            return tree


@given(JSON, JSON)
def test_what_lies_between_two_trees_is_the_patch_that_leads_on(before: Any, after: Any) -> None:
    before, after = without_null(before), without_null(after)
    assert merge(before, between(before, after)) == after


def test_what_is_the_same_is_in_no_patch() -> None:
    """So that a change of one field asks for the right to change this field only."""
    before = {"port": 5060, "nat": {"ice": False, "stun": True}, "codecs": ["opus"]}

    assert between(before, before) == {}
    assert between(before, {**before, "port": 5070}) == {"port": 5070}
    assert between(before, {**before, "nat": {"ice": True}}) == {"nat": {"ice": True, "stun": None}}


def test_differences_are_told_by_their_pointers() -> None:
    before = {"sip": {"port": 1, "on": True}, "rules": [{"name": "a"}], "names": ["x"]}
    after = {"sip": {"port": 2, "on": True}, "rules": [{"name": "b"}], "names": ["x", "y"]}

    assert differences(before, after) == ("/sip/port", "/rules/0/name", "/names")
    assert differences(before, before) == ()


def test_many_differences_are_told_by_their_sections() -> None:
    before = {"a": {str(i): 0 for i in range(MAX_PATHS + 1)}, "b": 0, "c": 0}
    after = {"a": {str(i): 1 for i in range(MAX_PATHS + 1)}, "b": 1, "c": 0}

    assert differences(before, after) == ("/a", "/b")


@given(JSON, JSON)
def test_equal_trees_and_only_they_have_no_differences(before: Any, after: Any) -> None:
    assert (differences(before, after) == ()) == (before == after)
