"""What the owner of a device does in its interface, step by step, with mouse and keyboard only."""

import asyncio
import json
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

PARTS = ("Light", "Siren")  # of a profile


# --- getting about --------------------------------------------------------------------------------


async def open_page(page: Page, name: str) -> None:
    """By the menu."""
    menu = page.get_by_role("navigation")
    await menu.get_by_role("link", name=name, exact=True).click()
    await expect(page.get_by_role("main").get_by_role("heading", level=1)).to_have_text(name)


async def first_visit(page: Page, url: str, password: str) -> None:
    """Create the administrator "admin", and end the maintenance in which a device is shipped."""
    await page.goto(url)
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_label("Password, again").fill(password)
    await page.get_by_label("I accept the licence").check()
    await page.get_by_role("button", name="Create administrator").click()
    await expect(page.locator(".connection")).to_have_attribute("data-state", "live")
    await end_maintenance(page)


async def end_maintenance(page: Page) -> None:
    banner = page.locator(".banners")
    await banner.get_by_role("button", name="Switch off").click()
    await expect(banner.get_by_text("Maintenance mode is on.")).to_have_count(0)


async def drop_file(page: Page, place: Locator, file: Path) -> None:
    """Drag a file from the desktop and drop it there."""
    transfer = await page.evaluate_handle(
        """([name, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], name));
            return transfer;
        }""",
        [file.name, list(await asyncio.to_thread(file.read_bytes))],
    )
    await place.dispatch_event("dragover", {"dataTransfer": transfer})
    await place.dispatch_event("drop", {"dataTransfer": transfer})


# --- profiles, clips ------------------------------------------------------------------------------


async def make_profile(
    page: Page,
    name: str,
    color: str,
    priority: int,
    *,
    siren: str = "Siren: Alternate",
    intensity: int = 2,
) -> None:
    """A steady light, and a siren of this intensity."""
    await open_page(page, "Profiles")
    await page.get_by_role("button", name="New profile").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill(name)
    light, sound = (dialog.get_by_role("group", name=part, exact=True) for part in PARTS)
    await light.get_by_label("Pattern").select_option("Steady")
    await light.get_by_role("radio", name=color, exact=True).check()
    await sound.get_by_label("Sound").select_option(siren)
    await sound.get_by_label("Intensity").fill(str(intensity))
    for part in (light, sound):
        await part.get_by_label("Priority").fill(str(priority))
    await dialog.get_by_role("button", name="Save").click()
    await expect(profile_card(page, name)).to_be_visible()


def profile_card(page: Page, name: str) -> Locator:
    return page.locator(f'[data-profile="{name}"]')


async def start_profile(page: Page, name: str) -> None:
    await open_page(page, "Profiles")
    await page.get_by_role("button", name=f"Start {name}", exact=True).click()
    await expect(page.get_by_role("button", name=f"Stop {name}", exact=True)).to_be_visible()


async def stop_profile(page: Page, name: str) -> None:
    await open_page(page, "Profiles")
    await page.get_by_role("button", name=f"Stop {name}", exact=True).click()
    await expect(page.get_by_role("button", name=f"Start {name}", exact=True)).to_be_visible()


async def export_profiles(page: Page, names: list[str], file: Path) -> list[str]:
    """The names in the file that the browser has stored."""
    await open_page(page, "Profiles")
    for name in names:
        await page.get_by_role("checkbox", name=f"Choose {name}", exact=True).check()
    async with page.expect_download() as download:
        await page.get_by_role("button", name=f"Export the {len(names)} chosen").click()
    await (await download.value).save_as(file)
    exported = json.loads(await asyncio.to_thread(file.read_text))
    return [profile["name"] for profile in exported]


async def add_clip(page: Page, file: Path) -> None:
    await open_page(page, "Media")
    await drop_file(page, page.locator(".media-uploads .file-drop"), file)
    await expect(page.locator(f'[data-clip="{file.stem}"]')).to_contain_text("wav")


# --- rules ----------------------------------------------------------------------------------------


async def begin_rule(page: Page, example: str = "Empty rule") -> None:
    await open_page(page, "Rules")
    await page.get_by_role("button", name="Add rule").first.click()
    await page.get_by_role("dialog").get_by_role("button", name=example).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^New rules?$"))


async def name_rule(page: Page, name: str) -> None:
    await page.get_by_label("Name", exact=True).fill(name)


async def acts_when(page: Page, *, happens: bool) -> None:
    kind = "When something happens" if happens else "As long as something holds"
    await page.get_by_role("radio", name=kind).check()


async def choose_trigger(page: Page, what: str, **items: str) -> None:
    await _choose(page.get_by_role("group", name=re.compile("^Trigger")), what, items)


async def choose_condition(page: Page, number: int, what: str, **items: str) -> None:
    group = page.get_by_role("group", name=re.compile(rf"^Condition {number}\b"))
    await _choose(group, what, items)


async def _choose(group: Locator, what: str, items: dict[str, str]) -> None:
    await group.get_by_label("What", exact=True).select_option(label=what)
    for item, wanted in items.items():
        await enter(group.locator(f'[data-field="{item}"]').locator("select, input"), wanted)


async def enter(field: Locator, wanted: str) -> None:
    """Choose it by its words, or write it."""
    if await field.evaluate("field => field.localName") == "select":
        await field.select_option(label=wanted)
    else:
        await field.fill(wanted)


def action(page: Page) -> Locator:
    return page.get_by_role("region", name="Then", exact=True)


async def choose_action(page: Page, what: str, **fields: str) -> None:
    await action(page).get_by_label("What is done?").select_option(label=what)
    for name, wanted in fields.items():
        await enter(
            action(page).locator(f'[data-field="/{name}"]').locator("select, input"), wanted
        )


async def choose_profile(page: Page, profile: str) -> None:
    await action(page).get_by_label("Profile", exact=True).select_option(label=profile)


async def save_rules(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("^Save( all)?$")).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Rules")


async def delete_rule(page: Page, name: str) -> None:
    await open_page(page, "Rules")
    row = page.get_by_role("article", name=name, exact=True)
    await row.get_by_role("button", name=f"What to do with {name}").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)


# --- SIP ------------------------------------------------------------------------------------------


async def begin_assistant(page: Page) -> Locator:
    await open_page(page, "SIP")
    await page.get_by_role("button", name="Set-up assistant").first.click()
    return page.get_by_role("dialog", name="Set-up assistant")


async def set_up_peer_to_peer(page: Page, effect: str) -> None:
    """The step list for phones that call one another directly; effect: what a call does."""
    assistant = await begin_assistant(page)
    await assistant.get_by_role("radio", name="Peer-to-peer").check()
    await assistant.get_by_role("button", name="Next").click()
    await assistant.get_by_role("button", name="Next").click()
    await assistant.locator("label", has=page.get_by_text(effect, exact=True)).click()
    await assistant.get_by_role("button", name="Save and check").click()
    await expect(assistant.get_by_text("It can be called.")).to_be_visible()
    await assistant.get_by_role("button", name="Done").click()


async def answers_by_itself(page: Page, account: str, *, by_itself: bool) -> None:
    await open_page(page, "SIP")
    await page.get_by_role("button", name=f"Edit {account}", exact=True).click()
    form = page.get_by_role("dialog", name=f"Edit {account}")
    switch = form.get_by_role("switch", name="Answer automatically")
    if await switch.is_checked() != by_itself:
        await switch.press("Space")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
