"""SRTP of a group: against the vectors of the RFCs, libsrtp and FFmpeg, and for who joins late."""

import base64
import hmac
import socket
import subprocess

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.rtp import packet, rtcp
from sipstrobe.rtp.group_srtp import (
    MAX_SEARCHES,
    MAX_SENDERS,
    SEARCHED,
    SHORT_TRIALS,
    TELLING,
    TRIALS,
    WINDOW,
    GroupSrtp,
    key_problem,
)
from sipstrobe.rtp.packet import Extension
from sipstrobe.rtp.srtp import Inbound, Keys, Outbound
from sipstrobe.rtp.srtp_ciphers import SUITES, cipher, derive
from sipstrobe.secret import Secret

CM, CM_SHORT = "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"
GCM = "AEAD_AES_128_GCM"
LIBSRTP = (CM, CM_SHORT, GCM, "AEAD_AES_256_GCM")  # that its binding has
VECTORS = {  # one packet under a known key: libsrtp, test/srtp_driver.c
    CM: (
        "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6",
        "4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
    ),
    GCM: (
        "000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab",
        "c5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
    ),
}
HEADER, BODY = bytes.fromhex("800f1234decafbadcafebabe"), b"\xab" * 16
REPORT = rtcp.compound((rtcp.Report(7, None), rtcp.Bye((7,))))
CYCLE = 1 << 16
ROC_OFFSET = 12 + 4 + 1  # of the counter in a packet of ours: header, extension header, element


def key_of(suite: str, seed: int = 1) -> Secret:
    return Secret(f"{seed:02x}" * (SUITES[suite].digits // 2))


def group(suite: str = CM, seed: int = 1) -> GroupSrtp:
    return GroupSrtp(suite, key_of(suite, seed))


def libsrtp_keys(suite: str) -> Keys:
    return Keys(suite, Secret(base64.b64encode(bytes.fromhex(key_of(suite).reveal())).decode()))


def sound(index: int, ssrc: int = 7, *, extension: Extension | None = None) -> bytes:
    number, timestamp = index % CYCLE, index * 160 % (1 << 32)
    return bytes(packet.Packet(0, False, number, timestamp, ssrc, b"\x55" * 160, (), extension))


def sent(index: int, ssrc: int = 7, suite: str = CM, seed: int = 1) -> bytes:
    """By a sender of plain RFC 3711, which says nothing of its roll-over counter."""
    sealing = cipher(suite, bytes.fromhex(key_of(suite, seed).reveal()))
    return sealing.seal(sound(index, ssrc), 12, index // CYCLE)


def sent_with(extension: Extension, index: int) -> bytes:
    plain = sound(index, extension=extension)
    sealing = cipher(CM, bytes.fromhex(key_of(CM).reveal()))
    return sealing.seal(plain, len(plain) - 160, index // CYCLE)


# --- the transforms ------------------------------------------------------------------------------


def test_keys_are_derived_as_in_rfc_3711() -> None:
    """RFC 3711 appendix B.3."""
    key = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
    salt = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")

    assert derive(key, salt, 0, 16).hex() == "c61e7a93744f39ee10734afe3ff7a087"
    assert derive(key, salt, 2, 14).hex() == "30cbbc08863d8c85d49db34a9ae1"
    assert derive(key, salt, 1, 20).hex() == "cebe321f6ff7716b6fd4ab49af256a156d38baa4"


def test_long_keys_are_derived_as_in_rfc_6188() -> None:
    """RFC 6188 §7.4."""
    key = bytes.fromhex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6")
    salt = bytes.fromhex("3b04803de51ee7c96423ab5b78d2")

    cipher_key = "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"
    assert derive(key, salt, 0, 32).hex() == cipher_key
    assert derive(key, salt, 2, 14).hex() == "fa31791685ca444a9e07c6c64e93"
    assert derive(key, salt, 1, 20).hex() == "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"


@pytest.mark.parametrize("suite", VECTORS)
def test_a_known_packet_under_a_known_key(suite: str) -> None:
    key, expected = VECTORS[suite]
    sealing = cipher(suite, bytes.fromhex(key))

    assert sealing.seal(HEADER + BODY, 12, 0) == HEADER + bytes.fromhex(expected)
    assert GroupSrtp(suite, Secret(key)).open(HEADER + bytes.fromhex(expected)) == HEADER + BODY


@pytest.mark.parametrize("suite", LIBSRTP)
def test_what_libsrtp_protects_is_opened(suite: str) -> None:
    """Over two roll-overs, and its reports."""
    outbound, inbound = Outbound(libsrtp_keys(suite)), group(suite)
    for index in range(65530, 2 * CYCLE + 10, 17):
        protected = outbound.protect(sound(index))
        assert protected is not None
        assert inbound.open(protected) == sound(index)

    report = outbound.protect_rtcp(REPORT)
    assert report is not None
    assert inbound.open_rtcp(report) == REPORT
    assert (inbound.failed, inbound.replayed) == (0, 0)


@pytest.mark.parametrize("suite", LIBSRTP)
def test_libsrtp_opens_what_we_protect(suite: str) -> None:
    """It takes the header extension for a part of the header, as every receiver does."""
    outbound, inbound = group(suite), Inbound(libsrtp_keys(suite))
    for index in range(65530, CYCLE + 10):
        opened = inbound.unprotect(outbound.protect(sound(index)))
        assert opened is not None
        assert packet.parse(opened)._replace(extension=None) == packet.parse(sound(index))

    assert inbound.unprotect_rtcp(outbound.protect_rtcp(REPORT)) == REPORT


@pytest.mark.parametrize("suite", SUITES)
def test_both_ends_are_ours(suite: str) -> None:
    outbound, inbound = group(suite), group(suite)

    opened = inbound.open(outbound.protect(sound(3)))

    assert opened is not None
    assert packet.parse(opened).payload == b"\x55" * 160
    assert inbound.open_rtcp(outbound.protect_rtcp(REPORT)) == REPORT
    assert inbound.opened == 2


@pytest.mark.parametrize(("suite", "name"), [(CM, CM), (CM_SHORT, "SRTP_AES128_CM_HMAC_SHA1_32")])
def test_what_ffmpeg_protects_is_opened(suite: str, name: str) -> None:
    """A whole second in one go, and its reports; only by this name are those right."""
    key = base64.b64encode(bytes.fromhex(key_of(suite).reveal())).decode()
    inbound = group(suite)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        receiver.settimeout(10.0)
        port = receiver.getsockname()[1]
        subprocess.run(
            [
                *("ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi"),
                *("-i", "sine=duration=1:sample_rate=8000", "-c:a", "pcm_mulaw", "-f", "rtp"),
                *("-srtp_out_suite", name, "-srtp_out_params", key),
                f"srtp://127.0.0.1:{port}?pkt_size=182&rtcpport={port}",
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=30,
        )
        sounds, reports = 0, 0
        while sounds < 8000 or not reports:
            data = receiver.recv(2000)
            if data[1] in range(200, 205):  # RFC 5761 §4
                opened = inbound.open_rtcp(data)
                assert opened is not None
                assert rtcp.parse(opened)
                reports += 1
                continue
            opened = inbound.open(data)
            assert opened is not None
            sounds += len(packet.parse(opened).payload)


@pytest.mark.parametrize("suite", [CM, GCM])
def test_reports_that_are_not_encrypted_are_authenticated(suite: str) -> None:
    """RFC 3711 §3.4, RFC 7714 §9.3: the E flag of SRTCP is zero."""
    sizes, material = SUITES[suite], bytes.fromhex(key_of(suite).reveal())
    key, salt = material[: sizes.key], material[sizes.key :]
    word = (77).to_bytes(4, "big")
    if suite == CM:
        mac = hmac.digest(derive(key, salt, 4, 20), REPORT + word, "sha1")
        sealed = REPORT + word + mac[:10]
    else:
        salting = int.from_bytes(derive(key, salt, 5, 12), "big")
        nonce = (salting ^ int.from_bytes(REPORT[4:8], "big") << 48 ^ 77).to_bytes(12, "big")
        tag = AESGCM(derive(key, salt, 3, 16)).encrypt(nonce, b"", REPORT + word)
        sealed = REPORT + tag + word

    assert group(suite).open_rtcp(sealed) == REPORT
    assert group(suite).open_rtcp(sealed[:8] + b"?" + sealed[9:]) is None


# --- who joins late ------------------------------------------------------------------------------


@given(st.integers(0, (1 << 48) - 1))
@settings(max_examples=20, deadline=None)
def test_a_counter_that_the_packet_carries_is_believed(index: int) -> None:
    """GAP-33: whatever it is, the first packet is opened."""
    extension = Extension(0xBEDE, b"\x53" + (index // CYCLE).to_bytes(4, "big") + bytes(3))

    assert group().open(sent_with(extension, index)) == sound(index, extension=extension)


def test_our_packets_carry_it() -> None:
    """RFC 8285 §4.2, ONVIF: 0xBEDE, two words, an element of four octets, padding."""
    outbound = group()
    for index in (65535, 65536):
        protected = outbound.protect(sound(index))
        roc = (index // CYCLE).to_bytes(4, "big")
        assert protected[12:24] == b"\xbe\xde\0\2\x13" + roc + bytes(3)


@pytest.mark.parametrize(
    "data",
    [
        b"\x10\x77\0\0" + b"\x23\0\0\0\x09\0\0\0",  # after another element, and padding
        b"\x23\xff\xff\xff\xff\x33\0\0\0\x09\0\0",  # after an element of the same size
    ],
)
def test_the_counter_is_found_among_other_elements(data: bytes) -> None:
    assert group().open(sent_with(Extension(0xBEDE, data), 9 * CYCLE + 5)) is not None


ELEMENT = b"\x13" + TRIALS.to_bytes(4, "big")  # a counter that is not found with one packet


@pytest.mark.parametrize(
    "extension",
    [
        Extension(0x1000, ELEMENT + bytes(3)),  # RFC 8285 §4.3: elements of another form
        Extension(0xBEDE, b"\xf0\0" + ELEMENT + bytes(1)),  # identifier 15 ends them
        Extension(0xBEDE, b"\x01\0\0" + ELEMENT),  # as does padding with a length
        Extension(0xBEDE, ELEMENT[:4]),  # an element that ends behind them
        Extension(0xBEDE, b""),
    ],
)
def test_without_the_counter_it_is_looked_for(extension: Extension) -> None:
    assert group().open(sent_with(extension, 2 * CYCLE)) is not None  # soon found
    late = group()
    assert late.open(sent_with(extension, TRIALS * CYCLE)) is None
    assert late.open(sent_with(extension, TRIALS * CYCLE + 1)) is not None


@pytest.mark.parametrize(
    ("suite", "trials"), [(CM, TRIALS), (CM_SHORT, SHORT_TRIALS), (GCM, TRIALS)]
)
def test_the_search_goes_on_from_packet_to_packet(suite: str, trials: int) -> None:
    """Some candidates each; found, all that follows is opened, also over the next roll-over."""
    step = trials - trials // 4
    inbound, start = group(suite), (trials + 2 * step) * CYCLE + 65533

    heard = [inbound.open(sent(start + n, suite=suite)) is not None for n in range(8)]

    assert heard == [False] * 3 + [True] * 5
    assert inbound.failed == 3


def test_the_search_begins_anew_when_it_has_come_to_its_end() -> None:
    """Beyond it nothing is found; then what it has passed has its turn again."""
    inbound, lap = group(), SEARCHED // (TRIALS - TRIALS // 4) + 1
    for n in range(lap):
        assert inbound.open(sent(2 * SEARCHED * CYCLE + n)) is None

    assert inbound.open(sent((TRIALS - 1) * CYCLE)) is not None


def test_a_search_does_not_miss_who_begins() -> None:
    """Whatever came before under the same SSRC: a stream that begins is heard from its first."""
    inbound = group()
    for n in range(3):
        assert inbound.open(sent(n, seed=2)) is None

    assert inbound.open(sent(3)) is not None


def test_a_sender_that_was_not_heard_for_long_is_heard_again() -> None:
    """The network was away for more than half a cycle: the counter has moved on, wherever the
    sequence number stands."""
    for later in (CYCLE - 30000, CYCLE + 50, CYCLE + 99, 3 * CYCLE + 50, 3 * CYCLE + 40000):
        inbound = group()
        assert inbound.open(sent(2000)) is not None

        assert inbound.open(sent(2000 + later)) is not None


def test_each_search_begins_at_its_beginning() -> None:
    """However far the one before had to go."""
    inbound = group()
    assert inbound.open(sent(TRIALS * CYCLE)) is None
    assert inbound.open(sent(TRIALS * CYCLE + 1)) is not None

    assert inbound.open(sent((2 * TRIALS - 1) * CYCLE + 1)) is not None


def test_a_number_that_jumps_far_within_the_first_cycle() -> None:
    """There is no counter below zero."""
    inbound = group()
    assert inbound.open(sent(5)) is not None

    assert inbound.open(sent(65000)) is not None


def test_senders_are_apart() -> None:
    """Each has its own counter."""
    inbound = group()

    for n in range(3):
        assert inbound.open(sent(5 * CYCLE + n, ssrc=1)) is not None
        assert inbound.open(sent(n, ssrc=2)) is not None


# --- what is not opened --------------------------------------------------------------------------


def test_nothing_is_heard_twice() -> None:
    """RFC 3711 §3.3.2; what is overtaken within the window is heard."""
    inbound = group()
    order = [5, 6, 5, 3000, 2999, 2999, 3000 - WINDOW, 3001 - WINDOW]

    heard = [inbound.open(sent(n)) is not None for n in order]

    assert heard == [True, True, False, True, True, False, False, True]
    assert (inbound.opened, inbound.replayed, inbound.failed) == (5, 3, 0)


def test_reports_are_heard_once() -> None:
    outbound, inbound = group(), group()
    report = outbound.protect_rtcp(REPORT)

    assert inbound.open_rtcp(report) == REPORT
    assert inbound.open_rtcp(report) is None
    assert inbound.replayed == 1


def test_an_old_counter_in_the_packet_does_not_help_a_replay() -> None:
    """Who has recorded a packet of an hour ago can still not play it."""
    inbound = group()
    old = sent(CYCLE + 10)
    assert inbound.open(old) is not None
    assert inbound.open(sent(3 * CYCLE + 10 + CYCLE // 2)) is not None

    assert inbound.open(old) is None


@pytest.mark.parametrize("suite", SUITES)
def test_a_wrong_key_is_told_apart_from_silence(suite: str) -> None:
    """After half a second of a page; it is well again with the first packet of the right key."""
    inbound = group(suite)
    assert inbound.problem == ""

    for n in range(TELLING):
        assert inbound.problem == ""
        assert inbound.open(sent(n, suite=suite, seed=2)) is None

    assert inbound.problem == "what comes is protected with another key, or not protected"
    assert inbound.failed == TELLING
    assert inbound.open(sent(TELLING, suite=suite)) is not None
    assert inbound.problem == ""


def test_what_is_not_protected_is_not_heard() -> None:
    inbound = group()

    assert inbound.open(sound(1)) is None
    assert inbound.open_rtcp(REPORT) is None
    assert inbound.failed == 2


@pytest.mark.parametrize("suite", SUITES)
def test_a_changed_bit_is_noticed(suite: str) -> None:
    """Anywhere, also in the header that is not encrypted."""
    for protected, opener in (
        (group(suite).protect(sound(5)), GroupSrtp.open),
        (group(suite).protect_rtcp(REPORT), GroupSrtp.open_rtcp),
    ):
        for at in range(len(protected)):
            if opener is GroupSrtp.open and at in range(ROC_OFFSET - 5, ROC_OFFSET + 4):
                continue  # tried below
            changed = bytearray(protected)
            changed[at] ^= 1
            assert opener(group(suite), bytes(changed)) is None


@given(st.binary(max_size=80), st.sampled_from(sorted(SUITES)))
@settings(max_examples=100, deadline=None)
def test_any_bytes_may_come(data: bytes, suite: str) -> None:
    inbound = group(suite)

    assert inbound.open(data) is None
    assert inbound.open(b"\x90" + data) is None
    assert inbound.open_rtcp(data) is None
    assert inbound.failed == 3


def test_a_changed_counter_is_noticed() -> None:
    """The header extension is authenticated too: RFC 3711 §3.1."""
    protected = group().protect(sound(5))
    for at in range(ROC_OFFSET - 5, ROC_OFFSET + 4):
        changed = bytearray(protected)
        changed[at] ^= 1
        assert group().open(bytes(changed)) is None


# --- bounds --------------------------------------------------------------------------------------


def test_only_so_many_senders_are_remembered() -> None:
    """The one heard longest ago is forgotten, which then could be heard again."""
    inbound = group()
    packets = [sent(1, ssrc=n) for n in range(MAX_SENDERS + 1)]
    for one in packets:
        assert inbound.open(one) is not None

    assert inbound.open(packets[1]) is None
    assert inbound.open(packets[0]) is not None


def test_who_is_heard_again_is_remembered_longer() -> None:
    inbound = group()
    packets = [sent(1, ssrc=n) for n in range(MAX_SENDERS + 1)]
    for one in packets[:-1]:
        assert inbound.open(one) is not None

    assert inbound.open(sent(2, ssrc=0)) is not None
    assert inbound.open(packets[-1]) is not None

    assert inbound.open(packets[0]) is None
    assert inbound.open(packets[1]) is not None


def test_strangers_push_out_no_sender_and_search_without_end() -> None:
    """Garbage under many SSRCs takes neither memory nor the place of those who have the key."""
    inbound = group()
    heard = sent(1)
    assert inbound.open(heard) is not None
    searching = sent(TRIALS * CYCLE, ssrc=8)
    assert inbound.open(searching) is None

    for n in range(MAX_SEARCHES):
        assert inbound.open(sent(1, ssrc=100 + n, seed=2)) is None

    assert inbound.open(heard) is None
    assert inbound.replayed == 1
    assert inbound.open(searching) is None  # its search was forgotten, and begins anew


# --- keys ----------------------------------------------------------------------------------------


LENGTHS = [  # GAP-18, and RFC 7714 §12
    *((CM, 60), (CM_SHORT, 60), (GCM, 56), ("AEAD_AES_256_GCM", 88)),
    *(("AES_256_CM_HMAC_SHA1_80", 92), ("AES_256_CM_HMAC_SHA1_32", 92)),
]


@pytest.mark.parametrize(("suite", "digits"), LENGTHS)
def test_a_key_has_the_length_of_its_suite(suite: str, digits: int) -> None:
    assert key_problem(suite, "aF" * (digits // 2)) == ""
    for wrong in ("", "a" * (digits - 2), "a" * (digits + 2), "g" * digits, "١" * digits):
        assert f"must be {digits} hexadecimal characters" in key_problem(suite, wrong)


def test_a_refusal_does_not_show_the_key() -> None:
    assert "ab" * 10 not in key_problem(GCM, "ab" * 30)
