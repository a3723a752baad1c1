"""Two SIP endpoints call each other without a network, a socket or a clock.

What one leaves in its outbox is handed to the other, and printed on the way.
"""

import os

from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.identity import Identity
from sipstrobe.sip.outputs import IncomingCall, Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport

ALICE, BOB = Address("192.0.2.1", 5060), Address("192.0.2.2", 5060)
SDP = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0\r\n"
)


def deliver(sender: Endpoint, receiver: Endpoint, at: Address, by: Address, now: float) -> bool:
    """Hand over what waits in an outbox; False when nothing did."""
    moved = False
    while sender.outbox:
        moved = True
        output = sender.outbox.popleft()
        if isinstance(output, Send):
            first_line = output.data.splitlines()[0].decode()
            print(f"{now:5.2f} s  {by.host} → {at.host}  {first_line}")
            receiver.receive(output.data, Flow(Transport.UDP, at, by), now=now)
        elif isinstance(output, IncomingCall):
            print(f"{now:5.2f} s  {by.host} is called by {output.request.from_.uri}")
            sender.accept(output.call, SDP, now=now)
        else:
            print(f"{now:5.2f} s  {by.host} is told {type(output).__name__}")
    return moved


def main() -> None:
    alice, bob = (Endpoint(SipSettings(enabled=True), os.urandom) for _ in range(2))
    flow = Flow(Transport.UDP, ALICE, BOB)
    call = alice.invite(
        flow, f"sip:1001@{BOB}", SDP, identity=Identity(f"sip:alice@{ALICE}"), timeout=30, now=0
    )
    now = 0.0
    for step in range(20):
        if step == 10:
            now = 5.0
            alice.hang_up(call, now=now)
        if not deliver(alice, bob, BOB, ALICE, now) and not deliver(bob, alice, ALICE, BOB, now):
            now += 0.01


if __name__ == "__main__":
    main()
