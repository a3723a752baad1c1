"""The offer of a browser is looked at before a library reads it (RFC 8829)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.browser import MAX_CANDIDATES, MAX_CHARACTERS, MAX_LINES, read_offer
from tests.support.talk import OFFER

CANDIDATE = "a=candidate:1 1 udp 2113937151 192.0.2.9 50000 typ host\r\n"


@pytest.mark.parametrize(
    ("direction", "sends", "receives"),
    [
        ("a=sendrecv", True, True),
        ("a=sendonly", True, False),
        ("a=recvonly", False, True),
        ("a=inactive", False, False),
        ("a=x", True, True),  # RFC 8866 §6.7: sendrecv if nothing is said
    ],
)
def test_its_direction_is_what_the_browser_wants(
    direction: str, sends: bool, receives: bool
) -> None:
    offer = read_offer(OFFER.replace("a=sendonly", direction))

    assert (offer.sends, offer.receives) == (sends, receives)


@pytest.mark.parametrize(
    ("direction", "sends", "receives"),
    [("a=sendonly", True, False), ("a=recvonly", False, True), ("a=inactive", False, False)],
)
def test_the_direction_of_its_sound_goes_before_that_of_the_session(
    direction: str, sends: bool, receives: bool
) -> None:
    """RFC 8866 §6.7; Firefox says both. Who only talks shall not open the microphone."""
    said = OFFER.replace("t=0 0", "t=0 0\r\na=sendrecv").replace("a=sendonly", direction)
    offer = read_offer(said)

    assert (offer.sends, offer.receives) == (sends, receives)


def test_names_and_tcp_are_left_out_of_its_candidates() -> None:
    """A name of mDNS would have to be asked for; TCP is not spoken."""
    sdp = read_offer(OFFER + MAX_CANDIDATES * CANDIDATE).sdp

    found = [line for line in sdp.splitlines() if line.startswith("a=candidate")]
    assert len(found) == MAX_CANDIDATES
    assert ".local" not in sdp
    assert "tcptype" not in sdp
    assert "a=ice-ufrag:abcd\r\n" in sdp


def test_more_may_come_than_its_candidates() -> None:
    """RFC 8445 §7.3.1.3: where it is really sending from is seen when it does. With no candidate
    but its end, as Firefox offers to listen, aiortc would name none of ours either."""
    names = "\r\n".join(line for line in OFFER.splitlines() if "192.0.2.9" not in line)

    assert "candidate" not in read_offer(names + "\r\na=end-of-candidates\r\n").sdp


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "hello",
        OFFER.replace("m=audio", "m=video"),
        OFFER + "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
        OFFER + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        OFFER.replace("a=ice-pwd", "a=x"),
        OFFER.replace("a=fingerprint", "a=x"),
        OFFER.replace("a=setup", "a=x"),
        OFFER + "a=x\r\n" * MAX_LINES,
        OFFER + "a=" + "x" * MAX_CHARACTERS,
    ],
)
def test_what_is_no_offer_of_one_encrypted_sound_is_refused(offer: str) -> None:
    with pytest.raises(RemoteProtocolError):
        read_offer(offer)


@given(st.lists(st.sampled_from([*OFFER.splitlines(), "a=candidate:", "", "m=", "x"])))
def test_no_text_raises_anything_else(lines: list[str]) -> None:
    with suppress(RemoteProtocolError):
        offer = read_offer("\r\n".join(["v=0", *lines]))
        assert offer.sdp.count("m=audio ") == 1
