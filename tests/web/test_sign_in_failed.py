"""Wrong passwords are facts for rules, and no flood of them; what was typed is not told."""

import asyncio
import logging
from base64 import b64encode
from pathlib import Path
from typing import cast

import pytest
from aiohttp import ClientSession

from sipstrobe.context import Context
from sipstrobe.events import AddressBlocked, Event, SignInFailed
from sipstrobe.services.access_log import AccessLog
from sipstrobe.services.audit import AuditTrail
from sipstrobe.services.audit_chain import AuditFiles
from sipstrobe.web.live import Listener
from sipstrobe.web.server import LIVE_PATH, WebServer
from sipstrobe.web.throttle import ADDRESSES_MAX, TELL_EVERY, Attempts
from tests.support.visitor import Visitor
from tests.support.web import Device

TYPED = "three.blind.mice"  # a password, where the name should be
DOORS = ("page", "basic", "digest")


def test_the_first_is_told_at_once_and_the_others_by_their_number() -> None:
    attempts = Attempts()

    assert attempts.count("192.0.2.1", now=0.0) == 1
    assert [attempts.count("192.0.2.1", now=n / 10) for n in range(1, 50)] == [0] * 49
    assert attempts.count("192.0.2.2", now=5.0) == 1
    assert attempts.count("192.0.2.1", now=TELL_EVERY) == 50


def test_who_comes_from_everywhere_takes_no_memory_without_end() -> None:
    attempts = Attempts()
    for n in range(ADDRESSES_MAX + 5):
        attempts.count(f"192.0.{n // 256}.{n % 256}", now=0.0)

    assert attempts.count("192.0.0.0", now=0.1) == 1  # forgotten
    assert attempts.count("192.0.1.0", now=0.1) == 0


async def test_guessing_is_told_with_the_name_and_so_is_the_block(
    context: Context, device: Device, url: str
) -> None:
    told: list[Event] = []
    for kind in (SignInFailed, AddressBlocked):
        context.bus.subscribe(kind, lambda event: told.append(cast("Event", event)))

    async with ClientSession(url) as session:

        async def guess() -> None:
            body = {"name": "ada", "password": "guess"}
            async with session.post("/api/v1/login", json=body) as response:
                assert response.status == 403

        for _ in range(20):
            await guess()

    assert told[0] == SignInFailed(address="127.0.0.1", name="ada", attempts=1)
    assert told[1:] in ([], [AddressBlocked(address="127.0.0.1", seconds=10.0)])


async def test_a_name_that_is_no_utf8_is_like_any_other_that_nobody_has(
    context: Context, device: Device, url: str
) -> None:
    """RFC 7616 §3.4: the name is the client's choice, octet for octet."""
    told: list[SignInFailed] = []
    context.bus.subscribe(SignInFailed, told.append)
    address = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(address[0], int(address[1]))
    writer.write(
        b"GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Digest "
        b'username="\xff\xfe", realm="sipstrobe", nonce="n", uri="/", response="0"\r\n\r\n'
    )
    assert (await reader.read()).startswith(b"HTTP/1.1 401")
    writer.close()

    assert [event.name for event in told] == ["an unknown name"]


# --- a password that was typed where the name should be --------------------------------------


async def misspell(server: WebServer, door: str, times: int = 1) -> None:
    """Somebody signs in, and is one field too early."""
    visitor = Visitor(server, secure=True)
    for _ in range(times):
        if door == "page":
            assert await visitor.log_in(TYPED, "ada") == 403
            continue
        visitor.credentials = "Basic " + b64encode(f"{TYPED}:ada".encode()).decode()
        if door == "digest":
            visitor.credentials = (
                f'Digest username="{TYPED}", realm="sipstrobe", nonce="n", uri="/", response="0"'
            )
        assert (await visitor.ask("GET", "/status"))[0] == 401


@pytest.mark.parametrize("door", DOORS)
async def test_the_live_feed_does_not_tell_it(server: WebServer, door: str) -> None:
    """It is seen by all who may look."""
    victor = Visitor(server)
    assert await victor.log_in("victor") == 200
    feed = await server.listen(victor.request("GET", LIVE_PATH))
    assert isinstance(feed, Listener)

    await misspell(server, door)

    said = ""
    async with asyncio.timeout(5):
        while "device/sign_in_failed" not in said:
            said += await anext(feed)
    assert "an unknown name" in said
    assert TYPED not in said


@pytest.mark.parametrize("door", DOORS)
async def test_neither_log_tells_it(
    server: WebServer, context: Context, tmp_path: Path, caplog: pytest.LogCaptureFixture, door: str
) -> None:
    """Nor where so many came that the address is blocked."""
    caplog.set_level(logging.DEBUG)
    refused = AccessLog(context, tmp_path)
    await refused.open()

    await misspell(server, door, times=20)

    await refused.aclose()
    assert "guesses passwords (last for an unknown name)" in caplog.text
    assert [told["event"] for told in refused.refusals(5)] == ["address_blocked", "sign_in_failed"]
    assert refused.refusals(5)[1]["name"] == "an unknown name"
    assert TYPED not in caplog.text + (tmp_path / "access.log").read_text()


@pytest.mark.parametrize("door", DOORS)
async def test_the_audit_trail_does_not_tell_it(
    server: WebServer, context: Context, tmp_path: Path, door: str
) -> None:
    trail = AuditTrail(context, tmp_path)

    await misspell(server, door)

    await trail.aclose()
    [entry] = AuditFiles(tmp_path).newest(5)
    assert (entry.what, entry.result, entry.who) == ("sign in", "refused", "an unknown name")
    assert TYPED not in str(entry)
