"""What the endpoint answers on its own: RFC 3261 §8.2, §11, RFC 3581, RFC 4475 where it matters."""

import pytest

from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import CallEnded, CloseConnection, IncomingCall, Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport
from sipstrobe.sip.uas import MAX_BEHIND
from tests.sip.scene import ANSWER, OFFER, PEER, SDP, TCP, US, Scene


def answered(request: Request, scene: Scene | None = None) -> Response:
    scene = scene or Scene()
    scene.hear(request)
    assert scene.news == []
    assert scene.endpoint.transactions == 0  # nothing is remembered
    return scene.response()


def test_options_tells_what_we_can() -> None:
    """RFC 3261 §11.2."""
    ok = answered(Scene().draft("OPTIONS"))
    assert ok.status == 200
    assert "INVITE" in ok.tokens("Allow")
    assert ok.headers.first("Accept") == "application/sdp, text/plain"
    assert ok.headers.first("Accept-Encoding") == "identity"
    assert ok.headers.first("Allow-Events") == "dialog"
    assert ok.tokens("Supported") == ("100rel", "timer", "answermode", "norefersub")
    assert ok.to.tag != ""


def test_a_repeated_request_gets_the_same_answer_and_tag() -> None:
    """RFC 3261 §8.2.7."""
    scene = Scene()
    options = scene.draft("OPTIONS")
    assert answered(options, scene) == answered(options, scene)


@pytest.mark.parametrize("method", ["REGISTER", "NOTIFY", "PUBLISH"])
def test_methods_that_are_not_for_us(method: str) -> None:
    refused = answered(Scene().draft(method))
    assert refused.status == 405
    assert "INVITE" in refused.tokens("Allow")


def test_a_method_that_nobody_knows() -> None:
    """RFC 3261 §21.5.2."""
    assert answered(Scene().draft("DANCE")).status == 501


def test_a_scheme_that_is_not_ours() -> None:
    """RFC 3261 §8.2.2.1."""
    assert answered(Scene().draft("INVITE", uri="tel:112")).status == 416
    assert answered(Scene().draft("OPTIONS", uri="nobodyKnows:totallyopaque")).status == 416


def test_an_extension_that_is_required_and_not_known() -> None:
    """RFC 3261 §8.2.2.3."""
    refused = answered(Scene().draft("INVITE", fields=(("Require", "timer, nothing, 100rel, x"),)))
    assert refused.status == 420
    assert refused.headers.first("Unsupported") == "nothing, x"


@pytest.mark.parametrize(
    "fields",
    [
        (("Content-Type", "text/plain"),),
        (("Content-Type", "application/sdp"), ("Content-Encoding", "gzip")),
    ],
)
def test_a_body_that_cannot_be_read(fields: tuple[tuple[str, str], ...]) -> None:
    """RFC 3261 §8.2.3."""
    refused = answered(Scene().draft("INVITE", fields=fields, body=b"x"))
    assert refused.status == 415
    assert refused.headers.first("Accept") == "application/sdp"
    assert refused.headers.first("Accept-Encoding") == "identity"


def test_an_optional_body_is_passed_over() -> None:
    scene = Scene()
    fields = (("Content-Type", "text/plain"), ("Content-Disposition", "icon;handling=optional"))
    scene.invite(fields=fields, body=b"x")
    assert scene.told(IncomingCall).body is None


def test_a_caller_that_cannot_read_our_answer() -> None:
    refused = answered(Scene().draft("INVITE", fields=(("Accept", "text/html"),)))
    assert refused.status == 406
    scene = Scene()
    scene.invite(fields=(("Accept", "text/html;q=0.1, application/*"),))
    scene.told(IncomingCall)


@pytest.mark.parametrize("method", ["BYE", "INFO", "UPDATE", "PRACK"])
@pytest.mark.parametrize("tag", ["", "unknown"])
def test_a_request_for_a_call_that_is_not(method: str, tag: str) -> None:
    """RFC 3261 §12.2.2, §15.1.2."""
    assert answered(Scene().draft(method, to_tag=tag)).status == 481


def test_an_invite_within_a_dialog_that_is_not() -> None:
    assert answered(Scene().draft("INVITE", to_tag="gone", body=OFFER)).status == 481


def test_a_request_that_may_go_no_further_and_is_for_somebody_else() -> None:
    """RFC 3261 §8.1.1.6; RFC 4475 §3.3.11."""
    last = (("Max-Forwards", "0"),)
    assert answered(Scene().draft("OPTIONS", fields=last, uri="sip:a@192.0.2.7")).status == 483
    assert answered(Scene().draft("OPTIONS", fields=last, uri="sip:a@192.0.2.1")).status == 200
    assert answered(Scene().draft("OPTIONS", fields=last, uri="sip:a@strobe.lan")).status == 200


def test_an_invite_that_came_on_two_paths() -> None:
    """RFC 3261 §8.2.2.2: the second one is answered 482."""
    scene = Scene()
    first = scene.invite()
    scene.told(IncomingCall)
    scene.hear(scene.draft("INVITE", body=OFFER))  # all the same, but another branch
    assert scene.statuses() == [482]
    assert scene.news == []
    scene.endpoint.reject("in-1", 486, now=scene.now)
    scene.collect()
    scene.hear(scene.draft("ACK", branch=first.via.branch))
    scene.pass_(40)
    assert scene.endpoint.idle


def test_an_invite_of_our_own_that_comes_back() -> None:
    scene = Scene()
    _, invite = scene.call()
    scene.hear(invite)
    assert scene.statuses() == [482]


@pytest.mark.parametrize(
    "field",
    [
        ("Contact", "<mailto:a@example.com>"),
        ("Contact", "<sip:"),
        ("Record-Route", "rubbish"),
        ("Session-Expires", "soon"),
        ("CSeq", "1 BYE"),
        ("CSeq", "x INVITE"),
        ("Max-Forwards", "300"),
    ],
)
def test_nonsense_is_answered_400(field: tuple[str, str]) -> None:
    assert answered(Scene().draft("INVITE", fields=(field,), body=OFFER)).status == 400


def test_an_invite_without_contact_is_answered_400() -> None:
    """RFC 3261 §8.1.1.8."""
    scene = Scene()
    raw = bytes(scene.draft("INVITE", body=OFFER)).replace(b"Contact:", b"X-Contact:")
    scene.hear(raw)
    assert scene.statuses() == [400]


def test_a_complaint_finds_its_way_back_through_a_nat() -> None:
    """RFC 3581 §4: what cannot be read is answered to where it came from, too."""
    scene = Scene()
    via = ("Via", "SIP/2.0/UDP 10.0.0.7:5099;branch=z9hG4bKx;rport")
    scene.hear(scene.draft("INVITE", fields=(via, ("CSeq", "x INVITE"))))
    (send,) = scene.sends
    assert send.flow.remote == PEER
    refused = scene.response()
    assert (refused.status, refused.via.received, refused.via.rport) == (400, "192.0.2.9", 5062)


def test_a_request_whose_via_cannot_be_read_is_answered_where_it_came_from() -> None:
    scene = Scene()
    scene.hear(scene.draft("OPTIONS", fields=(("Via", "SIP/2.0/UDP :;;=;rport"),)))
    assert [send.flow.remote for send in scene.sends] == [PEER]
    assert scene.statuses() == [400]


def test_a_version_that_is_not_ours() -> None:
    scene = Scene()
    scene.hear(bytes(scene.draft("OPTIONS")).replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1))
    assert scene.statuses() == [505]


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0\0\0\0", b"hello", b"\xff" * 100])
def test_noise_is_not_answered(data: bytes) -> None:
    scene = Scene()
    scene.hear(data)
    assert scene.take() == []


def test_a_request_out_of_order_is_answered_500() -> None:
    """RFC 3261 §12.2.2."""
    scene = Scene()
    scene.establish()
    scene.within("UPDATE", cseq=7)
    scene.within("UPDATE", cseq=6)
    assert scene.statuses() == [200, 500]


def test_options_within_a_call() -> None:
    scene = Scene()
    call = scene.establish()
    scene.within("OPTIONS", cseq=2)
    assert scene.statuses() == [200]
    assert scene.endpoint.calls == (call,)


def test_responses_tell_where_the_request_came_from() -> None:
    """RFC 3261 §18.2.1, RFC 3581 §4."""
    scene = Scene()
    via = (("Via", "SIP/2.0/UDP 10.0.0.7:5099;branch=z9hG4bKx;rport"),)
    scene.hear(scene.draft("OPTIONS", fields=via))
    (send,) = scene.sends
    assert send.flow.remote == PEER
    top = scene.response().via
    assert (top.received, top.rport) == ("192.0.2.9", 5062)


def test_ipv6_addresses_have_their_brackets() -> None:
    us, peer = Address("2001:db8::1", 5060), Address("2001:db8::9", 5062)
    scene = Scene(flow=Flow(Transport.UDP, us, peer))
    via = (("Via", "SIP/2.0/UDP [2001:db8::9]:5062;branch=z9hG4bKx"),)
    contact = (("Contact", "<sip:peer@[2001:db8::9]:5062>"),)
    scene.hear(scene.draft("INVITE", fields=via + contact, body=OFFER))
    scene.endpoint.accept("in-1", ANSWER, now=0.0)
    scene.collect()
    ok = scene.response()
    assert str(ok.contacts[0].uri) == "sip:1001@[2001:db8::1]:5060"
    scene.hear(scene.ack(ok))
    scene.endpoint.hang_up("in-1", now=0.0)
    scene.collect()
    assert scene.sends[0].flow.remote == peer
    bye = scene.request()
    assert (bye.via.host, bye.via.port) == ("2001:db8::1", 5060)


# --- RFC 2543 ----------------------------------------------------------------------------------


def test_a_caller_of_rfc_2543_is_known_by_more_than_its_branch() -> None:
    """RFC 3261 §17.2.3: without the magic cookie."""
    scene = Scene()
    via = ("Via", "SIP/2.0/UDP 192.0.2.9:5062;branch=1")
    scene.hear(scene.draft("INVITE", fields=(via,), body=OFFER))
    scene.hear(scene.draft("INVITE", fields=(via,), body=OFFER))
    call = scene.told(IncomingCall).call
    scene.hear(scene.draft("INVITE", fields=(via,), body=OFFER, call_id="call-2"))
    assert scene.told(IncomingCall).call != call
    scene.take()

    scene.endpoint.reject(call, 486, now=scene.now)
    scene.collect()
    busy = scene.response()
    scene.hear(scene.draft("ACK", fields=(via,), to_tag=busy.to.tag))
    scene.pass_(0.5)
    assert 486 not in scene.statuses()


def test_a_cancel_of_rfc_2543_finds_its_invite() -> None:
    scene = Scene()
    via = ("Via", "SIP/2.0/UDP 192.0.2.9:5062")
    scene.hear(scene.draft("INVITE", fields=(via,), body=OFFER))
    scene.hear(scene.draft("CANCEL", fields=(via,)))
    assert scene.statuses() == [200, 487]


# --- TCP ---------------------------------------------------------------------------------------


def test_a_call_over_tcp_cut_at_every_byte() -> None:
    scene = Scene(flow=TCP)
    for byte in bytes(scene.draft("INVITE", body=OFFER)):
        scene.endpoint.receive_stream(bytes([byte]), TCP, now=scene.now)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    assert scene.sends[0].flow == TCP
    assert str(scene.response().contacts[0].uri) == "sip:1001@192.0.2.1:5060;transport=tcp"


def test_two_messages_in_one_piece_and_a_keep_alive() -> None:
    """RFC 5626 §3.5.1."""
    scene = Scene(flow=TCP)
    both = bytes(scene.draft("OPTIONS")) + bytes(scene.draft("OPTIONS"))
    scene.hear(both)
    assert scene.statuses() == [200, 200]
    scene.endpoint.receive_stream(b"\r\n\r\n", TCP, now=scene.now)
    assert scene.endpoint.outbox.popleft() == Send(TCP, b"\r\n")


def test_a_flood_of_keep_alives_is_answered_once_a_breath() -> None:
    scene = Scene()
    scene.endpoint.receive_stream(b"\r\n" * 2000, TCP, now=scene.now)
    assert list(scene.endpoint.outbox) == [Send(TCP, b"\r\n")]


def test_a_connection_on_which_framing_is_lost_is_closed() -> None:
    scene = Scene(flow=TCP)
    scene.endpoint.receive_stream(b"OPTIONS sip:a SIP/2.0\r\nX: y\r\n\r\n", TCP, now=scene.now)
    assert scene.endpoint.outbox.popleft() == CloseConnection(7)


def test_when_the_connection_is_gone_the_response_takes_another() -> None:
    """RFC 3261 §18.2.2."""
    scene = Scene(flow=TCP)
    scene.invite()
    scene.endpoint.connection_closed(7, now=scene.now)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    (send,) = scene.sends
    assert send.flow == Flow(Transport.TCP, US, Address("192.0.2.9", 5062))


# --- bounds ------------------------------------------------------------------------------------


def test_more_calls_than_allowed_find_us_busy() -> None:
    scene = Scene(SipSettings(max_calls=2))
    for n in range(3):
        scene.invite(call_id=f"call-{n}")
    refused = scene.response()
    assert (refused.status, refused.retry_after) == (486, 5)
    assert scene.endpoint.calls == ("in-1", "in-2")
    assert scene.endpoint.counters.overloaded == 1


def test_more_transactions_than_allowed_are_told_to_come_back_but_bye_is_heard() -> None:
    scene = Scene(max_transactions=2)
    scene.establish()
    scene.within("INFO", cseq=2, fields=(("Content-Type", "application/dtmf"),))
    scene.within("INFO", cseq=3, fields=(("Content-Type", "application/dtmf"),))
    scene.invite(call_id="call-2")
    scene.within("BYE", cseq=4)
    assert scene.statuses() == [200, 503, 503, 200]
    scene.told(CallEnded)


def test_who_is_behind_takes_on_no_new_calls_and_serves_the_running_ones() -> None:
    """RFC 3261 §21.5.4: a call that waited until its caller would repeat it is refused."""
    scene = Scene()
    scene.establish()
    scene.until(10.0)
    for request in (
        scene.draft("INVITE", call_id="late", fields=SDP, body=OFFER),
        scene.draft("OPTIONS", call_id="question"),
    ):
        late = scene.now - MAX_BEHIND - 0.01
        scene.endpoint.receive(bytes(request), scene.flow, received_at=late, now=scene.now)
    scene.collect()
    scene.within("BYE", cseq=2)
    scene.invite(call_id="in-time")

    assert scene.statuses() == [503, 200, 200]
    assert scene.endpoint.calls == ("in-2",)


def test_a_flood_of_requests_without_a_call_leaves_nothing_behind() -> None:
    scene = Scene()
    for n in range(200):
        scene.hear(scene.draft("OPTIONS", call_id=f"flood-{n}"))
        scene.hear(scene.draft("BYE", call_id=f"flood-{n}", to_tag="x"))
        scene.hear(scene.draft("ACK", call_id=f"flood-{n}", to_tag="x"))
        scene.hear(scene.draft("INVITE", call_id=f"flood-{n}", fields=(("Require", "x"),)))
    assert scene.endpoint.idle
    assert scene.endpoint.counters.stray == 200


def test_settings_take_effect_while_calls_go_on() -> None:
    scene = Scene()
    call = scene.establish()
    scene.endpoint.apply(SipSettings(max_calls=1), now=scene.now)
    scene.invite(call_id="call-2")
    assert scene.statuses() == [486]
    assert scene.endpoint.calls == (call,)


def test_a_response_to_nothing_is_dropped() -> None:
    scene = Scene()
    options = scene.draft("OPTIONS")
    scene.answer(options, 200)
    assert scene.take() == []
    assert scene.endpoint.counters.stray == 1
