"""The API of the page: status, orders, metrics, and the live feed."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, DigestAuthMiddleware, WSMsgType
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.commands import SetVolume, StartProfile, StopAll
from sipstrobe.context import Context
from sipstrobe.events import Function, ManualTriggerChanged
from sipstrobe.web.commands import COMMANDS, read_body
from sipstrobe.web.exchange import HttpProblem
from sipstrobe.web.live import EARLY_MAX, LISTENERS_MAX, WAITING_MAX, Live
from tests.support.clock import FakeClock
from tests.support.web import PASSWORDS, USERS, Device, FakeCall

LIVE = "/api/v1/live"


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(url, middlewares=(digest,)) as session:
        yield session


async def order(session: ClientSession, name: str, **fields: Any) -> tuple[int, Any]:
    async with session.post(f"/api/v1/commands/{name}", json=fields) as response:
        return response.status, await response.json()


async def status_of(session: ClientSession) -> Any:
    async with session.get("/api/v1/status") as response:
        assert response.status == 200
        return await response.json()


# --- status ------------------------------------------------------------------------------------


async def test_the_status_tells_what_runs_and_why(session: ClientSession, device: Device) -> None:
    device.calls.append(FakeCall())
    await order(session, "start-profile", profile="Door")
    await order(session, "start-profile", profile="Evacuate")

    status = await status_of(session)

    functions = {f["name"]: f["operations"] for f in status["functions"]}
    assert list(functions) == ["SignalingLED", "AudioLED", "AudioSpeaker"]
    winner, hidden = functions["SignalingLED"]
    assert (winner["pattern"], winner["shown"], winner["seconds_left"]) == ("Flash 3x", True, None)
    assert (hidden["pattern"], hidden["shown"]) == ("Rotate", False)
    assert 59 < hidden["seconds_left"] <= 60
    why = [(link["kind"], link["name"]) for link in winner["why"]]
    assert why == [("command", "start-profile"), ("input", "http")]
    assert winner["why"][1]["items"]["words"].endswith("start-profile by olga from 127.0.0.1")
    assert [p["running"] for p in status["profiles"]] == [True, True]
    assert status["calls"][0]["codec"] == "PCMU"
    assert status["maintenance"] == {"active": False, "until": None}
    assert status["device"]["version"]
    assert status["triggers"] == [{"trigger": 1, "name": "Manual trigger 1", "active": False}]


async def test_viewers_look_and_change_nothing(url: str, device: Device) -> None:
    """ACC-04."""
    digest = DigestAuthMiddleware("victor", PASSWORDS["victor"])
    async with ClientSession(url, middlewares=(digest,)) as session:
        assert (await status_of(session))["functions"]
        status, problem = await order(session, "start-profile", profile="Door")
    assert status == 401
    assert problem["detail"] == "this needs the role operator"
    assert device.running(Function.SIGNALING_LED) == []


async def test_metrics_are_for_this_machine_and_for_viewers(
    url: str, session: ClientSession
) -> None:
    await order(session, "start-profile", profile="Door")
    async with ClientSession(url) as anonymous:
        async with anonymous.get("/metrics") as response:
            assert response.status == 200
            assert response.content_type == "text/plain"
            text = await response.text()
        async with anonymous.get("/metrics", headers={"X-Forwarded-For": "::1"}) as response:
            assert response.status == 401, "a proxy's clients are not this machine"
    assert "# TYPE input_to_light_seconds histogram" in text
    assert "http_requests_total" in text


# --- orders ------------------------------------------------------------------------------------


async def test_orders_are_carried_out_or_refused_with_the_reason(
    session: ClientSession, device: Device
) -> None:
    device.calls.append(FakeCall(state="ringing"))

    assert await order(session, "start-profile", profile="Nobody") == (
        409,
        {
            "type": "about:blank",
            "title": "Conflict",
            "status": 409,
            "detail": "there is no profile 'Nobody'",
            "code": "unknown_profile",
        },
    )
    ids = [{"function": "SignalingLED", "id": 1}]
    assert await order(session, "start-profile", profile="Door") == (200, {"result": ids})
    assert await order(session, "stop-operations", operations=ids) == (200, {"result": None})
    assert (await order(session, "answer-call", call="c1"))[0] == 200
    assert device.calls[0].state == "active"
    assert (await order(session, "hang-up", call="c1"))[0] == 200
    assert device.calls == []
    assert (await order(session, "add-source", owner="me"))[0] == 404, "that is for services"


async def test_the_volume_is_an_order_too(session: ClientSession, device: Device) -> None:
    """For programs: until the settings next say otherwise."""
    heard: list[SetVolume] = []
    device.context.dispatcher.serve(SetVolume, heard.append)

    assert await order(session, "set-volume", volume_db=-6, muted=False) == (200, {"result": None})
    assert (await order(session, "set-volume", muted=1))[0] == 400

    assert heard == [SetVolume(volume_db=-6.0, muted=False)]


async def test_a_manual_trigger_is_pressed_and_released(
    session: ClientSession, device: Device
) -> None:
    heard: list[bool] = []
    device.context.bus.subscribe(ManualTriggerChanged, lambda e: heard.append(e.active))

    assert (await order(session, "set-manual-trigger", trigger=1, active=True))[0] == 200
    assert (await status_of(session))["triggers"][0]["active"] is True
    assert (await order(session, "set-manual-trigger", trigger=1, active=False))[0] == 200
    assert (await order(session, "set-manual-trigger", trigger=7, active=True))[0] == 409

    assert heard == [True, False]


async def test_maintenance_is_stored_before_the_answer(
    session: ClientSession, device: Device
) -> None:
    assert (await order(session, "set-maintenance", active=True, seconds=60))[0] == 200

    assert device.store.current.maintenance.active
    assert (await status_of(session))["maintenance"]["until"]


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("start-profile", {}, "profile"),
        ("start-profile", {"profile": 7}, "profile"),
        ("start-profile", {"profile": "Door", "loud": True}, "loud"),
        ("stop-all", {"functions": ["Horn"]}, "functions[...]"),
        ("stop-operations", {"operations": [{"function": "AudioLED"}]}, "operations[0]"),
        ("set-manual-trigger", {"trigger": 1, "active": "yes"}, "active"),
    ],
)
async def test_a_wrong_field_is_named(
    session: ClientSession, name: str, body: dict[str, Any], field: str
) -> None:
    status, problem = await order(session, name, **body)

    assert status == 400
    assert problem["field"].split("[")[0] in (field.split("[")[0], "id")


def test_every_order_has_a_name_of_its_own() -> None:
    assert COMMANDS["start-profile"] is StartProfile
    assert COMMANDS["stop-all"] is StopAll
    body = b'{"functions":["AudioLED"]}'
    assert read_body(StopAll, body) == StopAll(functions=(Function.AUDIO_LED,))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(COMMANDS.values())), st.binary(max_size=60) | st.just(b"[" * 9999))
def test_any_bytes_are_a_command_or_a_problem(kind: Any, body: bytes) -> None:
    try:
        assert isinstance(read_body(kind, body), kind)
    except HttpProblem:
        return


# --- the live feed -----------------------------------------------------------------------------


async def hear(socket: ClientWebSocketResponse, kind: str) -> Any:
    """The next message of this kind."""
    async with asyncio.timeout(30):
        while (message := await socket.receive_json())["type"] != kind:
            pass
        return message


async def test_a_listener_hears_the_state_first_and_then_frames_events_and_levels(
    session: ClientSession, device: Device
) -> None:
    device.calls.append(FakeCall())
    async with session.ws_connect(LIVE) as live:
        first = [(await live.receive_json())["type"] for _ in range(5)]
        assert first == ["hello", "state", "events", "frame", "frame"]

        await order(session, "start-operation", function="SignalingLED", pattern="Steady")

        frame = await hear(live, "frame")
        assert frame["light"] == "SignalingLED"
        assert frame["sides"] == [["red", 0.4]] * 4
        events = await hear(live, "events")
        shown = [link["name"] for link in events["events"][-1]["chain"]]
        assert shown == ["signal/operation", "start-operation", "http"]
        state = await hear(live, "state")
        assert state["state"]["functions"][0]["operations"][0]["pattern"] == "Steady"
        device.calls[0].level_db = -3.0
        assert (await hear(live, "levels"))["calls"] == {"c1": -3.0}


async def test_what_plays_is_told_to_those_who_look_at_it_and_computed_for_nobody_else(
    session: ClientSession, device: Device
) -> None:
    """Fifteen times a second: only while somebody has that view open."""
    device.sound = {"rms_db": -20.0, "sources": [{"owner": "in-1"}]}
    async with session.ws_connect(LIVE) as live, session.ws_connect(LIVE) as other:
        await live.send_str("sound")

        told = await hear(live, "sound")

        assert told["sound"]["sources"] == [{"owner": "in-1"}]
        assert "level_db" in told["microphone"]
        await live.send_str("overview")
        await hear(live, "state")
        device.sound = {"rms_db": -10.0, "sources": []}
        seen = [await live.receive_json() for _ in range(4)]
        seen += [await other.receive_json() for _ in range(10)]
        assert "sound" not in {message["type"] for message in seen}
        await other.send_bytes(b"sound")
        await other.send_str("sound")
        assert (await hear(other, "sound"))["sound"]["sources"] == []


async def test_who_comes_later_hears_what_was_before(
    session: ClientSession, device: Device
) -> None:
    await order(session, "start-profile", profile="Door")

    async with session.ws_connect(LIVE) as live:
        events = await hear(live, "events")

    assert events["events"][-1]["chain"][0]["items"]["pattern"] == "Rotate"


async def test_nobody_listens_without_a_name(url: str) -> None:
    async with ClientSession(url) as anonymous:
        with pytest.raises(Exception, match="401"):
            await anonymous.ws_connect(LIVE)
        async with anonymous.get(LIVE) as response:
            assert response.status == 401


@pytest.mark.parametrize("version", ["13", "99", ""])
async def test_a_handshake_that_is_none_is_a_bad_request(
    session: ClientSession, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    """RFC 6455 §4.2.2: here the key is missing, or the version is another."""
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": version}

    async with session.get(LIVE, headers=headers) as response:
        assert response.status == 400
        assert response.content_type == "application/problem+json"

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_whose_account_is_taken_away_hears_no_more(
    session: ClientSession, device: Device
) -> None:
    async with session.ws_connect(LIVE) as live:
        await hear(live, "state")
        device.store.change_now({"web": {"users": USERS[:1]}})

        async with asyncio.timeout(30):
            while (await live.receive()).type is WSMsgType.TEXT:
                pass
        assert live.closed


async def test_a_reader_that_does_not_read_is_cut_off_and_others_go_on(
    url: str, session: ClientSession, device: Device
) -> None:
    host, port = url.removeprefix("http://").split(":")
    async with ClientSession() as page:
        body = {"name": "olga", "password": PASSWORDS["olga"]}
        async with page.post(url + "/api/v1/login", json=body) as response:
            cookie = response.headers["Set-Cookie"].split(";")[0]
    lazy = socket.socket()
    lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    lazy.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(lazy, (host, int(port)))
    await loop.sock_sendall(
        lazy,
        (
            f"GET {LIVE} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {url}\r\nCookie: {cookie}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode(),
    )
    assert b"101" in await loop.sock_recv(lazy, 16)
    device.calls += [FakeCall(id=f"c{n}", remote_uri="sip:" + "x" * 9000) for n in range(99)]

    cut_off = device.context.measures.counter("live_cut_off_total")
    async with session.ws_connect(LIVE, max_msg_size=0) as live, asyncio.timeout(30):
        while not cut_off.value:
            device.context.bus.publish(ManualTriggerChanged(trigger=1, active=True))
            await live.receive()
        while await loop.sock_recv(lazy, 1 << 20):
            pass  # what was on its way; then the end
        lazy.close()
        await hear(live, "state")


async def test_listeners_are_bounded_and_a_place_that_is_free_is_given_again(
    context: Context, device: Device
) -> None:
    live = Live(context, device.views(), dict)
    listeners = [live.listen(whose=str(n)) for n in range(LISTENERS_MAX)]

    with pytest.raises(HttpProblem) as refused:
        live.listen()
    listeners[0].close()

    assert refused.value.status == 503
    assert live.listen()
    live.close()
    assert [message async for message in listeners[1]] == []


def test_a_storm_of_events_and_frames_costs_listeners_a_few_messages_a_tick() -> None:
    """What happens between two ticks is told in one message, with a count of what is left out."""
    clock = FakeClock()
    context = Context(clock, random_bytes=bytes)
    device = Device.make(context)
    live = Live(context, device.views(), dict)
    listener = live.listen()
    for _ in range(1000):
        clock.advance(0.001)
        with context.trace.input("test", "storm", clock.now()):
            context.bus.publish(ManualTriggerChanged(trigger=1, active=True))

    waiting = [json.loads(text) for text in listener._waiting]  # pyright: ignore[reportPrivateUsage]

    told = [m for m in waiting if m["type"] == "events" and m["events"]]
    assert len(waiting) < WAITING_MAX
    assert 10 < len(told) <= 15 + EARLY_MAX
    assert all(len(m["events"]) <= 20 for m in told)
    assert sum(len(m["events"]) + m["skipped"] for m in told) > 900


def test_telling_the_state_of_a_busy_device_costs_a_small_share_of_the_time() -> None:
    """A state that takes 10 ms to gather is told five times a second and not fifteen."""
    clock = FakeClock()
    context = Context(clock, random_bytes=bytes)
    told: list[float] = []

    def slow_state() -> dict[str, object]:
        clock.time += 0.01
        told.append(clock.now())
        return {}

    live = Live(context, Device.make(context).views(), slow_state)
    listener = live.listen()
    told.clear()
    while clock.now() < 10.0:
        clock.advance(1 / 60)
        listener._waiting.clear()  # pyright: ignore[reportPrivateUsage]
        context.bus.publish(ManualTriggerChanged(trigger=1, active=True))

    assert 30 <= len(told) <= 52


def test_a_listener_that_never_reads_is_closed_when_its_queue_is_full() -> None:
    clock = FakeClock()
    context = Context(clock, random_bytes=bytes)
    device = Device.make(context)
    live = Live(context, device.views(), dict)
    cut: list[str] = []
    lazy, other = live.listen(), live.listen()
    lazy.on_cut(lambda: cut.append("cut"))

    while not cut:
        clock.advance(0.2)
        other._waiting.clear()  # pyright: ignore[reportPrivateUsage]
        device.sound["rms_db"] = clock.now()

    assert cut == ["cut"]
    clock.advance(1.0)
    assert other._waiting  # pyright: ignore[reportPrivateUsage]
