"""STUN messages, against the RFC's own and against what is no message."""

import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.nat.stun import (
    Attr,
    Class,
    Message,
    Method,
    build,
    error_code,
    is_stun,
    long_term_key,
    parse,
    xor_address,
)

ID = bytes.fromhex("b7e7a701bc34d686fa87dfae")
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
USER = "\u30de\u30c8\u30ea\u30c3\u30af\u30b9"
# fmt: off
REQUEST = bytes.fromhex(  # RFC 5769 §2.1
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74" "002400046e0001ff" "80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2" "80280004e57a3bcf"
)
RESPONSE_4 = bytes.fromhex(  # §2.2
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220" "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7" "80280004c07d4c96"
)
RESPONSE_6 = bytes.fromhex(  # §2.3
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220" "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41" "80280004c8fb0b4c"
)
LONG_TERM = bytes.fromhex(  # §2.4
    "000100602112a44278ad3433c6ad72c029da412e"
    "00060012e3839ee38388e383aae38383e382afe382b90000"
    "0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341"
    "0014000b6578616d706c652e6f726700"
    "00080014f67024656dd64a3e02b8e0712e85c9a28ca89666"
)
LONG_TERM_SHA256 = bytes.fromhex(  # RFC 8489 appendix B.1
    "000100902112a44278ad3433c6ad72c029da412e"
    "001e00204a3cf38fef6992bda952c6780417da0f24819415569e60b205c46e41407f1704"
    "001500296f624d61744a6f733241414143662f2f3439396b39353464364f4c33346f4c39465354767936347341"
    "000000" "0014000b6578616d706c652e6f726700" "001d000400020000"
    "001c0020b5c7bf005b6c52a21c51c5e892f81924136296cb927c43149309278cc6518e65"
)
# fmt: on
VECTORS = (REQUEST, RESPONSE_4, RESPONSE_6, LONG_TERM, LONG_TERM_SHA256)


def test_the_sample_request() -> None:
    """RFC 5769 §2.1: padded with spaces, signed with a password, with a fingerprint."""
    message = parse(REQUEST)

    assert (message.method, message.kind, message.transaction_id) == (
        Method.BINDING,
        Class.REQUEST,
        ID,
    )
    assert message.text(Attr.SOFTWARE) == "STUN test client"
    assert message.text(Attr.USERNAME) == "evtj:h6vY"
    assert message.number(Attr.PRIORITY) == 0x6E0001FF
    assert message.unknown == ()
    assert message.is_signed_with(PASSWORD)
    assert not message.is_signed_with(b"another password")


@pytest.mark.parametrize(
    ("data", "host"),
    [(RESPONSE_4, "192.0.2.1"), (RESPONSE_6, "2001:db8:1234:5678:11:2233:4455:6677")],
)
def test_the_sample_responses(data: bytes, host: str) -> None:
    """RFC 5769 §2.2, §2.3: XOR-MAPPED-ADDRESS of both families."""
    message = parse(data)

    assert message.kind is Class.SUCCESS
    assert message.mapped == (host, 32853)
    assert message.is_signed_with(PASSWORD)


def test_long_term_credentials() -> None:
    """RFC 5769 §2.4: the key is made of name, realm and password."""
    message = parse(LONG_TERM)

    assert message.text(Attr.USERNAME) == USER
    assert message.is_signed_with(long_term_key(USER, "example.org", "TheMatrIX"))
    assert not message.is_signed_with(long_term_key(USER, "example.org", "wrong"))


def test_long_term_credentials_with_sha_256() -> None:
    """RFC 8489 appendix B.1."""
    message = parse(LONG_TERM_SHA256)
    key = long_term_key(USER, "example.org", "TheMatrIX", sha256=True)

    assert message.is_signed_with(key)
    assert message.unknown == ()
    attributes = message.attributes[:-1]
    assert build(1, Class.REQUEST, message.transaction_id, attributes, key=key, sha256=True) == (
        LONG_TERM_SHA256
    )


def test_what_is_built_is_what_the_rfc_has() -> None:
    """RFC 5769 §2.2, but for the padding, which may be anything (RFC 8489 §14)."""
    made = build(
        Method.BINDING,
        Class.SUCCESS,
        ID,
        [
            (Attr.SOFTWARE, b"test vector"),
            (Attr.XOR_MAPPED_ADDRESS, xor_address(("192.0.2.1", 32853), ID)),
        ],
        key=PASSWORD,
        fingerprint=True,
    )

    assert made[: 20 + 4 + 11] == RESPONSE_4[: 20 + 4 + 11]
    assert parse(made).attributes[:2] == parse(RESPONSE_4).attributes[:2]
    assert parse(made).is_signed_with(PASSWORD)


@pytest.mark.parametrize("data", [REQUEST, RESPONSE_4, RESPONSE_6])
def test_each_bit_of_a_message_counts(data: bytes) -> None:
    """RFC 8489 §14.7: what a network has changed is noticed, as long as there is a fingerprint."""
    for at in (*range(len(data) - 8), *range(len(data) - 4, len(data))):
        spoilt = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        with pytest.raises(RemoteProtocolError):
            parse(spoilt)


def test_each_bit_that_is_signed_counts() -> None:
    key = long_term_key(USER, "example.org", "TheMatrIX")
    for at in range(len(LONG_TERM)):
        spoilt = LONG_TERM[:at] + bytes((LONG_TERM[at] ^ 1,)) + LONG_TERM[at + 1 :]
        try:
            assert not parse(spoilt).is_signed_with(key)
        except RemoteProtocolError:
            continue


def test_what_was_added_after_the_signature_does_not_count() -> None:
    """RFC 8489 §14.5: attributes that follow MESSAGE-INTEGRITY are ignored."""
    key = b"secret"
    signed = build(Method.REFRESH, Class.REQUEST, ID, [(Attr.REALM, b"r")], key=key)
    added = signed + bytes.fromhex("000d000400000000")
    forged = added[:2] + (len(added) - 20).to_bytes(2, "big") + added[4:]

    message = parse(forged)

    assert message.number(Attr.LIFETIME) is None
    assert message.is_signed_with(key)


def test_without_a_signature_nothing_is_signed() -> None:
    assert not parse(build(Method.BINDING, Class.REQUEST, ID)).is_signed_with(b"")


def test_the_address_of_old_servers() -> None:
    """RFC 8489 §14.1: MAPPED-ADDRESS is not disguised."""
    value = bytes.fromhex("00018055c0000201")
    message = parse(build(1, Class.SUCCESS, ID, [(Attr.MAPPED_ADDRESS, value)]))

    assert message.mapped == ("192.0.2.1", 32853)


def test_an_error_in_words() -> None:
    """RFC 8489 §14.8."""
    message = parse(build(3, Class.ERROR, ID, [(Attr.ERROR_CODE, error_code(438, "Stale Nonce"))]))

    assert message.error == (438, "Stale Nonce")


def test_what_must_be_understood_and_is_not() -> None:
    """RFC 8489 §14: types below 0x8000 are comprehension-required."""
    message = parse(build(1, Class.SUCCESS, ID, [(0x7FF0, b""), (0xC057, b"1234")]))

    assert message.unknown == (0x7FF0,)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        RESPONSE_4[:19],
        RESPONSE_4[:-1],
        RESPONSE_4 + b"\0",
        b"\x80" + RESPONSE_4[1:],
        RESPONSE_4[:4] + b"\0\0\0\0" + RESPONSE_4[8:],
        bytes.fromhex("000100042112a442") + ID + bytes.fromhex("00060001"),
        bytes.fromhex("000100082112a442") + ID + bytes.fromhex("0008000400000000"),
        build(1, Class.REQUEST, ID, [(0x8022, b"")] * 65),
    ],
)
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(data)


@pytest.mark.parametrize(
    "value", [b"", b"\0\1", bytes.fromhex("0001a147e112a6"), bytes.fromhex("0003a147e112a643")]
)
def test_an_address_that_is_none(value: bytes) -> None:
    message = Message(1, Class.SUCCESS, ID, ((Attr.XOR_MAPPED_ADDRESS, value),))

    with pytest.raises(RemoteProtocolError):
        _ = message.mapped


def test_media_is_not_taken_for_it() -> None:
    """RFC 7983 §7: RTP begins with 128…191, DTLS with 20…63, ChannelData with 64…79."""
    assert is_stun(REQUEST)
    for first in (0x80, 0xBF, 20, 63, 64, 79):
        assert not is_stun(bytes((first,)) + REQUEST[1:])
