"""What others can make grow: wrong passwords, sessions, forms."""

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.web.multipart import PARTS_MAX, Part, parse_form
from sipstrobe.web.sessions import COOKIE, IDLE_LIFETIME, SESSIONS_MAX, Sessions, set_cookie
from sipstrobe.web.throttle import ADDRESSES_MAX, BLOCK, FAILURES, Throttle

FORM = "multipart/form-data; boundary=XX"


def test_twenty_wrong_passwords_in_a_second_block_the_address_for_ten_seconds() -> None:
    throttle = Throttle()

    blocked = [throttle.failed("192.0.2.1", now=n * 0.04) for n in range(FAILURES)]

    assert blocked == [False] * (FAILURES - 1) + [True]
    assert throttle.blocked("192.0.2.1", now=1.0)
    assert throttle.blocked("192.0.2.1", now=0.75 + BLOCK)
    assert not throttle.blocked("192.0.2.1", now=0.77 + BLOCK)
    assert not throttle.blocked("192.0.2.2", now=1.0), "never lock out others"


def test_a_site_with_many_ipv6_addresses_is_one() -> None:
    """RFC 6177: a site has a /64 at least, so its addresses are no bound."""
    throttle = Throttle()

    for n in range(FAILURES):
        throttle.failed(f"2001:db8::{n:x}", now=0.0)

    assert throttle.blocked("2001:db8::ffff:1", now=1.0)
    assert not throttle.blocked("2001:db8:0:1::1", now=1.0)
    assert not throttle.blocked("fe80::1%eth0", now=1.0)


def test_slow_failures_never_add_up() -> None:
    throttle = Throttle()

    assert not any(throttle.failed("192.0.2.1", now=n * 0.1) for n in range(65))


def test_the_addresses_remembered_are_bounded() -> None:
    throttle = Throttle()

    for n in range(2 * ADDRESSES_MAX):
        throttle.failed(f"address {n}", now=0.0)
    for n in range(2 * ADDRESSES_MAX):
        for _ in range(FAILURES):
            throttle.failed(f"address {n}", now=0.0)

    assert not throttle.blocked("address 0", now=0.0)
    assert throttle.blocked(f"address {2 * ADDRESSES_MAX - 1}", now=0.0)


def test_a_session_ends_when_it_is_idle_closed_or_crowded_out() -> None:
    sessions = Sessions(os.urandom)
    first = sessions.open("ada", "proof", now=0.0)
    second = sessions.open("ada", "proof", now=0.0)

    assert sessions.find(first, now=IDLE_LIFETIME) == ("ada", "proof")
    assert sessions.find(first, now=2 * IDLE_LIFETIME) == ("ada", "proof"), "its use prolongs it"
    assert sessions.find(second, now=2 * IDLE_LIFETIME) is None
    for n in range(SESSIONS_MAX):
        sessions.open("olga", "proof", now=3 * IDLE_LIFETIME + n)
    last = sessions.open("olga", "proof", now=4 * IDLE_LIFETIME)
    assert sessions.find(first, now=3 * IDLE_LIFETIME) is None
    sessions.close(last)
    assert sessions.find(last, now=4 * IDLE_LIFETIME) is None
    assert sessions.find("", now=0.0) is None


def test_the_cookie_is_for_this_device_and_not_for_scripts() -> None:
    assert set_cookie("t", secure=False) == (
        "Set-Cookie",
        f"{COOKIE}=t; Path=/; HttpOnly; SameSite=Strict",
    )
    assert set_cookie("t", secure=True)[1].endswith("; Secure")
    assert "Max-Age=0" in set_cookie("", secure=False)[1]


def test_a_form_has_parts_with_names_and_files() -> None:
    """RFC 7578 §4; what stands before and after the parts does not count (RFC 2046 §5.1.1)."""
    body = (
        b"a preamble\r\n--XX\r\n"
        b'Content-Disposition: form-data; name="request"\r\n\r\n{}\r\n'
        b"--XX  \r\n"
        b'content-disposition: form-data; filename="p.json"; name=file\r\n'
        b"Content-Type: application/json\r\n\r\n[\r\n]\r\n"
        b"--XX--\r\nan epilogue"
    )

    assert parse_form(FORM, body) == [
        Part("request", "", b"{}"),
        Part("file", "p.json", b"[\r\n]"),
    ]
    assert parse_form('multipart/form-data; charset=utf-8; boundary="XX"', body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        (FORM, b""),
        (FORM, b"--XX\r\n"),
        (FORM, b"--XX\r\nno blank line\r\n--XX--"),
        (FORM, b"--XX\r\nContent-Type: a/b\r\n\r\n\r\n--XX--"),
        (FORM, b'--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nno end'),
        (
            FORM,
            b'--XX\r\nContent-Disposition: f; name="a"\r\n\r\n\r\n' * (PARTS_MAX + 1) + b"--XX--",
        ),
    ],
)
def test_a_form_that_is_none_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_form(content_type, body)


@given(st.text(max_size=60), st.binary(max_size=200))
def test_only_the_protocol_error_escapes_from_a_form(content_type: str, body: bytes) -> None:
    for kind in (content_type, FORM, FORM + content_type):
        for content in (body, b"--XX\r\n" + body + b"\r\n--XX--"):
            with contextlib.suppress(RemoteProtocolError):
                parse_form(kind, content)
