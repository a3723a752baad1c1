"""ICE in SDP: RFC 8839."""

import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sdp.candidates import (
    MAX_CANDIDATES,
    Candidate,
    IceDescription,
    media_lines,
    mismatches,
    read,
    session_lines,
)
from sipstrobe.sdp.description import SessionDescription

HOST = "1 1 UDP 2130706431 203.0.113.141 8998 typ host"
REFLEXIVE = "2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998"


def described(*media: str, session: tuple[str, ...] = ()) -> SessionDescription:
    lines = ["v=0", "o=- 1 1 IN IP4 192.0.2.3", "s=-", "c=IN IP4 192.0.2.3", "t=0 0", *session]
    lines += ["m=audio 45664 RTP/AVP 0", *(f"a={value}" for value in media)]
    return SessionDescription.parse("\r\n".join(lines).encode() + b"\r\n")


def ice(*media: str, session: tuple[str, ...] = ()) -> IceDescription:
    description = described("ice-ufrag:8hhY", f"ice-pwd:{'p' * 22}", *media, session=session)
    found = read(description, description.media[0])
    assert found is not None
    return found


@pytest.mark.parametrize("text", [HOST, REFLEXIVE])
def test_a_candidate_is_written_as_it_was_read(text: str) -> None:
    """RFC 8839 §5.1."""
    assert str(Candidate.parse(text)) == text


def test_extensions_of_others_do_no_harm() -> None:
    text = HOST + " generation 0 network-id 1 network-cost 10 tcptype"

    assert Candidate.parse(text) == Candidate.parse(HOST)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 1 UDP 2130706431 203.0.113.141 8998",
        "1 1 UDP 2130706431 203.0.113.141 8998 host typ",
        "1 1 UDP 4294967296 203.0.113.141 8998 typ host",
        "1 257 UDP 1 203.0.113.141 8998 typ host",
        "1 1 UDP 1 203.0.113.141 65536 typ host",
        "1 1 UDP 1 203.0.113.141 ٣ typ host",
        "é 1 UDP 1 203.0.113.141 8998 typ host",
        "1 1 UDP 1 203.0.113.141 8998 typ srflx raddr 10.0.0.1 rport x",
    ],
)
def test_what_is_no_candidate(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Candidate.parse(text)


def test_what_a_peer_says() -> None:
    found = ice(f"candidate:{HOST}", f"candidate:{REFLEXIVE}", "ice-options:ice2")

    assert (found.ufrag, found.pwd, found.lite, found.ended) == ("8hhY", "p" * 22, False, True)
    assert [c.kind for c in found.candidates] == ["host", "srflx"]


def test_who_does_no_ice_says_nothing() -> None:
    description = described("candidate:" + HOST)

    assert read(description, description.media[0]) is None


def test_what_holds_for_the_session_holds_for_the_medium() -> None:
    """RFC 8839 §5.3, §5.4."""
    session = ("a=ice-lite", "a=ice-ufrag:abcd", f"a=ice-pwd:{'q' * 22}")
    description = described(session=session)

    found = read(description, description.media[0])

    assert found is not None
    assert (found.ufrag, found.lite) == ("abcd", True)
    assert ice(session=session).ufrag == "8hhY"


def test_trickle_goes_on_until_it_ends() -> None:
    """RFC 8840 §4.1.2, §4.2.2."""
    assert not ice("ice-options:trickle ice2").ended
    assert ice("ice-options:trickle", "end-of-candidates").ended


@pytest.mark.parametrize("words", [("abc", "p" * 22), ("abcd", "p" * 21), ("ab:d", "p" * 22)])
def test_credentials_that_are_none(words: tuple[str, str]) -> None:
    description = described(f"ice-ufrag:{words[0]}", f"ice-pwd:{words[1]}")

    with pytest.raises(RemoteProtocolError):
        read(description, description.media[0])


def test_no_more_candidates_are_looked_at_than_make_sense() -> None:
    tcp = HOST.replace("UDP", "TCP")
    many = [f"candidate:{n} 1 udp 1 192.0.2.1 {n} typ host" for n in range(1, 100)]

    assert ice(f"candidate:{tcp}", "candidate:nonsense").candidates == ()
    assert len(ice(*many).candidates) == MAX_CANDIDATES


def test_an_address_that_was_changed_on_the_way() -> None:
    """RFC 8839 §4.2.5."""
    two = REFLEXIVE.replace("2 1 UDP", "2 2 UDP").replace("45664", "45665")
    both = ice(f"candidate:{HOST}", f"candidate:{REFLEXIVE}", f"candidate:{two}")
    one = ice(f"candidate:{REFLEXIVE}")

    assert not mismatches(both, "192.0.2.3", (45664, 45665))
    assert mismatches(both, "198.51.100.7", (45664, 45665))
    assert mismatches(both, "192.0.2.3", (45664, 7))
    assert not mismatches(one, "192.0.2.3", (45664, 45665))
    assert mismatches(ice(), "192.0.2.3", (45664, None))
    assert not mismatches(ice("ice-options:trickle"), "0.0.0.0", (9, None))


def test_what_we_say_can_be_read() -> None:
    ours = IceDescription(
        ufrag="abcd",
        pwd="p" * 22,
        candidates=(Candidate.parse(HOST), Candidate.parse(REFLEXIVE)),
        remote=((1, "192.0.2.9", 4000), (2, "192.0.2.9", 4001)),
    )
    session = tuple(session_lines(ours))
    description = described(*(line[2:] for line in media_lines(ours)), session=session)

    assert read(description, description.media[0]) == ours
    assert session_lines(None) == media_lines(None) == []


def test_a_restart_shows_in_the_credentials() -> None:
    """RFC 8445 §9."""
    first = ice()
    again = IceDescription(ufrag="newu", pwd="n" * 22)

    assert again.restarts(first)
    assert not first.restarts(ice("candidate:" + HOST))
