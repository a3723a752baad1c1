"""The interface in a browser: opened as somebody, at a device that is served here, and looked at by
axe-core for what keeps people out (WCAG 2.2 AA)."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect
from pytest_asyncio import fixture

from sipstrobe.context import Context
from tests.support.web import PASSWORDS, Device
from tests.web.conftest import PROFILES

AXE = Path(__file__).parents[3] / "web-ui/node_modules/axe-core/axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
ADMINISTRATOR, OPERATOR, VIEWER = "ada", "olga", "victor"

Axe = Callable[[Page], Awaitable[None]]


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    """A device of its own for each story, with two profiles; a file may have another."""
    return Device.make(context, in_background=True, profiles=PROFILES)


@fixture(loop_scope="module")
async def url(device: Device) -> AsyncIterator[str]:
    async with device.served() as url:
        yield url


@fixture(loop_scope="module")
async def page(tab: Page, url: str) -> AsyncIterator[Page]:
    """The interface in English, opened as the administrator."""
    await enter(tab, url)
    yield tab
    await tab.goto("about:blank")


async def enter(page: Page, url: str, place: str = "/", *, name: str = ADMINISTRATOR) -> None:
    """Be at a place of the interface ("/media") as somebody, without the form."""
    await page.add_init_script("if (location.protocol !== 'about:') localStorage.language ??= 'en'")
    who = {"name": name, "password": PASSWORDS[name]}
    answer = await page.context.request.post(f"{url}/api/v1/login", data=who)
    assert answer.ok
    await page.goto("about:blank")  # another hash alone loads nothing
    await page.goto(f"{url}/#{place}")
    await expect(page.locator(".connection")).to_have_attribute("data-state", "live")


async def go(page: Page, place: str) -> None:
    """Be at another place of the interface that is open."""
    await page.evaluate("place => { location.hash = place }", place)


async def leave_with_care(page: Page, opener: Locator, field: Locator, entered: str) -> None:
    """A window asks before what was entered in it is lost, by Escape or for another address; where
    nothing was, it asks nothing. The focus is then where it was before."""
    windows = page.get_by_role("dialog")
    question = page.get_by_role("dialog", name="Leave without saving?")
    stay, leave = (question.get_by_role("button", name=name) for name in ("Stay", "Leave"))
    here = page.url
    await opener.press("Enter")
    stored = await field.input_value()
    await field.fill(entered)
    await page.keyboard.press("Escape")
    await stay.press("Enter")
    await expect(question).to_have_count(0)
    await expect(field).to_be_focused()
    await go(page, "/log")
    await stay.press("Enter")
    await expect(question).to_have_count(0)
    await expect(field).to_have_value(entered)
    assert page.url == here
    await page.keyboard.press("Escape")
    await leave.press("Enter")
    await expect(windows).to_have_count(0)
    await expect(opener).to_be_focused()

    await opener.press("Enter")
    await expect(field).to_have_value(stored)
    await page.keyboard.press("Escape")
    await expect(windows).to_have_count(0)
    await expect(opener).to_be_focused()


@pytest.fixture(scope="session")
def axe_source() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm was not reached")
    return AXE.read_text()


@pytest.fixture
def axe(axe_source: str) -> Axe:
    """Fails with what axe-core finds on a page, in the light and in the dark theme."""

    async def look(page: Page) -> None:
        await page.emulate_media(reduced_motion="reduce")  # colours that change are none yet
        for theme in ("light", "dark"):
            await page.evaluate(
                "theme => { document.documentElement.dataset.theme = theme }", theme
            )
            assert await violations(page, axe_source) == [], theme

    return look


async def violations(page: Page, axe_source: str) -> list[str]:
    """What axe-core finds, each with the elements that it concerns."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe_source)
    found: dict[str, Any] = await page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules},"
        " resultTypes: ['violations']})",
        list(RULES),
    )
    return [
        f"{one['id']}: {one['help']}: {[node['html'][:160] for node in one['nodes'][:4]]}"
        for one in found["violations"]
    ]
