"""The sessions of the page: how long, how many, and what the browser is given."""

import os

from sipstrobe.web.exchange import Request
from sipstrobe.web.sessions import (
    COOKIE,
    IDLE_LIFETIME,
    LIFETIME,
    SECURE_COOKIE,
    SESSIONS_MAX,
    SESSIONS_PER_ACCOUNT,
    Sessions,
    set_cookie,
    token_of,
)
from tests.support.web import USERS

ADA, OLGA, _ = USERS


def test_a_session_ends_when_it_is_idle_or_closed() -> None:
    sessions = Sessions(os.urandom)
    first = sessions.open(ADA, now=0.0)
    second = sessions.open(ADA, now=0.0)

    assert sessions.find(first, now=IDLE_LIFETIME)
    assert sessions.find(first, now=2 * IDLE_LIFETIME), "its use prolongs it"
    assert sessions.find(second, now=2 * IDLE_LIFETIME) is None
    assert sessions.close(first)
    assert sessions.find(first, now=2 * IDLE_LIFETIME) is None
    assert sessions.find("", now=0.0) is None


def test_no_use_prolongs_a_session_without_end() -> None:
    sessions = Sessions(os.urandom)
    token = sessions.open(ADA, now=5.0)

    used = [5.0 + n * IDLE_LIFETIME for n in range(int(LIFETIME / IDLE_LIFETIME) + 1)]
    assert all(sessions.find(token, now=at) for at in used)
    assert sessions.find(token, now=LIFETIME + 6.0) is None


def test_an_account_crowds_out_its_own_sessions_only() -> None:
    sessions = Sessions(os.urandom)
    ada = sessions.open(ADA, now=0.0)
    olgas = [sessions.open(OLGA, now=1.0 + n) for n in range(SESSIONS_PER_ACCOUNT + 1)]

    assert sessions.is_open(ada)
    assert [sessions.is_open(token) for token in olgas] == [False] + [True] * SESSIONS_PER_ACCOUNT


def test_all_sessions_together_are_bounded() -> None:
    sessions = Sessions(os.urandom)
    accounts = [type(ADA)(name=f"user{n}", ha1_md5=ADA.ha1_md5) for n in range(SESSIONS_MAX + 1)]

    tokens = [sessions.open(account, now=float(n)) for n, account in enumerate(accounts)]

    assert [sessions.is_open(token) for token in tokens] == [False] + [True] * SESSIONS_MAX


def test_what_others_may_have_read_opens_nothing_over_tls() -> None:
    """A token that was given in the open is worth nothing once the page is served by HTTPS alone,
    under whatever name it is shown."""
    sessions = Sessions(os.urandom)
    plain = sessions.open(ADA, now=0.0)
    hidden = sessions.open(ADA, secure=True, now=0.0)

    assert sessions.find(plain, now=0.0)
    assert sessions.find(hidden, secure=True, now=0.0)
    assert sessions.find(plain, secure=True, now=0.0) is None
    assert sessions.find(hidden, now=0.0) is None


def test_one_may_sign_out_everywhere() -> None:
    sessions = Sessions(os.urandom)
    here, there, other = (sessions.open(user, now=0.0) for user in (ADA, ADA, OLGA))

    sessions.close_all("ada")

    assert [sessions.is_open(token) for token in (here, there, other)] == [False, False, True]


def test_the_cookie_is_for_this_device_and_not_for_scripts() -> None:
    assert set_cookie("t", secure=False) == (
        "Set-Cookie",
        f"{COOKIE}=t; Path=/; HttpOnly; SameSite=Strict",
    )
    assert "Max-Age=0" in set_cookie("", secure=False)[1]


def test_over_tls_no_cookie_counts_that_was_given_without() -> None:
    """RFC 6265bis §4.1.3.2: what begins with __Host- is only ever set over TLS, for this host."""
    assert set_cookie("t", secure=True)[1].startswith(f"{SECURE_COOKIE}=t; Path=/; ")
    assert set_cookie("t", secure=True)[1].endswith("; Secure")
    both = {"cookie": f"{COOKIE}=plain; {SECURE_COOKIE}=hidden"}
    asked = Request(method="GET", path="/", target="/", headers=both)
    assert token_of(asked) == "plain"
    assert token_of(Request(method="GET", path="/", target="/", headers=both, secure=True)) == (
        "hidden"
    )
