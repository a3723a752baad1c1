"""A GPIO line, with a library of gpiod's shape: asked for, read and driven (IOP-05)."""

import asyncio
import os
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from sipstrobe.io.lines import open_line
from sipstrobe.io.lines.gpio import GpioLine
from tests.support.waiting import until

Value = Enum("Value", "INACTIVE ACTIVE")
Edge = Enum("Edge", "RISING_EDGE FALLING_EDGE")


@dataclass
class FakeRequest:
    """What gpiod.request_lines gives; the descriptor is a pipe."""

    asked: dict[str, Any]
    value: Any = Value.INACTIVE
    edges: list[Any] = field(default_factory=list[Any])
    driven: list[Any] = field(default_factory=list[Any])
    problem: str = ""
    released: bool = False

    def __post_init__(self) -> None:
        self.fd, self._end = os.pipe()

    def get_value(self, number: int) -> Any:
        if self.problem:
            raise OSError(self.problem)
        return self.value

    def set_value(self, number: int, value: Any) -> None:
        if self.problem:
            raise OSError(self.problem)
        self.driven.append(value)

    def read_edge_events(self) -> list[Any]:
        os.read(self.fd, 100)
        if self.problem:
            raise OSError(self.problem)
        edges, self.edges = self.edges, []
        return edges

    def happen(self, *edges: tuple[Any, int]) -> None:
        self.edges += [SimpleNamespace(event_type=e, timestamp_ns=at, Type=Edge) for e, at in edges]
        os.write(self._end, b"!")

    def release(self) -> None:
        self.released = True
        os.close(self.fd)
        os.close(self._end)


class FakeLibrary:
    """The parts of gpiod 2 that are used."""

    line = SimpleNamespace(
        Direction=Enum("Direction", "INPUT OUTPUT"),
        Drive=Enum("Drive", "OPEN_DRAIN"),
        Edge=Enum("EdgeDetection", "BOTH"),
        Bias=Enum("Bias", "PULL_UP"),
        Clock=Enum("Clock", "MONOTONIC"),
        Value=Value,
    )
    lines = 32

    def __init__(self) -> None:
        self.requests: list[FakeRequest] = []

    def LineSettings(self, **settings: Any) -> dict[str, Any]:  # noqa: N802  as the library has it
        return settings

    def request_lines(self, path: str, *, consumer: str, config: dict[int, Any]) -> FakeRequest:
        ((number, settings),) = config.items()
        if number >= self.lines:
            raise ValueError("line offset out of range")
        request = FakeRequest({"path": path, "line": number, "by": consumer, **settings})
        self.requests.append(request)
        return request


class Bench:
    def __init__(self, *, output: bool = False, closed: bool = False) -> None:
        library = FakeLibrary()
        self.line = GpioLine(library, "gpiochip0", 17, output=output, closed=closed)
        (self.request,) = library.requests
        self.seen: list[tuple[bool, float | None]] = []
        self.problems: list[str] = []

    def start(self) -> None:
        self.line.start(lambda closed, at: self.seen.append((closed, at)), self.problems.append)


async def test_an_input_is_pulled_up_debounced_and_closed_when_low() -> None:
    bench = Bench()
    line = FakeLibrary.line

    assert bench.request.asked == {
        "path": "/dev/gpiochip0",
        "line": 17,
        "by": "sipstrobe",
        "direction": line.Direction.INPUT,
        "edge_detection": line.Edge.BOTH,
        "bias": line.Bias.PULL_UP,
        "active_low": True,
        "debounce_period": timedelta(milliseconds=5),
        "event_clock": line.Clock.MONOTONIC,
    }
    bench.line.close()
    assert bench.request.released


async def test_edges_are_told_with_the_instants_of_the_kernel() -> None:
    bench = Bench()
    bench.start()
    assert bench.seen == [(False, None)]
    bench.request.happen((Edge.RISING_EDGE, 1_500_000_000), (Edge.FALLING_EDGE, 1_600_000_000))
    await until(lambda: len(bench.seen) == 3)

    assert bench.seen[1:] == [(True, 1.5), (False, 1.6)]
    bench.line.close()


async def test_a_line_that_fails_says_so_once_and_is_watched_no_more() -> None:
    bench = Bench()
    bench.start()
    bench.request.problem = "no such device"
    bench.request.happen()
    bench.request.happen()
    await until(lambda: bench.problems)
    await asyncio.sleep(0)

    assert bench.problems == ["no such device"]
    bench.line.close()


async def test_a_line_that_cannot_be_read_at_first_has_failed() -> None:
    bench = Bench()
    bench.request.problem = "resource busy"
    bench.start()

    assert (bench.seen, bench.problems) == ([], ["resource busy"])
    bench.line.close()


@pytest.mark.parametrize("closed", [True, False])
def test_an_output_is_an_open_drain_that_opens_in_the_end(closed: bool) -> None:
    """IOP-03."""
    bench = Bench(output=True, closed=closed)
    line = FakeLibrary.line
    asked = bench.request.asked
    assert (asked["direction"], asked["drive"]) == (line.Direction.OUTPUT, line.Drive.OPEN_DRAIN)
    assert (asked["active_low"], asked["output_value"]) == (
        True,
        Value.ACTIVE if closed else Value.INACTIVE,
    )

    bench.start()
    bench.line.drive(True)
    bench.line.close()
    assert bench.request.driven == [Value.ACTIVE, Value.INACTIVE]


def test_an_output_that_is_gone_is_let_go_of_nevertheless() -> None:
    bench = Bench(output=True)
    bench.request.problem = "no such device"
    with pytest.raises(OSError, match="no such device"):
        bench.line.drive(True)
    bench.line.close()
    assert bench.request.released


def test_a_line_that_the_chip_does_not_have_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="/dev/gpiochip0 line 99: line offset"):
        GpioLine(FakeLibrary(), "gpiochip0", 99, output=False)


@pytest.mark.parametrize("spec", ["none", "gpio:", "gpio:17", "gpio:/17", "gpio:chip/x", "i2c:a/1"])
def test_what_names_no_line_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="is no line"):
        open_line(spec, output=False, closed=False)


@pytest.mark.skipif(find_spec("gpiod") is not None, reason="gpiod is installed")
def test_without_the_library_it_is_said_how_to_get_it() -> None:
    with pytest.raises(OSError, match="pip install"):
        open_line("gpio:gpiochip0/17", output=False, closed=False)
