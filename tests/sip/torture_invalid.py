"""RFC 4475 §3.1.2: against the grammar. Where the RFC leaves a choice, ours is said."""

from tests.sip.torture_case import SDP, Case, wire


def _request(start: str, changed: str = "", body: bytes = SDP) -> bytes:
    """An INVITE or OPTIONS with nothing wrong but start line and the changed fields."""
    method = start.split()[0]
    fields = {
        "To": "sip:1001@strobe.example.org",
        "From": "sip:caller@example.org;tag=invalid1",
        "Call-ID": "invalid.1@192.0.2.77",
        "CSeq": f"9 {method}",
        "Via": "SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKinvalid1",
        "Max-Forwards": "70",
        "Contact": "<sip:caller@192.0.2.77>",
        "Content-Type": "application/sdp",
        "Content-Length": str(len(body)),
    }
    for line in changed.strip().splitlines():
        name, _, value = line.strip().partition(": ")
        fields[name] = value
    head = "\n".join([start, *(f"{name}: {value}" for name, value in fields.items())])
    return wire(head, body)


_INVITE = "INVITE sip:1001@strobe.example.org SIP/2.0"
_OPTIONS = "OPTIONS sip:1001@strobe.example.org SIP/2.0"

EXTRA_SEPARATORS = _request(
    _INVITE,
    """
    Contact: "Quinn" <sip:quinn@example.org>;;;;
    Via: SIP/2.0/UDP 192.0.2.77;;,;,,
    """,
)
LENGTH_TOO_LARGE = _request(_INVITE, "Content-Length: 9999")
LENGTH_NEGATIVE = _request(_INVITE, "Content-Length: -999")
SCALARS_TOO_LARGE = _request(
    "REGISTER sip:example.org SIP/2.0",
    f"""
    CSeq: 36893488147419103232 REGISTER
    Max-Forwards: 300
    Expires: 1{"0" * 100}
    Contact: <sip:caller@host129.example.org>;expires=280297596632815
    """,
    b"",
)
RESPONSE_SCALARS_TOO_LARGE = wire(
    """
    SIP/2.0 503 Service Unavailable
    Via: SIP/2.0/UDP 192.0.2.129;branch=z9hG4bKscalars2
    From: <sip:caller@example.org>;tag=2fb0dcc9
    To: <sip:1001@strobe.example.org>;tag=1a2b
    Call-ID: scalars.2@192.0.2.77
    CSeq: 9223372036854775808 INVITE
    Retry-After: 949302838503028349304023988
    Warning: 1812 strobe "In progress"
    Content-Length: 0
    """
)
QUOTE_UNTERMINATED = _request(_INVITE, 'To: "Mr. J. Doe <sip:j.doe@example.org>')
BRACKETS_AROUND_URI = _request("INVITE <sip:1001@strobe.example.org> SIP/2.0")
SPACE_IN_URI = _request("INVITE sip:1001@strobe.example.org; lr SIP/2.0")
SPACES_IN_START_LINE = _request("INVITE  sip:1001@strobe.example.org  SIP/2.0")
SPACES_AFTER_START_LINE = _request("OPTIONS sip:1001@strobe.example.org SIP/2.0  ", body=b"")
HEADERS_IN_URI = _request("INVITE sip:1001@strobe.example.org?Route=%3Csip:example.org%3E SIP/2.0")
ZONE_OF_DATE = _request(_INVITE, "Date: Fri, 04 Jan 2030 16:00:00 CET")
CONTACT_WITHOUT_BRACKETS = _request(
    "REGISTER sip:example.org SIP/2.0",
    "Contact: sip:caller@example.org?Route=%3Csip:proxy.example.org%3E",
    b"",
)
SPACES_IN_ADDR_SPEC = _request(
    _OPTIONS, 'To: "Lamp, Signal" < sip:s.lamp@strobe.example.org >', b""
)
NAME_WITHOUT_QUOTES = _request(
    _OPTIONS,
    """
    From: Doe, Jane <sip:j.doe@example.org>;tag=43
    To: Lamp, Signal <sip:s.lamp@strobe.example.org>
    """,
    b"",
)
VERSION_7 = _request(
    "OPTIONS sip:1001@strobe.example.org SIP/7.0", "Via: SIP/7.0/UDP c.example", b""
)
CSEQ_OF_ANOTHER_METHOD = _request(_OPTIONS, "CSeq: 8 INVITE", b"")
CSEQ_OF_AN_UNKNOWN_METHOD = _request(
    "BLINK sip:1001@strobe.example.org SIP/2.0", "CSeq: 8 INVITE", b""
)
STATUS_TOO_LARGE = wire(
    """
    SIP/2.0 4294967301 better not break the receiver
    Via: SIP/2.0/UDP 192.0.2.105;branch=z9hG4bKstatus1
    Call-ID: status.1@192.0.2.77
    CSeq: 353494 INVITE
    From: <sip:caller@example.org>;tag=39294
    To: <sip:1001@strobe.example.org>;tag=902332
    Content-Length: 0
    """
)

INVALID = [
    Case("badinv01", "3.1.2.1", EXTRA_SEPARATORS, 400, by_message=True),
    Case("clerr", "3.1.2.2", LENGTH_TOO_LARGE, 400, by_message=True),
    Case("ncl", "3.1.2.3", LENGTH_NEGATIVE, 400, by_message=True),
    Case("scalar02", "3.1.2.4", SCALARS_TOO_LARGE, 400, by_message=True),
    Case("scalarlg", "3.1.2.5", RESPONSE_SCALARS_TOO_LARGE, "ignore", by_message=True),
    Case("quotbal", "3.1.2.6", QUOTE_UNTERMINATED, 400, by_message=True),
    Case("ltgtruri", "3.1.2.7", BRACKETS_AROUND_URI, 400, by_message=True),
    Case("lwsruri", "3.1.2.8", SPACE_IN_URI, 400, by_message=True),
    Case("lwsstart", "3.1.2.9", SPACES_IN_START_LINE, 400, by_message=True),  # or be liberal
    Case("trws", "3.1.2.10", SPACES_AFTER_START_LINE, 400, by_message=True),  # or be liberal
    Case("escruri", "3.1.2.11", HEADERS_IN_URI, 400, by_message=True),  # or ignore them
    Case("baddate", "3.1.2.12", ZONE_OF_DATE, "accept", by_message=False),  # Date is of no use here
    Case("regbadct", "3.1.2.13", CONTACT_WITHOUT_BRACKETS, 400, by_message=True),
    Case("badaspec", "3.1.2.14", SPACES_IN_ADDR_SPEC, 200, by_message=False),  # or 400
    Case("baddn", "3.1.2.15", NAME_WITHOUT_QUOTES, 200, by_message=False),  # or 400
    Case("badvers", "3.1.2.16", VERSION_7, 505, by_message=True),
    Case("mismatch01", "3.1.2.17", CSEQ_OF_ANOTHER_METHOD, 400, by_message=True),
    Case("mismatch02", "3.1.2.18", CSEQ_OF_AN_UNKNOWN_METHOD, 400, by_message=True),  # or 501
    Case("bigcode", "3.1.2.19", STATUS_TOO_LARGE, "ignore", by_message=True),
]
