"""Some pages look as they did when they were last looked at; `shots` has them all."""

import asyncio
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from tests.browser.ui.shots import (
    SHARE,
    STORED,
    Shot,
    cannot_compare,
    differing,
    opened,
    take,
)
from tests.browser.ui.shots_device import shown_device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

PATHS = ("/", "/profiles", "/rules", "/sip")
PATIENCE = 30.0  # seconds for which a page may still be on its way to how it looks


async def looks_otherwise(page: Page, blank: Page, shot: Shot) -> float:
    """The share that is otherwise than stored, when it has had its time."""
    stored = await asyncio.to_thread((STORED / f"{shot.name}.webp").read_bytes)
    end = time.monotonic() + PATIENCE
    while True:
        share = await differing(blank, stored, await take(page, shot))
        if share <= SHARE or time.monotonic() > end:
            return share


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1280, "light")])
async def test_pages_look_as_they_did(
    browser: Browser, tmp_path: Path, width: int, theme: str
) -> None:
    blank = await browser.new_page()
    if words := await cannot_compare(browser, blank):
        pytest.skip(f"drawn otherwise than the stored pictures: {words}")
    found: dict[str, float] = {}
    async with shown_device(tmp_path) as url, opened(browser, url, width, theme) as page:
        for path in PATHS:
            shot = Shot(path, width, theme)
            found[shot.name] = await looks_otherwise(page, blank, shot)
    await blank.close()
    assert {name: share for name, share in found.items() if share > SHARE} == {}
