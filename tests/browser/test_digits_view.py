"""Digits in the page: sequences that cause events, what was pressed, and digits that are sent."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from pytest_asyncio import fixture

from sipstrobe.context import Context
from sipstrobe.dtmf.settings import DigitSequence
from sipstrobe.events import DigitReceived, SequenceReceived
from tests.browser.conftest import log_in
from tests.support.waiting import until
from tests.support.web import Device, FakeCall

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

GATE = DigitSequence(sequence="12#", name="Gate")


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    device = Device.make(context, in_background=True, dtmf={"sequences": [GATE]})
    device.registrations = [{"account": name, "state": "off"} for name in ("peer-to-peer", "PBX")]
    return device


@fixture(loop_scope="module")
async def url(device: Device) -> AsyncIterator[str]:
    async with device.served() as url:
        yield url


async def look(page: Page, url: str, name: str = "olga") -> None:
    await log_in(page, url, name)
    await page.click(".views a[href='#digits']")
    await expect(page.locator("#sequences li")).not_to_have_count(0)


async def test_a_sequence_is_added_edited_and_deleted(page: Page, url: str, device: Device) -> None:
    """DTM-01, DTM-02, DTM-03, GAP-26."""
    await look(page, url)
    form, rows = page.locator("#sequence"), page.locator("#sequences li")

    await form.locator("[name=sequence]").fill("*9a")
    await form.locator("[name=name]").fill("Silence")
    await form.locator("label:has([name=held])").click()
    await form.locator("summary").click()
    await form.get_by_label("PBX").check()
    await form.locator("button.primary").click()
    await expect(page.locator("#other-error")).to_have_text("there is no account 'PBX'")
    await form.get_by_label("PBX").uncheck()
    await form.get_by_label("peer-to-peer").check()
    await form.locator("button.primary").click()
    await expect(rows).to_have_count(2)
    await expect(rows.nth(1).locator("code")).to_have_text("*9A")
    await expect(rows.nth(1).locator("small")).to_have_text("in calls of peer-to-peer · long press")

    await rows.nth(0).get_by_text("Edit").click()
    await expect(form.locator("[name=name]")).to_have_value("Gate")
    await form.locator("[name=name]").fill("Door")
    await form.locator("button.primary").click()
    await expect(rows.nth(0).locator("strong")).to_have_text("Door")
    await rows.nth(1).get_by_text("Delete").click()
    await expect(rows).to_have_count(1)
    assert device.store.current.dtmf.sequences == (DigitSequence(sequence="12#", name="Door"),)


async def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    page: Page, url: str, device: Device
) -> None:
    await look(page, url)
    form = page.locator("#sequence")

    await form.locator("[name=sequence]").fill("12x")
    await form.locator("button.primary").click()

    await expect(page.locator("#sequence-error")).to_contain_text("must be a text")
    await expect(page.locator("#name-error")).to_contain_text("1 to 64 characters")
    await expect(form.locator("[name=sequence]")).to_have_attribute("aria-invalid", "true")
    await expect(form.locator("[name=sequence]")).to_have_value("12x")
    await form.locator("[name=sequence]").fill("12#")
    await form.locator("[name=name]").fill("Again")
    await form.locator("button.primary").click()
    await expect(page.locator("#sequence-error")).to_have_text(
        "12# is a sequence of the same account already"
    )
    await expect(page.locator("#name-error")).to_have_text("")

    time = page.get_by_label("Time between digits")
    await time.fill("60")
    await time.press("Enter")
    field = page.locator("[data-setting='dtmf/digit_timeout']")
    await expect(field.locator(".error")).to_contain_text("from 0.2 to 30")
    await expect(time).to_have_value("60")
    await time.fill("5")
    await time.press("Enter")
    await until(lambda: device.store.current.dtmf.digit_timeout == 5.0)
    await expect(field.locator(".error")).to_have_text("")


async def test_what_somebody_else_has_changed_meanwhile_is_not_undone(
    page: Page, url: str, device: Device
) -> None:
    """The list is replaced as a whole, so it is refused unless it was changed as it now is."""
    await look(page, url)
    await page.locator("#sequence [name=sequence]").fill("77")
    await page.locator("#sequence [name=name]").fill("Mine")
    device.store.change_now({"dtmf": {"sequences": [GATE, {"sequence": "5", "name": "Theirs"}]}})

    await page.click("#sequence button.primary")
    await expect(page.locator("#other-error")).to_contain_text("have been changed meanwhile")
    await expect(page.locator("#sequences li")).to_have_count(2)
    await page.click("#sequence button.primary")

    await expect(page.locator("#sequences li")).to_have_count(3)


async def test_digits_and_sequences_are_seen_as_they_come(
    page: Page, url: str, device: Device
) -> None:
    await look(page, url)
    publish = device.context.bus.publish
    for digit in "12#":
        publish(DigitReceived(call="in-1", digit=digit, extension="1001", line=""))
    publish(
        SequenceReceived(
            name="Gate", sequence="12#", call="in-1", account="PBX", extension="1001", line=""
        )
    )

    rows = page.locator("#pressed li")
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0).locator("strong")).to_have_text("Gate")
    await expect(rows.nth(1).locator("code")).to_have_text("12#")


async def test_digits_are_sent_in_one_call_or_in_all(page: Page, url: str, device: Device) -> None:
    device.calls += [FakeCall(id="c1"), FakeCall(id="c2", remote_uri="sip:bob@192.0.2.9")]
    await log_in(page, url)
    row = page.locator("#calls li").nth(0)
    await expect(row.locator(".send")).to_be_hidden()
    await row.get_by_role("button", name="Digits").click()
    await row.locator(".send input").fill("1x")
    await row.locator(".send input").press("Enter")
    await expect(row.locator(".send .error")).to_have_text("'1x' are no digits")
    await row.locator(".send input").fill("1#")
    await row.locator(".send input").press("Enter")
    await expect(row.locator(".send input")).to_have_value("")
    assert device.digits == [("c1", "1#")]

    await page.click(".views a[href='#digits']")
    await page.fill("#send-digits [name=digits]", "9")
    await page.locator("#send-digits select").select_option("bob@192.0.2.9")
    await page.click("#send-digits button")
    await expect(page.locator("#send-digits [name=digits]")).to_have_value("")
    assert device.digits[-1] == ("c2", "9")


async def test_a_viewer_sees_the_sequences_and_changes_none(page: Page, url: str) -> None:
    await look(page, url, "victor")

    await expect(page.locator("#sequence")).to_be_hidden()
    await expect(page.locator("#send-digits")).to_be_hidden()
    await expect(page.get_by_label("Time between digits")).to_be_disabled()


async def test_the_view_fits_a_phone(
    browser: Browser, url: str, device: Device, tmp_path: Path
) -> None:
    long = {"sequence": "1234567890ABCD*#" * 4, "name": "N" * 64}
    device.store.change_now({"dtmf": {"sequences": [GATE, long]}})
    page = await browser.new_page(viewport={"width": 390, "height": 800})
    await look(page, url)

    await page.screenshot(path=tmp_path / "digits.png", full_page=True)

    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.close()
