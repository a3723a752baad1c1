"""/vapix/call: its two forms, its faults, who may do what, and calls."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from sipstrobe.context import Context
from sipstrobe.events import CallReason, CallStateChanged, CallStatus, Direction
from sipstrobe.web.compat.call import PATH
from sipstrobe.web.compat.call_book import ENDED_MAX, CallBook
from sipstrobe.web.compat.call_form import MAX_FIELDS, Fault, flatten, unflatten
from sipstrobe.web.server import WebServer
from tests.support.call_door import (
    FAILURE,
    NOT_SUPPORTED,
    SENDER_INVALID,
    SENDER_MISSING,
    SENDER_NOT_FOUND,
    Program,
    triple,
)
from tests.support.clock import FakeClock
from tests.support.visitor import Visitor
from tests.support.web import CHEAP, Device, FakeCall, FullDisk


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context)


@pytest.fixture
async def olga(server: WebServer) -> Program:
    """An operator."""
    return await Program.of(server, "olga")


def step(call: str, state: CallStatus, reason: CallReason) -> CallStateChanged:
    return CallStateChanged(
        call=call,
        direction=Direction.OUTGOING,
        account="peer-to-peer",
        local_uri="",
        remote_uri="sip:7@192.0.2.7",
        extension="",
        before=CallStatus.IDLE,
        state=state,
        reason=reason,
    )


# --- the two forms --------------------------------------------------------------------------------


async def test_a_command_is_the_only_member_with_or_without_its_prefix(olga: Program) -> None:
    told = await olga.order("GetServiceCapabilities")
    bare = await olga.send({"GetServiceCapabilities": None})

    names = ("SIP", "DTMF", "AudioCodec", "MediaEncryption", "Certificate", "Attribute")
    assert told == {"Capabilities": dict.fromkeys(names, True)}
    assert msgspec.json.decode(bare.body) == told


async def test_results_are_told_as_lines_to_who_asks_for_them(olga: Program) -> None:
    """Levels are joined by _, strings quoted and encoded as in a URL."""
    lines = await olga.simply("GetSIPAccountStatus", SIPAccountId="sip_account_0")

    assert 'SIPAccountStatus_SIPAccountId="sip_account_0"\n' in lines
    assert "SIPAccountStatus_Status=0\n" in lines
    assert 'SIPAccountStatus_StatusText="SIP+disabled"\n' in lines
    assert "SIPAccountStatus_IsDefault=true\n" in lines


async def test_faults_are_told_as_lines_too(olga: Program) -> None:
    lines = await olga.simply("GetSIPAccount", SIPAccountId="nobody")

    assert lines.splitlines() == [
        'Fault="env%3ASender"',
        'FaultCode="ter%3AInvalidArgVal"',
        'FaultSubCode="ter%3ANotFound"',
        'FaultReason="there+is+no+SIPAccount+%27nobody%27"',
        "FaultMsg=null",
    ]


async def test_lines_are_also_taken_from_a_form(server: WebServer) -> None:
    visitor = Visitor(server)
    await visitor.log_in("olga")
    request = visitor.request("POST", f"{PATH}?format=simple")
    form = b'action=axcall:GetSIPAccount&SIPAccountId="sip_account_0"'

    answer = await server.respond(replace(request, body=form))

    assert b'SIPAccount_UserId="sipstrobe"' in answer.body
    whole = replace(visitor.request("POST", PATH), body=b"format=simple&" + form)
    assert (await server.respond(whole)).body == answer.body


def test_a_tree_is_the_same_after_it_was_told_in_lines() -> None:
    tree = {
        "A": {"Id": "x y", "On": "true", "List": [{"Server": "s"}, {"Server": "t"}], "N": None},
        "B": [str(n) for n in range(12)],
    }

    lines = flatten(tree)

    assert 'A_List_1_Server="t"' in lines
    assert "A_N=null" in lines
    assert unflatten(lines.replace("\n", "&")) == tree


@pytest.mark.parametrize(
    "text",
    [
        "a=1&a=2",
        "a=1&a_b=2",
        "a_b=1&a=2",
        "a__b=1",
        "_=1",
        "=1",
        "_".join("abcdefghi") + "=1",
        "&".join(f"a{n}=1" for n in range(MAX_FIELDS + 1)),
    ],
)
def test_lines_that_make_no_tree_are_refused(text: str) -> None:
    with pytest.raises(Fault) as refused:
        unflatten(text)
    assert refused.value.triple == SENDER_INVALID


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", SENDER_INVALID),
        (b"{", SENDER_INVALID),
        (b"[]", SENDER_INVALID),
        (b"{}", SENDER_INVALID),
        (b"[" * 30_000, SENDER_INVALID),
        (b'{"axcall:Call":{},"axcall:Call2":{}}', SENDER_INVALID),
        (b'{"axcall:Call":[]}', SENDER_INVALID),
        (b'{"axcall:Call":{}}', SENDER_MISSING),
        (b'{"axcall:Call":{"To":7}}', SENDER_INVALID),
        (b'{"axcall:Sing":{}}', NOT_SUPPORTED),
        (b'{"axcall:":{}}', NOT_SUPPORTED),
        (b'{"axcall:GetVMSCallConfiguration":{}}', NOT_SUPPORTED),
        (b'{"axcall:GetSIPAccount":{"SIPAccountId":"\xed\xa0\x80"}}', SENDER_INVALID),
    ],
)
async def test_whatever_is_wrong_is_400_with_a_fault(
    server: WebServer, body: bytes, fault: tuple[str, ...]
) -> None:
    visitor = Visitor(server)
    await visitor.log_in("olga")

    answer = await server.respond(replace(visitor.request("POST", PATH), body=body))

    assert (answer.status, triple(answer)) == (400, fault)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("action=axcall:GetSIPAccounts", SENDER_MISSING),
        ("format=simple", SENDER_MISSING),
        ("format=simple&action=axcall:Sing", NOT_SUPPORTED),
    ],
)
async def test_by_get_there_is_only_the_form_of_lines(
    olga: Program, query: str, fault: tuple[str, ...]
) -> None:
    answer = await olga.fetch(query)

    assert answer.status == 400
    assert fault[1].encode() in answer.body or fault[1].replace(":", "%3A").encode() in answer.body


# --- who may do what ------------------------------------------------------------------------------


async def test_operators_look_and_call_but_administrators_set(
    server: WebServer, device: Device
) -> None:
    """vapix §2.3: whoever is known and may not is asked who he is again."""
    programs = {name: await Program.of(server, name) for name in ("olga", "ada")}
    viewer = Visitor(server)
    await viewer.log_in("victor")
    programs["victor"] = Program(server, viewer)
    change: dict[str, Any] = {"SIPConfiguration": {"SIPEnabled": True}}

    async def status(name: str, command: str, **arguments: object) -> int:
        return (await programs[name].send({f"axcall:{command}": arguments})).status

    assert await status("victor", "GetSIPAccounts") == 401
    assert await status("olga", "GetSIPAccounts") == 200
    assert await status("olga", "Call", To="sip:7@192.0.2.7") == 200
    assert await status("olga", "SetSIPConfiguration", **change) == 401
    assert await status("olga", "RemoveSIPAccount", SIPAccountId="sip_account_0") == 401
    assert not device.store.current.sip.enabled
    assert await status("ada", "SetSIPConfiguration", **change) == 200
    assert device.store.current.sip.enabled


async def test_an_operator_is_challenged_in_lines_as_well(olga: Program, device: Device) -> None:
    answer = await olga.fetch(
        "format=simple&action=axcall:SetSIPConfiguration&SIPConfiguration_SIPEnabled=true"
    )

    assert answer.status == 401
    assert "WWW-Authenticate" in dict(answer.headers)
    assert not device.store.current.sip.enabled


async def test_no_page_leads_a_browser_to_what_changes_something(
    server: WebServer, device: Device
) -> None:
    """A link is followed with the passwords that the browser remembers."""
    browser = Visitor(server)
    await browser.log_in("olga")
    by_get = f"{PATH}?format=simple&action=axcall:"

    called = await server.respond(browser.request("GET", f"{by_get}Call&To=sip:1@x"))
    looked = await server.respond(browser.request("GET", f"{by_get}GetSIPAccounts"))

    assert (called.status, looked.status) == (403, 200)
    assert device.calls == []


async def test_what_could_not_be_stored_has_failed_by_either_way(context: Context) -> None:
    disk = FullDisk()
    device = Device.make(context, in_background=True, files=disk)
    server = WebServer(context, device.store, device.views(), cost=CHEAP)
    ada = await Program.of(server, "ada")
    disk.full = True
    enable = "format=simple&action=axcall:SetSIPConfiguration&SIPConfiguration_SIPEnabled=true"

    posted = await ada.refused("SetSIPConfiguration", SIPConfiguration={"SIPEnabled": True})
    fetched = await ada.fetch(enable)

    assert posted == FAILURE
    assert fetched.status == 400
    assert b"ter%3AFailure" in fetched.body
    disk.full = False
    assert (await ada.fetch(enable)).status == 200
    assert device.store.current.sip.enabled, "an answer is given once it is stored"
    await server.aclose()


# --- calls ----------------------------------------------------------------------------------------


async def test_a_call_is_made_looked_at_and_ended(olga: Program, device: Device) -> None:
    made = await olga.order("Call", To="sip:7@192.0.2.7", SIPAccountId="sip_account_0")
    call = made["CallId"]

    one = (await olga.order("GetCallStatus", CallId=call))["CallStatus"]
    several = await olga.order("GetCallStatuses")

    told = {name: one[name] for name in ("CallId", "CallState", "Direction", "RemoteURI")}
    assert told == {
        "CallId": call,
        "CallState": "Calling",
        "Direction": "Outgoing",
        "RemoteURI": "sip:7@192.0.2.7",
    }
    assert (one["Source"], one["CallType"]) == ("NetworkSpeaker", "SIP")
    assert "StopTime" not in one
    assert several == {"CallStatus": [one]}
    assert await olga.order("TerminateCall", CallId=call) == {}
    assert device.calls == []
    assert await olga.refused("TerminateCall", CallId=call) == SENDER_NOT_FOUND


async def test_a_ringing_call_is_answered_and_gets_digits(olga: Program, device: Device) -> None:
    device.calls.append(FakeCall(state="ringing", account="peer-to-peer", codec="G726-32"))

    ringing = (await olga.order("GetCallStatus", CallId="c1"))["CallStatus"]
    assert await olga.order("AnswerCall", CallId="c1") == {}
    assert await olga.order("SendDTMF", CallId="c1", DTMFSequence="12#") == {}
    active = (await olga.order("GetCallStatus", CallId="c1"))["CallStatus"]

    assert (ringing["CallState"], active["CallState"]) == ("Ringing", "Active")
    assert (active["SIPAccountId"], active["AudioCodec"]) == ("sip_account_0", "G.726-32")
    assert active["DeviceURI"] == "sip:1001@192.0.2.10", "as it was called"
    assert device.digits == [("c1", "12#")]
    assert await olga.refused("SendDTMF", CallId="c1", DTMFSequence="x") == SENDER_INVALID
    assert await olga.refused("AnswerCall", CallId="c1") == FAILURE


@pytest.mark.parametrize(
    ("command", "arguments", "fault"),
    [
        ("Call", {"To": "VMS_CALL"}, NOT_SUPPORTED),
        ("Call", {"To": "sip:1@x", "SIPAccountId": "nobody"}, SENDER_NOT_FOUND),
        ("Call", {"To": "a b"}, SENDER_INVALID),
        ("TerminateCall", {}, SENDER_MISSING),
        ("TerminateCall", {"CallId": "nope"}, SENDER_NOT_FOUND),
        ("AnswerCall", {"CallId": "nope"}, SENDER_NOT_FOUND),
        ("SendDTMF", {"CallId": "nope", "DTMFSequence": "1"}, SENDER_NOT_FOUND),
        ("GetCallStatus", {"CallId": "nope"}, SENDER_NOT_FOUND),
        ("GetCallStatus", {}, SENDER_MISSING),
    ],
)
async def test_what_cannot_be_done_with_calls_is_told_why(
    olga: Program, command: str, arguments: dict[str, object], fault: tuple[str, ...]
) -> None:
    assert await olga.refused(command, **arguments) == fault


async def test_calls_that_others_do_not_have_are_passed_over(olga: Program) -> None:
    assert await olga.order("GetCallStatuses", CallId=["nope"]) == {"CallStatus": []}


async def test_how_a_call_ended_is_told_when_it_is_over(olga: Program, device: Device) -> None:
    """GAP-23: the reason says what became of it, and there is an end."""
    call = (await olga.order("Call", To="sip:7@192.0.2.7"))["CallId"]
    publish = device.context.bus.publish
    publish(step(call, CallStatus.CALLING, CallReason.INITIATED))
    device.calls.clear()
    publish(step(call, CallStatus.TERMINATED, CallReason.NO_ANSWER))

    one = (await olga.order("GetCallStatus", CallId=call))["CallStatus"]

    assert (one["CallState"], one["CallStateReason"]) == ("Terminated", "NoAnswer")
    assert one["StartTime"] <= one["StopTime"]
    assert one["StopTime"].endswith("Z")
    assert one["SIPAccountId"] == "sip_account_0"


def test_only_the_last_of_those_that_ended_are_remembered() -> None:
    clock = FakeClock()
    context = Context(clock)
    book = CallBook(context)
    for n in range(ENDED_MAX + 5):
        context.bus.publish(step(f"out-{n}", CallStatus.CALLING, CallReason.INITIATED))
        clock.advance(2.0)
        context.bus.publish(step(f"out-{n}", CallStatus.TERMINATED, CallReason.BUSY))

    ended = book.ended()

    assert [one.call for one in ended] == [f"out-{n}" for n in range(5, ENDED_MAX + 5)]
    assert book.find("out-0") is None
    assert ended[0].ended is not None
    assert (ended[0].ended - ended[0].began).total_seconds() == 2.0
    book.close()
    context.bus.publish(step("late", CallStatus.CALLING, CallReason.INITIATED))
    assert book.find("late") is None
