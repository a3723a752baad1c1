"""Codecs in offers and answers: RFC 3264, RFC 3551, RFC 7587 §7, RFC 4733 §2.5.1.5, RFC 3389 §4."""

from typing import get_args

import pytest
from msgspec.structs import replace

from sipstrobe.codecs.registry import CODECS
from sipstrobe.sdp.description import SessionDescription
from sipstrobe.sdp.formats import SOUNDS
from sipstrobe.sdp.negotiate import MediaParameters, Offerable, accept_answer, answer, offer
from sipstrobe.sip.account import Account, Codec

ALL = tuple(SOUNDS)
OURS = Offerable(host="192.0.2.20", rtp_port=4000, session_id=7, codecs=ALL)
OPUS_FMTP = "maxplaybackrate=48000;stereo=0;useinbandfec=1"


def theirs(*lines: str) -> SessionDescription:
    session = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0")
    return SessionDescription.parse("\r\n".join([*session, *lines, ""]).encode())


def answered(*lines: str, ours: Offerable = OURS) -> tuple[MediaParameters, list[str]]:
    made = answer(theirs(*lines), ours)
    return made.parameters, list(made.description.media[0].lines)


def test_settings_sdp_and_codecs_have_the_same_names_and_clocks() -> None:
    assert set(SOUNDS) == set(CODECS) == set(get_args(Codec))
    for name, sound in SOUNDS.items():
        assert sound.offered.clock_rate == CODECS[name].clock_rate
    assert set(Account().codecs) <= set(SOUNDS)


def test_our_offer_of_everything() -> None:
    """Telephone events at each clock rate that there is: RFC 4733 §2.5.1.5."""
    lines = offer(OURS).media[0].lines

    assert lines[0] == "m=audio 4000 RTP/AVP 96 97 98 99 9 0 8 100 101 102 103"
    assert [line for line in lines if line.startswith(("a=rtpmap", "a=fmtp"))] == [
        "a=rtpmap:96 opus/48000/2",
        f"a=fmtp:96 {OPUS_FMTP}",
        "a=rtpmap:97 L16/48000",
        "a=rtpmap:98 L16/16000",
        "a=rtpmap:99 L16/8000",
        "a=rtpmap:9 G722/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:100 G726-32/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=rtpmap:102 telephone-event/16000",
        "a=fmtp:102 0-15",
        "a=rtpmap:103 telephone-event/48000",
        "a=fmtp:103 0-15",
    ]


@pytest.mark.parametrize(
    ("lines", "codec", "number", "mapped"),
    [
        (["m=audio 5000 RTP/AVP 111", "a=rtpmap:111 opus/48000/2"], "opus", 111, "opus/48000/2"),
        (["m=audio 5000 RTP/AVP 111", "a=rtpmap:111 OPUS/48000"], "opus", 111, "OPUS/48000"),
        (["m=audio 5000 RTP/AVP 9"], "G722", 9, "G722/8000"),
        (["m=audio 5000 RTP/AVP 97", "a=rtpmap:97 G726-32/8000/1"], "G726-32", 97, "G726-32/8000"),
        (["m=audio 5000 RTP/AVP 96", "a=rtpmap:96 L16/16000"], "L16/16000", 96, "L16/16000"),
        (["m=audio 5000 RTP/AVP 11 98", "a=rtpmap:98 L16/8000"], "L16/8000", 98, "L16/8000"),
        (["m=audio 5000 RTP/AVP 98 0", "a=rtpmap:98 L16/16000/2"], "PCMU", 0, "PCMU/8000"),
        (["m=audio 5000 RTP/AVP 0", "a=rtpmap:0 G722/8000"], "G722", 0, "G722/8000"),
    ],
)
def test_each_codec_is_known_by_what_the_peer_calls_it(
    lines: list[str], codec: str, number: int, mapped: str
) -> None:
    """RFC 3264 §6.1: it is answered with the number and the name of the offer."""
    agreed, made = answered(*lines)

    assert (agreed.codec, agreed.payload_type, dict(agreed.receive_types)) == (
        codec, number, {number: codec},
    )  # fmt: skip
    assert f"a=rtpmap:{number} {mapped}" in made


def test_what_the_peer_says_about_its_opus_is_heeded_and_ours_is_said() -> None:
    """RFC 7587 §6.1: each side tells what it likes to receive."""
    agreed, made = answered(
        "m=audio 5000 RTP/AVP 111",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:11 x=1",
        "a=fmtp:111 maxplaybackrate=16000; useinbandfec=1",
    )

    assert agreed.fmtp == "maxplaybackrate=16000; useinbandfec=1"
    assert f"a=fmtp:111 {OPUS_FMTP}" in made


@pytest.mark.parametrize(
    ("codec", "events", "number", "rate"),
    [
        ("111 opus/48000/2", ["101 telephone-event/8000", "110 telephone-event/48000"], 110, 48000),
        ("111 opus/48000/2", ["101 telephone-event/8000"], 101, 8000),
        ("98 L16/16000", ["101 telephone-event/8000", "99 telephone-event/16000"], 99, 16000),
        ("9 G722/8000", ["110 telephone-event/48000", "97 telephone-event/8000"], 97, 8000),
    ],
)
def test_telephone_events_have_the_clock_of_the_codec_if_the_peer_has_them(
    codec: str, events: list[str], number: int, rate: int
) -> None:
    """RFC 4733 §2.5.1.5. Many have them at 8 kHz only; better those than no digits."""
    numbers = " ".join(text.split()[0] for text in (codec, *events))

    agreed, made = answered(
        f"m=audio 5000 RTP/AVP {numbers}", *(f"a=rtpmap:{text}" for text in (codec, *events))
    )

    offered = {kind: number for number, kind in (text.split() for text in events)}
    assert (agreed.event_type, agreed.event_clock_rate) == (number, rate)
    assert {
        f"telephone-event/{r}": str(n) for n, r in agreed.receive_event_types.items()
    } == offered
    assert f"a=rtpmap:{number} telephone-event/{rate}" in made


def test_events_of_an_answer_are_received_in_the_number_that_we_gave_them() -> None:
    ours = offer(OURS)
    both = theirs(
        "m=audio 5000 RTP/AVP 111 110",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:110 telephone-event/48000",
    )
    slow = theirs(
        "m=audio 5000 RTP/AVP 96 101",
        "a=rtpmap:96 opus/48000/2",
        "a=rtpmap:101 telephone-event/8000",
    )

    settled = accept_answer(ours, both, OURS)
    assert (settled.payload_type, settled.event_type) == (111, 110)
    assert settled.receive_event_types[103] == 48000
    settled = accept_answer(ours, slow, OURS)
    assert (settled.event_type, settled.event_clock_rate) == (101, 8000)
    assert settled.receive_event_types[101] == 8000


def test_events_may_come_in_the_number_of_the_sender_or_change_it() -> None:
    """RFC 3264 §5.1 has those of who receives; some take their own, or another that was offered."""
    settled = accept_answer(
        offer(OURS),
        theirs(
            "m=audio 5000 RTP/AVP 111 110",
            "a=rtpmap:111 opus/48000/2",
            "a=rtpmap:110 telephone-event/48000",
        ),
        OURS,
    )

    assert dict(settled.receive_event_types) == {101: 8000, 102: 16000, 103: 48000, 110: 48000}


def test_who_takes_no_events_sends_none() -> None:
    settled = accept_answer(offer(OURS), theirs("m=audio 5000 RTP/AVP 0"), OURS)

    assert (settled.event_type, settled.receive_event_types) == (None, {})


@pytest.mark.parametrize(
    ("codecs", "wanted", "events", "opus"),
    [
        (("opus", "PCMU"), 101, {101: 8000, 102: 48000}, 96),
        (("opus",), 120, {120: 48000}, 96),
        (("opus", "PCMU"), 96, {96: 8000, 97: 48000}, 98),
        (("opus", "PCMU"), 127, {127: 8000, 97: 48000}, 96),
        (("opus", "L16/16000", "PCMU"), 97, {97: 8000, 99: 16000, 100: 48000}, 96),
    ],
)
def test_the_payload_type_of_events_is_as_set_and_no_codec_has_it(
    codecs: tuple[str, ...], wanted: int, events: dict[int, int], opus: int
) -> None:
    """SIP-17: for the slowest clock, which everybody has; the others take the next free ones."""
    [media] = offer(replace(OURS, codecs=codecs, event_type=wanted)).media
    formats = media.rtp_formats

    found = {f.payload_type: f.clock_rate for f in formats if f.encoding == "telephone-event"}
    assert found == events
    assert next(f.payload_type for f in formats if f.encoding == "opus") == opus
    assert len({f.payload_type for f in formats}) == len(formats)


def test_comfort_noise_is_taken_from_who_offers_it() -> None:
    """RFC 3389 §4."""
    agreed, made = answered("m=audio 5000 RTP/AVP 0 13 101", "a=rtpmap:101 telephone-event/8000")

    assert agreed.comfort_noise_type == 13
    assert made[0] == "m=audio 4000 RTP/AVP 0 101 13"
    assert "a=rtpmap:13 CN/8000" in made

    wide, made = answered(
        "m=audio 5000 RTP/AVP 98 13 105", "a=rtpmap:98 L16/16000", "a=rtpmap:105 CN/16000"
    )
    assert wide.comfort_noise_type == 105
    assert "a=rtpmap:105 CN/16000" in made


def test_comfort_noise_may_come_unasked_where_its_number_is_free() -> None:
    plain, made = answered("m=audio 5000 RTP/AVP 0")
    assert plain.comfort_noise_type == 13
    assert "13" not in made[0].split()

    other, _ = answered("m=audio 5000 RTP/AVP 13", "a=rtpmap:13 PCMA/8000")
    assert other.comfort_noise_type is None
    fast, _ = answered("m=audio 5000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2")
    assert fast.comfort_noise_type is None


@pytest.mark.parametrize(
    ("codec", "attribute", "ptime"),
    [
        ("96 opus/48000/2", "a=ptime:30", 20),
        ("96 opus/48000/2", "a=ptime:60", 60),
        ("96 opus/48000/2", "a=maxptime:10", 10),
        ("96 L16/48000", "a=ptime:20", 10),
        ("96 L16/16000", "a=ptime:60", 40),
        ("9 G722/8000", "a=ptime:30", 30),
    ],
)
def test_packets_are_as_long_as_the_codec_and_the_network_can_have_them(
    codec: str, attribute: str, ptime: int
) -> None:
    """RFC 6716 §3.1; 20 ms of L16/48000 are 1920 octets."""
    number = codec.split()[0]
    agreed, _ = answered(f"m=audio 5000 RTP/AVP {number}", f"a=rtpmap:{codec}", attribute)

    assert agreed.ptime_ms == ptime


def test_we_ask_for_packets_that_the_network_need_not_cut() -> None:
    _, made = answered("m=audio 5000 RTP/AVP 96", "a=rtpmap:96 L16/48000")

    assert "a=ptime:10" in made
    assert "a=maxptime:60" in made


def test_a_payload_type_keeps_its_meaning_during_a_call() -> None:
    """RFC 3264 §8.3.2: what the first offer has said 96 and 101 to be, they stay."""
    first = answer(
        theirs(
            "m=audio 5000 RTP/AVP 96 97",
            "a=rtpmap:96 L16/16000",
            "a=rtpmap:97 telephone-event/16000",
        ),
        OURS,
    )

    again = offer(OURS, first.description, first.parameters)

    mapped = {f.payload_type: f.encoding for f in again.media[0].rtp_formats}
    assert (mapped[96], mapped[97]) == ("L16", "telephone-event")
    assert len(mapped) == len(ALL) + 3
    assert sorted(mapped.values()).count("L16") == 3


def test_the_preferred_codec_of_an_answer_is_sent_and_all_offered_may_come() -> None:
    """RFC 3264 §6.1, §7: the remote side decides (checklist SIP-11)."""
    settled = accept_answer(
        offer(OURS), theirs("m=audio 5000 RTP/AVP 9 0", "a=rtpmap:9 G722/8000"), OURS
    )

    assert (settled.codec, settled.payload_type) == ("G722", 9)
    assert dict(settled.receive_types)[96] == "opus"
    assert dict(settled.receive_types)[0] == "PCMU"
