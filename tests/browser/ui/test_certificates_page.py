"""Certificates in the interface, and a page that moves with who looks at it (HTT-01…04, CRT-05)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from playwright.async_api import Browser, Download, Page, expect
from pytest_asyncio import fixture

from sipstrobe.app import Device as App
from sipstrobe.clock import LoopClock
from sipstrobe.config.first_start import prepare
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.options import Options
from tests.browser.ui.conftest import Axe, go
from tests.support.authority import Authority
from tests.support.ports import free_port
from tests.support.waiting import until
from tests.support.web import PASSWORDS, USERS, Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

HOST = "127.0.0.1"


async def test_a_certificate_is_brought_shown_and_asked_for(
    page: Page, device: Device, tmp_path: Path, axe: Axe
) -> None:
    """HTT-04, CRT-02, CRT-05: what is wrong with a file is said where it was dropped."""
    good, other = (Authority().sign("siren.example", last_day=9) for _ in range(2))
    (tmp_path / "Office.crt").write_text(good.certificate)
    (tmp_path / "other.key").write_text(other.key)
    (tmp_path / "office.key").write_text(good.key)
    await go(page, "/certificates")
    own = page.get_by_role("article", name="self-signed")
    await expect(own).to_contain_text("shown by the page")
    await page.get_by_role("button", name="Add certificate").click()
    dialog = page.get_by_role("dialog")
    files = dialog.locator("input[type=file]")
    await files.set_input_files([tmp_path / "Office.crt", tmp_path / "other.key"])
    await expect(dialog.get_by_label("Name")).to_have_value("Office")
    await dialog.get_by_role("button", name="Bring", exact=True).click()
    await expect(dialog.locator("[data-field=file] > .error")).to_contain_text("key")
    await axe(page)
    await dialog.get_by_role("button", name="Take other.key away").click()
    await files.set_input_files([tmp_path / "office.key"])
    await dialog.get_by_role("button", name="Bring", exact=True).click()
    office = page.get_by_role("article", name="Office")
    await expect(office).to_contain_text("ends in 8 days")
    await office.get_by_role("button", name="Show on the page: Office").click()
    await expect(office).to_contain_text("shown by the page")
    await expect(own.get_by_role("button", name="Show on the page: self-signed")).to_be_visible()
    await until(lambda: device.store.current.web.certificate == "Office")
    await office.get_by_role("button", name="More about Office").click()
    await expect(page.get_by_role("menuitem", name="Delete")).to_be_disabled()
    await page.keyboard.press("Escape")

    await page.get_by_role("button", name="Add certificate").click()
    await dialog.get_by_role("radio", name="Ask an authority").check()
    await dialog.get_by_label("Name", exact=True).fill("Gate")
    await dialog.get_by_label("Names and addresses").fill("gate.example, 192.0.2.7")
    await dialog.get_by_label("Country").fill("de")
    await dialog.get_by_role("button", name="Make the request").click()
    gate = page.get_by_role("article", name="Gate")
    await expect(gate).to_contain_text("waits for its signature")
    await expect(gate).to_contain_text("gate.example, 192.0.2.7")
    await axe(page)
    async with page.expect_download() as download:
        await gate.get_by_role("link", name="Request for Gate").click()
    asked = x509.load_pem_x509_csr(await _content(await download.value))
    assert "C=DE" in asked.subject.rfc4514_string()
    await gate.get_by_role("button", name="Bring the signed one: Gate").click()
    await dialog.locator("summary").click()
    await dialog.get_by_role("textbox", name="Or paste it").fill(other.certificate)
    await dialog.get_by_role("button", name="Bring", exact=True).click()
    await expect(dialog.locator("[data-field=file] > .error")).not_to_be_empty()


async def _content(download: Download) -> bytes:
    return await asyncio.to_thread(Path(await download.path()).read_bytes)


@dataclass
class Running:
    """A device that runs in this process, and its ports."""

    http: int
    https: int

    def at(self, port: int) -> str:
        return f"{'http' if port == self.http else 'https'}://{HOST}:{port}"


@fixture(loop_scope="module")
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    it = Running(free_port(), free_port())
    web = {"host": HOST, "port": it.http, "https_port": it.https}
    put = tuple((f"/web/{name}", value) for name, value in web.items())
    options = Options(state=tmp_path / "state", put=put, sound="null", light="none")
    store = Store.open(options.state)
    prepare(store, put=put)
    store.change_now({"web": {"users": USERS}})  # whose hashes cost little
    app = App(Context(LoopClock(asyncio.get_running_loop())), store, options)
    async with AsyncExitStack() as stack:
        await app.start(stack)
        await until(lambda: app.page.addresses("http") and app.page.addresses("https"))
        yield it
    store.close()


async def test_the_page_is_first_visited_by_https_and_takes_along_who_looks(
    running: Running, browser: Browser
) -> None:
    """HTT-01, HTT-03, PRB-01: nobody is left at an address where there is nothing any more. GEN-05:
    whoever comes without encryption is shown the way."""
    moved = free_port()
    visit = await browser.new_context(ignore_https_errors=True, locale="en-GB")
    page = await visit.new_page()
    await page.goto(running.at(running.http))
    await expect(page.get_by_text("without encryption")).to_be_visible()
    await page.get_by_role("link", name="Open it by HTTPS").click()
    await page.wait_for_url(f"{running.at(running.https)}/**")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await expect(page.get_by_text("without encryption")).to_have_count(0)
    await page.get_by_label("Name").fill("ada")
    await page.get_by_label("Password", exact=True).fill(PASSWORDS["ada"])
    await page.keyboard.press("Enter")
    await expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    [cookie] = await visit.cookies()
    assert cookie.get("name", "").startswith("__Host-")
    assert (cookie.get("secure"), cookie.get("httpOnly")) == (True, True)

    await go(page, "/certificates")
    await page.get_by_role("radio", name="HTTPS only").check()
    await expect(page.get_by_role("status").filter(has_text="Once it is saved")).to_contain_text(
        f"{running.at(running.http)} only tells people to come by HTTPS."
    )
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".toast", has_text="Saved.")).to_be_visible()
    await expect(page.get_by_role("button", name="Save")).to_have_count(0)
    await page.get_by_label("HTTPS port").fill(str(moved))
    await page.get_by_role("button", name="Save").click()
    question = page.get_by_role("dialog", name="Move the page?")
    await expect(question).to_contain_text(f"The page goes on at {running.at(moved)}.")
    await question.get_by_role("button", name="Save and go there").click()
    await page.wait_for_url(f"{running.at(moved)}/#/certificates")
    await expect(page.get_by_label("HTTPS port")).to_have_value(str(moved))

    other = await visit.new_page()
    await other.goto(running.at(running.http))
    assert other.url == f"{running.at(moved)}/"
    await expect(other.locator(".connection")).to_have_attribute("data-state", "live")
    await visit.close()
