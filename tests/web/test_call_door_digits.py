"""/vapix/call: DTMF events, triggers and configurations, which are the sequences of everybody."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sipstrobe.context import Context
from sipstrobe.dtmf.settings import DigitSequence
from sipstrobe.rules.actions import StopClip
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.sip.account import Account
from sipstrobe.web.server import WebServer
from tests.support.call_door import SENDER_INVALID, SENDER_MISSING, SENDER_NOT_FOUND, Program
from tests.support.web import CHEAP, Device

PEERS, PBX, LAB = "dtmf_config_default", "dtmf_config_sip_account_1", "dtmf_config_sip_account_2"
ACCOUNTS = (
    Account(default=True),
    Account(name="PBX", user_id="1", kind="registered", domain="pbx.test"),
    Account(name="Lab", user_id="2", kind="registered", domain="lab.test"),
)


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context, sip={"accounts": ACCOUNTS})


@pytest.fixture
async def ada(device: Device) -> AsyncIterator[Program]:
    """An administrator."""
    server = WebServer(device.context, device.store, device.views(), cost=CHEAP)
    yield await Program.of(server, "ada")
    await server.aclose()


def counting(device: Device) -> dict[str, tuple[str, ...]]:
    """For which accounts each sequence counts; none: for all."""
    return {s.sequence: s.accounts for s in device.store.current.dtmf.sequences}


async def held(ada: Program, name: str) -> list[str]:
    """The triggers of a configuration."""
    told = await ada.order("GetDTMFConfiguration", DTMFConfigurationId=name)
    return told["DTMFConfiguration"]["DTMFTriggerId"]


async def made(ada: Program, sequence: str, name: str = "stop audio") -> str:
    """The id of a new trigger of a new event."""
    event = await ada.order("SetDTMFEvent", DTMFEvent={"Name": name})
    new = {"DTMFSequence": sequence, **event}
    return (await ada.order("SetDTMFTrigger", DTMFTrigger=new))["DTMFTriggerId"]


async def put(ada: Program, name: str, *triggers: str, **more: object) -> None:
    """Have a configuration hold these triggers."""
    values = {"Id": name, "DTMFTriggerId": list(triggers), **more}
    told = await ada.order("SetDTMFConfiguration", DTMFConfiguration=values)
    assert told == {"DTMFConfigurationId": name}


async def test_a_sequence_causes_its_event_once_a_configuration_has_it(
    ada: Program, device: Device
) -> None:
    """DTM-01…03: as the documentation does it, step by step."""
    event = await ada.order("SetDTMFEvent", DTMFEvent={"Name": "stop audio"})
    new = {"DTMFSequence": "1", "DTMFEventId": "dtmf_event_0"}
    trigger = await ada.order("SetDTMFTrigger", DTMFTrigger=new)
    assert (event, trigger) == (
        {"DTMFEventId": "dtmf_event_0"},
        {"DTMFTriggerId": "dtmf_trigger_0"},
    )
    assert counting(device) == {}, "it counts nowhere yet"

    await put(ada, PEERS, "dtmf_trigger_0")

    assert counting(device) == {"1": ("peer-to-peer",)}
    (sequence,) = device.store.current.dtmf.sequences
    assert (sequence.name, sequence.event_id) == ("stop audio", "dtmf_event_0")
    told = (await ada.order("GetDTMFTrigger", DTMFTriggerId="dtmf_trigger_0"))["DTMFTrigger"]
    assert told == {"Id": "dtmf_trigger_0", **new}
    assert await held(ada, PEERS) == ["dtmf_trigger_0"]
    assert await held(ada, PBX) == []


async def test_what_others_have_set_is_told_with_ids_that_stay(
    ada: Program, device: Device
) -> None:
    gate = DigitSequence(sequence="12#", name="Gate")
    horn = DigitSequence(sequence="9", name="Horn", accounts=("PBX",), held=True)
    device.store.change_now({"dtmf": {"sequences": [gate, horn]}})

    events = (await ada.order("GetDTMFEvents"))["DTMFEvent"]
    first, last = (await ada.order("GetDTMFTriggers"))["DTMFTrigger"]
    device.store.change_now({"dtmf": {"sequences": [horn]}})
    (left,) = (await ada.order("GetDTMFTriggers"))["DTMFTrigger"]

    assert events == [{"Id": "Gate", "Name": "Gate"}, {"Id": "Horn", "Name": "Horn"}]
    assert (first["DTMFSequence"], first["DTMFEventId"]) == ("12#", "Gate")
    assert left == last
    assert await held(ada, PBX) == [last["Id"]]
    assert await held(ada, LAB) == []


async def test_one_that_counts_for_all_is_taken_from_one(ada: Program, device: Device) -> None:
    """Without accounts a sequence counts for all, so that the others must be named then."""
    device.store.change_now({"dtmf": {"sequences": [DigitSequence(sequence="1", name="A")]}})
    (trigger,) = await held(ada, LAB)

    await put(ada, LAB)

    assert counting(device) == {"1": ("peer-to-peer", "PBX")}
    assert await held(ada, PEERS) == [trigger] == await held(ada, PBX)
    await put(ada, PBX)
    await put(ada, PEERS)
    assert counting(device) == {}
    told = (await ada.order("GetDTMFTriggers"))["DTMFTrigger"]
    assert [one["DTMFSequence"] for one in told] == ["1"], "it is there still, and counts nowhere"


async def test_a_long_press_stays_one(ada: Program, device: Device) -> None:
    horn = DigitSequence(sequence="9", name="Horn", accounts=("PBX",), held=True)
    device.store.change_now({"dtmf": {"sequences": [horn]}})
    (trigger,) = await held(ada, PBX)

    await put(ada, PBX)
    await put(ada, LAB, trigger)

    (again,) = device.store.current.dtmf.sequences
    assert (again.held, again.accounts) == (True, ("Lab",))


async def test_a_configuration_is_made_and_given_to_accounts(ada: Program, device: Device) -> None:
    """DTM-03…06: with the ways in which digits come."""
    trigger = await made(ada, "5")
    new = {"Name": "Doors", "DTMFTriggerId": [trigger], "RFC2976": False}
    told = await ada.order("SetDTMFConfiguration", DTMFConfiguration=new)
    doors = told["DTMFConfigurationId"]
    assert (doors, counting(device)) == ("dtmf_config_0", {})

    for name in ("sip_account_1", "sip_account_2"):
        given = {"Id": name, "DTMFConfigurationId": doors}
        await ada.order("SetSIPAccount", SIPAccount=given)

    assert counting(device) == {"5": ("PBX", "Lab")}
    _, pbx, lab = device.store.current.sip.accounts
    assert [(a.dtmf_rtp, a.dtmf_info) for a in (pbx, lab)] == [(True, False)] * 2
    told = (await ada.order("GetDTMFConfigurations"))["DTMFConfiguration"]
    assert [one["Id"] for one in told] == [PEERS, doors]
    assert told[1] == {"Id": doors, **new, "RFC2833": True}

    await put(ada, doors, RFC2833=False, RFC2976=True)
    assert counting(device) == {}
    _, pbx, lab = device.store.current.sip.accounts
    assert [(a.dtmf_rtp, a.dtmf_info) for a in (pbx, lab)] == [(False, True)] * 2

    await ada.order("RemoveDTMFConfiguration", DTMFConfigurationId=doors)
    _, pbx, lab = device.store.current.sip.accounts
    assert [(a.dtmf_rtp, a.dtmf_configuration) for a in (pbx, lab)] == [(True, "")] * 2
    account = (await ada.order("GetSIPAccount", SIPAccountId="sip_account_1"))["SIPAccount"]
    assert account["DTMFConfigurationId"] == PBX


async def test_all_accounts_that_are_called_by_address_have_the_same(
    ada: Program, device: Device
) -> None:
    """DTM-03, DTM-06."""
    door = Account(name="Door", user_id="door")
    device.store.change_now({"sip": {"accounts": [*device.store.current.sip.accounts, door]}})
    trigger = await made(ada, "5")
    new = {"DTMFTriggerId": [trigger], "RFC2833": False}
    made_id = (await ada.order("SetDTMFConfiguration", DTMFConfiguration=new))[
        "DTMFConfigurationId"
    ]

    given = {"Id": "sip_account_3", "DTMFConfigurationId": made_id}
    await ada.order("SetSIPAccount", SIPAccount=given)

    first, *_, last = device.store.current.sip.accounts
    assert (first.dtmf_configuration, last.dtmf_configuration) == (made_id, made_id)
    assert (first.dtmf_rtp, last.dtmf_rtp) == (False, False)
    assert counting(device) == {"5": ("peer-to-peer", "Door")}


async def test_what_one_account_by_address_has_all_of_them_have(
    ada: Program, device: Device
) -> None:
    """DTM-03: the page may name one of them, and means all."""
    door = Account(name="Door", user_id="door")
    bell = DigitSequence(sequence="5", name="Bell", accounts=("Door", "PBX"))
    accounts = [*device.store.current.sip.accounts, door]
    device.store.change_now({"sip": {"accounts": accounts}, "dtmf": {"sequences": [bell]}})

    assert len(await held(ada, PEERS)) == 1
    await put(ada, PEERS)

    assert counting(device) == {"5": ("PBX",)}


async def test_a_trigger_is_moved_to_another_event(ada: Program, device: Device) -> None:
    """With its id and the event alone, the sequence stays."""
    trigger = await made(ada, "1")
    await put(ada, PEERS, trigger)
    event = await ada.order("SetDTMFEvent", DTMFEvent={"Name": "start audio"})

    moved = {"DTMFTriggerId": trigger, **event}
    assert await ada.order("SetDTMFTrigger", DTMFTrigger=moved) == {"DTMFTriggerId": trigger}

    (sequence,) = device.store.current.dtmf.sequences
    assert (sequence.sequence, sequence.name) == ("1", "start audio")
    assert sequence.accounts == ("peer-to-peer",)


async def test_an_event_gets_another_name(ada: Program, device: Device) -> None:
    trigger = await made(ada, "1")
    await put(ada, PEERS, trigger)

    await ada.order("SetDTMFEvent", DTMFEvent={"Id": "dtmf_event_0", "Name": "silence"})

    (sequence,) = device.store.current.dtmf.sequences
    assert (sequence.name, sequence.event_id) == ("silence", "dtmf_event_0")
    told = await ada.order("GetDTMFEvent", DTMFEventId="dtmf_event_0")
    assert told == {"DTMFEvent": {"Id": "dtmf_event_0", "Name": "silence"}}


async def test_events_take_their_triggers_with_them_but_not_the_other_way_round(
    ada: Program, device: Device
) -> None:
    kept, gone = await made(ada, "1", "one"), await made(ada, "2", "two")
    await put(ada, PEERS, kept, gone)

    await ada.order("RemoveDTMFTriggers", DTMFTriggerId=[gone, "nobody's"])
    events = (await ada.order("GetDTMFEvents"))["DTMFEvent"]
    assert counting(device) == {"1": ("peer-to-peer",)}
    assert sorted(one["Name"] for one in events) == ["one", "two"]

    await ada.order("RemoveDTMFEvents", DTMFEventId=["dtmf_event_0"])
    assert counting(device) == {}
    assert (await ada.order("GetDTMFTriggers"))["DTMFTrigger"] == []
    assert await held(ada, PEERS) == []
    (left,) = (await ada.order("GetDTMFEvents"))["DTMFEvent"]
    assert left["Name"] == "two"


async def test_an_empty_sequence_is_kept_and_never_pressed(ada: Program, device: Device) -> None:
    trigger = await made(ada, "")
    await put(ada, PEERS, trigger)

    assert counting(device) == {}
    assert await held(ada, PEERS) == [trigger]
    told = {"Id": trigger, "DTMFSequence": "7"}
    await ada.order("SetDTMFTrigger", DTMFTrigger=told)
    await put(ada, PEERS, trigger)
    assert counting(device) == {"7": ("peer-to-peer",)}


@pytest.mark.parametrize(
    ("command", "values", "fault"),
    [
        ("SetDTMFEvent", {"DTMFEvent": {}}, SENDER_MISSING),
        ("SetDTMFEvent", {"DTMFEvent": {"Name": "x" * 65}}, SENDER_INVALID),
        ("SetDTMFTrigger", {"DTMFTrigger": {"DTMFSequence": "1"}}, SENDER_MISSING),
        (
            "SetDTMFTrigger",
            {"DTMFTrigger": {"DTMFSequence": "1", "DTMFEventId": "nobody's"}},
            SENDER_INVALID,
        ),
        (
            "SetDTMFTrigger",
            {"DTMFTrigger": {"DTMFSequence": "99", "DTMFEventId": "Gate"}},
            SENDER_INVALID,
        ),
        (
            "SetDTMFTrigger",
            {"DTMFTrigger": {"DTMFSequence": "7x", "DTMFEventId": "Gate"}},
            SENDER_INVALID,
        ),
        (
            "SetDTMFTrigger",
            {"DTMFTrigger": {"DTMFSequence": "7" * 65, "DTMFEventId": "Gate"}},
            SENDER_INVALID,
        ),
        (
            "SetDTMFConfiguration",
            {"DTMFConfiguration": {"Id": PEERS, "DTMFTriggerId": ["nobody's"]}},
            SENDER_INVALID,
        ),
        ("GetDTMFConfiguration", {"DTMFConfigurationId": "nobody's"}, SENDER_NOT_FOUND),
        ("GetDTMFTrigger", {"DTMFTriggerId": "nobody's"}, SENDER_NOT_FOUND),
        ("RemoveDTMFEvent", {}, SENDER_MISSING),
        ("RemoveDTMFEvent", {"DTMFEventId": "Gate"}, SENDER_INVALID),
    ],
)
async def test_what_cannot_be_is_refused(
    ada: Program, device: Device, command: str, values: Any, fault: tuple[str, ...]
) -> None:
    """GAP-26: a sequence belongs to one trigger. A rule may need an event."""
    gate = DigitSequence(sequence="99", name="Gate")
    when = Condition(event="call/dtmf", match={"name": "Gate"})
    rule = Rule(name="Silence", when=when, action=StopClip())
    device.store.change_now({"dtmf": {"sequences": [gate]}, "rules": [rule]})

    assert await ada.refused(command, **values) == fault
    assert device.store.current.dtmf.sequences == (gate,)


async def test_accounts_take_their_sequences_along(ada: Program, device: Device) -> None:
    """Under another name the same sequences count; what was only for one that is gone does not
    count for all then."""
    trigger = await made(ada, "5")
    await put(ada, PBX, trigger)

    await ada.order("SetSIPAccount", SIPAccount={"Id": "sip_account_1", "Name": "Exchange"})
    assert counting(device) == {"5": ("Exchange",)}
    await ada.order("RemoveSIPAccount", SIPAccountId="sip_account_1")

    assert counting(device) == {}
    told = (await ada.order("GetDTMFConfigurations"))["DTMFConfiguration"]
    assert [one["Id"] for one in told] == [PEERS, LAB]
    assert (await ada.order("GetDTMFTriggers"))["DTMFTrigger"][0]["Id"] == trigger


async def test_without_accounts_by_address_their_configuration_is_told_all_the_same(
    ada: Program,
) -> None:
    await ada.order("SetSIPAccount", SIPAccount={"Id": "sip_account_1", "IsDefault": True})
    await ada.order("RemoveSIPAccount", SIPAccountId="sip_account_0")
    trigger = await made(ada, "5")

    await put(ada, PEERS, trigger)

    assert await held(ada, PEERS) == [trigger]
