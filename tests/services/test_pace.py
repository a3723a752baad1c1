"""Many things at once are spread out."""

from sipstrobe.services.pace import BURST, RATE, Pace
from tests.support.clock import FakeClock


def test_a_few_are_done_at_once_and_the_others_in_turn() -> None:
    clock = FakeClock()
    pace, done = Pace(clock), list[tuple[float, int]]()

    for n in range(1000):
        pace(lambda n=n: done.append((clock.now(), n)))
    assert len(done) == BURST
    clock.advance(60.0)

    assert [n for _, n in done] == list(range(1000))
    assert done[-1][0] <= 1000 / RATE + 0.1
    for at in range(10):
        assert sum(at <= then < at + 1 for then, _ in done) <= RATE + BURST
    assert clock.waiting == 0


def test_who_waits_long_may_burst_again() -> None:
    clock = FakeClock()
    pace, done = Pace(clock), list[float]()
    for _ in range(BURST):
        pace(lambda: done.append(clock.now()))
    clock.advance(10.0)

    for _ in range(BURST + 1):
        pace(lambda: done.append(clock.now()))

    assert done.count(10.0) == BURST


def test_what_is_done_may_ask_for_more() -> None:
    clock = FakeClock()
    pace, done = Pace(clock), list[float]()

    def again() -> None:
        done.append(clock.now())
        if len(done) < 100:
            pace(again)

    pace(again)
    clock.advance(10.0)

    assert len(done) == 100


def test_nothing_is_done_after_the_end() -> None:
    clock = FakeClock()
    pace, done = Pace(clock), list[int]()
    for n in range(100):
        pace(lambda n=n: done.append(n))

    pace.close()
    clock.advance(10.0)

    assert len(done) == BURST
    assert clock.waiting == 0
