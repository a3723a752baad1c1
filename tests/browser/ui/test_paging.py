"""Pages in the interface: who is heard before whom, where pages come from, and what goes out."""

import asyncio
import time
from functools import partial

import msgspec
import pytest
from playwright.async_api import Locator, Page, Route, expect
from pytest_asyncio import fixture

from sipstrobe.commands import ChangeSettings
from sipstrobe.context import Context
from sipstrobe.multicast.settings import DeskPhoneSource, InternalSource, PageSource
from sipstrobe.secret import Secret
from tests.browser.ui.conftest import Axe, enter, go
from tests.support.waiting import until
from tests.support.web import NO_PAGES, Device
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

KEY = "0123456789abcdef" * 3 + "0123456789ab"  # 60 characters
FIRE = PageSource(label="Fire", address="239.1.1.1", port=5004, srtp_key=Secret(KEY))
DESKS = DeskPhoneSource(label="Desks", channel=26)
MUSIC = PageSource(label="Music", address="ff15::7", port=6000, latency="low", enabled=False)
SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=Lobby
c=IN IP4 239.255.1.1/16
t=0 0
m=audio 5010 RTP/AVP 97
a=rtpmap:97 opus/48000/2
"""


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    multicast = {"enabled": True, "sources": (FIRE, DESKS, InternalSource(sound="clip"), MUSIC)}
    return Device.make(context, in_background=True, profiles=PROFILES, multicast=multicast)


def row(page: Page, name: str) -> Locator:
    return page.locator(".paging-row").filter(has=page.get_by_text(name, exact=True))


def labels(device: Device) -> list[str]:
    """Of what the settings name, the highest first."""
    sources = device.store.current.multicast.sources
    return [s.sound if isinstance(s, InternalSource) else s.label for s in sources]


def has_order(device: Device, order: list[str]) -> bool:
    return labels(device) == order


async def test_who_is_heard_is_seen_and_the_keyboard_decides_it(
    page: Page, url: str, device: Device, axe: Axe
) -> None:
    """MCC-04, MCC-08: the focus goes with what was moved."""
    told = {"label": "Fire", "state": "active", "sender": "192.0.2.9:5004", "level_db": -18.2}
    told |= {"problem": "", "packets": 1}
    silent = told | {"label": "Music", "state": "hidden", "level_db": None, "offset_ms": -0.4}
    broken = told | {"label": "Desks", "state": "idle", "problem": "224.0.1.116 cannot be joined"}
    device.multicast |= {"sources": 3, "joined": 2, "told": [told, silent, broken]}
    device.multicast["hearing"] = {"state": "no querier", "words": "Nobody asks."}
    device.stream.told = {"state": "hidden", "sender": "olga", "level_db": -30.0}
    await go(page, "/paging")

    names = page.locator(".paging-row strong")
    await expect(names).to_have_text(["Calls", "Audio streams", "Fire", "Desks", "Clips", "Music"])
    fire = row(page, "Fire")
    await expect(fire).to_have_attribute("data-state", "active")
    await expect(fire).to_contain_text("239.1.1.1:5004 · encrypted")
    await expect(fire).to_contain_text("from 192.0.2.9:5004 · −18 dBFS")
    await expect(fire.locator(".badge")).to_have_text("heard")
    await expect(row(page, "Music")).to_contain_text("[ff15::7]:6000 · low latency")
    await expect(row(page, "Music")).to_contain_text("−0.4 ms from the common clock")
    await expect(row(page, "Music").locator(".badge")).to_have_text("off")
    await expect(row(page, "Audio streams")).to_contain_text("from olga · −30 dBFS")
    await expect(row(page, "Desks")).to_contain_text("224.0.1.116 cannot be joined")
    await expect(page.get_by_text("2 of 3 groups are joined.")).to_be_visible()
    await expect(page.get_by_text("Nobody asks.")).to_be_visible()
    await axe(page)

    await page.get_by_role("button", name="Move Music").focus()
    for rank, order in (
        ("5", ["Fire", "Desks", "Music", "clip"]),
        ("4", ["Fire", "Music", "Desks", "clip"]),
        ("3", ["Music", "Fire", "Desks", "clip"]),
        ("2", ["Music", "stream", "Fire", "Desks", "clip"]),
    ):
        await page.keyboard.press("ArrowUp")
        await until(partial(has_order, device, order))
        await expect(row(page, "Music").locator(".paging-rank")).to_have_text(rank)
        await expect(page.get_by_role("button", name="Move Music")).to_be_focused()
    await expect(row(page, "Music").locator(".paging-rank")).to_have_text("2")
    await page.get_by_role("button", name="Rank 2: Calls").click()
    await until(lambda: labels(device) == ["Music", "sip", "stream", "Fire", "Desks", "clip"])
    assert device.store.current.multicast.sources[3] == FIRE, "its key is not touched by that"
    device.multicast = dict(NO_PAGES)
    await expect(fire).to_have_attribute("data-state", "idle")


async def test_keys_that_are_pressed_fast_lead_as_far_as_slow_ones(
    page: Page, url: str, device: Device
) -> None:
    """Each begins where the one before has led to, whether that is stored or painted yet or not."""
    await page.clock.install()
    await enter(page, url, "/paging")
    await page.get_by_role("button", name="Move Music").focus()
    await page.clock.pause_at(time.time() + 60)  # from here on nothing is painted
    rank = row(page, "Music").locator(".paging-rank")
    async with page.expect_response("**/settings/multicast"):
        await page.keyboard.press("ArrowUp")
    await until(lambda: has_order(device, ["Fire", "Desks", "Music", "clip"]))
    await expect(rank).to_have_text("5")

    stored = asyncio.Event()

    async def late(route: Route) -> None:
        await stored.wait()
        await route.continue_()

    await page.route("**/settings/multicast", late)
    for seen in ("4", "3"):
        await page.keyboard.press("ArrowUp")
        await expect(rank).to_have_text(seen)
    await page.keyboard.press("ArrowDown")
    stored.set()

    await until(lambda: has_order(device, ["Fire", "Music", "Desks", "clip"]))
    await expect(rank).to_have_text("4")
    await page.unroute_all(behavior="wait")


async def test_a_source_is_added_edited_and_deleted(page: Page, url: str, device: Device) -> None:
    """MCC-03…07: what is wrong is said at its field, and what was typed stays."""
    await go(page, "/paging")
    form = page.get_by_role("dialog", name="New source")

    await page.get_by_role("button", name="Add a group").click()
    await form.get_by_label("Label").fill("Fire")
    await form.get_by_label("Address").fill("192.0.2.1")
    await form.get_by_label("Port").fill("5004")
    await form.get_by_text("More settings").click()
    await form.get_by_label("SRTP key").fill("abc")
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator("[data-field='/label'] .error")).to_contain_text("is there already")
    await expect(form.locator("[data-field='/address'] .error")).to_contain_text("224.0.0.0")
    await expect(form.locator("[data-field='/srtp_key'] .error")).to_contain_text("60 or 92")
    await form.get_by_label("Label").fill("Evac")
    await form.get_by_label("Address").fill("239.9.9.9")
    await form.get_by_label("SRTP key").fill(KEY)
    await form.get_by_label("Profile").select_option("Evacuate")
    await form.get_by_label("Rank").fill("1")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    evac = PageSource(
        label="Evac", address="239.9.9.9", port=5004, srtp_key=Secret(KEY), profile="Evacuate"
    )
    assert device.store.current.multicast.sources[0] == evac

    await page.get_by_role("button", name="Edit Evac").click()
    form = page.get_by_role("dialog", name="Edit Evac")
    await form.get_by_text("More settings").click()
    await form.get_by_label("Latency").select_option("ultra low latency")
    await form.get_by_role("button", name="Save").click()
    await expect(row(page, "Evac")).to_contain_text("ultra low latency · encrypted · Evacuate")
    edited = device.store.current.multicast.sources[0]
    assert edited == msgspec.structs.replace(evac, latency="ultra_low")

    await page.get_by_role("button", name="Edit Evac").click()
    await form.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog", name="Delete Evac?").get_by_text("Delete", exact=True).click()
    await expect(row(page, "Evac")).to_have_count(0)

    await page.get_by_label("Session description", exact=True).fill(SDP)
    await page.get_by_role("button", name="Read it").click()
    form = page.get_by_role("dialog", name="New source")
    await expect(form.get_by_label("Label")).to_have_value("Lobby")
    await form.get_by_role("button", name="Save").click()
    await expect(row(page, "Lobby")).to_contain_text("239.255.1.1:5010")
    lobby = PageSource(
        label="Lobby", address="239.255.1.1", port=5010, codec="opus", payload_type=97
    )
    assert device.store.current.multicast.sources[-1] == lobby


async def test_two_who_edit_at_once_each_change_what_they_have_touched(
    page: Page, url: str, device: Device
) -> None:
    """What another has changed meanwhile stays; what both have changed is asked."""
    await go(page, "/paging")
    await page.get_by_role("button", name="Edit Fire").click()
    form = page.get_by_role("dialog", name="Edit Fire")
    await form.get_by_label("Port").fill("7000")
    moved = msgspec.structs.replace(FIRE, address="239.1.1.9", srtp_key=Secret(KEY[::-1]))
    change = {"multicast": {"sources": (DESKS, MUSIC, moved)}}
    device.context.dispatcher.execute(ChangeSettings(patch=change))
    await expect(row(page, "Fire")).to_contain_text("239.1.1.9:5004")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_have_count(0)
    moved = msgspec.structs.replace(moved, port=7000)
    assert device.store.current.multicast.sources == (DESKS, MUSIC, moved)

    await page.get_by_role("button", name="Edit Fire").click()
    await form.get_by_label("Port").fill("7002")
    theirs = msgspec.structs.replace(moved, port=8000)
    change = {"multicast": {"sources": (theirs,)}}
    device.context.dispatcher.execute(ChangeSettings(patch=change))
    await expect(row(page, "Fire")).to_contain_text("239.1.1.9:8000")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_text("Port: Yours 7002, Theirs 8000")).to_be_visible()
    assert device.store.current.multicast.sources == (theirs,)
    await form.get_by_role("button", name="Save mine").click()
    await expect(form).to_have_count(0)
    mine = msgspec.structs.replace(theirs, port=7002)
    assert device.store.current.multicast.sources == (mine,)


async def test_of_a_thousand_few_are_drawn_and_a_viewer_changes_none(
    tab: Page, url: str, device: Device
) -> None:
    many = tuple(
        PageSource(label=f"Room {n}", address=f"239.1.{n // 250}.{n % 250 + 1}", port=5004)
        for n in range(1000)
    )
    device.store.change_now({"multicast": {"sources": many}})
    told = {"label": "Room 900", "state": "active", "sender": "192.0.2.9:1", "level_db": -20.0}
    device.multicast |= {"sources": 1000, "joined": 1000, "told": [told | {"problem": ""}]}
    await tab.set_viewport_size({"width": 360, "height": 800})
    await enter(tab, url, "/paging", name="victor")
    rows = tab.locator(".paging-row")

    await expect(rows).to_have_count(51)
    await expect(rows.last).to_contain_text("Room 900")
    await tab.get_by_label("Find a source").fill("239.1.3.7")
    await expect(row(tab, "Room 756")).to_be_visible()
    await expect(tab.get_by_role("button", name="Edit Room 756")).to_have_count(0)
    await expect(tab.get_by_role("button", name="Add a group")).to_have_count(0)
    await expect(tab.get_by_label("Receive pages")).to_be_disabled()
    assert await tab.evaluate("document.documentElement.scrollWidth") == 360
    await tab.goto("about:blank")
