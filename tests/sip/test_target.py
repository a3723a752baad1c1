"""Where messages go: RFC 3261 §8.1.2, §18; RFC 3263 §4; RFC 3581."""

import pytest
from msgspec.structs import replace

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.headers import Via
from sipstrobe.sip.target import another_way_back, next_hop, transport_for, way_back
from sipstrobe.sip.transport import Address, Flow, Transport
from sipstrobe.sip.uri import Uri

US, PEER = Address("192.0.2.1", 5060), Address("192.0.2.9", 40000)
UDP = Flow(Transport.UDP, US, PEER)
TCP = Flow(Transport.TCP, US, PEER, connection=7)


@pytest.mark.parametrize(
    ("uri", "remote"),
    [
        ("sip:a@192.0.2.5", Address("192.0.2.5", 5060)),
        ("sip:a@192.0.2.5:5080", Address("192.0.2.5", 5080)),
        ("sip:[2001:db8::1]:5080", Address("2001:db8::1", 5080)),
        ("sip:pbx.example.com", Address("pbx.example.com", 5060)),
        ("sip:a@example.com;maddr=192.0.2.6", Address("192.0.2.6", 5060)),
    ],
)
def test_the_next_hop_of_a_uri(uri: str, remote: Address) -> None:
    assert next_hop(Uri.parse(uri), UDP) == Flow(Transport.UDP, US, remote)


def test_the_transport_that_a_uri_names() -> None:
    hop = next_hop(Uri.parse("sip:a@192.0.2.5;transport=TCP"), UDP)
    assert hop == Flow(Transport.TCP, US, Address("192.0.2.5", 5060))


@pytest.mark.parametrize("uri", ["sip:a@192.0.2.9:5070;transport=tcp", "sip:a@192.0.2.9:5070"])
def test_a_connection_to_the_same_host_is_used_again(uri: str) -> None:
    assert next_hop(Uri.parse(uri), TCP) == TCP


def test_a_connection_to_another_host_is_not() -> None:
    hop = next_hop(Uri.parse("sip:a@192.0.2.5;transport=tcp"), TCP)
    assert hop == Flow(Transport.TCP, US, Address("192.0.2.5", 5060))
    assert next_hop(Uri.parse("sip:a@192.0.2.5"), TCP).transport is Transport.UDP


@pytest.mark.parametrize(
    "uri", ["tel:112", "sip:a@b;transport=sctp", "sips:a@b;transport=udp", "sips:a@b;transport=x"]
)
def test_what_cannot_be_reached(uri: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        next_hop(Uri.parse(uri), UDP)
    assert caught.value.status == 416


@pytest.mark.parametrize(
    ("uri", "transport", "port"),
    [
        ("sips:a@192.0.2.5", Transport.TLS, 5061),
        ("sips:a@192.0.2.5:5081", Transport.TLS, 5081),
        ("sips:a@192.0.2.5;transport=tcp", Transport.TLS, 5061),
        ("sip:a@192.0.2.5;transport=tls", Transport.TLS, 5061),
        ("sip:a@192.0.2.5;transport=ws", Transport.WS, 80),
        ("sip:a@192.0.2.5;transport=wss", Transport.WSS, 443),
        ("sips:a@192.0.2.5;transport=ws", Transport.WSS, 443),
    ],
)
def test_encrypted_ways_and_websockets(uri: str, transport: Transport, port: int) -> None:
    """RFC 3261 §19.1.2, RFC 5630 §3.1.1, RFC 7118 §5.3."""
    assert next_hop(Uri.parse(uri), UDP) == Flow(transport, US, Address("192.0.2.5", port))


@pytest.mark.parametrize(
    "uri",
    [
        "sip:a@df7jal23ls0d.invalid;transport=ws",
        "sips:a@df7jal23ls0d.invalid;transport=ws",
        "sip:a@10.1.2.3",
        "sip:pbx.example;lr",
    ],
)
@pytest.mark.parametrize("transport", [Transport.TLS, Transport.WSS])
def test_a_connection_that_alone_leads_to_its_peer_is_used_for_all_that_goes_there(
    transport: Transport, uri: str
) -> None:
    """RFC 7118 §5.3, RFC 5923: a browser's address is none, a private one is not ours to call."""
    flow = replace(TCP, transport=transport)
    assert next_hop(Uri.parse(uri), flow) == flow


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TLS, Transport.WSS])
def test_a_host_that_is_invalid_is_never_looked_up(transport: Transport) -> None:
    """RFC 7118 §5.1, RFC 2606 §2: without its connection there is no way to a browser."""
    flow = Flow(transport, US, PEER)
    with pytest.raises(RemoteProtocolError) as caught:
        next_hop(Uri.parse("sips:a@x.INVALID;transport=ws"), flow)
    assert caught.value.status == 480


@pytest.mark.parametrize("transport", [Transport.TLS, Transport.WSS])
def test_what_was_encrypted_stays_so(transport: Transport) -> None:
    """RFC 3261 §26.2.2: a Contact that names UDP or TCP does not lead a call out of TLS."""
    flow = Flow(transport, US, PEER)
    for uri in ("sip:a@192.0.2.9;transport=udp", "sip:a@192.0.2.9;transport=tcp"):
        with pytest.raises(RemoteProtocolError):
            next_hop(Uri.parse(uri), flow)
    hop = next_hop(Uri.parse("sip:a@192.0.2.77:5071"), flow)
    assert hop == Flow(transport, US, Address("192.0.2.77", 5071))


def test_sips_does_not_go_over_a_websocket_without_tls() -> None:
    with pytest.raises(RemoteProtocolError):
        next_hop(Uri.parse("sips:a@b;transport=ws"), replace(TCP, transport=Transport.WS))


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("SIP/2.0/UDP 10.0.0.1:5070;branch=x", 5070),
        ("SIP/2.0/UDP 10.0.0.1;branch=x", 5060),
        ("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=x", 40000),
    ],
)
def test_a_response_over_udp_goes_back_to_where_the_request_came_from(via: str, port: int) -> None:
    """RFC 3261 §18.2.2, RFC 3581 §4: the address is the source's, the port if it was asked for."""
    assert way_back(Via.parse(via), UDP).remote == Address("192.0.2.9", port)


def test_a_response_over_tcp_uses_the_connection_and_when_that_is_gone_a_new_one() -> None:
    """RFC 3261 §18.2.2."""
    via = Via.parse("SIP/2.0/TCP 192.0.2.9:5070;branch=x")
    assert way_back(via, TCP) == TCP
    assert another_way_back(via.port, TCP) == Flow(Transport.TCP, US, Address("192.0.2.9", 5070))


def test_who_has_come_by_websocket_cannot_be_called_back() -> None:
    """RFC 7118 §5.3."""
    assert another_way_back(None, replace(TCP, transport=Transport.WSS)) is None
    back = another_way_back(None, replace(TCP, transport=Transport.TLS))
    assert back is not None
    assert back.remote == Address("192.0.2.9", 5061)


@pytest.mark.parametrize(
    ("size", "wanted", "switch", "transport"),
    [
        (1300, Transport.UDP, True, Transport.UDP),
        (1301, Transport.UDP, True, Transport.TCP),
        (1301, Transport.UDP, False, Transport.UDP),
        (9000, Transport.TCP, False, Transport.TCP),
        (9000, Transport.TLS, True, Transport.TLS),
    ],
)
def test_large_requests_need_tcp(
    size: int, wanted: Transport, switch: bool, transport: Transport
) -> None:
    """RFC 3261 §18.1.1."""
    assert transport_for(size, wanted, switch=switch) is transport


@pytest.mark.parametrize(
    ("mtu", "size", "transport"),
    [
        (1280, 1080, Transport.UDP),
        (1280, 1081, Transport.TCP),
        (1500, 1300, Transport.UDP),
        (9000, 1301, Transport.TCP),
    ],
)
def test_a_request_within_200_bytes_of_a_known_mtu_needs_tcp(
    mtu: int, size: int, transport: Transport
) -> None:
    """RFC 3261 §18.1.1."""
    assert transport_for(size, Transport.UDP, switch=True, mtu=mtu) is transport


@pytest.mark.parametrize(
    ("named", "goes_to"),
    [
        ("[fe80::7]", "fe80::7%2"),
        ("[FEB0::7]", "feb0::7%2"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("h;maddr=fe80::7%99999999999", "fe80::7%2"),
        ("h;maddr=::7%\x00", "::7"),
    ],
)
def test_a_link_local_contact_is_on_the_link_that_its_owner_is_heard_by(
    named: str, goes_to: str
) -> None:
    """RFC 4007 §6."""
    flow = Flow(Transport.UDP, Address("fe80::1", 5060), Address("fe80::9%2", 5060))
    assert next_hop(Uri.parse(f"sip:a@{named}"), flow).remote.host == goes_to
