"""Around the pages: first visit, log-in, a session or connection that ends, and what is kept."""

import pytest
from playwright.async_api import Page, WebSocketRoute, expect

from sipstrobe.context import Context
from tests.browser.ui.conftest import Axe, enter
from tests.support.waiting import until
from tests.support.web import PASSWORDS, Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

ENGLISH = "if (location.protocol !== 'about:') localStorage.language ??= 'en'"


async def test_the_first_visitor_creates_the_administrator_and_sees_the_device(
    context: Context, tab: Page, axe: Axe
) -> None:
    """GEN-03, GEN-05: no default account, and nothing before the licence is accepted."""
    device = Device.make(context, users=(), in_background=True, profiles=PROFILES)
    async with device.served() as url:
        await tab.add_init_script(ENGLISH)
        await tab.goto(f"{url}/")
        await expect(tab.get_by_role("heading", name="Welcome")).to_be_visible()
        await tab.get_by_label("Name").fill("grace")
        await tab.get_by_label("Password", exact=True).fill("short")
        await expect(tab.locator(".strength")).to_contain_text("Short:")
        await tab.get_by_label("Password", exact=True).fill("correct horse battery")
        await expect(tab.locator(".strength")).to_contain_text("Hard to guess.")
        await tab.get_by_label("Password, again").fill("correct horse bakery")
        await tab.keyboard.press("Enter")
        await expect(tab.locator("[data-field=again] .error")).to_have_text(
            "The two passwords differ."
        )
        await expect(tab.locator("[data-field=accept] .error")).to_have_text(
            "The licence must be accepted to go on."
        )
        await axe(tab)

        await tab.get_by_label("Password, again").fill("correct horse battery")
        await tab.get_by_label("I accept the licence").press("Space")
        await tab.get_by_role("button", name="Create administrator").press("Enter")

        await expect(tab.locator(".connection")).to_have_attribute("data-state", "live")
        await expect(tab.locator(".bar-user")).to_contain_text("grace administrator")
        await tab.locator(".bar-user button").press("Enter")
        await tab.get_by_role("menuitem", name="Log out").press("Enter")
        await expect(tab.get_by_role("heading", name="Log in")).to_be_visible()
        await axe(tab)
        await tab.goto("about:blank")


async def test_a_wrong_password_is_told_and_the_right_one_opens(tab: Page, url: str) -> None:
    await tab.add_init_script(ENGLISH)
    await tab.goto(f"{url}/")
    await tab.get_by_text("Password lost?").press("Enter")  # GEN-04
    await expect(tab.locator("details")).to_contain_text("sipstrobe reset --factory")
    await tab.get_by_label("Name").fill("olga")
    await tab.get_by_label("Password", exact=True).fill("guess")
    await tab.keyboard.press("Enter")
    await expect(tab.locator(".door .error", has_text="password is wrong")).to_be_visible()

    await tab.get_by_label("Password", exact=True).fill(PASSWORDS["olga"])
    await tab.keyboard.press("Enter")

    await expect(tab.locator(".bar-user")).to_contain_text("olga operator")
    await expect(tab.locator(".overview-calls")).to_contain_text("sip:anything@127.0.0.1")
    await tab.goto("about:blank")


async def test_a_session_that_ends_takes_nothing_with_it(
    page: Page, device: Device, axe: Axe
) -> None:
    """What was asked for is done once somebody has logged in anew."""
    tile = page.locator(".overview-device")
    await tile.locator("select").select_option("for 4 hours")
    await page.context.clear_cookies()

    await tile.locator(".toggle", has_text="Maintenance mode").click()

    again = page.get_by_role("dialog", name="Log in again")
    await expect(again).to_contain_text("what you have entered is still here")
    await axe(page)
    await again.get_by_label("Password", exact=True).fill(PASSWORDS["ada"])
    await page.keyboard.press("Enter")
    await expect(again).to_have_count(0)
    await expect(page.locator(".banners")).to_contain_text("It ends in 3:59:")
    assert device.store.current.maintenance.active


async def test_a_lost_connection_is_told_with_its_length_and_made_again(
    page: Page, url: str
) -> None:
    """As after a loss of power: no connection is closed, and nothing ever comes again."""
    await expect(page.locator(".banners")).not_to_contain_text("Connection lost")
    connections: list[WebSocketRoute] = []

    def silent(connection: WebSocketRoute) -> None:
        connections.append(connection)
        connection.send('{"type": "hello", "at": 1.0}')

    await page.route_web_socket("**/api/v1/live*", silent)
    await page.clock.install()
    await enter(page, url)
    assert len(connections) == 1

    for _ in range(4):
        await page.clock.run_for(1500)
    await expect(page.locator(".banners")).to_contain_text("Connection lost for 0:0")
    await expect(page.locator(".connection")).to_have_attribute("data-state", "lost")
    for _ in range(8):
        await page.clock.run_for(1500)
    await until(lambda: len(connections) > 1)


async def test_language_appearance_and_menu_stay_as_people_have_chosen(
    page: Page, axe: Axe
) -> None:
    """WEB-01: two languages, light and dark, a menu that can be made small; by the keyboard."""
    await page.get_by_role("button", name="Appearance").press("Enter")
    await expect(page.get_by_role("menuitemradio", name="As the system")).to_be_focused()
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="Make the menu small").press("Enter")
    await page.get_by_role("button", name="Language").press("ArrowDown")
    await page.get_by_role("menuitemradio", name="Deutsch").press("Enter")

    await expect(page.get_by_role("link", name="Übersicht")).to_have_attribute(
        "aria-current", "page"
    )
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "de")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await expect(page.get_by_role("button", name="Menü verbreitern")).to_be_visible()

    await page.get_by_role("button", name="Über dieses Gerät").press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("/api/v1/openapi.json")
    await expect(page.get_by_role("dialog")).to_contain_text("Preact, copyright (c)")
    await axe(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_people_change_their_own_password(tab: Page, context: Context) -> None:
    device = Device.make(context, in_background=True, profiles=PROFILES)
    async with device.served() as url:
        await enter(tab, url, name="olga")
        await tab.locator(".bar-user button").press("Enter")
        await tab.get_by_role("menuitem", name="Change the password").press("Enter")
        window = tab.get_by_role("dialog", name="Change the password")
        await window.get_by_label("Old password").fill("a guess")
        await window.get_by_label("New password").fill("nobody knows this one")
        await window.get_by_label("Password, again").fill("nobody knows this one")
        await tab.keyboard.press("Enter")
        await expect(window.locator(".error", has_text="not the password")).to_be_visible()

        await window.get_by_label("Old password").fill(PASSWORDS["olga"])
        await tab.keyboard.press("Enter")

        await expect(window).to_have_count(0)
        await expect(tab.locator(".toast")).to_contain_text("The password is changed.")
        await tab.goto("about:blank")
