"""Where the focus is and what is said, for those who have no mouse or do not see the page (WCAG 2.2
2.1.1, 2.4.3, 4.1.3)."""

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.ui.conftest import go

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


async def test_another_page_begins_at_its_top_and_is_said(page: Page) -> None:
    """Also one whose address is no address, and from the menu of a phone."""
    await page.set_viewport_size({"width": 390, "height": 500})
    await page.evaluate("scrollTo(0, 400)")
    menu = page.get_by_role("button", name="Menu")
    await menu.press("Enter")
    await expect(page.get_by_role("link", name="Overview")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_be_focused()
    await expect(page.get_by_role("navigation")).to_be_hidden()
    await menu.press("Enter")
    await page.get_by_role("link", name="Overview").press("Enter")
    await expect(page.get_by_role("navigation")).to_be_hidden()
    await menu.press("Enter")
    await page.get_by_role("link", name="Config").press("Enter")

    await expect(page.get_by_role("main")).to_be_focused()
    assert await page.evaluate("scrollY") == 0
    await expect(page.get_by_role("status").filter(has_text="Plain config")).to_have_count(1)
    await go(page, "/%E0%A4%A")
    await expect(page.get_by_role("main")).to_contain_text("There is no such page")


async def test_what_is_removed_leaves_the_focus_beside_it(page: Page) -> None:
    """And what is switched off while it is carried out keeps it in the form."""
    await go(page, "/profiles")
    await page.get_by_role("button", name="More about Evacuate").press("Enter")
    await page.get_by_role("menuitem", name="Delete").press("Enter")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")

    await expect(page.get_by_role("checkbox", name="Choose")).to_have_count(1)
    await expect(page.get_by_role("checkbox", name="Choose")).to_be_focused()

    held = asyncio.Event()

    async def hold(route: Route) -> None:
        if route.request.method == "PATCH":
            await held.wait()
        await route.continue_()

    await page.route("**/api/v1/settings/*", hold)
    await go(page, "/time")
    form = page.get_by_role("form", name="Name and place")
    await form.get_by_label("Name", exact=True).fill("Hall")
    save = form.get_by_role("button", name="Save")
    await save.press("Enter")
    await expect(save).to_have_attribute("aria-busy", "true")
    await expect(save).to_be_focused()
    held.set()
    await expect(page.locator(".bar-name")).to_have_text("Hall")
    await expect(form.locator(":focus")).to_have_count(1)


async def test_a_window_that_waits_for_an_answer_cannot_be_lost(page: Page) -> None:
    """What is refused meanwhile is said in it: all below it is out of reach."""
    await go(page, "/profiles")
    await page.get_by_role("button", name="Edit Evacuate").press("Enter")
    window = page.get_by_role("dialog", name="Edit Evacuate")
    await window.get_by_label("Name", exact=True).fill("Gate")
    question = page.get_by_role("dialog", name="Leave without saving?")
    for _ in range(2):
        await page.keyboard.press("Escape")
        await expect(question).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(question).to_have_count(0)
        await expect(window.get_by_label("Name", exact=True)).to_have_value("Gate")

    await page.route(
        "**/api/v1/profiles/preview",
        lambda route: route.fulfill(status=409, json={"detail": "Not now.", "status": 409}),
    )
    await window.get_by_role("button", name="Light only").click()
    await expect(window.get_by_role("status").filter(has_text="Not now.")).to_be_visible()
    await window.get_by_role("button", name="Close").last.press("Enter")
    await expect(window.locator(".toast")).to_have_count(0)


async def test_whoever_must_log_in_again_cannot_lose_the_window_for_it(page: Page) -> None:
    await page.context.clear_cookies()
    await go(page, "/triggers")
    window = page.get_by_role("dialog", name="Log in again")
    await expect(window).to_be_visible()
    for _ in range(4):  # Chromium closes it by the second or third, whoever prevents that
        await page.keyboard.press("Escape")
        await expect(window.get_by_label("Name", exact=True)).to_be_visible()


async def test_what_is_on_can_be_seen_in_colours_that_people_have_chosen(page: Page) -> None:
    """Forced colours, as with high contrast, leave no backgrounds of the page's own."""
    await page.emulate_media(forced_colors="active")
    await go(page, "/users")
    track = page.locator(".toggle-track")
    guard = page.get_by_role("switch", name="Block who guesses").locator("+ *")
    viewing = page.get_by_role("switch", name="Anonymous viewing").locator("+ *")
    await expect(track).to_have_count(2)
    colour = "track => getComputedStyle(track).backgroundColor"

    assert await guard.evaluate(colour) != await viewing.evaluate(colour)
    current = page.get_by_role("link", name="Accounts")
    other = page.get_by_role("link", name="Certificates")
    assert await current.evaluate(colour) != await other.evaluate(colour)
