"""One press is one digit, by however many ways a phone tells of it."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.dtmf.presses import LATE, REMEMBERED, Presses, Step
from sipstrobe.dtmf.sign import Sign, Way

LONG = 1.0


@dataclass
class Phone:
    """Presses keys, and tells of them by the ways that a test wants."""

    presses: Presses = field(default_factory=lambda: Presses(LONG))
    steps: list[tuple[str, Step]] = field(default_factory=list[tuple[str, Step]])

    def tell(
        self,
        way: Way,
        digit: str,
        at: float,
        *,
        begins: bool = True,
        seconds: float = 0.1,
        ended: bool = False,
    ) -> None:
        sign = Sign(digit, begins, seconds, ended)
        self.steps += [(digit, step) for step in self.presses.see(way, sign, now=at)]

    @property
    def pressed(self) -> str:
        return "".join(digit for digit, step in self.steps if step is Step.PRESSED)


@pytest.mark.parametrize("late", [0.0, 0.1, 0.6])
def test_a_digit_that_comes_by_three_ways_was_pressed_once(late: float) -> None:
    phone = Phone()

    for way in Way:
        phone.tell(way, "5", list(Way).index(way) * late)

    assert phone.pressed == "5"


@pytest.mark.parametrize("way", list(Way))
def test_two_fast_presses_are_two_by_any_way(way: Way) -> None:
    phone = Phone()

    phone.tell(way, "5", 0.0)
    phone.tell(way, "5", 0.08)

    assert phone.pressed == "55"


def test_two_fast_presses_by_two_ways_are_two() -> None:
    """The INFOs of both come when the second event has begun already."""
    phone = Phone()

    phone.tell(Way.RTP, "5", 0.0)
    phone.tell(Way.RTP, "5", 0.15)
    phone.tell(Way.INFO, "5", 0.2)
    phone.tell(Way.INFO, "5", 0.25)

    assert phone.pressed == "55"


def test_what_one_way_has_missed_another_tells() -> None:
    phone = Phone()

    phone.tell(Way.INFO, "5", 0.0)  # every packet of its event was lost
    phone.tell(Way.RTP, "5", 0.4)
    phone.tell(Way.INFO, "5", 0.5)

    assert phone.pressed == "55"


def test_a_key_that_is_held_keeps_its_press_open_for_a_late_info() -> None:
    """Some phones send the INFO when the key is let go."""
    phone = Phone()

    for n in range(100):
        phone.tell(Way.RTP, "5", n * 0.05, begins=n == 0, seconds=n * 0.05)
    phone.tell(Way.INFO, "5", 5.3, seconds=5.0, ended=True)

    assert phone.pressed == "5"
    assert [step for _, step in phone.steps] == [Step.PRESSED, Step.HELD]


def test_an_info_that_was_sent_four_times_is_no_further_press() -> None:
    """RFC 3261 §17.1.2.1: T1, 2*T1 and 4*T1 after the first."""
    phone = Phone()

    phone.tell(Way.RTP, "5", 0.0)
    phone.tell(Way.RTP, "5", 0.3)
    phone.tell(Way.INFO, "5", 3.7)
    phone.tell(Way.INFO, "5", 3.8)

    assert phone.pressed == "55"


@pytest.mark.parametrize("way", list(Way))
def test_the_same_digit_much_later_is_another_press(way: Way) -> None:
    phone = Phone()

    phone.tell(next(other for other in Way if other is not way), "5", 0.0)
    phone.tell(way, "5", LATE[way] + 0.01)

    assert phone.pressed == "55"


def test_a_press_is_released_when_all_who_have_told_of_it_say_so() -> None:
    phone = Phone()

    phone.tell(Way.RTP, "5", 0.0)
    phone.tell(Way.INBAND, "5", 0.05)
    phone.tell(Way.RTP, "5", 0.1, begins=False, ended=True)
    assert [step for _, step in phone.steps] == [Step.PRESSED]
    phone.tell(Way.INBAND, "5", 0.2, begins=False, ended=True)
    phone.tell(Way.RTP, "5", 0.2, begins=False, ended=True)  # the end is sent three times

    assert [step for _, step in phone.steps] == [Step.PRESSED, Step.RELEASED]


def test_an_info_tells_all_at_once() -> None:
    phone = Phone()

    phone.tell(Way.INFO, "5", 0.0, seconds=2.0, ended=True)

    assert [step for _, step in phone.steps] == [Step.PRESSED, Step.HELD, Step.RELEASED]


def test_no_more_presses_are_remembered_than_a_phone_can_make() -> None:
    """A packet of one that is forgotten is no new press."""
    phone = Phone()
    phone.tell(Way.RTP, "1", 0.0)

    for _ in range(REMEMBERED):
        phone.tell(Way.RTP, "2", 0.0)
    phone.tell(Way.RTP, "1", 0.0, begins=False)

    assert phone.pressed == "1" + "2" * REMEMBERED


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("123"), st.floats(0.05, 0.5)), max_size=12),
    st.lists(st.floats(0.0, 0.3), min_size=3, max_size=3),
    st.sets(st.sampled_from(list(Way)), min_size=1),
)
def test_every_press_counts_once_whatever_ways_and_delays_a_phone_has(
    keys: list[tuple[str, float]], delays: list[float], ways: set[Way]
) -> None:
    """Each way tells of all presses in order, each with a delay of its own."""
    signs: list[tuple[float, int, str]] = []
    at = 0.0
    for digit, pause in keys:
        at += pause
        signs += [(at + delay, n, digit) for n, delay in enumerate(delays)]
    phone = Phone()

    for arrives, n, digit in sorted(signs):
        way = list(Way)[n]
        if way in ways:
            phone.tell(way, digit, arrives, ended=True)

    assert sorted(phone.pressed) == sorted(digit for digit, _ in keys)
