"""The whole device: what it says at the start, and who stays when one part fails."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sipstrobe.app import Device, Started, run
from sipstrobe.clock import LoopClock
from sipstrobe.config.first_start import prepare
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.control import SOCKET, call
from sipstrobe.errors import ConfigError
from sipstrobe.io.identity import LIFE, RENEWED_BEFORE, fingerprint
from sipstrobe.options import Options
from tests.services.phones import HOST, Peer
from tests.support.ports import free_port
from tests.support.waiting import until

QUIET = Options(state=Path("unused"), sound="null", light="none")


# --- running -----------------------------------------------------------------------------------


class Calendar(LoopClock):
    """The clock of a device, whose calendar a test sets."""

    ahead = timedelta()

    def wall(self) -> datetime:
        return super().wall() + self.ahead


class House:
    """A device that runs in this process."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.options = replace(QUIET, state=folder, **options)
        self.store = Store.open(folder)
        prepare(self.store, demo=self.options.demo, put=self.options.put)
        self.clock = Calendar(asyncio.get_running_loop())
        context = Context(self.clock)
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
    here, there, elsewhere = free_port(), free_port(), free_port()
    put = (("/web/host", HOST), ("/web/port", here), ("/web/mode", "http"))
    it = house(tmp_path, houses, put=put, http=None)
    assert (await it.start()).page == [(HOST, here)]

    for port in (elsewhere, here, there):  # however quickly people change their mind
        await it.device.settings.put("/web/port", port)
    await until(lambda: it.page == [(HOST, there)])

    assert await page((HOST, there)) == b"HTTP/1.1 200 OK"
    for left in (here, elsewhere):
        with pytest.raises(ConnectionRefusedError):
            await page((HOST, left))
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


class Encrypted:
    """A connection over TLS, of somebody who trusts everybody. shown: the fingerprint."""

    def __init__(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        self._reader, self._writer = streams
        tls = self._writer.get_extra_info("ssl_object")
        self.shown = fingerprint(ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True)))

    @classmethod
    async def to(cls, port: int) -> "Encrypted":
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        return cls(await asyncio.open_connection(HOST, port, ssl=trusting))

    async def ask(self, first: str, *headers: str) -> str:
        """The first line of the answer, which has no body."""
        self._writer.write("\r\n".join([first, *headers, "", ""]).encode())
        return (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0]

    async def head(self) -> str:
        return await self.ask("HEAD / HTTP/1.1", f"Host: {HOST}")

    async def options(self, number: int) -> str:
        return await self.ask(
            f"OPTIONS sip:1001@{HOST} SIP/2.0",
            f"Via: SIP/2.0/TLS {HOST}:5061;branch=z9hG4bK{number}",
            f"From: <sip:peer@{HOST}>;tag=p",
            f"To: <sip:1001@{HOST}>",
            f"Call-ID: options-{number}",
            f"CSeq: {number} OPTIONS",
            "Max-Forwards: 70",
            "Content-Length: 0",
        )

    def close(self) -> None:
        self._writer.close()


async def test_a_device_that_runs_for_years_shows_a_certificate_that_holds(
    tmp_path: Path, houses: list[House]
) -> None:
    """The page and SIP show the next one before the end of the first; connections go on."""
    sip = free_port()
    put = (("/sip/port", free_port()), ("/sip/tls_port", sip))
    it = house(tmp_path, houses, demo=True, put=put, http=None, https=(HOST, 0))
    [(_, web)] = (await it.start()).secure_page
    before = [await Encrypted.to(web), await Encrypted.to(sip)]
    assert await before[0].head() == "HTTP/1.1 200 OK"
    assert await before[1].options(1) == "SIP/2.0 200 OK"
    assert before[0].shown == before[1].shown == it.device.page.fingerprint

    it.clock.ahead = LIFE - RENEWED_BEFORE + timedelta(days=1)
    await until(lambda: it.device.page.fingerprint != before[0].shown)

    after = [await Encrypted.to(web), await Encrypted.to(sip)]
    assert after[0].shown == after[1].shown == it.device.page.fingerprint
    assert await after[0].head() == await before[0].head() == "HTTP/1.1 200 OK"
    assert await after[1].options(2) == await before[1].options(3) == "SIP/2.0 200 OK"
    for connection in (*before, *after):
        connection.close()


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
