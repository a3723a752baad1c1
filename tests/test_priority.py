"""One rule decides for all outputs."""

from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.priority import Claim, arbitrate


def test_the_higher_rank_wins_and_among_equals_the_one_that_was_there_first() -> None:
    page, siren, late = Claim("page", 5, 2), Claim("siren", 9, 3), Claim("late", 5, 4)

    assert [c.owner for c in arbitrate([late, page, siren])] == ["siren", "page", "late"]


@given(st.permutations([Claim(str(n), n % 4, n) for n in range(8)]))
def test_the_order_of_asking_does_not_matter(claims: list[Claim[str]]) -> None:
    assert arbitrate(claims) == arbitrate(sorted(claims, key=lambda c: c.order))
