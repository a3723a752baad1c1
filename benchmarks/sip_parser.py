"""How many SIP messages a second one core reads and answers: ``python -m benchmarks.sip_parser``.

Every message is another one (branch, tag, Call-ID and CSeq differ), as in real traffic; what the
peers have in common (addresses, Allow, Supported) repeats, as in real traffic too. The last line
makes them all differ.
"""

import gc
from collections.abc import Callable
from time import thread_time

from sipstrobe.sip.framing import Framer
from sipstrobe.sip.message import Request, parse, received_from, respond, validate

MESSAGES = 2000
ROUNDS = 7

_SDP = (
    "v=0\r\no=- 3987 3987 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 8 9 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    "a=ptime:20\r\na=sendrecv\r\na=rtcp:40001 IN IP4 192.0.2.9\r\n"
    "a=rtcp-fb:* trr-int 5\r\na=candidate:1 1 UDP 2130706431 192.0.2.9 40000 typ host\r\n"
    "a=candidate:1 2 UDP 2130706430 192.0.2.9 40001 typ host\r\na=ssrc:3987 cname:alice\r\n"
)
_CAPABILITIES = (
    ("Contact", "<sip:192.0.2.1:5060>"),
    ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO"),
    ("Supported", "100rel, timer"),
)


def invite(n: int, user: str = "alice") -> bytes:
    """An INVITE of 1.4 kB through one proxy."""
    head = (
        "INVITE sip:1001@192.0.2.1:5060;transport=udp SIP/2.0",
        f"Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK77ef4c23{n:08}.1;rport",
        f"Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bKnas{n:08};received=192.0.2.9;rport=5070",
        "Record-Route: <sip:192.0.2.20;lr>",
        "Max-Forwards: 69",
        f'From: "Alice Adams" <sip:{user}@atlanta.example.com>;tag=1928{n:08}',
        "To: <sip:1001@192.0.2.1>",
        f"Call-ID: a84b4c76e66710{n:08}@pc33.atlanta.example.com",
        f"CSeq: {1000 + n} INVITE",
        f"Contact: <sip:{user}@192.0.2.9:5070;transport=udp;ob>"
        ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"',
        "User-Agent: Example Phone 2.4.1 (build 77)",
        "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, NOTIFY, REFER, MESSAGE",
        "Supported: replaces, 100rel, timer, norefersub, outbound, path, gruu",
        "Session-Expires: 1800",
        "Min-SE: 90",
        "Accept: application/sdp",
        "Content-Type: application/sdp",
        f"Content-Length: {len(_SDP):>5}",
    )
    return "\r\n".join((*head, "", _SDP)).encode()


def read(data: bytes) -> Request:
    """What a user agent asks of an INVITE before a phone rings."""
    request = parse(data)
    assert isinstance(request, Request)
    validate(request)
    _ = request.via, request.from_, request.to, request.call_id, request.cseq, request.max_forwards
    _ = request.contacts, request.content_type, request.record_routes, request.session_expires
    _ = request.tokens("Require"), request.tokens("Supported")
    return request


def answer(request: Request) -> bytes:
    response = respond(
        request,
        200,
        to_tag="4fde21",
        headers=_CAPABILITIES,
        body=_SDP.encode(),
        content_type="application/sdp",
    )
    return bytes(response)


def _frame(data: bytes) -> None:
    framer = Framer()
    framer.feed(data)
    framer.outbox.clear()


def measure(words: str, step: Callable[..., object], arguments: list[object]) -> None:
    best = float("inf")
    for _ in range(ROUNDS):
        gc.collect()
        start = thread_time()
        for argument in arguments:
            step(argument)
        best = min(best, (thread_time() - start) / len(arguments))
    print(f"{words:<52} {best * 1e6:7.1f} µs {1 / best:10,.0f} /s")


def main() -> None:
    alike = [invite(n) for n in range(MESSAGES)]
    different = [invite(n, f"user{n}") for n in range(MESSAGES)]
    requests = [read(data) for data in alike]
    print(f"INVITE of {len(alike[0])} bytes, {ROUNDS} rounds of {MESSAGES}, the best round")
    measure("parse", parse, [*alike])
    measure("parse, validate and 12 typed headers", read, [*alike])
    measure("the same, every caller a new one", read, [*different])
    measure(
        "source into Via (rport, received)", lambda r: received_from(r, "192.0.2.7", 9), [*requests]
    )
    measure("respond 100 and serialise", lambda r: bytes(respond(r, 100)), [*requests])
    measure("respond 200 with SDP and serialise", answer, [*requests])
    measure("cut out of a TCP stream", _frame, [*alike])


if __name__ == "__main__":
    main()
