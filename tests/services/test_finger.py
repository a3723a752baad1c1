"""Digits that we send, in the way that a call allows (SendDigits)."""

import msgspec
import numpy as np
import pytest

from sipstrobe.codecs.g711 import UlawDecoder
from sipstrobe.codecs.registry import CODECS
from sipstrobe.commands import SendDigits
from sipstrobe.dtmf.event import TelephoneEvent
from sipstrobe.dtmf.inband import ToneReceiver
from sipstrobe.dtmf.keys import COMMA_PAUSE
from sipstrobe.errors import CommandRefused
from sipstrobe.rtp import packet
from sipstrobe.services.speech import Speech
from tests.services.conftest import Street
from tests.services.phones import Device, Peer, settings
from tests.support.waiting import turns, until


async def device_with(street: Street, **account: bool) -> Device:
    wanted = settings()
    changed = msgspec.structs.replace(wanted.accounts[0], **account)
    return await street.device(msgspec.structs.replace(wanted, accounts=(changed,)))


async def answered(peer: Peer, device: Device, *, events: bool = False) -> None:
    peer.invite(device, body=peer.sdp_with_digits() if events else peer.sdp())
    await peer.told(200)
    peer.request("ACK")
    await turns()


def packets(peer: Peer) -> list[packet.Packet]:
    """What has come to its RTP port so far."""
    found: list[packet.Packet] = []
    while not peer.hears_nothing():
        found.append(packet.parse(peer.rtp.recv(2048)))
    return found


def digits_of(heard: list[packet.Packet]) -> str:
    """The digits that events begin, each timestamp one."""
    events = {p.timestamp: TelephoneEvent.parse(p.payload) for p in heard if p.payload_type == 101}
    return "".join(event.digit or "?" for event in events.values())


async def test_events_where_the_other_side_takes_them(street: Street) -> None:
    """RFC 4733; in the number that it has given them."""
    device, peer = await device_with(street), street.peer()
    await answered(peer, device, events=True)
    heard: list[packet.Packet] = []

    device.do(SendDigits(digits="4#"))
    await until(lambda: heard.extend(packets(peer)) or len(heard) > 25)

    events = [TelephoneEvent.parse(p.payload) for p in heard if p.payload_type == 101]
    assert "".join(e.digit or "?" for e in events if e.end) == "444###"


async def test_nothing_is_pressed_before_the_other_side_has_acknowledged(street: Street) -> None:
    """RFC 3261 §13.3.1.4: our answer may still be on its way, and the digits would find nobody."""
    device, peer = await device_with(street), street.peer()
    peer.invite(device, body=peer.sdp_with_digits())
    await peer.told(200)

    device.do(SendDigits(digits="4"))
    device.do(SendDigits(digits="#"))
    await street.leap(0.5)
    early = packets(peer)
    peer.request("ACK")
    heard: list[packet.Packet] = []
    await until(lambda: heard.extend(packets(peer)) or len(heard) > 25)

    assert digits_of(early) == ""
    assert digits_of(heard) == "4#"


async def test_digits_before_the_acknowledgement_are_as_few_as_later(street: Street) -> None:
    device, peer = await device_with(street), street.peer()
    peer.invite(device, body=peer.sdp_with_digits())
    await peer.told(200)
    device.do(SendDigits(digits="1" * 256))

    with pytest.raises(CommandRefused, match="more than 256 digits wait"):
        device.do(SendDigits(digits="1"))


async def test_a_digit_in_which_the_call_is_held_is_one_digit(street: Street) -> None:
    """RFC 4733 §2.5.1.2: all its packets have one timestamp, whatever has come in between."""
    device, peer = await device_with(street), street.peer()
    await answered(peer, device, events=True)
    heard: list[packet.Packet] = []

    device.do(SendDigits(digits="4#"))
    await until(lambda: heard.extend(packets(peer)) or len(digits_of(heard)) > 0)
    for direction in ("inactive", "sendrecv"):
        held = peer.sdp_with_digits() + f"a={direction}\r\n".encode()
        peer.request("INVITE", body=held)
        await peer.told(200)
        peer.request("ACK")
        await street.leap(0.5)
    await until(lambda: heard.extend(packets(peer)) or digits_of(heard).endswith("#"))

    assert digits_of(heard) == "4#"
    assert len({p.timestamp for p in heard if p.payload_type == 101}) == 2


def test_digits_wait_while_the_clock_of_events_changes() -> None:
    speech = Speech()
    speech.use(CODECS["PCMU"], "", 8000)
    speech.send_digits("12")

    speech.use(CODECS["L16/48000"], "", 48000)

    assert speech.digits is not None
    assert speech.digits.busy


async def test_one_info_after_the_other_where_there_are_no_events(street: Street) -> None:
    """The next goes when the last is answered, so that none overtakes another."""
    device, peer = await device_with(street), street.peer()
    await answered(peer, device)

    device.do(SendDigits(digits="4#"))
    first = await peer.asked("INFO")
    await street.leap(0.4)
    assert peer.silent()
    peer.respond(first, 200)
    second = await peer.asked("INFO")
    peer.respond(second, 200)

    assert first.content_type == "application/dtmf-relay"
    assert [first.body, second.body] == [
        b"Signal=4\r\nDuration=100\r\n",
        b"Signal=#\r\nDuration=100\r\n",
    ]


async def test_a_comma_between_infos_is_a_pause(street: Street) -> None:
    device, peer = await device_with(street), street.peer()
    await answered(peer, device)

    device.do(SendDigits(digits="1,2"))
    peer.respond(await peer.asked("INFO"), 200)
    await street.leap(0.2)
    await street.leap(COMMA_PAUSE - 0.5)
    assert peer.silent()
    await street.leap(0.6)

    assert (await peer.asked("INFO")).body.startswith(b"Signal=2")


async def test_who_takes_no_info_is_not_sent_the_rest(street: Street) -> None:
    device, peer = await device_with(street), street.peer()
    await answered(peer, device)

    device.do(SendDigits(digits="123"))
    peer.respond(await peer.asked("INFO"), 415)
    await turns()
    await street.leap(1.0)

    assert peer.silent()
    device.do(SendDigits(digits="4"))
    request = await peer.asked("INFO")
    peer.respond(request, 200)
    assert request.body.startswith(b"Signal=4")


async def test_tones_where_the_account_has_nothing_else(street: Street) -> None:
    device = await device_with(street, dtmf_info=False, dtmf_inband=True)
    peer = street.peer()
    await answered(peer, device)
    heard: list[packet.Packet] = []

    device.do(SendDigits(digits="4#"))
    await until(lambda: heard.extend(packets(peer)) or len(heard) > 22)

    sound = np.concatenate([UlawDecoder().decode(p.payload) for p in heard])
    signs = ToneReceiver(8000).hear(sound)
    assert "".join(sign.digit for sign in signs if sign.begins) == "4#"


async def test_a_call_without_any_way_says_so(street: Street) -> None:
    device, peer = await device_with(street, dtmf_info=False), street.peer()
    await answered(peer, device)

    with pytest.raises(CommandRefused) as refused:
        device.do(SendDigits(digits="1"))

    assert refused.value.code == "no_way"


@pytest.mark.parametrize("events", [True, False])
@pytest.mark.parametrize("digits", ["", "12x", "1" * 257])
async def test_what_are_no_digits_is_refused_whatever_the_way(
    street: Street, events: bool, digits: str
) -> None:
    device, peer = await device_with(street), street.peer()
    await answered(peer, device, events=events)

    with pytest.raises(CommandRefused) as refused:
        device.do(SendDigits(digits=digits))

    assert refused.value.code == "digits"
    assert peer.silent()


async def test_a_call_that_ends_meanwhile_sends_nothing_more(street: Street) -> None:
    device, peer = await device_with(street), street.peer()
    await answered(peer, device)

    device.do(SendDigits(digits="1,2"))
    peer.respond(await peer.asked("INFO"), 200)
    peer.request("BYE")
    await peer.told(200)
    await street.leap(5.0)

    assert peer.silent()
