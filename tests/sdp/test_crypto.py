"""Keys in the signalling: RFC 4568, with the suites of RFC 7714."""

import base64
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.crypto import SUITES, Crypto, make_keys
from sipstrobe.sdp.description import SessionDescription

CM = "AES_CM_128_HMAC_SHA1_80"
KEY = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"  # RFC 4568 §9.1
LONG = base64.b64encode(bytes(range(44))).decode()


def test_the_example_of_the_rfc() -> None:
    """RFC 4568 §4.1, with the parameter that is declarative only."""
    crypto = Crypto.parse(f"1 {CM} inline:{KEY}|2^20 WSH=64")

    assert (crypto.tag, crypto.suite) == (1, CM)
    assert crypto.key.reveal() == KEY
    assert crypto.line == f"a=crypto:1 {CM} inline:{KEY}"


@pytest.mark.parametrize(
    "value",
    [
        f"1 {CM} inline:{KEY}",
        f"999999999 {CM} inline:{KEY}",
        f"1  {CM.lower()}   INLINE:{KEY}",
        f"1 {CM} inline:{KEY}|2^48",
        f"1 {CM} inline:{KEY}|281474976710656",
        f"1 {CM} inline:{KEY} -unknown=1",
        f"1 AEAD_AES_256_GCM inline:{LONG}",
        f"1 AEAD_AES_256_GCM inline:{LONG.rstrip('=')}",
    ],
)
def test_what_can_be_used(value: str) -> None:
    """RFC 4568 §6.3.7: what begins with a dash may be ignored; padding is often left out."""
    assert Crypto.parse(Crypto.parse(value).line.removeprefix("a=crypto:")) == Crypto.parse(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "without tag"),
        (f"x {CM} inline:{KEY}", "without tag"),
        (f"1 {CM}", "without tag"),
        (f"1 F8_128_HMAC_SHA1_80 inline:{KEY}", "suite F8_128_HMAC_SHA1_80 is not supported"),
        (f"1 {CM} inline:{KEY}|2^20|1:4", "MKI"),
        (f"1 {CM} inline:{KEY}|1:4", "MKI"),
        (f"1 {CM} inline:{KEY}|2^20;inline:{KEY}|2^20", "several keys"),
        (f"1 {CM} inline:{KEY}|2^49", "lifetime"),
        (f"1 {CM} inline:{KEY}|0", "lifetime"),
        (f"1 {CM} inline:{KEY}|2^20|2^20", "lifetime"),
        (f"1 {CM} inline:{KEY[:-4]}", "wrong length"),
        (f"1 {CM} inline:{LONG}", "wrong length"),
        (f"1 {CM} inline:{KEY[:-1]}!", "no base64"),
        (f"1 {CM} inline:{KEY[:-1]}é", "no base64"),
        (f"1 {CM} uri:{KEY}", "method uri"),
        (f"1 {CM} inline:{KEY} UNENCRYPTED_SRTP", "UNENCRYPTED_SRTP"),
        (f"1 {CM} inline:{KEY} UNENCRYPTED_SRTCP", "UNENCRYPTED_SRTCP"),
        (f"1 {CM} inline:{KEY} UNAUTHENTICATED_SRTP", "UNAUTHENTICATED_SRTP"),
        (f"1 {CM} inline:{KEY} KDR=1", "KDR"),
        (f"1 {CM} inline:{KEY} FEC_ORDER=FEC_SRTP", "FEC_ORDER"),
        (f"1 {CM} inline:{KEY} unknown=1", "unknown"),
        (f"1 {CM} {KEY}", "key method in it is not"),
        (f"1 {CM} inline: {KEY}", "parameter in it is not"),
        (f"1 inline:{KEY} {CM}", "suite in it is not"),
        (f"1 {KEY} {CM}", "suite in it is not"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason_that_shows_no_key(
    value: str, reason: str
) -> None:
    """RFC 4568 §6.1, §6.3: an unknown parameter makes the whole attribute unusable."""
    with pytest.raises(RemoteProtocolError) as refusal:
        Crypto.parse(value)

    assert reason in str(refusal.value)
    assert KEY[:8] not in str(refusal.value)


def test_each_suite_has_a_key_of_its_length() -> None:
    """RFC 4568 §6.2, RFC 7714 §12: the strongest first."""
    serial = count(1)

    keys = make_keys(lambda size: bytes([next(serial)]) * size)

    sizes = {name: len(base64.b64decode(key.reveal())) for name, key in keys.items()}
    assert sizes == {
        "AEAD_AES_256_GCM": 44,
        "AEAD_AES_128_GCM": 28,
        "AES_CM_128_HMAC_SHA1_80": 30,
        "AES_CM_128_HMAC_SHA1_32": 30,
    }
    assert list(sizes) == list(SUITES)
    for n, (name, key) in enumerate(keys.items()):
        assert Crypto.parse(Crypto(n, name, key).line[9:]) == Crypto(n, name, key)


@pytest.mark.parametrize(
    "line",
    [
        f"a=crypto:1 {CM} inline:{KEY}|2^20 WSH=64",
        f"a=crypto:1 {CM} InLine:{KEY}",
        f"a=crypto:1 {CM} inline:{KEY}|2^20|1:4;inline:{KEY}|2^20|2:4",
        f"a=acap:1 crypto:1 {CM} inline:{KEY}",  # RFC 5939
        f"a=crypto:1 {CM} {KEY}",
        f"a=crypto:1 {CM} inline: {KEY}",
        f"a=key-mgmt:mikey {KEY}",  # RFC 4567
        f"k=base64:{KEY}",  # RFC 4566 §5.12
    ],
)
def test_a_description_does_not_show_its_keys(line: str) -> None:
    """Neither of the medium nor, where it has no business, of the session."""
    text = f"v=0\r\n{line}\r\nm=audio 5000 RTP/SAVP 0\r\n{line}\r\n".encode()
    description = SessionDescription.parse(text)

    for shown in (repr(description), str(description), repr(description.media[0])):
        assert KEY[:8] not in shown
        assert "***" in shown
    assert bytes(description) == text


def test_a_key_is_not_shown() -> None:
    crypto = Crypto.parse(f"1 {CM} inline:{KEY}")

    assert KEY not in f"{crypto} {crypto!r}"


@given(
    st.lists(
        st.sampled_from(["1", CM, "AEAD_AES_128_GCM", f"inline:{KEY}", "inline:", "|2^20", ";"])
        | st.text(max_size=8),
        max_size=6,
    ),
    st.sampled_from([" ", "", "|"]),
)
@settings(max_examples=300, deadline=None)
def test_nothing_but_the_protocol_error(pieces: list[str], between: str) -> None:
    try:
        crypto = Crypto.parse(between.join(pieces))
    except RemoteProtocolError:
        return
    assert Crypto.parse(crypto.line.removeprefix("a=crypto:")) == crypto
