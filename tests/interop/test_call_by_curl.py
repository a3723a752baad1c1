"""/vapix/call as scripts use it: curl makes accounts, sequences and calls, baresip is the phone."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.baresip import baresip
from tests.interop.device import Device, device, wait_until
from tests.interop.live import events_so_far

pytestmark = pytest.mark.interop

PEER = "sip_account_0"


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    with device(tmp_path_factory.mktemp("calls"), sound="null", light=False) as running:
        yield running


def curl(running: Device, *arguments: str) -> str:
    """What is answered. Without a word about its type, a body goes as that of a form."""
    who = ("--digest", "-u", f"admin:{running.password}")
    url = f"http://127.0.0.1:{running.http}/vapix/call"
    command = ["curl", "-s", "--max-time", "30", *who, *arguments[:-1], url + arguments[-1]]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=40)
    return done.stdout


def order(running: Device, command: str, **arguments: object) -> Any:
    return json.loads(curl(running, "-d", json.dumps({f"axcall:{command}": arguments}), ""))


def state(running: Device, call: str) -> str:
    return str(order(running, "GetCallStatus", CallId=call)["CallStatus"]["CallState"])


def test_a_phone_is_called_gets_digits_and_is_hung_up(
    speaker: Device, silence: Path, tmp_path: Path
) -> None:
    """SAC-15, GAP-23, RFC 4733."""
    with baresip(tmp_path, source=silence) as phone:
        call = order(speaker, "Call", To=phone.uri, SIPAccountId=PEER)["CallId"]
        wait_until(lambda: state(speaker, call) == "Active", words="a call", look=0.05)

        assert order(speaker, "SendDTMF", CallId=call, DTMFSequence="12#") == {}
        wait_until(lambda: bool(phone.command("about")) and len(phone.digits) >= 3)
        assert phone.digits == "12#"
        assert order(speaker, "TerminateCall", CallId=call) == {}
        phone.wait_for("CALL_CLOSED")

    wait_until(lambda: state(speaker, call) == "Terminated", words="its end", look=0.05)
    ended = order(speaker, "GetCallStatus", CallId=call)["CallStatus"]
    assert (ended["CallStateReason"], ended["SIPAccountId"]) == ("Terminated", PEER)
    assert ended["RemoteURI"] == phone.uri
    fault = order(speaker, "TerminateCall", CallId=call)
    assert (fault["FaultCode"], fault["FaultSubCode"]) == ("ter:InvalidArgVal", "ter:NotFound")


def test_a_call_that_rings_is_answered_and_its_digits_cause_an_event(
    speaker: Device, silence: Path, tmp_path: Path
) -> None:
    """DTM-01…04, step by step as the documentation has it."""
    event = order(speaker, "SetDTMFEvent", DTMFEvent={"Name": "stop audio"})
    trigger = order(speaker, "SetDTMFTrigger", DTMFTrigger={"DTMFSequence": "7", **event})
    held = {"Id": "dtmf_config_default", "DTMFTriggerId": list(trigger.values())}
    order(speaker, "SetDTMFConfiguration", DTMFConfiguration=held)
    order(speaker, "SetSIPAccount", SIPAccount={"Id": PEER, "AutoAnswerEnabled": False})

    with baresip(tmp_path, source=silence) as phone:
        phone.command("dial", speaker.uri("4711"))
        wait_until(lambda: [c["state"] for c in speaker.calls] == ["ringing"], words="a ring")
        [call] = order(speaker, "GetCallStatuses", CallId=[speaker.calls[0]["id"]])["CallStatus"]
        assert (call["CallState"], call["Direction"]) == ("Ringing", "Incoming")
        assert call["DeviceURI"].startswith("sip:4711@")
        assert order(speaker, "AnswerCall", CallId=call["CallId"]) == {}
        phone.wait_for("CALL_ESTABLISHED")

        phone.command("sndcode", "7")
        told: list[dict[str, Any]] = []
        wait_until(lambda: bool(told.extend(_sequences(speaker)) or told), look=0.1)
        assert (told[0]["event_id"], told[0]["name"]) == (event["DTMFEventId"], "stop audio")
        order(speaker, "TerminateCall", CallId=call["CallId"])
        phone.wait_for("CALL_CLOSED")
    speaker.wait_idle()


def test_an_account_is_added_and_removed_and_everybody_sees_it(speaker: Device) -> None:
    """SAC-01…08: by lines, and by the API of the page."""
    new = (
        "action=axcall:SetSIPAccount&SIPAccount_UserId=200&SIPAccount_Name=PBX"
        "&SIPAccount_PublicDomain=pbx.invalid&SIPAccount_Password=hidden&SIPAccount_Enabled=false"
    )
    assert curl(speaker, f"?format=simple&{new}") == 'SIPAccountId="sip_account_1"\n'

    accounts = speaker.api("GET", "settings/sip")["settings"]["accounts"]
    assert [(a["name"], a["kind"]) for a in accounts][1:] == [("PBX", "registered")]
    shown = curl(speaker, "?format=simple&action=axcall:GetSIPAccount&SIPAccountId=sip_account_1")
    assert 'SIPAccount_PublicDomain="pbx.invalid"\n' in shown
    assert "SIPAccount_Password=null\n" in shown
    lines = curl(
        speaker, "?format=simple&action=axcall:GetSIPAccountStatus&SIPAccountId=sip_account_1"
    )
    assert 'SIPAccountStatus_StatusText="Does+not+register"\n' in lines
    assert "hidden" not in shown + speaker.log

    assert order(speaker, "RemoveSIPAccount", SIPAccountId="sip_account_1") == {}
    assert len(speaker.api("GET", "settings/sip")["settings"]["accounts"]) == 1
    assert order(speaker, "GetSIPAccount", SIPAccountId="sip_account_1")["Fault"] == "env:Sender"


def _sequences(running: Device) -> list[dict[str, Any]]:
    """The events that sequences of digits have caused."""
    links = [event["chain"][0] for event in events_so_far(running)]
    return [link["items"] for link in links if link["name"] == "call/dtmf"]
