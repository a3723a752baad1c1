"""What the owner of a device does in its interface, step by step, with mouse and keyboard only."""

import asyncio
import json
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect

PATIENCE = 120_000  # milliseconds
PARTS = ("Light", "Siren")  # of a profile


# --- getting about --------------------------------------------------------------------------------


async def open_page(page: Page, name: str) -> None:
    """By the menu."""
    menu = page.get_by_role("navigation")
    await menu.get_by_role("link", name=name, exact=True).click()
    await expect(page.get_by_role("main").get_by_role("heading", level=1)).to_have_text(name)


async def enter_new_device(page: Page, url: str, password: str) -> None:
    """Be in as "admin", however long the password takes to be proven on a machine with no time; and
    end the maintenance in which a device is shipped."""
    who = {"name": "admin", "password": password}
    answer = await page.context.request.post(f"{url}/api/v1/login", data=who, timeout=PATIENCE)
    assert answer.ok
    await page.goto(url)
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


async def orders_from_outside(page: Page, name: str) -> list[str]:
    """The URL that is shown, what to post there to start the profile, and what to stop it."""
    await open_page(page, "Profiles")
    await page.get_by_role("button", name=f"More about {name}", exact=True).click()
    await page.get_by_role("menuitem", name="From outside").click()
    shown = page.get_by_role("dialog").locator("dd code")
    await expect(shown).to_have_count(4)
    texts = await shown.all_inner_texts()
    await page.keyboard.press("Escape")
    return texts[:3]


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


async def import_profiles(page: Page, file: Path) -> None:
    await open_page(page, "Profiles")
    await drop_file(page, page.locator(".profiles"), file)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(file.name)
    await dialog.get_by_role("button", name="Import", exact=True).click()
    await expect(dialog).to_have_count(0)


async def add_clip(page: Page, file: Path) -> None:
    await open_page(page, "Media")
    await drop_file(page, page.locator(".media-uploads .file-drop"), file)
    await expect(page.locator(f'[data-clip="{file.stem}"]')).to_contain_text("wav")


async def play_clip(page: Page, name: str, *, often: str) -> None:
    await open_page(page, "Media")
    await page.get_by_role("button", name=f"More about {name}").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("How often").select_option(label=often)
    await dialog.get_by_role("button", name="Play", exact=True).click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name=f"Stop {name}")).to_be_visible()


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


async def set_up_account(page: Page, **fields: str) -> Locator:
    """The step list for a PBX; the window, which says how it stands.

    fields: by their names in the settings.
    """
    assistant = await begin_assistant(page)
    await assistant.locator("label", has=page.get_by_text("With a PBX or a provider")).click()
    await assistant.get_by_role("button", name="Next").click()
    await assistant.get_by_text("More that some ask for").click()
    for name, wanted in fields.items():
        await assistant.locator(f'[data-field="{name}"] input').fill(wanted)
    await assistant.get_by_role("button", name="Next").click()
    await assistant.get_by_role("button", name="Save and check").click()
    return assistant


# --- the speaker, and who is told of it -----------------------------------------------------------


async def add_mail_recipient(page: Page, name: str, *, to: str, port: int) -> None:
    """By a server of this machine that wants no log-in."""
    await open_page(page, "Recipients")
    await page.get_by_role("button", name="Add recipient").first.click()
    await page.get_by_role("dialog").get_by_role("button", name=re.compile("^Mail")).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill(name)
    await dialog.locator('[data-field="/to/0"] input').fill(to)
    await dialog.get_by_label("From", exact=True).fill("horn@hall.test")
    await dialog.get_by_label("Server", exact=True).fill("127.0.0.1")
    await dialog.get_by_label("Port", exact=True).fill(str(port))
    await dialog.get_by_label("Encryption", exact=True).select_option(label="not encrypted")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("article", name=name, exact=True)).to_contain_text(to)


async def add_daily_schedule(page: Page, name: str, begin: str, end: str) -> None:
    """For a span of each day; begin, end: as in "18:00"."""
    await open_page(page, "Schedules")
    await page.get_by_role("button", name="Add schedule").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name", exact=True).fill(name)
    await dialog.get_by_label("It comes").select_option(label="by days")
    await _save_span(page, begin, end)


async def move_schedule(page: Page, name: str, begin: str, end: str) -> None:
    await open_page(page, "Schedules")
    await page.get_by_role("button", name=f"Edit {name}", exact=True).click()
    await _save_span(page, begin, end)


async def _save_span(page: Page, begin: str, end: str) -> None:
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Time", exact=True).fill(begin)
    await dialog.get_by_label("End time", exact=True).fill(end)
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_have_count(0)


async def calibrate_speaker(page: Page) -> None:
    await open_page(page, "Audio")
    card = page.locator(".audio-test")
    await card.get_by_role("button", name="Calibrate").click()
    await expect(card.get_by_role("status")).to_contain_text("Calibrated")


async def speaker_verdict(page: Page) -> Locator:
    """Where the page says what the test has come to."""
    await open_page(page, "Audio")
    return page.locator(".audio-test")


async def mute_speaker(page: Page, *, muted: bool) -> None:
    await open_page(page, "Audio")
    switch = page.locator(".audio-speaker").get_by_role("switch", name="Mute")
    if await switch.is_checked() != muted:
        await switch.press("Space")


# --- inputs and MQTT ------------------------------------------------------------------------------


async def set_up_input(page: Page, port: int, *, name: str, normally: str) -> None:
    """normally: "open" or "closed"."""
    await open_page(page, "Accessories")
    card = page.locator(".accessories-port").nth(port - 1)
    await card.get_by_text("Set up", exact=True).click()
    await card.locator('[data-field="/name"] input').fill(name)
    await card.locator('[data-field="/normal_state"] select').select_option(label=normally)
    await card.get_by_role("button", name="Save").click()
    await expect(card).to_contain_text(f"normally it is {normally}")


async def connect_to_broker(page: Page, host: str, port: int) -> None:
    await open_page(page, "MQTT")
    broker = page.get_by_role("form", name="Broker")
    await broker.get_by_label("Host", exact=True).fill(host)
    await broker.get_by_label("Port", exact=True).fill(str(port))
    await broker.get_by_role("button", name="Save and connect").click()
    await expect(page.locator(".mqtt-words")).to_contain_text("Connected")


async def leave_broker(page: Page) -> None:
    await open_page(page, "MQTT")
    await page.get_by_role("switch", name="Connect", exact=True).press("Space")
    await expect(page.locator(".mqtt-words")).to_contain_text("Off")


async def subscribe(page: Page, topic: str, *, true_payload: str) -> None:
    """To a topic whose last message holds."""
    await open_page(page, "MQTT")
    await page.get_by_role("tab", name="Subscriptions").click()
    await page.get_by_role("button", name="Subscribe").first.click()
    dialog = page.get_by_role("dialog", name="New subscription")
    await dialog.get_by_label("Topic", exact=True).fill(topic)
    await (
        dialog.locator('[data-field="/true_payload"]').locator("input, textarea").fill(true_payload)
    )
    await dialog.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("listitem", name=topic)).to_be_visible()
