"""Calls from the first datagram to the last: two phones over 127.0.0.1, or one and a bare peer."""

import asyncio
import contextlib
import logging
import socket
from typing import Any

import msgspec
import numpy as np
import pytest

from sipstrobe.commands import Dial, SendDigits
from sipstrobe.errors import CommandRefused
from sipstrobe.events import CallState, CallStateChanged, CallStatus, ServiceStateChanged
from sipstrobe.services.doors import RETRY
from sipstrobe.services.phone import GOODBYE_LIMIT
from sipstrobe.services.speech import Recording
from sipstrobe.services.transports import MAX_FLOWS
from sipstrobe.sip.transaction import T1
from sipstrobe.sip.transport import Address, Transport
from sipstrobe.trace import Input
from sipstrobe.web.describe import chain
from tests.services.conftest import Street
from tests.services.phones import HOST, Device, media_port, settings
from tests.support.ports import free_port
from tests.support.waiting import turns, until


async def in_call(a: Device, b: Device) -> tuple[str, str]:
    """a calls b, who answers; the ids of the call on both sides."""
    call = a.dial(b)
    await until(lambda: a.states == b.states == ["active"])
    return call, b.phone.snapshot()[0].id


# --- incoming ----------------------------------------------------------------------------------


async def test_a_call_is_answered_at_once_and_ends_when_the_caller_hangs_up(
    street: Street,
) -> None:
    a, b = await street.device(), await street.device()

    await in_call(a, b)
    a.hang_up()
    await until(lambda: not b.states)

    assert a.story == [
        "calling initiated",
        "active accepted_by_remote",
        "terminated terminated",
    ]
    assert b.story == ["active accepted_by_device", "terminated terminated"]


async def test_the_called_side_hangs_up(street: Street) -> None:
    a, b = await street.device(), await street.device()
    _, theirs = await in_call(a, b)

    b.hang_up(theirs)
    await until(lambda: not a.states)

    assert a.story[-1] == b.story[-1] == "terminated terminated"


async def test_a_call_rings_until_somebody_answers_it(street: Street) -> None:
    a, b = await street.device(), await street.device(settings(auto=False))

    a.dial(b)
    await until(lambda: b.states == ["ringing"])
    b.answer()
    await until(lambda: a.states == ["active"])

    assert b.story == ["ringing initiated", "active accepted_by_device"]
    with pytest.raises(CommandRefused, match="no call is ringing"):
        b.answer()


async def test_of_several_the_one_that_rings_longest_is_answered_first(street: Street) -> None:
    b = await street.device(settings(auto=False))
    callers = [await street.device() for _ in range(3)]
    for n, caller in enumerate(callers):
        caller.dial(b)
        await until(lambda n=n: len(b.states) == n + 1)

    b.answer()
    b.answer(b.phone.snapshot()[2].id)
    await until(lambda: [c.states[0] for c in callers] == ["active", "calling", "active"])

    with pytest.raises(CommandRefused, match="is active") as active:
        b.answer(b.phone.snapshot()[0].id)
    with pytest.raises(CommandRefused, match="no call 'in-9'") as unknown:
        b.answer("in-9")
    assert (active.value.code, unknown.value.code) == ("not_ringing", "unknown_call")


async def test_who_rings_is_not_heard_and_hears_nothing_before_the_answer(
    street: Street,
) -> None:
    """Or anybody could speak over the loudspeaker by not waiting for the answer."""
    device, peer = await street.device(settings(auto=False)), street.peer()
    peer.invite(device)
    await peer.told(180)

    for port in range(4000, 4200, 2):
        peer.speak(port, packets=1)
    await street.leap(1.0)
    assert device.states == ["ringing"]
    assert device.sources == {}
    assert peer.hears_nothing()

    device.answer()
    answer = await peer.told(200)
    peer.request("ACK")
    peer.speak(media_port(answer.body))
    await until(lambda: device.sources and not peer.hears_nothing())


async def test_the_caller_is_greeted(street: Street) -> None:
    device, peer = await street.device(), street.peer()
    at = np.arange(48_000, dtype=np.float32) / 48_000
    device.greeting = Recording(np.sin(2 * np.pi * 1000 * at, dtype=np.float32))

    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    heard = bytearray()
    while len(heard) < 800:
        heard += (await asyncio.get_running_loop().sock_recv(peer.rtp, 2048))[12:]

    assert len(set(heard)) > 8, "a tone, no silence"


async def test_a_caller_who_gives_up_ends_the_ringing(street: Street) -> None:
    device, peer = await street.device(settings(auto=False)), street.peer()
    peer.invite(device)
    await peer.told(180)

    peer.request("CANCEL")
    await peer.told(200)
    await peer.told(487)
    peer.request("ACK")

    assert device.story == ["ringing initiated", "terminated terminated"]


async def test_nobody_answers(street: Street) -> None:
    device, peer = await street.device(settings(auto=False, ringing_timeout=30)), street.peer()
    peer.invite(device)
    await peer.told(180)

    await street.leap(29)
    assert device.states == ["ringing"]
    await street.leap(1.1)
    await peer.told(480)
    peer.request("ACK")

    assert device.story == ["ringing initiated", "terminated no_answer"]


async def test_who_declines_is_busy(street: Street) -> None:
    device, peer = await street.device(settings(auto=False)), street.peer()
    peer.invite(device)
    await peer.told(180)

    device.hang_up(device.phone.snapshot()[0].id)
    await peer.told(486)
    peer.request("ACK")

    assert device.story[-1] == "terminated denied"


async def test_a_closed_device_tells_of_the_attempt_and_nothing_else(street: Street) -> None:
    """Only the pulse: no state that would light or sound anything."""
    device, peer = await street.device(settings(allow_incoming=False)), street.peer()

    peer.invite(device)
    await peer.told(403)
    peer.request("ACK")

    assert device.story == ["terminated denied"]
    [pulse] = device.told(CallStateChanged)
    assert (pulse.extension, pulse.before) == ("1001", CallStatus.IDLE)
    assert device.told(CallState) == []
    assert device.sources == {}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"hello", 400),
        (b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 4 RTP/AVP 96\r\n", 488),
    ],
)
async def test_an_offer_that_cannot_be_accepted_is_refused(
    street: Street, body: bytes, status: int
) -> None:
    device, peer = await street.device(), street.peer()

    peer.invite(device, body=body)
    await peer.told(status)
    peer.request("ACK")

    assert device.story == ["terminated failed"]
    assert device.told(CallState) == []


async def test_a_call_without_an_offer_gets_ours_and_brings_its_answer_in_the_ack(
    street: Street,
) -> None:
    """RFC 3261 §13.2.2.4"""
    device, peer = await street.device(), street.peer()

    peer.invite(device, body=b"")
    offer = await peer.told(200)
    assert peer.hears_nothing()
    peer.request("ACK", body=peer.sdp())
    await until(lambda: not peer.hears_nothing())
    peer.speak(media_port(offer.body))
    await until(lambda: device.sources)

    assert device.states == ["active"]


@pytest.mark.parametrize("body", [b"", b"hello"])
async def test_a_call_without_offer_and_without_a_usable_answer_is_ended(
    street: Street, body: bytes
) -> None:
    device, peer = await street.device(), street.peer()

    peer.invite(device, body=b"")
    await peer.told(200)
    peer.request("ACK", body=body)
    peer.respond(await peer.asked("BYE"), 200)

    await until(lambda: not device.states)


async def test_as_many_calls_as_the_settings_allow(street: Street) -> None:
    device = await street.device(settings(max_calls=2))
    callers = [await street.device() for _ in range(2)]
    for caller in callers:
        await until(lambda caller=caller: caller.dial(device))
    await until(lambda: device.states == ["active", "active"])

    third = street.peer()
    third.invite(device)
    refusal = await third.told(486)
    third.request("ACK")
    with pytest.raises(CommandRefused, match="as many calls") as busy:
        device.dial(third)

    assert refusal.headers.first("Retry-After")
    assert busy.value.code == "busy"
    assert device.states == ["active", "active"]


async def test_no_port_for_media(street: Street, caplog: pytest.LogCaptureFixture) -> None:
    """65,535 alone makes no pair."""
    device, peer = await street.device(settings(rtp_start_port=65_535)), street.peer()

    with caplog.at_level(logging.CRITICAL, "sipstrobe.services.phone"):
        peer.invite(device)
        await peer.told(503)
        peer.request("ACK")
        device.dial(peer)
        await until(lambda: len(device.story) == 3)

    assert device.story == ["terminated failed", "calling initiated", "terminated failed"]


# --- outgoing ----------------------------------------------------------------------------------


async def test_nobody_answers_our_call(street: Street) -> None:
    device, peer = await street.device(settings(calling_timeout=20)), street.peer()
    device.dial(peer)
    invite = await peer.asked("INVITE")
    peer.respond(invite, 180)
    await turns()

    await street.leap(20.1)
    peer.respond(await peer.asked("CANCEL"), 200)
    peer.respond(invite, 487)
    await peer.asked("ACK")

    assert device.story == ["calling initiated", "terminated no_answer"]


async def test_a_silent_peer_is_given_up(street: Street) -> None:
    """RFC 3261 §17.1.1.2: no response at all within 64*T1."""
    device, peer = await street.device(), street.peer()
    device.dial(peer)
    await peer.asked("INVITE")

    await street.leap(32.1)
    assert device.story == ["calling initiated", "terminated failed"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (486, "busy"),
        (600, "busy"),
        (403, "denied"),
        (603, "denied"),
        (404, "failed"),
        (503, "failed"),
    ],
)
async def test_why_a_call_of_ours_is_refused(street: Street, status: int, reason: str) -> None:
    device, peer = await street.device(), street.peer()
    device.dial(peer)

    peer.respond(await peer.asked("INVITE"), status)
    await peer.asked("ACK")

    assert device.story == ["calling initiated", f"terminated {reason}"]


async def test_hanging_up_before_any_response_cancels_as_soon_as_there_is_one(
    street: Street,
) -> None:
    """RFC 3261 §9.1: a CANCEL has to wait for a provisional response."""
    device, peer = await street.device(), street.peer()
    call = device.dial(peer)
    invite = await peer.asked("INVITE")

    device.hang_up(call)
    assert device.story == ["calling initiated", "terminated terminated"]
    await turns()
    assert peer.silent()
    peer.respond(invite, 180)
    peer.respond(await peer.asked("CANCEL"), 200)
    peer.respond(invite, 487)
    await peer.asked("ACK")


async def test_hanging_up_crosses_with_the_answer(street: Street) -> None:
    """RFC 3261 §15: a 2xx that was faster than the CANCEL is acknowledged, and BYE follows."""
    device, peer = await street.device(), street.peer()
    device.dial(peer)
    invite = await peer.asked("INVITE")
    peer.respond(invite, 180)
    await turns()

    device.hang_up()
    peer.respond(invite, 200, body=peer.sdp())
    peer.respond(await peer.asked("CANCEL"), 481)
    await peer.asked("ACK")
    peer.respond(await peer.asked("BYE"), 200)

    assert device.story == ["calling initiated", "terminated terminated"]


async def test_hanging_up_while_the_name_is_looked_up(street: Street) -> None:
    a, b = await street.device(), await street.device()

    call = a.dial(b, host="localhost")
    a.hang_up(call)
    await turns()
    await asyncio.sleep(0.05)

    assert a.story == ["calling initiated", "terminated terminated"]
    assert b.story == []


async def test_early_media_is_heard_before_the_answer(street: Street) -> None:
    """RFC 3960: what the network has to say comes before the call is answered."""
    device, peer = await street.device(), street.peer()
    device.dial(peer)
    invite = await peer.asked("INVITE")

    peer.respond(invite, 183, body=peer.sdp())
    await turns()
    peer.speak(media_port(invite.body))
    await until(lambda: device.sources)
    assert device.states == ["calling"]

    peer.respond(invite, 200, body=peer.sdp())
    await peer.asked("ACK")
    assert device.states == ["active"]


@pytest.mark.parametrize("body", [b"", b"hello"])
async def test_an_acceptance_without_a_usable_answer_is_no_call(
    street: Street, body: bytes
) -> None:
    device, peer = await street.device(), street.peer()
    device.dial(peer)

    peer.respond(await peer.asked("INVITE"), 200, body=body)
    await peer.asked("ACK")
    peer.respond(await peer.asked("BYE"), 200)

    assert device.story == ["calling initiated", "terminated failed"]


async def test_a_third_address_gets_nothing_before_the_caller_has_shown_to_hear_us(
    street: Street,
) -> None:
    """A forged INVITE with somebody else's address in its SDP must not aim us at them."""
    device, peer = await street.device(), street.peer()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as third:
        third.bind(("127.0.0.9", 0))
        third.setblocking(False)
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\nt=0 0\r\n"
            f"m=audio {third.getsockname()[1]} RTP/AVP 0\r\n"
        )
        peer.invite(device, body=sdp.encode())
        await peer.told(200)
        await asyncio.sleep(0.1)
        with pytest.raises(BlockingIOError):
            third.recv(2048)

        peer.request("ACK")

        async with asyncio.timeout(30):
            assert len(await asyncio.get_running_loop().sock_recv(third, 2048)) == 172


async def test_a_call_given_up_in_the_same_breath_lights_nothing(street: Street) -> None:
    """INVITE and CANCEL in one segment of a connection."""
    device = await street.device()
    reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
    head = (
        "{0} sip:1001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKbreath\r\n"
        "From: <sip:a@127.0.0.1>;tag=a\r\nTo: <sip:1001@127.0.0.1>\r\nCall-ID: breath\r\n"
        "CSeq: 1 {0}\r\nContact: <sip:a@127.0.0.1;transport=tcp>\r\nMax-Forwards: 70\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    writer.write((head.format("INVITE") + head.format("CANCEL")).encode())
    said = await reader.readuntil(b"CSeq: 1 INVITE")
    writer.close()

    assert b"SIP/2.0 487" in said
    assert device.story == []


async def test_a_name_is_looked_up(street: Street) -> None:
    a, b = await street.device(), await street.device()

    a.dial(b, host="localhost")
    await until(lambda: a.states == b.states == ["active"])


@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", "x" * 70])
async def test_a_name_that_nobody_has_fails(street: Street, host: str) -> None:
    device = await street.device()

    device.dial(f"sip:1001@{host}")
    await until(lambda: device.story[-1] == "terminated failed")

    kinds = [type(link).__name__ for link in device.cause(CallStateChanged)]
    assert kinds == ["CallStateChanged", "Dial", "Input"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_port_at_which_nobody_listens_fails_at_once(street: Street, transport: str) -> None:
    device = await street.device(settings(transport=transport))
    uri = f"sip:1001@{HOST}:{free_port()}"

    for _ in range(3):  # in one go, so that the news of the first meets the others at work
        device.dial(uri)
    await until(lambda: not device.states)

    assert sorted(device.story) == ["calling initiated"] * 3 + ["terminated failed"] * 3


async def test_a_password_in_an_address_is_for_the_other_side_alone(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    """RFC 3261 §19.1.1: neither in an event nor in a log."""
    caplog.set_level(logging.DEBUG)
    device, peer = await street.device(), street.peer()

    device.dial(f"sip:1001:hush@{HOST}:{peer.port}")
    invite = await peer.asked("INVITE")

    assert invite.uri == f"sip:1001:hush@{HOST}:{peer.port}"
    assert str(invite.to) == f"<sip:1001@{HOST}:{peer.port}>"
    told = [repr(event) for event, _ in device.events]
    links = [chain(cause) for _, cause in device.events]
    assert "hush" not in f"{told} {links} {caplog.text}"
    with pytest.raises(CommandRefused) as refused:
        device.do(Dial(uri="sip:1001:hush@127.0.0.1;transport=sctp", account=None))
    assert "hush" not in str(refused.value)


async def test_dialling_again_while_the_last_word_of_a_call_is_awaited(street: Street) -> None:
    """A call that was given up keeps its place in the signalling until the peer has answered."""
    device, peer = await street.device(settings(max_calls=1)), street.peer()
    device.dial(peer)
    invite = await peer.asked("INVITE")
    device.hang_up()

    device.dial(peer)
    await until(lambda: not device.states)

    assert device.story[2:] == ["calling initiated", "terminated failed"]
    peer.respond(invite, 486)
    await peer.asked("ACK")


@pytest.mark.parametrize(
    ("uri", "account", "code"),
    [
        ("tel:+4612345678", None, "bad_uri"),
        ("sips:1001@127.0.0.1;transport=udp", None, "bad_uri"),
        ("sip:", None, "bad_uri"),
        ("", None, "bad_uri"),
        ("sip:1001@127.0.0.1:99999", None, "bad_uri"),
        ("sip:1001@127.0.0.1;transport=sctp", None, "bad_uri"),
        ("sip:1001@127.0.0.1", "nobody", "unknown_account"),
    ],
)
async def test_what_cannot_be_dialled(
    street: Street, uri: str, account: str | None, code: str
) -> None:
    device = await street.device()

    with pytest.raises(CommandRefused) as refused:
        device.do(Dial(uri=uri, account=account))

    assert refused.value.code == code
    assert device.events[1:] == [] or device.story == []


async def test_an_account_is_named_by_its_id_before_the_name_of_another(street: Street) -> None:
    """Names may be the same; control programs know accounts by their ids."""
    wanted = settings()
    first = wanted.accounts[0]
    second = msgspec.structs.replace(
        first, id="x", name=first.id, user_id="second", default=False, enabled=False
    )
    accounts = (first, second)
    device = await street.device(msgspec.structs.replace(wanted, accounts=accounts))

    assert device.do(Dial(uri=f"sip:1001@{HOST}", account=first.id))
    with pytest.raises(CommandRefused, match="is not active"):
        device.do(Dial(uri=f"sip:1001@{HOST}", account="x"))


async def test_a_device_whose_sip_is_off_does_not_dial(street: Street) -> None:
    device = await street.device(settings(enabled=False))

    with pytest.raises(CommandRefused, match="switched off") as refused:
        device.dial(f"sip:1001@{HOST}")
    assert refused.value.code == "sip_off"


@pytest.mark.parametrize("words", ["1001@127.0.0.1:{}", "127.0.0.1:{}", "SIP:1001@127.0.0.1:{}"])
async def test_people_leave_out_the_scheme(street: Street, words: str) -> None:
    a, b = await street.device(), await street.device()

    a.dial(words.format(b.port))
    await until(lambda: a.states == b.states == ["active"])


async def test_a_uri_may_name_the_transport(street: Street) -> None:
    a, b = await street.device(), await street.device()

    a.dial(f"sip:1001@{HOST}:{b.port};transport=tcp")
    await until(lambda: a.states == b.states == ["active"])

    assert b.phone.snapshot()[0].transport == "TCP"


async def test_an_address_to_which_no_way_leads(street: Street) -> None:
    device = await street.device()

    device.dial("sip:1001@255.255.255.255")
    await until(lambda: not device.states)

    assert device.story == ["calling initiated", "terminated failed"]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_every_way_to_call(street: Street, transport: str, host: str) -> None:
    a, b = await street.device(settings(transport=transport)), await street.device()

    a.dial(b, host=host)
    await until(lambda: a.states == b.states == ["active"])
    [there] = b.phone.snapshot()
    a.hang_up()
    await until(lambda: not b.states)

    assert (there.transport, there.extension, there.codec) == (transport.upper(), "1001", "opus")
    assert there.local_uri == f"sip:1001@{host}:{b.port}"
    assert there.remote_uri == f"sip:sipstrobe@{host}:{a.port}"


# --- within a call -----------------------------------------------------------------------------


async def test_hold_and_resume(street: Street) -> None:
    """RFC 3264 §8.4: sendonly is answered by recvonly, and then we are silent."""
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await until(lambda: not peer.hears_nothing())

    peer.request("INVITE", body=peer.sdp("sendonly"))
    answer = await peer.told(200)
    peer.request("ACK")
    assert b"a=recvonly" in answer.body
    peer.forget_sound()
    await street.leap(0.1)
    assert peer.hears_nothing()

    peer.request("INVITE", body=peer.sdp())
    await peer.told(200)
    peer.request("ACK")
    await until(lambda: not peer.hears_nothing())
    assert device.states == ["active"]


async def test_media_moves_to_another_port(street: Street) -> None:
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    first = await peer.told(200)
    peer.request("ACK")

    peer.rtp.close()
    peer.rtp = street.peer().rtp
    peer.request("INVITE", body=peer.sdp())
    second = await peer.told(200)
    peer.request("ACK")

    await until(lambda: not peer.hears_nothing())
    assert media_port(first.body) == media_port(second.body)


async def test_an_offer_within_the_call_that_cannot_be_accepted_changes_nothing(
    street: Street,
) -> None:
    """RFC 3261 §14.2: 488, and the call goes on as it was."""
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")

    peer.request("INVITE", body=peer.sdp(media="m=audio 5004 RTP/AVP 96"))
    await peer.told(488)
    peer.request("ACK")

    peer.forget_sound()
    await until(lambda: not peer.hears_nothing())
    assert device.states == ["active"]


async def test_we_offer_when_the_peer_asks_us_to(street: Street) -> None:
    """RFC 3261 §14.2: a re-INVITE without an offer."""
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")

    peer.request("INVITE")
    offer = await peer.told(200)
    peer.request("ACK", body=peer.sdp("recvonly"))

    assert b"m=audio" in offer.body
    await until(lambda: not peer.hears_nothing())
    assert device.states == ["active"]


async def test_what_is_heard_is_listed_once_and_the_list_is_empty_after_the_call(
    street: Street,
) -> None:
    a, b = await street.device(), await street.device()
    call, theirs = await in_call(a, b)
    at = np.arange(480_000, dtype=np.float32) / 48_000
    a.phone.speak(call, Recording(np.sin(2 * np.pi * 440 * at, dtype=np.float32)))

    await until(lambda: b.sources)
    await until(lambda: b.sources[theirs].ring.fill > 0)
    [there] = b.phone.snapshot()
    b.hang_up(theirs)

    assert there.packets_received > 0
    assert b.sources == {}
    with pytest.raises(CommandRefused, match="no call"):
        a.phone.speak("out-99", None)


async def test_a_call_goes_on_when_the_speaker_has_no_room_for_it(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    device, peer = await street.device(), street.peer()
    device.speaker_full = True
    peer.invite(device)
    answer = await peer.told(200)
    peer.request("ACK")

    peer.speak(media_port(answer.body))
    await until(lambda: "is not heard" in caplog.text)

    assert device.states == ["active"]


async def test_digits_are_sent_in_an_active_call(street: Street) -> None:
    a, b = await street.device(), await street.device(settings(auto=False))
    call = a.dial(b)
    await until(lambda: b.states == ["ringing"])

    with pytest.raises(CommandRefused) as early:
        a.do(SendDigits(call=call, digits="1"))
    b.answer()
    await until(lambda: a.states == ["active"])
    a.do(SendDigits(call=call, digits="*0"))
    with pytest.raises(CommandRefused) as wrong:
        a.do(SendDigits(call=call, digits="x"))
    with pytest.raises(CommandRefused) as unknown:
        a.do(SendDigits(call="out-9", digits="1"))

    codes = [refused.value.code for refused in (early, wrong, unknown)]
    assert codes == ["not_active", "digits", "unknown_call"]


async def test_info_within_a_call_is_acknowledged(street: Street) -> None:
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")

    peer.request("INFO", "Content-Type: application/dtmf-relay", body=b"Signal=5\r\nDuration=160")
    await peer.told(200)
    assert device.states == ["active"]


@pytest.mark.parametrize("host", ["localhost", "nobody.invalid"])
async def test_a_peer_that_can_be_reached_by_name(street: Street, host: str) -> None:
    """Whether its name leads anywhere or not, the call ends."""
    device, peer = await street.device(), street.peer()
    peer.host = host
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await turns()

    device.hang_up()
    if host == "localhost":
        peer.respond(await peer.asked("BYE"), 200)

    assert device.story[-1] == "terminated terminated"


async def test_an_answer_that_is_never_acknowledged(street: Street) -> None:
    """RFC 3261 §13.3.1.4: after 64*T1 the call is ended with a BYE."""
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    await peer.told(200)

    await street.leap(32.1)
    peer.respond(await peer.asked("BYE"), 200)

    assert device.story == ["active accepted_by_device", "terminated failed"]


async def test_a_stream_that_makes_no_sense_is_closed(street: Street) -> None:
    device = await street.device()

    reader, writer = await asyncio.open_connection(HOST, device.port)
    writer.write(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: many\r\n\r\n")
    async with asyncio.timeout(30):
        while await reader.read(1000):
            pass
    writer.close()

    assert device.story == []


async def test_a_call_outlives_the_connection_that_it_began_on(street: Street) -> None:
    """RFC 3261 §18: what is sent later opens another one."""
    a, b = await street.device(settings(transport="tcp")), await street.device()
    await in_call(a, b)

    a.phone.transports.close_connection(1)
    await turns()
    a.hang_up()
    await until(lambda: not b.states)

    assert b.story[-1] == "terminated terminated"


@pytest.mark.parametrize(
    ("limits", "ends"),
    [
        ({"incoming_duration_limit": 100}, ["in"]),
        ({"end_calls_after": 100}, ["in", "out"]),
        ({"incoming_duration_limit": 100, "end_calls_after": 300}, ["in"]),
        ({"incoming_duration_limit": 300, "end_calls_after": 100}, ["in", "out"]),
    ],
)
async def test_no_call_lasts_longer_than_the_settings_allow(
    street: Street, limits: dict[str, Any], ends: list[str]
) -> None:
    """SIP-05, SIP-06: both limits apply to incoming calls, and the shorter wins."""
    device, other = await street.device(settings(**limits)), await street.device()
    await in_call(device, other)
    other.dial(device)
    await until(lambda: len(device.states) == len(other.states) == 2)
    await until(lambda: set(device.states) == {"active"})
    before = {call.id.split("-")[0] for call in device.phone.snapshot()}

    await street.leap(99)
    assert len(device.states) == 2
    await street.leap(1.1)
    await until(lambda: len(other.states) == len(device.states) == 2 - len(ends))

    left = {call.id.split("-")[0] for call in device.phone.snapshot()}
    assert sorted(before - left) == ends
    assert device.story[-1] == "terminated terminated"


# --- settings ----------------------------------------------------------------------------------


async def test_switching_sip_off_hangs_up_and_is_deaf_from_then_on(street: Street) -> None:
    a, b = await street.device(), await street.device()
    await in_call(a, b)
    wanted = b.phone.settings

    b.phone.apply(settings(port=wanted.port, enabled=False))
    await until(lambda: not a.states)
    assert b.states == []
    await street.leap(2.0)

    assert b.phone.transports.addresses == []
    a.dial(b)
    await until(lambda: not a.states)
    assert a.story[-2:] == ["calling initiated", "terminated failed"]
    assert b.story[-1] == "terminated terminated"

    b.phone.apply(wanted)
    await b.phone.transports.ready()
    await in_call(a, b)


async def test_switching_sip_off_while_a_last_word_is_awaited_takes_no_new_calls(
    street: Street,
) -> None:
    """The BYE is repeated until it is answered, but whoever calls meanwhile calls in vain."""
    device, peer, other = await street.device(), street.peer(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await turns()

    device.phone.apply(settings(port=device.port, enabled=False))
    bye = await peer.asked("BYE")
    other.invite(device)
    await other.told(480)
    other.request("ACK")
    await street.leap(0.6)
    assert (await peer.asked("BYE")).cseq == bye.cseq, "it was repeated"
    peer.respond(bye, 200)

    assert device.story == ["active accepted_by_device", "terminated terminated"]


async def test_a_call_survives_a_change_of_the_port_and_its_end_is_noticed(
    street: Street,
) -> None:
    """The peer knows us by the port at which it called; its BYE comes there."""
    device, peer, other = await street.device(), street.peer(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    old = device.port

    device.phone.apply(settings(port=free_port()))
    await device.phone.transports.ready()
    await street.leap(5.0)
    assert device.states == ["active"]
    assert device.phone.transports.addresses == [
        f"UDP {device.port} (IPv4, IPv6)",
        f"TCP {device.port} (IPv4, IPv6)",
        f"TLS {device.phone.settings.tls_port} (IPv4, IPv6)",
    ]
    other.invite(device)
    await other.told(200)
    other.request("ACK")
    await until(lambda: device.states == ["active", "active"])

    peer.to = (HOST, old)
    peer.request("BYE")
    await peer.told(200)
    await until(lambda: device.states == ["active"])
    assert free_to_bind(old) is False
    await street.leap(1.1)
    assert free_to_bind(old)


async def test_new_calls_are_taken_at_the_new_port_only(street: Street) -> None:
    device, peer, other = await street.device(), street.peer(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    old = device.phone.settings

    device.phone.apply(settings(port=free_port()))
    await device.phone.transports.ready()
    other.to = (HOST, old.port)
    other.request("INVITE", body=other.sdp())
    await other.told(480)
    other.request("ACK")
    assert device.states == ["active"]

    device.phone.apply(old)  # back again, while the first call still needs it
    await device.phone.transports.ready()
    again = street.peer()
    again.invite(device)
    await again.told(200)
    again.request("ACK")
    assert device.phone.transports.problem == ""
    assert len(device.phone.transports.addresses) == 3
    await until(lambda: device.states == ["active", "active"])


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_that_we_began_survives_a_change_of_the_port(
    street: Street, transport: str
) -> None:
    a, b = await street.device(settings(transport=transport)), await street.device()
    await in_call(a, b)

    a.phone.apply(settings(transport=transport))
    await street.leap(3.0)
    b.hang_up()
    await until(lambda: not a.states)

    assert a.story[-1] == "terminated terminated"


async def test_media_of_the_calls_to_come_begin_at_another_port(street: Street) -> None:
    device, peer, other = await street.device(), street.peer(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    start = 2 * (free_port() // 2)

    device.phone.apply(settings(port=device.port, rtp_start_port=start))
    other.invite(device)
    answer = await other.told(200)
    other.request("ACK")

    assert start <= media_port(answer.body) < start + 100
    assert device.states == ["active", "active"]


async def test_a_port_that_is_taken_is_a_problem_that_goes_away_when_it_is_free(
    street: Street, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    with contextlib.ExitStack() as others:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            taken = others.enter_context(socket.socket(socket.AF_INET, kind))
            taken.bind(("0.0.0.0", port))
            if kind == socket.SOCK_STREAM:
                taken.listen()
        device = await street.device(settings(port=port))
        assert [(e.service, e.working) for e in device.told(ServiceStateChanged)] == [
            ("sip", False)
        ]
        problem = device.told(ServiceStateChanged)[0].problem
        assert problem == (
            f"UDP {port} on 0.0.0.0: Address already in use; "
            f"TCP {port} on 0.0.0.0: Address already in use"
        )
        assert device.phone.transports.addresses[:2] == [
            f"UDP {port} (IPv6)",
            f"TCP {port} (IPv6)",
        ]
        await street.leap(RETRY)
        assert len(device.told(ServiceStateChanged)) == 1, "told once, however often it is tried"

    await street.leap(RETRY)
    await until(lambda: device.told(ServiceStateChanged)[-1].working)
    peer = street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    assert caplog.text.count("cannot listen") == 1


async def test_a_problem_is_gone_when_sip_is_switched_off(street: Street) -> None:
    port = free_port()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", port))
        device = await street.device(settings(port=port))
        assert device.phone.transports.problem

        device.phone.apply(settings(port=port, enabled=False))

    assert device.phone.transports.problem == ""
    assert device.told(ServiceStateChanged)[-1].working


async def test_ways_to_more_peers_than_are_remembered(street: Street) -> None:
    """The routing table is asked again for those that were forgotten."""
    device = await street.device()

    for n in range(MAX_FLOWS + 10):
        flow = device.phone.transports.flow_to(Transport.UDP, HOST, 1024 + n)
        assert flow is not None
        assert flow.local == Address(HOST, device.port)
    await in_call(device, await street.device())


# --- the end -----------------------------------------------------------------------------------


async def test_closing_says_bye_and_waits_for_the_answer(street: Street) -> None:
    a, b = await street.device(), await street.device()
    await in_call(a, b)

    await a.close()
    await until(lambda: not b.states)

    assert a.story[-1] == b.story[-1] == "terminated terminated"


async def test_closing_says_it_three_times_and_waits_no_longer(street: Street) -> None:
    """RFC 3261 §17.1.2.2: repeated after T1 and 3*T1."""
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await turns()

    closing = asyncio.ensure_future(device.close())
    await peer.asked("BYE")
    for seconds in (T1, 2 * T1):
        await street.leap(seconds)
        await peer.asked("BYE")
    assert not closing.done()
    await street.leap(GOODBYE_LIMIT - 3 * T1)
    await asyncio.wait_for(closing, 30)

    assert device.sources == {}


async def test_what_closes_meanwhile_is_not_added_to_the_wait(street: Street) -> None:
    """A page whose browser has gone takes its time to close as well."""
    device, peer = await street.device(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await turns()

    device.phone.leave()
    await peer.asked("BYE")
    await street.leap(GOODBYE_LIMIT)
    await asyncio.wait_for(device.close(), GOODBYE_LIMIT - 0.1)

    assert device.states == []


async def test_who_calls_while_we_close_calls_in_vain(street: Street) -> None:
    device, peer, other = await street.device(), street.peer(), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await turns()

    closing = asyncio.ensure_future(device.close())
    bye = await peer.asked("BYE")
    other.invite(device)
    await other.told(480)
    peer.respond(bye, 200)
    await asyncio.wait_for(closing, 30)

    assert device.story == ["active accepted_by_device", "terminated terminated"]


async def test_closing_in_the_middle_of_dialling(street: Street) -> None:
    a, b = await street.device(), await street.device(settings(auto=False))
    a.dial(b)
    a.dial(b, host="localhost")
    a.dial(f"sip:1@{HOST}:{free_port()}")

    await a.close()

    assert a.states == []
    await until(lambda: not b.states)


async def test_closing_gives_up_what_has_only_begun(street: Street) -> None:
    """Listening, and looking up the name of a peer that is to hear a last word."""
    device, peer = await street.device(), street.peer()
    peer.host = "localhost"
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await turns()

    device.phone.apply(settings())
    device.hang_up()
    closing = asyncio.ensure_future(device.close())
    await turns()
    await street.leap(GOODBYE_LIMIT)
    await closing

    assert device.phone.transports.addresses == []


# --- causes and order --------------------------------------------------------------------------


async def test_every_change_leads_back_to_its_datagram(street: Street) -> None:
    device, peer = await street.device(), street.peer()

    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    lit = device.cause(CallState)
    peer.request("BYE")
    await peer.told(200)
    dark = device.cause(CallState)

    source = f"UDP from {HOST}:{peer.port}"
    first = f"sip:1001@{HOST}:{device.port} SIP/2.0 · {source}"
    assert lit[1:] == [Input("datagram", f"INVITE {first}")]
    assert dark[1:] == [Input("datagram", f"BYE {first}")]


async def test_over_tcp_the_chain_begins_with_the_stream(street: Street) -> None:
    a, b = await street.device(settings(transport="tcp")), await street.device()
    await in_call(a, b)

    [*_, begin] = b.cause(CallState)
    assert isinstance(begin, Input)
    assert (begin.kind, begin.words.split(" ")[0]) == ("stream", "INVITE")


async def test_what_time_ends_leads_back_to_a_timer(street: Street) -> None:
    device, peer = await street.device(settings(end_calls_after=10)), street.peer()
    peer.invite(device)
    await peer.told(200)
    peer.request("ACK")
    await turns()

    await street.leap(10.1)
    assert device.cause(CallState)[1:] == [Input("timer", "SIP timer")]


async def test_what_an_order_ends_leads_back_to_whoever_gave_it(street: Street) -> None:
    a, b = await street.device(), await street.device()
    await in_call(a, b)

    with b.context.trace.input("http", "POST /api/v1/commands/hang-up", 0.0):
        b.hang_up()

    kinds = [type(link).__name__ for link in b.cause(CallState)]
    assert kinds == ["CallState", "HangUp", "Input"]


async def test_the_state_holds_when_its_change_is_told(street: Street) -> None:
    """A rule triggered by the change looks at the state among its conditions."""
    a, b = await street.device(), await street.device(settings(auto=False))
    a.dial(b)
    await until(lambda: b.states == ["ringing"])
    b.answer()
    await until(lambda: a.states == ["active"])
    a.hang_up()
    await until(lambda: not b.states)

    for device in (a, b):
        told = [
            event for event, _ in device.events if isinstance(event, CallState | CallStateChanged)
        ]
        states, changes = told[::2], told[1::2]
        assert [type(event) for event in states] == [CallState] * 3
        assert [type(event) for event in changes] == [CallStateChanged] * 3
        for state, change in zip(states, changes, strict=True):
            over = change.state is CallStatus.TERMINATED
            assert state.state is (CallStatus.IDLE if over else change.state)


@pytest.mark.parametrize("trigger", [CallState, CallStateChanged])
async def test_what_a_rule_does_about_a_change_comes_after_it(
    street: Street, trigger: type[CallState] | type[CallStateChanged]
) -> None:
    """A rule answers whatever rings: everybody hears of the ringing first."""
    a, b = await street.device(), await street.device(settings(auto=False))

    def answer(event: CallState | CallStateChanged) -> None:
        if event.state is CallStatus.RINGING:
            b.answer(event.call)

    b.context.bus.subscribe(trigger, answer)
    await in_call(a, b)

    assert b.story == ["ringing initiated", "active accepted_by_device"]
    told = [type(e) for e, _ in b.events if isinstance(e, CallState | CallStateChanged)]
    assert told == [CallState, CallStateChanged] * 2


@pytest.mark.parametrize("event", [CallState, CallStateChanged])
@pytest.mark.parametrize("state", ["calling", "active", "answered"])
async def test_a_rule_may_hang_up_at_any_change(
    street: Street, event: type[CallState] | type[CallStateChanged], state: str
) -> None:
    a, b = await street.device(), await street.device()
    device = b if state == "answered" else a

    def hang_up(news: CallState | CallStateChanged) -> None:
        if news.state.value == state.replace("answered", "active"):
            device.hang_up(news.call)

    device.context.bus.subscribe(event, hang_up)
    a.dial(b)
    await until(lambda: a.story[-1].startswith("terminated") and not b.states)

    assert a.story[-1] == "terminated terminated"
    assert b.story in ([], ["active accepted_by_device", "terminated terminated"])


def free_to_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
