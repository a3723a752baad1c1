"""The live page in a real browser: first visit, log-in, what it shows and what it orders."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, WebSocketRoute, expect
from pytest_asyncio import fixture

from sipstrobe.commands import SetMaintenance, StartOperation
from sipstrobe.context import Context
from sipstrobe.events import CallReason, CallStateChanged, CallStatus, Direction, Function
from sipstrobe.rules.actions import HangUp
from sipstrobe.rules.extensions import Extension
from sipstrobe.rules.settings import Condition, Rule
from tests.browser.conftest import log_in
from tests.support.waiting import until
from tests.support.web import PASSWORDS, Device, FakeCall, FakeRecord
from tests.web.conftest import PROFILES

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

LIGHT = '[data-function="SignalingLED"]'
SPEAKER = '[data-function="AudioSpeaker"]'
AUDIO: dict[str, object] = {
    "verdict": "private_address",
    "words": "The other side wants its sound at 10.1.2.3, a private address.",
    "advice": "Switch on ICE.",
    "mos": None,
    "loss": 0.0,
    "discard": 0.0,
    "burst_density": 0.4,
    "burst_ms": 120,
    "round_trip_ms": 23.4,
    "sent": 512,
    "remote_loss": 0.0,
    "remote_mos": 4.1,
    "source": "[2001:db8:0:1234:5678:9abc:def0:1]:40000",
    "encryption": "AEAD_AES_128_GCM",
}
ENDED = CallStateChanged(
    call="in-1",
    direction=Direction.INCOMING,
    account="",
    local_uri="",
    remote_uri="sip:latest@example.net",
    extension="1001",
    before=CallStatus.ACTIVE,
    state=CallStatus.TERMINATED,
    reason=CallReason.TERMINATED,
)


@fixture(loop_scope="module")
async def device(context: Context) -> Device:
    return Device.make(context, in_background=True, profiles=PROFILES)


@fixture(loop_scope="module")
async def url(device: Device) -> AsyncIterator[str]:
    async with device.served() as url:
        yield url


async def level(page: Page, side: int) -> float:
    """How bright a side of the drawing is, 0…1."""
    shown = await page.eval_on_selector(
        f'[data-face="{side}"]', "face => getComputedStyle(face).opacity"
    )
    return float(shown)


async def watched(page: Page, name: str, seconds: float) -> list[str]:
    """This property of the first side of the drawing in every frame for so long."""
    return await page.evaluate(
        """([name, milliseconds]) => new Promise((done) => {
          const style = getComputedStyle(document.querySelector('[data-face="0"]'));
          const seen = [], end = performance.now() + milliseconds;
          const look = () => {
            seen.push(style.getPropertyValue(name));
            performance.now() < end ? requestAnimationFrame(look) : done(seen);
          };
          look();
        })""",
        [name, 1000 * seconds],
    )


async def test_the_first_visitor_creates_the_administrator_and_sees_the_device(
    context: Context, tab: Page, tmp_path: Path
) -> None:
    """GEN-03."""
    device = Device.make(context, users=(), in_background=True, profiles=PROFILES)
    async with device.served() as url:
        await tab.goto(url)
        await expect(tab.locator("#set-up h1")).to_have_text("Welcome")
        await tab.fill("#set-up [name=name]", "ada")
        await tab.fill("#set-up [name=password]", "correct horse battery")
        await tab.fill("#set-up [name=again]", "correct horse bakery")
        await tab.click("#set-up button")
        await expect(tab.locator("#set-up .error")).to_have_text("The two passwords differ.")
        await tab.screenshot(path=tmp_path / "first-visit.png")

        await tab.fill("#set-up [name=again]", "correct horse battery")
        await tab.click("#set-up button")

        await expect(tab.locator("#connection")).to_have_attribute("data-state", "live")
        await expect(tab.locator("#who")).to_have_text("ada · administrator")
        await tab.click("#log-out")
        await expect(tab.locator("#log-in")).to_be_visible()
        await expect(tab.locator("#set-up")).to_be_hidden()
        await tab.goto("about:blank")


async def test_a_wrong_password_is_told_and_the_right_one_opens(page: Page, url: str) -> None:
    await page.goto(url)
    await page.fill("#log-in [name=name]", "olga")
    await page.fill("#log-in [name=password]", "guess")
    await page.click("#log-in button")
    await expect(page.locator("#log-in .error")).to_have_text("the name or the password is wrong")

    await page.fill("#log-in [name=password]", PASSWORDS["olga"])
    await page.click("#log-in button")

    await expect(page.locator("#device")).to_be_visible()
    await expect(page.locator("#dial")).to_have_text("Dial sip:anything@127.0.0.1:5060")


async def test_a_profile_is_started_and_stopped_and_the_light_follows(
    page: Page, url: str, device: Device
) -> None:
    await log_in(page, url)
    await page.click("#profiles li:nth-child(2) button")
    await expect(page.locator(f"{LIGHT} .operation strong")).to_have_text("Rotate")
    await expect(page.locator(f"{LIGHT} .operation .left")).to_have_text("1:00")
    await page.click("#profiles li:first-child button")

    winner = page.locator(f"{LIGHT} li.shown")
    await expect(winner.locator("strong")).to_have_text("Flash 3x")
    await expect(winner.locator(".rank")).to_have_text("9")
    await expect(winner.locator(".profile")).to_have_text("Evacuate")
    await expect(page.locator(f"{LIGHT} .operation")).to_have_count(2)
    await expect(page.locator(f"{SPEAKER} li.shown strong")).to_have_text("Alarm: Horror")
    await expect(page.locator("#shown")).to_have_text("Flash 3x · red")

    await page.click("#profiles li:first-child button")
    await expect(page.locator(f"{LIGHT} li.shown strong")).to_have_text("Rotate")
    await page.click("#stop-all")
    await expect(page.locator(f"{LIGHT} .empty")).to_be_visible()
    assert device.running(Function.SIGNALING_LED) == []


async def test_the_drawing_moves_with_the_light(page: Page, url: str, device: Device) -> None:
    await log_in(page, url)
    assert await level(page, 0) == 0
    steady = StartOperation(
        function=Function.SIGNALING_LED, pattern="Steady", colors=("green",), intensity=5
    )
    device.context.dispatcher.execute(steady)
    await expect(page.locator('[data-face="0"]')).to_have_css("opacity", "1")
    assert [await level(page, side) for side in range(4)] == [1, 1, 1, 1]

    spin = StartOperation(
        function=Function.SIGNALING_LED, pattern="Spin", colors=("red",), intensity=5, priority=5
    )
    device.context.dispatcher.execute(spin)
    seen: set[tuple[float, ...]] = set()
    async with asyncio.timeout(10):
        while len(seen) < 4:
            levels = await page.evaluate(
                "[...document.querySelectorAll('[data-face]')]"
                ".map(face => Number(getComputedStyle(face).opacity))"
            )
            seen.add(tuple(round(one, 1) for one in levels))
    assert any(one.count(1.0) == 1 for one in seen), "one side at a time"


async def test_who_asks_for_less_motion_sees_a_light_that_does_not_flash(
    browser: Browser, url: str, device: Device
) -> None:
    """SAF-01, and prefers-reduced-motion: the picture is steady while the light blinks."""
    page = await browser.new_page(reduced_motion="reduce")
    await log_in(page, url)
    await expect(page.locator(".caution")).to_contain_text("photosensitive epilepsy")
    blink = StartOperation(
        function=Function.SIGNALING_LED, pattern="Blink", colors=("red",), intensity=5, speed=4
    )
    device.context.dispatcher.execute(blink)
    await expect(page.locator('[data-face="0"]')).to_have_css("opacity", "0.7")

    assert len(set(await watched(page, "opacity", 1.0))) == 1

    colors = StartOperation(
        function=Function.SIGNALING_LED, pattern="Alternate", speed=4, intensity=5
    )
    device.context.dispatcher.execute(colors)
    await asyncio.sleep(0.3)
    shown = await watched(page, "--paint", 1.5)
    assert "" not in shown
    changes = sum(one != other for one, other in pairwise(shown))
    assert changes < 5, "nor does a colour that changes five times a second"
    await page.close()


async def test_asking_for_less_motion_does_not_put_out_a_steady_light(
    page: Page, url: str, device: Device
) -> None:
    await log_in(page, url)
    steady = StartOperation(function=Function.SIGNALING_LED, pattern="Steady", intensity=5)
    device.context.dispatcher.execute(steady)
    await expect(page.locator("#shown")).to_have_text("Steady · red")

    await page.click("label:has(#calm)")
    await asyncio.sleep(0.3)

    assert await level(page, 0) > 0.5


async def test_a_colour_that_comes_twice_is_listed_twice_and_stays_so(
    page: Page, url: str, device: Device
) -> None:
    """Red, white, red: one mark for each, however often the state is told."""
    await log_in(page, url)
    colors = ("red", "white", "red")
    order = StartOperation(function=Function.SIGNALING_LED, pattern="Alternate", colors=colors)
    device.context.dispatcher.execute(order)
    marks = page.locator(f"{LIGHT} .operation .swatches i")

    await expect(marks).to_have_count(3)
    await asyncio.sleep(2.2)  # the state has been told twice more
    assert await marks.count() == 3


async def test_calls_are_listed_with_level_and_statistics_and_can_be_ended(
    page: Page, url: str, device: Device
) -> None:
    device.calls += [FakeCall(id="c1"), FakeCall(id="c2", state="ringing", codec="")]
    await log_in(page, url)

    first, second = page.locator("#calls li").nth(0), page.locator("#calls li").nth(1)
    await expect(first.locator("strong")).to_have_text("alice@192.0.2.77")
    await first.locator(".sound summary").click()
    await expect(first.locator(".figures")).to_contain_text("512 packets, 3 lost (0.6 %)")
    await expect(first.locator(".meter")).to_have_attribute("aria-valuenow", "-18")
    await expect(first.locator(".answer")).to_be_hidden()
    device.calls[0].level_db = -6.0
    await expect(first.locator(".meter")).to_have_attribute("aria-valuenow", "-6")

    await second.locator(".answer").click()
    await expect(second.locator(".state")).to_have_text("active")
    await second.locator(".hang-up").click()
    await expect(page.locator("#calls li")).to_have_count(1)


async def test_a_call_that_is_not_heard_says_why_and_what_to_try(
    page: Page, url: str, device: Device
) -> None:
    """The verdict is there at once, the cause one click away."""
    device.calls.append(FakeCall(audio=AUDIO))
    await log_in(page, url)
    sound = page.locator("#calls li .sound")

    await expect(sound.locator("summary b")).to_have_text("Private address")
    await expect(sound).to_have_attribute("data-grade", "bad")
    await expect(sound.locator(".cause")).to_be_hidden()
    await sound.locator("summary").click()

    await expect(sound.locator(".cause")).to_contain_text("10.1.2.3, a private address")
    await expect(sound.locator(".advice")).to_have_text("Switch on ICE.")
    await expect(sound.locator(".figures")).to_contain_text("23 ms")
    device.calls[0].audio = AUDIO | {"verdict": "ok", "words": "", "mos": 4.4}
    await expect(sound.locator("summary b")).to_have_text("Heard")
    await expect(sound.locator(".score")).to_have_text("MOS 4.4")
    await expect(sound.locator(".figures")).to_be_visible()


async def test_a_test_call_is_made_and_hung_up(page: Page, url: str, device: Device) -> None:
    """SAC-15."""
    device.registrations = [{"account": name, "state": "off"} for name in ("PBX", "Peer to peer")]
    await log_in(page, url)
    form = page.locator("#test-call")

    await form.locator("select").select_option("Peer to peer")
    await form.locator("[name=to]").fill("not a number")
    await form.locator("button").click()
    await expect(form.locator(".error")).to_have_text("cannot call 'not a number': a space")
    await form.locator("[name=to]").fill("sip:1001@192.0.2.1")
    await form.locator("button").click()

    call = page.locator("#calls li")
    await expect(call.locator("strong")).to_have_text("1001@192.0.2.1")
    await expect(call.locator(".state")).to_have_text("calling")
    await expect(form.locator(".error")).to_have_text("")
    await call.locator(".hang-up").click()
    await expect(page.locator("#calls li")).to_have_count(0)
    assert device.calls == []


async def test_the_last_calls_are_remembered_page_by_page(
    page: Page, url: str, device: Device
) -> None:
    """GAP-24."""
    device.records += [FakeRecord(id=n, remote_uri=f"sip:{n}@example.net") for n in range(1, 11)]
    device.records[-1].verdict, device.records[-1].mos = "no_rtp_in", None
    device.records[-2].answered, device.records[-2].reason = None, "no_answer"
    await log_in(page, url)
    rows = page.locator("#history li")

    await expect(rows).to_have_count(8)
    await expect(rows.nth(0).locator(".verdict")).to_have_text("No sound comes")
    await expect(rows.nth(1).locator(".verdict")).to_have_text("no answer")
    await expect(rows.nth(2)).to_contain_text("MOS 4.4")
    await page.click("#more-calls")
    await expect(rows).to_have_count(10)
    await expect(page.locator("#more-calls")).to_be_hidden()

    device.records.append(FakeRecord(id=11, remote_uri="sip:latest@example.net"))
    device.context.bus.publish(ENDED)
    await expect(rows.nth(0).locator("strong")).to_have_text("latest@example.net")


async def test_accounts_stand_as_they_stand_those_in_trouble_first(
    page: Page, url: str, device: Device
) -> None:
    """SAC-03, AMB-05."""
    until = "2030-01-01T14:05:00+00:00"
    uri = "sip:1099@pbx.example"
    server = {"kind": "STUN", "server": "stun.example", "milliseconds": 12.0, "problem": ""}
    device.registrations = [
        {"account": "PBX", "state": "registered", "uri": uri, "until": until, "problem": ""},
        {"account": "Backup", "state": "failed", "problem": "The password is wrong (401)."},
    ]
    device.nat = {"public": "203.0.113.9", "servers": [server]}
    await log_in(page, url)
    rows = page.locator("#accounts li")

    await expect(rows.nth(0).locator("strong")).to_have_text("Backup")
    await expect(rows.nth(0)).to_have_attribute("data-grade", "bad")
    await expect(rows.nth(0).locator(".words")).to_have_text("The password is wrong (401).")
    await expect(rows.nth(1).locator(".standing")).to_have_text("Registered")
    await expect(rows.nth(1).locator(".uri")).to_have_text("1099@pbx.example")
    await expect(page.locator("#account-count")).to_have_text("2")
    await expect(page.locator("#listening li")).to_have_count(2)
    await expect(page.locator("#nat")).to_contain_text("Seen from outside as 203.0.113.9")
    await expect(page.locator("#nat li")).to_contain_text("12 ms")


async def test_rules_are_listed_with_who_has_made_them(
    page: Page, url: str, device: Device
) -> None:
    """A role is nothing but the rules it makes, and these are seen."""
    rings = Condition(event="call/state", match={"state": "ringing"})
    own = Rule(name="Loud ringer", conditions=(rings,), action=HangUp())
    device.automation.apply((own,), (Extension(number="2001", role="page"),))
    await log_in(page, url)
    rows = page.locator("#rules li.rule")

    await expect(rows).to_have_count(2)
    await expect(rows.nth(0).locator("summary")).to_have_text("Loud ringer")
    await expect(rows.nth(0).locator(".source")).to_have_text("")
    await expect(rows.nth(1).locator(".source")).to_have_text("by role: extension 2001")
    await rows.nth(0).locator("summary").click()
    await expect(rows.nth(0).locator("ol")).to_contain_text("not all conditions hold")


async def test_events_tell_their_causes(page: Page, url: str, device: Device) -> None:
    await log_in(page, url)

    await page.click(".trigger")

    event = page.locator("#events li.event").first
    await expect(event.locator("summary")).to_have_text("Manual trigger 1 pressed")
    await event.locator("summary").click()
    await expect(event.locator(".chain li").nth(0)).to_contain_text("Press manual trigger 1")
    await expect(event.locator(".chain li").nth(1)).to_contain_text(
        "POST /api/v1/commands/set-manual-trigger by olga from 127.0.0.1"
    )
    await expect(page.locator(".trigger")).to_have_attribute("aria-pressed", "true")


async def test_maintenance_mode_explains_the_silence(page: Page, url: str, device: Device) -> None:
    """MNT-06, MNT-07."""
    device.context.dispatcher.execute(SetMaintenance(active=True, seconds=7200))
    await log_in(page, url)

    await expect(page.locator("#maintenance")).to_contain_text("Maintenance mode is on.")
    await expect(page.locator("#maintenance-left")).to_contain_text("It ends in 1:59:")
    await page.click("#maintenance-off")
    await expect(page.locator("#maintenance")).to_be_hidden()
    assert not device.store.current.maintenance.active


async def test_a_viewer_sees_everything_and_can_press_nothing(page: Page, url: str) -> None:
    await log_in(page, url, "victor")

    await expect(page.locator("#profiles li")).to_have_count(2)
    await expect(page.locator("#profiles button").first).to_be_hidden()
    await expect(page.locator(".trigger")).to_be_disabled()
    await expect(page.locator("#stop-all")).to_be_hidden()
    await expect(page.locator("#test-call")).to_be_hidden()


async def test_a_refused_order_is_told_in_words(page: Page, url: str, device: Device) -> None:
    await log_in(page, url)
    device.store.change_now({"profiles": []})

    await page.click("#profiles li:first-child button")

    await expect(page.locator("#toast")).to_have_text("there is no profile 'Evacuate'")


async def test_the_page_finds_the_device_again_when_it_comes_back(
    tab: Page, context: Context
) -> None:
    device = Device.make(context, in_background=True, profiles=PROFILES)
    async with device.served() as url:
        await log_in(tab, url)
    await expect(tab.locator("#connection")).to_have_attribute("data-state", "lost")
    await tab.goto("about:blank")


async def test_a_device_that_falls_silent_is_looked_for(page: Page, url: str) -> None:
    """As after a loss of power: no connection is closed, and nothing ever comes again."""
    connections: list[WebSocketRoute] = []

    def silent(connection: WebSocketRoute) -> None:
        connections.append(connection)
        connection.send('{"type": "hello", "at": 1.0}')

    await page.route_web_socket("**/api/v1/live", silent)
    await page.clock.install()
    await log_in(page, url)
    assert len(connections) == 1

    for _ in range(8):
        await page.clock.run_for(2000)

    await until(lambda: len(connections) > 1)


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_the_page_fits_a_phone(
    browser: Browser, url: str, device: Device, scheme: str, tmp_path: Path
) -> None:
    device.calls.append(FakeCall(remote_uri="sip:+49301234567890@gateway.example.net", audio=AUDIO))
    device.records.append(FakeRecord(id=1, remote_uri="sip:+49301234567890@gateway.example.net"))
    device.registrations.append({"account": "A name " * 9, "state": "failed", "problem": "x" * 80})
    page = await browser.new_page(
        viewport={"width": 360, "height": 740},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    await log_in(page, url)
    await page.click("#profiles li:first-child button")
    await expect(page.locator(f"{LIGHT} .operation")).to_have_count(1)
    await page.click("#calls .sound summary")
    await expect(page.locator("#history li")).to_have_count(1)

    width = await page.evaluate("document.documentElement.scrollWidth")
    await page.screenshot(path=tmp_path / f"phone-{scheme}.png", full_page=True)

    assert width == 360, "nothing sticks out"
    await page.close()
