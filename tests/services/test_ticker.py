"""One timer for all streams."""

import itertools

import pytest

from sipstrobe.services.ticker import CATCH_UP, GRID, LINES, SHARING, Ticker
from tests.support.clock import FakeClock


def test_turns_come_once_an_interval_on_a_grid_that_does_not_slip() -> None:
    clock = FakeClock(100.0)
    ticker = Ticker(clock)
    turns: list[float] = []
    ticker.join(0.020, lambda due, now: turns.append(due))

    clock.advance(2.0)

    gaps = [b - a for a, b in itertools.pairwise(turns)]
    assert len(turns) in (99, 100)
    assert gaps == pytest.approx([0.020] * len(gaps))
    assert turns[0] / GRID == pytest.approx(round(turns[0] / GRID))


def test_a_few_members_share_a_wake_up_and_many_are_spread() -> None:
    """A wake-up costs more than a turn, and too many turns at once would hold up all the rest."""
    clock = FakeClock()
    ticker = Ticker(clock)
    firsts: list[float] = []
    for _ in range(LINES * SHARING + 4):
        turns: list[float] = []

        def turn(due: float, now: float, turns: list[float] = turns) -> None:
            turns.append(due)
            if len(turns) == 1:
                firsts.append(round(due / GRID) % LINES)

        ticker.join(LINES * GRID, turn)

    clock.advance(0.1)

    assert [firsts.count(line) for line in range(LINES)] == [SHARING + 1] * LINES


def test_a_place_that_has_become_free_is_given_again() -> None:
    clock = FakeClock()
    ticker = Ticker(clock)
    leaves = [ticker.join(0.020, lambda due, now: None) for _ in range(SHARING)]
    leaves[0]()
    leaves[0]()
    turns: list[float] = []
    ticker.join(0.020, lambda due, now: turns.append(due))
    ticker.join(0.020, lambda due, now: turns.append(due))

    clock.advance(0.0501)

    assert {round(due / GRID) % LINES for due in turns} == {0, 1}


def test_a_member_may_choose_the_line_that_it_follows() -> None:
    clock = FakeClock()
    ticker = Ticker(clock)
    turns: list[float] = []

    ticker.join(0.020, lambda due, now: turns.append(due), after=0.030)
    clock.advance(0.06)

    assert turns == pytest.approx([0.035, 0.055])


def test_turns_missed_in_a_short_hold_up_are_made_good() -> None:
    clock = FakeClock()
    ticker = Ticker(clock)
    turns: list[float] = []

    def turn(due: float, now: float) -> None:
        turns.append(due)
        if len(turns) == 3:
            clock.time += 0.06  # the loop is held up

    ticker.join(0.020, turn)
    clock.advance(0.2)

    gaps = [b - a for a, b in itertools.pairwise(turns)]
    assert gaps == pytest.approx([0.020] * len(gaps))
    assert len(turns) >= 10


def test_turns_missed_in_a_long_hold_up_are_left_out() -> None:
    clock = FakeClock()
    ticker = Ticker(clock)
    turns: list[float] = []

    def turn(due: float, now: float) -> None:
        turns.append(due)
        if len(turns) == 3:
            clock.time += 10.0

    ticker.join(0.020, turn)
    clock.advance(10.5)

    assert len(turns) < 40
    assert max(b - a for a, b in itertools.pairwise(turns)) > 10 - CATCH_UP - 0.05


def test_when_turns_take_long_others_on_the_loop_come_in_between() -> None:
    clock = FakeClock()
    ticker = Ticker(clock)
    told: list[str] = []

    def turn(due: float, now: float) -> None:
        told.append("turn")
        clock.time += 0.003

    for _ in range(SHARING):
        ticker.join(1.0, turn)
    clock.call_at(LINES * GRID + 0.0001, lambda: told.append("other"))
    clock.advance(0.1)

    assert told.index("other") == 2
    assert told.count("turn") == SHARING


def test_who_leaves_has_no_more_turns_and_who_fails_hurts_nobody() -> None:
    clock = FakeClock()
    ticker = Ticker(clock)
    turns = {"a": 0, "b": 0}

    def count(name: str) -> None:
        turns[name] += 1

    def fail(due: float, now: float) -> None:
        raise ValueError("broken stream")

    leave = ticker.join(0.020, lambda due, now: count("a"))
    ticker.join(0.020, fail)
    ticker.join(0.020, lambda due, now: count("b"))
    clock.advance(0.2)
    leave()
    before = dict(turns)
    clock.advance(0.2)

    assert turns["a"] == before["a"] > 5
    assert turns["b"] > before["b"] + 5
