"""Digest authentication. The examples are those of the RFCs."""

from dataclasses import replace

import pytest
from msgspec import structs

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.secret import Secret
from sipstrobe.sip.auth import Authorization, Challenge, digest
from sipstrobe.sip.headers import parse_auth

MUFASA = Authorization(
    username="Mufasa",
    realm="testrealm@host.com",
    nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
    uri="/dir/index.html",
)
HTTP_AUTH = Challenge(
    realm="http-auth@example.org",
    nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    qop=("auth", "auth-int"),
    opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
)
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


def answer(challenge: Challenge, *, body: bytes = b"", count: int = 1) -> Authorization:
    return challenge.answer(
        "Mufasa",
        Secret("Circle of Life"),
        method="GET",
        uri="/dir/index.html",
        body=body,
        cnonce=CNONCE,
        count=count,
    )


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_answer_to_a_challenge(algorithm: str, response: str) -> None:
    """RFC 7616 §3.9.1."""
    assert answer(structs.replace(HTTP_AUTH, algorithm=algorithm)).response == response


def test_sha_512_256_and_a_name_beyond_ascii() -> None:
    """RFC 7616 §3.9.2 with the response of erratum 4897."""
    given = Authorization(
        username="Jäsøn Doe",
        realm="api@example.org",
        nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        uri="/doe.json",
        algorithm="SHA-512-256",
        qop="auth",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        nc=1,
    )

    assert digest(given, Secret("Secret, or not?"), "GET", b"") == (
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    )


def test_the_forms_of_earlier_standards() -> None:
    """RFC 2617 §3.5; RFC 2069 §2.4 with erratum 749, where there is no qop."""
    with_qop = replace(MUFASA, qop="auth", cnonce="0a4f113b", nc=1)

    assert digest(with_qop, Secret("Circle Of Life"), "GET", b"") == (
        "6629fae49393a05397450978507c4ef1"
    )
    assert digest(MUFASA, Secret("CircleOfLife"), "GET", b"") == "1949323746fe6a43ef61f9606e7febea"


def test_auth_int_protects_the_body() -> None:
    """RFC 7616 §3.4.3."""
    challenge = structs.replace(HTTP_AUTH, qop=("auth-int",))

    given = answer(challenge, body=b"v=0")

    assert given.qop == "auth-int"
    assert given.proves(Secret("Circle of Life"), "GET", b"v=0")
    assert not given.proves(Secret("Circle of Life"), "GET", b"v=1")


def test_auth_is_preferred_to_auth_int() -> None:
    """A router on the way may rewrite the addresses in a session description."""
    assert answer(HTTP_AUTH).qop == "auth"


@pytest.mark.parametrize("algorithm", ["MD5-sess", "SHA-256-sess", "SHA-512-256-sess"])
def test_a_session_key_depends_on_both_nonces(algorithm: str) -> None:
    """RFC 7616 §3.4.2: A1 of -sess."""
    given = answer(structs.replace(HTTP_AUTH, algorithm=algorithm))

    assert given.proves(Secret("Circle of Life"), "GET", b"")
    assert not replace(given, cnonce="other").proves(Secret("Circle of Life"), "GET", b"")
    assert not given.proves(Secret("circle of life"), "GET", b"")


def test_what_is_proved_is_method_and_uri() -> None:
    """RFC 7616 §3.4.3."""
    given = answer(HTTP_AUTH)

    assert given.proves(Secret("Circle of Life"), "GET", b"")
    assert not given.proves(Secret("Circle of Life"), "PUT", b"")
    assert not replace(given, uri="/other").proves(Secret("Circle of Life"), "GET", b"")
    assert not replace(given, algorithm="SHA3").proves(Secret("Circle of Life"), "GET", b"")


def test_credentials_are_written_as_servers_expect_them() -> None:
    """RFC 7616 §3.4: qop, nc and algorithm without quotes, everything else with them."""
    assert str(answer(structs.replace(HTTP_AUTH, algorithm="MD5"))) == (
        'Digest username="Mufasa", realm="http-auth@example.org", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", '
        'response="8ca523f5e9506fed4657c9700eebdbec", algorithm=MD5, '
        f'cnonce="{CNONCE}", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", '
        "qop=auth, nc=00000001"
    )


def test_the_form_of_rfc_2069_has_nothing_of_later_ones() -> None:
    """RFC 3261 §22.4: no cnonce and nc without qop; no algorithm that was not named."""
    given = str(answer(structs.replace(HTTP_AUTH, qop=(), opaque=None)))

    assert not any(word in given for word in ("qop", "nc=", "cnonce", "algorithm", "opaque"))


def test_both_are_read_as_they_are_written() -> None:
    for challenge in (HTTP_AUTH, Challenge("a", "b"), Challenge("", "n", "MD5", stale=True)):
        assert [Challenge.read(auth) for auth in parse_auth(str(challenge))] == [challenge]
    for given in (answer(HTTP_AUTH, count=0xABCDEF), answer(Challenge("r", "n", opaque=""))):
        assert [Authorization.read(auth) for auth in parse_auth(str(given))] == [given]


def test_what_stands_between_quotes_goes_back_unchanged() -> None:
    """RFC 7616 §3.4.2: unq() takes off the quotes and leaves the backslashes."""
    (auth,) = parse_auth(r'Digest realm="say \"friend\" \\o/", nonce="\a\b", opaque=""')

    given = str(answer(Challenge.read(auth)))

    assert r'realm="say \"friend\" \\o/"' in given
    assert r'nonce="\a\b"' in given
    assert 'opaque=""' in given


def test_a_user_name_with_quotes_stays_one_parameter() -> None:
    given = HTTP_AUTH.answer(
        'a"b\\', Secret("p"), method="GET", uri="/", body=b"", cnonce="c", count=1
    )

    assert r'username="a\"b\\"' in str(given)
    assert [Authorization.read(auth) for auth in parse_auth(str(given))] == [given]


@pytest.mark.parametrize(
    "text",
    [
        'DIGEST REALM=r,NONCE=n,QOP=AUTH,STALE=TRUE,ALGORITHM="md5"',
        'digest  nonce="n" ,, realm = "r", qop="AUTH , x", stale="True", algorithm=md5, new=1,',
    ],
)
def test_challenges_of_careless_servers(text: str) -> None:
    """RFC 7616 §3.3: names and tokens are not case-sensitive; what is unknown is ignored."""
    (auth,) = parse_auth(text)

    challenge = Challenge.read(auth)

    assert (challenge.realm, challenge.nonce, challenge.stale) == ("r", "n", True)
    assert challenge.usable
    assert challenge.chosen_qop == "auth"


def test_challenges_that_we_cannot_answer() -> None:
    """RFC 7616 §3.3."""
    assert not Challenge("r", "n", "SHA3-512").usable
    assert not Challenge("r", "n", "MD5", ("auth-conf",)).usable
    for text in ('Digest realm="r"', 'Digest nonce="n"', 'Basic realm="r", nonce="n"'):
        with pytest.raises(RemoteProtocolError):
            Challenge.read(parse_auth(text)[0])


@pytest.mark.parametrize(
    "text",
    [
        'Basic username="u", realm="r", nonce="n", uri="u", response="0"',
        'Digest realm="r", nonce="n", uri="u", response="0"',
        'Digest username="u", realm="r", nonce="n", uri="u", response="0", qop=auth, nc=1',
        'Digest username="u", realm="r", nonce="n", uri="u", response="0", nc=123456789',
        'Digest username="u", realm="r", nonce="n", uri="u", response="0", nc=-1',
        'Digest username="u", realm="r", nonce="n", uri="u", response="0", nc=xyz',
    ],
)
def test_credentials_that_are_none(text: str) -> None:
    """RFC 7616 §3.4."""
    with pytest.raises(RemoteProtocolError):
        Authorization.read(parse_auth(text)[0])


def test_octets_that_are_no_utf_8_are_hashed_as_they_came() -> None:
    realm = b"caf\xe9".decode("utf-8", "surrogateescape")
    challenge = Challenge(realm, "n", "MD5")

    assert answer(challenge).proves(Secret("Circle of Life"), "GET", b"")


def test_a_response_is_not_seen_in_a_log() -> None:
    """It is as good as the password for whoever can guess."""
    assert answer(HTTP_AUTH).response not in repr(answer(HTTP_AUTH))
