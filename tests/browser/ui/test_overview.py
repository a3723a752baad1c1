"""The overview in a real browser: what it shows of the device, and what it orders."""

import asyncio
import re
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from playwright.async_api import Browser, Page, Route, expect

from sipstrobe.commands import ChangeSettings, SetMaintenance, StartOperation
from sipstrobe.events import Function
from tests.browser.ui.conftest import VIEWER, Axe, enter
from tests.support.web import Device, FakeCall

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

LIGHT = '[data-function="SignalingLED"]'
SPEAKER = '[data-function="AudioSpeaker"]'
FACE = '.overview-stage [data-face="0"]'
AUDIO = {
    "verdict": "private_address",
    "words": "The other side wants its sound at 10.1.2.3, a private address.",
    "advice": "Switch on ICE.",
    "mos": 4.1,
    "loss": 0.0,
    "discard": 0.0,
}


def light(**what: object) -> StartOperation:
    return StartOperation(function=Function.SIGNALING_LED, intensity=5, **what)  # pyright: ignore[reportArgumentType]


async def levels(page: Page) -> list[float]:
    """How bright the four sides of the drawing are, 0…1."""
    await page.locator(FACE).wait_for(state="attached")
    return await page.eval_on_selector_all(
        ".overview-stage [data-face]",
        "faces => faces.map(face => Math.round(10 * getComputedStyle(face).opacity) / 10)",
    )


async def watched(page: Page, name: str, frames: int) -> list[str]:
    """This property of the first side in so many frames of the drawing."""
    return await page.evaluate(
        """([face, name, frames]) => new Promise((done) => {
          const style = getComputedStyle(document.querySelector(face));
          const seen = [];
          const look = () => {
            seen.push(style.getPropertyValue(name));
            seen.length < frames ? requestAnimationFrame(look) : done(seen);
          };
          look();
        })""",
        [FACE, name, frames],
    )


async def test_a_profile_is_started_and_stopped_and_the_light_follows(
    page: Page, device: Device, axe: Axe
) -> None:
    """PRF-03, OPS-01: the winner is marked, what waits is seen with its time, and all can end."""
    await page.get_by_role("button", name="Start Door").click()
    await expect(page.locator(f"{LIGHT} li strong")).to_have_text("Rotate")
    await expect(page.locator(f"{LIGHT} .overview-end")).to_contain_text("0:")
    await page.get_by_role("button", name="Start Evacuate").click()

    winner = page.locator(f"{LIGHT} li[data-shown=yes]")
    await expect(winner.locator("strong")).to_have_text("Flash 3x")
    await expect(winner.locator(".overview-rank")).to_contain_text("Priority 9")
    await expect(winner).to_contain_text("Evacuate")
    await expect(page.locator(f"{LIGHT} li[data-shown]")).to_have_count(2)
    await expect(page.locator(f"{SPEAKER} li strong")).to_have_text("Alarm: Horror")
    await expect(page.locator(".overview-shown")).to_have_text("Flash 3x · red")
    await expect(page.locator(".overview-sounding")).to_have_text("Alarm: Horror")
    await expect(page.locator("[data-profile=Evacuate]")).to_contain_text("saturated red")
    await axe(page)

    await page.get_by_role("button", name="Stop Flash 3x").click()
    await expect(page.locator(f"{LIGHT} li[data-shown=yes] strong")).to_have_text("Rotate")
    await page.get_by_role("button", name="Stop everything").click()
    await expect(page.locator(LIGHT)).to_contain_text("Nothing runs")
    assert device.running(Function.SIGNALING_LED) == []

    async def too_late(route: Route) -> None:
        device.store.change_now({"profiles": []})
        await route.continue_()

    await page.route("**/commands/start-profile", too_late)
    await page.get_by_role("button", name="Start Door").click()
    await expect(page.locator(".toast")).to_have_text("there is no profile 'Door'")
    await expect(page.locator(".overview-profiles")).to_contain_text("Make the first profile")
    await page.unroute_all(behavior="wait")


async def test_the_drawing_moves_with_the_light(page: Page, device: Device) -> None:
    """Each side as the device shows it, frame by frame."""
    assert await levels(page) == [0, 0, 0, 0]
    device.context.dispatcher.execute(light(pattern="Steady", colors=("green",)))
    await expect(page.locator(FACE)).to_have_css("opacity", "1")
    assert await levels(page) == [1, 1, 1, 1]

    device.context.dispatcher.execute(light(pattern="Spin", colors=("red",), priority=5))
    seen: set[tuple[float, ...]] = set()
    async with asyncio.timeout(20):
        while len({one.index(1) for one in seen if one.count(1) == 1}) < 4:
            seen.add(tuple(await levels(page)))

    colors = ("red", "white", "red")
    device.context.dispatcher.execute(light(pattern="Alternate", colors=colors, priority=9))
    marks = page.locator(f"{LIGHT} li[data-shown=yes] .swatches i")
    await expect(marks).to_have_count(3)


async def test_who_asks_for_less_motion_sees_a_light_that_does_not_flash(
    browser: Browser, url: str, device: Device
) -> None:
    """SAF-01, and prefers-reduced-motion: the picture is steady while the light blinks."""
    page = await browser.new_page(reduced_motion="reduce")
    await enter(page, url)
    await expect(page.locator(".seizure")).to_contain_text("photosensitive epilepsy")
    await expect(page.get_by_role("switch", name="Show without flashing")).to_be_checked()
    device.context.dispatcher.execute(light(pattern="Blink", colors=("red",), speed=4))
    await expect(page.locator(FACE)).to_have_css("opacity", "0.7")

    assert len(set(await watched(page, "opacity", 60))) == 1

    device.context.dispatcher.execute(light(pattern="Alternate", speed=4, priority=5))
    await expect(page.locator(".overview-shown")).to_contain_text("Alternate")
    shown = await watched(page, "--paint", 60)
    assert "" not in shown
    assert sum(one != other for one, other in pairwise(shown)) < 5, "nor do its colours flicker"

    device.context.dispatcher.execute(light(pattern="Steady", priority=9))
    await page.locator(".toggle", has_text="Show without flashing").click()
    await expect(page.locator(FACE)).to_have_css("opacity", "1")
    await page.close()


async def test_calls_are_seen_as_they_are_heard_and_can_be_answered_and_ended(
    page: Page, device: Device
) -> None:
    device.calls += [FakeCall(id="c1", audio=AUDIO), FakeCall(id="c2", state="ringing", codec="")]
    first, second = page.locator("[data-call=c1]"), page.locator("[data-call=c2]")

    await expect(first).to_contain_text("alice@192.0.2.77")
    await expect(first).to_contain_text("Private address")
    await expect(first).to_contain_text("Switch on ICE.")
    await expect(first).to_contain_text("MOS 4.1")
    await expect(first.locator(".meter")).to_have_attribute("aria-valuenow", "-18")
    device.calls[0].level_db = -6.0
    await expect(first.locator(".meter")).to_have_attribute("aria-valuenow", "-6")

    await second.get_by_role("button", name="Answer").click()
    await expect(second).to_have_attribute("data-state", "active")
    await page.get_by_role("button", name="Hang up all").click()
    await expect(page.locator(".overview-calls")).to_contain_text("Nobody calls.")
    assert device.calls == []


async def test_why_something_is_on_is_one_click_away(page: Page) -> None:
    """From the effect back to who asked for it, by the keyboard alone."""
    trigger = page.get_by_role("button", name="Manual trigger 1")
    await trigger.focus()
    await page.keyboard.press("Enter")
    await expect(trigger).to_have_attribute("aria-pressed", "true")
    event = page.locator(".overview-events details").first
    await expect(event.locator("summary")).to_have_text("Manual trigger 1 pressed")
    await event.locator("summary").press("Enter")
    await expect(event.locator(".chain li").nth(0)).to_contain_text("Press manual trigger 1")
    await expect(event.locator(".chain li").nth(1)).to_contain_text(
        "POST /api/v1/commands/set-manual-trigger by ada from 127.0.0.1"
    )

    await page.get_by_role("button", name="Start Evacuate").press("Enter")
    why = page.locator(f"{LIGHT} .why")
    await why.get_by_role("button").press("Enter")
    await expect(why.locator(".chain li").last).to_contain_text(
        "POST /api/v1/commands/start-profile by ada from 127.0.0.1"
    )


WHOLE = """select => {
    const free = select.cloneNode(true);
    free.style.width = "max-content";
    select.after(free);
    const wanted = free.offsetWidth;
    free.remove();
    return select.offsetWidth >= wanted;
}"""


@pytest.mark.parametrize(("width", "columns"), [(800, 1), (1280, 2), (1400, 3), (2200, 3)])
async def test_the_overview_leaves_no_half_of_a_window_empty_and_cuts_nothing(
    page: Page, width: int, columns: int
) -> None:
    """Where there are two columns, the events go as far down as the other one does."""
    await page.set_viewport_size({"width": width, "height": 1000})
    column = page.locator(".overview-column")
    await expect(column).to_have_count(columns)
    await expect(page.locator(".overview-device dl")).to_contain_text("Time")
    last = [await column.nth(n).locator("> :last-child").bounding_box() for n in range(columns)]
    ends = [box["y"] + box["height"] for box in last if box]

    if columns == 2:
        assert ends[0] == pytest.approx(ends[1], abs=1)
    assert await page.locator(".overview-maintenance select").evaluate(WHOLE)


async def test_the_device_is_maintained_checked_and_found(page: Page, device: Device) -> None:
    """MNT-06, MNT-07, IDN-01: what it means is said wherever one looks."""
    tile = page.locator(".overview-device")
    await tile.locator("select").select_option("for 1 hour")
    await tile.locator(".toggle", has_text="Maintenance mode").click()
    banner = page.locator(".banners")
    await expect(banner).to_contain_text("Maintenance mode is on.")
    await expect(banner).to_contain_text("It ends in ")
    assert device.store.current.maintenance.active
    await banner.get_by_role("button", name="Switch off").click()
    await expect(banner).not_to_contain_text("Maintenance mode is on.")

    device.context.dispatcher.execute(SetMaintenance(active=True))
    await expect(banner).to_contain_text("It lasts until it is switched off.")
    device.context.dispatcher.execute(SetMaintenance(active=False))
    await tile.get_by_role("button", name="Health check").click()
    await expect(tile).to_contain_text("The check runs")
    await tile.get_by_role("button", name="Find this device").click()
    await expect(tile).to_contain_text(f"serial number {device.store.current.device.serial}")


async def test_what_the_device_is_like_leads_to_the_pages_that_have_more_of_it(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """STA-01 to STA-03, STA-05, STA-08; others are not led to what is not for them. TIM-04: the
    clock is shown in the zone of the device, wherever the browser is."""
    patch = {"device": {"time_zone": "Asia/Tokyo"}}
    device.context.dispatcher.execute(ChangeSettings(patch=patch))
    tile = page.locator(".overview-device dl")
    await expect(tile).to_contain_text("JST")
    clock = tile.locator("time", has_text=":")
    shown, wall = await clock.evaluate("clock => [clock.textContent, clock.dateTime]")
    assert f"{datetime.fromisoformat(wall) + timedelta(hours=9):%H:%M:%S}" in shown
    await expect(tile).to_contain_text("HTTP and HTTPS · TLS 1.3 · TLS 1.2")
    await expect(tile).to_contain_text("not calibrated")
    await expect(tile).to_contain_text(re.compile(r"Connected clients\d+ connection"))
    everybody = {"SIP accounts", "Speaker test", "Time"}
    ways = everybody | {"Version", "Web access", "Connected clients"}
    assert set(await tile.locator("dt a").all_inner_texts()) == ways
    await axe(page)

    await enter(page, url, name=VIEWER)
    await expect(tile).to_contain_text("HTTP and HTTPS")
    assert set(await tile.locator("dt a").all_inner_texts()) == everybody


async def test_a_viewer_sees_everything_and_can_press_nothing_on_a_phone(
    browser: Browser, url: str, device: Device
) -> None:
    device.calls.append(FakeCall(remote_uri="sip:+49301234567890@gateway.example.net", audio=AUDIO))
    device.services["mqtt"] = "the broker refuses " + "x" * 80
    device.context.dispatcher.execute(light(pattern="Steady"))
    page = await browser.new_page(viewport={"width": 360, "height": 740}, color_scheme="dark")
    await enter(page, url, name=VIEWER)
    await expect(page.locator("[data-profile]")).to_have_count(2)
    await expect(page.locator(".overview-shown")).to_have_text("Steady · red")

    await expect(page.get_by_role("button", name="Start Evacuate")).to_have_count(0)
    await expect(page.get_by_role("button", name="Hang up")).to_have_count(0)
    await expect(page.get_by_role("button", name="Stop", exact=False)).to_have_count(0)
    await expect(page.get_by_role("button", name="Manual trigger 1")).to_be_disabled()
    await expect(page.get_by_role("switch", name="Maintenance mode")).to_have_count(0)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360, "nothing sticks out"
    await page.close()
