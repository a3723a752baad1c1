"""RFC 5118: IPv6 addresses, with and without brackets, in all the places where they stand."""

from tests.sip.torture_case import Case, wire


def _sdp(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def _options(uri: str, via: str = "[2001:db8::77]", contact: str = "[2001:db8::77]") -> bytes:
    return wire(
        f"""
        OPTIONS {uri} SIP/2.0
        To: sip:1001@example.org
        From: sip:caller@example.org;tag=81x2
        Via: SIP/2.0/UDP {via};branch=z9hG4bKsix1
        Call-ID: six.1@192.0.2.77
        Max-Forwards: 70
        Contact: "Caller" <sip:caller@{contact}>
        CSeq: 98176 OPTIONS
        Content-Length: 0
        """
    )


def _bye(*vias: str) -> bytes:
    lines = "\n".join(f"Via: SIP/2.0/UDP {via}" for via in vias)
    return wire(
        "BYE sip:1001@[2001:db8::1] SIP/2.0\n"
        "To: sip:1001@example.org;tag=bd76ya\n"
        "From: sip:caller@example.org;tag=81x2\n"
        f"{lines}\n"
        "Call-ID: six.2@192.0.2.77\n"
        "Max-Forwards: 70\n"
        "CSeq: 4 BYE\n"
        "Content-Length: 0"
    )


def _invite(host: str, body: bytes) -> bytes:
    return wire(
        f"""
        INVITE sip:1001@[2001:db8::1] SIP/2.0
        To: sip:1001@[2001:db8::1]
        From: sip:caller@example.org;tag=81x2
        Via: SIP/2.0/UDP {host};branch=z9hG4bKsix3
        Call-ID: six.3@[2001:db8::77]
        Contact: "Caller" <sip:caller@{host}>
        CSeq: 8612 INVITE
        Max-Forwards: 70
        Content-Type: application/sdp
        Content-Length: {{length}}
        """,
        body,
    )


_GOOD = _options("sip:[2001:db8::10]")
_BAD = _options("sip:2001:db8::10")
_PORT_AMBIGUOUS = _options("sip:[2001:db8::10:5070]")
_PORT_UNAMBIGUOUS = _options("sip:[2001:db8::10]:5070")
_RECEIVED_WITH = _bye("[2001:db8::77];received=[2001:db8::77:255];branch=z9hG4bKsix2")
_RECEIVED_WITHOUT = _bye("[2001:db8::77];received=2001:db8::77:255;branch=z9hG4bKsix2")
_IN_SDP = _invite(
    "[2001:db8::77]",
    _sdp(
        "v=0",
        "o=caller 971 971 IN IP6 2001:db8::77",
        "s=-",
        "c=IN IP6 2001:db8::77",
        "t=0 0",
        "m=audio 6000 RTP/AVP 0 8",
    ),
)
_SEVERAL_IN_FIELDS = _bye(
    "[2001:db8::77:1]:6050;comp=sigcomp;branch=z9hG4bKsix2",
    "192.0.2.77;branch=z9hG4bKsix5",
    "[2001:db8::77:2];received=192.0.2.200;branch=z9hG4bKsix6",
)
_SEVERAL_IN_SDP = _invite(
    "[2001:db8::77]",
    _sdp(
        "v=0",
        "o=caller 971 971 IN IP4 sdp.example.org",
        "s=-",
        "t=0 0",
        "m=audio 6000 RTP/AVP 0 8",
        "c=IN IP6 2001:db8::77",
        "m=video 6024 RTP/AVP 107",
        "c=IN IP4 192.0.2.77",
        "a=rtpmap:107 H263-1998/90000",
    ),
)
_MAPPED = _invite(
    "[::ffff:192.0.2.77]:19823",
    _sdp(
        "v=0",
        "o=caller 971 971 IN IP6 ::ffff:192.0.2.77",
        "s=-",
        "c=IN IP6 ::ffff:192.0.2.77",
        "t=0 0",
        "m=audio 6000 RTP/AVP 0 8",
    ),
)
_THREE_COLONS = _options("sip:1001@[2001:db8:::192.0.2.1]", via="[2001:db8:::192.0.2.77]")
_TWO_COLONS = _options("sip:1001@[2001:db8::192.0.2.1]", via="[2001:db8::192.0.2.77]")

IPV6 = [
    Case("ipv6-good", "4.1", _GOOD, 200, by_message=False),
    Case("ipv6-bad", "4.2", _BAD, 400, by_message=True),
    Case("port-ambiguous", "4.3", _PORT_AMBIGUOUS, 200, by_message=False),
    Case("port-unambiguous", "4.4", _PORT_UNAMBIGUOUS, 200, by_message=False),
    Case("via-received-param-with-delim", "4.5", _RECEIVED_WITH, 481, by_message=False),
    Case("via-received-param-no-delim", "4.5", _RECEIVED_WITHOUT, 481, by_message=False),
    Case("ipv6-in-sdp", "4.6", _IN_SDP, "accept", by_message=False),
    Case("mult-ip-in-header", "4.7", _SEVERAL_IN_FIELDS, 481, by_message=False),
    Case("mult-ip-in-sdp", "4.8", _SEVERAL_IN_SDP, "accept", by_message=False),
    Case("ipv4-mapped-ipv6", "4.9", _MAPPED, "accept", by_message=False),
    Case("ipv6-bug-abnf-3-colons", "4.10", _THREE_COLONS, 200, by_message=False),
    Case("ipv6-correct-abnf-2-colons", "4.10", _TWO_COLONS, 200, by_message=False),
]
