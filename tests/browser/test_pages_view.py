"""Pages in the page: who is heard before whom, where pages come from, and the relay."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from playwright.async_api import Browser, Locator, Page, expect
from pytest_asyncio import fixture

from sipstrobe.commands import ChangeSettings
from sipstrobe.context import Context
from sipstrobe.events import PageState, PageStateChanged
from sipstrobe.lightsiren.settings import Profile, SirenPart
from sipstrobe.multicast.settings import DeskPhoneSource, InternalSource, PageSource
from sipstrobe.secret import Secret
from tests.browser.conftest import log_in
from tests.support.waiting import until
from tests.support.web import NO_PAGES, Device

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

KEY = "0123456789abcdef" * 3 + "0123456789ab"  # 60 characters
FIRE = PageSource(label="Fire", address="239.1.1.1", port=5004, srtp_key=Secret(KEY))
DESKS = DeskPhoneSource(label="Desks", channel=26)
MUSIC = PageSource(label="Music", address="ff15::7", port=6000, latency="low", enabled=False)
EVACUATE = Profile(name="Evacuate", siren=SirenPart(pattern="Alarm: Horror"))
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
    sources = (FIRE, DESKS, InternalSource(sound="clip"), MUSIC)
    multicast = {"enabled": True, "sources": sources}
    return Device.make(context, in_background=True, profiles=(EVACUATE,), multicast=multicast)


@fixture(loop_scope="module")
async def url(device: Device) -> AsyncIterator[str]:
    async with device.served() as url:
        yield url


async def look(page: Page, url: str, name: str = "olga") -> None:
    await log_in(page, url, name)
    await page.click(".views a[href='#paging']")
    await expect(page.locator("#page-sources li")).not_to_have_count(0)


def row(page: Page, name: str) -> Locator:
    return page.locator("#page-sources li").filter(has=page.get_by_text(name, exact=True))


async def names(page: Page) -> list[str]:
    return await page.locator("#page-sources strong").all_text_contents()


def labels(device: Device) -> list[str]:
    """Of what the settings name, the highest first."""
    sources = device.store.current.multicast.sources
    return [s.sound if isinstance(s, InternalSource) else s.label for s in sources]


async def test_who_is_heard_is_shown_by_rank(page: Page, url: str, device: Device) -> None:
    """MCC-04, MCC-08: sounds of the device have a rank too."""
    told = {"label": "Fire", "state": "active", "sender": "192.0.2.9:5004", "level_db": -18.2}
    silent = told | {"label": "Music", "state": "hidden", "level_db": None, "offset_ms": -0.4}
    broken = {"label": "Desks", "state": "idle", "problem": "224.0.1.116 cannot be joined"}
    device.multicast |= {"sources": 3, "joined": 2, "told": [told, silent, broken]}
    device.multicast["hearing"] = {"state": "no querier", "words": "Nobody asks."}
    device.stream.told = {"state": "hidden", "sender": "olga", "level_db": -30.0}
    await look(page, url)

    assert await names(page) == ["Calls", "Audio streams", "Fire", "Desks", "Clips", "Music"]
    fire = row(page, "Fire")
    await expect(fire).to_have_attribute("data-state", "active")
    await expect(fire).to_contain_text("239.1.1.1:5004 · encrypted")
    await expect(fire).to_contain_text("from 192.0.2.9:5004 · −18 dBFS")
    await expect(fire.locator(".effect")).to_have_text("heard")
    music = row(page, "Music")
    await expect(music).to_contain_text("[ff15::7]:6000 · low latency")
    await expect(music.locator(".talker")).to_have_text(
        "from 192.0.2.9:5004 · −0.4 ms from the common clock"
    )
    await expect(row(page, "Music").locator(".effect")).to_have_text("off")
    await expect(row(page, "Audio streams")).to_contain_text("from olga · −30 dBFS")
    await expect(row(page, "Desks")).to_contain_text("224.0.1.116 cannot be joined")
    await expect(page.locator("#joined")).to_have_text("2 of 3 groups are joined.")
    await expect(page.locator("#hearing")).to_have_text("Nobody asks.")
    device.multicast = dict(NO_PAGES)
    await expect(fire).to_have_attribute("data-state", "idle")
    ended = PageStateChanged(page="Fire", state=PageState.IDLE, sender="192.0.2.9")
    device.context.bus.publish(ended)
    await page.click(".views a[href='#overview']")
    await expect(page.locator("#events summary").first).to_have_text("Page “Fire” has ended")


async def test_ranks_are_changed_with_the_keyboard(page: Page, url: str, device: Device) -> None:
    """The focus goes with what was moved, and presses that come fast all count."""
    await look(page, url)

    await row(page, "Music").get_by_label("Move up").focus()
    for _ in range(4):
        await page.keyboard.press("Enter")
    await expect(row(page, "Music").locator(".rank")).to_have_text("2")
    await expect(row(page, "Music").get_by_label("Move up")).to_be_focused()
    assert labels(device) == ["Music", "stream", "Fire", "Desks", "clip"]
    await page.keyboard.press("Enter")
    await expect(row(page, "Music").get_by_label("Move up")).to_be_disabled()
    await expect(row(page, "Music").get_by_label("Move down")).to_be_focused()
    await row(page, "Calls").get_by_label("Move down").click()
    await expect(row(page, "Calls").locator(".rank")).to_have_text("3")

    assert labels(device) == ["Music", "stream", "sip", "Fire", "Desks", "clip"]
    fire = device.store.current.multicast.sources[3]
    assert fire == FIRE, "its key is not touched by that"


async def test_a_source_is_added_edited_and_deleted(page: Page, url: str, device: Device) -> None:
    """MCC-03…07."""
    await look(page, url)
    form = page.locator("#page-source")

    await page.click("#add-page-source")
    await form.get_by_label("Label").fill("Fire")
    await form.get_by_label("Address").fill("192.0.2.1")
    await form.get_by_label("Port").fill("80")
    await form.get_by_text("More").click()
    await form.get_by_label("SRTP key").fill("abc")
    await page.keyboard.press("Enter")
    port = form.locator("[data-field=port] .error")
    await expect(port).to_have_text("must be a whole number from 1024 to 65534")
    await form.get_by_label("Port").fill("5004")
    await page.keyboard.press("Enter")
    await expect(port).to_be_empty()
    await expect(form.locator("[data-field=label] .error")).to_contain_text("is there already")
    await expect(form.locator("[data-field=address] .error")).to_contain_text("224.0.0.0")
    await expect(form.locator("[data-field=srtp_key] .error")).to_contain_text("60 or 92")

    await form.get_by_label("Label").fill("Evac")
    await form.get_by_label("Address").fill("239.9.9.9")
    await form.get_by_label("SRTP key").fill(KEY)
    await form.get_by_label("Senders").fill("192.0.2.7, 192.0.2.8")
    await form.get_by_label("Profile").select_option("Evacuate")
    await form.get_by_label("Rank").fill("1")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_be_hidden()
    await expect(page.locator("#page-sources strong").first).to_have_text("Evac")
    evac = PageSource(
        label="Evac",
        address="239.9.9.9",
        port=5004,
        senders=("192.0.2.7", "192.0.2.8"),
        srtp_key=Secret(KEY),
        profile="Evacuate",
    )
    assert device.store.current.multicast.sources[0] == evac

    await row(page, "Evac").get_by_label("Edit Evac").click()
    await expect(form.get_by_label("SRTP key")).to_have_value("")
    await form.get_by_label("Latency").select_option("Ultra low")
    await form.get_by_role("button", name="Save").click()
    await expect(row(page, "Evac")).to_contain_text("ultra low latency · encrypted · Evacuate")
    edited = device.store.current.multicast.sources[0]
    assert isinstance(edited, PageSource)
    assert (edited.srtp_key, edited.latency) == (Secret(KEY), "ultra_low")

    await row(page, "Evac").get_by_label("Edit Evac").click()
    await form.get_by_role("button", name="Delete").click()
    await form.get_by_role("button", name="Really delete?").click()
    await expect(row(page, "Evac")).to_have_count(0)
    assert "Evac" not in labels(device)


async def test_desk_phones_are_sources_and_any_is_switched_off(
    page: Page, url: str, device: Device
) -> None:
    await look(page, url)
    form = page.locator("#page-source")

    await page.click("#add-desk-phones")
    await form.get_by_label("Label").fill("Priority")
    await form.get_by_label("Channel").fill("24")
    await form.get_by_role("button", name="Save").click()
    await expect(row(page, "Priority")).to_contain_text("channel 24 · 224.0.1.116:5001")
    await row(page, "Priority").locator(".switch").click()

    await expect(row(page, "Priority").locator(".effect")).to_have_text("off")
    wanted = DeskPhoneSource(label="Priority", channel=24, enabled=False)
    assert device.store.current.multicast.sources[-1] == wanted


async def test_a_session_description_becomes_a_source(page: Page, url: str, device: Device) -> None:
    await look(page, url)
    place, form = page.locator("#page-sdp"), page.locator("#page-source")

    await place.get_by_label("Session description").fill(SDP.replace("239.255.1.1", "192.0.2.1"))
    await place.get_by_role("button").click()
    await expect(place.locator(".error")).to_have_text("192.0.2.1 is no multicast group")
    await place.get_by_label("Session description").fill(SDP)
    await place.get_by_role("button").click()
    await expect(form.get_by_label("Label")).to_have_value("Lobby")
    await form.get_by_role("button", name="Save").click()
    await expect(row(page, "Lobby")).to_be_visible()

    wanted = PageSource(
        label="Lobby", address="239.255.1.1", port=5010, codec="opus", payload_type=97
    )
    assert device.store.current.multicast.sources[-1] == wanted


async def test_the_relay_is_set_and_says_what_it_does(page: Page, url: str, device: Device) -> None:
    await look(page, url)
    form = page.locator("#relay")

    await form.locator("label", has_text="Relay").click()
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator("[data-field=address] .error")).to_contain_text("must be")
    await form.get_by_label("Address").fill("239.7.7.7")
    await form.get_by_role("button", name="Save").click()
    await until(lambda: device.store.current.multicast.relay.address == "239.7.7.7")
    sending = {"state": "sending", "source": "Call in-1", "packets": 1234, "problem": ""}
    device.multicast |= {"relay": sending}

    await expect(page.locator("#relay-words")).to_have_text("Sends Call in-1 · 1,234 packets")
    assert device.store.current.multicast.relay.enabled


async def test_a_change_that_crosses_another_is_said_and_nothing_is_lost(
    page: Page, url: str, device: Device
) -> None:
    await look(page, url)
    await row(page, "Fire").get_by_label("Edit Fire").click()
    form = page.locator("#page-source")
    await form.get_by_label("Port").fill("7000")
    device.store.change_now({"device": {"name": "Hall"}})

    await form.get_by_role("button", name="Save").click()
    await expect(form.locator(".other-error")).to_contain_text("changed meanwhile")
    await form.get_by_role("button", name="Save").click()
    await expect(row(page, "Fire")).to_contain_text("239.1.1.1:7000")


async def test_two_who_edit_at_once_each_change_what_they_have_touched(
    page: Page, url: str, device: Device
) -> None:
    """What another has changed meanwhile stays, in the same source and in the relay."""
    await look(page, url)
    await row(page, "Fire").get_by_label("Edit Fire").click()
    form, relay = page.locator("#page-source"), page.locator("#relay")
    await form.get_by_label("Port").fill("7000")
    await relay.get_by_label("Port").fill("7002")
    moved = msgspec.structs.replace(FIRE, address="239.1.1.9", srtp_key=Secret(KEY[::-1]))
    others = {"sources": (DESKS, MUSIC, moved), "relay": {"address": "239.7.7.7"}}
    device.context.dispatcher.execute(ChangeSettings(patch={"multicast": others}))
    await expect(row(page, "Fire")).to_contain_text("239.1.1.9:5004")

    await form.get_by_role("button", name="Save").click()
    await expect(row(page, "Fire")).to_contain_text("239.1.1.9:7000")
    await relay.get_by_role("button", name="Save").click()
    await until(lambda: device.store.current.multicast.relay.port == 7002)

    multicast = device.store.current.multicast
    assert multicast.sources == (DESKS, MUSIC, msgspec.structs.replace(moved, port=7000))
    assert multicast.relay.address == "239.7.7.7"


async def test_what_another_has_deleted_is_not_silently_there_again(
    page: Page, url: str, device: Device
) -> None:
    await look(page, url)
    await row(page, "Fire").get_by_label("Edit Fire").click()
    form = page.locator("#page-source")
    change = ChangeSettings(patch={"multicast": {"sources": (DESKS,)}})
    device.context.dispatcher.execute(change)
    await expect(row(page, "Fire")).to_have_count(0)

    await form.get_by_role("button", name="Save").click()
    await expect(form.locator(".other-error")).to_contain_text("has been deleted meanwhile")
    assert labels(device) == ["Desks"]
    await form.get_by_role("button", name="Save").click()
    await expect(form.locator("[data-field=srtp_key] .error")).not_to_be_empty()
    await form.get_by_label("SRTP key").fill(KEY)
    await form.get_by_role("button", name="Save").click()
    await expect(row(page, "Fire")).to_be_visible()
    assert device.store.current.multicast.sources == (DESKS, FIRE)


async def test_a_thousand_sources_are_found_and_few_are_drawn(
    page: Page, url: str, device: Device
) -> None:
    many = tuple(
        PageSource(label=f"Room {n}", address=f"239.1.{n // 250}.{n % 250 + 1}", port=5004)
        for n in range(1000)
    )
    device.store.change_now({"multicast": {"sources": many}})
    told = {"label": "Room 900", "state": "active", "sender": "192.0.2.9:1", "level_db": -20.0}
    device.multicast |= {"sources": 1000, "joined": 1000, "told": [told]}
    await look(page, url)
    rows = page.locator("#page-sources li")

    await expect(rows).to_have_count(51)
    await expect(rows.last).to_contain_text("Room 900")
    await page.get_by_label("Find a source").fill("239.1.3.7")
    await expect(row(page, "Room 756")).to_be_visible()
    await row(page, "Room 756").get_by_label("Edit Room 756").click()
    await page.locator("#page-source").get_by_label("Rank").fill("1")
    await page.locator("#page-source").get_by_role("button", name="Save").click()
    await expect(row(page, "Room 756").locator(".rank")).to_have_text("1")
    await page.get_by_label("Find a source").fill("")
    await page.click("#more-page-sources")
    await expect(rows).to_have_count(101)
    assert labels(device)[:3] == ["Room 756", "sip", "stream"]


async def test_a_viewer_looks_and_changes_nothing(page: Page, url: str) -> None:
    await look(page, url, "victor")

    await expect(page.locator("#page-sources button").first).to_be_hidden()
    await expect(page.locator("#add-page-source")).to_be_hidden()
    await expect(page.locator("#page-sdp")).to_be_hidden()
    await expect(page.get_by_label("Receive pages")).to_be_disabled()
    await expect(page.locator("#relay").get_by_label("Address")).to_be_disabled()
    await expect(page.locator("#relay").get_by_role("button", name="Save")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_the_view_fits_a_phone(
    browser: Browser, url: str, device: Device, scheme: str, tmp_path: Path
) -> None:
    told = {"label": "Fire", "state": "active", "sender": "[2001:db8::9]:5004", "level_db": -18.2}
    device.multicast |= {"sources": 3, "joined": 3, "told": [told]}
    page = await browser.new_page(
        viewport={"width": 390, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    await look(page, url)
    await row(page, "Fire").get_by_label("Edit Fire").click()
    await page.locator("#page-source").get_by_text("More").click()

    await page.screenshot(path=tmp_path / f"pages-{scheme}.png", full_page=True)

    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.close()
