"""Lights on real lamps: what they are sent and when, what is left in the end, what is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from sipstrobe.clock import LoopClock
from sipstrobe.commands import StartOperation, StopAll
from sipstrobe.context import Context
from sipstrobe.events import Function, ServiceStateChanged
from sipstrobe.io.lights import LightDriver, Picture
from sipstrobe.lightsiren.drive import PixelPainter, Sides
from sipstrobe.lightsiren.output_specs import name_of, output_of
from sipstrobe.lightsiren.outputs import E131, ArtNet, Ddp, Output
from sipstrobe.lightsiren.settings import LightsSettings
from sipstrobe.services.light_drivers import LightDrivers, safe_levels
from sipstrobe.services.painted import Painted, Report, resolve
from tests.support.clock import FakeClock
from tests.support.light_receivers import Ear, art_dmx, ddp, pixels, sacn
from tests.support.signals import Bench, FakeLight
from tests.support.waiting import until

RED = StartOperation(function=Function.SIGNALING_LED, pattern="Steady", colors=("red",))
FULL_RED = Picture(0.0, "SignalingLED", (("red", 1.0),) * 4, operation=1)
R, B, DARK = b"\xff\0\0", b"\0\0\xff", b"\0\0\0"


@dataclass
class FakeLamps:
    """Keeps what it is sent. broken: what it fails with."""

    now: Callable[[], float]
    sent: list[tuple[float, bytes]] = field(default_factory=list[tuple[float, bytes]])
    broken: str = ""
    closed: bool = False

    def send(self, levels: bytes) -> None:
        self.sent.append((round(self.now(), 6), levels))
        self.check()

    def check(self) -> None:
        if self.broken:
            raise OSError(self.broken)

    def close(self) -> None:
        self.closed = True


class Wall:
    """One painted light, on a clock that stands still."""

    def __init__(self, painter: PixelPainter | None = None, safe_state: str = "dark") -> None:
        self.clock = FakeClock()
        self.told: list[str] = []
        self.lamps = FakeLamps(self.clock.now)
        self.missed: Callable[[], None] = lambda: None
        painter = painter or PixelPainter(Ddp(host="h", pixels=1))
        self.light = Painted(
            Context(self.clock),
            painter,
            self._lamps,
            self.told.append,
            frame_rate=10,
            safe=safe_levels(painter, safe_state),
            name="wall",
        )

    def _lamps(self, missed: Callable[[], None]) -> FakeLamps:
        self.missed = missed
        return self.lamps


def test_a_lamp_is_dark_from_the_beginning_whatever_it_was_before() -> None:
    """The device may have been killed while it was lit."""
    assert Wall().lamps.sent == [(0.0, DARK)]


def test_a_lamp_gets_signs_of_life_while_nothing_changes() -> None:
    """WLED and E1.31 receivers give up after 2.5 s, Art-Net wants one within 4 s."""
    wall = Wall()
    wall.clock.advance(1.0)

    wall.light.show(FULL_RED)
    wall.clock.advance(60)

    times = [at for at, levels in wall.lamps.sent if levels == R]
    assert times[0] == 1.0
    assert max(b - a for a, b in pairwise(times)) < 1.0
    assert len(times) < 75


@pytest.mark.parametrize(("safe_state", "last"), [("dark", DARK), ("blue", B), ("leave", R)])
def test_in_the_end_a_lamp_is_left_as_it_was_wished(safe_state: str, last: bytes) -> None:
    wall = Wall(safe_state=safe_state)
    wall.clock.advance(1.0)
    wall.light.show(FULL_RED)

    wall.light.close()
    wall.clock.advance(10)

    assert wall.lamps.sent[-1] == (1.0, last)
    assert wall.lamps.closed
    assert wall.clock.waiting == 0


def test_what_fails_is_told_when_it_does_not_only_when_something_changes() -> None:
    wall = Wall()

    wall.clock.advance(5)
    wall.lamps.broken = "no route"
    wall.clock.advance(1)
    with pytest.raises(OSError, match="no route"):
        wall.light.show(FULL_RED)
    wall.clock.advance(1)
    wall.lamps.broken = ""
    wall.clock.advance(1)

    assert wall.told == ["no route", ""]
    assert wall.lamps.sent[-1][1] == R


def test_a_lamp_that_has_missed_a_picture_is_sent_it_at_once() -> None:
    wall = Wall()
    wall.clock.advance(1.0)
    wall.light.show(FULL_RED)

    wall.missed()

    assert wall.lamps.sent[-2:] == [(1.0, R), (1.0, R)]


class Torn(PixelPainter):
    def paint(self, light: str, sides: Sides) -> bytes:
        raise ZeroDivisionError


def test_trouble_of_our_own_leaves_the_lamp_safe() -> None:
    wall = Wall(Torn(Ddp(host="h", pixels=1)), safe_state="blue")

    with pytest.raises(ZeroDivisionError):
        wall.light.show(FULL_RED)

    assert wall.lamps.sent[-1] == (0.0, B)


# --- among the others ---------------------------------------------------------------------------


class Street:
    """Outputs of a device whose lamps are fakes."""

    def __init__(self) -> None:
        self.lamps: dict[str, FakeLamps] = {}
        self.other = FakeLight()
        self.bench = Bench(open_light=self._open)

    def use(self, *outputs: str | Output) -> None:
        self.bench.signals.apply_lights(LightsSettings(outputs=outputs))

    def last(self, name: str) -> bytes:
        return self.lamps[name].sent[-1][1][:3]

    def _open(self, output: Output, report: Report) -> LightDriver:
        if not isinstance(output, Ddp):
            return self.other
        lamps = self.lamps[name_of(output)] = FakeLamps(self.bench.clock.now)
        painter = PixelPainter(output)
        return Painted(
            self.bench.context,
            painter,
            lambda missed: lamps,
            report,
            frame_rate=output.frame_rate,
            safe=safe_levels(painter, output.safe_state),
            name=name_of(output),
        )


def test_when_the_device_ends_each_lamp_is_left_as_it_was_wished() -> None:
    street = Street()
    street.use("virtual", "ddp:dark", Ddp(host="leave", safe_state="leave"))
    street.bench.do(RED)
    street.bench.clock.advance(1)
    lit = street.last("ddp:leave")

    street.bench.signals.close()
    street.bench.clock.advance(10)

    assert lit[0] > 0
    assert (street.last("ddp:dark"), street.last("ddp:leave")) == (DARK, lit)
    assert street.other.pictures[-1].operation is None, "others are shown darkness"


def test_one_that_does_not_answer_is_told_by_its_name_and_the_others_go_on() -> None:
    street = Street()
    street.use("ddp:a", "ddp:b")
    street.bench.clock.advance(1)
    street.bench.told()

    street.lamps["ddp:a"].broken = "no route"
    street.bench.clock.advance(1)
    street.bench.do(RED)

    assert street.bench.told(ServiceStateChanged) == [
        ServiceStateChanged(service="light ddp:a", working=False, problem="no route")
    ]
    assert street.bench.signals.light_states == {"ddp:a": "no route", "ddp:b": ""}
    assert street.last("ddp:b")[0] > 0

    street.lamps["ddp:a"].broken = ""
    street.bench.clock.advance(1)
    assert street.bench.signals.light_states == {"ddp:a": "", "ddp:b": ""}
    assert street.last("ddp:a") == street.last("ddp:b")


def test_an_output_whose_settings_change_is_opened_anew_and_shows_what_is_lit() -> None:
    street = Street()
    street.use("ddp:a", "ddp:b")
    street.bench.do(RED)
    street.bench.clock.advance(1)
    before = dict(street.lamps)

    street.use(Ddp(host="a", pixels=1), "ddp:b")
    street.bench.clock.advance(1)

    assert before["ddp:a"].closed
    assert before["ddp:a"].sent[-1][1] == bytes(180)
    assert street.lamps["ddp:b"] is before["ddp:b"]
    assert len(street.lamps["ddp:a"].sent[-1][1]) == 3
    assert street.last("ddp:a")[0] > 0


def test_dark_is_dark_at_once_when_all_is_stopped() -> None:
    street = Street()
    street.use("ddp:a")
    street.bench.do(RED)
    street.bench.clock.advance(1)

    street.bench.do(StopAll(functions=(Function.SIGNALING_LED,)))

    assert street.lamps["ddp:a"].sent[-1] == (1.0, bytes(180))


# --- on real sockets ----------------------------------------------------------------------------


async def test_every_kind_in_the_network_is_sent_its_own_form() -> None:
    """One picture by DDP, E1.31 and Art-Net: the same red on side A."""
    ears = [Ear() for _ in range(3)]
    context = Context(LoopClock(asyncio.get_running_loop()))
    opened = LightDrivers(context, b"0123456789abcdef")
    told: list[str] = []
    lights = [
        opened(output, told.append)
        for output in (
            Ddp(host="127.0.0.1", port=ears[0].port, pixels=4),
            E131(host="127.0.0.1", port=ears[1].port, pixels=4, universe=7),
            ArtNet(host="127.0.0.1", port=ears[2].port, pixels=4),
        )
    ]
    sides = (("red", 1.0), ("", 0.0), ("blue", 1.0), ("", 0.0))

    for light in lights:
        light.show(Picture(0.0, "SignalingLED", sides, 1))
    wanted = [(255, 0, 0), (0, 0, 0), (0, 0, 255), (0, 0, 0)]
    loop = asyncio.get_running_loop()

    def shows(read: Callable[[bytes], bytes]) -> Callable[[bytes], bool]:
        return lambda datagram: pixels(read(datagram)[:12]) == wanted

    reads: list[Callable[[bytes], bytes]] = [
        lambda d: ddp(d).data,
        lambda d: sacn(d).data,
        lambda d: art_dmx(d).data,
    ]
    for ear, read in zip(ears, reads, strict=True):
        await loop.run_in_executor(None, ear.until, shows(read))
    for light in lights:
        light.check()
        light.close()
    ended = await loop.run_in_executor(None, ears[1].until, terminates)

    assert sacn(ended).cid == b"0123456789abcdef"
    assert told == []
    for ear in ears:
        ear.close()


def terminates(datagram: bytes) -> bool:
    return sacn(datagram).terminated


async def test_names_are_found_beside_the_loop() -> None:
    answers: list[list[str] | OSError] = []

    resolve("localhost", answers.append)
    resolve("no..name", answers.append)
    assert answers == []
    await until(lambda: len(answers) == 2)

    known = [answer for answer in answers if isinstance(answer, list)]
    assert len(known) == 1
    assert {"127.0.0.1", "::1"} & set(known[0])


async def test_every_output_of_this_machine_says_what_it_lacks() -> None:
    """No SPI and no GPIO here: the lights say so, and the device goes on."""
    context = Context(LoopClock(asyncio.get_running_loop()))
    told: dict[str, str] = {}
    opened = LightDrivers(context, bytes(16))
    lights = [
        opened(output_of(spec), lambda words, spec=spec: told.update({spec: words}))
        for spec in ("ws2812:/dev/no-spi", "gpio:no-chip/1")
    ]
    await until(lambda: len(told) == 2)

    assert told["ws2812:/dev/no-spi"] == "/dev/no-spi: No such file or directory"
    assert told["gpio:no-chip/1"].startswith("no-chip: ")
    for light in lights:
        light.close()
