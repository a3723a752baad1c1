"""How long a whole call takes in the SIP endpoint: python benchmarks/sip_endpoint.py [CALLS]

INVITE, 200, ACK, BYE, 200 without sockets, on a clock of its own: both sides, and the called side
alone with messages made beforehand, as a phone on the network would send them. Processor time.
"""

import gc
import sys
import time
import tracemalloc
from itertools import count

from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.identity import Identity
from sipstrobe.sip.outputs import IncomingCall, Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport

A, B = Address("192.0.2.1", 5060), Address("192.0.2.2", 5060)
AB, BA = Flow(Transport.UDP, A, B), Flow(Transport.UDP, B, A)
SDP = (
    b"v=0\r\no=user1 53655765 2353687637 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
    b"t=0 0\r\nm=audio 6000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
)
US = Identity("sip:a@192.0.2.1")
INTERVAL = 0.001  # seconds between calls: 1,000 calls/s

HEAD = (
    "{start}\r\n"
    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-{n}-{step}\r\n"
    "From: sipp <sip:sipp@192.0.2.1:5060>;tag=t{n}\r\n"
    "To: <sip:1001@192.0.2.2:5060>{tag}\r\n"
    "Call-ID: {n}-1234@192.0.2.1\r\n"
    "CSeq: {cseq}\r\n"
    "Contact: sip:sipp@192.0.2.1:5060\r\n"
    "Max-Forwards: 70\r\n"
    "Subject: Performance Test\r\n"
)
INVITE = HEAD + "Content-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n"
REQUEST = HEAD + "Content-Length: 0\r\n\r\n"
URI = "sip:1001@192.0.2.2:5060 SIP/2.0"


def randomness(first: int):
    serials = count(first)
    return lambda n: next(serials).to_bytes(n, "big")


def endpoint(first: int = 1) -> Endpoint:
    """first: of its random numbers; two that share them take each other for themselves."""
    return Endpoint(SipSettings(max_calls=2000), randomness(first))


def invite(n: int) -> bytes:
    head = INVITE.format(
        start=f"INVITE {URI}", n=n, step=1, tag="", cseq="1 INVITE", length=len(SDP)
    )
    return head.encode() + SDP


def follow(n: int, method: str, cseq: int, tag: str) -> bytes:
    return REQUEST.format(
        start=f"{method} {URI}", n=n, step=method, tag=f";tag={tag}", cseq=f"{cseq} {method}"
    ).encode()


def called_side(calls: int) -> tuple[float, Endpoint, float]:
    """Seconds for that many calls, the endpoint afterwards and its time."""
    ours, now, spent = endpoint(), 0.0, 0.0
    clock = time.thread_time
    for n in range(calls):
        first = invite(n)
        began = clock()
        ours.receive(first, BA, now=now)
        incoming = ours.outbox.popleft()
        assert isinstance(incoming, IncomingCall)
        ours.accept(incoming.call, SDP, now=now)
        answer = ours.outbox.popleft()
        spent += clock() - began
        assert isinstance(answer, Send)
        tag = answer.data.partition(b"\r\nTo: ")[2].partition(b";tag=")[2].partition(b"\r")[0]
        ack, bye = follow(n, "ACK", 1, tag.decode()), follow(n, "BYE", 2, tag.decode())
        began = clock()
        ours.receive(ack, BA, now=now)
        ours.receive(bye, BA, now=now)
        assert len(ours.outbox) == 3  # CallConfirmed, 200, CallEnded
        ours.outbox.clear()
        now += INTERVAL
        deadline = ours.deadline
        if deadline is not None and deadline <= now:
            ours.wake(now=now)
        spent += clock() - began
    return spent, ours, now


def both_sides(calls: int) -> float:
    """Seconds for that many calls between two endpoints."""
    a, b, now = endpoint(), endpoint(2**30), 0.0
    began = time.thread_time()
    for _ in range(calls):
        name = a.invite(AB, "sip:1001@192.0.2.2", SDP, identity=US, timeout=60, now=now)
        exchange(a, b, now)
        a.hang_up(name, now=now)
        exchange(a, b, now)
        assert not a.calls
        assert not b.calls
        now += INTERVAL
        for side in (a, b):
            deadline = side.deadline
            if deadline is not None and deadline <= now:
                side.wake(now=now)
    return time.thread_time() - began


def exchange(a: Endpoint, b: Endpoint, now: float) -> None:
    while a.outbox or b.outbox:
        for side, other, flow in ((a, b, BA), (b, a, AB)):
            while side.outbox:
                output = side.outbox.popleft()
                if isinstance(output, Send):
                    other.receive(output.data, flow, now=now)
                elif isinstance(output, IncomingCall):
                    side.accept(output.call, SDP, now=now)


def memory(calls: int) -> tuple[float, float]:
    """Bytes a finished call takes while its timers run, and after they have ended."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    _, ours, now = called_side(calls)
    gc.collect()
    during = tracemalloc.get_traced_memory()[0] - before
    while (deadline := ours.deadline) is not None:
        now = max(now, deadline)
        ours.wake(now=now)
    assert ours.idle
    gc.collect()
    after = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return during / calls, after / calls


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    called_side(200)
    best = min(called_side(calls)[0] for _ in range(3)) / calls
    print(f"called side   {best * 1e6:8.1f} µs a call {1 / best:8.0f} calls/s")
    best = min(both_sides(calls) for _ in range(3)) / calls
    print(f"both sides    {best * 1e6:8.1f} µs a call {1 / best:8.0f} calls/s")
    during, after = memory(min(calls, 5000))
    print(f"memory        {during:8.0f} B a finished call while timers run, {after:.0f} B after")


if __name__ == "__main__":
    main()
