"""The torture messages of RFC 4475 and RFC 5118, rebuilt, for every layer that has to bear them."""

from tests.sip.torture_case import SDP, Case, Outcome, wire
from tests.sip.torture_invalid import INVALID
from tests.sip.torture_ipv6 import IPV6
from tests.sip.torture_semantics import SEMANTICS
from tests.sip.torture_valid import VALID

__all__ = ["CALL", "CASES", "RFC4475", "RFC5118", "Case", "Outcome"]

RFC4475: list[Case] = [*VALID, *INVALID, *SEMANTICS]
RFC5118: list[Case] = IPV6
CASES: list[Case] = [*RFC4475, *RFC5118]

CALL = wire(  # and a call as phones make it, for contrast
    """
    INVITE sip:1001@192.0.2.1:5060;transport=udp SIP/2.0
    Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK77ef4c2312983.1;rport
    Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKnashds8;received=192.0.2.9;rport=5070
    Record-Route: <sip:192.0.2.20;lr;ftag=1928301774>
    Max-Forwards: 69
    From: "Quinn \\"Q\\" Doe" <sip:quinn@example.org>;tag=1928301774
    To: <sip:1001@192.0.2.1>
    Call-ID: a84b4c76e66710a84b4c76e66710@192.0.2.9
    CSeq: 314159 INVITE
    Contact: <sip:quinn@192.0.2.9:5070;ob>;+sip.instance="<urn:uuid:0-1-2>";methods="INVITE,BYE"
    User-Agent: Example Phone 2.4.1 (build 77)
    Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, NOTIFY, REFER, MESSAGE
    Supported: replaces, 100rel, timer, norefersub, outbound, path, gruu
    Require: 100rel
    Session-Expires: 1800;refresher=uac
    Min-SE: 90
    RSeq: 17
    RAck: 17 314159 INVITE
    Retry-After: 18 (in a moment);duration=60
    Expires: 120
    Authorization: Digest username="quinn", realm="a, b", nonce="x", qop=auth, nc=00000001
    Accept: application/sdp;level=1, text/*, */*
    Content-Type: application/sdp
    Content-Length: {length}
    """,
    SDP,
)
