"""RFC 4475 §3.2, §3.3 and §3.4: the grammar is kept, the trouble is in what it means."""

from tests.sip.torture_case import SDP, Case, wire


def _options(uri: str = "sip:1001@strobe.example.org", more: str = "") -> bytes:
    return wire(
        f"""
        OPTIONS {uri} SIP/2.0
        To: sip:1001@strobe.example.org
        From: <sip:caller@example.org>;tag=semantics3
        Max-Forwards: 70
        Call-ID: semantics.1@192.0.2.77
        CSeq: 3923423 OPTIONS
        Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKsemantics1
        {more.strip() or "Subject: none"}
        Content-Length: 0
        """
    )


def _register(*more: str) -> bytes:
    lines = "\n".join(more)
    return wire(
        "REGISTER sip:example.org SIP/2.0\n"
        "From: sip:caller@example.org;tag=semantics4\n"
        "Max-Forwards: 70\n"
        "Call-ID: semantics.2@192.0.2.77\n"
        "CSeq: 9 REGISTER\n"
        "Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKsemantics2\n"
        f"{lines}\n"
        "Content-Length: 0"
    )


NO_BRANCH_AFTER_COOKIE = wire(
    """
    OPTIONS sip:1001@strobe.example.org SIP/2.0
    To: sip:1001@strobe.example.org
    From: sip:caller@example.org;tag=33242
    Max-Forwards: 3
    Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bK
    Accept: application/sdp
    Call-ID: branch.1@192.0.2.77
    CSeq: 8 OPTIONS
    l: 0
    """
)
REQUIRED_FIELDS_MISSING = wire(
    """
    INVITE sip:1001@strobe.example.org SIP/2.0
    CSeq: 193942 INVITE
    Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKmissing1
    Content-Type: application/sdp
    l: {length}
    """,
    SDP,
)
UNKNOWN_SCHEME = _options("lamplighter:what.ever,this:is")
ATYPICAL_SCHEME = _options("soap.beep://192.0.2.103:3002")
UNKNOWN_SCHEMES_IN_FIELDS = _register("To: isbn:9780131103627", "Contact: <name:Jane_Doe>")
UNKNOWN_EXTENSIONS = _options(
    more="""
        Require: neverHeardOfThis, norOfThat
        Proxy-Require: noProxyHasThis, orThat
    """
)
UNKNOWN_BODY = wire(
    """
    INVITE sip:1001@strobe.example.org SIP/2.0
    Contact: <sip:caller@host5.example.org>
    To: sip:1001@strobe.example.org
    From: sip:caller@example.org;tag=8392034
    Max-Forwards: 70
    Call-ID: body.1@192.0.2.77
    CSeq: 235448 INVITE
    Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKbody1
    Content-Type: application/lamp-oil
    Content-Length: {length}
    """,
    b"<oil/>",
)
UNKNOWN_AUTHORIZATION = _register(
    "To: sip:caller@example.org", "Authorization: Handshake of-a-kind=x"
)
SEVERAL_OF_WHAT_IS_SINGLE = wire(
    """
    INVITE sip:1001@strobe.example.org SIP/2.0
    Contact: <sip:caller@host25.example.org>
    Max-Forwards: 70
    CSeq: 5 INVITE
    Call-ID: several.1@192.0.2.77
    Call-ID: several.2@192.0.2.77
    Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKseveral1
    From: <sip:caller@example.org>;tag=3413415
    To: sip:1001@strobe.example.org
    To: sip:other@example.net
    CSeq: 59 INVITE
    From: <sip:caller@example.net>;tag=2923420123
    Content-Type: application/sdp
    Max-Forwards: 5
    l: {length}
    """,
    SDP,
)
SEVERAL_LENGTHS = wire(
    """
    OPTIONS sip:1001@strobe.example.org SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKlengths1
    To: sip:1001@strobe.example.org
    From: sip:caller@example.org;tag=3923942
    Call-ID: lengths.1@192.0.2.77
    CSeq: 15932 OPTIONS
    Content-Length: 13
    Max-Forwards: 70
    Content-Length: 5
    Content-Type: text/plain
    """,
    b"Is it five, or more?",
)
BROADCAST_VIA = wire(
    """
    SIP/2.0 200 OK
    Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bKbroad1
    Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKbroad2
    Call-ID: broad.1@192.0.2.77
    CSeq: 35 INVITE
    From: sip:caller@example.org;tag=11141343
    To: sip:1001@strobe.example.org;tag=2229
    Content-Type: application/sdp
    Contact: <sip:1001@host28.example.org>
    Content-Length: {length}
    """,
    SDP,
)
NO_MORE_FORWARDS = wire(
    """
    OPTIONS sip:1001@strobe.example.org SIP/2.0
    To: sip:1001@strobe.example.org
    From: sip:caller@example.org;tag=3ghsd41
    Call-ID: forwards.1@192.0.2.77
    CSeq: 39234321 OPTIONS
    Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKforwards1
    Max-Forwards: 0
    Content-Length: 0
    """
)
CONTACT_PARAMETER = _register(
    "To: sip:caller@example.org", "Contact: sip:+12025550181@gateway.example.org;unheardof"
)
CONTACT_URI_PARAMETER = _register(
    "To: sip:caller@example.org", "Contact: <sip:+12025550181@gateway.example.org;unheardof>"
)
CONTACT_ESCAPED_HEADER = _register(
    "To: sip:caller@example.org",
    "Contact: <sip:caller@example.org?Route=%3Csip:proxy.example.org%3E>",
)
UNACCEPTABLE_ACCEPT = wire(
    """
    INVITE sip:1001@strobe.example.org SIP/2.0
    To: sip:1001@strobe.example.org
    Contact: <sip:caller@example.net>
    From: sip:caller@example.net;tag=234
    Max-Forwards: 5
    Call-ID: accept.1@192.0.2.77
    Accept: text/lamplight
    CSeq: 8 INVITE
    Via: SIP/2.0/UDP 192.0.2.32;branch=z9hG4bKaccept1
    Content-Length: {length}
    Content-Type: application/sdp
    """,
    SDP,
)
AS_IN_RFC_2543 = wire(
    """
    INVITE sip:1001@strobe.example.org SIP/2.0
    Via: SIP/2.0/UDP gateway.example.org
    From: <sip:+12025550111@gateway.example.org;user=phone>
    Record-Route: <sip:1001@strobe.example.org;maddr=proxy1.example.org>
    To: sip:+12025550182@proxy1.example.org;user=phone
    Call-ID: 1717@gateway.example.org
    CSeq: 56 INVITE
    Content-Type: application/sdp
    """,
    SDP,
)

SEMANTICS = [
    Case("badbranch", "3.2.1", NO_BRANCH_AFTER_COOKIE, 200, by_message=False),  # as RFC 2543
    Case("insuf", "3.3.1", REQUIRED_FIELDS_MISSING, 400, by_message=True),
    Case("unkscm", "3.3.2", UNKNOWN_SCHEME, 416, by_message=False),
    Case("novelsc", "3.3.3", ATYPICAL_SCHEME, 416, by_message=False),
    Case("unksm2", "3.3.4", UNKNOWN_SCHEMES_IN_FIELDS, 405, by_message=False),  # no registrar
    Case("bext01", "3.3.5", UNKNOWN_EXTENSIONS, 420, by_message=False),
    Case("invut", "3.3.6", UNKNOWN_BODY, 415, by_message=False),
    Case("regaut01", "3.3.7", UNKNOWN_AUTHORIZATION, 405, by_message=False),
    Case("multi01", "3.3.8", SEVERAL_OF_WHAT_IS_SINGLE, 400, by_message=True),
    Case("mcl01", "3.3.9", SEVERAL_LENGTHS, 400, by_message=True),
    Case("bcast", "3.3.10", BROADCAST_VIA, "ignore", by_message=False),
    Case("zeromf", "3.3.11", NO_MORE_FORWARDS, 200, by_message=False),  # 483 is for proxies
    Case("cparam01", "3.3.12", CONTACT_PARAMETER, 405, by_message=False),
    Case("cparam02", "3.3.13", CONTACT_URI_PARAMETER, 405, by_message=False),
    Case("regescrt", "3.3.14", CONTACT_ESCAPED_HEADER, 405, by_message=False),
    Case("sdp01", "3.3.15", UNACCEPTABLE_ACCEPT, 406, by_message=False),
    Case("inv2543", "3.4.1", AS_IN_RFC_2543, "accept", by_message=False),
]
