"""The manual's worked examples, set up by mouse and keyboard only, on a device that really runs.

Each is triggered from outside, as by its caller, its camera or its broker, and judged by the light
log and the recorded sound. EXA-05 needs no rule: what the camera sends names a profile.

| example | story |
|---|---|
| EXA-01, -06, -07, -09 | inputs: a contact, a camera, a topic, and a clip as the siren |
| EXA-02, -03, -11, -12, -13 | calls |
| EXA-04 | an input interrupts what runs |
| EXA-05 | a camera names a profile |
| EXA-08, -14 | the speaker is calibrated and tested |
| EXA-10 | profiles go to another device |
"""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from pytest_asyncio import fixture

from sipstrobe.lightsiren.chimes import FACTORY_CLIPS, PRE_ANNOUNCEMENT
from tests.browser.conftest import REFUSED
from tests.browser.ui import by_hand as hand
from tests.interop.caller import Dialogue, Wire, status
from tests.interop.device import Device, device, sipstrobe, wait_until
from tests.interop.kamailio import DOMAIN, kamailio
from tests.interop.mosquitto import Witness, mosquitto
from tests.interop.receivers import receivers
from tests.interop.tones import TONE_DB, write_tone
from tests.interop.witness import SILENCE_DB, await_dark_and_silent, await_profile, on_time, seen
from tests.support.hear import level_db, loud_spans, tone_db

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "correct horse battery"
GONG_HERTZ = 900.0
AUDIBLE_DB = -60.0


@fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Device]:
    """A device as it is shipped."""
    made = device(tmp_path_factory.mktemp("house"), demo=False)
    running = await asyncio.to_thread(made.__enter__)
    await asyncio.to_thread(add_owner, running)
    try:
        yield running
    finally:
        await asyncio.to_thread(made.__exit__, None, None, None)


@fixture(scope="module", loop_scope="module")
async def desk(browser: Browser, house: Device) -> AsyncIterator[Page]:
    """Its owner's browser: he has set up what any example needs, and goes on from there."""
    page = await sit_down(browser)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    await hand.enter_new_device(page, f"http://127.0.0.1:{house.http}", PASSWORD)
    await hand.set_up_peer_to_peer(page, "The caller is heard")
    await hand.make_profile(page, "One", "green", 3)
    await hand.make_profile(page, "Two", "amber", 4)
    yield page
    await page.close()
    assert [error for error in errors if not any(one in error for one in REFUSED)] == []


def add_owner(to: Device) -> None:
    """The first administrator; how he is made in the page, `test_first_visit` tells."""
    order = ("account", "add", "admin", "--password-stdin", "--state", to.folder / "state")
    added = sipstrobe(*order, said=PASSWORD + "\n")
    assert added.returncode == 0, added.stderr
    to.password = PASSWORD


async def sit_down(browser: Browser) -> Page:
    page = await browser.new_page(viewport={"width": 1400, "height": 1000}, locale="en")
    page.set_default_timeout(30_000)
    return page


# --- the world outside ----------------------------------------------------------------------------


@contextlib.contextmanager
def call(to: Device, extension: str) -> Generator[tuple[Wire, Dialogue]]:
    """A call that is answered; it is hung up in the end."""
    with Wire(to.port) as wire:
        caller = Dialogue(to.port, wire.own, extension)
        wire.send(caller.invite())
        assert caller.take(wire.final()) == 200
        wire.send(caller.ack())
        yield wire, caller
        wire.send(caller.bye())
        assert status(wire.final()) == 200


def camera(to: Device, path: str, *options: str) -> str:
    """What a camera is answered that has a name and a password."""
    command = [
        "curl",
        "-sS",
        "--fail",
        "--max-time",
        "30",
        "--digest",
        "-u",
        f"admin:{to.password}",
    ]
    url = f"http://127.0.0.1:{to.http}/axis-cgi/{path}"
    done = subprocess.run([*command, *options, url], capture_output=True, check=True, timeout=40)
    return done.stdout.decode()


def contact(to: Device, *, active: bool) -> None:
    """What is wired to port 1."""
    camera(to, f"io/virtualinput.cgi?action=1%3A{'%2F' if active else '%5C'}")


def shown(by: Device) -> list[tuple[str, int]]:
    """Profile and priority of all that runs, what is seen first."""
    return [(one["profile"], one["priority"]) for one in by.operations()]


def level_now(of: Device) -> float:
    """How loud it is at this moment, in dBFS."""
    now = time.monotonic()
    return level_db(of.heard(now - 0.1, now))


def changes(of: Device, since: float) -> list[str]:
    """The profiles that were seen, one after the other; "" is the dark."""
    return [one.profile for one in seen(of.frames, since)]


# --- calls ----------------------------------------------------------------------------------------


async def test_two_phones_and_a_profile_while_they_speak(desk: Page, house: Device) -> None:
    """EXA-13 from phone to phone; EXA-02, by the example that is offered."""
    await hand.begin_rule(desk, "A call runs a profile")
    await hand.choose_profile(desk, "One")
    await hand.save_rules(desk)

    for extension in ("4711", "reception"):
        began = time.monotonic()
        with call(house, extension):
            await_profile(house, "One", began)
        await_dark_and_silent(house, began)
        assert changes(house, began) == ["One", ""]
    await hand.delete_rule(desk, "A call runs a profile")


async def test_each_extension_has_its_profile(desk: Page, house: Device) -> None:
    """EXA-03: four rules of one example, which are saved together."""
    await hand.begin_rule(desk, "Each extension has its profile")
    await hand.save_rules(desk)

    for extension, profile in (("1001", "One"), ("1002", "Two")):
        began = time.monotonic()
        with call(house, extension):
            await_profile(house, profile, began)
        await_dark_and_silent(house, began)
        assert changes(house, began) == [profile, ""]
    for extension, profile in (("1001", "One"), ("1002", "Two")):
        for does in ("starts", "stops"):
            await hand.delete_rule(desk, f"{extension} {does} {profile}")


async def test_a_caller_presses_a_key_and_the_clip_stops(desk: Page, house: Device) -> None:
    """EXA-11."""
    await hand.begin_rule(desk, "Digits stop a clip")
    await hand.save_rules(desk)
    await hand.play_clip(desk, "Ding-dong", often="until stopped")

    def story() -> None:
        with call(house, "1001") as (wire, caller):
            wait_until(lambda: level_now(house) > AUDIBLE_DB, words="the clip in the call")
            wire.send(caller.info("1"))
            assert status(wire.final()) == 200
            wait_until(lambda: level_now(house) < SILENCE_DB, words="silence")

    await asyncio.to_thread(story)
    await expect(desk.get_by_role("button", name="Stop Ding-dong")).to_have_count(0)
    await hand.delete_rule(desk, "Press 1 for silence")


async def test_a_call_is_announced_by_a_tone_and_answered_then(desk: Page, house: Device) -> None:
    """EXA-12: the account leaves it to the rules."""
    await hand.answers_by_itself(desk, "peer-to-peer", by_itself=False)
    await hand.begin_rule(desk, "Answer after a tone")
    await hand.save_rules(desk)

    def story() -> None:
        with Wire(house.port) as wire:
            caller = Dialogue(house.port, wire.own, "1001")
            began = time.monotonic()
            wire.send(caller.invite())
            assert caller.take(wire.final()) == 200
            answered = time.monotonic()
            wire.send(caller.ack())
            wire.send(caller.bye())
            heard = house.heard(began, answered)
            seconds = FACTORY_CLIPS[PRE_ANNOUNCEMENT].sound.seconds
            assert answered - began > seconds
            assert sum(end - start for start, end in loud_spans(heard)) > seconds / 2

    await asyncio.to_thread(on_time, house, story)
    for name in ("A tone as it rings", "Answer after the tone"):
        await hand.delete_rule(desk, name)
    await hand.answers_by_itself(desk, "peer-to-peer", by_itself=True)


async def test_a_pbx_is_registered_with_by_the_assistant(
    desk: Page, house: Device, tmp_path: Path
) -> None:
    """EXA-13, SIP-21; what the assistant has done, it undoes."""
    with kamailio(tmp_path) as pbx:
        data = {"user_id": "u1", "password": "pw-u1", "domain": DOMAIN, "registrar": pbx.place}
        assistant = await hand.set_up_account(desk, **data)
        await expect(assistant.get_by_text("It works.")).to_be_visible()
        assert len(pbx.contacts("u1")) == 1
        await assistant.get_by_role("button", name="Undo").click()
        await expect(assistant).to_have_count(0)
        await asyncio.to_thread(wait_until, lambda: not pbx.contacts("u1"), words="it has left")


# --- inputs ---------------------------------------------------------------------------------------


async def test_an_input_interrupts_what_was_started_by_hand(desk: Page, house: Device) -> None:
    """EXA-04."""
    await hand.begin_rule(desk, "An input overrules what runs")
    await hand.choose_profile(desk, "Two")
    await hand.save_rules(desk)
    began = time.monotonic()
    await hand.start_profile(desk, "One")
    contact(house, active=True)
    wait_until(lambda: shown(house) == [("Two", 4), ("One", 3)], words="Two before One")
    contact(house, active=False)
    wait_until(lambda: shown(house) == [("One", 3)], words="One again")
    await hand.stop_profile(desk, "One")
    await_dark_and_silent(house, began)

    assert changes(house, began) == ["One", "Two", "One", ""]
    await hand.delete_rule(desk, "Input 1 overrules")


async def test_a_camera_names_a_profile_and_no_rule_is_needed(desk: Page, house: Device) -> None:
    """EXA-05: the camera is given what the page shows."""
    url, start, stop = await hand.orders_from_outside(desk, "One")
    assert url == f"http://127.0.0.1:{house.http}/axis-cgi/siren_and_light.cgi"
    for order, seen_then in ((start, "One"), (stop, "")):
        began = time.monotonic()
        camera(house, "siren_and_light.cgi", "-d", order)
        await_profile(house, seen_then, began)


async def test_a_camera_switches_a_virtual_input(desk: Page, house: Device) -> None:
    """EXA-06."""
    await hand.begin_rule(desk, "A camera runs a profile")
    await hand.choose_profile(desk, "One")
    await hand.save_rules(desk)
    began = time.monotonic()
    camera(house, "virtualinput/activate.cgi?schemaversion=1&port=1")
    await_profile(house, "One", began)
    camera(house, "virtualinput/deactivate.cgi?schemaversion=1&port=1")
    await_dark_and_silent(house, began)
    await hand.delete_rule(desk, "A camera runs a profile")


async def test_a_contact_runs_a_profile_whose_siren_is_a_clip(
    desk: Page, house: Device, tmp_path: Path
) -> None:
    """EXA-01 with a contact that is normally closed; EXA-09: the clip is dropped on the page, and
    the rule built of a condition and an action."""
    await hand.set_up_input(desk, 1, name="Fire panel", normally="closed")
    contact(house, active=False)
    await hand.add_clip(desk, write_tone(tmp_path / "Gong.wav", [GONG_HERTZ], 1.0))
    await hand.make_profile(desk, "Gong alarm", "blue", 5, siren="clip:Gong", intensity=5)
    await hand.begin_rule(desk)
    await hand.name_rule(desk, "Gong")
    await hand.choose_condition(desk, 1, "An input is active", port="1 · Fire panel", active="yes")
    await hand.choose_action(
        desk, "Run a profile while the rule is active", profile="Gong alarm", priority="6"
    )
    await hand.save_rules(desk)

    def story() -> None:
        began = time.monotonic()
        contact(house, active=True)
        try:
            lit = await_profile(house, "Gong alarm", began)
            heard = house.heard(lit.at + 0.15, lit.at + 0.45)
        finally:
            contact(house, active=False)
        await_dark_and_silent(house, began)
        assert (lit.priority, lit.colors) == (6, {"blue"})
        assert tone_db(heard, GONG_HERTZ) == pytest.approx(TONE_DB, abs=1.5)

    on_time(house, story)
    await hand.delete_rule(desk, "Gong")


async def test_a_topic_runs_a_profile_while_it_says_on(
    desk: Page, house: Device, tmp_path: Path
) -> None:
    """EXA-07, MQT-14."""
    with mosquitto(tmp_path) as broker:
        doors = Witness(broker.port)
        await hand.connect_to_broker(desk, "127.0.0.1", broker.port)
        await hand.subscribe(desk, "hall/door", true_payload="On")
        await hand.begin_rule(desk, "MQTT runs a profile")
        await hand.choose_profile(desk, "One")
        await hand.save_rules(desk)
        began = time.monotonic()
        doors.say("hall/door", "On", retain=True)  # heard whoever comes first
        await_profile(house, "One", began)
        doors.say("hall/door", "Off")
        await_dark_and_silent(house, began)
        assert changes(house, began) == ["One", ""]
        doors.close()
        await hand.delete_rule(desk, "MQTT runs a profile")
        await hand.leave_broker(desk)


# --- the device -----------------------------------------------------------------------------------


async def test_the_speaker_is_tested_every_day_and_a_mail_tells_that_it_failed(
    desk: Page, house: Device, tmp_path: Path
) -> None:
    """EXA-08, EXA-14: it passes by hand; when the hour comes, it is mute."""
    with receivers(tmp_path) as to:
        await asyncio.to_thread(to.start)
        await hand.calibrate_speaker(desk)
        verdict = await hand.speaker_verdict(desk)
        await verdict.get_by_role("button", name="Test", exact=True).click()
        await expect(verdict).to_contain_text("The last test was passed.")

        await hand.add_mail_recipient(desk, "Office", to="a@office.test", port=to.mail)
        await hand.add_daily_schedule(desk, "Evening", "18:00", "18:01")
        await hand.begin_rule(desk, "Test the speaker every day")
        await hand.choose_trigger(desk, "A schedule is on", schedule="Evening")
        await hand.save_rules(desk)
        await hand.mute_speaker(desk, muted=True)
        await hand.move_schedule(desk, "Evening", "00:00", "23:59")
        await expect((await hand.speaker_verdict(desk)).locator(".audio-broken")).to_be_visible()
        await asyncio.to_thread(wait_until, lambda: bool(to.received("mail")), words="a mail")

        assert to.received("mail") == ["the speaker is muted"]
        await hand.mute_speaker(desk, muted=False)


async def test_profiles_go_to_another_device(
    desk: Page, house: Device, browser: Browser, tmp_path: Path
) -> None:
    """EXA-10: exported in one browser, dropped in the other's."""
    file = tmp_path / "profiles.json"
    assert await hand.export_profiles(desk, ["One", "Two"], file) == ["One", "Two"]
    made = device(tmp_path / "other", sound="null", demo=False)
    other = await asyncio.to_thread(made.__enter__)
    await asyncio.to_thread(add_owner, other)
    page = await sit_down(browser)
    try:
        await hand.enter_new_device(page, f"http://127.0.0.1:{other.http}", PASSWORD)
        await hand.import_profiles(page, file)
        began = time.monotonic()
        await hand.start_profile(page, "Two")
        assert await_profile(other, "Two", began).colors == {"amber"}
    finally:
        await page.close()
        await asyncio.to_thread(made.__exit__, None, None, None)
