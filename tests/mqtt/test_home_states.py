"""What a home sees: of several calls, of many accounts in trouble, of ports, and of the pace."""

import json

import pytest

from sipstrobe.events import (
    CallState,
    CallStatus,
    ClipPlaying,
    Direction,
    Event,
    InputPortChanged,
    LineState,
    MaintenanceChanged,
    OutputPortChanged,
    PageState,
    PageStateChanged,
    RegistrationChanged,
    RegistrationState,
    VirtualInputChanged,
)
from sipstrobe.mqtt.discovery import Thing
from sipstrobe.mqtt.home import HomeSettings, Topics, announced
from sipstrobe.mqtt.home_states import RANKS, TEXT_MAX, TOLD_MAX, happened, last_caller, states
from sipstrobe.mqtt.pace import Bucket
from sipstrobe.mqtt.settings import MqttSettings, Notice

THING = Thing(
    serial="AC0123456789",
    name="Hall",
    version="1",
    topics=Topics("hall"),
    availability={},
    commands=True,
    inputs={1: "Door"},
    outputs={2: "Barrier"},
    virtual_inputs={7: "Night", 8: "Day"},
)


def seen(topic: str, *facts: Event) -> str:
    return states(THING, facts)[f"hall/state/{topic}"].decode()


def call(name: str, state: CallStatus) -> CallState:
    return CallState(
        call=name,
        state=state,
        direction=Direction.OUTGOING,
        account="a",
        local_uri="sip:me@here",
        remote_uri=f"sip:{name}@there",
        extension="",
    )


def account(name: str, state: RegistrationState) -> RegistrationChanged:
    return RegistrationChanged(
        account=name, state=state, server="s", uri="", code=403, words="Forbidden", until=""
    )


def test_nothing_to_report_is_a_state_too() -> None:
    told = json.loads(seen("call"))

    assert told == {"state": "idle", "active": False, "ringing": False, "calls": 0}
    assert seen("clip") == "None"
    assert {seen(t) for t in ("speaker", "page", "maintenance", "input/1")} == {"OFF"}


def test_of_several_calls_the_one_that_has_come_furthest_is_told() -> None:
    calls = [call("b", CallStatus.RINGING), call("c", CallStatus.ACTIVE), call("d", RANKS[0])]

    told = json.loads(seen("call", *calls))

    assert (told["state"], told["remote_uri"], told["calls"]) == ("active", "sip:c@there", 3)
    assert told["ringing"]
    assert set(RANKS) == set(CallStatus)


def test_accounts_in_trouble_are_named_up_to_a_bound() -> None:
    good = [account("good", RegistrationState.REGISTERED)]
    bad = [account(f"bad {n}", RegistrationState.GIVEN_UP) for n in range(TOLD_MAX + 1)]

    told = json.loads(seen("registrations", *good, *bad))

    assert (told["registered"], told["accounts"]) == (1, TOLD_MAX + 2)
    assert list(told["failed"]) == [f"bad {n}" for n in range(TOLD_MAX)]


def test_ports_pages_and_clips_are_seen() -> None:
    facts = (
        InputPortChanged(port=1, active=True, state=LineState.CLOSED, supervised=False),
        OutputPortChanged(port=2, active=True),
        VirtualInputChanged(input=7, active=True),
        PageStateChanged(page="Fire", state=PageState.ACTIVE, sender="x"),
        MaintenanceChanged(active=True),
    )

    on = {t for t in states(THING, facts) if states(THING, facts)[t] == b"ON"}

    names = ("input/1", "output/2", "virtual_input/7", "page", "maintenance")
    assert on == {f"hall/state/{name}" for name in names}
    assert seen("clip", ClipPlaying(clip="Gong", playing=True)) == "Gong"


def test_what_happens_names_its_kind() -> None:
    assert json.loads(happened("5", call="c")) == {"event_type": "5", "call": "c"}
    assert len(last_caller("sip:" + "x" * 999)) == TEXT_MAX


# --- the connection's own messages, and the pace -------------------------------------------------


def test_with_discovery_the_messages_that_nobody_has_set_are_the_default_ones() -> None:
    mine = Notice(send=True, use_default=False, topic="t", payload="gone")
    mqtt = MqttSettings(last_will=mine)

    told = announced(mqtt, HomeSettings(discovery=True))

    assert told.last_will == mine
    assert told.connect_message == told.disconnect_message == Notice(send=True)
    assert announced(mqtt, HomeSettings(commands=True)) is mqtt


@pytest.mark.parametrize(
    ("instants", "taken"),
    [
        ([0.0] * 5, 3),  # so many at once
        ([0.0, 0.0, 0.0, 0.5, 0.5, 1.0], 5),  # then two a second
        ([0.0, 0.0, 0.0, 100.0, 100.0, 100.0, 100.0], 6),  # and never more at once
    ],
)
def test_a_measure_empties_by_itself(instants: list[float], taken: int) -> None:
    bucket = Bucket(2.0, 3.0)

    assert sum(bucket.take(now=at) for at in instants) == taken
