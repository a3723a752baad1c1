"""SRTP and SRTCP: RFC 3711, RFC 7714; between two of us, and against the vectors of libsrtp."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.codecs.registry import CODECS
from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.srtp import BOTH_KEYS, LONGEST, MAX_SOURCES, WINDOW, Inbound, Keys, Outbound
from sipstrobe.sdp.formats import SOUNDS
from sipstrobe.secret import Secret

SIZES = {
    "AES_CM_128_HMAC_SHA1_80": (30, 10),
    "AES_CM_128_HMAC_SHA1_32": (30, 4),
    "AEAD_AES_128_GCM": (28, 16),
    "AEAD_AES_256_GCM": (44, 16),
}  # octets of key and salt, and of the tag: RFC 4568 §6.2, RFC 7714 §12
CM = "AES_CM_128_HMAC_SHA1_80"
VECTORS = {  # libsrtp, test/srtp_driver.c: one packet under a known key
    CM: (
        "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
        "4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
    ),
    "AEAD_AES_128_GCM": (
        "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab",
        "c5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
    ),
}
HEADER, BODY = bytes.fromhex("800f1234decafbadcafebabe"), b"\xab" * 16
REPORT = rtcp.compound((rtcp.Report(7, None), rtcp.Description(((7, "cname"),))))


def keys(suite: str = CM, seed: int = 1) -> Keys:
    size, _ = SIZES[suite]
    return Keys(suite, Secret(base64.b64encode(bytes([seed]) * size).decode()))


def sound(number: int, ssrc: int = 7) -> bytes:
    return packet.build(0, False, number & 0xFFFF, number * 160, ssrc, bytes(160))


def protected(outbound: Outbound, number: int, ssrc: int = 7) -> bytes:
    made = outbound.protect(sound(number, ssrc))
    assert made is not None
    return made


@pytest.mark.parametrize("suite", VECTORS)
def test_a_known_packet_under_a_known_key(suite: str) -> None:
    key, expected = (bytes.fromhex(text) for text in VECTORS[suite])
    known = Keys(suite, Secret(base64.b64encode(key).decode()))

    assert Outbound(known).protect(HEADER + BODY) == HEADER + expected
    assert Inbound(known).unprotect(HEADER + expected) == HEADER + BODY


@pytest.mark.parametrize("suite", SIZES)
def test_every_packet_that_can_be_agreed_on_can_be_protected(suite: str) -> None:
    """Of L16 longer ones would not be sent, and nobody would hear why."""
    ours, theirs = Outbound(keys(suite)), Inbound(keys(suite))
    for number, codec in enumerate(CODECS.values()):
        longest_ms = SOUNDS[codec.name].ptimes_ms[-1]
        payload = codec.encoder("").silence(codec.sample_rate * longest_ms // 1000)
        made = packet.build(0, False, number, 0, 7, payload)
        assert len(made) <= LONGEST
        protected = ours.protect(made)
        assert protected is not None
        assert theirs.unprotect(protected) == made
    assert ours.protect(packet.build(0, False, 98, 0, 7, bytes(LONGEST - 12))) is not None
    assert ours.protect(packet.build(0, False, 99, 0, 7, bytes(LONGEST - 11))) is None


@pytest.mark.parametrize("suite", SIZES)
def test_what_one_protects_the_other_opens(suite: str) -> None:
    ours, theirs = Outbound(keys(suite)), Inbound(keys(suite))

    made, report = protected(ours, 1), ours.protect_rtcp(REPORT)

    assert len(made) == len(sound(1)) + SIZES[suite][1]
    assert made[12:172] != bytes(160)
    assert theirs.unprotect(made) == sound(1)
    assert report is not None
    assert report[8:] != REPORT[8:]
    assert theirs.unprotect_rtcp(report) == REPORT
    assert (theirs.failed, theirs.replayed) == (0, 0)


@pytest.mark.parametrize("suite", SIZES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_changed_bit_anywhere_is_noticed(suite: str, data: st.DataObject) -> None:
    """RFC 3711 §3.3: header, payload and tag alike."""
    theirs, made = Inbound(keys(suite)), bytearray(protected(Outbound(keys(suite)), 1))
    at = data.draw(st.integers(0, 8 * len(made) - 1))
    made[at // 8] ^= 1 << at % 8

    assert theirs.unprotect(bytes(made)) is None
    assert theirs.failed == 1


def test_another_key_opens_nothing() -> None:
    theirs = Inbound(keys(seed=2))

    assert theirs.unprotect(protected(Outbound(keys()), 1)) is None
    assert theirs.unprotect_rtcp(REPORT) is None
    assert theirs.unprotect(sound(1)) is None
    assert theirs.failed == 3


def test_a_packet_that_comes_again_is_dropped() -> None:
    """RFC 3711 §3.3.2."""
    theirs, made = Inbound(keys()), protected(Outbound(keys()), 1)
    theirs.unprotect(made)

    assert theirs.unprotect(made) is None
    assert (theirs.failed, theirs.replayed) == (0, 1)


def test_packets_may_be_out_of_order_within_the_window() -> None:
    ours, theirs = Outbound(keys()), Inbound(keys())
    made = [protected(ours, number) for number in range(WINDOW + 2)]

    assert theirs.unprotect(made[-1]) is not None
    assert theirs.unprotect(made[2]) is not None
    assert theirs.unprotect(made[0]) is None
    assert theirs.replayed == 1


def test_sequence_numbers_go_round() -> None:
    """RFC 3711 §3.3.1: the rollover counter counts on both sides, through losses too."""
    ours, theirs = Outbound(keys()), Inbound(keys())

    opened = [theirs.unprotect(protected(ours, n)) for n in range(0, 3 * 65536, 1000)]

    assert all(opened)


def test_another_ssrc_of_either_side_is_heard() -> None:
    """RFC 3550 §8.2: after a collision, a transfer or a restart."""
    ours, theirs = Outbound(keys()), Inbound(keys())
    theirs.unprotect(protected(ours, 40000))

    for ssrc in range(8, 8 + 4 * MAX_SOURCES):
        assert theirs.unprotect(protected(ours, ssrc, ssrc)) == sound(ssrc, ssrc)

    assert theirs.unprotect(protected(ours, 40001)) == sound(40001)
    assert theirs.failed == 0


def test_the_same_key_again_keeps_what_is_known() -> None:
    """RFC 4568 §7.1.4: a re-INVITE with the same key; the rollover counter goes on."""
    ours, theirs = Outbound(keys()), Inbound(keys())
    for number in (65000, 65536 + 100, 65536 + 20000, 65536 + 40000):
        theirs.unprotect(protected(ours, number))

    theirs.change(keys())

    assert theirs.unprotect(protected(ours, 65536 + 40001)) is not None


def test_packets_under_the_key_before_are_heard_while_the_new_one_comes() -> None:
    ours, theirs, new = Outbound(keys()), Inbound(keys()), Outbound(keys(seed=2))
    late = [protected(ours, number) for number in range(3)]

    theirs.change(keys(seed=2))

    assert theirs.unprotect(late[0]) is not None
    assert theirs.unprotect(protected(new, 3)) is not None
    assert theirs.unprotect(late[1]) is not None
    for number in range(4, 4 + BOTH_KEYS):
        theirs.unprotect(protected(new, number))
    assert theirs.unprotect(late[2]) is None
    assert theirs.failed == 1


def test_another_suite_is_another_key() -> None:
    theirs = Inbound(keys())

    theirs.change(keys("AEAD_AES_256_GCM"))

    assert theirs.unprotect(protected(Outbound(keys("AEAD_AES_256_GCM")), 1)) == sound(1)


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_counted_and_nothing_else(data: bytes) -> None:
    theirs = Inbound(keys())

    assert theirs.unprotect(data) is None
    assert theirs.unprotect_rtcp(data) is None
    assert theirs.failed == 2


def test_what_cannot_be_protected_is_not_sent() -> None:
    ours = Outbound(keys())

    assert ours.protect(sound(1) + bytes(2000)) is None
    assert ours.protect(b"\x80") is None
    assert ours.protect_rtcp(b"") is None


def test_keys_are_not_shown() -> None:
    known = keys()

    for thing in (known, Outbound(known), Inbound(known)):
        assert known.key.reveal() not in repr(thing)
