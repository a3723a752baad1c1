"""Schedules in the interface: a calendar, fields for what recurs, and what came of it (SCH-01)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect
from pytest_asyncio import fixture

from sipstrobe.context import Context
from sipstrobe.schedules.settings import Schedule
from sipstrobe.services.schedules import Schedules
from tests.browser.ui.conftest import Axe, enter, go, leave_with_care
from tests.support.waiting import until
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

NIGHT = Schedule(
    name="Night", text="DTSTART:20240101T220000 DTEND:20240102T060000 RRULE:FREQ=DAILY"
)
TICK = Schedule(name="Tick", text="DTSTART:20240101T000000 RRULE:FREQ=MINUTELY;INTERVAL=5")
ODD = Schedule(
    name="Odd", text="DTSTART:20240101T120000 RRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU"
)


class Recorded(Schedules):
    """They come as they do; of the past there is one night that nobody waited for."""

    async def history(self, schedule: str, limit: int) -> list[dict[str, Any]] | None:
        at = datetime(2030, 1, 1, 22, tzinfo=UTC).isoformat()
        return [{"at": at, "until": None, "done": False, "why": "no rule uses it"}]


@fixture(loop_scope="module")
async def device(context: Context, tmp_path: Path) -> AsyncIterator[Device]:
    device = Device.make(context, in_background=True, schedules=(NIGHT, TICK, ODD))
    schedules = Recorded(context, tmp_path, device.automation.snapshot)
    await schedules.start(0.0)
    device.schedules = schedules
    device.store.watch(lambda s: s.schedules, lambda kept: schedules.apply(kept, "UTC"))
    yield device
    await schedules.aclose()


async def test_what_is_on_is_seen_by_week_month_and_list(page: Page, axe: Axe) -> None:
    await go(page, "/schedules")
    week = page.get_by_role("table", name="Calendar")
    await expect(week.locator("td")).to_have_count(7)
    await expect(week.get_by_role("button", name="Night until 06:00")).to_have_count(7)
    await expect(week.get_by_role("button", name="288 times, the last at 23:55")).to_have_count(7)
    await axe(page)

    await page.get_by_role("radio", name="Month").check()
    await expect(week.locator("td")).to_have_count(42)
    today = week.locator('[aria-current="date"]')
    here = await today.get_attribute("data-day")
    assert here is not None
    await today.focus()
    await page.keyboard.press("Home")
    monday = datetime.fromisoformat(here) - timedelta(days=datetime.fromisoformat(here).weekday())
    await expect(week.locator(f'[data-day="{monday.date()}"]')).to_be_focused()
    await page.keyboard.press("ArrowRight")
    await expect(week.locator(f'[data-day="{monday.date() + timedelta(1)}"]')).to_be_focused()

    await page.get_by_role("radio", name="List").check()
    await expect(page.locator(".schedules-agenda > li")).to_have_count(14)
    await axe(page)


async def test_one_is_made_by_fields_and_the_device_says_when_it_comes(
    page: Page, device: Device, axe: Axe
) -> None:
    await go(page, "/schedules")
    await page.get_by_role("button", name="Add schedule").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill("Night")
    await dialog.get_by_role("radio", name="A moment").check()
    await dialog.get_by_label("Date", exact=True).fill("2030-01-04")
    await dialog.get_by_label("Time", exact=True).fill("12:30")
    await dialog.get_by_label("It comes").select_option('"monthly"')
    await dialog.get_by_label("Day of the month").select_option(label="on the first Friday")
    await expect(dialog.locator(".schedules-upcoming li").first).to_have_text(
        "Friday, 4 January 2030, 12:30"
    )
    await axe(page)
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator('[data-field="name"] .error')).to_have_text(
        "there is a schedule 'Night' already"
    )
    await dialog.get_by_label("Name", exact=True).fill("Siren test")
    await dialog.get_by_label("Name", exact=True).press("Enter")

    one = page.get_by_role("listitem", name="Siren test")
    await expect(one).to_contain_text("Every month on the first Friday at 12:30")
    text = "DTSTART:20300104T123000 RRULE:FREQ=MONTHLY;BYDAY=1FR"
    await until(lambda: device.store.current.schedules[-1].text == text)

    await page.get_by_role("button", name="Edit Siren test").click()
    await dialog.get_by_role("radio", name="As text").check()
    await dialog.get_by_label("When", exact=True).fill("DTSTART:20300104T123000 RRULE:FREQ=NEVER")
    await expect(dialog.locator('[data-field="text"] .error')).to_contain_text("FREQ must be one")


async def test_what_fields_cannot_say_is_text_and_what_came_of_one_is_told(
    page: Page, url: str
) -> None:
    await enter(page, url, "/schedules")
    await page.get_by_role("button", name="Edit Odd").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_label("When", exact=True)).to_have_value(ODD.text)
    await expect(dialog.get_by_role("radio", name="By fields")).to_be_disabled()
    await dialog.get_by_role("button", name="Cancel").click()

    await enter(page, url, "/schedules", name="victor")
    await page.reload()
    await expect(page.get_by_role("button", name="Edit Odd")).to_have_count(0)
    await page.get_by_role("button", name="History of Night").click()
    cells = dialog.locator("tbody td")
    await expect(cells).to_have_text(
        ["Tuesday, 1 January 2030, 22:00", "Did not act", "no rule uses it"]
    )


@pytest.mark.parametrize("opener", ["Add schedule", "Edit Night"])
async def test_what_was_entered_is_not_lost_without_a_question(
    page: Page, device: Device, opener: str
) -> None:
    await go(page, "/schedules")
    button = page.get_by_role("button", name=opener, exact=True)
    dialog = page.get_by_role("dialog")
    name = dialog.get_by_label("Name", exact=True)
    await leave_with_care(page, button, name, "Siren test")

    await button.press("Enter")
    await name.fill("Evening")
    await name.press("Enter")
    await expect(dialog).to_have_count(0)
    assert "Evening" in [one.name for one in device.store.current.schedules]
    await go(page, "/log")
    await expect(page.get_by_role("heading", name="Log", level=1)).to_be_visible()
