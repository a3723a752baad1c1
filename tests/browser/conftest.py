"""Debian's Chromium without its windows, driven by Playwright, on a page that is served here."""

import asyncio
import shutil
from collections.abc import AsyncIterator

from playwright.async_api import Browser, Page, async_playwright, expect
from pytest_asyncio import fixture

from sipstrobe.clock import LoopClock
from sipstrobe.context import Context
from tests.support.web import PASSWORDS

CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "chromium"
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)

expect.set_options(timeout=30_000)  # ms; only there for what never comes

REFUSED = (
    "(Bad Request)",
    "(Unauthorized)",
    "(Forbidden)",
    "(Conflict)",
    "(Precondition Failed)",
    "(Unsupported Media Type)",
    "(Content Too Large)",
    "(Unprocessable Entity)",
    "(Unprocessable Content)",
    "(Service Unavailable)",
)


@fixture(loop_scope="module")
async def context() -> Context:
    return Context(LoopClock(asyncio.get_running_loop()))


@fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        await browser.close()


@fixture(loop_scope="module")
async def tab(browser: Browser) -> AsyncIterator[Page]:
    """A page whose errors, violated policies and failed requests fail the test."""
    page = await browser.new_page(viewport={"width": 1400, "height": 1000}, locale="en-GB")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    await page.close()
    assert [error for error in errors if not any(e in error for e in REFUSED)] == []


@fixture(loop_scope="module")
async def page(tab: Page, url: str) -> AsyncIterator[Page]:
    """A tab that is empty again before the device at the url ends, lest it miss that."""
    yield tab
    await tab.goto("about:blank")


async def log_in(page: Page, url: str, name: str = "olga") -> None:
    """Be on the page as somebody, without the form."""
    who = {"name": name, "password": PASSWORDS[name]}
    answer = await page.context.request.post(f"{url}/api/v1/login", data=who)
    assert answer.ok
    await page.goto(url)
    await page.wait_for_selector("#connection[data-state=live]")
