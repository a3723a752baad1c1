"""Several calls at once: who is heard, who waits, who is busy, and who asks to be answered."""

import pytest

from sipstrobe.services.transfers import LEAVE_AFTER
from sipstrobe.sip.message import Request
from tests.services.conftest import Street
from tests.services.phones import HOST, Device, Peer, media_port, settings
from tests.support.waiting import turns, until


async def talking(street: Street, device: Device, count: int = 3) -> list[Peer]:
    """So many callers who were answered one after the other and all speak."""
    callers = [street.peer() for _ in range(count)]
    for n, caller in enumerate(callers, 1):
        caller.invite(device)
        answer = await caller.told(200)
        caller.request("ACK")
        caller.speak(media_port(answer.body))
        await until(lambda n=n: len(device.sources) == n)
    return callers


async def hang_up(caller: Peer, device: Device) -> None:
    before = len(device.states)
    caller.request("BYE")
    await until(lambda: len(device.states) < before)


# --- who is heard -------------------------------------------------------------------------------


async def test_all_are_heard(street: Street) -> None:
    device = await street.device()
    await talking(street, device)
    assert device.heard == {"in-1", "in-2", "in-3"}


async def test_the_first_is_heard_and_the_others_wait_for_their_turn(street: Street) -> None:
    device = await street.device(settings(calls_together="first"))
    first, second, _ = await talking(street, device)
    assert device.heard == {"in-1"}

    await hang_up(second, device)
    assert device.heard == {"in-1"}
    await hang_up(first, device)
    assert device.heard == {"in-3"}


async def test_the_newest_is_heard_and_then_the_one_before(street: Street) -> None:
    device = await street.device(settings(calls_together="newest"))
    *_, newest = await talking(street, device)
    assert device.heard == {"in-3"}

    await hang_up(newest, device)
    assert device.heard == {"in-2"}


async def test_who_says_nothing_has_the_turn_nevertheless(street: Street) -> None:
    """It goes by the order of the answers."""
    device = await street.device(settings(calls_together="first"))
    silent = street.peer()
    silent.invite(device)
    await silent.told(200)
    silent.request("ACK")

    await talking(street, device, 1)

    assert device.heard == set()
    await hang_up(silent, device)
    assert device.heard == {"in-2"}


async def test_another_policy_holds_for_the_calls_that_run(street: Street) -> None:
    device = await street.device()
    await talking(street, device, 2)

    wanted = settings(calls_together="newest", port=device.port)
    device.phone.apply(wanted)

    assert device.heard == {"in-2"}


async def test_one_call_at_a_time(street: Street) -> None:
    device = await street.device(settings(calls_together="busy"))
    [first] = await talking(street, device, 1)

    second = street.peer()
    second.invite(device)
    await second.told(486)
    second.request("ACK")
    assert device.story[-1] == "terminated busy"
    assert device.states == ["active"]

    await hang_up(first, device)
    third = street.peer()
    third.invite(device)
    await third.told(200)
    third.request("ACK")


# --- callers who ask to be answered -------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        "Answer-Mode: Auto",
        "Alert-Info: <http://pbx.example>;info=alert-autoanswer;delay=0",
        "Call-Info: <sip:pbx.example>;answer-after=0",
    ],
)
async def test_a_caller_who_asks_for_it_is_answered_at_once(street: Street, field: str) -> None:
    device, peer = await street.device(settings(auto=False)), street.peer()
    peer.invite(device, field)
    await peer.told(200)
    peer.request("ACK")
    assert device.story == ["active accepted_by_device"]


async def test_whom_nobody_wants_to_obey_rings(street: Street) -> None:
    wanted = settings(auto=False, auto_answer_headers=False)
    device, peer = await street.device(wanted), street.peer()
    peer.invite(device, "Answer-Mode: Auto")
    await peer.told(180)
    assert device.states == ["ringing"]


async def test_a_caller_who_wants_to_be_answered_later_rings_until_then(street: Street) -> None:
    device, peer = await street.device(settings(auto=False)), street.peer()
    peer.invite(device, "Call-Info: <sip:pbx.example>;answer-after=5")
    await peer.told(180)
    await street.leap(4.9)
    assert device.states == ["ringing"]
    await street.leap(0.2)
    await peer.told(200)
    peer.request("ACK")


async def test_a_caller_who_gives_up_before_is_not_answered(street: Street) -> None:
    device, peer = await street.device(settings(auto=False)), street.peer()
    peer.invite(device, "Call-Info: <sip:pbx.example>;answer-after=5")
    await peer.told(180)
    peer.request("CANCEL")
    await peer.told(200)
    await peer.told(487)
    peer.request("ACK")
    await street.leap(6.0)
    assert device.story[-1] == "terminated terminated"


@pytest.mark.parametrize(
    ("auto", "mode", "status"),
    [(True, "Manual;require", 403), (True, "Manual", 200), (False, "Manual;require", 180)],
)
async def test_who_insists_is_obeyed_or_refused(
    street: Street, auto: bool, mode: str, status: int
) -> None:
    """RFC 5373 §4.4."""
    device, peer = await street.device(settings(auto=auto)), street.peer()
    peer.invite(device, f"Answer-Mode: {mode}", "Require: answermode")
    await peer.told(status)
    if status != 180:
        peer.request("ACK")
    await turns()


# --- transfers ----------------------------------------------------------------------------------


async def transferred(street: Street) -> tuple[Device, Peer, Peer]:
    """A caller who has sent the device to somebody else, who is being called now."""
    device = await street.device(settings(follow_transfers=True))
    caller, other = street.peer(), street.peer()
    caller.invite(device)
    await caller.told(200)
    caller.request("ACK")
    caller.request("REFER", f"Refer-To: <sip:carol@{HOST}:{other.port}>", "Referred-By: <sip:a@b>")
    await caller.told(202)
    return device, caller, other


async def notified(peer: Peer) -> tuple[str, str]:
    """State and body of the next NOTIFY, which is answered."""
    notify: Request = await peer.asked("NOTIFY")
    peer.respond(notify, 200)
    return notify.headers.first("Subscription-State") or "", notify.body.decode().strip()


async def test_the_device_calls_where_it_is_sent_and_tells_what_came_of_it(
    street: Street,
) -> None:
    device, caller, other = await transferred(street)
    assert (await notified(caller))[1] == "SIP/2.0 100 Trying"

    invite = await other.asked("INVITE")
    assert invite.headers.first("Referred-By") == "<sip:a@b>"
    other.respond(invite, 200, body=other.sdp())
    await other.asked("ACK")

    state, words = await notified(caller)
    assert (state, words) == ("terminated;reason=noresource", "SIP/2.0 200 OK")
    caller.request("BYE")
    await until(lambda: device.states == ["active"])
    assert [call.remote_uri for call in device.phone.snapshot()] == [
        f"sip:carol@{HOST}:{other.port}"
    ]


async def test_who_sends_us_elsewhere_and_stays_is_taken_leave_of(street: Street) -> None:
    """RFC 5589 §6.1 leaves it to the transferor to hang up; not all of them do."""
    device, caller, other = await transferred(street)
    await notified(caller)
    other.respond(await other.asked("INVITE"), 200, body=other.sdp())
    await notified(caller)

    await street.leap(LEAVE_AFTER - 0.5)
    assert device.states == ["active", "active"]
    await street.leap(0.6)
    caller.respond(await caller.asked("BYE"), 200)

    assert [call.remote_uri for call in device.phone.snapshot()] == [
        f"sip:carol@{HOST}:{other.port}"
    ]


async def test_who_was_busy_is_told_to_who_sent_us(street: Street) -> None:
    device, caller, other = await transferred(street)
    await notified(caller)

    other.respond(await other.asked("INVITE"), 486)
    await other.asked("ACK")

    assert (await notified(caller))[1] == "SIP/2.0 486 Busy Here"
    assert device.states == ["active"]  # the call that was to be transferred goes on


async def test_where_nobody_can_be_called_the_transfer_fails(street: Street) -> None:
    device, caller = await street.device(settings(follow_transfers=True)), street.peer()
    caller.invite(device)
    await caller.told(200)
    caller.request("ACK")
    caller.request("REFER", "Refer-To: <sip:carol@127.0.0.1;transport=sctp>")
    await caller.told(202)
    await notified(caller)
    assert (await notified(caller))[1] == "SIP/2.0 503 Service Unavailable"


# --- the record ---------------------------------------------------------------------------------


async def test_each_call_is_recorded_once_with_the_reason_in_words(street: Street) -> None:
    device = await street.device()
    [caller] = await talking(street, device, 1)

    await hang_up(caller, device)

    [(call, words)] = device.records
    assert (call.id, call.codec, call.transport) == ("in-1", "PCMU", "UDP")
    assert call.audio is not None
    assert words == "the other side has hung up"


async def test_a_call_that_was_refused_is_recorded_as_well(street: Street) -> None:
    device, peer = await street.device(settings(allow_incoming=False)), street.peer()
    peer.invite(device)
    await peer.told(403)
    peer.request("ACK")

    [(call, words)] = device.records
    assert (call.remote_uri, call.codec, words) == (
        "sip:peer@127.0.0.1",
        "",
        "refused here with 403",
    )
