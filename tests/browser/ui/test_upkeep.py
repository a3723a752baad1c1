"""Maintenance in the interface: backups are looked into before they are restored, and whoever sees
the device go sees it come back."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from pytest_asyncio import fixture

from sipstrobe.config.files import Memory
from sipstrobe.config.overhaul import PLAN
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.services.upkeep import Upkeep
from sipstrobe.web.connections import Entrance
from sipstrobe.web.server import WebServer
from tests.browser.ui.conftest import ADMINISTRATOR, Axe, go
from tests.support.web import CHEAP, PASSWORDS, Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


class Process:
    """Serves a device, and begins anew when it is told to, behind an address that stays."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._server: WebServer | None = None
        self._behind = 0  # its port; 0: there is none
        self._tasks: set[asyncio.Task[None]] = set()
        self.next_store = device.store

    def again(self) -> None:
        self._do(self.begin())

    async def begin(self) -> None:
        await self.end()
        device = self._device
        self._server = WebServer(device.context, self.next_store, device.views(), cost=CHEAP)
        door = await self._server.open("127.0.0.1", 0, Entrance("plain"))
        self._behind = door.addresses[0][1]

    async def end(self) -> None:
        self._behind = 0
        if self._server is not None:
            await self._server.aclose()

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._do(self._carry(reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self._behind)
        except OSError:
            writer.close()
            return
        pouring = [
            asyncio.create_task(_pour(reader, ours)),
            asyncio.create_task(_pour(theirs, writer)),
        ]
        await asyncio.wait(pouring, return_when=asyncio.FIRST_COMPLETED)
        ours.close()
        writer.close()
        await asyncio.wait(pouring)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        await self.end()
        while self._tasks:
            await asyncio.wait(self._tasks)


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@fixture(loop_scope="module")
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """A page that may find nobody there for a while; any other error fails the test."""
    page = await browser.new_page(viewport={"width": 1400, "height": 1000})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await page.close()
    assert errors == []


@fixture(loop_scope="module")
async def device(context: Context, tmp_path: Path) -> Device:
    device = Device.make(context, in_background=True, folder=tmp_path)
    await device.change({"device": {"name": "Hall"}})
    return device


@fixture(loop_scope="module")
async def process(device: Device, tmp_path: Path) -> AsyncIterator[Process]:
    process = Process(device)
    device.system.upkeep = Upkeep(device.context, device.store, tmp_path, process.again)
    await process.begin()
    yield process
    await process.aclose()


@fixture(loop_scope="module")
async def url(process: Process, device: Device) -> AsyncIterator[str]:
    front = await asyncio.start_server(process.take, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{front.sockets[0].getsockname()[1]}"
    front.close()
    device.clips.close()
    await device.library.aclose()
    await device.talk.aclose()
    await device.system.access.aclose()
    device.signals.close()


async def test_a_backup_is_looked_into_before_it_takes_the_place(
    page: Page, device: Device, tmp_path: Path, axe: Axe
) -> None:
    """OPS-01: what would change is told, and a wrong password changes nothing."""
    await go(page, "/maintenance")
    backup = page.get_by_role("region", name="Backup", exact=True)
    await backup.get_by_label("Encrypt").check(force=True)
    await backup.get_by_label("Password of the backup", exact=True).fill("open sesame")
    await backup.get_by_role("button", name="Save a backup").click()
    await expect(backup.locator("[data-field=again] .error")).to_have_text("The two differ.")
    await backup.get_by_label("The same again").fill("open sesame")
    async with page.expect_download() as saved:
        await backup.get_by_role("button", name="Save a backup").click()
    file = tmp_path / "all.zip"
    await (await saved.value).save_as(file)
    await device.change({"device": {"name": "Yard"}})

    restore = page.get_by_role("region", name="Restore a backup", exact=True)
    await restore.locator("input[type=file]").set_input_files(file)
    await restore.locator("summary", has_text="/device").click()
    await expect(restore.get_by_role("row", name="/device/name")).to_contain_text("YardHall")
    await axe(page)
    await restore.get_by_label("Password of the backup").fill("open barley")
    await page.keyboard.press("Enter")
    await expect(restore.locator("[data-field=password] .error")).to_contain_text("is wrong")
    assert not (tmp_path / PLAN).exists()
    await restore.get_by_label("Password of the backup").fill("open sesame")
    await page.keyboard.press("Enter")
    await log_in_again(page)
    assert (tmp_path / PLAN).exists()


async def test_whoever_sends_the_device_back_to_its_start_sees_it_come(
    page: Page, url: str, device: Device, process: Process, axe: Axe
) -> None:
    """OPS-03, TRB-01, STA-08: it asks for the serial number, and begins with a first visit."""
    await go(page, "/maintenance")
    clients = page.get_by_role("region", name="Connected clients")
    await expect(clients.get_by_text("WebSocket")).to_be_visible()
    check = page.get_by_role("form", name="Port check")
    await check.get_by_label("Host").fill("127.0.0.1")
    await check.get_by_label("Port", exact=True).fill(url.rpartition(":")[2])
    await page.keyboard.press("Enter")
    await expect(check.get_by_role("status")).to_contain_text("Open")

    await page.get_by_role("button", name="Factory default").click()
    dialog = page.get_by_role("dialog", name="Erase everything?")
    await dialog.get_by_label("Type the serial number").fill("000000000001")
    await page.keyboard.press("Enter")
    await expect(dialog.locator("[data-field=confirm] .error")).to_contain_text("serial number")
    await axe(page)
    await dialog.get_by_label("Type the serial number").fill(device.store.current.device.serial)
    process.next_store = Store.load(Memory(), os.urandom)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Welcome")).to_be_visible()


async def test_what_was_changed_while_nobody_was_reached_is_seen(
    page: Page, device: Device, process: Process
) -> None:
    """Nobody has told the page: it asks."""
    await go(page, "/time")
    name = page.locator("main").get_by_label("Name", exact=True)
    await expect(name).to_have_value("Hall")
    await process.end()
    await expect(page.locator(".connection")).to_have_attribute("data-state", "lost")
    await device.change({"device": {"name": "Yard"}})
    await process.begin()

    again = page.get_by_role("dialog", name="Log in again")
    await again.get_by_label("Password", exact=True).fill(PASSWORDS[ADMINISTRATOR])
    await page.keyboard.press("Enter")
    await expect(again).to_have_count(0)
    await expect(name).to_have_value("Yard")


async def log_in_again(page: Page) -> None:
    """See it go and come back, and go on where one was: no page is loaded anew."""
    await page.evaluate("window.same = true")
    await expect(page.locator(".upkeep-steps")).to_be_visible()
    again = page.get_by_role("dialog", name="Log in again")
    await again.get_by_label("Password", exact=True).fill(PASSWORDS[ADMINISTRATOR])
    await page.keyboard.press("Enter")
    await expect(page.locator(".upkeep-steps")).to_have_count(0)
    await expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    assert await page.evaluate("window.same")
