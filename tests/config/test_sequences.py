"""Sequences of digits that cannot be: DTM-01, DTM-03, GAP-26."""

from typing import Any

import pytest

from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError

PEERS = [
    {"name": "front", "user_id": "1", "default": True},
    {"name": "back", "user_id": "2"},
    {"name": "pbx", "kind": "registered", "user_id": "3", "domain": "pbx.test"},
]


def told(*sequences: dict[str, Any]) -> list[str]:
    """The problems of these."""
    try:
        Store.memory().prepare({"sip": {"accounts": PEERS}, "dtmf": {"sequences": sequences}})
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_a_sequence_is_of_accounts_that_there_are() -> None:
    assert told({"sequence": "1", "name": "One", "accounts": ["pbx", "nobody"]}) == [
        "/dtmf/sequences/0/accounts/1: there is no account 'nobody'"
    ]


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([], ["pbx"]), (["pbx"], []), (["pbx", "front"], ["pbx"])]
)
def test_an_account_has_a_sequence_once(first: list[str], second: list[str]) -> None:
    """GAP-26: one sequence fires exactly one event."""
    assert told(
        {"sequence": "12", "name": "A", "accounts": first},
        {"sequence": "12", "name": "B", "accounts": second},
    ) == ["/dtmf/sequences/1/sequence: 12 is a sequence of the same account already"]


def test_two_peer_to_peer_accounts_cannot_have_it_differently() -> None:
    assert told(
        {"sequence": "12", "name": "A", "accounts": ["front"]},
        {"sequence": "12", "name": "B", "accounts": ["back"]},
    ) == ["/dtmf/sequences/1/sequence: 12 is a sequence of peer-to-peer accounts already"]


def test_accounts_of_their_own_and_a_long_press_tell_sequences_apart() -> None:
    assert (
        told(
            {"sequence": "12", "name": "A", "accounts": ["front"]},
            {"sequence": "12", "name": "B", "accounts": ["pbx"]},
            {"sequence": "12", "name": "A", "accounts": ["front"], "held": True},
            {"sequence": "13", "name": "A"},
        )
        == []
    )


@pytest.mark.parametrize("digits", ["", "1" * 65, "12x", "1 2"])
def test_a_sequence_has_1_to_64_characters(digits: str) -> None:
    [problem] = told({"sequence": digits, "name": "A"})

    assert problem.startswith("/dtmf/sequences/0/sequence: ")


def test_a_sequence_has_an_id_of_its_own_whether_it_counts_or_not() -> None:
    """Or who changes the one would lose the other."""
    idle = {"id": "b", "sequence": "", "event_id": "A"}
    sequences = [{"sequence": str(n), "name": "A", "id": name} for n, name in enumerate("aab")]

    with pytest.raises(ConfigError) as refused:
        Store.memory().prepare({"dtmf": {"sequences": sequences, "tables": {"idle": [idle]}}})

    assert [problem.path for problem in refused.value.problems] == [
        "/dtmf/sequences/1/id",
        "/dtmf/tables/idle/0/id",
    ]
    assert (
        told(*sequences[1:], {"sequence": "4", "name": "B"}, {"sequence": "5", "name": "B"}) == []
    )
