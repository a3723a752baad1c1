"""What the page does while the device has no time, and when it says nothing any more."""

import pytest
from playwright.async_api import FilePayload, Page, Route, expect

from tests.browser.ui.conftest import go
from tests.support.waiting import until
from tests.support.web import PASSWORDS

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

GONG: FilePayload = {"name": "Gong.wav", "mimeType": "audio/wav", "buffer": b"never read"}


async def test_who_signs_in_while_many_do_waits_for_his_turn(tab: Page, url: str) -> None:
    turned_away: list[str] = []

    async def busy(route: Route) -> None:
        if turned_away:
            await route.continue_()
            return
        turned_away.append(route.request.url)
        problem = {"status": 503, "detail": "too many sign in at once", "code": "busy"}
        await route.fulfill(status=503, json=problem)

    await tab.add_init_script("if (location.protocol !== 'about:') localStorage.language ??= 'en'")
    await tab.route("**/api/v1/login", busy)
    await tab.goto(f"{url}/")
    await tab.get_by_label("Name").fill("olga")
    await tab.get_by_label("Password", exact=True).fill(PASSWORDS["olga"])
    await tab.keyboard.press("Enter")

    await expect(tab.locator(".bar-user")).to_contain_text("olga operator")
    assert turned_away
    await tab.goto("about:blank")


async def test_a_file_that_nobody_takes_is_given_up_in_the_end(page: Page) -> None:
    held: list[Route] = []
    await page.clock.install()
    await go(page, "/media")
    await page.route("**/api/v1/clips?name=*", lambda route: held.append(route))
    await page.get_by_label("Sound files", exact=True).set_input_files([GONG])
    await until(lambda: held)
    await page.clock.run_for(121_000)

    await expect(page.locator(".media-refused")).to_contain_text("The device does not answer.")


async def test_a_page_that_could_not_be_loaded_is_there_without_a_hand(page: Page) -> None:
    """As when the device was away, or is another version by now."""
    refused: list[str] = []

    async def away(route: Route) -> None:
        refused.append(route.request.url)
        await route.fulfill(status=503)

    await page.route("**/assets/triggers-*.js", away, times=1)
    await go(page, "/triggers")

    await expect(page.get_by_role("heading", name="Manual triggers", level=1)).to_be_visible()
    assert refused
