"""GEN-02: what the interface does in Chromium it does in Firefox, by the keyboard alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest
from pytest_asyncio import fixture

from sipstrobe.context import Context
from tests.browser.ui.shots import pages
from tests.interop.caller import Dialogue, Wire, status
from tests.interop.device import RATE, Device, device
from tests.interop.tones import write_tone
from tests.support.firefox import Firefox, Tab, firefox
from tests.support.hear import Samples, level_db, tone_db
from tests.support.waiting import PATIENCE
from tests.support.web import Device as MadeUp

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

PASSWORD: Final = "correct horse battery"
VOICE, ROOM = 1000.0, 600.0  # Hz; what the browser's microphone hears, and what the device's does
SPOKEN: Final = 0.3  # seconds
PIECE: Final = RATE // 100  # samples
AUDIBLE_DB, SILENCE_DB = -50.0, -70.0

LOG_IN: Final = """(password) => fetch("/api/v1/login", {
    method: "POST", headers: {"Content-Type": "application/json"},
    body: JSON.stringify({name: "admin", password}),
}).then((answer) => answer.status)"""
OPENED: Final = """(path) =>
    document.querySelector(`main[data-page="${path}"] h1`)?.checkVisibility() === true
    && !document.querySelector("main .loading")"""
SIDES: Final = """() => [...document.querySelectorAll(".overview-stage [data-face]")]
    .map((face) => getComputedStyle(face).opacity).join(" ") """
DARK: Final = f'{SIDES} === "0 0 0 0"'
LIT: Final = f'{SIDES} !== "0 0 0 0"'
KEEP_LINES: Final = """() => {
    window.lines = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(...given) { super(...given); window.lines.push(this); }
    };
}"""
FLOWS: Final = """async () => [...(await window.lines.at(-1).getStats()).values()]
    .some(({ type, packetsReceived }) => type === "inbound-rtp" && packetsReceived > 20)"""


@fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Firefox]:
    async with firefox(tmp_path_factory.mktemp("firefox")) as browser:
        yield browser


@fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Device]:
    """A device that really runs, with a microphone before which somebody whistles."""
    folder = tmp_path_factory.mktemp("house")
    whistle = write_tone(folder / "whistle.wav", [ROOM], seconds=10.0, rate=16_000)
    microphone = ("--set", f"/audio/microphone/input=wav:{whistle}")
    made = device(folder / "device", *microphone)
    running = await asyncio.to_thread(made.__enter__)
    try:
        yield running
    finally:
        await asyncio.to_thread(made.__exit__, None, None, None)


@fixture(loop_scope="module")
async def tab(browser: Firefox) -> AsyncIterator[Tab]:
    """A page whose errors and violated policies fail the test."""
    async with browser.tab() as tab:
        yield tab
        await tab.goto("about:blank")
        assert tab.errors == []


@fixture(loop_scope="module")
async def desk(tab: Tab, house: Device) -> Tab:
    """The overview of the house, opened as its administrator."""
    url = f"http://127.0.0.1:{house.http}/"
    await tab.goto(url)
    assert await tab.run(LOG_IN, house.password) == 200
    await tab.goto(url)
    await tab.shows(".connection", "Live")
    return tab


async def go(tab: Tab, place: str) -> None:
    await tab.run("(place) => { location.hash = place }", place)
    await tab.until(OPENED, place)


async def open_page(tab: Tab, name: str) -> None:
    await activate(tab, name)
    await tab.shows("main h1", name)


async def activate(tab: Tab, name: str) -> None:
    """Go to a button or a link, and press it."""
    await tab.reach(name)
    await tab.press("Enter")


async def write(tab: Tab, label: str, text: str) -> None:
    """Into a field; of a choice, the first letters choose."""
    await tab.reach(label)
    await tab.press(*text)


async def test_the_first_visitor_creates_the_administrator(tab: Tab, context: Context) -> None:
    """GEN-03: the fields come one after the other."""
    made_up = MadeUp.make(context, users=(), in_background=True)
    async with made_up.served() as url:
        await tab.goto(url)
        await tab.shows("h1", "Welcome")
        await write(tab, "Password", PASSWORD)
        await write(tab, "Password, again", PASSWORD)
        await tab.reach("I accept the licence")
        await tab.press("Space")
        await activate(tab, "Create administrator")

        await tab.shows(".connection", "Live")
        await tab.shows(".bar-user", "admin administrator")
        await tab.goto("about:blank")


async def test_every_page_opens(desk: Tab) -> None:
    """None has an error to tell, and the log is live from the first byte of it on."""
    for path in pages():
        await go(desk, path)
    await go(desk, "/log")
    await desk.shows(".log-following", "Live")


async def test_a_profile_is_made_and_runs_while_somebody_calls(desk: Tab, house: Device) -> None:
    """EXA-02, seen in the light that lives on the page."""
    await open_page(desk, "Profiles")
    await activate(desk, "New profile")
    await write(desk, "Name", "Called")
    await write(desk, "Pattern", "Steady")
    await activate(desk, "Save")
    await desk.shows('[data-profile="Called"]', "Steady")
    await open_page(desk, "Rules")
    await activate(desk, "Add rule")
    await activate(desk, "A call runs a profile")
    await write(desk, "Profile", "Called")
    await activate(desk, "Save")
    await desk.shows("main", "run the profile “Called”")
    await open_page(desk, "Overview")
    await desk.until(DARK)

    with Wire(house.port) as wire:
        caller = Dialogue(house.port, wire.own, "4711")
        wire.send(caller.invite())
        assert caller.take(await asyncio.to_thread(wire.final)) == 200
        wire.send(caller.ack())
        await desk.until(LIT)
        await desk.shows(".overview-shown", "Steady")
        wire.send(caller.bye())
        assert status(await asyncio.to_thread(wire.final)) == 200
        await desk.until(DARK)


async def test_a_voice_is_heard_and_the_room_as_well(desk: Tab, house: Device) -> None:
    """As long as the space bar is held; offers of Firefox say more than those of Chromium."""
    await desk.run(KEEP_LINES)
    began = time.monotonic()
    await desk.reach("Hold to talk")
    await desk.hold("Space")
    await until_heard(house, began, lambda sound: voice(sound) > SPOKEN)
    await desk.let_go("Space")
    await until_heard(house, began, lambda sound: level_db(sound[-RATE // 10 :]) < SILENCE_DB)
    assert not any(await listeners(house))

    await desk.reach("Hear the room")
    await desk.press("Space")
    await desk.until(FLOWS)
    assert await listeners(house) == [True]


async def listeners(house: Device) -> list[bool]:
    """Of all who are connected, whether they hear the room."""
    return [one["listening"] for one in (await asyncio.to_thread(house.status))["talk"]]


def voice(sound: Samples) -> float:
    """For how many seconds the tone of the browser's microphone is heard, and nothing else."""
    pieces = sound[: sound.size // PIECE * PIECE].reshape(-1, PIECE)
    loud = [piece for piece in pieces if level_db(piece) > AUDIBLE_DB]
    return PIECE / RATE * sum(tone_db(one, VOICE) > level_db(one) - 1 for one in loud)


async def until_heard(house: Device, since: float, what: Callable[[Samples], bool]) -> None:
    """Wait until what has been played since an instant is so."""
    async with asyncio.timeout(PATIENCE):
        while not what(await asyncio.to_thread(house.heard, since, time.monotonic())):
            pass  # hearing takes its time
