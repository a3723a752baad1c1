"""The clock of the device, its zone and its place in the interface (TIM-03, TIM-04, LOC-01)."""

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import until
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


async def test_a_zone_is_found_by_some_letters_and_a_place_is_entered(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    await go(page, "/time")
    clock = page.get_by_role("region", name="Clock of the device")
    await page.get_by_role("textbox", name="Zone").fill("kathm")
    await page.get_by_role("button", name="Asia/Kathmandu").click()
    await expect(page.get_by_text("There it is")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await expect(clock).to_contain_text("Asia/Kathmandu, UTC+05:45")
    await until(lambda: device.store.current.device.time_zone == "Asia/Kathmandu")
    await page.get_by_role("textbox", name="Zone").fill("Asia/Nowhere")
    await expect(page.get_by_text("No zone has this name.")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("[data-field=time_zone] .error")).to_contain_text("Asia/Nowhere")
    await page.get_by_role("button", name="Cancel").click()

    await page.get_by_label("Latitude").fill("-91")
    await page.get_by_label("Longitude").fill("13.4")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Allowed: −90 to 90.")).to_be_visible()
    await axe(page)
    await page.get_by_label("Latitude").fill("52° 31' 12\" S")
    await expect(page.get_by_text("52° 31′ 12″ S")).to_be_visible()
    await page.get_by_label("Heading").fill("270")
    await expect(page.get_by_text("Looks W (270°).")).to_be_visible()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Save")).to_have_count(0)
    await until(lambda: device.store.current.device.location.heading)
    place = device.store.current.device.location
    assert (place.latitude, place.longitude, place.heading) == (-52.52, 13.4, 270)

    await enter(page, url, "/time", name="olga")
    await expect(page.get_by_text("Only administrators change these.")).to_be_visible()
    await expect(page.get_by_label("Latitude")).to_have_value("-52.52")
    await expect(page.get_by_label("Latitude")).to_be_disabled()
    await expect(page.get_by_role("textbox", name="Zone")).to_be_disabled()


async def test_times_are_written_as_in_the_country_of_the_browser(
    browser: Browser, url: str
) -> None:
    """TIM-04: the language is the page's, English here; how it is written in it, the browser's."""
    for locale, written in (("en-US", r"[012]?\d:\d\d:\d\d\s[AP]M"), ("en-GB", r"\d\d:\d\d:\d\d")):
        page = await browser.new_page(locale=locale)
        await enter(page, url, "/time")
        await expect(page.locator(".time-now time")).to_have_text(re.compile(f"^{written}$"))
        await page.close()


async def test_what_somebody_else_changes_beside_it_is_kept(page: Page, device: Device) -> None:
    """Only what was touched is stored."""
    await go(page, "/time")
    await page.get_by_label("Heading").fill("90")
    await device.change({"device": {"location": {"label": "Yard"}}})
    await expect(page.get_by_label("Label")).to_have_value("Yard")
    await page.get_by_role("button", name="Save").click()

    await until(lambda: device.store.current.device.location.heading)
    assert device.store.current.device.location.label == "Yard"
