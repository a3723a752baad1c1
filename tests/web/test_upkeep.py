"""Backup, restore and the ways back over HTTP: OPS-01…03."""

import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.services.upkeep import Upkeep
from sipstrobe.web.upkeep import PASSWORD_HEADER
from tests.support.waiting import until
from tests.support.web import PASSWORDS, USERS, Device


class Process:
    """Counts how often it has begun anew."""

    def __init__(self) -> None:
        self.begun = 0

    def again(self) -> None:
        self.begun += 1


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
async def device(context: Context, folder: Path, process: Process) -> AsyncIterator[Device]:
    store = Store.open(folder)
    store.change_now({"web": {"users": USERS}, "device": {"name": "Hall"}})
    device = Device.make(context)
    device.system.upkeep = Upkeep(context, store, folder, process.again)
    yield device
    store.close()


async def ask(url: str, method: str, path: str, user: str = "ada", **more: Any) -> tuple[int, Any]:
    digest = DigestAuthMiddleware(user, PASSWORDS[user])
    async with (
        ClientSession(url + "/api/v1/", middlewares=(digest,)) as session,
        session.request(method, path, **more) as response,
    ):
        if "json" in response.content_type:
            return response.status, await response.json(content_type=None)
        return response.status, await response.read()


async def test_a_backup_is_taken_over_and_the_device_begins_anew(
    url: str, device: Device, folder: Path, process: Process
) -> None:
    status, data = await ask(url, "POST", "backup", json={"password": "tulip 1 ü"})
    assert status == 200
    headers = {PASSWORD_HEADER: "tulip%201%20%C3%BC"}

    status, told = await ask(url, "POST", "restore", data=data, headers=headers)

    assert (status, told["missing"]) == (202, [])
    await until(lambda: process.begun == 1)
    status, refusal = await ask(url, "POST", "reset", json={"kind": "restart"})
    assert (status, refusal["code"]) == (409, "busy")


async def test_what_is_no_backup_changes_nothing_and_says_why(
    url: str, folder: Path, process: Process
) -> None:
    before = names(folder)
    _, data = await ask(url, "POST", "backup", json={"password": "tulip"})

    status, refusal = await ask(url, "POST", "restore", data=b"hello")
    assert (status, refusal["problems"][0]["path"]) == (422, "")
    status, refusal = await ask(url, "POST", "restore", data=data)
    assert (status, refusal["problems"][0]["path"]) == (422, "/password")

    assert names(folder) == before
    assert process.begun == 0


async def test_a_backup_without_a_password_has_no_secrets(url: str) -> None:
    status, data = await ask(url, "GET", "backup")
    assert status == 200
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == ["manifest.json", "settings.json"]


@pytest.mark.parametrize("kind", ["restore", "factory"])
async def test_who_goes_back_names_the_device(
    url: str, device: Device, process: Process, kind: str, folder: Path
) -> None:
    """So that nobody resets another device than he thinks."""
    _, told = await ask(url, "GET", "reset")
    confirm = next(one["confirm"] for one in told["kinds"] if one["kind"] == kind)
    for wrong in ("", "0123456789AB", "yes"):
        status, refusal = await ask(url, "POST", "reset", json={"kind": kind, "confirm": wrong})
        assert (status, refusal["field"]) == (400, "confirm")
    assert process.begun == 0

    status, told = await ask(url, "POST", "reset", json={"kind": kind, "confirm": confirm})

    assert status == 202
    assert "makes the administrator" in told["words"]
    await until(lambda: process.begun == 1)
    assert (folder / "overhaul.json").exists()


async def test_a_restart_changes_nothing(url: str, process: Process, folder: Path) -> None:
    assert (await ask(url, "POST", "reset", json={"kind": "restart"}))[0] == 202
    await until(lambda: process.begun == 1)
    assert not (folder / "overhaul.json").exists()


@pytest.mark.parametrize(
    "request_line", ["GET backup", "POST backup", "POST restore", "GET reset", "POST reset"]
)
async def test_all_of_it_is_for_administrators(
    url: str, process: Process, request_line: str
) -> None:
    """ACC-04: it is System."""
    method, path = request_line.split()
    assert (await ask(url, method, path, user="olga"))[0] == 401
    assert process.begun == 0


async def test_what_cannot_be_ordered_is_said(url: str) -> None:
    status, refusal = await ask(url, "POST", "reset", json={"kind": "explode"})
    assert (status, refusal["field"]) == (400, "kind")
    status, refusal = await ask(url, "POST", "backup", json={"password": "x" * 129})
    assert (status, refusal["field"]) == (400, "password")
