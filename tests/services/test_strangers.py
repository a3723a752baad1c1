"""What strangers may put into their messages, and what must not come of it."""

from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest

from sipstrobe.events import CallState, CallStateChanged, Event
from sipstrobe.sip.message import respond
from tests.services.phones import HOST, Device, Peer, settings
from tests.support.leap import LeapClock
from tests.support.waiting import until


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    device = Device(LeapClock(), settings())
    await device.phone.transports.ready()
    yield device
    await device.close()


@pytest.fixture
def peer(device: Device) -> Iterator[Peer]:
    peer = Peer()
    peer.to = (HOST, device.port)
    yield peer
    peer.close()


async def test_an_address_that_is_no_text_is_shown_as_one_that_is(
    device: Device, peer: Peer
) -> None:
    """Events become JSON on the page: one caller must not keep others from seeing it."""
    invite = (
        b"INVITE sip:1\xff\x1b%23@127.0.0.1 SIP/2.0\r\n"
        b"Via: SIP/2.0/UDP 127.0.0.1:" + str(peer.port).encode() + b";branch=z9hG4bKx\r\n"
        b"From: <sip:\xfe\x1b[2J@127.0.0.1>;tag=x\r\nTo: <sip:1@127.0.0.1>\r\n"
        b"Call-ID: x\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
        b"Contact: <sip:127.0.0.1:" + str(peer.port).encode() + b">\r\n"
        b"Content-Type: application/sdp\r\n\r\n" + peer.sdp()
    )

    peer.say(invite)
    await peer.told(200)
    await until(lambda: device.states == ["active"])

    told: list[Event] = [*device.told(CallState), *device.told(CallStateChanged)]
    for event in told:
        assert msgspec.json.encode(event.items())
    (call,) = device.phone.snapshot()
    assert call.remote_uri == "sip:%FE%1B[2J@127.0.0.1"
    assert call.local_uri == "sip:1%FF%1B%23@127.0.0.1"
    assert call.extension == "1%FF%1B#"


async def test_words_that_are_no_text_are_told_as_text(device: Device, peer: Peer) -> None:
    """RFC 3261 §7.2: a reason phrase may hold anything; people, logs and files read it here."""
    device.dial(peer)
    invite = await peer.asked("INVITE")
    phrase = b"Go\xff away\x1b[2J" + b"!" * 5000
    peer.say(bytes(respond(invite, 480, to_tag="peer", reason="PHRASE")).replace(b"PHRASE", phrase))
    await until(lambda: device.records)

    [(_, words)] = device.records
    assert words.isprintable()
    assert words.startswith("480 Go")
    assert len(words) < 200
