"""Calls over TLS and WebSocket: what we say of ourselves, and which ways are never taken."""

import pytest
from msgspec.structs import replace

from sipstrobe.sip.identity import Identity
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import CallEnded
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.sip.scene import ANSWER, OFFER, PEER, TCP, UDP, Scene


def over(transport: Transport) -> Flow:
    ours = Address("192.0.2.1", 5061 if transport is Transport.TLS else 8088)
    return replace(TCP, transport=transport, local=ours)


def called(scene: Scene, uri: str, contact: str) -> Response:
    """The peer calls this URI; the result is our 200."""
    request = scene.draft(
        "INVITE", fields=(("Contact", contact), ("Content-Type", "application/sdp")), uri=uri
    )
    scene.hear(Request("INVITE", uri, request.headers, OFFER))
    scene.endpoint.accept(scene.endpoint.calls[-1], ANSWER, now=scene.now)
    scene.collect()
    return scene.response()


@pytest.mark.parametrize(
    ("transport", "uri", "contact"),
    [
        (Transport.TLS, "sip:1001@h", "<sip:1001@192.0.2.1:5061;transport=tls>"),
        (Transport.TLS, "sips:1001@h", "<sips:1001@192.0.2.1:5061>"),
        (Transport.WS, "sip:1001@h", "<sip:1001@192.0.2.1:8088;transport=ws>"),
        (Transport.WSS, "sip:1001@h", "<sip:1001@192.0.2.1:8088;transport=ws>"),
        (Transport.WSS, "sips:1001@h", "<sips:1001@192.0.2.1:8088;transport=ws>"),
    ],
)
def test_the_contact_of_who_is_called(transport: Transport, uri: str, contact: str) -> None:
    """RFC 3261 §12.1.1: sips answers sips; RFC 7118 §5.2: there is no transport=wss."""
    scene = Scene(flow=over(transport))
    assert called(scene, uri, "<sips:peer@192.0.2.9>").headers.first("Contact") == contact


def test_a_browser_that_hides_behind_invalid_is_reached_over_its_connection() -> None:
    """RFC 7118 §5.3, and §8.2 for what a browser says."""
    scene = Scene(flow=over(Transport.WS))
    response = called(scene, "sip:1001@h", "<sip:x@df7jal23ls0d.invalid;transport=ws>")
    scene.tag = response.to.tag
    scene.hear(scene.ack(response))
    scene.endpoint.hang_up(scene.endpoint.calls[-1], now=scene.now)
    scene.collect()

    [bye] = scene.sends
    assert bye.flow == scene.flow
    assert scene.request().uri == "sip:x@df7jal23ls0d.invalid;transport=ws"


def test_a_browser_whose_connection_is_gone_is_not_called_back() -> None:
    scene = Scene(flow=over(Transport.WS))
    scene.invite()
    call = scene.endpoint.calls[-1]
    scene.endpoint.connection_closed(7, now=scene.now)
    scene.take()
    scene.endpoint.reject(call, 486, now=scene.now)
    scene.collect()

    assert scene.sends == []


@pytest.mark.parametrize("flow", [UDP, TCP, over(Transport.WS)])
def test_sips_over_what_is_not_encrypted_is_refused(flow: Flow) -> None:
    """RFC 5630 §5.3, §8.1: 480 with warning 380."""
    scene = Scene(flow=flow)
    scene.hear(scene.draft("INVITE", uri="sips:1001@192.0.2.1", body=OFFER))
    response = scene.response()

    assert response.status == 480
    assert (response.headers.first("Warning") or "").startswith("380 ")


def test_the_contact_of_who_calls_sips() -> None:
    """RFC 3261 §8.1.1.8."""
    flow = Flow(Transport.TLS, Address("192.0.2.1", 5061), PEER)
    scene = Scene(flow=flow)
    scene.endpoint.invite(
        flow,
        "sips:a@pbx.example",
        OFFER,
        identity=Identity("sips:us@pbx.example"),
        timeout=9,
        now=0.0,
    )
    scene.collect()
    invite = scene.request()

    assert invite.headers.first("Contact") == "<sips:us@192.0.2.1:5061>"
    assert invite.via.transport == "TLS"
    assert "alias" in invite.via.params, "RFC 5923 §5"


def test_a_callee_who_names_udp_does_not_lead_a_call_out_of_tls() -> None:
    """Better no call than one whose keys are told in the clear."""
    flow = Flow(Transport.TLS, Address("192.0.2.1", 5061), PEER)
    scene = Scene(flow=flow)
    _, invite = scene.call()
    contact = (("Contact", "<sip:peer@192.0.2.9:5062;transport=udp>"),)
    scene.answer(invite, 200, fields=contact, body=ANSWER)

    assert scene.sent == []
    assert any(isinstance(news, CallEnded) for news in scene.news)


def test_a_contact_on_another_transport_is_told_the_port_of_that_transport() -> None:
    """Via and Contact name where we listen, which is elsewhere for TLS."""
    scene = Scene()
    _, invite = scene.call()
    contact = (("Contact", "<sips:peer@192.0.2.9>"),)
    scene.answer(invite, 200, fields=contact, body=ANSWER)

    [ack] = scene.sends
    assert (ack.flow.transport, ack.flow.remote.port) == (Transport.TLS, 5061)
    assert str(scene.request().via).startswith("SIP/2.0/TLS 192.0.2.1:5061;")


def test_a_failure_concerns_only_those_who_go_by_the_same_name() -> None:
    """Two domains behind one address: the certificate that is wrong for one is right for other."""
    flow = Flow(Transport.TLS, Address("192.0.2.1", 5061), PEER, server_name="a.example")
    scene = Scene(flow=flow)
    scene.call()
    scene.endpoint.send_failed(replace(flow, server_name="b.example"), now=0.0)
    scene.collect()
    assert scene.news == []

    scene.endpoint.send_failed(flow, now=0.0)
    scene.collect()
    assert any(isinstance(news, CallEnded) for news in scene.news)
