"""Two endpoints on a bad link: whatever happens to their messages, both come to the same end."""

import gc
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.sip.dialog import Dialog
from sipstrobe.sip.exchange import Asking, Serving
from sipstrobe.sip.identity import Identity
from sipstrobe.sip.message import Request
from sipstrobe.sip.outputs import (
    AnswerReceived,
    CallAccepted,
    CallConfirmed,
    CallEnded,
    Ended,
    IncomingCall,
    OfferReceived,
    Output,
)
from sipstrobe.sip.session import Session
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transaction import Transaction
from sipstrobe.sip.transport import Transport
from tests.support.link import Link, Side, at_once

OFFER, ANSWER = b"v=0 offer", b"v=0 answer"
LONG = 2000.0  # seconds after which everything must be over


def call(link: Link, *, timeout: float = 60.0) -> str:
    name = link.a.endpoint.invite(
        link.flow(link.a),
        f"sip:1001@192.0.2.2;transport={link.transport.lower()}",
        OFFER,
        identity=Identity("sip:a@192.0.2.1"),
        timeout=timeout,
        now=link.now,
    )
    link.settle()
    return name


def answering(side: Side, news: Output, now: float) -> None:
    """A phone that rings, answers, and agrees to everything."""
    if isinstance(news, IncomingCall):
        side.endpoint.ring(news.call, now=now)
        side.endpoint.accept(news.call, ANSWER, now=now)
    elif isinstance(news, OfferReceived):
        side.endpoint.answer_offer(news.call, ANSWER, now=now)


def ringing(side: Side, news: Output, now: float) -> None:
    if isinstance(news, IncomingCall):
        side.endpoint.ring(news.call, now=now)


def endings(side: Side) -> list[Ended]:
    return [news.how for news in side.told(CallEnded) if isinstance(news, CallEnded)]


def losing(*lost: int) -> Callable[[int], Sequence[float]]:
    """A link that loses the messages of these numbers, counted from 0."""
    return lambda n: () if n in lost else (0.01,)


def over(link: Link) -> bool:
    return link.a.endpoint.idle and link.b.endpoint.idle


# --- the wire by numbers: 0 INVITE, 1 180, 2 200, 3 PRACK, 4 ACK, 5 200 to PRACK -----------------


@pytest.mark.parametrize("lost", range(8))
def test_any_one_message_can_be_lost(lost: int) -> None:
    link = Link(losing(lost))
    link.b.handler = answering
    name = call(link)
    link.run(10.0)
    assert len(link.a.told(CallAccepted)) == len(link.b.told(CallConfirmed)) == 1
    link.a.endpoint.hang_up(name, now=link.now)
    link.run(LONG)
    assert endings(link.a) == [Ended.LOCAL_BYE]
    assert endings(link.b) == [Ended.REMOTE_BYE]
    assert over(link)


def test_when_every_ack_is_lost_the_callee_says_bye() -> None:
    """RFC 3261 §13.3.1.4."""
    link = Link()
    link.fate = lambda n: () if link.wire[n][2].startswith(b"ACK") else (0.01,)
    link.b.handler = answering
    call(link)
    link.run(LONG)
    assert endings(link.b) == [Ended.NO_ACK]
    assert endings(link.a) == [Ended.REMOTE_BYE]
    assert over(link)


def test_when_every_200_to_invite_is_lost_both_give_up() -> None:
    link = Link()
    link.b.handler = answering

    def fate(n: int) -> Sequence[float]:
        data = link.wire[n][2]
        return () if data.startswith(b"SIP/2.0 200") and b" INVITE\r\n" in data else (0.01,)

    link.fate = fate
    call(link, timeout=20)
    link.run(LONG)
    assert endings(link.a) == [Ended.NO_ANSWER]
    assert endings(link.b) == [Ended.NO_ACK]
    assert over(link)


def test_cancel_and_200_that_cross() -> None:
    link = Link()
    name = call(link)
    link.run(1.0)
    link.b.endpoint.ring("in-1", now=link.now)
    link.run(2.0)
    link.a.endpoint.hang_up(name, now=link.now)
    link.b.endpoint.accept("in-1", ANSWER, now=link.now)
    link.run(LONG)
    assert endings(link.a) == [Ended.CANCELLED]
    assert endings(link.b) == [Ended.REMOTE_BYE]
    assert over(link)


def test_both_hang_up_at_once() -> None:
    link = Link()
    link.b.handler = answering
    name = call(link)
    link.run(1.0)
    link.a.endpoint.hang_up(name, now=link.now)
    link.b.endpoint.hang_up("in-1", now=link.now)
    link.run(LONG)
    assert endings(link.a) == endings(link.b) == [Ended.LOCAL_BYE]
    assert over(link)


def test_both_offer_at_once_and_both_get_their_turn() -> None:
    """RFC 3261 §14.1: glare."""
    link = Link()
    link.a.handler = link.b.handler = answering
    name = call(link)
    link.run(1.0)
    link.a.endpoint.reinvite(name, b"v=0 a", now=link.now)
    link.b.endpoint.reinvite("in-1", b"v=0 b", now=link.now)
    link.run(10.0)
    for side in (link.a, link.b):
        (answer,) = side.told(AnswerReceived)
        assert isinstance(answer, AnswerReceived)
        assert answer.status == 200
        assert len(side.told(OfferReceived)) == 1


def test_the_session_is_kept_alive_by_refreshes() -> None:
    """RFC 4028."""
    link = Link(settings=(SipSettings(session_expires=90), SipSettings(session_expires=90)))
    link.b.handler = answering
    call(link)
    link.run(599.0)
    assert link.a.told(CallEnded) == []
    updates = [data for _, _, data in link.wire if data.startswith(b"UPDATE")]
    assert len(updates) == 13


def test_a_peer_that_vanishes_is_noticed_when_the_session_expires() -> None:
    link = Link(settings=(SipSettings(session_expires=90), SipSettings(session_expires=90)))
    link.b.handler = answering
    call(link)
    link.run(1.0)
    link.fate = lambda _: ()
    link.run(LONG)
    assert endings(link.a) == endings(link.b) == [Ended.SESSION_EXPIRED]
    assert over(link)


def test_a_call_over_tcp() -> None:
    link = Link(transport=Transport.TCP)
    link.b.handler = answering
    name = call(link)
    link.run(1.0)
    link.b.endpoint.hang_up("in-1", now=link.now)
    link.run(LONG)
    assert endings(link.a) == [Ended.REMOTE_BYE]
    assert name not in link.a.endpoint.calls
    assert over(link)


@pytest.mark.no_cover
def test_a_hundred_calls_leave_nothing_behind() -> None:
    """Once their timers have ended, no object of theirs is left."""

    def left() -> int:
        gc.collect()
        kinds = (Session, Dialog, Serving, Asking, Transaction, Request)
        return sum(isinstance(found, kinds) for found in gc.get_objects())

    link = Link()
    link.b.handler = answering
    before = left()
    for _ in range(100):
        name = call(link)
        link.run(link.now + 0.2)
        link.a.endpoint.hang_up(name, now=link.now)
    link.run(LONG)
    assert over(link)
    link.a.news.clear()
    link.b.news.clear()
    assert left() == before


# --- any pattern of loss, repetition, delay and reordering ---------------------------------------

# Delays stay below T1, or an INVITE may arrive after timer L: RFC 6026 §7.1 assumes as much.
FATES = st.lists(st.lists(st.floats(0.001, 0.49), max_size=2).map(tuple), min_size=1, max_size=24)
ACTS = st.lists(
    st.tuples(
        st.floats(0.0, 5.0),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["ring", "accept", "reject", "hang_up", "reinvite", "info"]),
    ),
    max_size=6,
)


def act(link: Link, who: str, what: str) -> None:
    """One order to one side, if it can be given in the state that its call is in."""
    side = link.a if who == "a" else link.b
    for name in side.endpoint.calls:
        ringing_here = side is link.b and not link.b.told(CallConfirmed)
        match what:
            case "ring":
                side.endpoint.ring(name, now=link.now)
            case "accept" if ringing_here and ("accept", name) not in link.done:
                link.done.add(("accept", name))
                side.endpoint.accept(name, ANSWER, now=link.now)
            case "reject" if ringing_here and ("accept", name) not in link.done:
                side.endpoint.reject(name, 486, now=link.now)
            case "hang_up":
                side.endpoint.hang_up(name, now=link.now)
            case "reinvite" if link.a.told(CallAccepted) and link.b.told(CallConfirmed):
                side.endpoint.reinvite(name, OFFER, now=link.now)
            case "info" if link.a.told(CallAccepted) and link.b.told(CallConfirmed):
                side.endpoint.info(name, "application/dtmf", b"1", now=link.now)
            case _:
                pass
    link.settle()


@settings(max_examples=150, deadline=None)
@given(fates=FATES, acts=ACTS, answers=st.booleans(), seconds=st.integers(1, 600))
def test_every_run_ends_with_both_sides_agreed_and_nothing_left(
    fates: list[tuple[float, ...]],
    acts: list[tuple[float, str, str]],
    answers: bool,
    seconds: int,
) -> None:
    limits = SipSettings(end_calls_after=seconds, ringing_timeout=40, session_expires=90)
    link = Link(settings=(limits, limits))
    link.fate = lambda n: fates[n] if n < len(fates) else (0.01,)
    link.a.handler = link.b.handler = answering if answers else ringing
    if answers:
        link.done.add(("accept", "in-1"))
    call(link, timeout=50)
    for pause, who, what in acts:
        link.run(link.now + pause)
        act(link, who, what)
    link.run(LONG)

    assert over(link)
    assert len(endings(link.a)) == 1
    assert len(endings(link.b)) == len(link.b.told(IncomingCall)) <= 1
    if link.b.told(CallConfirmed) and not answers:
        assert link.a.told(CallAccepted) or endings(link.a) != [Ended.REJECTED]


@settings(max_examples=60, deadline=None)
@given(numbers=st.sets(st.integers(0, 40), max_size=20))
def test_an_answered_call_survives_loss_at_its_beginning_or_ends_on_both_sides(
    numbers: set[int],
) -> None:
    link = Link(losing(*numbers))
    link.b.handler = answering
    name = call(link)
    link.run(70.0)
    standing = bool(link.a.endpoint.calls), bool(link.b.endpoint.calls)
    assert standing in ((True, True), (False, False))
    link.a.endpoint.hang_up(name, now=link.now)
    link.fate = at_once
    link.run(LONG)
    assert over(link)
