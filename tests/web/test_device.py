"""What the device is, its clock, who is connected, and whom it can reach: STA, TIM, LOC, TRB."""

import asyncio
import io
import socket
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.context import Context
from sipstrobe.io.own_files import OwnFiles
from sipstrobe.lightsiren.settings import MaintenanceSettings
from tests.support.web import PASSWORDS, Device


@pytest.fixture
async def device(context: Context, tmp_path: Path) -> Device:
    return Device.make(context, folder=tmp_path)


async def ask(url: str, method: str, path: str, user: str = "ada", **more: Any) -> tuple[int, Any]:
    digest = DigestAuthMiddleware(user, PASSWORDS[user])
    async with (
        ClientSession(url + "/api/v1/", middlewares=(digest,)) as session,
        session.request(method, path, **more) as response,
    ):
        if "json" in response.content_type:
            return response.status, await response.json(content_type=None)
        return response.status, await response.read()


async def test_the_device_says_what_it_is_and_where(url: str, device: Device) -> None:
    """STA-01, STA-03, STA-05, LOC-01."""
    here = {"latitude": 52.5, "longitude": -13.4, "heading": 270.0, "label": "Hall"}
    device.store.change_now({"device": {"location": here}})

    status, told = await ask(url, "GET", "device", "victor")

    assert status == 200
    assert told["serial"] == device.store.current.device.serial
    assert told["location"] == here
    assert told["speaker_test"]["calibrated"] is False
    assert told["security"]["anonymous_viewing"] is False
    assert told["machine"]["cpus"] >= 1
    assert told["own_files"] is None


@pytest.mark.parametrize(
    ("field", "value"), [("latitude", 90.5), ("longitude", -181.0), ("heading", 361.0)]
)
async def test_a_place_that_cannot_be_is_refused_with_its_range(
    url: str, field: str, value: float
) -> None:
    body = {"location": {field: value}}
    status, refusal = await ask(url, "PATCH", "settings/device", json=body)
    assert status == 422
    [problem] = refusal["problems"]
    assert problem["path"] == f"/device/location/{field}"
    assert "from" in problem["message"]


async def test_silence_is_explained_by_maintenance_mode_first(url: str, device: Device) -> None:
    """MNT-07, PRB-07; GEN-06 tells of files that have been changed."""
    device.store.change_now({"maintenance": MaintenanceSettings(active=True)})
    device.system.own_files = OwnFiles("changed", "2 files are not as they were built.", 7)

    _, told = await ask(url, "GET", "device")

    assert told["hints"][0]["about"] == "maintenance"
    assert "the siren is silent" in told["hints"][0]["words"]
    assert {"about": "files", "words": "2 files are not as they were built."} in told["hints"]
    assert told["own_files"]["checked"] == 7


async def test_the_end_of_maintenance_is_told_in_the_zone_of_the_device(
    url: str, device: Device
) -> None:
    """MNT-07, TIM-04: 23:30 UTC is the next morning in Tokyo."""
    evening = datetime.now(UTC).replace(hour=23, minute=30) + timedelta(days=1)
    maintenance = MaintenanceSettings(active=True, until=evening)
    device.store.change_now({"maintenance": maintenance, "device": {"time_zone": "Asia/Tokyo"}})

    _, told = await ask(url, "GET", "device", "victor")

    morning = evening + timedelta(days=1)
    assert f"is on until {morning:%Y-%m-%d} 08:30:" in told["hints"][0]["words"]


async def test_the_clock_is_told_in_the_zone_of_the_settings(url: str, device: Device) -> None:
    """TIM-03, STA-02."""
    device.store.change_now({"device": {"time_zone": "Asia/Tokyo"}})
    _, told = await ask(url, "GET", "time", "victor")
    assert (told["zone"], told["zone_by"]) == ("Asia/Tokyo", "settings")
    assert (told["utc_offset_seconds"], told["abbreviation"]) == (32400, "JST")
    assert told["wall"].endswith("+09:00")
    assert told["sync"]["state"] in ("synchronised", "not synchronised", "unknown")
    assert "Asia/Tokyo" in (await ask(url, "GET", "time-zones"))[1]["zones"]


async def test_who_is_connected_is_told_with_address_port_and_name(url: str) -> None:
    """STA-08."""
    digest = DigestAuthMiddleware("ada", PASSWORDS["ada"])
    async with ClientSession(url, middlewares=(digest,)) as session:
        async with session.get("/api/v1/clients") as response:
            told = await response.json()
        connection = next(iter(told["clients"]))
    assert told["total"] == len(told["clients"]) >= 1
    assert (connection["protocol"], connection["address"]) == ("HTTP", "127.0.0.1")
    assert (connection["state"], connection["user"], connection["came"]) == ("active", "ada", True)
    assert connection["port"] > 0
    assert (await ask(url, "GET", "clients", "olga"))[0] == 401


async def test_a_host_is_pinged_or_it_is_said_why_not(url: str) -> None:
    """TRB-01."""
    status, told = await ask(url, "POST", "ping", json={"host": "127.0.0.1"})
    assert status == 200 or told["code"] == "unreachable"
    assert status != 200 or told["received"] == len(told["milliseconds"]) == told["sent"]

    status, refusal = await ask(url, "POST", "ping", json={"host": "no such host.example"})
    assert (status, refusal["field"]) == (400, "host")
    assert (await ask(url, "POST", "ping", "olga", json={"host": "127.0.0.1"}))[0] == 401


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"port": 70_000}, "port", "must be a whole number from 1 to 65535"),
        ({"port": 5060, "transport": "sctp"}, "transport", "must be one of tcp, udp"),
        ({}, "port", "is missing"),
    ],
)
async def test_what_a_question_may_be_is_said_at_its_field(
    url: str, wrong: dict[str, object], field: str, words: str
) -> None:
    """TRB-01; the same for every order."""
    status, refusal = await ask(url, "POST", "port-check", json={"host": "127.0.0.1"} | wrong)

    assert (status, refusal["field"], refusal["detail"]) == (400, field, words)


async def check(url: str, port: int, transport: str) -> tuple[str, str]:
    order = {"host": "127.0.0.1", "port": port, "transport": transport}
    _, told = await ask(url, "POST", "port-check", json=order)
    return told["state"], told["words"]


async def test_a_port_takes_connections_or_there_is_nobody(url: str) -> None:
    """TRB-01."""
    with socket.socket() as there:
        there.bind(("127.0.0.1", 0))
        there.listen()
        port = there.getsockname()[1]
        assert await check(url, port, "tcp") == ("open", "It takes connections.")
    assert await check(url, port, "tcp") == ("closed", "There is nobody at this port.")


async def test_a_port_answers_datagrams_or_there_is_nobody(url: str) -> None:
    """TRB-01."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("127.0.0.1", 0))
        there.setblocking(False)
        port = there.getsockname()[1]
        asking = asyncio.ensure_future(check(url, port, "udp"))
        data, source = await loop.sock_recvfrom(there, 100)
        await loop.sock_sendto(there, data, source)
        assert await asking == ("open", "It answers.")
    assert await check(url, port, "udp") == ("closed", "There is nobody at this port.")


@pytest.mark.parametrize(
    ("change", "field"),
    [({"port": 0}, "port"), ({"port": 65536}, "port"), ({"transport": "sctp"}, "transport")],
)
async def test_what_cannot_be_checked_is_said(url: str, change: Any, field: str) -> None:
    order = {"host": "127.0.0.1", "port": 80, "transport": "tcp"} | change
    status, refusal = await ask(url, "POST", "port-check", json=order)
    assert (status, refusal["field"]) == (400, field)


async def test_the_report_has_all_that_helps_and_no_secret(url: str, device: Device) -> None:
    """LOG-01."""
    who = {"kind": "http", "name": "ops", "url": "http://x.example", "password": "tulip"}
    device.store.change_now({"recipients": [who]})

    status, data = await ask(url, "GET", "report")

    assert status == 200
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert texts.keys() >= {"settings.json", "status.json", "log.txt", "access.json"}
    assert texts["versions.txt"].startswith("sipstrobe ")
    assert "http_requests_total" in texts["measures.txt"]
    hidden = [*device.store.stored.secrets.values(), "tulip"]
    assert not [name for name, text in texts.items() for value in hidden if value in text]
    assert (await ask(url, "GET", "report", "olga"))[0] == 401
