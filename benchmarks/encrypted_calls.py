"""What encryption costs a call, beside baresip in the same run.

    python -m benchmarks.encrypted_calls [--calls 10] [--seconds 10] [--rounds 3]

G.711 both ways, plain and under SRTP with keys in the signalling. CPU of the process that is called
only; the callers are one process that costs both columns the same. Plain and encrypted take turns,
so that a machine that does something else as well spoils both.
"""

import argparse
import base64
import contextlib
import os
import re
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path

from benchmarks.calls import Table, cpu_seconds
from sipstrobe.codecs.g711 import UlawEncoder
from sipstrobe.rtp import packet
from sipstrobe.rtp.srtp import Keys, Outbound
from sipstrobe.secret import Secret
from tests.interop.baresip import baresip
from tests.interop.caller import OFFER, Dialogue, Wire
from tests.interop.device import TRUSTING, device
from tests.interop.tones import write_tone
from tests.support.ports import free_port

SUITE = "AES_CM_128_HMAC_SHA1_80"  # the one that both know and most use
KEY = base64.b64encode(bytes(range(30))).decode()
SAVP = OFFER.replace("RTP/AVP", "RTP/SAVP") + f"a=crypto:1 {SUITE} inline:{KEY}\r\n"
PTIME, UNITS = 0.020, 160


class Callers:
    """So many calls to one port, which all speak until they are ended."""

    def __init__(self, port: int, user: str, calls: int, *, encrypted: bool) -> None:
        self._over = threading.Event()
        self._talks: list[tuple[Wire, Dialogue]] = []
        self._sockets: list[tuple[socket.socket, tuple[str, int]]] = []
        self._out = [Outbound(Keys(SUITE, Secret(KEY))) for _ in range(calls)] if encrypted else []
        for _ in range(calls):
            self._call(port, user, SAVP if encrypted else OFFER)
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def _call(self, port: int, user: str, offered: str) -> None:
        media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        media.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # it listens to nothing
        media.bind(("127.0.0.1", 0))
        wire = Wire(port)
        own = int(media.getsockname()[1])
        talk = Dialogue(port, wire.own, extension=user, media=own, offered=offered)
        wire.send(talk.invite())
        answer = wire.final()
        assert talk.take(answer) == 200, answer
        wire.send(talk.ack())
        found = re.search(rb"^m=audio (\d+) ", answer, re.MULTILINE)
        assert found is not None
        self._talks.append((wire, talk))
        self._sockets.append((media, ("127.0.0.1", int(found[1]))))

    def _speak(self) -> None:
        payload = UlawEncoder().silence(UNITS)
        began, number = time.monotonic(), 0
        while not self._over.wait(max(0.0, began + number * PTIME - time.monotonic())):
            for n, (media, to) in enumerate(self._sockets):
                data = packet.build(0, False, number & 0xFFFF, number * UNITS, 1000 + n, payload)
                media.sendto((self._out[n].protect(data) or b"") if self._out else data, to)
            number += 1

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        for (wire, talk), (media, _) in zip(self._talks, self._sockets, strict=True):
            wire.send(talk.bye())
            wire.final()
            media.close()


def cpu_of(port: int, user: str, pid: int, calls: int, seconds: float, *, encrypted: bool) -> float:
    """CPU seconds of a minute of one of these calls."""
    callers = Callers(port, user, calls, encrypted=encrypted)
    time.sleep(1.0)
    before = cpu_seconds(pid)
    time.sleep(seconds)
    used = cpu_seconds(pid) - before
    callers.end()
    return used / calls * 60 / seconds


@contextlib.contextmanager
def peers(folder: Path) -> Generator[list[tuple[str, int, str, int]]]:
    """Name, SIP port, user and process of two who encrypt where the caller does."""
    tone = write_tone(folder / "tone.wav", [1000.0])
    account = ['transport="tls"', 'media_encryption="best_effort"']
    settings = [f"/sip/tls_port={free_port()}", *(f"/sip/accounts/0/{one}" for one in account)]
    given = [word for one in settings for word in ("--set", one)]
    with (
        device(folder / "device", *TRUSTING, *given, sound="null") as ours,
        baresip(
            folder / "baresip",
            source=tone,
            max_calls=0,
            account=";mediaenc=srtp",
            modules=("srtp",),
        ) as theirs,
    ):
        yield [
            ("sipstrobe", ours.port, "1099", ours.process.pid),
            ("baresip", theirs.port, "tester", theirs.process.pid),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as name, peers(Path(name)) as both:
        table = Table([])
        table.add("", *(name for name, *_ in both))
        found: dict[tuple[bool, str], list[float]] = {}
        for _ in range(chosen.rounds):
            for encrypted in (False, True):
                for who, port, user, pid in both:
                    cost = cpu_of(
                        port, user, pid, chosen.calls, chosen.seconds, encrypted=encrypted
                    )
                    found.setdefault((encrypted, who), []).append(cost)
        for encrypted, words in ((False, "plain"), (True, SUITE)):
            table.add(
                f"CPU s a call-minute, each of {chosen.calls}, {words}",
                *(f"{statistics.median(found[encrypted, who]):.2f}" for who, *_ in both),
            )


if __name__ == "__main__":
    main()
