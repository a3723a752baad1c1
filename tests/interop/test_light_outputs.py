"""Lamps of others: what a WLED, an sACN receiver and an Art-Net node see of calls and orders."""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.interop.caller import Dialogue, Wire
from tests.interop.device import Device, device, wait_until
from tests.support.light_receivers import Watcher, art_dmx, ddp, pixels, sacn
from tests.support.ports import free_port

pytestmark = pytest.mark.interop

SIDE = 15  # pixels of each of the four
UNIVERSE = 7


class SacnReceiver:
    """The receiver of the library sacn, in the group of the universe on the loopback interface."""

    def __init__(self) -> None:
        self.port = free_port()
        self.pictures: list[bytes] = []
        self.said: list[str] = []  # "available", and "timeout" after 2.5 s or when it was ended
        module: Any = import_module("sacn")
        self._receiver = module.sACNreceiver(bind_address="127.0.0.1", bind_port=self.port)
        self._receiver.register_listener("availability", self._availability)
        self._receiver.register_listener("universe", self._picture, universe=UNIVERSE)
        self._receiver.start()
        self._receiver.join_multicast(UNIVERSE)

    def close(self) -> None:
        self._receiver.stop()

    def _availability(self, universe: int, changed: str) -> None:
        self.said.append(changed)

    def _picture(self, packet: Any) -> None:
        self.pictures.append(bytes(packet.dmxData)[: 4 * SIDE * 3])


@dataclass
class Lamps:
    """Four lamps: one of them hears sACN twice, by a library and datagram by datagram."""

    folder: Path
    wled: Watcher = field(default_factory=lambda: Watcher(lambda d: ddp(d).data))
    node: Watcher = field(default_factory=lambda: Watcher(lambda d: art_dmx(d).data))
    sacn: SacnReceiver = field(default_factory=SacnReceiver)

    def __post_init__(self) -> None:
        self.raw = Watcher(_levels, self.sacn.port, f"239.255.0.{UNIVERSE}")

    @property
    def seen(self) -> dict[str, Sequence[bytes]]:
        """The pictures that each has seen."""
        return {"ddp": self.wled.pictures, "e131": self.sacn.pictures, "art": self.node.pictures}

    @property
    def setting(self) -> str:
        common = {"frame_rate": 60, "pixels": 4 * SIDE}
        outputs = [
            f"log:{self.folder / 'light.log'}",
            common | {"kind": "ddp", "host": "127.0.0.1", "port": self.wled.port},
            common
            | {"kind": "e131", "universe": UNIVERSE, "port": self.sacn.port}
            | {"interface": "127.0.0.1"},
            common | {"kind": "artnet", "host": "127.0.0.1", "port": self.node.port},
        ]
        return f"/lights/outputs={json.dumps(outputs)}"

    def close(self) -> None:
        for lamp in (self.wled, self.node, self.raw, self.sacn):
            lamp.close()


def _levels(datagram: bytes) -> bytes | None:
    root = int.from_bytes(datagram[18:22], "big")
    return sacn(datagram).data if root == 4 else None


@pytest.fixture
def lamps(tmp_path: Path) -> Generator[Lamps]:
    lamps = Lamps(tmp_path)
    yield lamps
    lamps.close()


def run(lamps: Lamps) -> Any:
    return device(lamps.folder, "--set", lamps.setting, sound="null", light=False)


def sides(picture: bytes) -> list[tuple[int, ...]]:
    """The colour of each side; all its pixels have the same."""
    strip = pixels(picture)
    assert len(strip) == 4 * SIDE
    found = [set(strip[i : i + SIDE]) for i in range(0, len(strip), SIDE)]
    assert all(len(side) == 1 for side in found), strip
    return [side.pop() for side in found]


def lit(picture: bytes) -> bool:
    return any(picture)


def logged(running: Device) -> list[list[int]]:
    """The red of each side that is to be seen of what was logged: gamma 2.2 of 255, or a little."""
    frames = [f for f in running.frames if f["function"] == "SignalingLED"]
    levels = [[side["level"] for side in frame["sides"].values()] for frame in frames]
    return [[max(round(x**2.2 * 255), int(x > 0)) for x in frame] for frame in levels]


def is_part(pictures: list[list[int]], of: list[list[int]]) -> bool:
    """Whether the pictures come in this order among the others."""
    rest = iter(of)
    return all(any(picture == other for other in rest) for picture in pictures)


def test_a_call_turns_an_amber_beam_round_on_every_lamp_and_a_death_leaves_them_to_themselves(
    lamps: Lamps,
) -> None:
    """1003 starts Warning, a beam that goes round. Then the power fails: the signs of life end,
    and after 2.5 s (E1.31, network data loss) the receiver knows."""
    with run(lamps) as running, Wire(running.port) as wire:
        call = Dialogue(running.port, wire.own, extension="1003")
        wire.send(call.invite())
        assert call.take(wire.final()) == 200
        wire.send(call.ack())
        wait_until(lambda: all(_turns(p) >= 4 for p in lamps.seen.values()), words="a round")
        running.kill()
        log = [[0] * 4, *logged(running)]
    wait_until(lambda: "timeout" in lamps.sacn.said, words="the stream's loss")

    for name, pictures in lamps.seen.items():
        shown = [sides(picture) for picture in pictures if lit(picture)]
        for colors in shown:
            for red, green, blue in colors:
                assert abs(green - red * 68 / 255) <= 1, f"{name}: amber"
                assert blue == 0
        reds = [[color[0] for color in sides(picture)] for picture in pictures]
        assert is_part(reds, log), f"{name}: each side when it was its turn"
    assert lit(lamps.raw.pictures[-1]), "nobody has said that it is dark"
    assert not any(sacn(d).terminated for d in lamps.raw.datagrams if _levels(d) is not None)


def test_a_device_that_ends_leaves_lamps_dark_and_says_that_it_was_all(lamps: Lamps) -> None:
    """E1.31 §6.2.6: a stream is ended in three datagrams."""
    with run(lamps) as running:
        running.command("start-profile", profile="Notice")
        wait_until(lambda: all(any(map(lit, p)) for p in lamps.seen.values()), words="light")
        states = running.status()["lights"]
        running.stop()
    ended = [sacn(d) for d in lamps.raw.datagrams if _levels(d) is not None]

    assert list(states.values()) == [""] * 4
    wait_until(lambda: not any(map(lit, (p[-1] for p in lamps.seen.values()))), words="darkness")
    wait_until(
        lambda: lamps.sacn.said[:2] == ["available", "timeout"], words="the end of the stream"
    )
    wait_until(lambda: [sacn(d).terminated for d in _streamed(lamps)[-4:]] == [False] + [True] * 3)
    assert {packet.source_name for packet in ended} == {"sipstrobe"}
    assert len({packet.cid for packet in ended}) == 1
    green = next(sides(p) for p in lamps.node.pictures if lit(p))
    assert all(red == 0 and g > 0 and blue == 0 for red, g, blue in green)


def _streamed(lamps: Lamps) -> list[bytes]:
    return [d for d in lamps.raw.datagrams if _levels(d) is not None]


def _turns(pictures: Sequence[bytes]) -> int:
    """How often another side has become the brightest."""
    reds = [picture[:: SIDE * 3] for picture in list(pictures) if lit(picture)]
    brightest = [four.index(max(four)) for four in reds]
    return sum(a != b for a, b in pairwise(brightest))
