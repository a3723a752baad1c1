"""A PIN, digit by digit."""

import pytest

from sipstrobe.dtmf.pin import MAX_ATTEMPTS, PinEntry, Verdict
from sipstrobe.secret import Secret


def entered(digits: str, pin: str = "4711") -> list[Verdict]:
    entry = PinEntry(Secret(pin))
    return [verdict for verdict in map(entry.press, digits) if verdict]


@pytest.mark.parametrize("digits", ["4711", "4711#", "47*4711", "#4711"])
def test_the_right_digits_open(digits: str) -> None:
    assert entered(digits) == [Verdict.RIGHT]


@pytest.mark.parametrize("digits", ["4712", "471#", "1#", "471A"])
def test_wrong_or_too_few_digits_are_one_attempt(digits: str) -> None:
    assert entered(digits) == [Verdict.WRONG]


def test_who_mistypes_may_try_again() -> None:
    assert entered("471247134711") == [Verdict.WRONG, Verdict.WRONG, Verdict.RIGHT]


def test_after_three_attempts_the_right_digits_do_not_open_any_more() -> None:
    assert MAX_ATTEMPTS == 3
    verdicts = entered("1#2#3#" + "4711")

    assert verdicts[:3] == [Verdict.WRONG, Verdict.WRONG, Verdict.LOCKED]
    assert Verdict.RIGHT not in verdicts


def test_the_pin_is_not_found_somewhere_in_a_long_row_of_digits() -> None:
    """Else each digit would be an attempt of its own."""
    assert Verdict.RIGHT not in entered("99" + "4711")
