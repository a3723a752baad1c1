"""Numbers that may each be used once."""

from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.replay import Window


def test_numbers_may_overtake_one_another_and_none_is_good_twice() -> None:
    window = Window(8)

    assert [window.take(n) for n in (1, 3, 2, 3, 1, 10, 4)] == [
        *(True, True, True, False, False, True, True)
    ]


def test_what_is_too_far_back_is_not_known_any_more() -> None:
    window = Window(8)
    window.take(100)

    assert not window.take(92)
    assert window.take(93)


def test_zero_is_no_count() -> None:
    """RFC 7616 §3.4: the first request has 1."""
    assert not Window(8).take(0)


@given(st.lists(st.integers(0, 40)))
def test_no_number_is_taken_twice(numbers: list[int]) -> None:
    window = Window(8)

    taken = [n for n in numbers if window.take(n)]

    assert len(taken) == len(set(taken))
