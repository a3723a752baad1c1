"""Incoming calls, as a peer on the wire sees them."""

import pytest

from sipstrobe.sip.message import Response
from sipstrobe.sip.outputs import (
    AnswerReceived,
    CallConfirmed,
    CallEnded,
    Ended,
    IncomingCall,
    OfferReceived,
)
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address
from tests.sip.scene import ANSWER, OFFER, Scene

RELIABLY = (("Require", "100rel"),)
IF_ABLE = (("Supported", "100rel"),)


def test_a_call_is_answered_confirmed_and_ended_by_the_caller() -> None:
    scene = Scene()
    scene.invite()
    incoming = scene.told(IncomingCall)
    assert incoming.body == OFFER
    scene.endpoint.accept(incoming.call, ANSWER, now=scene.now)
    scene.collect()
    ok = scene.response()
    assert (ok.status, ok.body, ok.content_type) == (200, ANSWER, "application/sdp")
    assert str(ok.contacts[0].uri) == "sip:1001@192.0.2.1:5060"

    scene.hear(scene.ack(ok))
    assert scene.told(CallConfirmed) == CallConfirmed(incoming.call, None)
    scene.tag = ok.to.tag
    scene.within("BYE", cseq=2)

    assert scene.statuses() == [200]
    assert scene.told(CallEnded).how is Ended.REMOTE_BYE
    scene.pass_(40)
    assert scene.endpoint.idle


def test_100_is_sent_when_the_phone_does_not_answer_within_200_ms() -> None:
    """RFC 3261 §17.2.1; §8.2.6.1: with the Timestamp of the request and no tag."""
    scene = Scene()
    scene.invite(fields=(("Timestamp", "54.1"),))
    scene.pass_(0.2)
    trying = scene.response()
    assert trying.status == 100
    assert trying.headers.all("Timestamp") == ("54.1",)
    assert trying.to.tag == ""


def test_a_repeated_invite_never_starts_anything_twice() -> None:
    """RFC 3261 §17.2.1, RFC 6026 §7.1: before the answer, after it, and after the ACK."""
    scene = Scene()
    invite = scene.invite()
    call = scene.told(IncomingCall).call
    scene.endpoint.ring(call, now=scene.now)
    scene.collect()
    scene.hear(invite)
    assert scene.statuses() == [180, 180]
    scene.endpoint.accept(call, ANSWER, now=scene.now)
    scene.collect()
    ok = scene.response()
    scene.hear(invite)
    scene.hear(scene.ack(ok))
    scene.hear(invite)

    assert scene.take() == []
    scene.told(CallConfirmed)
    assert scene.endpoint.counters.absorbed == 3


def test_the_200_is_repeated_until_the_ack() -> None:
    """RFC 3261 §13.3.1.4: T1, 2*T1 … T2; the same bytes each time."""
    scene = Scene()
    scene.invite()
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    first = bytes(scene.response())
    seen: list[float] = []
    while scene.now < 8:
        scene.pass_(0.25)
        for message in scene.take():
            assert bytes(message) == first
            seen.append(scene.now)
    assert seen == [0.5, 1.5, 3.5, 7.5]


def test_a_200_that_is_never_acknowledged_ends_the_call_with_bye() -> None:
    scene = Scene()
    scene.invite()
    scene.told(IncomingCall)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.until(31.9)
    scene.take()
    scene.until(32.0)

    assert scene.told(CallEnded).how is Ended.NO_ACK
    assert scene.statuses() == ["BYE"]
    scene.pass_(100)
    assert scene.endpoint.idle


@pytest.mark.parametrize("rings", [False, True])
def test_cancel_before_the_answer(rings: bool) -> None:
    """RFC 3261 §9.2: 200 to CANCEL, 487 to INVITE, both with the same tag."""
    scene = Scene()
    invite = scene.invite()
    scene.told(IncomingCall)
    if rings:
        scene.endpoint.ring("in-1", now=scene.now)
        scene.collect()
        scene.take()
    scene.hear(scene.draft("CANCEL", branch=invite.via.branch))

    to_cancel, to_invite = scene.take()
    assert isinstance(to_cancel, Response)
    assert isinstance(to_invite, Response)
    assert (to_cancel.status, to_cancel.cseq.method) == (200, "CANCEL")
    assert (to_invite.status, to_invite.cseq.method) == (487, "INVITE")
    assert to_cancel.to.tag == to_invite.to.tag != ""
    assert scene.told(CallEnded) == CallEnded(
        "in-1", Ended.CANCELLED, 487, "the caller has given up"
    )
    scene.hear(scene.draft("ACK", branch=invite.via.branch, to_tag=to_invite.to.tag))
    scene.pass_(40)
    assert scene.statuses() == []
    assert scene.endpoint.idle


def test_cancel_after_the_answer_changes_nothing() -> None:
    """RFC 3261 §9.2: the race of CANCEL and 200; the caller will say BYE."""
    scene = Scene()
    invite = scene.invite()
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    ok = scene.response()
    scene.news.clear()
    scene.hear(scene.draft("CANCEL", branch=invite.via.branch))
    assert scene.statuses() == [200]
    assert scene.news == []
    scene.hear(scene.ack(ok))
    scene.told(CallConfirmed)


def test_cancel_for_nothing_known_is_answered_481() -> None:
    scene = Scene()
    scene.hear(scene.draft("CANCEL"))
    assert scene.statuses() == [481]


def test_a_rejected_call() -> None:
    scene = Scene()
    invite = scene.invite()
    scene.told(IncomingCall)
    scene.endpoint.reject("in-1", 486, headers=(("Retry-After", "30"),), now=scene.now)
    scene.collect()
    assert scene.told(CallEnded).status == 486
    busy = scene.response()
    assert (busy.status, busy.retry_after) == (486, 30)
    scene.pass_(0.5)
    assert scene.statuses() == [486]  # RFC 3261 §17.2.1: until ACK
    scene.hear(scene.draft("ACK", branch=invite.via.branch, to_tag=busy.to.tag))
    scene.pass_(40)
    assert scene.statuses() == []
    assert scene.endpoint.idle


def test_a_call_that_nobody_answers_is_refused_in_time() -> None:
    scene = Scene(SipSettings(ringing_timeout=20))
    scene.invite()
    scene.told(IncomingCall)
    scene.until(20.0)
    assert scene.statuses() == [100, 480]
    assert scene.told(CallEnded).how is Ended.NO_ANSWER


def test_an_invite_with_expires_is_refused_487_when_that_has_passed() -> None:
    """RFC 3261 §13.3.1."""
    scene = Scene()
    scene.invite(fields=(("Expires", "5"),))
    scene.until(5.0)
    assert scene.statuses() == [100, 487]


def test_ringing_is_repeated_each_minute() -> None:
    """RFC 3261 §13.3.1.1: or proxies on the way give up."""
    scene = Scene(SipSettings(ringing_timeout=150))
    scene.invite()
    scene.endpoint.ring("in-1", now=scene.now)
    scene.until(149)
    assert scene.statuses() == [180, 180, 180]


def test_bye_in_the_early_dialog_ends_the_call() -> None:
    """RFC 3261 §15: a caller may; what waits is answered 487 (§15.1.2)."""
    scene = Scene()
    scene.invite()
    scene.told(IncomingCall)
    scene.endpoint.ring("in-1", now=scene.now)
    scene.collect()
    tag = scene.response().to.tag
    scene.within("BYE", cseq=2, tag=tag)
    assert scene.statuses() == [200, 487]
    assert scene.told(CallEnded).how is Ended.REMOTE_BYE


def test_bye_before_the_ack_ends_the_repetition_of_the_200() -> None:
    scene = Scene()
    scene.invite()
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    scene.within("BYE", cseq=2, tag=scene.response().to.tag)
    assert scene.statuses() == [200]
    scene.pass_(40)
    assert scene.statuses() == []
    assert scene.endpoint.idle


def test_hanging_up_waits_for_the_ack_with_its_bye() -> None:
    """RFC 3261 §15: the callee may not send BYE before it has the ACK."""
    scene = Scene()
    scene.invite()
    scene.told(IncomingCall)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.endpoint.hang_up("in-1", now=scene.now)
    scene.collect()
    assert scene.told(CallEnded).how is Ended.LOCAL_BYE
    assert scene.endpoint.calls == ()
    ok = scene.response()
    scene.hear(scene.ack(ok))
    bye = scene.request()
    assert bye.method == "BYE"
    assert bye.uri == "sip:peer@192.0.2.9:5062"
    scene.answer(bye, 200)
    scene.pass_(40)
    assert scene.news == []
    assert scene.endpoint.idle


def test_hanging_up_a_ringing_call_refuses_it() -> None:
    scene = Scene()
    scene.invite()
    scene.told(IncomingCall)
    scene.endpoint.hang_up("in-1", status=603, now=scene.now)
    scene.collect()
    assert scene.statuses() == [603]
    assert scene.told(CallEnded).how is Ended.REJECTED


@pytest.mark.parametrize(
    ("limit", "after", "lasts"), [(600, None, 600), (600, 30, 30), (20, 30, 20)]
)
def test_the_shorter_of_both_limits_ends_an_incoming_call(
    limit: int, after: int | None, lasts: int
) -> None:
    scene = Scene(SipSettings(incoming_duration_limit=limit, end_calls_after=after))
    scene.establish()
    scene.until(lasts - 0.1)
    assert scene.take() == []
    scene.until(lasts)
    assert scene.statuses() == ["BYE"]
    assert scene.told(CallEnded).how is Ended.LOCAL_BYE


def test_the_limit_too_waits_for_the_ack_with_its_bye() -> None:
    """RFC 3261 §15."""
    scene = Scene(SipSettings(end_calls_after=1))
    scene.invite()
    scene.told(IncomingCall)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    ok = scene.response()
    scene.until(1.4)
    assert scene.told(CallEnded).how is Ended.LOCAL_BYE
    assert scene.statuses() == [200]
    scene.hear(scene.ack(ok))
    assert scene.statuses() == ["BYE"]


def test_a_call_without_offer_gets_ours_and_answers_in_the_ack() -> None:
    """RFC 3261 §13.2.1."""
    scene = Scene()
    scene.invite(body=b"")
    assert scene.told(IncomingCall).body is None
    scene.endpoint.accept("in-1", OFFER, now=scene.now)
    scene.collect()
    ok = scene.response()
    assert ok.body == OFFER
    scene.hear(scene.ack(ok, body=ANSWER))
    assert scene.told(CallConfirmed).body == ANSWER


def test_a_call_through_two_proxies_goes_back_through_both() -> None:
    """RFC 3261 §12.1.1: the route set in the order of Record-Route, copied into the 200."""
    scene = Scene()
    routes = (
        ("Record-Route", "<sip:192.0.2.51;lr>, <sip:p2.example.com:5070;lr>"),
        ("Record-Route", "<sip:p1.example.com;lr>"),
    )
    scene.invite(fields=routes)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    ok = scene.response()
    assert len(ok.record_routes) == 3
    scene.hear(scene.ack(ok))
    scene.endpoint.hang_up("in-1", now=scene.now)
    scene.collect()
    assert scene.sends[0].flow.remote == Address("192.0.2.51", 5060)
    bye = scene.request()
    assert bye.uri == "sip:peer@192.0.2.9:5062"
    assert [r.uri.host for r in bye.routes] == ["192.0.2.51", "p2.example.com", "p1.example.com"]


def test_our_last_word_is_waited_for() -> None:
    scene = Scene()
    scene.invite()
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.endpoint.hang_up("in-1", now=scene.now)
    scene.collect()
    assert scene.endpoint.waiting  # for the ACK
    ok = scene.response()
    scene.hear(scene.ack(ok))
    assert scene.endpoint.waiting  # for the answer to BYE
    scene.answer(scene.request(), 200)
    assert not scene.endpoint.waiting


# --- RFC 3262 ----------------------------------------------------------------------------------


def test_ringing_is_reliable_if_the_caller_can() -> None:
    """RFC 3262 §3: repeated from T1 on, doubling, until PRACK; numbers rise by one."""
    scene = Scene()
    scene.invite(fields=IF_ABLE)
    scene.endpoint.ring("in-1", now=scene.now)
    scene.until(4.0)
    rings = scene.take()
    assert [m.rseq for m in rings] == [rings[0].rseq] * 4
    assert rings[0].tokens("Require") == ("100rel",)
    rseq, tag = rings[0].rseq, rings[0].to.tag
    assert rseq is not None

    scene.within("PRACK", cseq=2, fields=(("RAck", f"{rseq} 1 INVITE"),), tag=tag)
    assert scene.statuses() == [200]
    scene.endpoint.ring("in-1", now=scene.now)
    scene.collect()
    assert scene.take()[0].rseq == rseq + 1


@pytest.mark.parametrize("rack", ["1 1 INVITE", "{} 2 INVITE", "{} 1 UPDATE"])
def test_a_prack_for_something_else_is_answered_481(rack: str) -> None:
    scene = Scene()
    scene.invite(fields=IF_ABLE)
    scene.endpoint.ring("in-1", now=scene.now)
    scene.collect()
    ringing = scene.response()
    field = ("RAck", rack.format(ringing.rseq))
    scene.within("PRACK", cseq=2, fields=(field,), tag=ringing.to.tag)
    assert scene.statuses() == [481]


def test_reliable_ringing_that_is_never_acknowledged_refuses_the_call() -> None:
    """RFC 3262 §3: after 64*T1, with a 5xx."""
    scene = Scene()
    scene.invite(fields=RELIABLY)
    scene.told(IncomingCall)
    scene.endpoint.ring("in-1", now=scene.now)
    scene.until(32.0)
    assert scene.statuses() == [180] * 7 + [504]
    assert scene.told(CallEnded).how is Ended.UNREACHABLE


def test_a_200_waits_for_the_prack_of_an_early_answer() -> None:
    """RFC 3262 §5: and then has no session description, as all has been said."""
    scene = Scene()
    scene.invite(fields=IF_ABLE)
    scene.endpoint.ring("in-1", body=ANSWER, now=scene.now)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    progress = scene.response()
    assert (progress.status, progress.body) == (183, ANSWER)

    rack = ("RAck", f"{progress.rseq} 1 INVITE")
    scene.within("PRACK", cseq=2, fields=(rack,), tag=progress.to.tag)

    to_prack, to_invite = scene.take()
    assert (to_prack.cseq.method, to_invite.cseq.method) == ("PRACK", "INVITE")
    assert to_invite.body == b""


def test_an_offer_in_prack_is_answered_in_its_200() -> None:
    scene = Scene()
    scene.invite(fields=IF_ABLE)
    scene.told(IncomingCall)
    scene.endpoint.ring("in-1", body=ANSWER, now=scene.now)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    progress = scene.response()
    rack = ("RAck", f"{progress.rseq} 1 INVITE")
    scene.within("PRACK", cseq=2, fields=(rack,), body=OFFER, tag=progress.to.tag)
    assert scene.told(OfferReceived).body == OFFER

    scene.endpoint.answer_offer("in-1", b"v=0 second", now=scene.now)
    scene.collect()
    to_prack, to_invite = scene.take()
    assert to_prack.body == b"v=0 second"
    assert to_invite.cseq.method == "INVITE"


def test_an_offer_in_prack_before_the_first_is_answered_is_refused() -> None:
    """RFC 3264 §4: one offer at a time."""
    scene = Scene()
    scene.invite(fields=IF_ABLE)
    scene.endpoint.ring("in-1", now=scene.now)
    scene.collect()
    ringing = scene.response()
    rack = ("RAck", f"{ringing.rseq} 1 INVITE")
    scene.within("PRACK", cseq=2, fields=(rack,), body=OFFER, tag=ringing.to.tag)
    assert scene.statuses() == [488]


def test_our_early_offer_is_answered_in_prack() -> None:
    scene = Scene()
    scene.invite(fields=RELIABLY, body=b"")
    scene.told(IncomingCall)
    scene.endpoint.ring("in-1", body=OFFER, now=scene.now)
    scene.collect()
    progress = scene.response()
    assert progress.body == OFFER
    rack = ("RAck", f"{progress.rseq} 1 INVITE")
    scene.within("PRACK", cseq=2, fields=(rack,), body=ANSWER, tag=progress.to.tag)
    assert scene.told(AnswerReceived) == AnswerReceived("in-1", 200, ANSWER)
    assert scene.statuses() == [200]
    scene.endpoint.accept("in-1", OFFER, now=scene.now)
    scene.collect()
    assert scene.response().body == b""


def test_a_second_ringing_waits_for_the_prack_of_the_first() -> None:
    """RFC 3262 §3: one at a time."""
    scene = Scene()
    scene.invite(fields=IF_ABLE)
    scene.endpoint.ring("in-1", now=scene.now)
    scene.endpoint.ring("in-1", body=ANSWER, now=scene.now)
    scene.collect()
    ringing = scene.response()
    rack = ("RAck", f"{ringing.rseq} 1 INVITE")
    scene.within("PRACK", cseq=2, fields=(rack,), tag=ringing.to.tag)
    assert scene.statuses() == [200, 183]
