"""Accessories in the interface: ports, virtual inputs and the lamps (IOP-01…06, API-02)."""

import pytest
from playwright.async_api import Page, expect
from pytest_asyncio import fixture

from sipstrobe.commands import SetVirtualInput
from sipstrobe.context import Context
from sipstrobe.events import Function
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import Condition, Rule
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.web import Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

RULE = Rule(
    name="Camera",
    conditions=(Condition(event="input/virtual", match={"input": "1", "active": "true"}),),
    action=RunProfile(profile="Evacuate"),
)
PORTS = {
    "port_1": {"name": "Fire panel", "normal_state": "closed"},
    "port_2": {"name": "Door", "direction": "output"},
    "virtual_inputs": {"1": "Gate"},
}


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    return Device.make(context, in_background=True, profiles=PROFILES, rules=(RULE,), ports=PORTS)


async def test_a_virtual_input_is_switched_named_and_called_by_its_url(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """IOP-06: by hand, by the URL that is shown; who did it last is told."""
    await go(page, "/accessories/virtual")
    row = page.get_by_role("row", name="Virtual input 1", exact=True)
    await row.get_by_role("switch", name="Off Gate").focus()
    await page.keyboard.press("Space")
    await expect(row.get_by_role("switch", name="On Gate")).to_be_checked()
    assert device.running(Function.SIGNALING_LED) == ["Flash 3x"]
    await expect(row).to_contain_text("ada from 127.0.0.1")
    await expect(row.get_by_role("link", name="Camera")).to_be_visible()
    with device.context.trace.input("http", "POST /x by camera from 192.0.2.9", 0.0):
        device.context.dispatcher.execute(SetVirtualInput(input=1, active=False))
    await expect(row.get_by_role("switch", name="Off Gate")).not_to_be_checked()
    await expect(row).to_contain_text("camera from 192.0.2.9")
    assert device.running(Function.SIGNALING_LED) == []
    await axe(page)

    await page.get_by_role("button", name="Name and URL of virtual input 2").click()
    dialog = page.get_by_role("dialog", name="Virtual input 2")
    shown = dialog.get_by_text("activate.cgi?schemaversion=1&port=2", exact=False).first
    await expect(shown).to_have_text(
        f"{url}/axis-cgi/virtualinput/activate.cgi?schemaversion=1&port=2"
    )
    await axe(page)
    await dialog.get_by_label("Name", exact=True).fill("Night")
    await dialog.get_by_label("Name", exact=True).press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("row", name="Virtual input 2", exact=True)).to_contain_text(
        "Night"
    )
    assert device.store.current.ports.virtual_inputs == {"1": "Gate", "2": "Night"}


async def test_ports_are_seen_switched_and_set_up(page: Page, device: Device, axe: Axe) -> None:
    """IOP-01, IOP-03: an open input that is normally closed is active."""
    await go(page, "/accessories")
    panel, door = (
        page.get_by_role("region", name="Fire panel"),
        page.get_by_role("region", name="Door"),
    )
    await expect(panel).to_contain_text("The circuit is open; normally it is closed.")
    await panel.locator("label", has_text="as if its circuit were so").click()
    await expect(panel.locator(".accessories-state")).to_contain_text("Normal")
    await door.get_by_label("Seconds").fill("60")
    await door.get_by_role("button", name="Active for so long").click()
    await expect(door.locator(".accessories-state")).to_contain_text("Active")
    await axe(page)

    await door.get_by_text("Set up").click()
    await door.get_by_text("More settings").click()
    await door.get_by_label("Mode").select_option("Active for its pulse time")
    await door.get_by_role("button", name="Save").click()
    await expect(door.locator("[data-field='/pulse_ms'] .error")).to_have_text(
        "a monostable output needs a pulse time"
    )
    await door.get_by_label("Pulse time").fill("500")
    await door.get_by_label("Name", exact=True).fill("Gate")
    await axe(page)
    await door.get_by_role("button", name="Save").click()
    gate = page.get_by_role("region", name="Gate")
    await expect(gate.locator(".accessories-state")).to_contain_text("Normal")
    stored = device.store.current.ports.port_2
    assert (stored.name, stored.mode, stored.pulse_ms) == ("Gate", "monostable", 500)


async def test_viewers_see_and_operators_do_not_wire(page: Page, url: str, device: Device) -> None:
    """ACC-04: what a port is wired to is for administrators."""
    await enter(page, url, "/accessories", name="olga")
    panel = page.get_by_role("region", name="Fire panel")
    await panel.get_by_text("Set up").click()
    await panel.get_by_text("More settings").click()
    await expect(panel.get_by_role("radio", name="A GPIO line")).to_be_disabled()
    await expect(panel.get_by_label("Name", exact=True)).to_be_enabled()
    await enter(page, url, "/accessories", name="victor")
    await expect(panel.locator(".accessories-state")).to_contain_text("Active")
    await expect(panel.get_by_role("switch", name="Active")).to_have_count(0)
    await panel.get_by_text("Set up").click()
    await expect(panel.get_by_label("Name", exact=True)).to_be_disabled()
    await go(page, "/accessories/virtual")
    await expect(page.get_by_role("row", name="Virtual input 1", exact=True)).to_contain_text("Off")
    await expect(page.get_by_role("switch")).to_have_count(0)
