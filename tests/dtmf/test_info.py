"""Digits in SIP INFO, as phones and PBXs send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.dtmf.event import DIGITS
from sipstrobe.dtmf.info import MAX_BODY_BYTES, PLAIN, RELAY, body_of, sign_of
from sipstrobe.dtmf.sign import Sign
from sipstrobe.errors import RemoteProtocolError


@pytest.mark.parametrize(
    ("content_type", "body", "digit"),
    [
        (RELAY, b"Signal=5\r\nDuration=160\r\n", "5"),
        (RELAY, b"Duration=100\nsignal = #", "#"),
        (RELAY, b"Signal=10\r\n", "*"),  # the event code
        (RELAY, b"Signal=11\r\n", "#"),
        (RELAY, b"Signal=b\r\n", "B"),
        (RELAY, b"Signal=16\r\n", None),  # flash
        (RELAY, b"Signal=hf\r\n", None),
        (PLAIN, b"7", "7"),
        (PLAIN, b" * \r\n", "*"),
        (PLAIN, b"12", "A"),
    ],
)
def test_what_is_sent_in_practice(content_type: str, body: bytes, digit: str | None) -> None:
    sign = sign_of(content_type, body)

    assert (sign.digit if sign is not None else None) == digit


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b"Signal=5\r\nDuration=160\r\n", 0.16),
        (b"Signal=5\r\nDuration=2500\r\n", 2.5),
        (b"Signal=5\r\n", 0.0),
        (b"Signal=5\r\nDuration=long\r\n", 0.0),
        (b"Signal=5\r\nDuration=" + b"9" * 30, 0.0),
    ],
)
def test_how_long_a_digit_was_pressed_is_said_in_milliseconds(body: bytes, seconds: float) -> None:
    assert sign_of(RELAY, body) == Sign("5", begins=True, seconds=seconds, ended=True)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (RELAY, b""),
        (RELAY, b"Duration=160\r\n"),
        (PLAIN, b"  \r\n"),
        ("text/plain", b"5"),
        (PLAIN, b"5" * (MAX_BODY_BYTES + 1)),
    ],
)
def test_what_is_no_dtmf(content_type: str, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        sign_of(content_type, body)


@given(st.sampled_from([RELAY, PLAIN]), st.binary(max_size=40), st.booleans())
def test_any_bytes_are_a_digit_or_none(content_type: str, body: bytes, named: bool) -> None:
    try:
        sign = sign_of(content_type, b"Signal=" + body if named else body)
    except RemoteProtocolError:
        return
    assert sign is None or (len(sign.digit) == 1 and sign.digit in DIGITS)


def test_what_we_send_is_what_we_understand() -> None:
    for code, digit in enumerate(DIGITS):
        assert sign_of(RELAY, body_of(code, 0.1)) == Sign(digit, True, 0.1, True)
