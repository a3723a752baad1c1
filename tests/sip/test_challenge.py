"""Passwords asked of callers: RFC 3261 §22, RFC 7616, RFC 8760."""

import pytest
from msgspec.structs import replace

from sipstrobe.secret import Secret
from sipstrobe.sip.auth import Challenge
from sipstrobe.sip.challenge import (
    ALGORITHMS,
    MAX_USED,
    MD5_ONLY,
    NONCE_LIFE,
    WRONG_AT_ONCE,
    WRONG_EVERY,
    Callers,
)
from sipstrobe.sip.limits import STRANGER
from sipstrobe.sip.message import Request, Response
from sipstrobe.sip.outputs import CallDenied, IncomingCall
from sipstrobe.sip.transport import Address, Flow, Transport
from tests.sip.scene import OFFER, UDP, US, Scene

PASSWORD = Secret("quite a long one")
CALLERS = Callers("pbx.example", {"alice": PASSWORD, 'o"hara': Secret("x")})
ELSEWHERE = Flow(Transport.UDP, US, Address("198.51.100.4", 5060))


class Gate:
    """A device that asks its callers for a password, and one who calls."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.callers = CALLERS
        self.scene.endpoint.ask_callers(lambda request, flow: self.callers)
        self.calls = 0

    def challenges(self, method: str = "INVITE", flow: Flow = UDP) -> list[Challenge]:
        """What a request without credentials is asked."""
        self.say(self.draft(method), flow)
        response = self.scene.response()
        assert response.status == 401
        self.say(self.scene.draft("ACK", to_tag=response.to.tag, call_id=response.call_id), flow)
        return challenges_in(response)

    def draft(self, method: str = "INVITE", authorization: str = "") -> Request:
        self.calls += 1
        fields = (("Authorization", authorization),) if authorization else ()
        more = (("Event", "dialog"), ("Refer-To", "<sip:b@c>"), ("Contact", "<sip:peer@192.0.2.9>"))
        return self.scene.draft(
            method,
            call_id=f"call-{self.calls}",
            fields=(*more, *fields),
            body=OFFER if method == "INVITE" else b"",
        )

    def answer(
        self,
        challenge: Challenge,
        *,
        method: str = "INVITE",
        user: str = "alice",
        password: Secret = PASSWORD,
        count: int = 1,
        flow: Flow = UDP,
    ) -> int:
        """Answer a challenge; what the request is answered in turn, 0 when it has made a call."""
        credentials = challenge.answer(
            user,
            password,
            method=method,
            uri="sip:1001@192.0.2.1",
            body=b"",
            cnonce="mine",
            count=count,
        )
        return self.with_credentials(str(credentials), method=method, flow=flow)

    def with_credentials(self, text: str, *, method: str = "INVITE", flow: Flow = UDP) -> int:
        self.say(self.draft(method, text), flow)
        answers = self.scene.take()
        return answers[-1].status if answers and isinstance(answers[-1], Response) else 0

    def say(self, request: Request, flow: Flow = UDP) -> None:
        self.scene.hear(request, flow)


def challenges_in(response: Response) -> list[Challenge]:
    return [Challenge.read(auth) for auth in response.auth("WWW-Authenticate")]


def test_a_caller_is_asked_for_a_password_in_every_algorithm_the_best_first() -> None:
    """RFC 8760 §2.3, §2.6; one nonce for all of them."""
    challenges = Gate().challenges()

    assert [challenge.algorithm for challenge in challenges] == list(ALGORITHMS)
    assert {challenge.realm for challenge in challenges} == {"pbx.example"}
    assert {challenge.qop for challenge in challenges} == {("auth",)}
    assert len({challenge.nonce for challenge in challenges}) == 1


def test_phones_that_know_only_md5_can_be_spared_the_others() -> None:
    """Some give up at the sight of SHA-256; an answer in it is none then."""
    gate = Gate()
    gate.callers = replace(CALLERS, algorithms=MD5_ONLY)
    [challenge] = gate.challenges()

    assert challenge.algorithm == "MD5"
    assert gate.answer(replace(challenge, algorithm="SHA-256")) == 401
    assert gate.answer(challenge) == 0


def test_nothing_is_remembered_of_one_who_has_not_proved_himself() -> None:
    """Else a flood of INVITEs would fill the memory: RFC 3261 §26.3.2.4."""
    gate = Gate()

    for _ in range(100):
        gate.challenges()

    assert gate.scene.endpoint.idle
    assert not gate.scene.news


@pytest.mark.parametrize("number", range(len(ALGORITHMS)))
def test_the_right_password_opens_in_every_algorithm(number: int) -> None:
    gate = Gate()
    challenge = gate.challenges()[number]

    assert gate.answer(challenge) == 0

    gate.scene.told(IncomingCall)


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "REFER"])
def test_other_requests_from_outside_are_asked_too(method: str) -> None:
    gate = Gate()

    challenge = gate.challenges(method)[0]

    assert gate.answer(challenge, method=method) not in (0, 401)


def test_options_are_for_everybody() -> None:
    gate = Gate()

    gate.say(gate.draft("OPTIONS"))

    assert gate.scene.statuses() == [200]


def test_within_a_call_nobody_is_asked_again() -> None:
    """RFC 3261 §22.1: the tags of the dialog are known to none but him."""
    gate = Gate()
    gate.answer(gate.challenges()[0])
    call = gate.scene.told(IncomingCall).call
    gate.scene.endpoint.accept(call, b"v=0", now=0.0)
    gate.scene.collect()
    [accepted] = gate.scene.take()
    assert isinstance(accepted, Response)
    gate.say(gate.scene.ack(accepted))

    gate.say(gate.scene.draft("BYE", cseq=2, to_tag=accepted.to.tag, call_id=accepted.call_id))

    assert gate.scene.statuses() == [200]


def test_a_repeated_request_is_not_judged_twice() -> None:
    """UDP repeats the INVITE with the same count: it belongs to its transaction."""
    gate = Gate()
    challenge = gate.challenges()[0]
    credentials = challenge.answer(
        "alice", PASSWORD, method="INVITE", uri="sip:1001@192.0.2.1", body=b"", cnonce="c", count=1
    )
    request = gate.draft("INVITE", str(credentials))

    gate.say(request)
    gate.say(request)

    assert len(gate.scene.news) == 1
    assert 401 not in gate.scene.statuses()


def test_a_wrong_password_is_asked_for_again_and_told() -> None:
    gate = Gate()

    status = gate.answer(gate.challenges()[0], password=Secret("guessed"))

    assert status == 401
    assert gate.scene.told(CallDenied).why == "with a wrong password"


def test_who_does_not_exist_is_told_the_same() -> None:
    """Nobody learns which users there are."""
    gate = Gate()

    unknown = gate.answer(gate.challenges()[0], user="mallory", password=Secret("\0"))

    assert unknown == 401


def test_a_user_with_a_quote_in_his_name_is_known() -> None:
    """RFC 7616 §3.4: username is a quoted string."""
    gate = Gate()

    assert gate.answer(gate.challenges()[0], user='o"hara', password=Secret("x")) == 0


def test_wrong_passwords_become_slow_and_even_the_right_one_has_to_wait() -> None:
    """Who guesses gets a handful at once and then six a minute, whatever he finds."""
    gate = Gate()
    challenge = gate.challenges()[0]

    wrong = [gate.answer(challenge, password=Secret(f"{n}")) for n in range(WRONG_AT_ONCE + 1)]
    early = gate.answer(challenge)
    gate.scene.pass_(WRONG_EVERY)
    late = gate.answer(gate.challenges()[0])

    assert wrong == [401] * WRONG_AT_ONCE + [403]
    assert early == 403
    assert late == 0


def test_wrong_passwords_from_elsewhere_slow_nobody_else() -> None:
    gate = Gate()
    challenge = gate.challenges(flow=ELSEWHERE)[0]
    for n in range(WRONG_AT_ONCE + 1):
        gate.answer(challenge, password=Secret(f"{n}"), flow=ELSEWHERE)

    assert gate.answer(gate.challenges()[0]) == 0


def test_who_never_saw_a_challenge_locks_nobody_out() -> None:
    """Who forges the address of a phone can send passwords from there, but knows no nonce that
    was given to it: what he says is neither right nor wrong."""
    gate = Gate()
    overheard = gate.challenges(flow=ELSEWHERE)[0]
    made_up = Challenge("pbx.example", "bm9uc2Vuc2U=", "MD5", ("auth",))
    for forged in (overheard, made_up):
        for n in range(WRONG_AT_ONCE + 1):
            assert gate.answer(forged, password=Secret(f"{n}")) == 401

    assert gate.answer(gate.challenges()[0]) == 0


def test_a_nonce_that_we_have_not_given_tells_nothing_of_the_password() -> None:
    """Else guesses in plenty could be tried with it, as they do not count."""
    made_up = Challenge("pbx.example", "bm9uc2Vuc2U=", "MD5", ("auth",))
    told: list[bool] = []
    for password in (PASSWORD, Secret("wrong")):
        gate = Gate()
        said = made_up.answer(
            *("alice", password),
            method="INVITE",
            uri="sip:1001@192.0.2.1",
            body=b"",
            cnonce="c",
            count=1,
        )
        gate.say(gate.draft("INVITE", str(said)))
        told += [challenge.stale for challenge in challenges_in(gate.scene.response())]

    assert len(set(told)) == 1


def test_an_old_nonce_is_stale() -> None:
    """RFC 7616 §3.3: the password need not be typed again."""
    gate = Gate()
    old = gate.challenges()[0]
    gate.scene.pass_(NONCE_LIFE + 1)

    credentials = old.answer(
        "alice", PASSWORD, method="INVITE", uri="sip:1001@192.0.2.1", body=b"", cnonce="c", count=1
    )
    gate.say(gate.draft("INVITE", str(credentials)))
    fresh = challenges_in(gate.scene.response())

    assert all(challenge.stale for challenge in fresh)
    assert gate.answer(fresh[0]) == 0


def test_a_nonce_is_good_only_where_it_was_given() -> None:
    """Who overhears an answer cannot use it from another address."""
    gate = Gate()
    challenge = gate.challenges()[0]

    assert gate.answer(challenge, flow=ELSEWHERE) == 401
    assert not gate.scene.news


def test_a_nonce_of_our_own_making_is_the_only_kind() -> None:
    gate = Gate()
    made_up = Challenge("pbx.example", "bm9uc2Vuc2U=", "MD5", ("auth",))

    assert gate.answer(made_up) == 401


def test_an_answer_is_good_once() -> None:
    """RFC 7616 §5.12: the count of each is another; they may overtake one another."""
    gate = Gate()
    challenge = gate.challenges()[0]

    taken = [gate.answer(challenge, count=count) for count in (1, 3, 2, 3, 1)]

    assert taken == [0, 0, 0, 401, 401]


def test_one_who_knows_no_qop_is_let_in_once_by_each_nonce() -> None:
    """RFC 2069 has no count."""
    gate = Gate()
    challenge = gate.challenges()[2]
    old_fashioned = Challenge(challenge.realm, challenge.nonce, "MD5")

    assert gate.answer(old_fashioned) == 0
    assert gate.answer(old_fashioned) == 401


@pytest.mark.parametrize(
    "text",
    [
        "Basic YWxpY2U6eA==",
        "Digest",
        'Digest username="alice"',
        'Digest username="alice", realm="other", nonce="n", uri="u", response="r"',
        'Digest username="alice", realm="pbx.example", nonce="é", uri="u", response="é"',
    ],
)
def test_credentials_that_make_no_sense_prove_nothing(text: str) -> None:
    assert Gate().with_credentials(text) == 401


def test_what_is_remembered_of_nonces_is_bounded() -> None:
    """Those that were forgotten are not good any more, rather than good twice."""
    gate = Gate()
    first = gate.challenges("MESSAGE")[0]
    assert gate.answer(first, method="MESSAGE") == 403  # let in, where nobody may write
    for _ in range(MAX_USED):
        gate.scene.now += 0.01
        assert gate.answer(gate.challenges("MESSAGE")[2], method="MESSAGE") == 403

    assert gate.answer(first, method="MESSAGE", count=2) == 401


def test_whoever_acknowledges_a_challenge_is_where_he_says() -> None:
    """Its tag follows from the address that it was sent to, and from a secret of ours."""
    gate = Gate()

    gate.challenges()

    limits = gate.scene.endpoint.limits
    through = sum(limits.admit("192.0.2.9", b"OPTIONS", now=0.0) for _ in range(1000))
    assert through > 10 * STRANGER.messages
