"""What is wrong with a call that is not heard: each fault by its own facts."""

from typing import Any

import pytest
from msgspec.structs import replace

from sipstrobe.rtp.verdict import FINE, GRACE, SILENCE, Facts, Verdict, judge

# A call as it should be: both sides send, both are heard.
GOOD = Facts(
    seconds=60.0,
    codec="PCMU",
    local_host="192.0.2.20",
    peer_host="192.0.2.1",
    media_host="192.0.2.1",
    media_port=4000,
    received=250,
    quiet=0.01,
    sent=250,
    mos=4.4,
)
UNHEARD = replace(GOOD, received=0, quiet=None, mos=None)


def verdict(facts: Facts, **other: Any) -> Verdict:
    return judge(replace(facts, **other)).verdict


def test_a_call_with_nothing_wrong_is_ok_and_needs_no_words() -> None:
    opinion = judge(GOOD)

    assert (opinion.verdict, opinion.words, opinion.advice) == (Verdict.OK, "", "")


FAULTS: list[tuple[Verdict, Facts, str, str]] = [  # what is so, and a word of cause and of advice
    (Verdict.NO_RTP_IN, UNHEARD, "192.0.2.1", "firewall"),
    (Verdict.NO_RTP_IN, replace(UNHEARD, quiet=12.0), "12 s", "muted"),
    (
        Verdict.NO_RTP_IN,
        replace(UNHEARD, strangers=9, stranger="203.0.113.5:40"),
        "5:40",
        "PBX",
    ),
    (Verdict.NO_RTP_IN, replace(UNHEARD, foreign=5, foreign_type=13), "No sound", "muted"),
    (
        Verdict.NO_RTP_IN,
        replace(UNHEARD, way_found=False, way_trouble="ICE: no."),
        "ICE",
        "TURN",
    ),
    (Verdict.NO_RTP_IN, replace(UNHEARD, way_found=False), "No way", "TURN"),
    (
        Verdict.CODEC_MISMATCH,
        replace(UNHEARD, foreign=9, foreign_type=18),
        "type 18",
        "PCMU",
    ),
    (
        Verdict.BLOCKED_PORT,
        replace(UNHEARD, unreachable=4),
        "192.0.2.1 port 4000",
        "elsewhere",
    ),
    (
        Verdict.BLOCKED_PORT,
        replace(GOOD, unreachable_before=4),
        "192.0.2.1 port 4000",
        "firewall",
    ),
    (Verdict.PRIVATE_ADDRESS, replace(UNHEARD, media_host="10.1.2.3"), "10.1.2.3", "STUN"),
    (Verdict.PRIVATE_ADDRESS, replace(UNHEARD, media_host="127.0.0.1"), "127.0.0.1", "ICE"),
    (Verdict.PRIVATE_ADDRESS, replace(UNHEARD, media_host="fd00::7"), "fd00::7", "ICE"),
    (
        Verdict.PRIVATE_ADDRESS,
        replace(UNHEARD, local_host="192.168.0.90"),
        "We",
        "this device",
    ),
    (Verdict.ENCRYPTION_MISMATCH, replace(UNHEARD, undecipherable=9), "keys", "both sides"),
    (
        Verdict.ENCRYPTION_MISMATCH,
        replace(GOOD, received=1, undecipherable=9),
        "keys",
        "SDP",
    ),
    (
        Verdict.ENCRYPTION_MISMATCH,
        replace(UNHEARD, trouble="No handshake."),
        "No hand",
        "both",
    ),
    (Verdict.NONE_OUT, replace(UNHEARD, sent=0), "Nothing is received", "no way"),
    (Verdict.NONE_OUT, replace(GOOD, sent=0), "Nothing can be sent", "no way"),
    (Verdict.NONE_OUT, replace(GOOD, undelivered=250), "192.0.2.1", "network"),
    (Verdict.ONE_WAY, replace(GOOD, deaf_reports=3, deaf_seconds=9.0), "reports", "TURN"),
    (Verdict.SILENT, replace(GOOD, silence=SILENCE), "4 s", "microphone"),
    (Verdict.POOR, replace(GOOD, mos=2.4, loss=0.3, discard=0.02), "30 % of", "network"),
    (Verdict.POOR, replace(GOOD, remote_loss=0.25), "25 %", "network"),
    (Verdict.ON_HOLD, replace(UNHEARD, on_hold=True, sends=False), "holds", ""),
    (
        Verdict.ON_HOLD,
        replace(UNHEARD, on_hold=True, sends=False, receives=False),
        "holds",
        "",
    ),
    (Verdict.NOT_YET, Facts(), "agreed", ""),
    (Verdict.NOT_YET, replace(UNHEARD, seconds=GRACE / 2), "awaited", ""),
]


@pytest.mark.parametrize(("expected", "facts", "cause", "advice"), FAULTS)
def test_each_fault_has_its_verdict_its_cause_and_its_advice(
    expected: Verdict, facts: Facts, cause: str, advice: str
) -> None:
    opinion = judge(facts)

    assert opinion.verdict is expected
    assert cause in opinion.words
    assert advice in opinion.advice
    assert bool(opinion.advice) == (expected not in FINE)


def test_every_verdict_is_reached() -> None:
    assert {fault[0] for fault in FAULTS} | {Verdict.OK} == set(Verdict)


def test_what_is_heard_is_not_accused_of_what_may_be_odd_about_it() -> None:
    """A private address in SDP, strangers or packets of another type hurt nobody who is heard."""
    odd = {"media_host": "10.1.2.3", "strangers": 5, "foreign": 7, "foreign_type": 18}

    assert verdict(GOOD, **odd) is Verdict.OK


def test_where_ice_finds_the_way_the_addresses_in_sdp_are_not_accused() -> None:
    """RFC 8445: the default candidate is often private."""
    assert verdict(UNHEARD, media_host="10.1.2.3", checks=True) is Verdict.NO_RTP_IN


def test_two_sides_of_one_network_may_have_private_addresses() -> None:
    at_home = {"local_host": "192.168.0.90", "peer_host": "192.168.0.2"}

    assert verdict(UNHEARD, media_host="192.168.0.2", **at_home) is Verdict.NO_RTP_IN


def test_a_side_that_listens_by_agreement_is_not_missed() -> None:
    """RFC 3264 §8.4: sendonly and recvonly; a paging server only sends."""
    assert verdict(UNHEARD, receives=False) is Verdict.OK
    assert verdict(GOOD, sends=False, on_hold=True, sent=0) is Verdict.OK
    assert verdict(GOOD, sends=False, on_hold=True, silence=20.0) is Verdict.SILENT


def test_one_odd_report_is_not_yet_deafness() -> None:
    """Reports cross with the first packets; and two at once are still one moment."""
    assert verdict(GOOD, deaf_reports=1, deaf_seconds=9.0) is Verdict.OK
    assert verdict(GOOD, deaf_reports=2, deaf_seconds=0.1) is Verdict.OK


def test_the_ear_comes_before_the_mouth() -> None:
    both = {"deaf_reports": 3, "deaf_seconds": 9.0, "silence": 9.0}

    assert verdict(UNHEARD, **both) is Verdict.NO_RTP_IN
    assert verdict(GOOD, **both) is Verdict.ONE_WAY
