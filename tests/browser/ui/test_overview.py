"""The overview in a real browser: what it shows of the device, and what it orders."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.ui.conftest import Axe

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


async def test_who_has_an_account_sees_the_device(page: Page, axe: Axe) -> None:
    await expect(page.locator(".bar-name")).to_have_text("sipstrobe")
    await expect(page.locator(".strobe")).to_be_visible()
    await axe(page)
