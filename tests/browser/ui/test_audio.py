"""The sound in the page: how loud, who is heard with whom, what sounds now and what was heard."""

from dataclasses import replace

import pytest
from playwright.async_api import Page, expect
from pytest_asyncio import fixture

from sipstrobe.audio.settings import MixRule
from sipstrobe.commands import SetManualTrigger
from sipstrobe.context import Context
from sipstrobe.events import SoundPlayed
from tests.browser.ui.conftest import Axe, enter, go
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
CLIP = PAGE | {"owner": "clip 1: Gong", "kind": "clip", "rank": 3, "gain": 0.0, "underruns": 2}
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
FIRST, LAST = "2030-01-01T14:05:00Z", "2030-01-01T14:05:12Z"


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    device = Device.make(context, in_background=True)
    device.sound = dict(SOUND)
    device.played.append({"first": FIRST, "last": LAST, "sound": PLAYED})
    return device


async def test_volumes_are_changed_and_stay(page: Page, url: str, device: Device) -> None:
    await go(page, "/audio")
    speaker = page.locator(".audio-speaker")
    await speaker.get_by_label("Volume", exact=True).fill("-6")
    await speaker.get_by_label("Siren", exact=True).fill("-10")  # at once: no conflict with himself
    await speaker.locator("label", has_text="Mute").click()
    await speaker.get_by_label("From priority").select_option(label="9 and above")

    await expect(speaker.get_by_text("Just now 0 dB, by a program.")).to_be_visible()
    await until(lambda: device.store.current.audio.emergency.priority == 9)
    await until(lambda: device.store.current.audio.muted)
    device.sound |= {"volume_db": -6.0, "muted": True}
    await expect(speaker.get_by_text("by a program")).to_have_count(0)
    audio = device.store.current.audio
    assert (audio.volume_db, audio.volumes.siren) == (-6.0, -10.0)
    await enter(page, url, "/audio")
    await expect(speaker.get_by_label("Volume", exact=True)).to_have_value("-6")


async def test_a_pair_of_kinds_gets_a_rule_of_its_own_and_loses_it_again(
    page: Page, device: Device
) -> None:
    """The device's own table is shown; what differs from it is marked. By keyboard alone."""
    await go(page, "/audio")
    cell = page.get_by_role("button", name="Page over Siren")
    editor = page.locator(".audio-pair")
    await expect(cell).to_have_text("−12 dB")

    await cell.focus()
    await page.keyboard.press("Enter")
    await expect(editor.get_by_label("Softer", exact=True)).to_be_focused()
    await editor.get_by_label("Silent", exact=True).check()
    await expect(cell).to_have_attribute(
        "aria-label", "Page over Siren: the lower one is silent, changed"
    )
    await editor.get_by_label("Softer", exact=True).check()
    await editor.get_by_label("Softer by").fill("-30")
    await expect(cell).to_have_text("−30 dB")
    own = MixRule(over="page", under="siren", does="duck", duck_db=-30.0)
    assert device.store.current.audio.policy == (own,)
    await editor.get_by_role("button", name="As the device has it").click()
    await expect(cell).to_have_text("−12 dB")
    await expect(page.locator(".audio-own")).to_have_count(0)
    await editor.get_by_role("button", name="Done").press("Escape")
    await expect(editor).to_have_count(0)
    await expect(cell).to_be_focused()
    assert device.store.current.audio.policy == ()


async def test_what_sounds_is_shown_with_what_others_do_to_it_and_what_was_heard(
    page: Page, device: Device, axe: Axe
) -> None:
    await go(page, "/audio")
    rows = page.locator(".audio-now li")
    await expect(rows).to_have_count(3)
    level = page.get_by_role("meter", name="Level of the speaker", exact=True)
    await expect(level).to_have_attribute("aria-valuenow", "-18")
    await expect(page.get_by_text("Limiter −3 dB")).to_be_visible()
    await expect(rows.nth(1)).to_contain_text("softer by −12 dB")
    await expect(rows.nth(2)).to_contain_text("Gong · ran dry 2 times")
    await expect(rows.nth(2)).to_contain_text("kept silent by another")
    heard = page.locator(".audio-played li")
    await expect(heard).to_contain_text("Page · in-7")
    await expect(heard).to_contain_text(
        "heard for 12 s · silent for 2 s · first after 38 ms · ran dry once · output late 2 times"
    )
    await axe(page)
    device.played.append(
        {"first": FIRST, "last": LAST, "sound": replace(PLAYED, kind="clip", heard_seconds=0.0)}
    )
    device.context.bus.publish(PLAYED)
    await expect(heard).to_have_count(2)
    await expect(heard.first).to_contain_text("never heard")

    await go(page, "/triggers")  # whatever has happened last, the list is there
    device.context.dispatcher.execute(SetManualTrigger(trigger=1, active=True))
    await expect(page.get_by_role("button", pressed=True)).to_be_visible()
    await go(page, "/audio")
    await expect(heard).to_have_count(2)


async def test_the_microphone_says_how_it_is_and_cannot_be_pointed_elsewhere_by_operators(
    page: Page, url: str, device: Device
) -> None:
    """AUD-01…03, ACC-04."""
    device.microphone |= {"input": "auto", "name": "USB", "open": True, "level_db": -30.0}
    device.microphone |= {"echo": "half_duplex"}
    await enter(page, url, "/audio", name="olga")
    card = page.locator(".audio-microphone")
    await expect(card).to_contain_text("Hears USB")
    await expect(card).to_contain_text("libspeexdsp is not installed")
    await expect(card.get_by_label("Input")).to_be_disabled()
    await card.get_by_label("Gain", exact=True).fill("99")
    await card.get_by_label("Gain", exact=True).blur()
    await expect(card.locator('[data-field="/gain_db"] .error')).to_contain_text("40")
    await card.get_by_label("Gain", exact=True).fill("6")
    await card.get_by_role("button", name="Save").click()
    await until(lambda: device.store.current.audio.microphone.gain_db == 6.0)
