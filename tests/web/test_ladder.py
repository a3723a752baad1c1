"""The ladder and the network trace over HTTP: LOG-05."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.context import Context
from sipstrobe.services.ladder import Ladder, Said
from sipstrobe.sip.transport import Address, Flow, Transport
from sipstrobe.web.exchange import Request, Response
from sipstrobe.web.ladder import LADDER, LadderDoor
from tests.support.clock import FakeClock
from tests.support.pcap import read_pcap
from tests.support.waiting import PATIENCE, until
from tests.support.web import PASSWORDS, Device

FLOW = Flow(Transport.UDP, Address("192.0.2.10", 5060), Address("192.0.2.77", 5062))
INVITE = (
    b"INVITE sip:1001@192.0.2.10 SIP/2.0\r\n"
    b'From: "Alice <a@b>" <sip:alice@192.0.2.77>;tag=1\r\n'
    b"To: <sip:1001@192.0.2.10>\r\n"
    b"Call-ID: a84b4c76\r\n"
    b'Authorization: Digest username="alice", response="6629fae49393a053"\r\n'
    b"Content-Type: application/sdp\r\n\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKC|2^20\r\n"
)
RINGING = b"SIP/2.0 180 Ringing\r\nCall-ID: a84b4c76\r\n\r\n"


@pytest.fixture
async def device(context: Context, tmp_path: Path) -> AsyncIterator[Device]:
    device = Device.make(context, folder=tmp_path)
    yield device
    await device.system.trace.aclose()


async def ask(url: str, method: str, path: str, user: str = "olga", **more: Any) -> tuple[int, Any]:
    digest = DigestAuthMiddleware(user, PASSWORDS[user])
    async with (
        ClientSession(url + "/api/v1/", middlewares=(digest,)) as session,
        session.request(method, path, **more) as response,
    ):
        if "json" in response.content_type:
            return response.status, await response.json(content_type=None)
        return response.status, await response.read()


async def test_what_was_said_in_a_call_can_be_read_without_its_secrets(
    url: str, device: Device
) -> None:
    ladder = device.system.ladder
    ladder.message(INVITE, FLOW, sent=False)
    ladder.message(RINGING, FLOW, sent=True)
    ladder.named("a84b4c76", "in-1")

    _, listed = await ask(url, "GET", "ladder?kind=call")
    status, told = await ask(url, "GET", "ladder/in-1")

    [exchange] = listed["exchanges"]
    assert (exchange["call"], exchange["from"], exchange["to"]) == (
        "in-1",
        "sip:alice@192.0.2.77",
        "sip:1001@192.0.2.10",
    )
    assert (exchange["messages"], exchange["last_line"]) == (2, "SIP/2.0 180 Ringing")
    assert status == 200
    assert [(m["sent"], m["first_line"].split(" ")[0]) for m in told["messages"]] == [
        (False, "INVITE"),
        (True, "SIP/2.0"),
    ]
    first = told["messages"][0]
    assert (first["local"], first["remote"]) == ("192.0.2.10:5060", "192.0.2.77:5062")
    assert 'username="alice"' in first["text"]
    assert "6629fae49393a053" not in first["text"]
    assert "WVNfX19zZW1jdGwgKC" not in first["text"]
    assert told["call_ids"] == ["a84b4c76"]


async def test_what_is_not_kept_is_said(url: str) -> None:
    status, refusal = await ask(url, "GET", "ladder/in-9")
    assert (status, refusal["code"]) == (404, "unknown_exchange")
    assert (await ask(url, "GET", "ladder?kind=tea"))[1]["field"] == "kind"
    assert (await ask(url, "GET", "ladder", user="victor"))[0] == 401


async def test_a_trace_is_ordered_watched_and_fetched(url: str, device: Device) -> None:
    assert (await ask(url, "GET", "capture/file", "ada"))[1]["code"] == "no_trace"

    status, told = await ask(url, "POST", "capture", "ada", json={"seconds": 60})
    device.system.trace.message(INVITE, FLOW, sent=False)
    assert (status, told["running"]) == (202, True)
    assert "voices" in told["warning"]
    assert (await ask(url, "POST", "capture", "ada", json={"seconds": 1}))[0] == 409
    assert (await ask(url, "GET", "capture/file", "ada"))[1]["code"] == "running"
    _, told = await ask(url, "POST", "capture/stop", "ada")
    status, file = await ask(url, "GET", "capture/file", "ada")

    assert (told["running"], told["file"], told["packets"]) == (False, True, 1)
    assert [one.payload for one in read_pcap(file)] == [INVITE]
    assert (await ask(url, "DELETE", "capture/file", "ada"))[0] == 204
    assert (await ask(url, "GET", "capture", "ada"))[1]["file"] is False


@pytest.mark.parametrize("seconds", [0, 301, "long", None])
async def test_how_long_a_trace_may_be_is_said(url: str, seconds: object) -> None:
    status, refusal = await ask(url, "POST", "capture", "ada", json={"seconds": seconds})
    assert (status, refusal["field"]) == (400, "seconds")


async def test_a_trace_is_for_administrators(url: str) -> None:
    for method, path in (("GET", "capture"), ("POST", "capture"), ("GET", "capture/file")):
        assert (await ask(url, method, path))[0] == 401


class LongSaid:
    """A message that takes until somebody lets it end."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    at, sent, flow, cut = 0.0, False, FLOW, False

    @property
    def data(self) -> bytes:
        self.begun.set()
        assert self.may_end.wait(PATIENCE), "the loop stands still"
        return INVITE


@pytest.mark.parametrize("path", [LADDER, f"{LADDER}/1"])
async def test_calls_go_on_while_hundreds_of_messages_are_looked_through(path: str) -> None:
    said = LongSaid()
    ladder = Ladder(FakeClock())
    ladder.message(INVITE, FLOW, sent=False)
    ladder.exchanges()[0].first[:] = [cast("Said", said)]
    routes = LadderDoor(ladder, FakeClock()).routes()
    route = routes[path != LADDER]
    answer = route.handler(Request(method="GET", path=path, target=path))
    assert not isinstance(answer, Response)
    looking = asyncio.ensure_future(answer)

    await until(said.begun.is_set)
    said.may_end.set()

    assert b"alice@192.0.2.77" in (await looking).body
