"""Who needs which profile, another name for one, and what comes of a file of them."""

from dataclasses import dataclass

import pytest

from sipstrobe.config.profiles import Mode, import_problems, imported, mentions, renaming, users_of
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.lightsiren.settings import MAX_PROFILES, Profile

SETTINGS = {
    "profiles": [{"name": "Fire"}, {"name": "Door"}],
    "rules": [
        {
            "name": "Alarm",
            "when": {"event": "input/manual_trigger", "match": {"trigger": "1"}},
            "action": {"do": "start_profile", "profile": "Fire"},
        },
        {
            "name": "After it",
            "conditions": [{"event": "signal/operation", "match": {"profile": "Fire"}}],
            "action": {"do": "run_profile", "profile": "Door"},
        },
    ],
    "extensions": [{"number": "1001", "role": "ring", "profile": "Fire"}],
    "multicast": {
        "sources": [
            {
                "kind": "multicast",
                "label": "Hall",
                "address": "239.1.2.3",
                "port": 5004,
                "profile": "Fire",
            },
            {"kind": "internal", "sound": "sip"},
            {"kind": "internal", "sound": "stream"},
            {"kind": "internal", "sound": "clip"},
        ]
    },
}


def settings() -> Settings:
    store = Store.memory()
    store.change_now(SETTINGS)
    return store.current


def test_everything_that_names_a_profile_is_known() -> None:
    now = settings()

    assert users_of(now, "Fire") == [
        "rule 'Alarm'",
        "rule 'After it'",
        "extension '1001'",
        "page source 'Hall'",
    ]
    assert users_of(now, "Door") == ["rule 'After it'"]
    assert [m.path for m in mentions(now) if m.profile == "Fire"] == [
        "/rules/0/action/profile",
        "/rules/1/conditions/0/match/profile",
        "/extensions/0/profile",
        "/multicast/sources/0/profile",
    ]


def test_a_new_name_is_followed_everywhere_and_nothing_else_is_touched() -> None:
    """What the patch makes is valid as a whole: nothing names the old one any more."""
    store = Store.memory()
    store.change_now(SETTINGS)
    before = store.current
    profiles = [Profile(name="Blaze"), Profile(name="Door")]

    store.change_now({"profiles": profiles, **renaming(before, "Fire", "Blaze")})

    assert users_of(store.current, "Fire") == []
    assert users_of(store.current, "Blaze") == users_of(before, "Fire")
    assert users_of(store.current, "Door") == users_of(before, "Door")
    assert renaming(before, "Nobody", "Else") == {}


@dataclass(frozen=True)
class Case:
    mode: Mode
    names: list[str]
    added: tuple[str, ...]
    replaced: tuple[str, ...]
    removed: tuple[str, ...]


@pytest.mark.parametrize(
    "case",
    [
        Case("add", ["A", "B", "C"], ("C",), (), ()),
        Case("overwrite", ["A", "B", "C"], ("C",), ("B",), ()),
        Case("replace_all", ["B", "C"], ("C",), ("B",), ("A",)),
    ],
    ids=lambda case: case.mode,
)
def test_the_three_modes(case: Case) -> None:
    """PRF-11: add; delete all and add; overwrite the same names."""
    before = [Profile(name="A"), Profile(name="B")]
    new = ["C"] if case.mode == "add" else ["B", "C"]
    file = [Profile(name=name, description="new") for name in new]

    wanted = imported(before, file, case.mode)

    assert not import_problems(before, file, case.mode)
    assert sorted(p.name for p in wanted.profiles) == case.names
    assert {p.name for p in wanted.profiles if p.description} == set(new)
    assert (wanted.added, wanted.replaced, wanted.removed) == (
        case.added,
        case.replaced,
        case.removed,
    )


def test_what_a_file_cannot_bring() -> None:
    """PRF-14: unique names, and no more than 30 of them."""
    before = [Profile(name="A")]
    twice = [Profile(name="A"), Profile(name="B"), Profile(name="B")]
    many = [Profile(name=f"P{n}") for n in range(MAX_PROFILES)]

    assert [p.path for p in import_problems(before, twice, "add")] == ["/0/name", "/2/name"]
    assert [p.path for p in import_problems(before, twice, "overwrite")] == ["/2/name"]
    assert "31 profiles" in import_problems(before, many, "add")[0].message
    assert not import_problems(before, many, "replace_all")
