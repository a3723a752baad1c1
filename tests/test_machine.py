"""Driver: the only way into a machine."""

from collections import deque
from collections.abc import Callable

import pytest

from sipstrobe.machine import Driver
from sipstrobe.trace import Input, Trace
from tests.support.clock import FakeClock


class Echo:
    """Leaves what it is told, and an alarm after a second of silence."""

    def __init__(self) -> None:
        self.outbox: deque[str] = deque()
        self.deadline: float | None = None

    def say(self, word: str, *, now: float) -> None:
        self.outbox.append(word)
        self.deadline = now + 1.0

    def wake(self, *, now: float) -> None:
        self.outbox.append(f"silence at {now:g}")
        self.deadline = None


def driven(
    deliver: Callable[[str], None], trace: Trace | None = None
) -> tuple[Driver[str], Echo, FakeClock]:
    clock, echo = FakeClock(), Echo()
    return Driver(echo, deliver, clock, trace or Trace()), echo, clock


def test_outputs_are_delivered_and_the_timer_follows_the_deadline() -> None:
    heard: list[str] = []
    driver, echo, clock = driven(heard.append)

    driver.feed(echo.say, "one")
    clock.advance_to(0.5)
    driver.feed(echo.say, "two")
    clock.advance_to(3.0)

    assert heard == ["one", "two", "silence at 1.5"]


def test_a_handler_may_feed_the_same_machine_and_order_is_kept() -> None:
    heard: list[str] = []

    def deliver(word: str) -> None:
        heard.append(word)
        if word == "first":
            driver.feed(echo.say, "answer to first")

    driver, echo, _ = driven(deliver)

    def both(*, now: float) -> None:
        echo.say("first", now=now)
        echo.say("second", now=now)

    driver.feed(both)

    assert heard == ["first", "second", "answer to first"]


def test_an_answer_leaves_ahead_of_what_follows_from_it() -> None:
    class Answer(str):
        __slots__ = ()

    heard: list[str] = []

    def deliver(word: str) -> None:
        if word == "call":
            driver.feed(echo.say, Answer("answer to call"))
            heard.append("lit")
        heard.append(word)

    clock, echo = FakeClock(), Echo()
    driver: Driver[str] = Driver(echo, deliver, clock, Trace(), first=Answer)

    def both(*, now: float) -> None:
        echo.say("call", now=now)
        echo.say("more", now=now)
        echo.say(Answer("trying"), now=now)

    driver.feed(both)

    assert heard == ["trying", "answer to call", "lit", "call", "more"]


def test_an_output_keeps_the_cause_for_which_it_was_left() -> None:
    trace = Trace()
    causes: list[tuple[str, object]] = []

    def deliver(word: str) -> None:
        causes.append((word, trace.current and trace.current.what))
        if word == "from outside":
            with trace.because(trace.link("a rule", 0.0)):
                driver.feed(echo.say, "from a rule")

    driver, echo, clock = driven(deliver, trace)
    with trace.input("datagram", "INVITE", 0.0):
        driver.feed(echo.say, "from outside")
    clock.advance_to(5.0)

    assert causes == [
        ("from outside", Input("datagram", "INVITE")),
        ("from a rule", "a rule"),
        ("silence at 1", Input("timer", "Echo")),
    ]
    assert trace.current is None


def test_a_closed_driver_wakes_nobody() -> None:
    heard: list[str] = []
    driver, echo, clock = driven(heard.append)
    driver.feed(echo.say, "one")

    driver.close()
    clock.advance_to(9.0)

    assert heard == ["one"]


def test_a_handler_that_fails_takes_neither_the_timer_with_it_nor_what_waits() -> None:
    heard: list[str] = []

    def deliver(word: str) -> None:
        if word == "bad":
            raise ValueError(word)
        heard.append(word)

    driver, echo, clock = driven(deliver)

    def both(*, now: float) -> None:
        echo.say("bad", now=now)
        echo.say("good", now=now)

    with pytest.raises(ValueError, match="bad"):
        driver.feed(both)
    clock.advance_to(3.0)

    assert heard == ["good", "silence at 1"]
