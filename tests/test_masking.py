"""What people are shown without what nobody must learn from it."""

import pytest

from sipstrobe.masking import masked, masked_message

DIGEST = (
    'Authorization: Digest username="alice", realm="pbx", nonce="n1", uri="sip:pbx", '
    'cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1"'
)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (DIGEST, "6629fae49393a05397450978507c4ef1"),
        (DIGEST, "0a4f113b"),
        ("Proxy-Authorization: Basic YWRhOnNlY3JldA==", "YWRhOnNlY3JldA=="),
        ("authorization: bearer abcdefghijklmnop1234", "abcdefghijklmnop1234"),
        ("refused: Bearer abcdefghijklmnop1234", "abcdefghijklmnop1234"),
        ("Cookie: theme=dark; session=c0ffee", "c0ffee"),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKC|2^20|1:4", "WVNfX19zZW1"),
        ("a=ice-pwd:asd88fgpdd777uzjYhagZg", "asd88fgpdd777uzjYhagZg"),
        ("v=0\nk=clear:orange", "orange"),
        ("Signal=7\r\nDuration=160", "=7"),
        ('{"password": "correct horse"}', "correct"),
        ("mqtts://device:hunter2@broker.example/x", "hunter2"),
        ("<sip:alice:hunter2@example.com>", "hunter2"),
        ("token=abc.def", "abc.def"),
    ],
)
def test_a_secret_is_not_shown(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "wrong name or password from 192.0.2.7",
        "call in-7 has ended: remote bye, sip:1001@192.0.2.10:5060",
        "page http://192.0.2.7:8080/ is served",
        'realm="pbx", nonce="n1", algorithm=SHA-256',
        "the token ring",
        "a=rtpmap:101 telephone-event/8000",
        "UDP from [2001:db8::1]:5060 to 10:30:00",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


def test_the_keys_of_a_pin_are_not_shown_whatever_carries_them() -> None:
    """RFC 6086: an INFO may have nothing but the key for a body."""
    head = "INFO sip:1001@x SIP/2.0\r\nContent-Type: application/dtmf\r\nContent-Length: 1\r\n\r\n"
    assert masked_message(head + "5").endswith("\r\n\r\n***")

    relay = head.replace("application/dtmf", "application/dtmf-relay") + "Signal= 5\r\nDuration= 9"
    assert "5\r\nDuration= 9" not in masked_message(relay)
    assert "Duration= 9" in masked_message(relay)
