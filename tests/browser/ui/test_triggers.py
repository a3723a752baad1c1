"""Manual triggers in the interface (MTR-01)."""

import pytest
from playwright.async_api import Page, expect
from pytest_asyncio import fixture

from sipstrobe.context import Context
from sipstrobe.events import Function
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import Condition, Rule
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import until
from tests.support.web import Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

RULE = Rule(
    name="By hand",
    conditions=(Condition(event="input/manual_trigger", match={"trigger": "2", "active": "true"}),),
    action=RunProfile(profile="Evacuate"),
)


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    names = ("Bell", "Fire alarm")
    return Device.make(
        context, in_background=True, profiles=PROFILES, rules=(RULE,), manual_triggers=names
    )


async def test_a_switch_is_pressed_and_its_rule_acts(page: Page, device: Device, axe: Axe) -> None:
    await go(page, "/triggers")
    alarm = page.get_by_role("button", name="Fire alarm")
    await expect(alarm).to_have_attribute("aria-pressed", "false")
    await alarm.click()

    await expect(alarm).to_have_attribute("aria-pressed", "true")
    assert device.running(Function.SIGNALING_LED) == ["Flash 3x"]
    await expect(page.get_by_role("link", name="By hand")).to_be_visible()
    await axe(page)
    await alarm.focus()
    await page.keyboard.press("Space")
    await expect(alarm).to_have_attribute("aria-pressed", "false")
    assert device.running(Function.SIGNALING_LED) == []


async def test_they_are_named_added_and_removed(page: Page, url: str, device: Device) -> None:
    await go(page, "/triggers")
    await page.get_by_role("button", name="Edit names").click()
    await page.get_by_label("Name of trigger 1").fill("")
    await page.get_by_role("button", name="Add trigger").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".triggers-names .error:visible")).to_have_count(1)
    await page.get_by_label("Name of trigger 1").fill("Break bell")
    await page.get_by_role("button", name="Save").click()

    await expect(page.get_by_role("button", name="Break bell")).to_be_visible()
    wanted = ("Break bell", "Fire alarm", "Manual trigger 3")
    await until(lambda: device.store.current.manual_triggers == wanted)
    await page.get_by_role("button", name="Edit names").click()
    await page.get_by_role("button", name="Remove trigger 3").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("list", name="Manual triggers").locator("> li")).to_have_count(2)

    await enter(page, url, "/triggers", name="victor")
    await page.reload()
    await expect(page.get_by_role("button", name="Fire alarm")).to_be_disabled()
    await expect(page.get_by_role("button", name="Edit names")).to_have_count(0)
