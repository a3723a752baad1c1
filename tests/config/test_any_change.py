"""Whatever somebody sends: it is refused with reasons, or it is stored and read back the same."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.config.demo import demo
from sipstrobe.config.files import Memory
from sipstrobe.config.patch import pointer
from sipstrobe.config.store import Change, Store
from sipstrobe.config.users import Role, make_user
from sipstrobe.errors import ConfigError

ROOT = make_user("root", Role.ADMINISTRATOR, "secret")


def places(tree: Any, path: str = "") -> Iterator[str]:
    """Every place in a tree, and one beside each."""
    yield path
    if isinstance(tree, dict):
        yield path + "/other"
        for name, inner in cast("dict[str, Any]", tree).items():
            yield from places(inner, path + pointer(name))
    elif isinstance(tree, list):
        yield path + "/-"
        for i, inner in enumerate(cast("list[Any]", tree)):
            yield from places(inner, path + pointer(i))


def filled() -> tuple[Memory, Store]:
    files = Memory()
    store = Store.load(files, os.urandom)
    store.change_now(demo())
    store.change_now({"web": {"users": [ROOT]}})
    return files, store


PLACES = list(places(filled()[1].tree))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=70)
    | st.sampled_from(["1001", "Evacuate", "call/state", 5060, 8080, {"secret": "0"}, "", []]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


def outcome(store: Store, place: str, value: Any) -> Change | ConfigError:
    try:
        return store.carry_out(store.prepare_put(place, value))
    except ConfigError as error:
        return error


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=4))
def test_any_value_in_any_place_is_refused_or_kept(changes: list[tuple[str, Any]]) -> None:
    files, store = filled()
    for place, value in changes:
        before = store.current
        result = outcome(store, place, value)

        if isinstance(result, ConfigError):
            assert result.problems
            assert store.current is before
        again = Store.load(files, os.urandom)
        assert again.current == store.current
        assert again.tree == store.tree


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_any_patch_is_refused_or_kept(patch: Any) -> None:
    files, store = filled()
    with contextlib.suppress(ConfigError):
        store.change_now({"web": patch, "sip": patch, "rules": patch})
    assert Store.load(files, os.urandom).current == store.current
