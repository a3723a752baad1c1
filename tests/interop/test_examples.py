"""The manual's fourteen worked examples, set up on a new device while it runs, with real parts.

| example | story |
|---|---|
| EXA-01, -06 | `test_inputs`: an input that is normally closed; a camera switches a virtual input |
| EXA-02, -03, -04 | here: calls; extensions; an input interrupts and the lower priority returns |
| EXA-05 | here: a camera (curl) posts to the light-and-siren URL |
| EXA-07 | here: a topic of a broker (mosquitto) says On and Off |
| EXA-08, -14 | here: the speaker is calibrated and tested; a daily test that fails is mailed |
| EXA-09, -11, -12 | `test_sound_rules`: a clip as siren; a key that stops one; announced calls |
| EXA-10 | here: profiles go to another device |
| EXA-13 | here: from phone to phone, and with a PBX (Kamailio) |
"""

import json
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.interop.baresip import Baresip, baresip
from tests.interop.device import Device, device, sipstrobe, wait_until
from tests.interop.kamailio import DOMAIN, kamailio, registered_until
from tests.interop.mosquitto import mosquitto
from tests.interop.receivers import receivers
from tests.interop.witness import await_dark_and_silent, await_profile, seen

pytestmark = pytest.mark.interop

PASSWORD = "correct horse battery"
Rule = dict[str, Any]


def profile(name: str, color: str, priority: int) -> dict[str, Any]:
    return {
        "name": name,
        "light": {"pattern": "Steady", "colors": [color], "priority": priority},
        "siren": {"pattern": "Siren: Alternate", "priority": priority},
    }


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """A device as it is shipped, which its owner sets up by the command line as it runs."""
    with device(tmp_path_factory.mktemp("new"), demo=False) as running:
        state = running.folder / "state"
        added = sipstrobe(
            *("account", "add", "admin", "--password-stdin", "--state", state), said=PASSWORD + "\n"
        )
        assert added.returncode == 0, added.stderr
        running.password = PASSWORD
        running.set("/maintenance", {"active": False, "until": None})
        running.set("/sip/allow_incoming", True)
        running.set("/sip/enabled", True)
        running.set("/profiles", [profile("One", "green", 3), profile("Two", "amber", 4)])
        yield running


@pytest.fixture
def phone(bare: Device, silence: Path, tmp_path: Path) -> Iterator[Baresip]:
    with baresip(tmp_path, source=silence) as running:
        yield running
    bare.wait_idle()


def test_exa_02_an_active_call_runs_a_profile(bare: Device, phone: Baresip) -> None:
    """Whatever is dialled: while a call is active, the profile runs."""
    bare.set("/rules", [while_a_call_is_active("One")])
    for extension in ("4711", "reception"):
        began = time.monotonic()
        phone.dial(bare.uri(extension))
        await_profile(bare, "One", began)
        phone.hang_up()
        await_dark_and_silent(bare, began)


def while_a_call_is_active(name: str) -> Rule:
    return {
        "name": "a call is active",
        "conditions": [{"event": "call/state", "match": {"state": "active"}}],
        "action": {"do": "run_profile", "profile": name},
    }


def test_exa_03_two_extensions_two_profiles(bare: Device, phone: Baresip) -> None:
    """A call to an extension starts its profile as it is accepted, and stops it as it ends."""
    bare.set("/rules", begins_and_ends("1001", "One") + begins_and_ends("1002", "Two"))
    for extension, wanted in (("1001", "One"), ("1002", "Two")):
        began = time.monotonic()
        phone.dial(bare.uri(extension))
        await_profile(bare, wanted, began)
        phone.hang_up()
        await_dark_and_silent(bare, began)
        assert [s.profile for s in seen(bare.frames, began)] == [wanted, ""]


def begins_and_ends(extension: str, name: str) -> list[Rule]:
    address = f"sip:{extension}@127.0.0.1"

    def rule(words: str, match: dict[str, str], action: str) -> Rule:
        when = {"event": "call/state_change", "match": {"local_uri": address, **match}}
        return {
            "name": f"a call to {extension} {words}",
            "when": when,
            "action": {"do": action, "profile": name},
        }

    return [
        rule("begins", {"reason": "accepted_by_device"}, "start_profile"),
        rule("ends", {"reason": "terminated"}, "stop_profile"),
    ]


def test_exa_04_an_input_interrupts(bare: Device) -> None:
    """What runs by hand at priority 3 makes room for priority 4, and returns on release."""
    bare.set(
        "/rules",
        [
            {
                "name": "the trigger is set",
                "conditions": [
                    {
                        "event": "input/manual_trigger",
                        "match": {"trigger": "1", "active": "true"},
                    }
                ],
                "action": {"do": "run_profile", "profile": "Two"},
            }
        ],
    )
    began = time.monotonic()
    bare.command("start-profile", profile="One")
    bare.command("set-manual-trigger", trigger=1, active=True)
    assert [(o["profile"], o["shown"]) for o in bare.operations()] == [
        ("Two", True),
        ("One", False),
    ]
    why = bare.operations()[0]["why"]
    bare.command("set-manual-trigger", trigger=1, active=False)
    assert [o["profile"] for o in bare.operations()] == ["One"]
    bare.command("stop-profile", profile="One")
    await_dark_and_silent(bare, began)

    assert [s.profile for s in seen(bare.frames, began)] == ["One", "Two", "One", ""]
    # "Why is the light on?", walked back to the request that set the trigger.
    assert [link["name"] for link in why] == [
        "start-profile",
        "the trigger is set",
        "input/manual_trigger",
        "set-manual-trigger",
        "http",
    ]


def test_exa_05_a_camera_posts_to_the_light_and_siren_url(bare: Device) -> None:
    """What a camera's notification sends as its own event begins and ends: a profile's name."""
    began = time.monotonic()
    for name in ("One", "Two"):
        started = camera(bare, "start", profile=name)
        assert started == {"sirenId": started["sirenId"], "lightId": started["lightId"]}
        await_profile(bare, name, began)
        assert bare.operations()[0]["why"][-1]["name"] == "http"
        assert camera(bare, "stop", profile=name) == {}
        await_dark_and_silent(bare, began)

    assert [s.profile for s in seen(bare.frames, began)] == ["One", "", "Two", ""]


def camera(at: Device, method: str, *options: str, **params: object) -> Any:
    """What a camera is told that sends JSON, with its name and password; options: in a form."""
    body = json.dumps({"apiVersion": "1.0", "method": method, "params": params})
    sends = (*("-F", f"request={body}"), *options) if options else ("-d", body)
    done = subprocess.run(
        [
            *("curl", "-sS", "--fail", "--max-time", "30", "--digest"),
            *("-u", f"admin:{at.password}", *sends),
            f"http://127.0.0.1:{at.http}/axis-cgi/siren_and_light.cgi",
        ],
        capture_output=True,
        check=True,
        timeout=40,
    )
    return json.loads(done.stdout)["data"]


def test_exa_07_a_topic_runs_a_profile_while_it_says_on(bare: Device, tmp_path: Path) -> None:
    """A stateful subscription, MQT-14; AMB-16: whatever is not On means that it is over."""
    doors = Client(CallbackAPIVersion.VERSION2)
    with mosquitto(tmp_path / "broker") as broker:
        subscription = {"filter": "hall/door", "kind": "stateful", "true_payload": "On"}
        bare.set(
            "/mqtt",
            {
                "active": True,
                "host": "127.0.0.1",
                "port": broker.port,
                "subscriptions": [subscription],
            },
        )
        state = {"event": "mqtt/state", "match": {"filter": "hall/door", "active": "true"}}
        rule = {
            "name": "the door is open",
            "conditions": [state],
            "action": {"do": "run_profile", "profile": "One"},
        }
        bare.set("/rules", [rule])
        doors.connect("127.0.0.1", broker.port)
        doors.loop_start()
        began = time.monotonic()
        try:
            doors.publish("hall/door", "On", qos=1, retain=True)  # heard whoever comes first
            await_profile(bare, "One", began)
            why = [link["name"] for link in bare.operations()[0]["why"]]
            assert why == ["start-profile", "the door is open", "mqtt/state", "mqtt"]
            for over in ("Off", "on"):
                doors.publish("hall/door", over, qos=1)
                wait_until(lambda: not bare.operations(), words=f"{over} ends it")
                doors.publish("hall/door", "On", qos=1)
                wait_until(lambda: bool(bare.operations()), words="On begins it")
        finally:
            doors.disconnect()
            doors.loop_stop()
    bare.set("/mqtt", {})
    wait_until(lambda: not bare.operations(), words="nobody says On any more")
    bare.set("/rules", [])


def test_exa_10_profiles_go_to_another_device(
    bare: Device, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """PRF-10, PRF-11, GAP-11: exported as a file, and imported there in each of the three ways."""
    exported = camera(bare, "getProfiles")["profiles"]
    assert [profile["name"] for profile in exported] == ["One", "Two"]
    file = tmp_path / "profiles.json"

    def take(at: Device, mode: str) -> list[str]:
        camera(at, "uploadProfiles", "-F", f"file=@{file}", uploadMode=mode)
        return [profile["name"] for profile in camera(at, "getProfiles")["profiles"]]

    with device(tmp_path_factory.mktemp("other"), sound="null") as other:
        own = [profile["name"] for profile in camera(other, "getProfiles")["profiles"]]
        file.write_text(json.dumps(exported))
        assert take(other, "add") == [*own, "One", "Two"]
        exported[0]["light"]["colors"] = ["blue"]
        file.write_text(json.dumps(exported[:1]))
        assert take(other, "overwrite") == [*own, "Two", "One"]

        began = time.monotonic()
        camera(other, "start", profile="One")
        assert await_profile(other, "One", began).colors == {"blue"}
        camera(other, "stop", profile="One")
        file.write_text(json.dumps(exported))
        other.set("/rules", [])  # what a rule runs is not erased
        assert take(other, "erase_and_add") == ["One", "Two"]
        assert camera(other, "getProfiles")["profiles"] == exported


def test_exa_13_from_phone_to_phone_and_with_a_pbx(
    bare: Device, phone: Baresip, silence: Path, tmp_path: Path
) -> None:
    """SIP-20, SIP-21: between two, addresses are enough; at a PBX, it takes an account."""
    bare.set("/rules", [while_a_call_is_active("One")])
    began = time.monotonic()
    phone.dial(bare.uri("hall"))
    await_profile(bare, "One", began)
    phone.hang_up()
    await_dark_and_silent(bare, began)
    bare.command("dial", uri=phone.uri)
    phone.wait_for("CALL_ESTABLISHED")
    phone.hang_up()
    bare.wait_idle()

    with (
        kamailio(tmp_path / "pbx") as pbx,
        baresip(tmp_path / "desk", source=silence, registrar=pbx.place) as desk,
    ):
        account = {
            "name": "Hall",
            "kind": "registered",
            "user_id": "u1",
            "password": "pw-u1",
            "domain": DOMAIN,
            "registrar": pbx.place,
        }
        bare.set("/sip/accounts/-", account)
        registered_until(pbx, "u1")
        registered_until(pbx, "tester")
        began = time.monotonic()
        desk.dial(f"sip:u1@{DOMAIN}")
        await_profile(bare, "One", began)
        desk.hang_up()
        await_dark_and_silent(bare, began)

        bare.command("dial", uri=f"sip:tester@{DOMAIN}", account="Hall")
        desk.wait_for("CALL_ESTABLISHED")
        bare.command("hang-up")
        desk.wait_for("CALL_CLOSED")
        bare.wait_idle()
        bare.set("/sip/accounts", [])
        wait_until(lambda: not pbx.contacts("u1"), words="it has taken its leave")


@pytest.mark.slow
def test_exa_08_and_14_the_speaker_is_calibrated_and_tested_each_day(
    bare: Device, tmp_path: Path
) -> None:
    """SPT-01, -02, -05, SCH-01, RCP-10: by hand it passes; in the evening it fails, and is told."""
    with receivers(tmp_path) as to:
        to.start()
        people: dict[str, Any] = {"kind": "mail", "name": "Office", "to": ["a@office.test"]}
        server = {"server": "127.0.0.1", "port": to.mail, "encryption": "none"}
        bare.set("/recipients", [people | {"sender": "b@hall.test"} | server])
        bare.set("/rules", [*the_outcome_is_mailed("true"), *the_outcome_is_mailed("false")])

        bare.command("calibrate-speaker")
        wait_until(
            lambda: bare.status()["speaker_test"]["calibrated"], words="calibrated", look=0.1
        )
        bare.command("run-speaker-test")
        wait_until(lambda: bool(to.received("mail")), words="the first mail", look=0.1)
        assert to.received("mail") == ["true: the test of the speaker has passed"]

        bare.command("set-volume", muted=True)
        now = datetime.now()  # noqa: DTZ005  the device's own time
        evening = {"event": "schedule/interval", "match": {"schedule": "Evening", "active": "true"}}
        test = {"name": "daily", "when": evening, "action": {"do": "run_speaker_test"}}
        bare.set("/schedules", [{"name": "Evening", "text": daily(now + timedelta(hours=12))}])
        bare.set("/rules/-", test)
        bare.set("/schedules/0/text", daily(now + timedelta(seconds=2)))
        wait_until(lambda: len(to.received("mail")) == 2, words="the second mail", look=0.1)
        assert to.received("mail")[-1] == "false: the speaker is muted"
        [result, _] = bare.api("GET", "outbox")["results"]
        why = [link["name"] for link in result["why"]]
        assert {"device/speaker_test", "daily", "schedule/interval"} <= set(why)

        bare.command("set-volume", muted=False)
        bare.set("/rules", [])
        bare.set("/schedules", [])


def daily(start: datetime) -> str:
    """For a minute each day, as 18:00–18:01."""
    return f"DTSTART:{start:%Y%m%dT%H%M%S} DURATION:PT1M RRULE:FREQ=DAILY"


def the_outcome_is_mailed(passed: str) -> list[Rule]:
    match = {"test": "test", "passed": passed}
    action = {"do": "send_mail", "recipient": "Office", "body": f"{passed}: {{event.words}}"}
    when = {"event": "device/speaker_test", "match": match}
    return [{"name": f"passed is {passed}", "when": when, "action": action}]


def test_a_rule_is_taken_away_in_a_call(bare: Device, phone: Baresip) -> None:
    """No setting needs a restart: with its rule the profile ends, and the call goes on."""
    bare.set("/rules", [while_a_call_is_active("One")])
    began = time.monotonic()
    phone.dial(bare.uri("1001"))
    await_profile(bare, "One", began)
    bare.set("/rules", [])
    await_dark_and_silent(bare, began)
    assert [call["state"] for call in bare.calls] == ["active"]
    phone.hang_up()
