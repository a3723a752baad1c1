"""Recordings over HTTP: AUD-05."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.context import Context
from sipstrobe.web.connections import SHUTDOWN_TIME
from tests.support.waiting import until
from tests.support.web import PASSWORDS, Device

PATH = "/api/v1/recordings"
LISTEN = "/api/v1/microphone/listen"
NAME = "20300101T000000Z-speaker-1.wav"
SOUND = bytes(range(256)) * 4000  # about 1 MB


@pytest.fixture
async def device(context: Context, tmp_path: Path) -> Device:
    device = Device.make(context, folder=tmp_path / "clips")
    device.recordings.folder = tmp_path / "recordings"
    device.recordings.folder.mkdir()
    (device.recordings.folder / NAME).write_bytes(SOUND)
    return device


async def ask(url: str, method: str, path: str, user: str = "olga", **more: Any) -> tuple[int, Any]:
    digest = DigestAuthMiddleware(user, PASSWORDS[user])
    async with (
        ClientSession(url, middlewares=(digest,)) as session,
        session.request(method, path, **more) as response,
    ):
        body = await response.read()
        as_json = body and "json" in response.content_type
        return response.status, json.loads(body) if as_json else body


async def test_they_are_listed_downloaded_and_deleted(device: Device, url: str) -> None:
    status, found = await ask(url, "GET", PATH)
    assert status == 200
    assert found["recordings"] == [
        {
            "name": NAME,
            "source": "speaker",
            "began": "2030-01-01T00:00:00Z",
            "seconds": 1.0,
            "size": len(SOUND),
            "active": False,
        }
    ]

    assert await ask(url, "GET", f"{PATH}/{NAME}") == (200, SOUND)
    assert (await ask(url, "DELETE", f"{PATH}/{NAME}"))[0] == 204

    assert (await ask(url, "GET", PATH))[1] == {"recordings": []}
    for method in ("GET", "DELETE"):
        status, refusal = await ask(url, method, f"{PATH}/{NAME}")
        assert (status, refusal["code"]) == (404, "unknown_recording")


async def test_a_piece_of_one_can_be_had(url: str) -> None:
    """RFC 9110 §14: so that a browser can jump within it."""
    piece = await ask(url, "GET", f"{PATH}/{NAME}", headers={"Range": "bytes=100-199"})
    assert piece == (206, SOUND[100:200])


async def test_one_that_is_being_made_is_marked_and_stays(device: Device, url: str) -> None:
    device.recordings.making = NAME

    [one] = (await ask(url, "GET", PATH))[1]["recordings"]
    status, refusal = await ask(url, "DELETE", f"{PATH}/{NAME}")

    assert one["active"]
    assert (status, refusal["code"]) == (409, "recording")
    assert (await ask(url, "GET", "/api/v1/status"))[1]["recordings"][0]["recording"] == NAME


async def test_who_only_looks_at_the_device_hears_nothing(url: str) -> None:
    for method, path in (("GET", PATH), ("GET", f"{PATH}/{NAME}"), ("DELETE", f"{PATH}/{NAME}")):
        assert (await ask(url, method, path, user="victor"))[0] == 401


@pytest.mark.parametrize("name", ["..%2Fsettings.json", "%2e%2e", "x.wav"])
async def test_no_other_file_is_reached(url: str, name: str) -> None:
    assert (await ask(url, "GET", f"{PATH}/{name}"))[0] == 404


async def test_a_disk_that_cannot_be_read_is_said(device: Device, url: str) -> None:
    device.recordings.folder = None
    status, refusal = await ask(url, "GET", PATH)
    assert (status, refusal["detail"]) == (503, "the folder of recordings cannot be read")


# --- the microphone live ------------------------------------------------------------------------


async def test_the_microphone_is_heard_live_until_one_has_enough(device: Device, url: str) -> None:
    device.microphone["input"] = "auto"
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with (
        ClientSession(url, middlewares=(digest,)) as session,
        session.get(LISTEN) as response,
    ):
        assert (response.status, response.content_type) == (200, "audio/wav")
        assert (await response.content.readexactly(44)).startswith(b"RIFF")
        assert await response.content.readexactly(80) == b"whistle!" * 10
        assert device.listening == 1

    await until(lambda: device.listening == 0)


async def test_who_listens_does_not_hold_up_the_end_of_the_device(device: Device) -> None:
    device.microphone["input"] = "auto"
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    loop = asyncio.get_running_loop()
    async with device.served() as url:
        session = ClientSession(url, middlewares=(digest,))
        response = await session.get(LISTEN)
        assert device.listening == 1
        began = loop.time()

    assert loop.time() - began < SHUTDOWN_TIME, "that is for answers, which come to an end"
    assert device.listening == 0
    response.close()
    await session.close()


async def test_a_microphone_that_is_off_is_refused(url: str) -> None:
    status, refusal = await ask(url, "GET", LISTEN)
    assert (status, refusal["code"]) == (409, "no_microphone")
    assert (await ask(url, "GET", LISTEN, user="victor"))[0] == 401
