"""The manual's examples EXA-02…04, set up on a new device while it runs, with a phone of others."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baresip import Baresip, baresip
from tests.interop.device import Device, device, sipstrobe
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
