"""Extended sequence numbers: RFC 3550 appendix A.1."""

from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.rtp.sequence import MAX_DROPOUT, MAX_MISORDER, Sequence


def test_numbers_go_on_across_the_wrap() -> None:
    sequence = Sequence(0xFFFE)

    extended = [sequence.extend(n) for n in (0xFFFE, 0xFFFF, 0, 1)]

    assert extended == [0x1FFFE, 0x1FFFF, 0x20000, 0x20001]
    assert sequence.expected == 4
    assert sequence.reported == 0x10001


def test_a_late_packet_from_before_the_wrap_has_its_place() -> None:
    sequence = Sequence(0xFFFE)
    sequence.extend(1)

    assert sequence.extend(0xFFFF) == 0x1FFFF
    assert sequence.highest == 0x20001


def test_one_packet_from_far_away_is_not_believed_two_in_sequence_are() -> None:
    sequence = Sequence(100)

    assert sequence.extend(40000) is None
    assert sequence.extend(101) == 65536 + 101
    assert sequence.extend(50000) is None
    restarted = sequence.extend(50001)

    assert restarted is not None
    assert restarted > 65536 + 101
    assert sequence.restarts == 1
    assert sequence.expected == 1


@given(st.integers(0, 0xFFFF), st.lists(st.integers(-MAX_MISORDER + 1, MAX_DROPOUT - 1)))
def test_steps_within_the_limits_are_followed_exactly(first: int, steps: list[int]) -> None:
    sequence = Sequence(first)
    true, highest = 65536 + first, 65536 + first
    for step in steps:
        true = highest + step
        if true >= 65536 or step >= 0:
            assert sequence.extend(true & 0xFFFF) == true
            highest = max(highest, true)


@given(st.lists(st.integers(0, 0xFFFF), max_size=200))
def test_any_numbers_keep_it_going_forward(numbers: list[int]) -> None:
    sequence = Sequence(7)
    for number in numbers:
        before = sequence.highest
        extended = sequence.extend(number)
        assert sequence.highest >= before
        assert extended is None or extended & 0xFFFF == number
