"""Fingerprints, roles and identities of DTLS-SRTP: RFC 8122, RFC 4145, RFC 8842."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.description import SessionDescription
from sipstrobe.sdp.fingerprint import (
    DIGEST_BYTES,
    MAX_FINGERPRINTS,
    Fingerprint,
    Setup,
    answering_tls_id,
    fingerprints_of,
    setup_of,
    tls_id_of,
)

SHA1 = "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"  # RFC 8122 §5


def described(session: list[str], media: list[str]) -> SessionDescription:
    lines = ["v=0", *session, "m=audio 5000 UDP/TLS/RTP/SAVP 0", *media, ""]
    return SessionDescription.parse("\r\n".join(lines).encode())


def test_the_example_of_the_rfc() -> None:
    found = Fingerprint.parse(f"SHA-1 {SHA1.lower()}")

    assert found.function == "sha-1"
    assert str(found) == f"sha-1 {SHA1}"


@pytest.mark.parametrize("function", DIGEST_BYTES)
def test_each_function_has_its_length(function: str) -> None:
    digest = hashlib.new(function.replace("-", ""), b"certificate").digest()

    assert Fingerprint.parse(str(Fingerprint(function, digest))).digest == digest
    with pytest.raises(RemoteProtocolError):
        Fingerprint.parse(str(Fingerprint(function, digest[1:])))


@pytest.mark.parametrize(
    "value",
    ["", "sha-256", f"md5 {SHA1[:47]}", f"md2 {SHA1[:47]}", f"sha-1 {SHA1}:", f"sha-1 {SHA1[1:]}A"],
)
def test_what_proves_nothing_is_refused(value: str) -> None:
    """RFC 8122 §5: MD2 and MD5 are not to be used."""
    with pytest.raises(RemoteProtocolError):
        Fingerprint.parse(value)


def test_the_medium_counts_more_than_the_session() -> None:
    """RFC 8122 §5."""
    other = SHA1.replace("4A", "4B")
    both = described([f"a=fingerprint:sha-1 {other}"], [f"a=fingerprint:sha-1 {SHA1}"])
    one = described([f"a=fingerprint:sha-1 {other}"], ["a=fingerprint:md5 00"])

    assert [str(f) for f in fingerprints_of(both, both.media[0])] == [f"sha-1 {SHA1}"]
    assert [str(f) for f in fingerprints_of(one, one.media[0])] == [f"sha-1 {other}"]


def test_many_fingerprints_are_not_all_looked_at() -> None:
    many = described([], [f"a=fingerprint:sha-1 {SHA1}"] * 200)

    assert len(fingerprints_of(many, many.media[0])) == MAX_FINGERPRINTS


@pytest.mark.parametrize(
    ("session", "media", "setup"),
    [
        ([], [], Setup.ACTIVE),
        ([], ["a=setup:actpass"], Setup.ACTPASS),
        (["a=setup:passive"], [], Setup.PASSIVE),
        (["a=setup:passive"], ["a=setup:ACTIVE"], Setup.ACTIVE),
        ([], ["a=setup:holdconn"], None),
        ([], ["a=setup:nonsense"], None),
    ],
)
def test_who_begins(session: list[str], media: list[str], setup: Setup | None) -> None:
    """RFC 4145 §4."""
    said = described(session, media)

    assert setup_of(said, said.media[0]) is setup


def test_identities_of_associations() -> None:
    """RFC 8842 §4, §5.3: ours is another one when theirs is."""
    good, short = ("a" * 20, "a" * 19)

    assert tls_id_of(described([], [f"a=tls-id:{good}"]).media[0]) == good
    assert tls_id_of(described([], [f"a=tls-id:{short}"]).media[0]) is None
    assert answering_tls_id("ours", good) == answering_tls_id("ours", good)
    assert answering_tls_id("ours", good) != answering_tls_id("ours", good + "b")
    answered = described([], [f"a=tls-id:{answering_tls_id('ours', good)}"])
    assert tls_id_of(answered.media[0]) is not None


@given(st.text(max_size=120))
@settings(max_examples=300, deadline=None)
def test_nothing_but_the_protocol_error(value: str) -> None:
    try:
        found = Fingerprint.parse(value)
    except RemoteProtocolError:
        return
    assert Fingerprint.parse(str(found)) == found
