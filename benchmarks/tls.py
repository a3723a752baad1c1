"""What TLS costs, beside baresip in the same run: `python -m benchmarks.tls [HANDSHAKES]`.

One client on the loopback, which is OpenSSL's own through Python's `ssl`: handshakes one after the
other (P-256 certificates on both sides, nothing resumed), from ever new addresses, since those of
one address are paced; and calls over a connection that stands.
The CPU is that of the server alone; the machine decides the milliseconds, the ratios are ours.
"""

import argparse
import json
import socket
import ssl
import statistics
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calls import cpu_seconds, quantiles
from tests.interop.baresip import baresip
from tests.interop.caller import Dialogue, Line
from tests.interop.device import TRUSTING, device
from tests.interop.tones import write_tone
from tests.support.authority import Authority
from tests.support.ports import free_port

WARM = 20  # handshakes and calls that are not counted
CALLS = 300


@dataclass
class Server:
    """Who is measured."""

    name: str
    port: int
    pid: int
    user: str
    context: ssl.SSLContext
    connected: int = 8  # times; 127.1.0.0 would be a strange address

    def connect(self, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLSocket:
        self.context.minimum_version = self.context.maximum_version = version
        address = f"127.1.{self.connected // 2048 % 256}.{self.connected // 8 % 256}"
        self.connected += 1
        line = socket.create_connection(("127.0.0.1", self.port), 5, (address, 0))
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(line, server_hostname="127.0.0.1")


class Secured(Line):
    """A caller's connection over TLS."""

    def __init__(self, server: Server) -> None:
        self._socket = server.connect()
        self._unread = b""


@contextmanager
def servers(folder: Path) -> Generator[tuple[Server, Server]]:
    """The device and baresip, each with a certificate of the same authority."""
    authority, port = Authority(), free_port()
    _, _, own = authority.sign("127.0.0.1").write(folder)
    context = ssl.create_default_context(cadata=authority.certificate)
    shown = own.read_text()
    tls = json.dumps({"certificate": shown, "private_key": shown})
    settings = ("--set", f"/sip/tls_port={port}", "--set", f"/sip/tls={tls}")
    silence = write_tone(folder / "silence.wav", [])
    config = (f"sip_certificate {own}",)
    with (
        device(folder / "device", *settings, *TRUSTING, sound="null") as ours,
        baresip(
            folder / "baresip", source=silence, transport="tls", config=config, max_calls=0
        ) as theirs,
    ):
        yield (
            Server("sipstrobe", port, ours.process.pid, "1099", context),
            Server("baresip", theirs.port + 1, theirs.process.pid, "tester", context),
        )


def handshakes(server: Server, version: ssl.TLSVersion, count: int) -> list[str]:
    """One after the other: a second, milliseconds each, and CPU of the server each."""
    for _ in range(WARM):
        server.connect(version).close()
    seconds: list[float] = []
    used, began = cpu_seconds(server.pid), time.perf_counter()
    for _ in range(count):
        start = time.perf_counter()
        server.connect(version).close()
        seconds.append(time.perf_counter() - start)
    whole = time.perf_counter() - began
    each = (cpu_seconds(server.pid) - used) / count
    return [
        f"{count / whole:.0f}",
        f"{1000 * statistics.median(seconds):.2f}",
        f"{1000 * each:.2f}",
    ]


def calls(server: Server) -> list[str]:
    """INVITE to 200 over one connection."""
    line = Secured(server)
    seconds = [_call(server, line) for _ in range(WARM + CALLS)][WARM:]
    line.close()
    return [quantiles(seconds)]


def _call(server: Server, line: Secured) -> float:
    dialogue = Dialogue(server.port, line.own, extension=server.user, transport="TLS")
    began = time.perf_counter()
    line.send(dialogue.invite())
    status = dialogue.take(line.final())
    took = time.perf_counter() - began
    assert status == 200, status
    line.send(dialogue.ack() + dialogue.bye())
    assert dialogue.take(line.final()) == 200
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("handshakes", nargs="?", type=int, default=500)
    count: int = parser.parse_args().handshakes
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as both:
        print(f"{'':<44}" + "".join(f"{server.name:>20}" for server in both))
        for words, version in (("1.3", ssl.TLSVersion.TLSv1_3), ("1.2", ssl.TLSVersion.TLSv1_2)):
            names = ("handshakes a second", "a handshake, ms", "CPU of a handshake, ms")
            columns = [handshakes(server, version, count) for server in both]
            _show([f"TLS {words}: {name}" for name in names], columns)
        _show(["INVITE to 200 over TLS, ms (p50 / p99)"], [calls(server) for server in both])


def _show(names: list[str], columns: list[list[str]]) -> None:
    for n, words in enumerate(names):
        print(f"{words:<44}" + "".join(f"{column[n]:>20}" for column in columns), flush=True)


if __name__ == "__main__":
    main()
