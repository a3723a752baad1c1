"""Changing a running call (RFC 3261 §14, RFC 3311) and keeping it alive (RFC 4028)."""

import pytest
from msgspec.structs import replace

from sipstrobe.errors import LocalProtocolError
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import (
    AnswerReceived,
    CallEnded,
    Ended,
    InfoAnswered,
    InfoReceived,
    OfferReceived,
)
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address
from tests.sip.scene import ANSWER, OFFER, UDP, Fields, Scene

TIMER = (("Supported", "timer"),)
UPDATES = (("Allow", "INVITE, ACK, BYE, UPDATE"),)


# --- offers of the peer ------------------------------------------------------------------------


def test_the_peer_puts_us_on_hold_and_takes_us_back() -> None:
    scene = Scene()
    call = scene.establish()
    for cseq in (2, 3):
        scene.within("INVITE", cseq=cseq, body=b"v=0 hold")
        assert scene.told(OfferReceived).body == b"v=0 hold"
        scene.endpoint.answer_offer(call, b"v=0 held", now=scene.now)
        scene.collect()
        ok = scene.response()
        assert (ok.status, ok.body) == (200, b"v=0 held")
        scene.pass_(0.5)
        assert scene.response() == ok  # repeated until ACK
        scene.hear(scene.ack(ok))
        scene.pass_(10)
        assert scene.take() == []
    assert scene.endpoint.calls == (call,)


def test_a_re_invite_moves_the_remote_target() -> None:
    """RFC 3261 §12.2.2."""
    scene = Scene()
    call = scene.establish()
    moved = (("Contact", "<sip:peer@192.0.2.77:5099>"),)
    scene.within("INVITE", cseq=2, fields=moved, body=OFFER)
    scene.endpoint.answer_offer(call, ANSWER, now=scene.now)
    scene.collect()
    scene.hear(scene.ack(scene.response()))
    scene.endpoint.hang_up(call, now=scene.now)
    scene.collect()
    assert scene.sends[0].flow.remote.host == "192.0.2.77"
    assert scene.request().uri == "sip:peer@192.0.2.77:5099"


def test_a_refused_re_invite_leaves_the_call_as_it_was() -> None:
    """RFC 3261 §14.2."""
    scene = Scene()
    call = scene.establish()
    moved = (("Contact", "<sip:peer@192.0.2.77:5099>"),)
    invite = scene.within("INVITE", cseq=2, fields=moved, body=OFFER)
    scene.endpoint.reject_offer(call, 488, now=scene.now)
    scene.collect()
    refusal = scene.response()
    assert refusal.status == 488
    scene.hear(scene.draft("ACK", cseq=2, branch=invite.via.branch, to_tag=scene.tag))
    scene.endpoint.hang_up(call, now=scene.now)
    scene.collect()
    assert scene.request().uri == "sip:peer@192.0.2.9:5062"


def test_a_re_invite_without_offer_gets_one_of_ours() -> None:
    scene = Scene()
    call = scene.establish()
    scene.within("INVITE", cseq=2)
    assert scene.told(OfferReceived).body is None
    scene.endpoint.answer_offer(call, OFFER, now=scene.now)
    scene.collect()
    ok = scene.response()
    scene.within("INVITE", cseq=3, body=OFFER)
    assert scene.statuses() == [491]  # our offer has no answer yet
    scene.hear(scene.ack(ok, body=ANSWER))
    assert scene.told(AnswerReceived) == AnswerReceived(call, 200, ANSWER)


def test_a_second_re_invite_while_one_waits_is_answered_500() -> None:
    """RFC 3261 §14.2: with Retry-After between 0 and 10 seconds."""
    scene = Scene()
    scene.establish()
    scene.within("INVITE", cseq=2, body=OFFER)
    scene.within("INVITE", cseq=3, body=OFFER)
    answer = scene.response()
    assert answer.status == 500
    assert answer.retry_after is not None
    assert 0 <= answer.retry_after <= 10


def test_a_cancelled_re_invite_is_answered_487_and_the_call_goes_on() -> None:
    scene = Scene()
    call = scene.establish()
    invite = scene.within("INVITE", cseq=2, body=OFFER)
    scene.hear(scene.draft("CANCEL", cseq=2, branch=invite.via.branch, to_tag=scene.tag))
    assert scene.statuses() == [200, 487]
    scene.endpoint.answer_offer(call, ANSWER, now=scene.now)  # too late: no effect
    scene.collect()
    assert scene.take() == []
    assert scene.endpoint.calls == (call,)


def test_an_offer_that_the_phone_never_answers_is_refused() -> None:
    scene = Scene()
    scene.establish()
    scene.within("UPDATE", cseq=2, body=OFFER)
    scene.pass_(20)
    assert scene.statuses() == [500]


def test_a_re_invite_that_follows_a_lost_ack_counts_as_one() -> None:
    scene = Scene()
    scene.invite()
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    scene.tag = scene.response().to.tag
    scene.within("INVITE", cseq=2, body=OFFER)
    scene.endpoint.answer_offer("in-1", ANSWER, now=scene.now)
    scene.collect()
    ok = scene.response()
    scene.hear(scene.ack(ok))
    scene.pass_(40)
    assert scene.take() == []
    assert scene.endpoint.calls == ("in-1",)


def test_a_re_invite_during_the_first_is_answered_500() -> None:
    scene = Scene()
    scene.invite()
    scene.endpoint.ring("in-1", now=scene.now)
    scene.collect()
    tag = scene.response().to.tag
    scene.within("INVITE", cseq=2, body=OFFER, tag=tag)
    assert scene.statuses() == [500]


@pytest.mark.parametrize("body", [OFFER, b""])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_who_moves_where_we_cannot_follow_is_refused_at_once(method: str, body: bytes) -> None:
    """RFC 3311 §5.2: an UPDATE moves the remote target as a re-INVITE does."""
    scene = Scene()
    scene.establish()
    scene.within(method, cseq=2, fields=(("Contact", "<tel:+4930123>"),), body=body)
    assert scene.statuses() == [400]
    assert scene.news == []  # our phone is not asked
    scene.pass_(60)
    assert scene.endpoint.transactions == 0


def test_update_with_an_offer_and_without() -> None:
    """RFC 3311 §5.2."""
    scene = Scene()
    call = scene.establish()
    scene.within("UPDATE", cseq=2)
    assert scene.statuses() == [200]
    assert scene.news == []
    scene.within("UPDATE", cseq=3, body=OFFER)
    scene.told(OfferReceived)
    scene.endpoint.answer_offer(call, ANSWER, now=scene.now)
    scene.collect()
    assert scene.response().body == ANSWER


def test_bye_while_an_offer_waits_is_answered_and_so_is_the_offer() -> None:
    """RFC 3261 §15.1.2."""
    scene = Scene()
    scene.establish()
    scene.within("INVITE", cseq=2, body=OFFER)
    scene.news.clear()
    scene.within("BYE", cseq=3)
    assert scene.statuses() == [200, 487]
    scene.told(CallEnded)


# --- offers of ours ----------------------------------------------------------------------------


def test_our_re_invite_is_acknowledged_and_its_answer_told() -> None:
    scene = Scene()
    call = scene.reach()
    scene.endpoint.reinvite(call, b"v=0 other", now=scene.now)
    scene.collect()
    invite = scene.request()
    assert (str(invite.cseq), invite.body) == ("2 INVITE", b"v=0 other")
    scene.answer(invite, 200, body=ANSWER)
    assert str(scene.request().cseq) == "2 ACK"
    assert scene.told(AnswerReceived) == AnswerReceived(call, 200, ANSWER)
    scene.answer(invite, 200, body=ANSWER)
    assert scene.statuses() == ["ACK"]
    assert scene.news == []


ELSEWHERE = replace(UDP, local=Address("198.51.100.7", 5060))


def test_a_call_goes_on_from_another_address_of_ours() -> None:
    """RFC 3261 §12.2.1.2: the peer learns by the re-INVITE where we are now."""
    scene = Scene()
    call = scene.reach()

    scene.endpoint.move(call, ELSEWHERE, b"v=0 other", now=scene.now)
    scene.collect()

    assert scene.sends[-1].flow == ELSEWHERE
    invite = scene.request()
    assert (invite.method, invite.body) == ("INVITE", b"v=0 other")
    assert str(invite.contacts[0].uri) == "sip:us@198.51.100.7:5060"
    scene.answer(invite, 200, body=ANSWER)
    assert scene.statuses() == ["ACK"]
    assert scene.told(AnswerReceived) == AnswerReceived(call, 200, ANSWER)
    scene.endpoint.hang_up(call, now=scene.now)
    scene.collect()
    assert scene.sends[-1].flow == ELSEWHERE
    assert scene.request().method == "BYE"


def test_only_an_answered_call_goes_on_from_another_address() -> None:
    scene = Scene()
    call, _ = scene.call()

    with pytest.raises(LocalProtocolError):
        scene.endpoint.move(call, ELSEWHERE, OFFER, now=scene.now)


@pytest.mark.parametrize("fields", [(), (("Allow", "INVITE, UPDATE"),)])
def test_a_public_address_that_has_changed_is_told_within_the_call(fields: Fields) -> None:
    """A translator has restarted; what the peer asks of us would not arrive any more."""
    scene = Scene()
    scene.reach(fields=fields)
    for port in (40000, 40000, 40001):
        scene.endpoint.mapped(UDP, Address("203.0.113.9", port), now=scene.now)
        scene.collect()
        if not scene.sent:
            continue
        request = scene.request()
        scene.taken.append(request)
        scene.answer(request, 200, body=ANSWER if request.body else b"")
        scene.take()

    assert [str(request.contacts[0].uri) for request in scene.taken] == [
        "sip:us@203.0.113.9:40000",
        "sip:us@203.0.113.9:40001",
    ]
    method = "UPDATE" if fields else "INVITE"
    assert {request.cseq.method for request in scene.taken} == {method}


def test_our_refused_re_invite_leaves_the_call_as_it_was() -> None:
    scene = Scene()
    call = scene.reach()
    scene.endpoint.reinvite(call, OFFER, now=scene.now)
    scene.collect()
    scene.answer(scene.request(), 488)
    assert scene.told(AnswerReceived) == AnswerReceived(call, 488, None)
    assert scene.endpoint.calls == (call,)


@pytest.mark.parametrize("status", [408, 481])
def test_a_peer_that_knows_of_no_call_ends_it(status: int) -> None:
    """RFC 3261 §12.2.1.2."""
    scene = Scene()
    call = scene.reach()
    scene.endpoint.reinvite(call, OFFER, now=scene.now)
    scene.collect()
    scene.answer(scene.request(), status)
    assert scene.told(CallEnded).how is Ended.UNREACHABLE
    assert scene.statuses() == ["ACK", "BYE"]


def test_a_re_invite_that_is_never_answered_ends_the_call() -> None:
    scene = Scene()
    call = scene.reach()
    scene.endpoint.reinvite(call, OFFER, now=scene.now)
    scene.pass_(32)
    assert scene.told(CallEnded).how is Ended.UNREACHABLE


def test_a_re_invite_that_only_rings_is_cancelled() -> None:
    scene = Scene(SipSettings(calling_timeout=10))
    call = scene.reach()
    scene.endpoint.reinvite(call, OFFER, now=scene.now)
    scene.collect()
    invite = scene.request()
    scene.answer(invite, 100)
    scene.pass_(10)
    assert scene.statuses() == ["CANCEL"]
    scene.answer(invite, 487)
    assert scene.told(AnswerReceived).status == 487
    assert scene.endpoint.calls == (call,)


@pytest.mark.parametrize(("ours", "least", "most"), [(True, 2.1, 4.0), (False, 0.0, 2.0)])
def test_glare_is_tried_again_after_a_while(ours: bool, least: float, most: float) -> None:
    """RFC 3261 §14.1: 2.1 to 4 s for who made the Call-ID, 0 to 2 s for the other."""
    scene = Scene()
    call = scene.reach() if ours else scene.establish()
    scene.endpoint.reinvite(call, OFFER, now=scene.now)
    scene.collect()
    first = scene.request()
    scene.answer(first, 491)
    scene.take()
    started = scene.now
    while not scene.sent:
        scene.pass_(0.01)
    assert least - 0.001 <= scene.now - started <= most + 0.011
    again = scene.request()
    assert again.cseq.number == first.cseq.number + 1
    assert again.body == OFFER
    assert scene.news == []


def test_a_re_invite_of_the_peer_during_ours_is_answered_491() -> None:
    """RFC 3261 §14.2."""
    scene = Scene()
    call = scene.establish()
    scene.endpoint.reinvite(call, OFFER, now=scene.now)
    scene.collect()
    scene.take()
    scene.within("INVITE", cseq=2, body=OFFER)
    scene.within("UPDATE", cseq=3, body=OFFER)
    assert scene.statuses() == [491, 491]


def test_our_re_invite_waits_for_what_is_under_way() -> None:
    scene = Scene()
    call = scene.establish()
    scene.within("INVITE", cseq=2, body=OFFER)
    scene.endpoint.reinvite(call, b"v=0 ours", now=scene.now)
    scene.endpoint.answer_offer(call, ANSWER, now=scene.now)
    scene.collect()
    ok = scene.response()
    scene.hear(scene.ack(ok))
    assert scene.request().body == b"v=0 ours"


def test_what_is_not_established_cannot_be_changed() -> None:
    scene = Scene()
    call, _ = scene.call()
    with pytest.raises(LocalProtocolError):
        scene.endpoint.reinvite(call, OFFER, now=scene.now)
    with pytest.raises(LocalProtocolError):
        scene.endpoint.info(call, "application/dtmf", b"1", now=scene.now)


# --- INFO --------------------------------------------------------------------------------------


def test_info_is_told_and_answered() -> None:
    """RFC 6086."""
    scene = Scene()
    call = scene.establish()
    relay = (("Content-Type", "application/dtmf-relay"),)
    request = scene.draft("INFO", cseq=2, to_tag=scene.tag, fields=relay, body=b"Signal=5")
    scene.hear(request)
    assert scene.statuses() == [200]
    assert scene.told(InfoReceived) == InfoReceived(call, "application/dtmf-relay", b"Signal=5")
    scene.hear(request)  # again
    assert scene.statuses() == [200]
    assert scene.news == []


def test_info_of_ours() -> None:
    scene = Scene()
    call = scene.reach()
    scene.endpoint.info(call, "application/dtmf-relay", b"Signal=5", now=scene.now)
    scene.collect()
    info = scene.request()
    assert (info.method, info.content_type, info.body) == (
        "INFO",
        "application/dtmf-relay",
        b"Signal=5",
    )
    scene.answer(info, 415)
    assert scene.told(InfoAnswered) == InfoAnswered(call, 415)
    assert scene.endpoint.calls == (call,)


# --- RFC 4028 ----------------------------------------------------------------------------------


def accepted(*fields: tuple[str, str], settings: SipSettings | None = None) -> Response:
    scene = Scene(settings)
    scene.invite(fields=fields)
    scene.endpoint.accept("in-1", ANSWER, now=scene.now)
    scene.collect()
    return scene.response()


@pytest.mark.parametrize(
    ("fields", "granted", "required"),
    [
        ((("Supported", "timer"), ("Session-Expires", "600")), (600, "uac"), True),
        ((("Supported", "timer"), ("Session-Expires", "600;refresher=uas")), (600, "uas"), False),
        ((("Supported", "timer"), ("x", "9000;refresher=uac")), (1800, "uac"), True),
        ((("Supported", "timer"), ("x", "9000"), ("Min-SE", "3000")), (3000, "uac"), True),
        ((("Supported", "timer"),), (1800, "uac"), True),
        ((), (1800, "uas"), False),
    ],
)
def test_what_a_callee_grants(
    fields: tuple[tuple[str, str], ...], granted: tuple[int, str], required: bool
) -> None:
    """RFC 4028 §9: not more than asked for; Require: timer if the caller has to refresh."""
    ok = accepted(*fields)
    assert ok.session_expires == granted
    assert ("timer" in ok.tokens("Require")) is required


def test_the_refresher_can_be_chosen() -> None:
    ok = accepted(*TIMER, settings=SipSettings(session_refresher="local"))
    assert ok.session_expires == (1800, "uas")


def test_too_brief_an_interval_is_answered_422() -> None:
    """RFC 4028 §9."""
    scene = Scene()
    scene.invite(fields=(*TIMER, ("Session-Expires", "30")))
    answer = scene.response()
    assert (answer.status, answer.min_se) == (422, 90)
    assert scene.news == []


def test_a_caller_that_does_not_refresh_is_taken_leave_of() -> None:
    """RFC 4028 §10: a little before the interval has passed."""
    scene = Scene()
    scene.establish(fields=(*TIMER, ("Session-Expires", "120;refresher=uac")))
    scene.until(87.9)
    assert scene.take() == []
    scene.until(88.0)
    assert scene.told(CallEnded).how is Ended.SESSION_EXPIRED
    assert scene.statuses() == ["BYE"]


def test_a_refresh_by_the_caller_begins_the_interval_anew() -> None:
    scene = Scene()
    scene.establish(fields=(*TIMER, ("Session-Expires", "120;refresher=uac")))
    for n in range(4):
        scene.pass_(60)
        fields = (*TIMER, ("Session-Expires", "120;refresher=uac"))
        scene.within("UPDATE", cseq=2 + n, fields=fields)
        ok = scene.response()
        assert ok.session_expires == (120, "uac")
    assert scene.news == []


def test_we_refresh_by_update_at_half_time() -> None:
    """RFC 4028 §7.2, §10."""
    scene = Scene(SipSettings(incoming_duration_limit=600))
    fields = (*TIMER, *UPDATES, ("Session-Expires", "120;refresher=uas"))
    scene.establish(fields=fields)
    for _ in range(3):
        scene.pass_(60)
        update = scene.request()
        assert (update.method, update.session_expires, update.body) == ("UPDATE", (120, "uac"), b"")
        scene.answer(update, 200, fields=(("Session-Expires", "120;refresher=uac"),))
    assert scene.news == []


def test_a_refresh_counts_though_it_names_a_contact_out_of_reach() -> None:
    """RFC 4028 §10: the call does not end for want of a refresh that was answered."""
    scene = Scene()
    call = scene.reach(fields=(*UPDATES, ("Session-Expires", "90;refresher=uac")))
    for _ in range(3):
        scene.pass_(45)
        update = scene.request()
        scene.answer(
            update,
            200,
            fields=(("Session-Expires", "90;refresher=uac"), ("Contact", "<tel:+4930123>")),
        )
    assert scene.endpoint.calls == (call,)


def test_a_session_that_is_granted_for_ever_is_not_waited_for_that_long() -> None:
    """RFC 4028 §4: a delta-seconds may be 136 years; a peer that vanishes is noticed before."""
    scene = Scene()
    scene.reach(fields=(*TIMER, ("Session-Expires", "4294967295;refresher=uas")))
    scene.pass_(86_400)
    assert scene.told(CallEnded).how is Ended.SESSION_EXPIRED


def test_we_refresh_by_re_invite_if_the_peer_knows_no_update() -> None:
    scene = Scene()
    scene.establish(fields=(*TIMER, ("Session-Expires", "120;refresher=uas")))
    scene.pass_(60)
    invite = scene.request()
    assert (invite.method, invite.body) == ("INVITE", ANSWER)
    scene.answer(invite, 200, fields=(("Session-Expires", "120;refresher=uac"),), body=OFFER)
    assert scene.statuses() == ["ACK"]
    scene.pass_(60)
    assert scene.request().method == "INVITE"


def test_an_update_that_is_refused_after_all_becomes_a_re_invite() -> None:
    scene = Scene()
    scene.establish(fields=(*TIMER, *UPDATES, ("Session-Expires", "120;refresher=uas")))
    scene.pass_(60)
    scene.answer(scene.request(), 405)
    assert scene.request().method == "INVITE"


def test_a_refresh_that_is_too_brief_for_the_way_is_tried_again() -> None:
    """RFC 4028 §7.4."""
    scene = Scene()
    scene.establish(fields=(*TIMER, *UPDATES, ("Session-Expires", "120;refresher=uas")))
    scene.pass_(60)
    scene.answer(scene.request(), 422, fields=(("Min-SE", "300"),))
    scene.pass_(5)
    assert scene.request().session_expires == (300, "uac")


def test_a_refresh_that_nobody_answers_ends_the_call() -> None:
    scene = Scene()
    scene.establish(fields=(*TIMER, *UPDATES, ("Session-Expires", "200;refresher=uas")))
    scene.pass_(100 + 32)
    assert scene.told(CallEnded).how is Ended.UNREACHABLE


def test_a_refresh_that_is_refused_each_time_ends_the_call_with_the_interval() -> None:
    scene = Scene()
    scene.establish(fields=(*TIMER, *UPDATES, ("Session-Expires", "120;refresher=uas")))
    while not scene.news:
        scene.pass_(1)
        for message in scene.take():
            if isinstance(message, Request) and message.method in ("UPDATE", "INVITE"):
                scene.answer(message, 500)
    assert scene.told(CallEnded).how is Ended.SESSION_EXPIRED
    assert scene.now == 88


def test_as_caller_we_do_what_the_200_says() -> None:
    scene = Scene()
    name, invite = scene.call()
    assert invite.session_expires == (1800, "")
    scene.answer(
        invite,
        200,
        fields=(("Session-Expires", "100;refresher=uac"), ("Require", "timer"), *UPDATES),
        body=ANSWER,
    )
    scene.take()
    scene.pass_(50)
    assert scene.request().method == "UPDATE"
    assert scene.endpoint.calls == (name,)


def test_as_caller_we_take_leave_of_a_callee_that_does_not_refresh() -> None:
    scene = Scene()
    scene.reach(fields=(("Session-Expires", "120;refresher=uas"),))
    scene.pass_(88)
    assert scene.told(CallEnded).how is Ended.SESSION_EXPIRED
