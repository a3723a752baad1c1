"""Accessories in the interface: ports, virtual inputs and the lamps (IOP-01…06, API-02)."""

import re

import pytest
from playwright.async_api import Page, expect
from pytest_asyncio import fixture

from sipstrobe.commands import SetVirtualInput, StartOperation
from sipstrobe.context import Context
from sipstrobe.events import Function, OperationChanged
from sipstrobe.lightsiren.outputs import Log
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import Condition, Rule
from tests.browser.ui.conftest import Axe, enter, go, leave_with_care
from tests.support.waiting import until
from tests.support.web import Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

RULE = Rule(
    name="Camera",
    conditions=(Condition(event="input/virtual", match={"input": "1", "active": "true"}),),
    action=RunProfile(profile="Evacuate"),
)
GREEN = re.compile("--paint: ?#12e64a")
PORTS = {
    "port_1": {"name": "Fire panel", "normal_state": "closed"},
    "port_2": {"name": "Door", "direction": "output"},
    "virtual_inputs": {"1": "Gate"},
}


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    device = Device.make(context, in_background=True, profiles=PROFILES, rules=(RULE,), ports=PORTS)
    device.store.watch(lambda settings: settings.lights, device.signals.apply_lights)
    return device


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


async def test_the_name_of_a_virtual_input_is_not_lost_without_a_question(
    page: Page, device: Device
) -> None:
    """What somebody else has entered is not one's own."""
    await go(page, "/accessories/virtual")
    opener = page.get_by_role("button", name="Name and URL of virtual input 1", exact=True)
    dialog = page.get_by_role("dialog")
    name = dialog.get_by_label("Name", exact=True)
    await leave_with_care(page, opener, name, "Night")

    await opener.press("Enter")
    await name.fill("Yard")
    await name.press("Enter")
    await expect(dialog).to_have_count(0)
    assert device.store.current.ports.virtual_inputs == {"1": "Yard"}
    await opener.press("Enter")
    await device.change({"ports": {"virtual_inputs": {"1": "Door"}}})
    await expect(page.locator("tr", has_text="Door")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_ports_are_seen_switched_and_set_up(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """IOP-01, IOP-03: an open input that is normally closed is active. ACC-04: what a port is
    wired to is for administrators, and viewers only look."""
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

    await enter(page, url, "/accessories", name="olga")
    panel = page.get_by_role("region", name="Fire panel")
    await panel.get_by_text("Set up").click()
    await panel.get_by_text("More settings").click()
    await expect(panel.get_by_role("radio", name="A GPIO line")).to_be_disabled()
    await expect(panel.get_by_label("Name", exact=True)).to_be_enabled()
    await enter(page, url, "/accessories", name="victor")
    await expect(panel.locator(".accessories-state")).to_contain_text("Normal")
    await expect(panel.get_by_role("switch", name="Active")).to_have_count(0)
    await panel.get_by_text("Set up").click()
    await expect(panel.get_by_label("Name", exact=True)).to_be_disabled()
    await go(page, "/accessories/virtual")
    await expect(page.get_by_role("row", name="Virtual input 1", exact=True)).to_contain_text("Off")
    await expect(page.get_by_role("switch")).to_have_count(0)


async def test_lamps_are_added_seen_alive_tested_and_removed(
    page: Page, device: Device, axe: Axe
) -> None:
    """Each output says in words what keeps it from working, and hurts no other."""
    await go(page, "/accessories/lights")
    here = page.get_by_role("article", name="virtual")
    await expect(here.get_by_text("Works, as far as is known")).to_be_visible()
    order = StartOperation(function=Function.SIGNALING_LED, pattern="Pulse", colors=("green",))
    with device.context.trace.input("test", "somebody", device.context.clock.now()):
        device.context.dispatcher.execute(order)
    await expect(here.locator("[data-face='0']")).to_have_attribute("style", GREEN)
    begun: list[str] = []  # a test is over soon
    device.context.bus.subscribe(OperationChanged, lambda event: begun.append(event.pattern))
    await here.get_by_role("button", name="Test virtual").click()
    await until(lambda: "Steady" in begun)

    await page.get_by_role("button", name="Add an output").click()
    await page.get_by_role("button", name="WLED, DDP").click()
    dialog = page.get_by_role("dialog", name="Add an output: WLED, DDP")
    await dialog.get_by_label("Host", exact=True).fill("no host")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator("[data-field='/host'] .error")).not_to_be_empty()
    await axe(page)
    await dialog.get_by_role("button", name="Cancel").click()
    await page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    await page.get_by_role("button", name="Add an output").click()
    await page.get_by_role("button", name="Log file").click()
    await page.get_by_label("File", exact=True).fill("/nowhere/light.log")
    await page.get_by_label("File", exact=True).press("Enter")
    log = page.get_by_role("article", name="log:/nowhere/light.log")
    await expect(log.get_by_text("Does not work")).to_be_visible()
    await expect(log.locator(".notice")).to_contain_text("No such file or directory")
    await axe(page)
    assert len(device.store.current.lights.outputs) == 2
    await log.get_by_role("button", name="Remove log:/nowhere/light.log").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(log).to_have_count(0)
    assert device.store.current.lights.outputs == ("virtual",)


async def test_what_is_edited_is_found_where_others_have_moved_it(
    page: Page, device: Device
) -> None:
    """An output is known by where it shows the light, not by its place in the list."""
    output = "log:/nowhere/light.log"
    await device.change({"lights": {"outputs": ["virtual", output]}})
    await go(page, "/accessories/lights")
    await page.get_by_role("button", name=f"Edit {output}").click()
    await device.change({"lights": {"outputs": [output]}})
    await expect(page.locator("[data-output=virtual]")).to_have_count(0)
    await page.get_by_label("File", exact=True).fill("/nowhere/other.log")
    await page.get_by_label("File", exact=True).press("Enter")

    await expect(page.get_by_role("dialog")).to_have_count(0)
    [left] = device.store.current.lights.outputs
    assert isinstance(left, Log)
    assert left.path == "/nowhere/other.log"


async def test_what_is_taken_back_is_as_it_is_stored(page: Page, device: Device) -> None:
    await device.change({"ports": {"port_1": {"driver": "gpio:gpiochip0/17"}}})
    await go(page, "/accessories")
    panel = page.get_by_role("region", name="Fire panel")
    await panel.get_by_text("Set up").click()
    await panel.get_by_text("More settings").click()
    line = panel.get_by_label("Line", exact=True)
    await line.fill("5")
    await panel.get_by_role("button", name="Cancel").click()

    await expect(line).to_have_value("17")


async def test_what_is_entered_at_one_port_is_asked_about_though_another_is_done(
    page: Page,
) -> None:
    await go(page, "/accessories")
    panel, door = (page.get_by_role("region", name=name) for name in ("Fire panel", "Door"))
    for port in (panel, door):
        await port.get_by_text("Set up").click()
        await port.get_by_label("Name", exact=True).fill("Yard")
    await door.get_by_role("button", name="Cancel").click()
    await go(page, "/log")

    question = page.get_by_role("dialog", name="Leave without saving?")
    await question.get_by_role("button", name="Leave").click()
    await expect(page.get_by_role("heading", name="Log", level=1)).to_be_visible()
