"""Ten browsers look on at once."""

import asyncio

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.ui.conftest import OPERATOR
from tests.support.web import PASSWORDS

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

BROWSERS = 10
LIGHT = '[data-function="SignalingLED"]'


async def test_what_one_of_ten_starts_and_another_stops_is_seen_by_all(
    browser: Browser, url: str
) -> None:
    """Each with a session and connections of its own, all from one address."""
    pages: list[Page] = []
    for _ in range(BROWSERS):
        pages.append(await browser.new_page(reduced_motion="reduce"))
        await pages[-1].add_init_script("localStorage.language = 'en'")
        who = {"name": OPERATOR, "password": PASSWORDS[OPERATOR]}
        assert (await pages[-1].context.request.post(f"{url}/api/v1/login", data=who)).ok
    await asyncio.gather(*(page.goto(url) for page in pages))
    live = [expect(page.locator(".connection")) for page in pages]
    await asyncio.gather(*(one.to_have_attribute("data-state", "live") for one in live))

    await pages[0].get_by_role("button", name="Start Evacuate").click()
    winner = f"{LIGHT} li[data-shown=yes] strong"
    await asyncio.gather(*(expect(page.locator(winner)).to_have_text("Flash 3x") for page in pages))
    await pages[-1].get_by_role("button", name="Stop everything").click()
    await asyncio.gather(*(expect(p.locator(LIGHT)).to_contain_text("Nothing runs") for p in pages))
    await asyncio.gather(*(page.close() for page in pages))
