"""Challenges to requests of ours: RFC 3261 §22."""

import pytest
from msgspec.structs import replace

from sipstrobe.secret import Secret
from sipstrobe.sip.auth import Authorization
from sipstrobe.sip.identity import (
    Credential,
    Identity,
    Registered,
    RegistrationFailed,
    RegistrationTrouble,
)
from sipstrobe.sip.keyring import MAX_HOPS, MAX_REALMS, MAX_ROUNDS, Keyring
from sipstrobe.sip.message import Headers, Request, Response
from sipstrobe.sip.outputs import (
    AnswerReceived,
    CallAccepted,
    CallEnded,
    CallProgress,
    Ended,
    RequestAnswered,
)
from sipstrobe.sip.transport import Address
from tests.sip.registrar import US, Office, binding
from tests.sip.scene import ANSWER, OFFER, TCP, UDP, Fields

SWORDFISH = Secret("swordfish")


def given(request: Request, name: str = "Authorization") -> list[Authorization]:
    return [Authorization.read(auth) for auth in request.auth(name)]


def asked(params: str, *, proxy: bool = False) -> tuple[str, str]:
    return ("Proxy-Authenticate" if proxy else "WWW-Authenticate", f"Digest {params}")


# --- one request ---------------------------------------------------------------------------------


def test_a_challenge_is_answered_and_nobody_hears_of_it() -> None:
    """RFC 3261 §22.2: the same request with a new number and credentials."""
    office = Office()
    first = office.register()

    office.challenge(first)
    second = office.request()
    office.grant(second)

    assert second.call_id == first.call_id
    assert second.cseq.number == first.cseq.number + 1
    assert second.via.branch != first.via.branch
    (credentials,) = given(second)
    assert (credentials.username, credentials.uri, credentials.nc) == ("100", second.uri, 1)
    assert credentials.proves(SWORDFISH, "REGISTER", b"")
    assert office.told(Registered).status == 200


def test_a_proxy_and_the_server_may_both_ask() -> None:
    """RFC 3261 §22.3: each gets its own answer, in one request."""
    office = Office()

    office.challenge(office.register(), 407, nonce="p")
    with_one = office.request()
    office.challenge(with_one, 401, nonce="s")
    with_both = office.request()

    assert [c.nonce for c in given(with_one, "Proxy-Authorization")] == ["p"]
    assert [(c.nonce, c.nc) for c in given(with_both, "Proxy-Authorization")] == [("p", 2)]
    assert [(c.nonce, c.nc) for c in given(with_both)] == [("s", 1)]


def test_several_proxies_with_realms_of_their_own() -> None:
    """RFC 3261 §22.3: in one response or one after the other."""
    office = Office()
    both = (asked('realm="a", nonce="1"', proxy=True), asked('realm="b", nonce="2"', proxy=True))

    office.challenge(office.register(), 407, fields=both)
    request = office.request()
    office.challenge(request, 407, fields=(asked('realm="c", nonce="3"', proxy=True),))
    request = office.request()

    realms = [(c.realm, c.nonce) for c in given(request, "Proxy-Authorization")]
    assert realms == [("a", "1"), ("b", "2"), ("c", "3")]


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("SHA3-512", "SHA-512-256", "SHA-256", "MD5"), "SHA-512-256"),
        (("MD5", "SHA-256"), "MD5"),
        (("SHA-256-sess", "MD5"), "SHA-256-sess"),
    ],
)
def test_the_server_has_the_choice_of_algorithm(offered: tuple[str, ...], chosen: str) -> None:
    """RFC 8760 §2.4: of the challenges of one realm, the first that we can answer."""
    office = Office()
    fields = tuple(asked(f'realm="r", nonce="n", qop="auth", algorithm={a}') for a in offered)

    office.challenge(office.register(), fields=fields)

    (credentials,) = given(office.request())
    assert credentials.algorithm == chosen
    assert credentials.proves(SWORDFISH, "REGISTER", b"")


@pytest.mark.parametrize(
    "challenge",
    [
        ("WWW-Authenticate", "Basic realm=r"),
        ("WWW-Authenticate", "nonsense"),
        asked('realm="r", nonce="n", algorithm=SHA3-512'),
        asked('realm="r", nonce="n", qop="auth-conf"'),
        asked('realm="r"'),
    ],
)
def test_a_challenge_that_cannot_be_answered_is_the_answer(challenge: tuple[str, str]) -> None:
    office = Office()

    office.challenge(office.register(), fields=(challenge,))

    assert office.take() == []
    assert office.told(RegistrationFailed).status == 401


def test_what_cannot_be_answered_does_not_stand_in_the_way_of_what_can() -> None:
    office = Office()
    fields = (("WWW-Authenticate", "Bearer"), asked('realm="r", nonce="n"'))

    office.challenge(office.register(), fields=fields)

    assert [c.nonce for c in given(office.request())] == ["n"]


def test_a_wrong_password_is_tried_once() -> None:
    """RFC 3261 §22.2: who is refused with credentials does not send them again."""
    office = Office()

    office.challenge(office.register(), nonce="n1")
    office.challenge(office.request(), nonce="n2")

    assert office.take() == []
    news = office.told(RegistrationFailed)
    assert (news.trouble, news.status) == (RegistrationTrouble.UNAUTHORIZED, 401)
    assert not office.register().auth("Authorization")


def test_without_a_password_nothing_is_tried() -> None:
    office = Office()

    office.challenge(office.register(binding(replace(US, credentials=()))))

    assert office.told(RegistrationFailed).trouble is RegistrationTrouble.UNAUTHORIZED


def test_a_stale_nonce_is_no_wrong_password() -> None:
    """RFC 7616 §3.3."""
    office = Office()
    stale = asked('realm="pbx.example", nonce="n2", qop="auth", stale=TRUE')

    office.challenge(office.register(), nonce="n1")
    office.challenge(office.request(), fields=(stale,))

    (credentials,) = given(office.request())
    assert (credentials.nonce, credentials.nc) == ("n2", 1)


def test_a_server_for_which_every_nonce_is_stale_is_left() -> None:
    office = Office()
    request = office.register()

    for n in range(MAX_ROUNDS):
        stale = asked(f'realm="r", nonce="{n}", stale=true')
        office.challenge(request, fields=(stale,))
        request = office.request()
    office.challenge(request, fields=(asked('realm="r", nonce="x", stale=true'),))

    assert office.told(RegistrationFailed).status == 401


def test_credentials_of_the_realm_come_first_and_others_after_them() -> None:
    """A proxy may have a password of its own, and nobody has said in which realm."""
    office = Office()
    credentials = (
        Credential("100", Secret("of the account")),
        Credential("gate", Secret("of the proxy")),
        Credential("west", Secret("of another realm"), "elsewhere.example"),
        Credential("pbx", Secret("of this realm"), "pbx.example"),
    )
    request = office.register(binding(replace(US, credentials=credentials)))

    users: list[str] = []
    for n in range(3):
        office.challenge(request, nonce=str(n))
        request = office.request()
        users += [c.username for c in given(request)]
    office.challenge(request, nonce="last")

    assert users == ["pbx", "100", "gate"]
    assert office.told(RegistrationFailed).trouble is RegistrationTrouble.UNAUTHORIZED


def test_what_worked_is_used_again() -> None:
    office = Office()
    credentials = (Credential("a", Secret("1")), Credential("b", Secret("2")))
    request = office.register(binding(replace(US, credentials=credentials)))
    for n in range(2):
        office.challenge(request, nonce=str(n))
        request = office.request()
    office.grant(request)

    office.endpoint.refresh("gate", now=office.now)
    office.collect()
    request = office.request()
    assert [c.username for c in given(request)] == ["b"]
    office.challenge(request, nonce="restarted")  # the server has forgotten its nonces

    assert [(c.username, c.nonce) for c in given(office.request())] == [("b", "restarted")]


# --- the next request ----------------------------------------------------------------------------


def test_the_next_request_carries_credentials_at_once() -> None:
    """RFC 7616 §3.4: with the same nonce and the next count."""
    office = Office()
    office.challenge(office.register())
    office.grant(office.request())

    office.endpoint.refresh("gate", now=office.now)
    office.collect()

    (credentials,) = given(office.request())
    assert (credentials.nonce, credentials.nc) == ("n1", 2)
    assert credentials.proves(SWORDFISH, "REGISTER", b"")


@pytest.mark.parametrize(
    ("info", "nonce", "nc"),
    [
        ('nextnonce="n2", qop=auth, rspauth="0"', "n2", 1),
        ('qop=auth, rspauth="0"', "n1", 2),
        ("nonsense", "n1", 2),
    ],
)
def test_a_server_may_name_the_next_nonce(info: str, nonce: str, nc: int) -> None:
    """RFC 7616 §3.5."""
    office = Office()
    office.challenge(office.register())
    office.grant(office.request(), fields=(("Authentication-Info", info),))

    office.endpoint.refresh("gate", now=office.now)
    office.collect()

    (credentials,) = given(office.request())
    assert (credentials.nonce, credentials.nc) == (nonce, nc)


def test_another_server_is_not_shown_credentials() -> None:
    """RFC 3261 §22.3: what is remembered is for one next hop."""
    office = Office()
    office.challenge(office.register())
    office.grant(office.request())

    request = office.register(flow=replace(UDP, remote=Address("198.51.100.99", 5060)))

    assert not request.auth("Authorization")


def test_another_password_begins_anew() -> None:
    office = Office()
    office.challenge(office.register())
    office.grant(office.request())

    changed = replace(US, credentials=(Credential("100", Secret("other")),))
    request = office.register(binding(changed))

    assert not request.auth("Authorization")


# --- calls ---------------------------------------------------------------------------------------


def call(office: Office, identity: Identity = US, to: str = "sip:200@pbx.example") -> Request:
    office.endpoint.invite(office.flow, to, OFFER, identity=identity, timeout=60, now=office.now)
    office.collect()
    return office.request()


def challenged_call(office: Office) -> Request:
    """The result is the INVITE with credentials."""
    office.challenge(call(office), 407)
    ack, invite = office.take()
    assert isinstance(ack, Request)
    assert isinstance(invite, Request)
    assert (ack.method, ack.cseq.number) == ("ACK", 1)
    return invite


def test_an_invite_is_asked_once_more_with_credentials() -> None:
    """RFC 3261 §22.3, §13.2.2.4: the ACK of the 2xx carries them as well (§22.1)."""
    office = Office()

    invite = challenged_call(office)
    office.answer(invite, 200, body=ANSWER)

    ack = office.request()
    assert (invite.cseq.number, ack.cseq.number) == (2, 2)
    assert given(invite, "Proxy-Authorization")[0].proves(SWORDFISH, "INVITE", OFFER)
    assert ack.headers.all("Proxy-Authorization") == invite.headers.all("Proxy-Authorization")
    assert office.told(CallAccepted).body == ANSWER


def test_who_asks_for_a_password_is_there() -> None:
    """So that the call is not tried another way meanwhile, if the 100 is lost or never sent."""
    office = Office()
    name = office.endpoint.invite(
        UDP, "sip:200@pbx.example", OFFER, identity=US, timeout=60, now=0.0
    )
    office.collect()
    assert not office.endpoint.proceeding(name)

    office.challenge(office.request(), 407)

    assert office.endpoint.proceeding(name)


def test_a_request_too_large_for_udp_carries_credentials_at_once_too() -> None:
    """RFC 3261 §18.1.1 moves it to TCP; the server that knows us is the same."""
    office = Office()
    for nc in (1, 2):
        office.endpoint.invite(
            UDP, "sip:200@pbx.example", OFFER * 200, identity=US, timeout=60, now=office.now
        )
        office.collect()
        invite = office.request()
        if nc == 1:
            office.challenge(invite, 407)
            _, invite = office.take()
            assert isinstance(invite, Request)
        assert invite.via.transport == "TCP"
        (credentials,) = given(invite, "Proxy-Authorization")
        assert (credentials.nonce, credentials.nc) == ("n1", nc)


def test_the_ack_of_a_refusal_carries_the_credentials_of_its_invite() -> None:
    """RFC 3261 §22.1."""
    office = Office()
    invite = challenged_call(office)

    office.answer(invite, 486)

    ack = office.request()
    assert ack.headers.all("Proxy-Authorization") == invite.headers.all("Proxy-Authorization")
    assert office.told(CallEnded).status == 486


def test_a_challenge_that_comes_twice_is_acknowledged_twice() -> None:
    """RFC 3261 §17.1.1.2: our ACK was lost; the INVITE with credentials is another matter."""
    office = Office()
    first = call(office)
    office.challenge(first, 407)
    office.take()

    office.challenge(first, 407)

    ack = office.request()
    assert (ack.method, ack.cseq.number) == ("ACK", 1)
    office.pass_(100.0)
    assert office.endpoint.idle


def test_credentials_within_the_call() -> None:
    """BYE, INFO, re-INVITE and UPDATE are answered for as the INVITE was."""
    office = Office()
    office.answer(challenged_call(office), 200, body=ANSWER)
    office.take()
    office.news.clear()
    name = office.endpoint.calls[0]

    office.endpoint.reinvite(name, OFFER, now=office.now)
    office.collect()
    office.challenge(office.request(), 407, nonce="n2")
    _, again = office.take()
    assert isinstance(again, Request)
    office.answer(again, 200, body=ANSWER)
    ack = office.request()
    assert ack.cseq.number == again.cseq.number
    assert ack.headers.all("Proxy-Authorization") == again.headers.all("Proxy-Authorization")
    assert office.told(AnswerReceived).status == 200

    office.endpoint.hang_up(name, now=office.now)
    office.collect()
    bye = office.request()
    assert [(c.nonce, c.nc) for c in given(bye, "Proxy-Authorization")] == [("n2", 2)]
    office.challenge(bye, 407, nonce="n3")
    bye = office.request()
    assert bye.cseq.number == again.cseq.number + 2
    assert given(bye, "Proxy-Authorization")[0].proves(SWORDFISH, "BYE", b"")
    assert office.told(CallEnded).how is Ended.LOCAL_BYE


def test_a_prack_is_answered_for_too() -> None:
    """RFC 3262 §4."""
    office = Office()
    invite = challenged_call(office)
    reliable = (("RSeq", "1"), ("Require", "100rel"))

    office.answer(invite, 183, fields=reliable)
    prack = office.request()

    assert prack.method == "PRACK"
    assert given(prack, "Proxy-Authorization")[0].nc == 2


def test_whoever_rang_before_the_challenge_rings_no_more() -> None:
    """RFC 3261 §22.2: a final response ends all early dialogs of the first INVITE."""
    office = Office()
    first = call(office)
    office.answer(first, 180, tag="early")
    assert office.told(CallProgress).response.status == 180

    office.challenge(first, 407)
    _, invite = office.take()
    assert isinstance(invite, Request)
    update = office.draft("UPDATE", to_tag=invite.from_.tag, call_id=invite.call_id)
    headers = [
        (name, "<sip:peer@192.0.2.9>;tag=early" if name == "From" else value)
        for name, value in update.headers.items()
    ]
    office.hear(Request(update.method, update.uri, Headers(headers)))

    assert office.response().status == 481


def test_a_call_that_was_given_up_is_not_asked_for_again() -> None:
    office = Office()
    invite = call(office)
    office.endpoint.hang_up(office.endpoint.calls[0], now=office.now)
    office.collect()

    office.challenge(invite, 407)

    assert office.statuses() == ["ACK"]
    assert office.told(CallEnded).how is Ended.CANCELLED


def test_a_call_with_a_wrong_password_is_refused() -> None:
    office = Office()
    invite = challenged_call(office)

    office.challenge(invite, 407, nonce="n2")

    assert office.statuses() == ["ACK"]
    assert office.told(CallEnded).status == 407


def test_a_cancel_carries_the_number_of_the_last_invite() -> None:
    """RFC 3261 §9.1."""
    office = Office()
    invite = challenged_call(office)
    office.answer(invite, 180)

    office.endpoint.hang_up(office.endpoint.calls[0], now=office.now)
    office.collect()

    cancel = office.request()
    assert (cancel.method, cancel.cseq.number) == ("CANCEL", invite.cseq.number)
    assert cancel.via.branch == invite.via.branch


def test_over_a_connection_the_challenge_leaves_nothing_behind() -> None:
    office = Office(flow=TCP)

    invite = challenged_call(office)

    assert office.endpoint.transactions == 1
    assert given(invite, "Proxy-Authorization")


def test_a_stranger_who_calls_learns_nothing_about_our_password() -> None:
    """Only the server of an account is answered when it asks within a call that came in."""
    office = Office()
    office.registered()
    stranger = replace(UDP, remote=Address("203.0.113.66", 5060))

    for flow, answered in ((stranger, False), (UDP, True)):
        office.flow = flow
        invite = office.draft(
            "INVITE", body=OFFER, uri="sip:100@192.0.2.1", call_id=flow.remote.host
        )
        office.hear(invite)
        name = office.endpoint.calls[-1]
        office.endpoint.accept(name, ANSWER, now=office.now)
        office.collect()
        office.hear(office.ack(office.response()))
        office.endpoint.hang_up(name, now=office.now)
        office.collect()
        bye = office.request()
        office.challenge(bye, 401)
        assert [m.method for m in office.take() if isinstance(m, Request)] == ["BYE"] * answered


# --- requests without a dialog -------------------------------------------------------------------


def ask(
    office: Office, fields: Fields = (), to: str = "sip:200@pbx.example"
) -> tuple[str, Request]:
    name = office.endpoint.request(
        office.flow, "MESSAGE", to, identity=US, fields=fields, body=b"Fire!", now=office.now
    )
    office.collect()
    return name, office.request()


def test_a_message_is_sent_with_credentials() -> None:
    """RFC 3428 §4, RFC 3261 §8.1."""
    office = Office()
    name, request = ask(office, (("Content-Type", "text/plain"),))

    office.challenge(request, 407)
    request = office.request()
    office.answer(request, 100)
    office.answer(request, 202, fields=(("X-Answer", "42"),))

    assert request.body == b"Fire!"
    assert given(request, "Proxy-Authorization")[0].proves(SWORDFISH, "MESSAGE", b"Fire!")
    news = office.told(RequestAnswered)
    assert (news.request, news.status) == (name, 202)
    assert news.response is not None
    assert news.response.headers.first("X-Answer") == "42"


def test_a_message_that_nobody_answers() -> None:
    """RFC 3261 §8.1.3.1."""
    office = Office()
    name, _ = ask(office)

    office.until(32.0)

    assert office.told(RequestAnswered) == RequestAnswered(name, 408, "Request Timeout", None)


def test_a_body_is_protected_where_the_server_wants_that() -> None:
    """RFC 7616 §3.4.3: auth-int."""
    office = Office()
    _, request = ask(office)

    office.challenge(request, fields=(asked('realm="r", nonce="n", qop="auth-int"'),))

    (credentials,) = given(office.request())
    assert credentials.qop == "auth-int"
    assert credentials.proves(SWORDFISH, "MESSAGE", b"Fire!")


def test_headers_and_passwords_in_an_address_go_no_further_than_they_must() -> None:
    """RFC 3261 §19.1.1: no headers in a Request-URI; a password is for that alone."""
    office = Office()

    _, request = ask(
        office, to="sip:200:hush@pbx.example;user=phone?Subject=x&Route=%3Csip:evil%3E"
    )
    invite = call(office, to="sip:200:hush@pbx.example?Replaces=x")

    assert request.uri == "sip:200:hush@pbx.example;user=phone"
    assert str(request.to) == "<sip:200@pbx.example;user=phone>"
    assert invite.uri == "sip:200:hush@pbx.example"
    assert str(invite.to) == "<sip:200@pbx.example>"


# --- what is remembered --------------------------------------------------------------------------


def response(*challenges: str) -> Response:
    return Response(401, "", Headers([asked(params) for params in challenges]))


def test_what_is_remembered_has_an_end() -> None:
    """Next hops, and realms of one next hop."""
    keyring = Keyring(lambda: "c")
    hops = [replace(UDP, remote=Address(f"h{n}", 5060)) for n in range(MAX_HOPS + 10)]
    for hop in hops:
        assert keyring.learn(US.credentials, hop, response('realm="r", nonce="n"'), {})
    assert len(keyring) == MAX_HOPS
    assert not keyring.sign(US.credentials, hops[0], "BYE", "sip:a", b"")
    assert keyring.sign(US.credentials, hops[-1], "BYE", "sip:a", b"")

    for n in range(3 * MAX_REALMS):
        assert keyring.learn(US.credentials, UDP, response(f'realm="{n}", nonce="n"'), {})
    assert len(keyring.sign(US.credentials, UDP, "BYE", "sip:a", b"")) == MAX_REALMS
    many = response(*[f'realm="x{n}", nonce="n"' for n in range(30)])
    assert keyring.learn(US.credentials, UDP, many, {})
    assert len(keyring.sign(US.credentials, UDP, "BYE", "sip:a", b"")) == MAX_REALMS


def test_a_session_key_keeps_its_cnonce() -> None:
    """RFC 7616 §3.4.2: of -sess, A1 is made of the first."""
    fresh = iter("abcdef")
    keyring = Keyring(lambda: next(fresh))
    asks = response('realm="r", nonce="n", qop="auth", algorithm=MD5-sess')
    assert keyring.learn(US.credentials, UDP, asks, {})

    signed = [keyring.sign(US.credentials, UDP, "BYE", "sip:a", b"") for _ in range(2)]

    assert ['cnonce="a"' in value for ((_, value),) in signed] == [True, True]
