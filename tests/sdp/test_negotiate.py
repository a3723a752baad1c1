"""Offer and answer: RFC 3264, with examples after RFC 4317."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.description import Direction, SessionDescription
from sipstrobe.sdp.negotiate import NotAcceptable, Offerable, accept_answer, answer, offer

OURS = Offerable(host="192.0.2.20", rtp_port=4000, session_id=7)
SIX = Offerable(host="2001:db8::20", rtp_port=4000, session_id=7)
BOTH_REPORTS = ("rcvr-rtt", "voip-metrics")


def theirs(*media: str, connection: str = "IN IP4 192.0.2.1") -> SessionDescription:
    session = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", f"c={connection}", "t=0 0")
    lines = [line for m in media for line in m.split("\n")]
    return SessionDescription.parse("\r\n".join([*session, *lines, ""]).encode())


def audio_of(description: SessionDescription) -> list[str]:
    return list(description.media[0].lines)


def test_our_offer() -> None:
    assert bytes(offer(OURS)).decode().split("\r\n") == [
        "v=0",
        "o=- 7 7 IN IP4 192.0.2.20",
        "s=-",
        "c=IN IP4 192.0.2.20",
        "t=0 0",
        "m=audio 4000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-15",
        "a=ptime:20",
        "a=maxptime:60",
        "a=sendrecv",
        "a=rtcp-xr:rcvr-rtt=all voip-metrics",
        "",
    ]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup voip-metrics", BOTH_REPORTS),
        ("a=rtcp-xr:voip-metrics", ("voip-metrics",)),
        ("a=rtcp-xr:pkt-loss-rle=60", ()),
        ("a=rtcp-xr", ()),
        ("a=rtcp:5001", ()),
    ],
)
def test_who_wants_extended_reports_is_asked_for_them_too(
    line: str, wanted: tuple[str, ...]
) -> None:
    """RFC 3611 §5.1, §5.2."""
    made = answer(theirs("m=audio 5000 RTP/AVP 0", line), OURS)

    assert made.parameters.extended == wanted
    asked = made.description.media[0].attribute("rtcp-xr")
    assert asked == ("rcvr-rtt=all voip-metrics" if wanted else None)


def test_the_codec_that_the_peer_prefers_is_taken() -> None:
    """The device can do both; the remote side decides (checklist SIP-11)."""
    made = answer(theirs("m=audio 5000 RTP/AVP 9 8 0"), OURS)

    assert made.parameters.codec == "PCMA"
    assert made.parameters.payload_type == 8
    assert dict(made.parameters.receive_types) == {8: "PCMA"}
    assert (made.parameters.host, made.parameters.rtp_port) == ("192.0.2.1", 5000)
    assert made.parameters.rtcp_port == 5001
    assert audio_of(made.description)[0] == "m=audio 4000 RTP/AVP 8"


def test_codecs_have_the_payload_types_of_the_offer() -> None:
    """RFC 3264 §6.1: the numbers of the offer, even odd ones."""
    made = answer(
        theirs(
            "m=audio 5000 RTP/AVP 110 97\na=rtpmap:110 pcma/8000\na=rtpmap:97 telephone-event/8000"
        ),
        OURS,
    )

    assert (made.parameters.codec, made.parameters.payload_type) == ("PCMA", 110)
    assert made.parameters.event_type == 97
    assert made.parameters.receive_event_types == {97: 8000}
    assert "a=rtpmap:97 telephone-event/8000" in audio_of(made.description)


def test_an_answer_with_other_numbers_is_sent_in_them_and_received_in_ours() -> None:
    """RFC 3264 §5.1, §6.1."""
    ours = offer(OURS)
    other = theirs(
        "m=audio 6000 RTP/AVP 112 113\na=rtpmap:112 PCMU/8000\na=rtpmap:113 telephone-event/8000"
    )

    settled = accept_answer(ours, other, OURS)

    assert (settled.payload_type, settled.event_type) == (112, 113)
    assert dict(settled.receive_types) == {0: "PCMU", 8: "PCMA"}
    assert settled.receive_event_types == {101: 8000, 113: 8000}


@pytest.mark.parametrize(
    ("said", "direction", "on_hold"),
    [
        ("sendrecv", Direction.SENDRECV, False),
        ("sendonly", Direction.RECVONLY, True),
        ("recvonly", Direction.SENDONLY, False),
        ("inactive", Direction.INACTIVE, True),
    ],
)
def test_directions_are_answered_with_their_counterpart(
    said: str, direction: Direction, on_hold: bool
) -> None:
    """RFC 3264 §6.1, §8.4."""
    made = answer(theirs(f"m=audio 5000 RTP/AVP 0\na={said}"), OURS)

    assert made.parameters.direction is direction
    assert made.parameters.on_hold is on_hold
    assert f"a={direction}" in audio_of(made.description)


def test_we_answer_no_more_than_we_want() -> None:
    listening = Offerable(
        host="192.0.2.20", rtp_port=4000, session_id=7, direction=Direction.RECVONLY
    )

    assert answer(theirs("m=audio 5000 RTP/AVP 0"), listening).parameters.direction is (
        Direction.RECVONLY
    )
    only_listens = theirs("m=audio 5000 RTP/AVP 0\na=recvonly")
    assert answer(only_listens, listening).parameters.direction is Direction.INACTIVE


def test_hold_in_the_old_style() -> None:
    """RFC 3264 §8.4, RFC 2543: the address 0.0.0.0 means do not send."""
    made = answer(theirs("m=audio 5000 RTP/AVP 0", connection="IN IP4 0.0.0.0"), OURS)

    assert made.parameters.on_hold
    assert made.parameters.direction is Direction.RECVONLY


def test_every_other_medium_is_refused_in_its_place() -> None:
    """RFC 3264 §6: as many m= lines in the same order."""
    made = answer(
        theirs(
            "m=video 5002 RTP/AVP 31 32",
            "m=audio 5000 RTP/SAVP 0",
            "m=audio 5004 RTP/AVP 0",
            "m=audio 5006 RTP/AVP 0",
            "m=image 5008 udptl t38",
        ),
        OURS,
    )

    assert [m.lines[0] for m in made.description.media] == [
        "m=video 0 RTP/AVP 31 32",
        "m=audio 0 RTP/SAVP 0",
        "m=audio 4000 RTP/AVP 0",
        "m=audio 0 RTP/AVP 0",
        "m=image 0 udptl t38",
    ]
    assert made.parameters.rtp_port == 5004


@pytest.mark.parametrize(
    "media",
    [
        "m=video 5000 RTP/AVP 31",
        "m=audio 0 RTP/AVP 0",
        "m=audio 5000 RTP/SAVP 0",
        "m=audio 5000 RTP/AVP 18 101\na=rtpmap:101 telephone-event/8000",
        "m=audio 5000 RTP/AVP 0\na=rtpmap:0 PCMU/16000",
    ],
)
def test_an_offer_without_audio_for_us_is_answered_488(media: str) -> None:
    with pytest.raises(NotAcceptable) as refusal:
        answer(theirs(media), OURS)

    assert refusal.value.status == 488


@pytest.mark.parametrize(
    "host", ["IN IP4 224.1.1.1/127", "IN IP6 ff15::1", "IN IP4 255.255.255.255"]
)
def test_a_call_never_sends_to_a_group(host: str) -> None:
    with pytest.raises(NotAcceptable):
        answer(theirs("m=audio 5000 RTP/AVP 0", connection=host), OURS)


def test_addresses_have_one_spelling_and_names_stay() -> None:
    six = theirs("m=audio 5000 RTP/AVP 0", connection="IN IP6 2001:DB8:0:0::1")
    named = theirs("m=audio 5000 RTP/AVP 0", connection="IN IP4 phone.example.com")

    assert answer(six, SIX).parameters.host == "2001:db8::1"
    assert answer(named, OURS).parameters.host == "phone.example.com"


@pytest.mark.parametrize(
    ("connection", "ours"), [("IN IP6 2001:db8::1", OURS), ("IN IP4 192.0.2.1", SIX)]
)
def test_nobody_is_promised_media_that_our_sockets_cannot_send(
    connection: str, ours: Offerable
) -> None:
    """A re-INVITE may come with an address of the other IP version: the call stays as it was."""
    with pytest.raises(NotAcceptable) as refusal:
        answer(theirs("m=audio 5000 RTP/AVP 0", connection=connection), ours)
    assert refusal.value.status == 488


@pytest.mark.parametrize("ours", [OURS, SIX])
@pytest.mark.parametrize("nobody", ["IN IP4 0.0.0.0", "IN IP6 ::", "IN IP6 0:0:0:0:0:0:0:0"])
def test_nobody_is_nobody_in_each_ip_version_and_spelling(nobody: str, ours: Offerable) -> None:
    """RFC 3264 §8.4: and :: written long would be ourselves if it were taken for an address."""
    made = answer(theirs("m=audio 5000 RTP/AVP 0", connection=nobody), ours)
    assert made.parameters.on_hold
    assert made.parameters.direction is Direction.RECVONLY


@pytest.mark.parametrize(
    ("attributes", "ptime"),
    [
        ("", 20),
        ("\na=ptime:30", 30),
        ("\na=ptime:25", 20),
        ("\na=ptime:5", 10),
        ("\na=ptime:200", 60),
        ("\na=maxptime:10", 10),
        ("\na=ptime:60\na=maxptime:40", 40),
    ],
)
def test_we_send_in_packets_of_the_length_asked_for(attributes: str, ptime: int) -> None:
    made = answer(theirs("m=audio 5000 RTP/AVP 0" + attributes), OURS)

    assert made.parameters.ptime_ms == ptime


@pytest.mark.parametrize(
    "media", ["m=audio 0 RTP/AVP 0", "m=audio 5000 RTP/AVP 18", "m=video 1 x 0"]
)
def test_an_answer_that_refuses_the_audio_is_not_acceptable(media: str) -> None:
    with pytest.raises(NotAcceptable):
        accept_answer(offer(OURS), theirs(media), OURS)


def test_an_answer_without_media_is_not_acceptable() -> None:
    with pytest.raises(NotAcceptable):
        accept_answer(offer(OURS), theirs(), OURS)


def test_the_version_grows_only_with_a_change() -> None:
    """RFC 3264 §8."""
    first = offer(OURS)
    same = offer(OURS, first)
    held = Offerable(host="192.0.2.20", rtp_port=4000, session_id=7, direction=Direction.SENDONLY)
    changed = offer(held, same)

    assert same == first
    assert first.origin.session_version == "7"
    assert changed.origin.session_version == "8"
    assert changed.origin.session_id == "7"


def test_an_offer_of_ours_after_theirs_keeps_all_media_in_place() -> None:
    """RFC 3264 §8: no m= line may disappear."""
    sent = answer(theirs("m=video 5002 RTP/AVP 31", "m=audio 5000 RTP/AVP 0"), OURS).description

    again = offer(OURS, sent)

    assert [m.lines[0] for m in again.media] == [
        "m=video 0 RTP/AVP 31",
        "m=audio 4000 RTP/AVP 0 8 101",
    ]
    assert again.origin.session_version == "8"


def test_two_of_us_agree() -> None:
    other = Offerable(host="192.0.2.5", rtp_port=6000, session_id=9, codecs=("PCMA",))

    our_offer = offer(OURS)
    made = answer(SessionDescription.parse(bytes(our_offer)), other)
    settled = accept_answer(our_offer, SessionDescription.parse(bytes(made.description)), OURS)

    assert settled.codec == made.parameters.codec == "PCMA"
    assert (settled.host, settled.rtp_port) == ("192.0.2.5", 6000)
    assert settled.event_type == made.parameters.event_type == 101
    assert settled.direction is Direction.SENDRECV


pieces = st.sampled_from(
    [
        "m=audio 5000 RTP/AVP 0 101",
        "m=audio 5000 RTP/AVP 8",
        "m=video 1 RTP/AVP 31",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:0 PCMU/8000/2",
        "a=rtcp:nonsense",
        "a=rtcp:",
        "a=ptime:1e9",
        "a=inactive",
        "c=IN IP4 x",
        "c=IN IP6 ::1%lo",
        "c=",
    ]
)


@given(st.lists(pieces | st.text(max_size=12), max_size=12))
@settings(max_examples=300, deadline=None)
def test_no_offer_does_more_than_be_refused(lines: list[str]) -> None:
    try:
        description = SessionDescription.parse("\r\n".join(["v=0", *lines]).encode())
        made = answer(description, OURS)
    except RemoteProtocolError:
        return
    assert len(made.description.media) == len(description.media)
    assert SessionDescription.parse(bytes(made.description)) == made.description
