"""The sound in the page: how loud, who is heard with whom, what plays and what was played."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from pytest_asyncio import fixture

from sipstrobe.audio.settings import MixRule
from sipstrobe.context import Context
from sipstrobe.events import SoundPlayed
from tests.browser.conftest import log_in
from tests.support.waiting import until
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

PAGE: dict[str, object] = {
    "owner": "in-1",
    "kind": "page",
    "rank": 7,
    "gain": 1.0,
    "ducked": False,
    "rms_db": -20.0,
    "peak_db": -8.0,
    "underruns": 0,
}
SIREN = PAGE | {"owner": "siren", "kind": "siren", "rank": 4, "gain": 0.25, "ducked": True}
CLIP = PAGE | {"owner": "clip", "kind": "clip", "rank": 3, "gain": 0.0, "underruns": 2}
SOUND: dict[str, object] = {
    "output": "Speakers",
    "working": True,
    "problem": "",
    "volume_db": 0.0,
    "muted": False,
    "limiter_db": -3.0,
    "rms_db": -18.0,
    "peak_db": -6.0,
    "sources": [PAGE, SIREN, CLIP],
    "sources_total": 3,
}
PLAYED = SoundPlayed(
    owner="in-7",
    kind="page",
    rank=7,
    heard_seconds=12.3,
    hidden_seconds=2.0,
    ducked_seconds=0.0,
    level_db=-21.4,
    underruns=1,
    late_periods=2,
    delay_ms=38.2,
)
HEARD: dict[str, object] = {
    "first": "2030-01-01T14:05:00Z",
    "last": "2030-01-01T14:05:12Z",
    "sound": PLAYED,
}


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    device = Device.make(context, in_background=True)
    device.sound = dict(SOUND)
    return device


@fixture(loop_scope="module")
async def url(device: Device) -> AsyncIterator[str]:
    async with device.served() as url:
        yield url


async def look(page: Page, url: str, name: str = "olga") -> None:
    await log_in(page, url, name)
    await page.click(".views a[href='#sound']")
    await expect(page.locator("#policy td")).to_have_count(26)
    await expect(page.get_by_label("Output")).to_be_visible()


async def slide(page: Page, name: str, value: str) -> None:
    await page.get_by_label(name, exact=True).first.fill(value)


async def test_volumes_are_changed_and_stay(page: Page, url: str, device: Device) -> None:
    await look(page, url)

    await slide(page, "Volume", "-6")
    await slide(page, "Siren", "-10")
    await page.get_by_role("button", name="Mute").first.click()
    await page.locator("label", has_text="Level callers").click()
    await page.get_by_label("From priority").select_option("9 and above")

    await expect(page.locator("#volume-now")).to_have_text("Just now 0 dB, by a program.")
    device.sound |= {"volume_db": -6.0, "muted": True}
    await expect(page.locator("#volume-now")).to_be_hidden()
    await until(lambda: device.store.current.audio.emergency.priority == 9)
    await page.reload()
    await expect(page.get_by_label("Volume", exact=True).first).to_have_value("-6")
    audio = device.store.current.audio
    assert (audio.volume_db, audio.volumes.siren, audio.muted) == (-6.0, -10.0, True)
    assert audio.level_callers


async def test_a_pair_of_kinds_gets_a_rule_of_its_own_and_loses_it_again(
    page: Page, url: str, device: Device
) -> None:
    """The device's own table is shown; what differs from it is marked."""
    await look(page, url)
    cell = page.get_by_role("button", name="Page over Siren")
    editor = page.locator("#policy-editor")
    await expect(cell).to_have_text("−12 dB")
    await expect(page.locator("#policy .own")).to_have_count(0)

    await cell.click()
    await editor.get_by_text("Silent", exact=True).click()
    await expect(cell).to_have_text("silent")
    await expect(cell).to_have_attribute(
        "aria-label", "Page over Siren: the lower one is silent, changed"
    )
    await editor.get_by_text("Softer", exact=True).click()
    await editor.get_by_label("Softer by").fill("-30")
    await expect(cell).to_have_text("−30 dB")
    own = MixRule(over="page", under="siren", does="duck", duck_db=-30.0)
    assert device.store.current.audio.policy == (own,)

    await page.click("#reset-pair")
    await expect(cell).to_have_text("−12 dB")
    await expect(page.locator("#policy .own")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(editor).to_be_hidden()
    assert device.store.current.audio.policy == ()


async def test_meters_show_what_plays_and_who_is_softer_or_silent(
    page: Page, url: str, device: Device
) -> None:
    await look(page, url)
    rows = page.locator("#sources li")

    await expect(rows).to_have_count(3)
    await expect(page.locator("#output-level")).to_have_attribute("aria-valuenow", "-18")
    await expect(page.locator("#limiter-words")).to_have_text("Limiter −3 dB")
    await expect(rows.nth(1).locator(".effect")).to_have_text("−12 dB")
    await expect(rows.nth(2).locator(".effect")).to_have_text("silent")
    await expect(rows.nth(2).locator("small")).to_contain_text("ran dry 2 times")
    device.sound = SOUND | {
        "sources": [],
        "problem": "Speakers cannot be opened",
        "limiter_db": 0.0,
    }
    await expect(rows).to_have_count(0)
    await expect(page.locator("#output-words")).to_have_text("Speakers cannot be opened")


async def test_what_was_played_is_listed_with_what_was_heard_of_it(
    page: Page, url: str, device: Device
) -> None:
    """The output truth, and how long sound waits."""
    device.played.append(HEARD)
    device.context.measures.histogram("packet_to_sound_seconds").record(0.037)
    await look(page, url)
    rows = page.locator("#played li")

    await expect(rows.nth(0).locator("strong")).to_have_text("Page · in-7")
    await expect(rows.nth(0)).to_contain_text(
        "heard for 12 s · silent for 2.0 s · first after 38 ms · ran dry once · output late 2 times"
    )
    await expect(rows.nth(0)).to_contain_text("−21 dBFS")
    await expect(page.locator("#delays li").nth(0).locator(".figure")).to_have_text("37 ms")
    await expect(page.locator("#delays li").nth(1)).to_contain_text("not measured yet")
    never = replace(PLAYED, owner="clip", heard_seconds=0.0, delay_ms=-1.0)
    device.played.append({"first": None, "last": None, "sound": never})
    device.context.bus.publish(PLAYED)
    await expect(rows.nth(0)).to_contain_text("never heard")


async def test_what_belongs_to_the_machine_is_for_administrators(
    page: Page, url: str, device: Device
) -> None:
    """ACC-04: sound cards and files."""
    await look(page, url)
    await expect(page.get_by_label("Output")).to_be_disabled()
    await expect(page.get_by_label("Input")).to_be_disabled()
    await expect(page.get_by_label("Gain", exact=True)).to_be_enabled()
    await page.click("#log-out")

    await look(page, url, "ada")
    output = page.get_by_label("Output")
    await output.fill("")
    await output.press("Enter")
    field = page.locator("[data-setting='audio/output']")
    await expect(field.locator(".error")).to_contain_text("must be a text")
    await expect(output).to_have_value("")
    await output.fill("null")
    await output.press("Enter")
    await expect(field.locator(".error")).to_be_hidden()
    assert device.store.current.audio.output == "null"
    await page.click("#log-out")

    await look(page, url, "victor")
    await expect(page.get_by_label("Gain", exact=True)).to_be_disabled()
    await expect(page.get_by_role("button", name="Page over Siren")).to_be_disabled()


async def test_the_microphone_says_how_it_is_and_is_listened_to(
    page: Page, url: str, device: Device
) -> None:
    """AUD-01, AUD-02, AUD-05."""
    await look(page, url)
    await expect(page.locator("#microphone-words")).to_have_text("Off")
    await expect(page.locator("#listen")).to_be_disabled()

    device.microphone |= {"input": "auto", "echo": "half_duplex"}
    await expect(page.locator("#microphone-words")).to_have_text("Opens when somebody listens")
    await expect(page.locator("#echo")).to_contain_text("libspeexdsp is not installed here")
    device.microphone |= {"name": "USB", "open": True, "level_db": -30.0}
    await expect(page.locator("#microphone-words")).to_have_text("Hears USB")
    await expect(page.locator("#microphone-level")).to_have_attribute("aria-valuenow", "-30")

    await page.click("#listen")
    await until(lambda: device.listening == 1)
    await expect(page.locator("#listen")).to_have_text("Stop listening")
    await page.click("#listen")
    await expect(page.locator("#listen")).to_have_text("Listen")
    await until(lambda: device.listening == 0)
    await expect(page.locator("#toast")).to_be_empty()

    device.listening = 4  # others, and no more may
    await page.click("#listen")
    await expect(page.locator("#toast")).to_have_text("The microphone cannot be heard just now.")
    await expect(page.locator("#listen")).to_have_text("Listen")


async def test_the_health_check_tells_its_result(page: Page, url: str, device: Device) -> None:
    """HCK-02, IDN-01."""
    await log_in(page, url)

    await page.click("#health-check")
    await expect(page.locator("#health")).to_contain_text("The health check runs")
    await expect(page.locator("#health-check")).to_be_disabled()
    await page.click("#locate")

    serial = device.store.current.device.serial
    await expect(page.locator("#identity")).to_contain_text(f"serial number {serial}")


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_the_view_fits_a_phone(
    browser: Browser, url: str, device: Device, scheme: str, tmp_path: Path
) -> None:
    device.played.append(HEARD)
    page = await browser.new_page(
        viewport={"width": 390, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    await look(page, url)
    await page.get_by_role("button", name="Clip over Siren").click()

    await page.screenshot(path=tmp_path / f"sound-{scheme}.png", full_page=True)

    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.close()
