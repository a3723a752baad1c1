"""SIP in the interface: accounts, extensions, digits, who may call, and a call of two devices."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from pytest_asyncio import fixture

from sipstrobe.context import Context
from sipstrobe.dtmf.settings import DigitSequence
from sipstrobe.events import DigitReceived, SequenceReceived
from sipstrobe.secret import Secret
from sipstrobe.sip.account import Account
from tests.browser.ui.conftest import Axe, enter, go
from tests.interop.device import Device as Running
from tests.interop.device import device as running
from tests.support.waiting import until
from tests.support.web import Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

GATE = DigitSequence(sequence="12#", name="Gate")
PBX = Account(
    name="PBX", kind="registered", user_id="200", password=Secret("x"), domain="pbx.example"
)
TROUBLE: dict[str, object] = {
    "account": "PBX",
    "state": "failed",
    "server": "sip:pbx.example",
    "uri": "sip:200@pbx.example",
    "code": 401,
    "until": "",
    "words": "wrong password",
    "problem": "wrong password",
}


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    device = Device.make(
        context,
        in_background=True,
        profiles=PROFILES,
        sip={"enabled": True, "accounts": (Account(default=True), PBX)},
        dtmf={"sequences": [GATE]},
    )
    device.registrations = [{"account": "peer-to-peer", "state": "off"}, TROUBLE]
    return device


async def test_an_account_says_how_it_stands_and_is_edited(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """SAC-02, SAC-03, SAC-07, SIP-11: codecs in their order by the keyboard."""
    await go(page, "/sip")
    card = page.locator(".sip-account").filter(has=page.get_by_text("PBX", exact=True))
    await expect(card.locator(".badge")).to_have_text("Not registered")
    await expect(card).to_contain_text("wrong password")
    await expect(card).to_contain_text("See that user ID, authentication ID and password")
    await axe(page)

    await card.get_by_role("button", name="Edit PBX").click()
    form = page.get_by_role("dialog", name="Edit PBX")
    await form.get_by_label("User ID").fill("2 00")
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator("[data-field='/user_id'] .error")).not_to_be_empty()
    await form.get_by_label("User ID").fill("201")
    await form.get_by_text("More settings").click()
    await axe(page)
    await form.get_by_role("button", name="Move G.722.").focus()
    await page.keyboard.press("ArrowUp")
    await form.get_by_role("button", name="Leave out Opus").click()
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    account = device.store.current.sip.accounts[1]
    assert (account.user_id, account.codecs) == ("201", ("G722", "PCMU", "PCMA", "G726-32"))
    assert account.password == Secret("x"), "it was not touched"

    await card.get_by_role("button", name="More about PBX").click()
    await page.get_by_role("menuitem", name="Make default").click()
    await until(lambda: [a.default for a in device.store.current.sip.accounts] == [False, True])


async def test_roles_digits_and_who_may_call_are_set(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """SAC-16, DTM-01…06, ACL-01…03."""
    await go(page, "/sip/extensions")
    await page.get_by_role("button", name="Add an extension").click()
    form = page.get_by_role("form", name="New extension")
    await form.get_by_label("Number").fill("2201")
    await form.get_by_label("Alert").check()
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator("[data-field=profile] .error")).to_contain_text("needs a profile")
    await form.get_by_label("Profile").select_option("Evacuate")
    await form.get_by_label("PIN").fill("4711")
    await axe(page)
    await form.get_by_role("button", name="Save").click()
    await expect(page.locator("[data-number='2201']")).to_contain_text("starts Evacuate")
    await expect(form).to_have_count(0)
    [extension] = device.store.current.extensions
    assert (extension.role, extension.pin) == ("alert", Secret("4711"))

    await page.get_by_role("button", name="Edit 2201").click()
    number = page.get_by_role("form", name="Edit 2201").get_by_label("Number")
    await number.fill("2202")
    await page.get_by_role("button", name="Add an extension").click()
    await page.get_by_role("dialog").get_by_role("button", name="Stay").click()
    await expect(number).to_have_value("2202")
    await page.get_by_role("button", name="Cancel").click()

    await go(page, "/sip/digits")
    await page.get_by_role("button", name="Add", exact=True).click()
    form = page.get_by_role("form", name="New sequence")
    await form.get_by_label("Digits").fill("*9x")
    await form.get_by_label("Event").fill("Silence")
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator("[data-field=sequence] .error")).not_to_be_empty()
    await form.get_by_label("Digits").fill("12#")
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator("[data-field=sequence] .error")).to_contain_text("already")
    await form.get_by_label("Digits").fill("*9a")
    await form.get_by_text("Long press of the last digit").click()
    await form.get_by_label("PBX").check()
    await form.get_by_role("button", name="Save").click()
    await expect(page.locator(".sip-sequence").nth(1)).to_contain_text(
        "in calls of PBX · long press"
    )
    await expect(form).to_have_count(0)
    wanted = DigitSequence(sequence="*9A", name="Silence", held=True, accounts=("PBX",))
    assert device.store.current.dtmf.sequences == (GATE, wanted)
    publish = device.context.bus.publish
    for digit in "12#":
        publish(DigitReceived(call="in-1", digit=digit, extension="1001", line=""))
    told = {"call": "in-1", "account": "PBX", "extension": "1001", "line": ""}
    publish(SequenceReceived(name="Gate", sequence="12#", **told))
    pressed = page.locator(".sip-pressed li")
    await expect(pressed).to_have_count(2)
    await expect(pressed.nth(0)).to_contain_text("Gate happened")
    await axe(page)

    await go(page, "/sip/access")
    await page.get_by_role("textbox", name="New entry").fill("192.0.2.0/99")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-field=entry] .error")).to_contain_text("is no network")
    await page.get_by_role("textbox", name="New entry").fill("192.0.2.0/24")
    await page.keyboard.press("Enter")
    await expect(page.locator(".sip-entries li")).to_contain_text("where the call comes from")
    await page.get_by_text("Use the access list").click()
    await expect(page.get_by_text("1 entry may call, everybody else is refused.")).to_be_visible()
    assert device.store.current.sip.access.entries == ("192.0.2.0/24",)
    await axe(page)


async def test_a_viewer_sees_accounts_and_changes_none(tab: Page, url: str) -> None:
    await tab.set_viewport_size({"width": 360, "height": 800})
    await enter(tab, url, "/sip", name="victor")

    await expect(tab.locator(".sip-account")).to_have_count(2)
    await expect(tab.get_by_role("button", name="Add an account")).to_have_count(0)
    await expect(tab.get_by_role("button", name="Set-up assistant")).to_have_count(0)
    assert await tab.evaluate("document.documentElement.scrollWidth") == 360
    await tab.goto("about:blank")


async def test_the_assistant_leads_to_a_call_of_two_devices(tab: Page, tmp_path: Path) -> None:
    """SIP-03, SAC-15, SIP-20: set up, dialled from the page, seen active and hung up."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(name: str) -> Running:
            made = running(tmp_path / name, sound="null", light=False)
            device = await asyncio.to_thread(made.__enter__)
            stack.push_async_callback(asyncio.to_thread, made.__exit__, None, None, None)
            return device

        caller, called = await asyncio.gather(start("caller"), start("called"))
        url = f"http://127.0.0.1:{caller.http}"
        await tab.add_init_script(
            "if (location.protocol !== 'about:') localStorage.language = 'en'"
        )
        who = {"name": "admin", "password": caller.password}
        assert (await tab.context.request.post(f"{url}/api/v1/login", data=who)).ok
        await tab.goto(f"{url}/#/sip")
        await tab.get_by_role("button", name="Set-up assistant").first.click()
        window = tab.get_by_role("dialog", name="Set-up assistant")
        await expect(window.get_by_text("How is it called?").first).to_be_visible()
        await window.get_by_role("button", name="Next").click()
        await window.get_by_role("button", name="Next").click()
        await window.get_by_role("button", name="Save and check").click()
        await expect(window.get_by_text("It can be called.")).to_be_visible()

        await window.get_by_label("Address").fill(called.uri("1001"))
        await window.get_by_role("button", name="Call", exact=True).click()
        call = window.locator(".calls-call")
        await expect(call).to_have_attribute("data-state", "active")
        await call.get_by_role("button", name="Hang up").click()
        await expect(window.get_by_text("The call is over.")).to_be_visible()
        await window.get_by_role("button", name="Undo").click()
        await expect(window).to_have_count(0)
        await tab.goto("about:blank")
