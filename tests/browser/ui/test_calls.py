"""Calls in the interface: those that run with how they are heard, digits, and those that were."""

import pytest
from playwright.async_api import Page, expect

from sipstrobe.sip.transport import Address, Flow, Transport
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import until
from tests.support.web import Device, FakeCall, FakeRecord

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

AUDIO = {
    "verdict": "private_address",
    "words": "Nothing is received: the other side names 192.168.7.7.",
    "advice": "Switch on ICE.",
    "mos": None,
    "jitter_ms": 3.2,
    "sent": 520,
}
FLOW = Flow(Transport.UDP, Address("192.0.2.10", 5060), Address("192.0.2.66", 5060))
INVITE = b"INVITE sip:1001@192.0.2.10 SIP/2.0\r\nCall-ID: m\r\nCSeq: 1 INVITE\r\n\r\n"
DENIED = b"SIP/2.0 403 Forbidden\r\nCall-ID: m\r\nCSeq: 1 INVITE\r\n\r\n"


async def test_a_call_says_whether_it_is_heard_and_takes_digits(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """DTM-05, and the verdict with its cause and what may help."""
    device.calls += [FakeCall(audio=AUDIO), FakeCall(id="c2", remote_uri="sip:bob@192.0.2.9")]
    await go(page, "/calls")
    call = page.locator("[data-call=c1]")

    await expect(call.locator(".badge")).to_have_text("Private address")
    await expect(call).to_contain_text("names 192.168.7.7.")
    await expect(call).to_contain_text("Switch on ICE.")
    await call.get_by_role("button", name="Digits to alice").click()
    await axe(page)
    await call.get_by_role("button", name="Press 1").click()
    await page.keyboard.press("#")
    await expect(call.locator(".calls-sent")).to_have_text("Sent: 1#")
    assert device.digits == [("c1", "1"), ("c1", "#")]
    await call.get_by_label("Several digits").fill("1x")
    await page.keyboard.press("Enter")
    await expect(call.locator(".error")).to_have_text("'1X' are no digits")
    await expect(call.get_by_label("Several digits")).to_have_value("1x")

    await page.get_by_role("button", name="Digits to all active calls").click()
    everybody = page.get_by_role("group", name="Digits to all active calls")
    await everybody.get_by_role("button", name="Press 9").click()
    await until(lambda: device.digits[-2:] == [("c1", "9"), ("c2", "9")])
    await page.get_by_role("button", name="Hang up bob@192.0.2.9").click()
    await expect(page.locator("[data-call=c2]")).to_have_count(0)


async def test_calls_that_were_are_searched_and_told_in_full(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    device.records += [FakeRecord(id=n, call=f"in-{n}") for n in range(1, 31)]
    refused = FakeRecord(id=31, remote_uri="sip:mallory@192.0.2.66", reason="denied", verdict=None)
    refused.answered, refused.words, refused.call = None, "not in the access list", "in-31"
    device.system.ladder.message(INVITE, FLOW, sent=False)
    device.system.ladder.message(DENIED, FLOW, sent=True)
    device.system.ladder.named("m", "in-31")
    device.records.append(refused)
    await go(page, "/calls")
    rows = page.locator(".calls-table tbody tr")

    await expect(rows).to_have_count(25)
    await page.get_by_role("button", name="Older calls").click()
    await expect(rows).to_have_count(31)
    await page.get_by_label("Refused").check()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("not in the access list")
    await page.get_by_label("All", exact=True).check()
    await page.get_by_label("Find in calls").fill("mallory")
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Details of the call with mallory").click()
    details = page.get_by_role("dialog")
    await expect(details).to_contain_text("not in the access list")
    await details.get_by_role("button", name="Show the SIP messages").click()
    messages = details.locator(".calls-message")
    await expect(messages).to_contain_text(["INVITE", "403 Forbidden (INVITE)"])
    await messages.last.get_by_role("button").press("Enter")
    await expect(messages.last.locator("pre")).to_contain_text("SIP/2.0 403 Forbidden")
    await axe(page)
    await details.get_by_role("button", name="Close").first.click()
    await page.get_by_role("button", name="Call mallory@192.0.2.66").click()
    await expect(page.get_by_label("Address", exact=True)).to_have_value("mallory@192.0.2.66")
    await page.get_by_role("button", name="Call", exact=True).first.click()
    await expect(page.locator("[data-call=out-1]")).to_contain_text("is called")


async def test_a_viewer_sees_calls_and_touches_none(tab: Page, url: str, device: Device) -> None:
    device.calls.append(FakeCall())
    await tab.set_viewport_size({"width": 360, "height": 800})
    await enter(tab, url, "/calls", name="victor")

    await expect(tab.locator("[data-call=c1]")).to_contain_text("alice@192.0.2.77")
    await expect(tab.get_by_role("button", name="Hang up")).to_have_count(0)
    await expect(tab.get_by_label("Address")).to_have_count(0)
    assert await tab.evaluate("document.documentElement.scrollWidth") == 360
    await tab.goto("about:blank")
