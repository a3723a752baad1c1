"""Every setting as a tree (PLC-01): found by words and paths, changed one by one."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.ui.conftest import Axe, go
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


async def test_a_setting_is_found_and_changed_in_its_place(
    page: Page, device: Device, axe: Axe
) -> None:
    """What the device refuses is told at the field, and what was typed stays."""
    await go(page, "/config")
    await page.get_by_label("Find").fill("zone time")
    rows = page.locator(".config-value")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("/device/time_zone")
    await expect(rows).to_contain_text("Default: empty")
    await page.get_by_role("button", name="Change /device/time_zone").click()
    await rows.get_by_label("Time zone").fill("Moon/Crater")
    await page.keyboard.press("Enter")
    await expect(rows.locator("[data-field] .error")).to_contain_text("Moon/Crater")
    await axe(page)
    await rows.get_by_label("Time zone").fill("Europe/Berlin")
    await page.keyboard.press("Enter")
    await expect(rows.locator(".config-is")).to_have_text("Europe/Berlin")
    assert device.store.current.device.time_zone == "Europe/Berlin"

    await page.get_by_label("Find").fill("/sip/port")
    await page.get_by_role("button", name="Change /sip/port").click()
    await page.get_by_role("textbox", name="SIP port").fill("70000")
    await page.keyboard.press("Enter")
    await expect(rows.locator("[data-field] .error")).to_have_text("Allowed: 1024 to 65535.")
    await rows.get_by_role("button", name="Cancel").click()

    await page.get_by_label("Find").fill("/device")
    await page.get_by_label("Only what differs").check(force=True)
    await page.get_by_role("button", name="Change /device/time_zone").click()
    await page.get_by_role("button", name="Default").click()
    await expect(page.locator("[data-path='/device/time_zone']")).to_have_count(0)
    assert device.store.current.device.time_zone == ""


async def test_lists_go_whole_and_nobody_writes_over_others(
    page: Page, device: Device, axe: Axe
) -> None:
    await go(page, "/config")
    profiles = page.locator("[data-path='/profiles']")
    await profiles.get_by_role("button", name="/profiles").press("Enter")
    first = page.locator("[data-path='/profiles/0']")
    await first.locator(".config-branch").press("Enter")
    before = device.store.current.profiles
    await first.get_by_role("button", name="Change /profiles/0/description").click()
    await first.get_by_role("textbox", name="Description").fill("For the night")
    await device.change({"device": {"name": "Hall"}})  # elsewhere: no conflict
    await page.keyboard.press("Enter")
    await expect(page.locator(".config-editor")).to_have_count(0)
    assert device.store.current.profiles[0].description == "For the night"
    assert device.store.current.profiles[1:] == before[1:]

    await page.locator("[data-path='/device'] .config-branch").press("Enter")
    await page.get_by_role("button", name="Change /device/name").click()
    editor = page.get_by_role("form", name="Change /device/name")
    await editor.get_by_role("textbox").fill("Yard")
    await page.get_by_role("button", name="Change /device/time_zone").click()
    await page.get_by_role("button", name="Stay").click()
    await device.change({"device": {"name": "Gate"}})
    await editor.get_by_role("textbox").press("Enter")
    await expect(editor.get_by_role("status")).to_contain_text("changed this to Gate")
    await axe(page)
    await editor.get_by_role("button", name="Save mine").click()
    await expect(editor).to_have_count(0)
    assert device.store.current.device.name == "Yard"

    await first.get_by_role("button", name="/profiles/0 as JSON").click()
    await first.get_by_role("textbox").fill("{")
    await first.get_by_role("button", name="Save").click()
    await expect(first.locator(".config-json .error")).to_contain_text("This is no JSON")
    await first.get_by_role("button", name="Cancel").click()
    await expect(first.locator(".config-json")).to_have_count(0)
