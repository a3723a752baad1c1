"""ICE in offer and answer: RFC 8839 §4.2, and who does none."""

from msgspec.structs import replace

from sipstrobe.sdp.candidates import Candidate, IceDescription
from sipstrobe.sdp.description import SessionDescription
from sipstrobe.sdp.negotiate import Offerable, accept_answer, answer, offer

OURS = Offerable(
    host="198.51.100.7",
    rtp_port=50000,
    rtcp_port=50010,
    session_id=7,
    ice=IceDescription(
        ufrag="ours",
        pwd="o" * 22,
        candidates=(Candidate.parse("1 1 udp 9 198.51.100.7 50000 typ host"),),
    ),
)
CREDENTIALS = ("ice-ufrag:they", f"ice-pwd:{'t' * 22}")
THEIR_CANDIDATE = "candidate:1 1 udp 9 192.0.2.1 49170 typ host"


def theirs(*attributes: str, host: str = "192.0.2.1", port: int = 49170) -> SessionDescription:
    lines = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0"]
    lines += [f"m=audio {port} RTP/AVP 0", *(f"a={value}" for value in attributes)]
    return SessionDescription.parse("\r\n".join(lines).encode() + b"\r\n")


def test_an_offer_with_all_ways_to_us() -> None:
    made = offer(OURS)

    text = bytes(made).decode()
    assert "a=candidate:1 1 udp 9 198.51.100.7 50000 typ host\r\n" in text
    assert "a=rtcp:50010\r\n" in text
    assert made.attribute("ice-options") == "ice2"
    assert SessionDescription.parse(bytes(made)) == made


def test_the_port_of_rtcp_is_only_named_where_it_is_not_the_next() -> None:
    """RFC 3605."""
    assert b"a=rtcp:" not in bytes(offer(replace(OURS, rtcp_port=50001)))
    assert b"a=rtcp:" not in bytes(offer(replace(OURS, rtcp_port=None)))


def test_both_do_ice() -> None:
    made = answer(theirs(*CREDENTIALS, THEIR_CANDIDATE), OURS)

    assert made.parameters.ice is not None
    assert made.parameters.ice.ufrag == "they"
    assert made.description.media[0].attribute("ice-ufrag") == "ours"


def test_a_peer_without_ice_hears_nothing_of_it() -> None:
    """RFC 8839 §4.2.4: then it is as if we had none."""
    made = answer(theirs(), OURS)

    assert made.parameters.ice is None
    assert b"ice" not in bytes(made.description)
    assert b"candidate" not in bytes(made.description)
    assert accept_answer(offer(OURS), theirs(), OURS).ice is None


def test_we_without_ice_do_as_if_the_peer_had_none() -> None:
    made = answer(theirs(*CREDENTIALS, THEIR_CANDIDATE), replace(OURS, ice=None))

    assert made.parameters.ice is None
    assert b"ice" not in bytes(made.description)


def test_a_changed_address_is_told_and_ice_is_left_out() -> None:
    """RFC 8839 §4.2.5."""
    made = answer(theirs(*CREDENTIALS, THEIR_CANDIDATE, host="203.0.113.9"), OURS)

    assert made.parameters.ice is None
    assert made.parameters.host == "203.0.113.9"
    media = made.description.media[0]
    assert media.attribute("ice-mismatch") == ""
    assert media.attribute("ice-ufrag") is None


def test_a_peer_that_could_not_use_our_candidates() -> None:
    answered = theirs("ice-mismatch", *CREDENTIALS, THEIR_CANDIDATE)

    assert accept_answer(offer(OURS), answered, OURS).ice is None


def test_who_has_no_address_yet_is_not_on_hold() -> None:
    """RFC 8840 §4.1.1: the address of an offer whose candidates come later."""
    trickling = theirs(*CREDENTIALS, "ice-options:trickle", host="0.0.0.0", port=9)

    parameters = answer(trickling, OURS).parameters

    assert not parameters.on_hold
    assert parameters.direction.sends
    assert parameters.ice is not None
    assert not parameters.ice.ended
