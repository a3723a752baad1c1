"""What goes to lamps, decoded by receivers that were written from the published formats."""

import os
import socket
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Generator
from enum import Enum
from pathlib import Path
from typing import Any, cast

import pytest

from sipstrobe.io.lights import Lamps
from sipstrobe.io.lights.artnet import ArtNet
from sipstrobe.io.lights.attached import Attached
from sipstrobe.io.lights.datagrams import LightSocket
from sipstrobe.io.lights.ddp import Ddp
from sipstrobe.io.lights.dmx import parts
from sipstrobe.io.lights.e131 import E131, group_of
from sipstrobe.io.lights.tower import Tower
from sipstrobe.io.lights.ws2812 import Ws2812, encoding, open_spi
from tests.interop.device import wait_until
from tests.support.light_receivers import (
    ArtDmx,
    DdpPacket,
    Ear,
    Sacn,
    art_dmx,
    ddp,
    sacn,
    sacn_universes,
)

CID = bytes(range(16))


@pytest.fixture
def ear() -> Generator[Ear]:
    ear = Ear()
    yield ear
    ear.close()


def way_to(ear: Ear) -> LightSocket:
    return LightSocket(
        "127.0.0.1",
        ear.port,
        now=lambda: 0.0,
        resolve=lambda host, found: None,
        ready=lambda: None,
    )


# --- DDP ----------------------------------------------------------------------------------------


def test_ddp_sends_a_picture_and_shows_it_as_a_whole(ear: Ear) -> None:
    """3waylabs.com/ddp: 480 pixels go into a datagram; the last one is pushed."""
    lamps = Ddp(way_to(ear), 3)
    picture = bytes(i % 251 for i in range(3 * 1000))

    lamps.send(picture)
    packets = [ddp(ear.next()) for _ in range(3)]

    assert b"".join(p.data for p in packets) == picture
    assert [p.offset for p in packets] == [0, 1440, 2880]
    assert [p.push for p in packets] == [False, False, True]
    assert packets[0] == DdpPacket(1, False, 1, "RGB", 1, 0, picture[:1440])
    lamps.close()


def test_ddp_numbers_its_datagrams_from_1_to_15(ear: Ear) -> None:
    lamps = Ddp(way_to(ear), 4)

    for _ in range(17):
        lamps.send(bytes(4))
    packets = [ddp(ear.next()) for _ in range(17)]

    assert [p.sequence for p in packets] == [*range(1, 16), 1, 2]
    assert {p.kind for p in packets} == {"RGBW"}
    assert all(p.push for p in packets)
    lamps.close()


# --- DMX ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "width", "channel", "slots"),
    [
        (3, 3, 1, [(0, 3)]),
        (510, 3, 1, [(0, 510)]),
        (513, 3, 1, [(0, 510), (0, 3)]),
        (1200, 4, 1, [(0, 512), (0, 512), (0, 176)]),
        (9, 3, 505, [(504, 6), (0, 3)]),
        (4, 4, 509, [(508, 4)]),
    ],
)
def test_universes_hold_whole_pixels(
    size: int, width: int, channel: int, slots: list[tuple[int, int]]
) -> None:
    found = parts(size, width, channel)

    assert [(p.slot, p.end - p.start) for p in found] == slots
    assert [p.universe for p in found] == list(range(len(slots)))
    assert found[-1].end == size


def e131(ear: Ear, now: Callable[[], float] = lambda: 0.0, **wanted: Any) -> E131:
    values: dict[str, Any] = {"universe": 9, "channel": 1, "size": 600, "width": 3} | wanted
    count = len(parts(values["size"], values["width"], values["channel"]))
    return E131(
        [way_to(ear)] * count,
        way_to(ear),
        cid=CID,
        source_name="Halle Süd",
        priority=150,
        now=now,
        **values,
    )


def heard(ear: Ear) -> Sacn:
    datagram = ear.until(lambda d: d[18:22] == b"\0\0\0\4")
    assert len(datagram) == 638
    return sacn(datagram)


def test_e131_is_understood_by_a_receiver_of_others(ear: Ear) -> None:
    """ANSI E1.31 table 4-1: two universes, since 200 pixels have 600 values."""
    lamps = e131(ear)
    picture = bytes(i % 251 for i in range(600))

    lamps.send(picture)
    first, second = heard(ear), heard(ear)

    assert first == Sacn(
        universe=9,
        sequence=first.sequence,
        priority=150,
        source_name="Halle Süd",
        cid=CID,
        terminated=False,
        preview=False,
        synchronised=False,
        start_code=0,
        data=picture[:510] + bytes(2),
    )
    assert second.universe == 10
    assert second.data == picture[510:] + bytes(512 - 90)
    lamps.close()


def test_e131_counts_each_universe_by_itself_and_goes_round(ear: Ear) -> None:
    lamps = e131(ear, size=3)
    lamps.send(b"abc")
    first = heard(ear).sequence

    seen: list[int] = []
    for _ in range(257):
        lamps.send(b"abc")
        seen.append(heard(ear).sequence)

    assert seen == [(first + 1 + i) % 256 for i in range(257)]
    lamps.close()


def test_e131_says_three_times_that_the_stream_has_ended(ear: Ear) -> None:
    """E1.31 §6.2.6."""
    lamps = e131(ear, size=3, channel=4)
    lamps.send(b"abc")
    assert heard(ear).data[:7] == b"\0\0\0abc\0"

    lamps.close()

    last = [heard(ear) for _ in range(3)]
    assert all(packet.terminated for packet in last)
    assert len({packet.sequence for packet in last}) == 3


def test_e131_tells_every_ten_seconds_which_universes_there_are(ear: Ear) -> None:
    """E1.31 §8 and §12."""
    time = 0.0
    lamps = e131(ear, lambda: time)
    lists: list[list[int]] = []
    for _ in range(25):
        lamps.send(bytes(600))
        ear.next()
        ear.next()
        if time in (0.0, 10.0, 20.0):
            lists.append(sacn_universes(ear.next()))
        time += 1.0
    lamps.close()

    assert lists == [[9, 10]] * 3
    assert sacn(ear.next()).terminated, "nothing else has come"


def test_e131_has_a_group_for_each_universe() -> None:
    """E1.31 §9.3.1."""
    assert group_of(1) == "239.255.0.1"
    assert group_of(63_999) == "239.255.249.255"


def test_art_net_has_the_port_address_of_each_universe(ear: Ear) -> None:
    lamps = ArtNet(way_to(ear), port_address=0x12F, channel=1, size=513, width=3)
    picture = bytes(i % 251 for i in range(513))

    lamps.send(picture)
    first, second = art_dmx(ear.next()), art_dmx(ear.next())

    assert (first.port_address, second.port_address) == (0x12F, 0x130)
    assert first.data + second.data == picture + b"\0"
    assert len(second.data) == 4
    lamps.close()


def test_art_net_counts_from_1_to_255_since_0_means_uncounted(ear: Ear) -> None:
    lamps = ArtNet(way_to(ear), port_address=0, channel=3, size=3, width=3)

    seen: list[ArtDmx] = []
    for _ in range(257):
        lamps.send(b"abc")
        seen.append(art_dmx(ear.next()))

    assert [packet.sequence for packet in seen] == [*range(1, 256), 1, 2]
    assert seen[0].data == b"\0\0abc\0"
    lamps.close()


# --- a strip at an SPI port ---------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "rate"), [(3, 2.4e6), (4, 3.0e6)])
def test_a_strip_reads_its_bits_from_how_long_the_line_is_high(
    bits: int, rate: float, tmp_path: Path
) -> None:
    """WS2812B: high for 0.22…0.45 µs is a 0, for 0.58…1.0 µs a 1; low for 280 µs ends it."""
    port = tmp_path / "spi"
    picture = bytes(range(256)) + b"\xaa\x00\xff"
    lamps = Ws2812("", bits, lambda device, n: os.open(port, os.O_WRONLY | os.O_CREAT))
    lamps.write(picture)
    lamps.close()

    line = "".join(f"{byte:08b}" for byte in port.read_bytes())
    assert line.startswith("0")
    assert len(line) - line.rindex("1") > 280e-6 * rate
    read, at = "", line.index("1")
    while "1" in line[at:]:
        fall = line.index("0", at)
        high = (fall - at) / rate * 1e6
        read += "1" if 0.58 <= high <= 1.0 else "0"
        assert 0.22 <= high <= 0.45 or read[-1] == "1", high
        at = line.find("1", fall) if "1" in line[fall:] else len(line)
        assert (at - fall) / rate * 1e6 >= 0.22
    assert int(read, 2).to_bytes(len(read) // 8, "big") == picture


def test_every_byte_has_a_code_of_its_own() -> None:
    for bits in (3, 4):
        assert len({bytes(row) for row in encoding(bits)}) == 256


def test_what_is_no_spi_port_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="is no SPI port"):
        open_spi(str(tmp_path / "file"), 3)
    with pytest.raises(OSError, match="No such file"):
        open_spi(str(tmp_path / "none"), 3)


# --- a tower ------------------------------------------------------------------------------------


class Value(Enum):
    INACTIVE = 0
    ACTIVE = 1


class FakeGpiod:
    """The part of libgpiod that a tower needs; it remembers the lines."""

    line = types.SimpleNamespace(Value=Value, Direction=types.SimpleNamespace(OUTPUT="output"))

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.lamps: dict[int, bool] = {}
        self.released = False

    def LineSettings(self, **settings: Any) -> Any:  # noqa: N802
        return settings

    def request_lines(self, path: str, **wanted: Any) -> "FakeGpiod":
        self.asked = {"path": path} | wanted
        return self

    def set_values(self, values: dict[int, Value]) -> None:
        self.lamps |= {line: value is Value.ACTIVE for line, value in values.items()}

    def release(self) -> None:
        self.released = True


def test_a_tower_switches_its_lines_all_at_once_and_lets_go_of_them() -> None:
    library = FakeGpiod()
    tower = Tower(library, "gpiochip0", [17, 4], active_low=True)

    tower.write(b"\1\0")
    lit = dict(library.lamps)
    tower.write(b"\0\1")
    tower.close()

    assert library.asked["path"] == "/dev/gpiochip0"
    [(lines, settings)] = library.asked["config"].items()
    assert lines == (17, 4)
    assert settings["active_low"]
    assert settings["output_value"] is Value.INACTIVE
    assert lit == {17: True, 4: False}
    assert library.lamps == {17: False, 4: True}
    assert library.released


# --- what is attached to this machine -----------------------------------------------------------


class SlowPort:
    """A port that shows a picture when it may."""

    def __init__(self) -> None:
        self.shown: list[bytes] = []
        self.free = threading.Semaphore(0)
        self.closed = threading.Event()
        self.broken = ""

    def write(self, levels: bytes) -> None:
        assert self.free.acquire(timeout=20)
        if self.broken:
            raise OSError(5, self.broken)
        self.shown.append(levels)

    def close(self) -> None:
        self.closed.set()


def problem_of(lamps: Lamps) -> str:
    try:
        lamps.check()
    except OSError as error:
        return str(error)
    return ""


def test_a_slow_port_shows_the_newest_picture_and_the_last_before_it_is_closed() -> None:
    port = SlowPort()
    lamps = Attached("strip", lambda: port)

    for picture in (b"1", b"2", b"3"):
        lamps.send(picture)
    port.free.release()
    wait_until(lambda: len(port.shown) == 1)
    lamps.send(b"4")
    lamps.send(b"5")
    lamps.close()
    for _ in range(4):
        port.free.release()

    assert port.closed.wait(20)
    assert port.shown[-1] == b"5"
    assert port.shown[0] in (b"1", b"2", b"3")
    assert len(port.shown) <= 3


def test_a_port_that_cannot_be_had_is_told_and_tried_with_the_next_picture() -> None:
    port = SlowPort()
    port.free.release()
    tries: list[str] = []

    def open_port() -> SlowPort:
        tries.append("try")
        if len(tries) == 1:
            raise OSError(2, "No such file or directory")
        return port

    lamps = Attached("/dev/spidev0.0", open_port)
    lamps.send(b"1")
    wait_until(lambda: problem_of(lamps) == "/dev/spidev0.0: No such file or directory")
    with pytest.raises(OSError, match="No such file"):
        lamps.send(b"2")
    wait_until(lambda: problem_of(lamps) == "")

    assert port.shown == [b"2"]
    lamps.close()
    assert port.closed.wait(20)


def test_a_strip_that_hears_nothing_for_long_is_made_safe_until_it_hears_again() -> None:
    """When the loop is stuck, nobody else would: a receiver in the network has a timeout."""
    port = SlowPort()
    for _ in range(3):
        port.free.release()
    lamps = Attached("strip", lambda: port, b"safe", patience=0.02)

    lamps.send(b"1")
    wait_until(lambda: port.shown == [b"1", b"safe"])
    lamps.send(b"2")
    wait_until(lambda: b"2" in port.shown)

    port.free.release()
    lamps.close()
    assert port.closed.wait(20)


def test_a_strip_that_is_to_be_left_stays_as_it_is() -> None:
    port = SlowPort()
    for _ in range(2):
        port.free.release()
    lamps = Attached("strip", lambda: port, None, patience=0.001)
    lamps.send(b"1")
    wait_until(lambda: port.shown == [b"1"])

    lamps.send(b"2")
    wait_until(lambda: port.shown == [b"1", b"2"])
    lamps.close()

    assert port.closed.wait(20)


@pytest.mark.parametrize(
    ("limit", "write", "said"),
    [(20, "time.sleep(0.1); print('last')", "last\n"), (0.01, "threading.Event().wait()", "")],
)
def test_the_process_waits_for_the_last_picture_but_not_for_ever(
    limit: float, write: str, said: str
) -> None:
    program = f"""
import threading, time
from sipstrobe.io.lights import attached

class Port:
    def write(self, levels): {write}
    def close(self): pass

attached.CLOSE_LIMIT = {limit}
lamps = attached.Attached("strip", Port)
lamps.send(b"last")
lamps.close()
"""
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=30)
    assert ended.stdout == said


def test_a_port_that_breaks_is_closed_and_opened_anew() -> None:
    ports = [SlowPort(), SlowPort()]
    ports[0].broken, waiting = "Input/output error", list(ports)
    for port in ports:
        port.free.release()
    lamps = Attached("strip", lambda: waiting.pop(0))

    lamps.send(b"1")
    assert ports[0].closed.wait(20)
    wait_until(lambda: problem_of(lamps) == "strip: Input/output error")
    with pytest.raises(OSError, match="Input"):
        lamps.send(b"2")
    wait_until(lambda: ports[1].shown == [b"2"])

    lamps.close()
    assert ports[1].closed.wait(20)


def test_a_picture_that_is_too_long_for_the_port_says_what_to_do(tmp_path: Path) -> None:
    """A datagram socket refuses what is too long just as spidev does (EMSGSIZE)."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    lamps = Ws2812("", 4, lambda device, n: os.dup(ours.fileno()))

    lamps.write(bytes(30))
    with pytest.raises(OSError, match=r"has \d+ bytes: give spidev a larger bufsiz"):
        lamps.write(bytes(60_000))

    lamps.close()
    ours.close()
    theirs.close()


def test_a_missing_library_is_said_in_words() -> None:
    def missing() -> Any:
        raise OSError("the Python package gpiod is missing")

    lamps = Attached("gpiochip0", lambda: Tower(missing(), "gpiochip0", [1], active_low=False))
    lamps.send(b"\1")

    wait_until(lambda: problem_of(lamps) == "gpiochip0: the Python package gpiod is missing")
    cast(Lamps, lamps).close()
