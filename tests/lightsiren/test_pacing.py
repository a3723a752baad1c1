"""When a picture goes to a lamp: at once, not too often, the newest, and again and again."""

from itertools import pairwise

from sipstrobe.clock import Clock
from sipstrobe.lightsiren.pacing import Pace
from sipstrobe.machine import Driver
from sipstrobe.trace import Trace
from tests.support.clock import FakeClock

RED, GREEN, BLUE = b"red", b"green", b"blue"


class Lamp:
    """Whatever a pace sends, with its instant."""

    def __init__(self, pace: Pace) -> None:
        self.clock = FakeClock()
        clock: Clock = self.clock
        self.pace = pace
        self.seen: list[tuple[float, bytes]] = []
        self.driver = Driver(pace, self._take, clock, Trace())

    def show(self, picture: bytes) -> None:
        self.driver.feed(self.pace.show, picture)

    def until(self, seconds: float) -> list[tuple[float, bytes]]:
        self.clock.advance_to(seconds)
        seen, self.seen = self.seen, []
        return seen

    def _take(self, picture: bytes) -> None:
        self.seen.append((round(self.clock.now(), 6), picture))


def test_a_change_is_sent_at_once_and_the_same_picture_only_once() -> None:
    lamp = Lamp(Pace(10, None))

    lamp.show(RED)
    lamp.show(RED)

    assert lamp.seen == [(0.0, RED)]
    assert lamp.until(100)[1:] == []
    assert lamp.clock.waiting == 0


def test_changes_that_come_too_fast_wait_for_their_frame_and_the_newest_wins() -> None:
    lamp = Lamp(Pace(10, None))
    lamp.show(RED)
    lamp.until(0.02)

    lamp.show(GREEN)
    lamp.until(0.05)
    lamp.show(BLUE)

    assert lamp.until(1.0) == [(0.1, BLUE)]


def test_what_is_as_before_when_its_frame_comes_is_no_change() -> None:
    lamp = Lamp(Pace(10, None))
    lamp.show(RED)
    lamp.until(0.02)

    lamp.show(GREEN)
    lamp.show(RED)

    assert lamp.until(1.0) == []


def test_a_picture_never_lags_by_more_than_a_frame() -> None:
    lamp = Lamp(Pace(40, None))

    shown: list[tuple[float, bytes]] = []
    for i in range(100):
        lamp.clock.advance_to(i * 0.02)  # fades come every 20 ms
        picture = bytes([i])
        shown.append((lamp.clock.now(), picture))
        lamp.show(picture)
    sent = lamp.until(10.0)

    for at, picture in sent:
        made = next(made for made, p in shown if p == picture)
        assert -1e-6 < at - made < 0.025 + 1e-6
    assert sent[-1][1] == bytes([99])
    gaps = [b - a for (a, _), (b, _) in pairwise(sent)]
    assert min(gaps) > 0.0249


def test_a_picture_that_stays_is_repeated_at_the_frame_rate_and_then_as_a_sign_of_life() -> None:
    """E1.31 §6.6.1: three more, then one every 0.8 to 1 s."""
    lamp = Lamp(Pace(10, 0.9, 3))

    lamp.show(RED)

    assert [at for at, _ in lamp.until(2.3)] == [0.0, 0.1, 0.2, 0.3, 1.2, 2.1]


def test_a_change_ends_the_repetitions_of_what_was_before() -> None:
    lamp = Lamp(Pace(10, 0.9, 3))
    lamp.show(RED)
    lamp.until(0.12)

    lamp.show(GREEN)

    assert lamp.until(1.0) == [(at, GREEN) for at in (0.12, 0.22, 0.32, 0.42)]


def test_a_change_does_not_wait_for_the_sign_of_life_before_it() -> None:
    lamp = Lamp(Pace(10, 0.9))
    lamp.show(RED)
    lamp.until(0.91)

    lamp.show(GREEN)

    assert lamp.seen == [(0.91, GREEN)]


def test_a_lamp_that_may_have_missed_it_is_told_again_at_once() -> None:
    lamp = Lamp(Pace(10, None))
    lamp.driver.feed(lamp.pace.again)
    lamp.show(RED)

    lamp.driver.feed(lamp.pace.again)

    assert lamp.seen == [(0.0, RED), (0.0, RED)]
