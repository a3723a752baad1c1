"""A flood, as a process of its own: `python -m tests.support.hostile --help`.

Everything is made before; then it is only sent, at a steady pace. One source sends a third of it,
the rest comes from addresses of 127.66.0.0/16, as if they were forged.
"""

import argparse
import contextlib
import random
import socket
import sys
import time
from collections.abc import Callable, Generator
from itertools import count

from tests.support.mutate import Mutator

SOURCES = 250  # that send the two thirds
MADE = 4000  # packets, sent over and over
STEP = 0.002  # seconds from one handful to the next
OFFER = (
    "v=0\r\no=x 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 9 RTP/AVP 0\r\n"
)

_serials = count(1)


def request(method: str, port: int, user: str, *, tag: str = "", body: str = "") -> bytes:
    """A request that is well made, of a call of its own."""
    serial = next(_serials)
    fields = "Content-Type: application/sdp\r\n" if body else ""
    to = f";tag={tag}" if tag else ""
    return (
        f"{method} sip:{user}@127.0.0.1:{port} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.66.1.1:5060;branch=z9hG4bKhostile{serial};rport\r\n"
        f"From: <sip:{user}@127.0.0.1>;tag=h{serial}\r\nTo: <sip:{user}@127.0.0.1>{to}\r\n"
        f"Call-ID: hostile{serial}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:x@127.66.1.1:5060>\r\nUser-Agent: friendly-scanner\r\n"
        f"{fields}Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def packets(port: int, seed: int) -> list[bytes]:
    """What scanners, floods and broken machines send to a SIP port, in equal parts."""
    chance = random.Random(seed)
    spoilt = iter(Mutator([request("INVITE", port, "1001", body=OFFER)], seed))
    kinds: tuple[Callable[[], bytes], ...] = (
        lambda: chance.randbytes(chance.randrange(1, 1200)),
        lambda: next(spoilt),
        lambda: request("INVITE", port, "1001", body=OFFER),
        lambda: request("REGISTER", port, str(chance.randrange(100, 10_000))),
        lambda: request("OPTIONS", port, "100"),
        lambda: request("ACK", port, "1001", tag="nobody"),
        lambda: request("BYE", port, "1001", tag="nobody"),
    )
    return [kinds[n % len(kinds)]() for n in range(MADE)]


def media(seed: int) -> list[bytes]:
    """What may come to a port for media: noise, and RTP of somebody else."""
    chance = random.Random(seed)
    return [
        chance.randbytes(chance.randrange(1, 300))
        if n % 2
        else b"\x80\0" + chance.randbytes(10) + b"\x10" * 160
        for n in range(500)
    ]


@contextlib.contextmanager
def sources() -> Generator[list[socket.socket]]:
    """Sockets to send from: as often the one as any of the others."""
    hosts = [f"127.66.{n >> 8}.{n & 255 | 1}" for n in range(1, 2 * SOURCES, 2)]
    with contextlib.ExitStack() as stack:

        def bound(host: str) -> socket.socket:
            made = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)  # nobody reads answers
            made.bind((host, 0))
            made.setblocking(False)
            return made

        one = bound("127.66.255.1")
        others = [bound(host) for host in hosts]
        yield [one if n % 3 == 0 else others[n % SOURCES] for n in range(3 * SOURCES)]


def send(port: int, rate: int, seconds: float, media_ports: list[int], seed: int) -> int:
    """Send for so long at so many packets a second; how many that were."""
    made = packets(port, seed)
    for n, data in enumerate(media(seed)):
        made[n * 8] = data  # an eighth
    to = [("127.0.0.1", port)] * len(made)
    for n in range(500):
        if media_ports:
            to[n * 8] = ("127.0.0.1", media_ports[n % len(media_ports)])
    sent = 0
    with sources() as wires:
        began = time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            while sent < passed * rate:
                with contextlib.suppress(OSError):  # ICMP, or a full buffer
                    wires[sent % len(wires)].sendto(made[sent % MADE], to[sent % MADE])
                sent += 1
            time.sleep(STEP)
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, help="of SIP on 127.0.0.1")
    parser.add_argument("--rate", type=int, default=10_000, help="packets a second")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument(
        "--media", type=int, nargs="*", default=[], help="ports that have an eighth"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.stdout.write(f"{send(given.port, given.rate, given.seconds, given.media, given.seed)}\n")


if __name__ == "__main__":
    main()
