"""What the web door says when something behind it is broken, and who is kept outside."""

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import (
    ClientSession,
    ClientWebSocketResponse,
    DigestAuthMiddleware,
    WSMsgType,
)
from hypothesis import example, given
from hypothesis import strategies as st

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import StartProfile
from sipstrobe.config.access import BruteForce
from sipstrobe.config.files import Memory
from sipstrobe.config.settings import WebSettings
from sipstrobe.context import Context
from sipstrobe.errors import ConfigError, RemoteProtocolError
from sipstrobe.events import Function
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.trace import Cause, Input
from sipstrobe.web import pages
from sipstrobe.web.accounts import added
from sipstrobe.web.compat.siren_and_light import PATH, SirenAndLight
from sipstrobe.web.connections import CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, WRITE_TIME
from sipstrobe.web.denied import Denied
from sipstrobe.web.describe import CHAIN_MAX, chain
from sipstrobe.web.exchange import BODY_MAX_BYTES, Request, Response, Route
from sipstrobe.web.gate import Gate
from sipstrobe.web.live import FRAME_SPACING, Live
from sipstrobe.web.router import Router
from sipstrobe.web.server import STORING_LIMIT
from sipstrobe.web.views import Frame
from tests.support.clock import FakeClock
from tests.support.leap import LeapClock
from tests.support.waiting import PATIENCE, until
from tests.support.web import PASSWORDS, USERS, Device, FullDisk
from tests.web.conftest import PROFILES


def client(url: str) -> ClientSession:
    return ClientSession(url, middlewares=(DigestAuthMiddleware("ada", PASSWORDS["ada"]),))


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    async with client(url) as session:
        yield session


async def call(session: ClientSession, method: str, **params: Any) -> Any:
    body = json.dumps({"apiVersion": "1.0", "context": "c", "method": method, "params": params})
    async with session.post(PATH, data=body) as response:
        assert response.status == 200
        return await response.json()


# --- a disk that does not listen ---------------------------------------------------------------


async def test_what_could_not_be_stored_is_an_error_and_not_in_effect(context: Context) -> None:
    disk = FullDisk()
    device = Device.make(context, in_background=True, files=disk)
    disk.full = True
    async with device.served() as url, client(url) as session:
        reply = await call(session, "addProfile", name="Bell")
        async with session.post(
            "/api/v1/commands/set-maintenance", json={"active": True}
        ) as response:
            problem = await response.json()

    assert (reply["method"], reply["context"], reply["error"]["code"]) == ("addProfile", "c", 1100)
    assert response.status == 500
    assert problem["detail"] == "the settings could not be stored"
    assert device.store.current.profiles == ()
    assert not device.store.current.maintenance.active


class StuckDisk(Memory):
    """A disk that takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.moves = threading.Event()
        self.moves.set()

    def write(self, name: str, data: bytes, *, mode: int) -> None:
        self.moves.wait()
        super().write(name, data, mode=mode)


async def test_a_disk_that_hangs_holds_up_no_alarm() -> None:
    clock, disk = LeapClock(), StuckDisk()
    device = Device.make(Context(clock), in_background=True, files=disk, profiles=PROFILES)
    changes = device.changes
    assert changes is not None
    disk.moves.clear()
    try:
        async with device.served() as url, client(url) as session:
            storing = changes.change({"device": {"name": "slow"}})
            starting = asyncio.create_task(call(session, "start", profile="Evacuate"))
            await asyncio.sleep(0.3)
            clock.leap(STORING_LIMIT)
            reply = await starting
            disk.moves.set()
            await storing
    finally:
        disk.moves.set()

    assert reply["data"] == {"sirenId": 1, "lightId": 1}


async def test_changes_of_many_clients_at_once_are_all_kept(
    session: ClientSession, device: Device
) -> None:
    replies = await asyncio.gather(
        *(call(session, "addProfile", name=f"Profile {n}") for n in range(12))
    )

    assert all(reply.get("data") == {} for reply in replies)
    assert len(device.store.current.profiles) == 14


async def test_a_profile_that_a_rule_needs_stays(session: ClientSession, device: Device) -> None:
    pressed = Condition(event="input/manual_trigger", match={"active": "true"})
    rule = Rule(name="Bell", conditions=(pressed,), action=RunProfile(profile="Door"))
    device.store.change_now({"rules": (rule,)})

    reply = await call(session, "removeProfile", name="Door")

    assert reply["error"]["code"] == 1202
    assert "there is no profile 'Door'" in reply["error"]["message"]


# --- a service that is broken ------------------------------------------------------------------


async def test_a_fault_of_ours_is_an_internal_error_without_a_traceback(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    device = Device.make(context)

    def broken() -> Any:
        raise ZeroDivisionError("of ours")

    views = replace(device.views(), operations=broken)
    async with device.served(views) as url, client(url) as session:
        reply = await call(session, "getStatus")
        async with session.get("/api/v1/status") as response:
            problem = await response.json()

    assert reply["error"] == {"code": 1100, "message": "Internal error"}
    assert (response.status, problem["status"]) == (500, 500)
    assert "ZeroDivisionError" not in json.dumps([reply, problem])
    assert caplog.text.count("ZeroDivisionError: of ours") == 2


def test_without_its_service_an_order_is_not_available() -> None:
    """1200: not initialised."""
    context = Context(FakeClock(), random_bytes=bytes)
    device = Device.make(context, profiles=PROFILES)
    nobody = Dispatcher(context.clock, context.trace)
    cgi = SirenAndLight(
        nobody,
        context.clock,
        device.views(),
        lambda: device.store.current.profiles,
        lambda: device.store.current.clips,
    )
    body = b'{"apiVersion":"1.0","method":"start","params":{"profile":"Door"}}'

    response = cgi.routes()[0].handler(Request(method="POST", path=PATH, target=PATH, body=body))

    assert isinstance(response, Response)
    assert json.loads(response.body)["error"]["code"] == 1200


@pytest.mark.parametrize(
    ("raised", "status"),
    [(RemoteProtocolError("odd", status=488), 488), (ConfigError(()), 422), (KeyError("x"), 500)],
)
@pytest.mark.parametrize("path", ["/x/y\nz", "/x/y\nz/later"])
async def test_whatever_a_handler_raises_there_is_an_answer(
    raised: Exception, status: int, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(_: Request) -> Response:
        raise raised

    async def later(_: Request) -> Response:
        raise raised

    context = Context(FakeClock(), random_bytes=bytes)
    routes = [
        Route(method="GET", path="/x/*", handler=handler, role=None),
        Route(method="GET", path="/x/*/later", handler=later, role=None),
    ]
    router = Router(context, Gate(lambda: WebSettings(users=USERS), bytes), routes)

    response = await router.respond(Request(method="GET", path=path, target="/x/y%0Az"))

    assert response.status == status
    assert json.loads(response.body)["status"] == status
    assert not any("\n" in message for message in caplog.messages), "a request makes one line"


# --- who takes too much ------------------------------------------------------------------------


async def test_one_address_has_so_many_connections_and_no_more(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    held = [
        await asyncio.open_connection(host, int(port)) for _ in range(CONNECTIONS_PER_ADDRESS_MAX)
    ]

    reader, writer = await asyncio.open_connection(host, int(port))
    assert await reader.read() == b"", "one more is closed at once"
    elsewhere = await asyncio.open_connection(host, int(port), local_addr=("127.0.0.8", 0))
    elsewhere[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

    assert b"200 OK" in await elsewhere[0].readline(), "others come in"
    for _, open_writer in (*held, (reader, writer), elsewhere):
        open_writer.close()


async def test_who_holds_many_connections_and_asks_nothing_keeps_nobody_out(url: str) -> None:
    """Not even from many addresses, nor with heads that never end."""
    host, port = url.removeprefix("http://").split(":")

    async def held(number: int) -> asyncio.StreamWriter:
        address = f"127.0.0.{11 + number % 3}"
        reader, writer = await asyncio.open_connection(host, int(port), local_addr=(address, 0))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()  # so that it is inside
        writer.write(b"GET / HTTP/1.1\r\nHost:")
        return writer

    writers = [await held(number) for number in range(CONNECTIONS_MAX + 10)]

    for _ in range(3):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in await reader.readline()
        writers.append(writer)
    for writer in writers:
        writer.close()


async def test_a_listener_who_says_too_much_is_cut_off(session: ClientSession) -> None:
    """Each word is a turn of the loop, and nobody has so much to say."""
    async with session.get("/api/v1/status"):
        pass  # the challenge
    async with session.ws_connect("/api/v1/live", autoping=False) as feed:
        await feed.ping()
        async with asyncio.timeout(PATIENCE):
            while (await feed.receive()).type is not WSMsgType.PONG:
                pass  # what is told
            with pytest.raises(ConnectionError):
                await _chatter(feed)


async def _chatter(feed: ClientWebSocketResponse) -> None:
    while True:
        await feed.send_str("sound")
        await asyncio.sleep(0)


async def test_who_takes_no_answer_loses_the_connection() -> None:
    """Else 64 sockets that ask and never read would shut the door for good."""
    clock = FakeClock()
    device = Device.make(Context(clock))
    async with device.served() as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=4096)
        files = [route.path for route in pages.routes() if route.path.endswith(".js")]
        path = next(p for p in files if p.startswith("/static/ui/assets/index-"))
        writer.write(b"GET /api/v1/session HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readline()  # so that it is inside
        timers = clock.waiting
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 2000)
        await until(lambda: clock.waiting > timers)  # nothing moves any more
        clock.advance(WRITE_TIME + 1)

        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while await reader.read(1 << 20):
                    pass
        writer.close()


async def test_a_body_without_a_length_is_bounded_too_and_can_be_announced(
    session: ClientSession,
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(2 * BODY_MAX_BYTES // 4096):
            yield b" " * 4096

    async with session.get("/api/v1/status"):
        pass  # the challenge
    async with session.post("/api/v1/commands/hang-up", data=endless()) as response:
        assert response.status == 413
    async with session.post(PATH, data=b"{}", expect100=True) as response:
        assert (await response.json())["error"]["code"] == 2103


def test_a_light_that_changes_a_thousand_times_a_second_is_told_sixty_times() -> None:
    clock = FakeClock()
    context = Context(clock, random_bytes=bytes)
    device = Device.make(context)
    shown: list[Any] = []
    live = Live(context, _with_frames(device, shown), dict)
    listener = live.listen()
    waiting = listener._waiting  # pyright: ignore[reportPrivateUsage]
    waiting.clear()
    frames: list[Any] = []
    for n in range(1000):
        clock.advance(0.001 if n < 999 else 0.1)
        shown[0](tuple(_Side("red", n / 1000) for _ in range(4)))
        clock.advance(0.1 if n == 999 else 0.0)
        frames += [m for m in map(json.loads, waiting) if m["type"] == "frame"]
        waiting.clear()

    assert 30 < len(frames) <= 1.2 / FRAME_SPACING
    assert frames[-1]["sides"][0] == ["red", 0.999], "the last one is always told"


def test_who_comes_later_is_shown_nothing_that_was_left_waiting() -> None:
    clock = FakeClock()
    context = Context(clock, random_bytes=bytes)
    shown: list[Any] = []
    live = Live(context, _with_frames(Device.make(context), shown), dict)
    first = live.listen()
    clock.advance(1.0)
    for color in ("red", "blue"):  # the second comes too soon, and waits for the tick
        shown[0](tuple(_Side(color, 1.0) for _ in range(4)))
    first.close()

    later = live.listen()
    clock.advance(1.0)

    waiting = later._waiting  # pyright: ignore[reportPrivateUsage]
    frames = [m for m in map(json.loads, waiting) if m["type"] == "frame"]
    assert [frame["sides"][0] for frame in frames] == [["", 0.0], ["", 0.0]]


class _Side:
    def __init__(self, color: str, level: float) -> None:
        self.color = color
        self.level = level


def _with_frames(device: Device, shown: list[Any]) -> Any:
    def watch(watcher: Any, light: Function) -> Any:
        shown.append(watcher)
        return shown.clear

    def no_light(light: Function) -> Frame:
        return dark

    dark = tuple(_Side("", 0.0) for _ in range(4))
    return replace(device.views(), watch_frames=watch, frame=no_light)


# --- words -------------------------------------------------------------------------------------


def test_of_a_long_chain_both_ends_are_told() -> None:
    cause = Cause(0, 0.0, Input("datagram", "x" * 900))
    for n in range(1, 100):
        cause = Cause(n, 0.0, StartProfile(profile=str(n)), cause)

    told = chain(cause)

    assert len(told) == CHAIN_MAX
    assert (told[0]["serial"], told[-1]["serial"]) == (99, 0)
    assert len(str(told[-1]["items"])) < 230


def test_an_account_takes_the_place_of_the_one_of_its_name() -> None:
    patch = added(USERS, USERS[0])

    assert [user.name for user in patch["web"]["users"]] == ["olga", "victor", "ada"]


@given(st.sampled_from(sorted(PASSWORDS)), st.text(max_size=40))
@example("olga", "\ud800")
def test_any_password_is_right_or_wrong(name: str, password: str) -> None:
    patient = BruteForce(enabled=False)
    gate = Gate(lambda: WebSettings(users=USERS, brute_force=patient), bytes)
    request = Request(method="POST", path="/", target="/", peer=name)
    right = PASSWORDS[name] == password
    with contextlib.nullcontext() if right else pytest.raises(Denied):
        asyncio.run(gate.log_in(request, name, password))
    gate.close()
