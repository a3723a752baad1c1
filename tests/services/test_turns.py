"""Whose voice is heard of several calls."""

import pytest

from sipstrobe.priority import Claim
from sipstrobe.services.turns import Policy, heard

CLAIMS = [Claim("first", 5, 0), Claim("second", 5, 1), Claim("third", 5, 2)]
URGENT = Claim("urgent", 9, 1)


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("mix", {"first", "second", "third"}),
        ("busy", {"first", "second", "third"}),  # there is only one, unless it was changed just now
        ("first", {"first"}),
        ("newest", {"third"}),
    ],
)
def test_whose_turn_it_is(policy: Policy, wanted: set[str]) -> None:
    assert heard(CLAIMS, policy) == wanted


@pytest.mark.parametrize("policy", ["first", "newest"])
def test_the_more_urgent_call_comes_first_under_every_policy_with_turns(policy: Policy) -> None:
    assert heard([*CLAIMS, URGENT], policy) == {"urgent"}


@pytest.mark.parametrize("policy", ["mix", "busy", "first", "newest"])
def test_where_nobody_calls_nobody_is_heard(policy: Policy) -> None:
    assert heard([], policy) == set()
