"""What strangers may put into their messages, and what must not come of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from ipaddress import ip_address
from socket import AF_INET6, SOCK_DGRAM

import msgspec
import pytest

from sipstrobe.events import CallState, CallStateChanged, Event
from sipstrobe.sip.message import Request, Response, parse
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


def link_local() -> str:
    """An address of this machine that is good on one link only, with the link; or none."""
    with open("/proc/net/if_inet6") as table:
        for line in table:
            digits, link, _, scope, flags, _ = line.split()
            if scope == "20" and not int(flags, 16) & 0x40:  # tentative
                return f"{ip_address(bytes.fromhex(digits))}%{int(link, 16)}"
    return ""


@pytest.mark.skipif(not link_local(), reason="no link-local address here")
async def test_a_neighbour_on_the_link_is_answered_heard_and_taken_leave_of(device: Device) -> None:
    """RFC 4007 §6: without the link it cannot be reached; §11: nobody is told our number of it."""
    host, _, link = link_local().partition("%")
    loop = asyncio.get_running_loop()
    with ExitStack() as stack:
        sip, rtp = [stack.enter_context(socket.socket(AF_INET6, SOCK_DGRAM)) for _ in range(2)]
        for one in (sip, rtp):
            one.setblocking(False)
            one.bind((host, 0, 0, int(link)))
        port = sip.getsockname()[1]

        async def say(method: str, tag: str = "", body: str = "") -> None:
            lines = [
                f"{method} sip:1@[{host}] SIP/2.0",
                f"Via: SIP/2.0/UDP [{host}]:{port};rport;branch=z9hG4bK{method}",
                f"From: <sip:n@[{host}]>;tag=x\r\nTo: <sip:1@[{host}]>{tag}",
                f"Call-ID: x\r\nCSeq: 1 {method}\r\nContact: <sip:[{host}]:{port}>",
                "Content-Type: application/sdp" if body else "Subject: -",
            ]
            data = "\r\n".join([*lines, "", body]).encode()
            sip.sendto(data, (host, device.port, 0, int(link)))

        async def hear() -> Request | Response:
            async with asyncio.timeout(5):
                data = await loop.sock_recv(sip, 9000)
            assert b"%" not in data
            return parse(data)

        await say(
            "INVITE",
            body=f"v=0\r\no=- 1 1 IN IP6 {host}\r\ns=-\r\nc=IN IP6 {host}\r\nt=0 0\r\n"
            f"m=audio {rtp.getsockname()[1]} RTP/AVP 0\r\n",
        )
        answer = await hear()
        assert isinstance(answer, Response)
        assert answer.status == 200
        await say("ACK", f";tag={answer.to.tag}")
        async with asyncio.timeout(5):
            assert len(await loop.sock_recv(rtp, 9000)) == 172
        device.hang_up()
        bye = await hear()
        assert isinstance(bye, Request)
        assert bye.method == "BYE"
