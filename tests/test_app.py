"""The whole device: what it says at the start, and who stays when one part fails."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.app import Device, Started, run
from sipstrobe.clock import LoopClock
from sipstrobe.config.first_start import prepare
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.control import SOCKET, call
from sipstrobe.errors import ConfigError
from sipstrobe.options import Options
from tests.services.phones import HOST, Peer
from tests.support.ports import free_port
from tests.support.waiting import until

QUIET = Options(state=Path("unused"), sound="null", light="none")


# --- running -----------------------------------------------------------------------------------


class House:
    """A device that runs in this process."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.options = replace(QUIET, state=folder, **options)
        self.store = Store.open(folder)
        prepare(self.store, demo=self.options.demo, put=self.options.put)
        context = Context(LoopClock(asyncio.get_running_loop()))
        self.device = Device(context, self.store, self.options)
        self._stack = AsyncExitStack()

    async def start(self) -> Started:
        await self.device.start(self._stack)
        await self.device.settle()
        await self.device.phone.transports.ready()
        return self.device.started("")

    async def stop(self) -> None:
        await self._stack.aclose()
        self.store.close()

    @property
    def page(self) -> list[tuple[str, int]]:
        return self.device.started("").page

    @property
    def problems(self) -> list[str]:
        return self.device.started("").problems


@pytest.fixture
async def houses(tmp_path: Path) -> AsyncIterator[list[House]]:
    """Those that a test has started, the first in a folder of its own."""
    started: list[House] = []
    yield started
    for house in started:
        await house.stop()


def house(tmp_path: Path, houses: list[House], **options: Any) -> House:
    houses.append(House(tmp_path / "state", **{"http": (HOST, 0)} | options))
    return houses[-1]


async def page(address: tuple[str, int]) -> bytes:
    """The first line of the answer to GET /."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    line = await reader.readline()
    writer.close()
    return line.strip()


async def test_a_call_to_the_demonstration_lights_its_light(
    tmp_path: Path, houses: list[House]
) -> None:
    port = free_port()
    tls = free_port()
    it = house(tmp_path, houses, demo=True, put=(("/sip/port", port), ("/sip/tls_port", tls)))

    started = await it.start()
    peer = Peer()
    peer.to = (HOST, port)
    peer.request("INVITE", body=peer.sdp())
    await peer.told(200)
    peer.request("ACK")

    running = [(o.function.value, o.pattern) for o in it.device.signals.status()]
    assert sorted(running) == [
        ("AudioSpeaker", "Notification: Message"),
        ("SignalingLED", "Pulse"),
    ]
    assert started.problems == []
    ports = (f"UDP {port}", f"TCP {port}", f"TLS {tls}")
    assert started.listening == [f"{at} (IPv4, IPv6)" for at in ports]
    assert (started.sound, started.lights) == ("null", {"none": ""})
    assert await page(started.page[0]) == b"HTTP/1.1 200 OK"

    stopping = asyncio.ensure_future(houses.pop().stop())
    peer.respond(await peer.asked("BYE"), 200)
    await stopping
    peer.close()
    assert not (tmp_path / "state" / SOCKET).exists()


async def test_a_page_whose_address_is_taken_is_a_problem_and_calls_go_on(
    tmp_path: Path, houses: list[House]
) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        address = taken.getsockname()
        it = house(
            tmp_path,
            houses,
            demo=True,
            put=(("/sip/port", port), ("/sip/tls_port", free_port())),
            http=address,
        )

        started = await it.start()

        assert started.page == []
        assert len(started.problems) == 1
        assert started.problems[0].startswith("page: ")
        assert "already in use" in started.problems[0]
        assert started.listening

    await until(lambda: it.page)  # it is tried again
    assert it.problems == []
    assert await page(it.page[0]) == b"HTTP/1.1 200 OK"


async def test_the_page_moves_with_its_setting(tmp_path: Path, houses: list[House]) -> None:
    here, there = free_port(), free_port()
    put = (("/web/host", HOST), ("/web/port", here), ("/web/mode", "http"))
    it = house(tmp_path, houses, put=put, http=None)
    assert (await it.start()).page == [(HOST, here)]

    for port in (there, here, there):  # however quickly people change their mind
        await it.device.settings.put("/web/port", port)
    await until(lambda: it.page == [(HOST, there)])

    assert await page((HOST, there)) == b"HTTP/1.1 200 OK"
    with pytest.raises(ConnectionRefusedError):
        await page((HOST, here))
    assert it.problems == []


async def test_a_page_whose_address_this_run_has_set_stays_there(
    tmp_path: Path, houses: list[House]
) -> None:
    it = house(tmp_path, houses)
    before = (await it.start()).page

    await it.device.settings.put("/web/port", free_port())

    assert it.page == before
    assert await page(before[0]) == b"HTTP/1.1 200 OK"


async def test_options_of_a_run_go_before_settings_and_are_not_stored(
    tmp_path: Path, houses: list[House]
) -> None:
    wav = tmp_path / "out.wav"
    it = house(tmp_path, houses, sound=f"wav:{wav}", light=f"log:{tmp_path / 'light'}")

    started = await it.start()
    await it.device.settings.change({"audio": {"volume_db": -6.0, "output": "null"}})

    assert started.sound == f"wav:{wav}"
    assert list(started.lights) == [f"log:{tmp_path / 'light'}"]
    assert it.device.started("").sound == f"wav:{wav}"
    assert it.device.sound.snapshot()["volume_db"] == -6.0
    assert it.store.current.lights.outputs == ("virtual",)


async def test_without_options_the_settings_hold(tmp_path: Path, houses: list[House]) -> None:
    put = (("/audio/output", "null"), ("/lights/outputs", ["none"]))
    it = house(tmp_path, houses, sound=None, light=None, put=put)

    started = await it.start()

    assert (started.sound, list(started.lights)) == ("null", ["none"])


async def test_the_command_line_reaches_the_running_device(
    tmp_path: Path, houses: list[House]
) -> None:
    it = house(tmp_path, houses)
    await it.start()

    words = {"do": "put", "pointer": "/device/name", "value": "Hall"}
    assert await asyncio.to_thread(call, tmp_path / "state", words) == ["/device/name"]

    assert it.store.current.device.name == "Hall"


async def test_a_device_that_the_command_line_cannot_reach_runs_nevertheless(
    tmp_path: Path, houses: list[House]
) -> None:
    """A path of more than 107 bytes cannot be the name of a socket (unix(7))."""
    deep = tmp_path / ("x" * 120)
    houses.append(House(deep, http=(HOST, 0)))

    started = await houses[0].start()

    [problem] = started.problems
    assert problem.startswith("control: the command line cannot reach this device")
    assert started.page


async def test_an_output_that_does_not_work_is_a_problem(
    tmp_path: Path, houses: list[House]
) -> None:
    missing = tmp_path / "nowhere" / "out.wav"
    it = house(tmp_path, houses, sound=f"wav:{missing}", light=f"log:{missing}")

    started = await it.start()

    assert len(started.problems) == 2
    assert all("No such file" in problem for problem in started.problems)
    assert started.page


# --- from the command line ---------------------------------------------------------------------


@pytest.fixture
def interpreter() -> Iterator[None]:
    """Running a device changes how the interpreter works; afterwards it is as before."""
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("interpreter")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    told: list[Started] = []
    options = replace(
        QUIET,
        state=tmp_path / "state",
        demo=True,
        put=(("/sip/port", free_port()), ("/sip/tls_port", free_port())),
        http=(HOST, 0),
    )

    def announce(started: Started) -> None:
        told.append(started)
        os.kill(os.getpid(), number)

    await asyncio.wait_for(run(options, announce), 20)

    [started] = told
    assert started.password
    assert started.password not in repr(started)
    with contextlib.closing(Store.open(tmp_path / "state")) as store:
        assert store.current.web.users[0].proves(started.password)


@pytest.mark.usefixtures("interpreter")
async def test_what_cannot_start_leaves_the_folder_to_others(tmp_path: Path) -> None:
    options = replace(QUIET, state=tmp_path, put=(("/sip/port", 1),))

    with pytest.raises(ConfigError):
        await run(options, lambda started: None)
    Store.open(tmp_path).close()
