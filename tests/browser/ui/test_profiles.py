"""Profiles in the page: at a glance, made, tried, saved, carried between devices, and refused."""

import json
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from sipstrobe.commands import StartProfile
from sipstrobe.events import Function
from sipstrobe.rules.actions import StartProfile as StartProfileAction
from sipstrobe.rules.settings import Condition, Rule
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import until
from tests.support.web import Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

CARD = ".profiles-card"
BELL = {"name": "Bell", "description": "", "siren": {"pattern": "Alarm: Horror", "intensity": 1}}


def file(*profiles: object) -> FilePayload:
    text = json.dumps(list(profiles)).encode()
    return FilePayload(name="profiles.json", mimeType="application/json", buffer=text)


async def test_a_profile_is_made_tried_and_saved_with_keyboard_and_mouse(
    page: Page, url: str, device: Device
) -> None:
    """PRF-01…07: what is entered is tried on the device before it is saved."""
    await go(page, "/profiles")
    await page.get_by_role("button", name="New profile").click()
    dialog = page.get_by_role("dialog")
    await page.keyboard.type("Fire on floor 2")
    await dialog.get_by_label("Pattern").select_option(label="Flash 3x ⚠")
    await expect(dialog.locator(".notice[data-tone=fair]")).to_contain_text("seizures")
    await dialog.get_by_role("radio", name="blue").check()
    await dialog.get_by_label("Speed").focus()
    await dialog.get_by_role("button", name="Light only").click()

    def shown() -> list[str]:
        return [o.pattern for o in device.signals.status() if o.function is Function.SIGNALING_LED]

    await until(lambda: shown() == ["Flash 3x"])
    assert [p.name for p in device.store.current.profiles][-1] != "Fire on floor 2"
    await dialog.get_by_role("button", name="Stop the preview").click()
    await until(lambda: shown() == [])
    await dialog.get_by_role("button", name="Save").click()

    card = page.locator(CARD, has_text="Fire on floor 2")
    await expect(card).to_contain_text("Flash 3x")
    await expect(card).to_contain_text("May cause seizures")
    saved = device.store.current.profiles[-1]
    assert saved.light is not None
    assert (saved.name, saved.light.colors) == ("Fire on floor 2", ("blue",))


async def test_one_in_use_is_not_deleted_and_a_taken_name_stands_at_its_field(
    page: Page, url: str, device: Device
) -> None:
    """PRF-02, PRF-09."""
    names = [profile.name for profile in device.store.current.profiles]
    rule = Rule(
        name="Alarm",
        when=Condition(event="input/manual_trigger", match={"active": "true"}),
        action=StartProfileAction(profile=names[0]),
    )
    device.store.change_now({"rules": [rule]})
    await go(page, "/profiles")
    first = page.locator(CARD).first
    await first.get_by_role("button", name=f"More about {names[0]}").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(first.locator(".notice")).to_contain_text("Alarm")

    await first.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill(names[1])
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.locator("[data-field=name] .error")).to_contain_text("already")
    await dialog.get_by_label("Name", exact=True).fill("Renamed")
    await dialog.get_by_role("button", name="Save").click()

    await expect(page.locator(CARD, has_text="Renamed")).to_be_visible()
    action = device.store.current.rules[0].action
    assert isinstance(action, StartProfileAction)
    assert action.profile == "Renamed"


async def test_profiles_are_exported_and_taken_in_three_ways(
    page: Page, url: str, device: Device, tmp_path: Path
) -> None:
    """PRF-10, PRF-11, PRF-14: a file that is refused changes nothing."""
    names = [profile.name for profile in device.store.current.profiles]
    await go(page, "/profiles")
    await page.locator(CARD).first.get_by_role("checkbox").check()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export the chosen one").click()
    exported = json.loads((await (await download.value).path()).read_text())
    assert [profile["name"] for profile in exported] == names[:1]

    await page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("File of profiles", exact=True).set_input_files(file(BELL, *exported))
    await dialog.get_by_role("button", name="Import").click()
    await expect(dialog.locator(".notice[data-tone=bad]")).to_contain_text(names[0])
    assert [profile.name for profile in device.store.current.profiles] == names
    await dialog.get_by_label("Overwrite the same names").check()
    await dialog.get_by_role("button", name="Import").click()
    await expect(page.locator(CARD, has_text="Bell")).to_be_visible()
    assert {profile.name for profile in device.store.current.profiles} == {*names, "Bell"}


async def test_profiles_are_carried_to_another_device_by_the_keyboard(
    page: Page, device: Device, axe: Axe
) -> None:
    """EXA-10: what is in the file, and which names there are already, is told before it is sent;
    a refusal names the profile."""
    there = device.store.current.profiles[0].name
    lacks_its_clip = {"name": "Own alarm", "siren": {"pattern": "clip:Gong", "intensity": 1}}
    await go(page, "/profiles?import")
    dialog = page.get_by_role("dialog", name="Import profiles")
    choose = dialog.get_by_role("button", name="File of profiles: Choose a file")

    async def choose_by_key(*profiles: object) -> None:
        async with page.expect_file_chooser() as chooser:
            await choose.press("Enter")
        await (await chooser.value).set_files(file(*profiles))

    await choose_by_key({"name": there}, lacks_its_clip)
    inside = dialog.locator(".profiles-inside")
    await expect(inside).to_contain_text(f"2 profiles in the file: {there}, Own alarm")
    await expect(inside).to_contain_text(f"There is already: {there}")
    await dialog.get_by_label("Overwrite the same names").press("Space")
    await dialog.get_by_role("button", name="Import", exact=True).press("Enter")
    refused = dialog.locator(".notice[data-tone=bad]")
    await expect(refused).to_contain_text("Own alarm · siren/pattern: there is no clip 'Gong' here")
    await axe(page)

    await choose_by_key(BELL)
    await expect(inside).to_have_text("1 profile in the file: Bell")
    await dialog.get_by_role("button", name="Import", exact=True).press("Enter")
    await expect(page.locator(CARD, has_text="Bell")).to_be_visible()
    await until(lambda: device.store.current.profiles[-1].name == "Bell")


async def test_whoever_has_left_an_editor_is_not_asked_again_at_the_next_address(
    page: Page,
) -> None:
    """However soon that comes: here before the browser has drawn anything."""
    await go(page, "/profiles")
    await page.get_by_role("button", name="Edit Evacuate").press("Enter")
    window = page.get_by_role("dialog", name="Edit Evacuate")
    await window.get_by_label("Name", exact=True).fill("Gate")
    await page.keyboard.press("Escape")
    question = page.get_by_role("dialog", name="Leave without saving?")
    leave = question.get_by_role("button", name="Leave")
    await leave.evaluate("button => { button.click(); location.hash = '/triggers' }")

    await expect(page.get_by_role("heading", name="Manual triggers", level=1)).to_be_visible()
    await expect(question).to_have_count(0)


async def test_whoever_goes_elsewhere_while_asked_whether_to_leave_gets_there(page: Page) -> None:
    """As with the browser's Back, which no window keeps from anybody."""
    await go(page, "/profiles")
    await page.get_by_role("button", name="Edit Evacuate").press("Enter")
    window = page.get_by_role("dialog", name="Edit Evacuate")
    await window.get_by_label("Name", exact=True).fill("Gate")
    question = page.get_by_role("dialog", name="Leave without saving?")
    for place in ("/triggers", "/time"):
        await go(page, place)
        await expect(question).to_be_visible()
    await question.get_by_role("button", name="Leave").click()

    await expect(page.get_by_role("heading", name="Time and place", level=1)).to_be_visible()
    assert page.url.endswith("#/time")


async def test_in_german_patterns_and_refusals_are_german_and_what_is_stored_is_not(
    page: Page, device: Device
) -> None:
    """Programs and other devices know what a profile is made of by one name in all languages."""
    there = device.store.current.profiles[0].name
    await page.evaluate("localStorage.language = 'de'")
    await go(page, "/profiles")
    await page.reload()
    await page.get_by_role("button", name="Neues Profil").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Muster").select_option(label="Rundumlicht")
    await dialog.get_by_label("Klang").select_option(label="Sirene: Räumung")
    await expect(dialog.get_by_text("Ein weicher Strahl läuft um")).to_be_visible()
    name = dialog.get_by_label("Name", exact=True)
    await name.fill(there)
    await dialog.get_by_role("button", name="Speichern").click()
    taken = f"Ein Profil „{there}“ gibt es schon"
    await expect(dialog.locator("[data-field=name] .error")).to_contain_text(taken)
    await name.fill("Brand")
    await dialog.get_by_role("button", name="Speichern").click()

    card = page.locator(CARD, has_text="Brand")
    await expect(card).to_contain_text("Rundumlicht")
    await expect(card).to_contain_text("Sirene: Räumung")
    saved = device.store.current.profiles[-1]
    assert saved.light is not None
    assert saved.siren is not None
    assert (saved.light.pattern, saved.siren.pattern) == ("Rotate", "Siren: Evac")


async def test_what_others_start_is_seen_and_viewers_only_look(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """PRF-08, PRF-12; everybody can read it, in both themes."""
    name = device.store.current.profiles[0].name
    await enter(page, url, "/profiles", name="victor")
    card = page.locator(CARD).first
    await expect(card).to_contain_text(name)
    device.context.dispatcher.execute(StartProfile(profile=name))
    await expect(card.locator(".badge", has_text="runs")).to_be_visible()
    await expect(page.get_by_role("button", name="Start")).to_have_count(0)
    await expect(page.get_by_role("button", name="New profile")).to_have_count(0)
    await axe(page)
    await enter(page, url, "/profiles")
    await page.get_by_role("button", name="New profile").click()
    await expect(page.get_by_role("dialog").locator(".strobe")).to_be_visible()
    await axe(page)
