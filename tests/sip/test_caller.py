"""Outgoing calls, as a peer on the wire sees them."""

import pytest
from msgspec.structs import replace

from sipstrobe.errors import LocalProtocolError
from sipstrobe.sip.identity import Identity
from sipstrobe.sip.layer import MAX_MTUS
from sipstrobe.sip.message import Request
from sipstrobe.sip.outputs import (
    CallAccepted,
    CallEnded,
    CallProgress,
    Ended,
    OfferReceived,
)
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.sip.scene import ANSWER, OFFER, PEER, TCP, US, Scene

OURSELVES = Identity("sip:us@192.0.2.1")
OVER_UDP = Flow(Transport.UDP, US, PEER)


def test_a_call_is_made_answered_and_ended_here() -> None:
    scene = Scene()
    call, invite = scene.call()
    assert invite.uri == "sip:peer@192.0.2.9:5062"
    assert invite.from_.display == "Our strobe"
    assert invite.body == OFFER
    scene.answer(invite, 180)
    assert scene.told(CallProgress).response.status == 180
    scene.answer(invite, 200, body=ANSWER)
    accepted = scene.told(CallAccepted)
    assert (accepted.call, accepted.body) == (call, ANSWER)
    ack = scene.request()
    assert (ack.method, str(ack.cseq)) == ("ACK", "1 ACK")

    scene.endpoint.hang_up(call, now=scene.now)
    scene.collect()
    bye = scene.request()
    assert (bye.method, str(bye.cseq)) == ("BYE", "2 BYE")
    assert scene.told(CallEnded).how is Ended.LOCAL_BYE
    scene.answer(bye, 200)
    scene.pass_(40)
    assert scene.endpoint.idle


def test_every_repetition_of_the_200_is_acknowledged_again() -> None:
    """RFC 3261 §13.2.2.4."""
    scene = Scene()
    _, invite = scene.call()
    scene.answer(invite, 200, body=ANSWER)
    first = scene.request()
    scene.answer(invite, 200, body=ANSWER)
    assert scene.request() == first
    assert len(scene.news) == 1


def test_a_refusal_is_acknowledged_by_the_transaction() -> None:
    """RFC 3261 §17.1.1.3: same branch and Request-URI, To of the response."""
    scene = Scene()
    _, invite = scene.call()
    busy = scene.answer(invite, 486)
    ack = scene.request()
    assert ack.via.branch == invite.via.branch
    assert (ack.uri, ack.to, str(ack.cseq)) == (invite.uri, busy.to, "1 ACK")
    ended = scene.told(CallEnded)
    assert (ended.how, ended.status) == (Ended.REJECTED, 486)
    scene.pass_(40)
    assert scene.endpoint.idle


def test_nobody_there() -> None:
    scene = Scene()
    scene.call()
    scene.until(32.0)
    ended = scene.told(CallEnded)
    assert (ended.how, ended.status) == (Ended.UNREACHABLE, 408)
    assert scene.endpoint.idle


def test_an_unreachable_address() -> None:
    """RFC 3261 §18.4, §8.1.3.1: a transport error is as a 503."""
    scene = Scene()
    scene.call()
    scene.endpoint.send_failed(scene.flow, now=scene.now)
    scene.collect()
    ended = scene.told(CallEnded)
    assert (ended.how, ended.status) == (Ended.UNREACHABLE, 503)
    assert scene.endpoint.idle


def test_an_unanswered_call_is_cancelled_in_time() -> None:
    scene = Scene()
    _, invite = scene.call(timeout=20)
    scene.answer(invite, 180)
    scene.news.clear()
    scene.until(20.0)
    assert scene.told(CallEnded).how is Ended.NO_ANSWER
    cancel = scene.request()
    assert (cancel.method, cancel.uri) == ("CANCEL", invite.uri)
    assert cancel.via == invite.via
    assert str(cancel.cseq) == "1 CANCEL"
    scene.answer(cancel, 200)
    scene.answer(invite, 487)
    assert scene.statuses() == ["ACK"]
    assert scene.news == []
    scene.pass_(40)
    assert scene.endpoint.idle


def test_cancel_waits_for_a_provisional_response() -> None:
    """RFC 3261 §9.1."""
    scene = Scene()
    call, invite = scene.call()
    scene.endpoint.hang_up(call, now=scene.now)
    scene.collect()
    assert scene.told(CallEnded).how is Ended.CANCELLED
    assert scene.take() == []
    scene.answer(invite, 100)
    assert scene.statuses() == ["CANCEL"]
    scene.answer(invite, 180)
    assert scene.statuses() == []  # once


def test_a_200_that_crosses_cancel_is_acknowledged_and_ended() -> None:
    """RFC 3261 §9.1: the answer was faster; the callee has to hear ACK and BYE."""
    scene = Scene()
    call, invite = scene.call()
    scene.answer(invite, 180)
    scene.endpoint.hang_up(call, now=scene.now)
    scene.collect()
    cancel = scene.request()
    scene.answer(cancel, 200)
    scene.answer(invite, 200, body=ANSWER)
    ack, bye = scene.take()
    assert (ack.cseq.method, bye.cseq.method) == ("ACK", "BYE")
    scene.answer(invite, 200, body=ANSWER)
    assert scene.statuses() == ["ACK"]


def test_a_cancelled_call_that_hears_nothing_more_is_forgotten() -> None:
    """RFC 3261 §9.1: after 64*T1."""
    scene = Scene()
    call, invite = scene.call()
    scene.answer(invite, 180)
    scene.endpoint.hang_up(call, now=scene.now)
    scene.pass_(33)
    assert scene.endpoint.idle


def test_further_forks_that_answer_are_acknowledged_and_ended() -> None:
    """RFC 3261 §13.2.2.4."""
    scene = Scene()
    _, invite = scene.call()
    scene.answer(invite, 180, tag="one")
    scene.answer(invite, 180, tag="two")
    scene.answer(invite, 200, tag="two", body=ANSWER)
    scene.take()
    scene.answer(invite, 200, tag="one", body=ANSWER)
    ack, bye = scene.take()
    assert (ack.cseq.method, ack.to.tag) == ("ACK", "one")
    assert (bye.cseq.method, bye.to.tag) == ("BYE", "one")
    assert [type(news) for news in scene.news].count(CallAccepted) == 1


def test_the_number_of_forks_is_limited() -> None:
    scene = Scene()
    _, invite = scene.call()
    for n in range(40):
        scene.answer(invite, 200, tag=f"fork{n}", body=ANSWER)
    methods = scene.statuses()
    assert methods.count("ACK") == 16
    assert methods.count("BYE") == 15


def test_requests_follow_the_record_route_of_the_200() -> None:
    """RFC 3261 §12.1.2, §12.2.1.1: reversed, loose; the next hop is the first of it."""
    scene = Scene()
    call, invite = scene.call()
    scene.answer(
        invite,
        200,
        fields=(
            ("Record-Route", "<sip:p2.example.com;lr>"),
            ("Record-Route", "<sip:[2001:db8::1]:5070;lr>"),
        ),
        body=ANSWER,
    )
    ack = scene.sends[0]
    assert ack.flow.remote == Address("2001:db8::1", 5070)
    request = scene.request()
    assert request.uri == "sip:peer@192.0.2.9:5062"
    assert [str(r.uri) for r in request.routes] == [
        "sip:[2001:db8::1]:5070;lr",
        "sip:p2.example.com;lr",
    ]
    scene.endpoint.hang_up(call, now=scene.now)
    scene.collect()
    assert len(scene.request().routes) == 2


def test_a_strict_router_gets_its_own_address_as_request_uri() -> None:
    """RFC 3261 §12.2.1.1."""
    scene = Scene()
    _, invite = scene.call()
    scene.answer(invite, 200, fields=(("Record-Route", "<sip:old.example.com>"),), body=ANSWER)
    assert scene.sends[0].flow.remote == Address("old.example.com", 5060)
    ack = scene.request()
    assert ack.uri == "sip:old.example.com"
    assert [str(r.uri) for r in ack.routes] == ["sip:peer@192.0.2.9:5062"]


def test_a_contact_that_cannot_be_reached_ends_the_call() -> None:
    scene = Scene()
    _, invite = scene.call()
    scene.answer(invite, 200, fields=(("Contact", "<tel:112>"),), body=ANSWER)
    assert scene.told(CallEnded).how is Ended.UNREACHABLE
    scene.pass_(40)
    assert scene.endpoint.idle


# --- RFC 3262 ----------------------------------------------------------------------------------


def test_reliable_ringing_is_acknowledged_by_prack_in_order() -> None:
    """RFC 3262 §4: repeated and out-of-order responses have no effect."""
    scene = Scene()
    _, invite = scene.call()
    reliably = ("Require", "100rel")
    scene.answer(invite, 180, fields=(reliably, ("RSeq", "41")))
    prack = scene.request()
    assert (prack.method, prack.rack) == ("PRACK", (41, 1, "INVITE"))
    scene.answer(prack, 200)
    scene.answer(invite, 180, fields=(reliably, ("RSeq", "41")))
    scene.answer(invite, 183, fields=(reliably, ("RSeq", "43")))
    assert scene.take() == []
    scene.answer(invite, 183, fields=(reliably, ("RSeq", "42")), body=ANSWER)
    assert scene.request().rack == (42, 1, "INVITE")
    assert [n.body for n in scene.news if isinstance(n, CallProgress)] == [None, ANSWER]


def test_update_in_the_early_dialog_once_the_answer_has_come() -> None:
    """RFC 3311 §5.2: before that, 491."""
    scene = Scene()
    _, invite = scene.call()
    tag = invite.from_.tag
    scene.answer(invite, 180, fields=(("Require", "100rel"), ("RSeq", "1")))
    prack = scene.request()
    scene.answer(prack, 200)
    call_id = (("Call-ID", invite.call_id),)
    scene.within("UPDATE", cseq=1, tag=tag, fields=call_id, body=OFFER)
    assert scene.statuses() == [491]

    scene.answer(invite, 183, fields=(("Require", "100rel"), ("RSeq", "2")), body=ANSWER)
    scene.take()
    scene.news.clear()
    scene.within("UPDATE", cseq=2, tag=tag, fields=call_id, body=OFFER)
    offer = scene.told(OfferReceived)
    scene.endpoint.answer_offer(offer.call, ANSWER, now=scene.now)
    scene.collect()
    assert scene.response().body == ANSWER


def test_bye_from_an_early_dialog_ends_the_call() -> None:
    scene = Scene()
    _, invite = scene.call()
    scene.answer(invite, 180)
    scene.news.clear()
    scene.within("BYE", cseq=1, tag=invite.from_.tag, fields=(("Call-ID", invite.call_id),))
    assert sorted(map(str, scene.statuses())) == ["200", "CANCEL"]
    assert scene.told(CallEnded).how is Ended.REMOTE_BYE


# --- session timers, size, limits --------------------------------------------------------------


def test_422_is_tried_again_with_the_interval_it_asks_for() -> None:
    """RFC 4028 §7.4: same Call-ID and From tag, higher CSeq."""
    scene = Scene()
    _, invite = scene.call()
    assert invite.session_expires is not None
    scene.answer(invite, 422, fields=(("Min-SE", "3600"),))
    ack, again = scene.take()
    assert ack.cseq.method == "ACK"
    assert again.session_expires == (3600, "")
    assert again.min_se == 3600
    assert (again.call_id, again.from_) == (invite.call_id, invite.from_)
    assert again.cseq.number == 2
    assert scene.news == []


def test_a_422_that_asks_for_nothing_new_is_a_refusal() -> None:
    scene = Scene()
    _, invite = scene.call()
    scene.answer(invite, 422)
    assert scene.told(CallEnded).status == 422


def test_the_interval_is_not_raised_for_ever() -> None:
    scene = Scene()
    _, invite = scene.call()
    for n in range(3):
        scene.answer(invite, 422, fields=(("Min-SE", str(2000 + n)),))
        message = scene.take()[-1]
        assert isinstance(message, Request)
        invite = message
    scene.answer(invite, 422, fields=(("Min-SE", "3000"),))
    assert scene.told(CallEnded).status == 422


def large(scene: Scene) -> str:
    name = scene.endpoint.invite(
        OVER_UDP,
        "sip:peer@192.0.2.9:5062",
        b"v" * 1300,
        identity=OURSELVES,
        timeout=60,
        now=scene.now,
    )
    scene.collect()
    return name


def test_on_a_narrow_way_a_request_is_large_sooner() -> None:
    """RFC 3261 §18.1.1: within 200 bytes of the MTU, such as that of a tunnel."""
    for mtu, transport in ((1500, "UDP"), (700, "TCP"), (9000, "UDP")):
        scene = Scene()
        for learnt in (700, mtu):
            scene.endpoint.learn_mtu(PEER.host, learnt)
        _, invite = scene.call()
        assert 500 < len(bytes(invite)) < 1300
        assert invite.via.transport == transport, mtu


def test_how_many_narrow_ways_are_remembered_is_bounded() -> None:
    scene = Scene()
    for n in range(MAX_MTUS + 1):
        scene.endpoint.learn_mtu(f"192.0.2.{n}", 500)
    for host, known in (("192.0.2.0", False), ("192.0.2.1", True)):
        flow = replace(scene.flow, remote=Address(host, 5060))
        scene.endpoint.invite(flow, "sip:peer@h", OFFER, identity=OURSELVES, timeout=9.0, now=0.0)
        scene.collect()
        assert (scene.sends[-1].flow.transport is Transport.TCP) is known


def test_a_large_request_goes_over_tcp_and_over_udp_if_there_is_none() -> None:
    """RFC 3261 §18.1.1."""
    scene = Scene()
    large(scene)
    (send,) = scene.sends
    assert send.flow.transport is Transport.TCP
    assert scene.request().via.transport == "TCP"
    scene.endpoint.send_failed(send.flow, now=scene.now)
    scene.collect()
    (send,) = scene.sends
    assert send.flow == OVER_UDP
    assert scene.request().via.transport == "UDP"
    assert scene.news == []


def test_a_refusal_over_tcp_is_the_end_even_if_the_connection_breaks() -> None:
    """Nothing is tried over UDP that has been answered over TCP."""
    scene = Scene()
    large(scene)
    (send,) = scene.sends
    invite = scene.request()
    scene.answer(invite, 486)
    assert scene.statuses() == ["ACK"]
    scene.endpoint.send_failed(send.flow, now=scene.now)
    scene.collect()
    assert scene.take() == []
    assert scene.told(CallEnded).status == 486


def test_large_requests_can_stay_on_udp() -> None:
    scene = Scene(SipSettings(udp_to_tcp=False))
    large(scene)
    assert scene.request().via.transport == "UDP"


def test_there_is_a_limit_to_calls() -> None:
    scene = Scene(SipSettings(max_calls=1))
    scene.call()
    with pytest.raises(LocalProtocolError, match="too many calls"):
        scene.call()


@pytest.mark.parametrize("uri", ["", "tel:112", "sips:", "sip:"])
def test_only_sip_uris_can_be_called(uri: str) -> None:
    scene = Scene()
    with pytest.raises(LocalProtocolError):
        scene.endpoint.invite(OVER_UDP, uri, OFFER, identity=OURSELVES, timeout=60, now=0.0)


def test_a_call_of_ours_ends_when_its_time_is_over() -> None:
    scene = Scene(SipSettings(end_calls_after=30))
    scene.reach()
    scene.until(30.0)
    assert scene.statuses() == ["BYE"]
    assert scene.told(CallEnded).how is Ended.LOCAL_BYE


def test_over_tcp_the_dialog_uses_the_connection_again() -> None:
    scene = Scene(flow=TCP)
    call = scene.reach()
    scene.endpoint.hang_up(call, now=scene.now)
    scene.collect()
    (send,) = scene.sends
    assert send.flow.connection == TCP.connection
    assert scene.request().via.transport == "TCP"


def test_a_lost_connection_fails_what_waits_on_it() -> None:
    scene = Scene(flow=TCP)
    scene.call()
    scene.endpoint.send_failed(TCP, now=scene.now)
    scene.collect()
    assert scene.told(CallEnded).how is Ended.UNREACHABLE
