"""Outputs of the light: one that fails is told of, tried again, and hurts nobody else."""

import logging

import pytest

from sipstrobe.commands import StartOperation
from sipstrobe.events import Function, ServiceStateChanged
from sipstrobe.io.lights import LightDriver, NoLight
from sipstrobe.lightsiren.frame import Frame
from sipstrobe.lightsiren.output_specs import name_of
from sipstrobe.lightsiren.outputs import Output
from sipstrobe.lightsiren.settings import LightsSettings
from sipstrobe.services.painted import Report
from tests.support.signals import Bench, FakeLight

STEADY = StartOperation(function=Function.SIGNALING_LED, pattern="Steady")
PULSE = StartOperation(function=Function.SIGNALING_LED, pattern="Pulse")
BLINK = StartOperation(function=Function.SIGNALING_LED, pattern="Blink", priority=4)


class Shop:
    """Opens fake lights by name; those that are broken cannot be opened."""

    def __init__(self) -> None:
        self.lights: dict[str, FakeLight] = {}
        self.broken: set[str] = set()
        self.opened: list[str] = []

    def __call__(self, output: Output, report: Report) -> LightDriver:
        spec = name_of(output)
        self.opened.append(spec)
        if spec in self.broken:
            raise OSError("no such file")
        return self.lights.setdefault(spec, FakeLight())


def use(bench: Bench, *outputs: str) -> None:
    bench.signals.apply_lights(LightsSettings(outputs=outputs))


def test_every_output_shows_the_same() -> None:
    shop = Shop()
    bench = Bench(open_light=shop)
    use(bench, "virtual", "log:a")

    bench.do(STEADY)

    assert shop.lights["virtual"].pictures == shop.lights["log:a"].pictures != []


def test_a_driver_that_fails_is_told_once_and_hurts_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Shop()
    bench = Bench(open_light=shop)
    use(bench, "log:a", "log:b")
    shop.lights["log:a"].broken = "disk full"

    bench.do(BLINK)
    bench.clock.advance(10)

    states = bench.told(ServiceStateChanged)
    assert states == [
        ServiceStateChanged(service="light log:a", working=False, problem="disk full")
    ]
    assert len(shop.lights["log:b"].pictures) > 10
    assert bench.signals.light_states == {"log:a": "disk full", "log:b": ""}
    assert [r.levelno for r in caplog.records].count(logging.WARNING) == 1

    shop.lights["log:a"].broken = ""
    bench.clock.advance(1)
    assert bench.told(ServiceStateChanged) == [
        ServiceStateChanged(service="light log:a", working=True, problem="")
    ]


def test_an_output_that_cannot_be_opened_is_tried_again_and_catches_up() -> None:
    shop = Shop()
    shop.broken.add("log:a")
    bench = Bench(open_light=shop)
    use(bench, "log:a")
    bench.do(STEADY)
    assert bench.signals.light_states == {"log:a": "no such file"}

    shop.broken.clear()
    bench.clock.advance(5)

    assert bench.signals.light_states == {"log:a": ""}
    assert [p.pattern for p in shop.lights["log:a"].pictures] == ["Steady"]


def test_an_output_that_is_wanted_no_more_has_no_problem_any_more() -> None:
    """Else the page would tell of it for ever."""
    shop = Shop()
    shop.broken.add("log:a")
    bench = Bench(open_light=shop)
    use(bench, "log:a", "virtual")
    bench.told()

    use(bench, "virtual")

    assert bench.told(ServiceStateChanged) == [
        ServiceStateChanged(service="light log:a", working=True, problem="")
    ]


def test_a_change_leaves_the_outputs_alone_that_stay() -> None:
    shop = Shop()
    bench = Bench(open_light=shop)
    use(bench, "log:a", "log:b")
    shop.opened.clear()

    use(bench, "log:b", "log:c")

    assert shop.opened == ["log:c"]
    assert shop.lights["log:a"].closed
    assert not shop.lights["log:b"].closed


def test_without_any_output_the_page_still_sees_the_light() -> None:
    bench = Bench(open_light=Shop())
    use(bench)

    bench.do(STEADY)

    assert bench.signals.frame().a.level


def test_nothing_is_tried_again_after_the_end() -> None:
    shop = Shop()
    shop.broken.add("log:a")
    bench = Bench(open_light=shop)
    use(bench, "log:a")
    shop.opened.clear()

    bench.signals.close()
    bench.clock.advance(60)

    assert shop.opened == []


def test_what_nobody_can_see_is_not_played_and_goes_on_where_it_would_be() -> None:
    bench = Bench(open_light=lambda output, report: NoLight())
    bench.do(PULSE)
    started = bench.signals.frame()

    assert bench.clock.waiting == 0

    bench.clock.advance(0.3)
    seen: list[Frame] = []
    unwatch = bench.signals.watch_frames(seen.append)
    now, played = bench.signals.frame(), bench.clock.waiting
    bench.clock.advance(2.0)
    unwatch()
    bench.clock.advance(2.0)

    other = Bench()  # with a light that is seen
    other.do(PULSE)
    other.clock.advance(0.3)
    assert now == seen[0] == other.signals.frame() != started
    assert played == 1
    assert len(seen) > 3
    assert bench.clock.waiting == 0


def test_an_output_that_is_seen_wakes_the_light() -> None:
    shop = Shop()
    bench = Bench(
        open_light=lambda output, report: (
            NoLight() if name_of(output) == "none" else shop(output, report)
        )
    )
    use(bench, "none")
    bench.do(BLINK)
    bench.clock.advance(1.0)

    use(bench, "none", "log:a")
    bench.clock.advance(1.0)

    assert len(shop.lights["log:a"].pictures) > 2
