"""Explanations are tried by making just the facts that they name otherwise.

More of it: ``python -m tests.rules.flips --sets 10000``.
"""

from tests.rules.flips import tried


def test_what_an_explanation_names_is_what_it_takes() -> None:
    """A rule that is not active begins by it; one that is active ends without any of it."""
    counts = tried(range(25))

    assert counts.begun > 20
    assert counts.ended > 20
    assert counts.crossed < counts.asked / 2
