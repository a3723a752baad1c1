"""The endpoint lets nobody in who is not to come in, and nobody has it all for himself."""

from itertools import islice

import pytest
from msgspec.structs import replace

from sipstrobe.secret import Secret
from sipstrobe.sip.challenge import Callers
from sipstrobe.sip.identity import Binding, Identity
from sipstrobe.sip.limits import STRANGER
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import CallDenied, IncomingCall
from sipstrobe.sip.settings import AccessSettings, SipSettings
from sipstrobe.sip.transport import Address, Flow
from tests.sip.scene import ANSWER, TCP, UDP, Scene
from tests.support.mutate import Mutator

ELSEWHERE = replace(UDP, remote=Address("198.51.100.4", 5060))
SDP_TEXT = (("Content-Type", "text/plain"),)


def listing(*entries: str, policy: str = "allow", **other: object) -> SipSettings:
    """Settings with an access list."""
    access = AccessSettings(enabled=True, policy=policy, entries=entries)  # pyright: ignore[reportArgumentType]
    return SipSettings(allow_incoming=True, access=access, **other)  # pyright: ignore[reportArgumentType]


def test_a_caller_who_is_not_listed_is_refused_and_that_is_all() -> None:
    """ACL-04; RFC 3261 §21.4.4. Nothing is remembered of it, so a repetition is refused again."""
    scene = Scene(listing("sip:friend@*"))

    invite = scene.invite()
    scene.hear(invite)

    assert scene.statuses() == [403, 403]
    assert [type(news) for news in scene.news] == [CallDenied, CallDenied]
    assert scene.endpoint.idle


def test_a_caller_who_is_listed_comes_in() -> None:
    """ACL-02, by where the call comes from."""
    scene = Scene(listing("192.0.2.0/24"))

    scene.invite()

    scene.told(IncomingCall)


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "REFER"])
def test_a_blocked_caller_can_neither_write_nor_watch_nor_transfer(method: str) -> None:
    scene = Scene(listing("192.0.2.9", policy="block"))

    scene.hear(scene.draft(method, fields=(*SDP_TEXT, ("Event", "dialog")), body=b"hello"))

    assert scene.statuses() == [403]
    assert not scene.news


def test_whoever_is_blocked_may_ask_what_we_can() -> None:
    """RFC 3261 §11: OPTIONS makes no dialog; servers ask by it whether we live."""
    scene = Scene(listing("192.0.2.9", policy="block"))

    scene.hear(scene.draft("OPTIONS"))

    assert scene.statuses() == [200]


def test_a_call_to_a_name_is_ended_as_any_other() -> None:
    """RFC 3261 §13.3.1.4: the BYE goes to the Contact, whose name no list of addresses has."""
    scene = Scene(listing("192.0.2.0/24"))
    scene.invite(fields=(("Contact", "<sip:peer@phone.example>"),))
    scene.endpoint.accept(scene.endpoint.calls[-1], ANSWER, now=scene.now)
    scene.collect()
    scene.take()

    scene.until(40.0)  # the 200 is never acknowledged

    byes = [sent for sent in scene.take() if isinstance(sent, Request) and sent.method == "BYE"]
    assert str(byes[0].request_uri) == "sip:peer@phone.example"


def test_a_call_that_is_there_already_goes_on() -> None:
    scene = Scene(SipSettings(allow_incoming=True))
    scene.establish()

    scene.endpoint.apply(listing("192.0.2.9", policy="block"), now=scene.now)
    scene.within("INVITE", cseq=2, body=b"v=0 other")

    assert 403 not in scene.statuses()


def test_our_own_server_says_who_really_calls() -> None:
    """RFC 3325: P-Asserted-Identity counts when it comes from where we are registered."""
    scene = Scene(listing("sip:boss@pbx.example"))
    asserted = (("P-Asserted-Identity", "<sip:boss@pbx.example>"),)

    scene.invite(fields=asserted)
    assert scene.statuses() == [403]
    register(scene, UDP)
    scene.take()
    scene.news.clear()
    scene.invite(fields=asserted, call_id="call-2")

    scene.told(IncomingCall)


def test_our_own_server_is_known_by_its_name() -> None:
    """ACL-03, as long as we are registered there."""
    scene = Scene(listing("pbx.example"))
    register(scene, UDP)

    scene.take()
    scene.invite()
    scene.told(IncomingCall)
    scene.endpoint.unregister("pbx", now=scene.now)
    scene.collect()
    scene.news.clear()
    scene.invite(call_id="call-2")

    assert 403 in scene.statuses()


def test_an_asserted_identity_that_makes_no_sense_is_a_bad_request() -> None:
    scene = Scene(listing("sip:boss@pbx.example"))
    register(scene, UDP)
    scene.take()

    scene.invite(fields=(("P-Asserted-Identity", "<<>>"),))

    assert scene.statuses() == [400]


def test_one_source_leaves_room_for_others() -> None:
    """Of 20 calls one caller has 10; what he is told is RFC 3261 §21.4.24, with Retry-After."""
    scene = Scene(SipSettings(max_calls=20))
    scene.establish()
    for n in range(10):
        scene.invite(call_id=f"more-{n}")
    *_, refused = scene.take()

    assert len(scene.endpoint.calls) == 10
    assert refused.headers.first("Retry-After") == "5"
    scene.hear(scene.draft("INVITE", call_id="another", body=ANSWER), ELSEWHERE)
    assert len(scene.endpoint.calls) == 11


def test_calls_that_are_over_do_not_count() -> None:
    scene = Scene(SipSettings(max_calls=20))
    for n in range(30):
        scene.invite(call_id=f"call-{n}")
        scene.endpoint.hang_up(scene.endpoint.calls[-1], now=scene.now)
        scene.collect()

    assert 486 not in scene.statuses()
    assert scene.endpoint.limits.may_hold("192.0.2.9", 20)


def test_strangers_who_never_confirm_hold_a_quarter_of_the_calls_at_most() -> None:
    """Forged INVITEs are answered and wait 32 s for an ACK that never comes (timer H)."""
    scene = Scene(SipSettings(max_calls=100))
    for n in range(50):
        flow = replace(UDP, remote=Address(f"198.51.100.{n}", 5060))
        scene.hear(scene.draft("INVITE", call_id=f"forged-{n}", body=ANSWER), flow)

    assert len(scene.endpoint.calls) == 25


def test_an_ack_proves_that_the_caller_is_where_he_says() -> None:
    """The tag in it is ours, and random: RFC 3261 §19.3."""
    scene = Scene(SipSettings())

    scene.establish()

    assert admitted(scene, UDP) > 10 * STRANGER.messages


def test_a_forged_ack_proves_nothing() -> None:
    scene = Scene(SipSettings())
    scene.invite()
    scene.endpoint.accept(scene.endpoint.calls[-1], ANSWER, now=0.0)
    scene.collect()

    scene.hear(scene.draft("ACK", to_tag="guessed"))

    assert admitted(scene, UDP) < 3 * STRANGER.messages


def test_whoever_we_ask_may_answer_at_length() -> None:
    scene = Scene(SipSettings())

    scene.call()

    assert admitted(scene, UDP) > 10 * STRANGER.messages


def test_rubbish_is_charged_to_its_sender() -> None:
    scene = Scene(SipSettings())

    taken = sum(
        1
        for _ in range(100)
        if scene.endpoint.limits.admit("192.0.2.9", b"x", now=0.0)
        and not scene.hear(b"INVITE sip:x SIP/2.0\r\nVia: rubbish\r\n\r\n")
    )

    assert taken < 10


def test_a_connection_over_which_too_much_comes_is_closed() -> None:
    """Over TCP nothing is dropped silently: the peer would wait 32 s for an answer."""
    scene = Scene(SipSettings(), flow=TCP)
    options = bytes(scene.draft("OPTIONS", fields=(("Content-Length", "0"),)))

    for _ in range(40):
        scene.hear(options * 100)

    assert any(type(news).__name__ == "CloseConnection" for news in scene.news)
    assert 1000 < len(scene.take()) < 4000


def register(scene: Scene, flow: Flow) -> None:
    identity = Identity("sip:us@pbx.example")
    binding = Binding(identity, "sip:pbx.example")
    scene.endpoint.register("pbx", binding, flow, now=scene.now)
    scene.collect()


def admitted(scene: Scene, flow: Flow) -> int:
    """How many requests this source could make just now."""
    limits = scene.endpoint.limits
    return sum(limits.admit(flow.remote.host, b"OPTIONS", now=scene.now) for _ in range(3000))


def test_spoilt_identities_and_credentials_meet_nothing_but_a_response() -> None:
    """Whatever stands in the fields that the guard reads."""
    scene = Scene(listing("sip:peer@*", "192.0.2.0/24", "*.example"))
    callers = Callers("pbx", {"alice": Secret("x")})
    scene.endpoint.ask_callers(lambda request, flow: callers)
    register(scene, UDP)
    credentials = (
        'Digest username="alice", realm="pbx", nonce="AAAA", uri="sip:1001@192.0.2.1",'
        ' response="00", algorithm=SHA-256, qop=auth, cnonce="c", nc=00000001'
    )
    fields = (
        ("P-Asserted-Identity", '"Boss" <sip:boss@pbx.example>, <tel:+4930>'),
        ("Authorization", credentials),
    )
    corpus = [bytes(scene.draft("INVITE", fields=fields, body=ANSWER))]

    for data in islice(Mutator(corpus, seed=8), 3000):
        scene.hear(data)

    answers = {m.status for m in scene.sent if isinstance(m, Response)}
    assert {400, 401} <= answers
    assert not scene.endpoint.calls
