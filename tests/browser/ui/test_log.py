"""The logs in the interface: live, filtered, paused, and in storms; who was refused; the trace."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, expect
from pytest_asyncio import fixture

from sipstrobe.context import Context
from sipstrobe.events import ServiceStateChanged, SignInFailed
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import until
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

logger = logging.getLogger("sipstrobe.tests.page")
OF_OURS = '.log-line:has-text("tests.page")'
STORM = 2000  # lines


@fixture(loop_scope="module")
async def device(context: Context, tmp_path: Path) -> AsyncIterator[Device]:
    device = Device.make(context, in_background=True, folder=tmp_path)
    await device.system.log.open()
    await device.system.trace.open()
    logger.setLevel(logging.INFO)
    yield device
    logger.setLevel(logging.NOTSET)
    await device.system.trace.aclose()
    await device.system.log.aclose()


async def test_the_log_is_followed_filtered_paused_and_outlives_storms(
    page: Page, axe: Axe
) -> None:
    """LOG-03: from what memory has on; however much comes, what is in sight is in the page."""
    logger.warning("the door is open")
    await go(page, "/log")
    ours = page.locator(OF_OURS)
    await expect(ours).to_contain_text(["the door is open"])
    await expect(page.locator(".log-following")).to_have_text("Live")
    logger.info("the door is closed")
    await expect(ours).to_contain_text(["is open", "is closed"])
    await axe(page)

    await page.get_by_label("At least").select_option("warning")
    await expect(ours).to_have_count(1)
    await page.get_by_label("At least").select_option("debug")
    await page.get_by_label("Find").fill("CLOSED")
    await expect(ours).to_contain_text(["is closed"])
    await page.get_by_role("button", name="Pause").click()
    logger.error("the door is broken\nTraceback: far away")
    await expect(page.locator(".log-following")).to_contain_text(re.compile(r"\d new"))
    await page.get_by_label("Find").fill("the door")
    await expect(ours).to_have_count(2)
    await page.get_by_role("button", name="Go on").click()
    await expect(ours).to_contain_text(["is open", "is closed", "is broken …"])

    await page.get_by_role("listbox", name="Log lines").press("End")
    detail = page.get_by_role("region", name="The line in full")
    await expect(detail.locator("pre")).to_have_text("the door is broken\nTraceback: far away")
    await page.keyboard.press("ArrowUp")
    await expect(detail.locator("pre")).to_have_text("the door is closed")
    async with page.expect_download() as saved:
        await page.get_by_role("button", name="Save as file").click()
    lines = (await (await saved.value).path()).read_text().splitlines()
    assert [line.partition(" sipstrobe.tests.page: ")[2] for line in lines[:3]] == [
        "the door is open",
        "the door is closed",
        "the door is broken",
    ]

    await go(page, "/log/trace")
    await go(page, "/log")
    await expect(page.get_by_label("Find")).to_have_value("")
    for number in range(STORM):
        logger.info("storm %d", number)

    await expect(page.locator(".log-line", has_text=f"storm {STORM - 1}")).to_be_in_viewport()
    assert await page.locator(".log-line").count() < 100
    await page.get_by_role("listbox", name="Log lines").press("Home")
    await expect(page.locator(".log-line[aria-posinset='1']")).to_be_in_viewport()
    logger.info("one more")
    await expect(page.locator(".log-line", has_text="one more")).to_have_count(0)
    await page.get_by_role("button", name="To the newest").click()
    await expect(page.locator(".log-line", has_text="one more")).to_be_in_viewport()


async def test_lines_of_a_device_that_began_anew_are_all_told(page: Page) -> None:
    """Though it has said more by then than was known of its last run."""
    kept = line(1, "10:00:00", "began")
    runs = [
        [kept, line(2, "10:00:01", "at work")],
        [kept, line(2, "10:05:00", "began again"), line(3, "10:05:01", "at work again")],
    ]

    async def tell(route: Route) -> None:
        run = runs.pop(0) if len(runs) > 1 else runs[0]
        await route.fulfill(json={"entries": run[::-1], "next": None})

    async def end(route: Route) -> None:
        await route.fulfill(content_type="application/x-ndjson", body="\n")

    await page.route(re.compile(r"/api/v1/log\?"), tell)
    await page.route(re.compile("/api/v1/log/tail"), end)
    await go(page, "/log")

    told = page.locator(".log-text")
    await expect(told).to_have_text(["began", "at work", "began again", "at work again"])
    await page.unroute_all(behavior="wait")


def line(seq: int, clock: str, text: str) -> dict[str, object]:
    at = f"2026-03-05T{clock}Z"
    return {"seq": seq, "at": at, "level": "notice", "source": "sipstrobe", "text": text}


@asynccontextmanager
async def busy(device: Device) -> AsyncGenerator[None]:
    """Something happens all the time."""

    async def happen() -> None:
        while True:
            await asyncio.sleep(0.05)
            device.context.bus.publish(
                ServiceStateChanged(service="none", working=True, problem="")
            )

    happening = asyncio.create_task(happen())
    try:
        yield
    finally:
        happening.cancel()


async def test_a_name_that_nobody_has_is_not_told_and_that_in_the_language_of_the_page(
    page: Page, url: str, device: Device
) -> None:
    """LOG-04: somebody has typed his password where the name should be."""
    await go(page, "/log/access")
    body = {"name": "three.blind.mice", "password": "olga"}
    assert (await page.request.post(f"{url}/api/v1/login", data=body)).status == 403

    row = page.locator("tbody tr").first
    await expect(row).to_contain_text("an unknown name")
    await page.evaluate("localStorage.language = 'de'")
    await page.reload()
    await expect(row).to_contain_text("ein unbekannter Name")
    await expect(page.get_by_text("three.blind.mice")).to_have_count(0)


async def test_who_was_refused_and_what_went_over_the_network(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """LOG-04, LOG-05: the trace warns of what it holds, is watched, taken away and deleted."""
    device.context.bus.publish(SignInFailed(address="192.0.2.9", name="eve", attempts=2))
    await go(page, "/log/access")
    rows = page.locator("tbody tr")
    await expect(rows).to_contain_text(["192.0.2.9"])
    await expect(rows.first).to_contain_text("2 attempts")
    device.context.bus.publish(SignInFailed(address="192.0.2.10", name="mallory", attempts=1))
    async with busy(device):
        await expect(rows).to_contain_text(["192.0.2.10", "192.0.2.9"])

    await page.get_by_role("tab", name="Network trace").click()
    await expect(page.get_by_text("The file holds voices")).to_be_visible()
    await page.get_by_label("How long").fill("301")
    await page.get_by_role("button", name="Start the trace").click()
    await expect(page.locator("[data-field=seconds] .error")).to_have_text("Allowed: 1 to 300.")
    await page.get_by_label("How long").fill("300")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Recording")).to_be_visible()
    await until(lambda: device.system.trace.running)
    await axe(page)
    await page.get_by_role("button", name="Stop").click()
    async with page.expect_download() as saved:
        await page.get_by_role("link", name="Save the trace").click()
    assert (await (await saved.value).path()).stat().st_size == 24  # libpcap's head alone
    await page.get_by_role("button", name="Delete the trace").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete the trace").click()
    await expect(page.get_by_role("link", name="Save the trace")).to_have_count(0)

    await enter(page, url, "/log", name="olga")
    await expect(page.get_by_text("This page needs the role administrator")).to_be_visible()
