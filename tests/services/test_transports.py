"""Phones over TLS and WebSocket; a machine with several addresses (all of 127/8 are ours)."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sipstrobe.events import CallStateChanged
from sipstrobe.io.connection import HANDSHAKE_LIMIT
from sipstrobe.io.identity import FILE
from sipstrobe.io.tcp import MAX_HANDSHAKES_FROM_ONE, TcpHub
from sipstrobe.secret import Secret
from sipstrobe.services.certificates import Certificates
from sipstrobe.services.doors import RETRY
from sipstrobe.sip.settings import SipSettings, TlsSettings
from sipstrobe.sip.transport import Transport
from tests.services.conftest import Street
from tests.services.phones import HOST, Device, media_port, settings
from tests.support.authority import Authority, Signed
from tests.support.ports import free_port
from tests.support.waiting import turns, until

OURS = Authority()
TRUSTED = TlsSettings(authorities=OURS.certificate)
UNVERIFIED = TlsSettings(verify=False)


def showing(signed: Signed, versions: str = "automatic") -> TlsSettings:
    return msgspec.convert(
        {
            "certificate": signed.certificate,
            "private_key": Secret(signed.key),
            "versions": versions,
        },
        TlsSettings,
    )


async def pbx(street: Street, tls: TlsSettings | None = None, **other: Any) -> Device:
    """Somebody to call; shows what was signed for 127.0.0.1 if nothing else is said."""
    return await street.device(settings(tls=tls or showing(OURS.sign(HOST)), **other))


def port_of(device: Device, transport: str) -> int:
    wanted: SipSettings = device.phone.settings
    port = {
        "tls": wanted.tls_port,
        "ws": wanted.websocket_port,
        "wss": wanted.secure_websocket_port,
    }[transport]
    assert port is not None
    return port


async def call(a: Device, b: Device, transport: str, host: str = HOST) -> None:
    """In a call, with what `a` has as its transport."""
    a.dial(f"sip:1001@{host}:{port_of(b, transport)}")
    await until(lambda: a.states == b.states == ["active"])


def hubs(device: Device) -> dict[Transport, TcpHub]:
    return device.phone.transports._hubs  # pyright: ignore[reportPrivateUsage]


def connections(device: Device) -> int:
    return sum(len(hub) for hub in hubs(device).values())


async def refused(a: Device, b: Device, transport: str = "tls", host: str = HOST) -> str:
    """Why a call comes to nothing."""
    a.dial(f"sip:1001@{host}:{port_of(b, transport)}")
    await until(lambda: not a.states)
    assert a.story[-1] == "terminated failed"
    return a.records[-1][1]


# --- calls -------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["tls", "ws", "wss"])
async def test_a_call_from_its_beginning_to_its_end(street: Street, transport: str) -> None:
    """By whoever hangs up, twice, and over one connection."""
    b = await pbx(street, websocket_port=free_port(), secure_websocket_port=free_port())
    a = await street.device(settings(transport=transport, tls=TRUSTED))
    for ends in (a, b):
        await call(a, b, transport)
        ends.hang_up()
        await until(lambda: not a.states and not b.states)

    assert {snapshot.transport for snapshot, _ in a.records} == {transport.upper()}
    assert connections(b) == 1


async def test_a_sips_address_is_called_over_tls_whatever_the_account_says(street: Street) -> None:
    b, a = await pbx(street), await street.device(settings(transport="udp", tls=TRUSTED))
    a.dial(f"sips:1001@{HOST}:{port_of(b, 'tls')}")
    await until(lambda: a.states == b.states == ["active"])

    assert a.phone.snapshot()[0].transport == "TLS"


# --- whom we believe ----------------------------------------------------------------------------


async def test_why_a_call_over_tls_comes_to_nothing_is_said_in_words(street: Street) -> None:
    stranger = Authority("Somebody Else")
    cases = {
        "its certificate is for pbx.example, not for 127.0.0.1": showing(OURS.sign("pbx.example")),
        "its certificate is signed by an authority that is not trusted: Somebody Else": showing(
            stranger.sign(HOST)
        ),
        "it speaks no TLS 1.3": showing(OURS.sign(HOST), "1.2"),
    }
    wanted = msgspec.structs.replace(TRUSTED, versions="1.3")
    a = await street.device(settings(transport="tls", tls=wanted))
    for words, tls in cases.items():
        assert await refused(a, await pbx(street, tls)) == words
    gone = await refused(a, await pbx(street, showing(OURS.sign(HOST, first_day=-9, last_day=-2))))
    assert gone.startswith("its certificate expired on 20")


@pytest.mark.parametrize(
    ("transport", "words"),
    [
        ("tls", "it does not speak TLS"),
        ("wss", "it does not speak TLS"),
        ("ws", "it has closed the connection in the middle of the handshake"),
    ],
)
async def test_who_speaks_something_else_is_said_to(
    street: Street, transport: str, words: str
) -> None:
    """A WebSocket port is called over TLS, a TCP port over WebSocket."""
    b = await pbx(street, websocket_port=free_port())
    a = await street.device(settings(transport=transport, tls=TRUSTED))
    port = b.port if transport == "ws" else port_of(b, "ws")
    a.dial(f"sip:1001@{HOST}:{port}")
    await until(lambda: not a.states)

    assert a.records[-1][1] == words


async def test_without_verification_anybody_is_called(street: Street) -> None:
    b = await street.device()
    a = await street.device(settings(transport="tls", tls=UNVERIFIED))
    await call(a, b, "tls")


async def test_a_device_that_is_given_the_certificate_another_has_made_trusts_it(
    street: Street, tmp_path: Path
) -> None:
    """It is for our name and all our addresses, and stays the same."""
    b = await street.device()
    certificates = Certificates(tmp_path, b.context.clock.wall)
    await certificates.server()
    made = (tmp_path / FILE).read_text()
    own = msgspec.structs.replace(UNVERIFIED, certificate=made, private_key=Secret(made))
    other = await street.device(settings(tls=own))
    a = await street.device(settings(transport="tls", tls=TlsSettings(authorities=made)))
    await call(a, other, "tls")

    again = Certificates(tmp_path, b.context.clock.wall)
    await again.server()
    assert (tmp_path / FILE).read_text() == made
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


async def test_changed_trust_holds_for_new_calls_and_drops_no_old_one(street: Street) -> None:
    b = await pbx(street, showing(Authority("Somebody Else").sign(HOST)))
    a = await street.device(settings(transport="tls", tls=UNVERIFIED))
    await call(a, b, "tls")
    now = msgspec.structs.replace(a.phone.settings, tls=TRUSTED)

    a.phone.apply(now)
    a.dial(f"sip:1001@{HOST}:{port_of(b, 'tls')}")
    await until(lambda: a.records)
    assert "not trusted: Somebody Else" in a.records[-1][1]
    assert a.states == b.states == ["active"]
    a.hang_up()
    await until(lambda: not b.states)


async def test_a_changed_certificate_is_shown_to_whoever_comes_next(street: Street) -> None:
    b = await pbx(street, showing(Authority("Somebody Else").sign(HOST)))
    a = await street.device(settings(transport="tls", tls=TRUSTED))
    assert "Somebody Else" in await refused(a, b)

    now = msgspec.structs.replace(b.phone.settings, tls=showing(OURS.sign(HOST)))
    b.phone.apply(now)
    await b.phone.transports.ready()
    await call(a, b, "tls")


# --- the ports ---------------------------------------------------------------------------------


async def test_a_certificate_that_cannot_be_used_closes_the_encrypted_ports_only(
    street: Street,
) -> None:
    broken = TlsSettings(certificate="hello", private_key=Secret("hello"))
    device = await street.device(settings(tls=broken, secure_websocket_port=free_port()))

    assert device.phone.transports.problem == "/sip/tls/certificate: is no certificate in PEM form"
    assert [words[:3] for words in device.phone.transports.addresses] == ["UDP", "TCP"]

    device.phone.apply(msgspec.structs.replace(device.phone.settings, tls=TlsSettings()))
    await device.phone.transports.ready()
    assert device.phone.transports.problem == ""
    assert [words.split()[0] for words in device.phone.transports.addresses] == [
        "UDP",
        "TCP",
        "TLS",
        "WSS",
    ]


async def test_websocket_ports_come_and_go_with_the_settings(street: Street) -> None:
    device = await street.device()
    port = free_port()
    plain = device.phone.settings
    device.phone.apply(msgspec.structs.replace(plain, websocket_port=port))
    await device.phone.transports.ready()
    assert f"WS {port} (IPv4, IPv6)" in device.phone.transports.addresses

    device.phone.apply(plain)
    await street.leap(RETRY)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port), 1)


async def test_unfinished_handshakes_keep_nobody_out_and_end_in_time(street: Street) -> None:
    b = await pbx(street)
    a = await street.device(settings(transport="tls", tls=TRUSTED))
    lines = [socket.create_connection((HOST, port_of(b, "tls")), 5) for _ in range(60)]
    tls = hubs(b)[Transport.TLS]
    await until(lambda: tls.displaced == 60 - MAX_HANDSHAKES_FROM_ONE)
    await call(a, b, "tls")

    await street.leap(HANDSHAKE_LIMIT)
    await until(lambda: tls.unfinished == 0)
    assert a.states == ["active"]
    for line in lines:
        line.close()


# --- several addresses --------------------------------------------------------------------------


async def test_whoever_calls_one_of_our_addresses_hears_from_that(street: Street) -> None:
    """The answer, its Contact, its SDP and the sound come from where the call went."""
    device, peer = await street.device(), street.peer()
    peer.to = ("127.0.0.2", device.port)
    peer.request("INVITE", body=peer.sdp())
    response = await peer.told(200)

    assert peer.to == ("127.0.0.2", device.port)
    assert response.headers.first("Contact") == f"<sip:1001@127.0.0.2:{device.port}>"
    assert b"c=IN IP4 127.0.0.2\r\n" in response.body
    peer.request("ACK")
    async with asyncio.timeout(30):
        _, source = await asyncio.get_running_loop().sock_recvfrom(peer.rtp, 2000)
    assert source == ("127.0.0.2", media_port(response.body))


# --- what is told of it -------------------------------------------------------------------------


async def test_a_trace_names_requests_and_no_pieces_of_bodies(street: Street) -> None:
    """A body may hold keys (RFC 4568), and a Request-URI a password, wherever a stream is cut."""
    b = await pbx(street)
    body = f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\n"
    body += "m=audio 4000 RTP/AVP 0\r\n"
    secret = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n"
    head = (
        f"INVITE sip:1001:pin@{HOST} SIP/2.0\r\nVia: SIP/2.0/TCP {HOST};branch=z9hG4bK1\r\n"
        f"From: <sip:a@{HOST}>;tag=1\r\nTo: <sip:1001@{HOST}>\r\nCall-ID: 1\r\n"
        f"CSeq: 1 INVITE\r\nContact: <sip:a@{HOST};transport=tcp>\r\nMax-Forwards: 70\r\n"
        "Content-Type: application/sdp\r\n"
    )
    told: list[str] = []
    for cut in (True, False):
        branch = head.replace("z9hG4bK1", f"z9hG4bK{cut}").replace("ID: 1", f"ID: {cut}")
        message = f"{branch}Content-Length: {len(body + secret)}\r\n\r\n{body}"
        with socket.create_connection((HOST, b.port), 5) as line:
            before = len(b.story)
            line.send((message if cut else message + secret).encode())
            if cut:
                hub = hubs(b)[Transport.TCP]
                await until(lambda hub=hub: len(hub) > 0)
                await turns(20)
                line.send(secret.encode())
            await until(lambda before=before: len(b.story) > before)
            told.append(str(b.cause(CallStateChanged)[-1]))
            b.hang_up()

    assert "inline" not in told[0]
    assert f"{len(secret)} bytes" in told[0]
    assert "INVITE sip:1001@127.0.0.1 SIP/2.0 · TCP" in told[1]
