"""Typed values of header fields."""

import pytest

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.headers import (
    MAX_SEQUENCE,
    STAR,
    Auth,
    CSeq,
    NameAddr,
    RAck,
    SessionExpires,
    Via,
    parse_auth,
    parse_media_type,
    parse_retry_after,
    parse_tokens,
)
from sipstrobe.sip.uri import Uri


def test_a_via_with_everything() -> None:
    """RFC 3261 §20.42, RFC 3581."""
    text = "SIP / 2.0 / udp [2001:db8::9]: 5070 ;rport = 6000; branch=z9hG4bKx;received=[::1]"

    via = Via.parse(text)

    assert (via.transport, via.host, via.port) == ("UDP", "2001:db8::9", 5070)
    assert (via.branch, via.rport, via.received) == ("z9hG4bKx", 6000, "::1")
    assert str(via) == text
    assert via == Via.parse(text)


def test_a_via_with_next_to_nothing() -> None:
    via = Via.parse("SIP/2.0/UDP gateway")
    assert (via.port, via.branch, via.rport, via.received) == (None, "", None, "")


@pytest.mark.parametrize(
    "text",
    [
        "", "SIP/2.0/UDP", "SIP/3.0/UDP h", "SIP/2.0 UDP h", "SIP/2.0/UDP h:0",
        "SIP/2.0/UDP h:99999", "SIP/2.0/UDP 2001:db8::1", "SIP/2.0/UDP h;;",
        "SIP/2.0/UDP h;branch=a;branch=b", "SIP/2.0/UDP h x", "SIP/2.0/UDP [::x]",
        "SIP/2.0/UDP h, SIP/2.0/UDP i",
    ],
)  # fmt: skip
def test_what_is_no_via(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Via.parse(text)


def test_a_via_says_where_the_request_really_came_from() -> None:
    """RFC 3581 §4: received always goes with rport; what the peer claims itself is replaced."""
    asked = Via.parse("SIP/2.0/UDP h:5070;rport;branch=z9hG4bKx;received=203.0.113.66")
    unasked = Via.parse("SIP/2.0/UDP h;branch=z9hG4bKx")

    told = asked.with_received("192.0.2.7", 1024)

    assert str(told) == "SIP/2.0/UDP h:5070;branch=z9hG4bKx;received=192.0.2.7;rport=1024"
    assert told.params == Via.parse(str(told)).params
    assert (
        str(unasked.with_received("2001:db8::1", 1024))
        == "SIP/2.0/UDP h;branch=z9hG4bKx;received=2001:db8::1"
    )


@pytest.mark.parametrize(
    ("text", "display", "uri", "params"),
    [
        ('"A \\"B\\" C" <sip:a@b;lr>;tag=1', 'A "B" C', "sip:a@b;lr", {"tag": "1"}),
        ("Alice Adams <sip:a@b>", "Alice Adams", "sip:a@b", {}),
        ("<sip:a@b>", "", "sip:a@b", {}),
        ('""<sip:a@b>', "", "sip:a@b", {}),
        ("sip:a@b;tag=1", "", "sip:a@b", {"tag": "1"}),
        ("sip:a@b ; tag = 1", "", "sip:a@b", {"tag": "1"}),
        ('"<sip:x>" <tel:1>;q=0.5', "<sip:x>", "tel:1", {"q": "0.5"}),
        ("Größe <sip:a@b>", "Größe", "sip:a@b", {}),
    ],
)
def test_addresses(text: str, display: str, uri: str, params: dict[str, str]) -> None:
    address = NameAddr.parse(text)

    assert (address.display, str(address.uri), address.params) == (display, uri, params)
    assert (str(address), address.tag) == (text, params.get("tag", ""))


@pytest.mark.parametrize(
    "text",
    [
        "", "<>", "a", '"a <sip:a@b>', "sip:a@b?x=y", "sip:a@b,c", "<sip:a@b", "sip:a@b>",
        "<sip:a@b> x", "<sip:a@b>;;", "<sip:a@b>;tag=1;tag=2", '"a" b <sip:a@b>', "<sip:a b@c>",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        NameAddr.parse(text)


def test_any_contact_is_not_an_address_of_somebody() -> None:
    assert str(STAR) == "*"
    assert not STAR.uri.is_sip


def test_cseq() -> None:
    """RFC 3261 §8.1.1.5: less than 2**31."""
    assert CSeq.parse(f"{MAX_SEQUENCE}\t INVITE") == (MAX_SEQUENCE, "INVITE")
    assert str(CSeq(7, "ACK")) == "7 ACK"
    for text in (
        "",
        "1",
        "INVITE",
        "1INVITE",
        "-1 INVITE",
        f"{MAX_SEQUENCE + 1} INVITE",
        "1 IN VITE",
    ):
        with pytest.raises(RemoteProtocolError):
            CSeq.parse(text)


def test_rack() -> None:
    """RFC 3262 §7.2."""
    assert RAck.parse("776656 1 INVITE") == RAck(776656, 1, "INVITE")
    assert str(RAck(776656, 1, "INVITE")) == "776656 1 INVITE"
    for text in ("1 INVITE", "1 2", f"{2**32} 1 INVITE", f"1 {2**31} INVITE"):
        with pytest.raises(RemoteProtocolError):
            RAck.parse(text)


def test_session_expires() -> None:
    """RFC 4028 §4."""
    assert SessionExpires.parse("1800") == (1800, "")
    assert SessionExpires.parse("90 ;refresher=UAC;x") == (90, "uac")
    assert str(SessionExpires(90, "uas")) == "90;refresher=uas"
    assert str(SessionExpires(90)) == "90"
    for text in ("", "x", "90;refresher=me"):
        with pytest.raises(RemoteProtocolError):
            SessionExpires.parse(text)


def test_challenges_and_credentials() -> None:
    """RFC 3261 §20.7, §20.44: commas inside quotes do not part parameters."""
    (challenge,) = parse_auth(
        'Digest realm="a, \\"b\\"",qop="auth,auth-int" , Stale=FALSE,algorithm=MD5,'
    )

    assert challenge.scheme == "digest"
    assert challenge.params == {
        "realm": 'a, \\"b\\"',  # RFC 7616 §3.4.2: only the quotes are taken off
        "qop": "auth,auth-int",
        "stale": "FALSE",
        "algorithm": "MD5",
    }
    many = ",".join(f"p{n}=1" for n in range(65))
    for text in ("Digest", "a=1", "Digest realm", 'Digest realm="x', f"Digest {many}"):
        with pytest.raises(RemoteProtocolError):
            parse_auth(text)
    with pytest.raises(RemoteProtocolError):
        parse_auth("Digest a=1,a=2")


def test_several_challenges_in_one_line() -> None:
    """RFC 9110 §11.6.1, as servers made for HTTP write them."""
    found = parse_auth('Digest realm="a", nonce = "1", Digest realm="b",nonce="2"')

    assert found == (
        Auth("digest", {"realm": "a", "nonce": "1"}),
        Auth("digest", {"realm": "b", "nonce": "2"}),
    )


def test_retry_after() -> None:
    """RFC 3261 §20.33."""
    assert parse_retry_after("18000;duration=3600") == 18000
    assert parse_retry_after("120 (I'm in a meeting)") == 120
    with pytest.raises(RemoteProtocolError):
        parse_retry_after("soon")


def test_media_types_and_tokens() -> None:
    assert parse_media_type("Application / SDP; charset=utf-8") == "application/sdp"
    assert parse_media_type("*/*") == "*/*"
    assert parse_tokens(" 100rel , timer,,replaces") == ("100rel", "timer", "replaces")
    assert parse_tokens("") == ()
    for bad in ("application", "a/b/c", "a b/c"):
        with pytest.raises(RemoteProtocolError):
            parse_media_type(bad)
    for bad in ("a b", "a;b", '"a"', "a/b"):
        with pytest.raises(RemoteProtocolError):
            parse_tokens(bad)


def test_values_are_equal_if_spelled_alike() -> None:
    a, b = NameAddr.parse("<sip:a@b>"), NameAddr.parse("<sip:a@b >")

    assert a != b
    assert len({a, b, NameAddr.parse("<sip:a@b>")}) == 2
    assert len({Uri.parse("sip:a"), Uri.parse("SIP:a")}) == 2
    assert len({Via.parse("SIP/2.0/UDP a"), Via.parse("SIP/2.0/UDP a")}) == 1
    assert "sip:a@b" in repr(a)
