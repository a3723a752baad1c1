"""HTTP Digest, the server's side: RFC 7616 and the answers of old and odd clients."""

import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.web.digest import (
    COUNTS_BACK,
    NONCE_LIFETIME,
    NONCES_MAX,
    DigestAnswer,
    DigestGate,
    Verdict,
    response_hash,
)

REALM = "http-auth@example.org"
SECRETS = {
    "MD5": hashlib.md5(f"Mufasa:{REALM}:Circle of Life".encode()).hexdigest(),
    "SHA-256": hashlib.sha256(f"Mufasa:{REALM}:Circle of Life".encode()).hexdigest(),
}


def header(
    nonce: str, *, nc: int = 1, algorithm: str = "MD5", qop: str = "auth", **more: str
) -> str:
    """What a client sends that knows the password and asks for /dir/index.html."""
    fields = {
        "username": "Mufasa",
        "realm": REALM,
        "nonce": nonce,
        "uri": "/dir/index.html",
        "response": "",
        "algorithm": algorithm,
    }
    if qop:
        fields |= {
            "qop": qop,
            "nc": f"{nc:08x}",
            "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        }
    fields |= more
    unproven = "Digest " + ", ".join(f'{name}="{value}"' for name, value in fields.items())
    response = response_hash(DigestAnswer.parse(unproven), "GET", SECRETS[algorithm])
    return unproven.replace('response=""', f'response="{more.get("response", response)}"')


def nonce_of(gate: DigestGate, now: float = 0.0) -> str:
    return gate.challenges(now=now)[0].split('nonce="')[1].split('"')[0]


def judge(
    gate: DigestGate, given: str, *, now: float = 0.0, target: str = "/dir/index.html"
) -> Verdict:
    return gate.judge(DigestAnswer.parse(given), "GET", target, SECRETS, now=now)


@pytest.fixture
def gate() -> DigestGate:
    return DigestGate(REALM, os.urandom)


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_the_standard(algorithm: str, response: str) -> None:
    """RFC 7616 §3.9.1."""
    answer = DigestAnswer.parse(
        f'Digest username="Mufasa", realm="{REALM}", uri="/dir/index.html", '
        f'algorithm={algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, '
        f'response="{response}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )

    assert response_hash(answer, "GET", SECRETS[algorithm]) == response


def test_md5_is_offered_first_and_all_offers_carry_the_same_nonce(gate: DigestGate) -> None:
    """Some clients take the first Digest header only, others let later parameters win."""
    first, second = gate.challenges(now=0.0)

    assert "algorithm=MD5" in first
    assert "algorithm=SHA-256" in second
    assert first.replace("MD5", "SHA-256") == second
    assert "stale" not in first


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("qop", ["auth", ""])
def test_the_right_password_is_right(gate: DigestGate, algorithm: str, qop: str) -> None:
    """With quality of protection, and as in RFC 2069 without."""
    assert judge(gate, header(nonce_of(gate), algorithm=algorithm, qop=qop)) is Verdict.RIGHT


def test_a_wrong_response_user_realm_method_or_target_is_wrong(gate: DigestGate) -> None:
    nonce = nonce_of(gate)
    good = DigestAnswer.parse(header(nonce))

    assert judge(gate, header(nonce, response="0" * 32)) is Verdict.WRONG
    assert judge(gate, header(nonce, realm="elsewhere")) is Verdict.WRONG
    assert judge(gate, header(nonce), target="/other") is Verdict.WRONG
    assert gate.judge(good, "POST", good.uri, SECRETS, now=0.0) is Verdict.WRONG
    assert gate.judge(good, "GET", good.uri, None, now=0.0) is Verdict.WRONG
    assert gate.judge(good, "GET", good.uri, {"SHA-256": "0"}, now=0.0) is Verdict.WRONG


def test_who_may_not_come_by_digest_has_no_password_that_is_right(gate: DigestGate) -> None:
    """Of such an account nothing is kept; of an unknown name there is nothing."""
    nothing = "0" * 32
    answer = DigestAnswer.parse(header(nonce_of(gate)))
    response = response_hash(answer, "GET", nothing)
    guessed = DigestAnswer.parse(header(answer.nonce, response=response))

    for secrets in (None, {}, {"MD5": "", "SHA-256": ""}):
        verdict = gate.judge(guessed, "GET", guessed.uri, secrets, now=0.0)
        assert verdict is Verdict.WRONG
    known = gate.judge(guessed, "GET", guessed.uri, {"MD5": nothing}, now=0.0)
    assert known is Verdict.RIGHT, "the response would be"


def test_octets_that_are_no_text_are_wrong(gate: DigestGate) -> None:
    """The server gives the octets of a header that are no UTF-8 as lone surrogates."""
    given = header(nonce_of(gate), response="\udcff", username="\udcff", cnonce="\udcff")

    assert judge(gate, given) is Verdict.WRONG


def test_the_uri_may_be_given_as_absolute(gate: DigestGate) -> None:
    given = header(nonce_of(gate), uri="http://192.0.2.1:8080/dir/index.html")

    assert judge(gate, given) is Verdict.RIGHT


@pytest.mark.parametrize(
    ("uri", "target", "same"),
    [
        ("/play?at=/a b.mp3", "/play?at=%2Fa%20b.mp3", True),
        ("/play?at=/a+b.mp3", "/play?at=%2fa%20b.mp3", True),
        ("http://siren/dir%20x", "/dir x", True),
        ("/play?at=a&b=c", "/play?at=a%26b=c", False),
        ("/play?at=a", "/play?at=a&b=c", False),
        ("/play%3Fat=a", "/play?at=a", False),
        ("/play?at=%80", "/play?at=%81", False),
    ],
)
def test_the_uri_may_be_encoded_otherwise_as_long_as_it_means_the_same(
    gate: DigestGate, uri: str, target: str, same: bool
) -> None:
    """RFC 7616 §3.4.6: as the Digest of aiohttp 3.13 has it of a query."""
    verdict = judge(gate, header(nonce_of(gate), uri=uri), target=target)
    assert verdict is (Verdict.RIGHT if same else Verdict.WRONG)


def test_a_count_is_good_once_and_in_any_order(gate: DigestGate) -> None:
    """Clients reuse a nonce with rising counts on several connections, which race."""
    nonce = nonce_of(gate)

    verdicts = [judge(gate, header(nonce, nc=nc)) for nc in (1, 3, 2, 5, 4)]

    assert verdicts == [Verdict.RIGHT] * 5
    assert judge(gate, header(nonce, nc=3)) is Verdict.STALE, "a replay is asked to try again"
    assert judge(gate, header(nonce, nc=5 + COUNTS_BACK)) is Verdict.RIGHT
    assert judge(gate, header(nonce, nc=5)) is Verdict.STALE
    assert judge(gate, header(nonce, nc=0)) is Verdict.STALE


def test_a_nonce_lives_for_ten_minutes_and_is_then_stale(gate: DigestGate) -> None:
    nonce = nonce_of(gate, now=100.0)

    assert judge(gate, header(nonce, nc=1), now=100.0 + NONCE_LIFETIME) is Verdict.RIGHT
    assert judge(gate, header(nonce, nc=2), now=100.1 + NONCE_LIFETIME) is Verdict.STALE
    assert "stale=true" in gate.challenges(now=0.0, stale=True)[0]


def test_a_nonce_of_somebody_else_is_stale_and_not_wrong(gate: DigestGate) -> None:
    """After a restart the password of a running program is still right."""
    other = DigestGate(REALM, os.urandom)

    assert judge(gate, header(nonce_of(other))) is Verdict.STALE
    assert judge(gate, header("made up")) is Verdict.STALE


def test_the_table_of_used_nonces_is_bounded_and_forgets_nothing_it_must_know(
    gate: DigestGate,
) -> None:
    """What is forgotten cannot be replayed: nonces as old as it are stale from then on."""
    first = nonce_of(gate, now=1.0)
    unused = nonce_of(gate, now=1.0)
    assert judge(gate, header(first), now=1.0) is Verdict.RIGHT
    oldest = nonce_of(gate, now=2.0)
    for nonce in (oldest, *(nonce_of(gate, now=2.0 + n / 1000) for n in range(1, NONCES_MAX))):
        assert judge(gate, header(nonce), now=4.0) is Verdict.RIGHT

    for _ in range(2):
        assert judge(gate, header(first), now=4.0) is Verdict.STALE
        assert judge(gate, header(unused), now=4.0) is Verdict.STALE
    assert judge(gate, header(oldest, nc=2), now=4.0) is Verdict.RIGHT, "no replay displaces it"
    assert len(gate._used) == NONCES_MAX  # pyright: ignore[reportPrivateUsage]


WHOLE = 'Digest username="a", realm="r", nonce="n", uri="/", response="x"'


@pytest.mark.parametrize(
    "text",
    [
        "Basic YTpi",
        WHOLE.replace("Digest", "Basic"),
        "Digest",
        'Digest username="a"',
        WHOLE + ", algorithm=MD5-sess",
        WHOLE + ', qop=auth-int, cnonce="c", nc=00000001',
        WHOLE + ", qop=auth, nc=00000001",
        WHOLE + ', qop=auth, cnonce="c", nc=x',
        WHOLE.replace('"a"', '"a'),
    ],
)
def test_an_answer_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        DigestAnswer.parse(text)


@given(st.text(max_size=200))
def test_whatever_the_header_holds_only_the_protocol_error_escapes(text: str) -> None:
    gate = DigestGate(REALM, bytes)
    for value in (text, "Digest " + text, WHOLE.replace('"a"', f'"{text}"')):
        try:
            answer = DigestAnswer.parse(value)
        except RemoteProtocolError:
            continue
        assert gate.judge(answer, "GET", "/", SECRETS, now=0.0) is Verdict.WRONG
