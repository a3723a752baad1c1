"""What many accounts cost in the SIP endpoint: python benchmarks/sip_registrations.py [ACCOUNTS]

Each account registers by REGISTER, 401, REGISTER, 200 (MD5, qop auth), and is refreshed by
REGISTER, 200 with the nonce that it knows. Without sockets, on a clock of its own; the time that
the registrar takes to answer does not count. Processor time.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from itertools import count

from sipstrobe.secret import Secret
from sipstrobe.sip.endpoint import Endpoint
from sipstrobe.sip.identity import Binding, Credential, Identity, Registered
from sipstrobe.sip.outputs import Send
from sipstrobe.sip.settings import SipSettings
from sipstrobe.sip.transport import Address, Flow, Transport

FLOW = Flow(Transport.UDP, Address("192.0.2.1", 5060), Address("192.0.2.9", 5060))
EXPIRES = 3600  # seconds
_COPIED = (b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:")
_CHALLENGE = (
    b'WWW-Authenticate: Digest realm="pbx.example", nonce="YWJjZGVmZ2hpamtsbW5vcA==", '
    b'algorithm=MD5, qop="auth"'
)


def randomness() -> Callable[[int], bytes]:
    serials = count(1)
    return lambda n: (next(serials) * 2654435761 % (1 << 8 * n)).to_bytes(n, "big")


def binding(n: int) -> Binding:
    credential = Credential(f"{1000 + n}", Secret(f"password-{n}"))
    identity = Identity(f"sip:{1000 + n}@pbx.example", f"Strobe {n}", (credential,))
    return Binding(identity, "sip:pbx.example", EXPIRES)


def answer(request: bytes) -> bytes:
    """401, or 200 to whoever brings credentials."""
    lines = request.split(b"\r\n")
    kept = [line for line in lines if line.startswith(_COPIED)]
    if b"\r\nAuthorization:" in request:
        contact = next(line for line in lines if line.startswith(b"Contact:"))
        head = [b"SIP/2.0 200 OK", *kept, contact]
    else:
        head = [b"SIP/2.0 401 Unauthorized", *kept, _CHALLENGE]
    return b"\r\n".join([*head, b"Content-Length: 0", b"", b""])


class Bench:
    """One endpoint with all accounts; counts its processor time and nobody else's."""

    def __init__(self, accounts: int) -> None:
        self.endpoint = Endpoint(SipSettings(), randomness())
        self.bindings = [binding(n) for n in range(accounts)]
        self.now = 0.0
        self.registered = 0
        self.sent = 0
        self.seconds = 0.0

    def register_all(self) -> None:
        for n, wanted in enumerate(self.bindings):
            start = time.process_time()
            self.endpoint.register(str(n), wanted, FLOW, now=self.now)
            self.seconds += time.process_time() - start
            self.serve()
            self.now += 0.001

    def run(self, seconds: float) -> None:
        """Let time pass: refreshments and keep-alives."""
        end = self.now + seconds
        while (deadline := self.endpoint.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            start = time.process_time()
            self.endpoint.wake(now=self.now)
            self.seconds += time.process_time() - start
            self.serve()
        self.now = end

    def serve(self) -> None:
        outbox = self.endpoint.outbox
        while outbox:
            output = outbox.popleft()
            if isinstance(output, Registered):
                self.registered += 1
            elif isinstance(output, Send):
                self.sent += 1
                if output.data.strip():
                    response = answer(output.data)
                    start = time.process_time()
                    self.endpoint.receive(response, FLOW, now=self.now)
                    self.seconds += time.process_time() - start


def main() -> None:
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    best = min((_first(accounts) for _ in range(3)), key=lambda bench: bench.seconds)
    each = best.seconds / accounts
    print(f"register   {each * 1e6:8.1f} µs an account {1 / each:8.0f} registrations/s")
    best.run(64.0)  # transactions come to their end
    best.seconds, best.registered, best.sent = 0.0, 0, 0
    best.run(EXPIRES)
    each = best.seconds / best.registered
    print(f"refresh    {each * 1e6:8.1f} µs an account {1 / each:8.0f} refreshments/s")
    share = best.seconds / EXPIRES
    print(
        f"an hour    {share:8.4%} of a processor for {accounts} accounts: "
        f"{best.registered} refreshments, {best.sent} packets"
    )
    print(f"memory     {_memory(accounts):8.0f} B an account")


def _first(accounts: int) -> Bench:
    bench = Bench(accounts)
    bench.register_all()
    assert bench.registered == accounts
    return bench


def _memory(accounts: int) -> float:
    """Bytes that an account takes once its transactions have ended, its settings not counted."""
    bench = Bench(accounts)
    gc.collect()
    tracemalloc.start()
    bench.register_all()
    bench.run(64.0)
    gc.collect()
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return used / accounts


if __name__ == "__main__":
    main()
