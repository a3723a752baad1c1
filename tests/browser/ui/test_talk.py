"""Talking from the overview, where the browser or the device has something against it. That it is
heard is told in tests/interop/test_talk.py."""

import pytest
from playwright.async_api import Page, expect

from sipstrobe.errors import CommandRefused
from tests.browser.ui.conftest import VIEWER, Axe, enter
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

REFUSE = """name => {
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
}"""
SOUND = """() => {
  navigator.mediaDevices.getUserMedia = () =>
    Promise.resolve(new AudioContext().createMediaStreamDestination().stream);
}"""


async def test_why_nobody_can_talk_is_said_in_words(page: Page, device: Device, axe: Axe) -> None:
    """By the browser: no permission, no microphone, no HTTPS; and by the device."""
    card = page.locator(".talk")
    button = card.get_by_role("button", name="Hold to talk")
    told = card.locator(".notice")

    for name, words in (
        ("NotAllowedError", "may not use your microphone"),
        ("NotFoundError", "has no microphone that works"),
    ):
        await page.evaluate(REFUSE, name)
        await button.press("Space")
        await expect(told).to_contain_text(words)
    await axe(page)
    await page.evaluate("Object.defineProperty(window, 'isSecureContext', {value: false})")
    await button.press("Enter")
    await expect(told).to_contain_text("only to pages that came over HTTPS")

    await page.evaluate("Object.defineProperty(window, 'isSecureContext', {value: true})")
    await page.evaluate(SOUND)
    device.browsers.failure = CommandRefused("too_many_talkers", "4 talk already")
    await button.press("Space")
    await expect(told).to_contain_text("4 talk already")
    await expect(button).to_have_attribute("aria-pressed", "false")
    await expect(card.get_by_role("switch", name="Hear the room")).to_be_disabled()


async def test_only_operators_are_offered_to_talk(page: Page, url: str) -> None:
    await enter(page, url, name=VIEWER)

    await expect(page.get_by_role("heading", name="What runs")).to_be_visible()
    await expect(page.locator(".talk")).to_have_count(0)
