"""Rules in the interface: made from what is declared, tried, fired, and explained (EVT-01…09)."""

import asyncio

import msgspec
import pytest
from playwright.async_api import Locator, Page, Route, expect
from pytest_asyncio import fixture

from sipstrobe.commands import ChangeSettings, SetManualTrigger, SimulateInput, StartProfile
from sipstrobe.context import Context
from sipstrobe.events import Function
from sipstrobe.lightsiren.settings import Profile, SirenPart
from sipstrobe.rules.actions import RunProfile
from sipstrobe.rules.settings import Condition, Rule
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import until
from tests.support.web import Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

TRIGGERED = Rule(
    name="By hand",
    conditions=(
        Condition(event="input/manual_trigger", match={"trigger": "1", "active": "true"}),
        Condition(event="call/state", match={"state": "active"}, invert=True),
    ),
    action=RunProfile(profile="Evacuate"),
)


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    return Device.make(context, in_background=True, profiles=PROFILES, rules=(TRIGGERED,))


def rule(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def shown(device: Device) -> list[str]:
    """The profiles whose light is the one that is seen."""
    light = Function.SIGNALING_LED
    return [o.profile for o in device.signals.status() if o.function is light and o.shown]


async def test_an_input_overrules_what_runs_and_gives_it_back(
    page: Page, device: Device, axe: Axe
) -> None:
    """EXA-04, from an example to the light, by mouse and keyboard."""
    device.context.dispatcher.execute(StartProfile(profile="Door"))  # of priority 3
    await go(page, "/rules")
    await page.get_by_role("button", name="Add rule").click()
    await page.get_by_role("button", name="An input overrules what runs").focus()
    await page.keyboard.press("Enter")

    await expect(page.locator(".rules-preview")).to_have_text(
        "As long as input 1 “Port 1” is active, run the profile “Evacuate” with priority 4."
    )
    await expect(page.get_by_text("The device finds nothing wrong with it.")).to_be_visible()
    await page.get_by_label("Name", exact=True).fill("The fire panel goes first")
    await axe(page)
    await page.keyboard.press("Enter")

    row = rule(page, "The fire panel goes first")
    await expect(row.get_by_text("Ready")).to_be_visible()
    assert shown(device) == ["Door"]
    device.context.dispatcher.execute(SimulateInput(port=1, active=True))
    await expect(row.get_by_text("Active since")).to_be_visible()
    assert shown(device) == ["Evacuate"]
    device.context.dispatcher.execute(SimulateInput(port=1, active=False))
    await expect(row.get_by_text("Ready")).to_be_visible()
    assert shown(device) == ["Door"]


async def test_a_clip_is_an_alarm_and_what_needs_no_rule_is_found_from_the_examples(
    page: Page, device: Device, axe: Axe
) -> None:
    """EXA-09 from the examples; EXA-10 and EXA-13 are done on other pages."""
    await go(page, "/rules")
    add = page.get_by_role("button", name="Add rule")
    await add.press("Enter")
    dialog = page.get_by_role("dialog")
    example = dialog.get_by_role("button", name="An input plays an alarm of your own")
    await expect(example).to_be_disabled()
    await expect(example).to_contain_text("Needs a profile whose siren is a clip")
    await axe(page)
    await page.keyboard.press("Escape")

    device.clips.apply(())  # those of every device
    own = Profile(name="Own alarm", siren=SirenPart(pattern="clip:Ding-dong"))
    device.context.dispatcher.execute(
        ChangeSettings(patch={"profiles": msgspec.to_builtins((*PROFILES, own))})
    )
    await add.press("Enter")
    await expect(example).to_be_enabled()
    await example.press("Enter")
    await expect(page.locator(".rules-preview")).to_have_text(
        "As long as input 1 “Port 1” is active, run the profile “Own alarm”."
    )
    await expect(page.get_by_text("The device finds nothing wrong with it.")).to_be_visible()
    await page.get_by_role("button", name="Save", exact=True).press("Enter")
    await expect(rule(page, "Input 1 runs Own alarm")).to_be_visible()

    for link, opened in (
        ("Profiles of another device", "Import profiles"),
        ("Calls from phone to phone", "Set-up assistant"),
    ):
        await go(page, "/rules")
        await add.press("Enter")
        await dialog.get_by_role("link", name=link).press("Enter")
        await expect(page.get_by_role("dialog", name=opened)).to_be_visible()


async def test_what_a_light_may_do_is_said_where_it_is_chosen(page: Page) -> None:
    """SAF-01: a profile, and a light that is none."""
    await go(page, "/rules/new")
    warning = page.locator(".notice", has_text="May cause seizures")
    await page.get_by_label("Profile").select_option("Door")
    await expect(warning).to_have_count(0)
    await page.get_by_label("Profile").select_option("Evacuate")
    await expect(warning).to_contain_text("more than twice a second over a large area")
    await expect(warning).to_contain_text("saturated red")

    await page.get_by_label("What is done?").select_option("run_light")
    await page.get_by_label("Pattern").select_option("Blink")
    await expect(page.get_by_text("Flashing light can trigger seizures")).to_be_visible()
    await expect(warning).to_contain_text("saturated red")
    await expect(warning).not_to_contain_text("twice a second")
    await page.get_by_label("Pattern").select_option("Steady")
    await expect(warning).to_have_count(0)


async def test_what_is_wrong_is_told_where_it_is_and_before_it_is_saved(
    page: Page, device: Device
) -> None:
    await go(page, "/rules/new")
    save = page.get_by_role("button", name="Save", exact=True)
    await save.click()
    condition = page.get_by_role("group", name="Condition 1")
    await expect(condition.locator('[data-field="event"] .error')).to_have_text(
        "there is no event ''"
    )
    await condition.get_by_label("What", exact=True).select_option("output/port")
    await expect(page.get_by_text("cannot act: output/port")).to_be_visible()  # both are inputs
    await expect(condition.locator(".error:visible")).to_have_count(0)

    await page.get_by_label("Name", exact=True).fill("By hand")
    await save.click()
    await expect(page.locator('[data-field="name"] .error')).to_have_text(
        "there is a rule 'By hand' already"
    )
    await page.get_by_label("Name", exact=True).fill("By lamp")
    await page.get_by_role("radio", name="When something happens").check()
    await page.get_by_role("button", name="Add condition").click()
    await (
        page.get_by_role("group", name="Condition 1")
        .get_by_label("What", exact=True)
        .select_option("call/state")
    )
    await save.click()

    await expect(rule(page, "By lamp").locator(".rules-sentence")).to_have_text(
        "When output 1 “Port 1” becomes active, run the profile “Evacuate” as long as a call is"
        " active."
    )
    await until(lambda: len(device.store.current.rules) == 2)
    made = device.store.current.rules[1]
    assert made.when == Condition(event="output/port", match={"port": "1", "active": "true"})
    assert made.conditions == (Condition(event="call/state", match={"state": "active"}),)


async def test_what_is_changed_while_a_change_is_stored_is_kept_as_well(
    page: Page, device: Device
) -> None:
    """Each is seen at once, and none takes back the one before it."""
    names = ["By hand", "Bell", "Lamp", "Door"]
    rules = [msgspec.structs.replace(TRIGGERED, name=name) for name in names]
    device.store.change_now({"rules": rules})
    await go(page, "/rules")
    await expect(rule(page, "Door")).to_be_visible()
    stored = asyncio.Event()

    async def late(route: Route) -> None:
        await stored.wait()
        await route.continue_()

    await page.route("**/settings/rules", late)
    shown_names = page.locator(".reorder-row article")
    await page.get_by_role("button", name="Move By hand").focus()
    for place in (1, 2, 3):
        await page.keyboard.press("ArrowDown")
        await expect(shown_names.nth(place)).to_have_accessible_name("By hand")
    for name in ("Bell", "Lamp"):
        await rule(page, name).get_by_role("switch").press("Space")
    stored.set()

    def kept() -> list[tuple[str, bool]]:
        return [(one.name, one.enabled) for one in device.store.current.rules]

    wanted = [("Bell", False), ("Lamp", False), ("Door", True), ("By hand", True)]
    await until(lambda: kept() == wanted)
    await expect(rule(page, "Lamp").get_by_text("Off", exact=True)).to_be_visible()
    await page.unroute_all(behavior="wait")


async def test_a_history_that_is_made_up_shows_when_rules_would_act(page: Page, axe: Axe) -> None:
    await go(page, "/rules/simulate")
    await page.get_by_role("button", name="Take a typical one").click()
    await page.get_by_role("menuitem", name="Manual trigger 1 is on for 10 seconds").click()
    await page.get_by_role("button", name="Play").click()

    lane = page.get_by_role("img", name="By hand: active 1 s–11 s")
    await expect(lane).to_be_visible()
    results = page.locator(".rules-played tbody tr")
    await expect(results).to_have_count(2)
    await expect(results.first).to_contain_text(
        "manual trigger 1 “Manual trigger 1” is switched on"
    )
    await expect(results.first).to_contain_text("Began")
    await axe(page)

    await page.get_by_role("button", name="Add event").click()
    added = page.get_by_role("group", name="Event 3")
    await added.get_by_label("What happens").select_option("input/port")
    await page.get_by_role("button", name="Remove event 1").click()
    await page.get_by_role("button", name="Play").click()
    await expect(page.get_by_text("No rule would have done anything.")).to_be_visible()


async def test_why_a_rule_acted_is_told_and_whoever_may_switches_it(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """EVT-02; who may only look is offered no more."""
    await enter(page, url, "/rules", name="victor")
    await page.reload()
    row = rule(page, "By hand")
    device.context.dispatcher.execute(SetManualTrigger(trigger=1, active=True))
    await expect(row.get_by_text("Active since")).to_be_visible()
    await row.get_by_role("button", name="Why By hand is as it is").click()

    stands = row.locator(".rules-stands li")
    await expect(stands).to_contain_text(["is on", "no call is active"])
    await expect(row.locator(".rules-history > li").first).to_contain_text("Began")
    await expect(row.get_by_role("switch")).to_be_disabled()
    await expect(page.get_by_role("button", name="Add rule")).to_have_count(0)
    await axe(page)

    await enter(page, url, "/rules", name="olga")
    await page.reload()
    await row.get_by_role("switch").press("Space")
    await expect(row.get_by_text("Off", exact=True)).to_be_visible()
    await until(lambda: not device.store.current.rules[0].enabled)
    assert shown(device) == []
    await row.get_by_role("button", name="What to do with By hand").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("There are no rules yet")).to_be_visible()
