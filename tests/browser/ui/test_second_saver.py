"""Two who change the same thing: whoever saves second is told of both values (API-01), and takes
nothing back that he has not touched."""

import asyncio

import msgspec
import pytest
from msgspec.structs import replace
from playwright.async_api import Page, Route, expect

from sipstrobe.lightsiren.settings import SirenPart
from sipstrobe.sending.settings import TcpRecipient
from tests.browser.ui.conftest import go
from tests.support.waiting import PATIENCE
from tests.support.web import Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]


async def test_who_saves_second_is_told_and_decides(page: Page, device: Device) -> None:
    """The page follows what others change, so that the device alone could not know."""
    await go(page, "/time")
    heading, label = page.get_by_label("Heading"), page.get_by_label("Label")
    await heading.fill("90")
    await device.change({"device": {"location": {"heading": 180.0, "label": "Yard"}}})
    await expect(label).to_have_value("Yard")
    await page.get_by_role("button", name="Save").click()
    clash = page.get_by_role("row", name="/location/heading")
    await expect(clash).to_have_text("/location/heading90180")
    assert device.store.current.device.location.heading == 180.0

    await page.get_by_role("button", name="Save mine").click()
    await expect(clash).to_have_count(0)
    await expect(heading).to_have_value("90")
    place = device.store.current.device.location
    assert (place.heading, place.label) == (90.0, "Yard")

    await heading.fill("45")
    await device.change({"device": {"location": {"heading": 270.0, "label": "Gate"}}})
    await expect(label).to_have_value("Gate")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Take theirs").click()
    await expect(heading).to_have_value("270")
    assert device.store.current.device.location.heading == 270.0


async def test_what_is_entered_while_it_is_saved_stays(page: Page, device: Device) -> None:
    """On a slow line, or a slow device."""
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(route: Route) -> None:
        if route.request.method == "PATCH":
            under_way.set()
            await go_on.wait()
        await route.continue_()

    await go(page, "/time")
    await page.route("**/api/v1/settings/device", slowly)
    heading, label = page.get_by_label("Heading"), page.get_by_label("Label")
    await heading.fill("90")
    await page.get_by_role("button", name="Save").click()
    async with asyncio.timeout(PATIENCE):
        await under_way.wait()
    await heading.fill("45")
    await label.fill("Yard")
    go_on.set()

    await expect(page.locator(".toast")).to_contain_text("Saved")
    await expect(heading).to_have_value("45")
    await expect(label).to_have_value("Yard")
    assert device.store.current.device.location.heading == 90.0
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Save")).to_have_count(0)
    place = device.store.current.device.location
    assert (place.heading, place.label) == (45.0, "Yard")
    await page.unroute_all(behavior="wait")


async def test_whoever_leaves_what_is_being_saved_is_asked_only_until_it_is(
    page: Page, device: Device
) -> None:
    """By Escape at once after Enter; the window then goes without an answer."""
    go_on = asyncio.Event()

    async def slowly(route: Route) -> None:
        if route.request.method == "PATCH":
            await go_on.wait()
        await route.continue_()

    await go(page, "/accessories/virtual")
    await page.route("**/api/v1/settings/ports", slowly)
    await page.get_by_role("button", name="Name and URL of virtual input 1", exact=True).click()
    name = page.get_by_role("dialog").get_by_label("Name", exact=True)
    await name.fill("Gate")
    await name.press("Enter")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Leave without saving?")).to_be_visible()
    go_on.set()

    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert device.store.current.ports.virtual_inputs == {"1": "Gate"}
    await page.unroute_all(behavior="wait")


async def test_what_was_not_touched_is_not_taken_back(page: Page, device: Device) -> None:
    await go(page, "/audio")
    card = page.get_by_role("region", name="Output and delay")
    await card.get_by_label("Output", exact=True).fill("wav:/tmp/x.wav")
    await device.change({"audio": {"latency": "low"}})
    await expect(card.get_by_label("Latency")).to_have_value('"low"')
    await card.get_by_role("button", name="Save").click()
    await expect(card.get_by_role("button", name="Save")).to_have_count(0)
    audio = device.store.current.audio
    assert (audio.output, audio.latency) == ("wav:/tmp/x.wav", "low")


async def test_an_entry_of_a_list_is_known_by_its_name(page: Page, device: Device) -> None:
    ours = {"kind": "tcp", "name": "Panel", "host": "192.0.2.9", "port": 4000}
    await device.change({"recipients": [ours]})
    await go(page, "/recipients")
    await page.get_by_role("button", name="Edit Panel").click()
    form = page.get_by_role("dialog", name="Panel")
    await form.get_by_label("Port").fill("4001")
    other = {"kind": "tcp", "name": "Other", "host": "192.0.2.8", "port": 4000}
    await device.change({"recipients": [other, ours | {"host": "192.0.2.7", "port": 5000}]})
    await expect(page.get_by_role("article", name="Other")).to_have_count(1)
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_text("Port: Yours 4001, Theirs 5000")).to_be_visible()
    await form.get_by_role("button", name="Save mine").click()
    await expect(form).to_have_count(0)

    _, panel = device.store.current.recipients
    assert isinstance(panel, TcpRecipient)
    assert (panel.host, panel.port) == ("192.0.2.7", 4001)


async def test_light_and_siren_of_a_profile_are_two_things(page: Page, device: Device) -> None:
    """One changes the light and another the siren: both are kept. One light is asked about."""
    await go(page, "/profiles")
    await page.get_by_role("button", name="Edit Evacuate").click()
    form = page.get_by_role("dialog", name="Evacuate")
    await form.get_by_role("radio", name="blue").check()
    evacuate, door = PROFILES
    changed = replace(evacuate, siren=SirenPart(pattern="Siren: Evac"))
    await device.change({"profiles": msgspec.to_builtins((changed, door))})
    await form.get_by_role("button", name="Save", exact=True).click()
    await expect(form).to_have_count(0)
    kept, _ = device.store.current.profiles
    assert kept.light is not None
    assert kept.siren == changed.siren
    assert kept.light.colors == ("blue",)

    await page.get_by_role("button", name="Edit Evacuate").click()
    await form.get_by_role("radio", name="green").check()
    changed = replace(kept, light=replace(kept.light, colors=("white",)))
    await device.change({"profiles": msgspec.to_builtins((changed, door))})
    await form.get_by_role("button", name="Save", exact=True).click()
    await expect(form.get_by_text("Light: Yours Flash 3x · green")).to_contain_text("Theirs")
    assert device.store.current.profiles[0] == changed
    await form.get_by_role("button", name="Take theirs").click()
    await expect(form.get_by_role("radio", name="white")).to_be_checked()
