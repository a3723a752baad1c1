"""A public network, a private one, and a router that translates between them: three network
namespaces of the kernel, made for the stories and removed afterwards.

    public  203.0.113.10 ── 203.0.113.1  router  192.168.90.1 ── 192.168.90.90  private
"""

import contextlib
import re
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from tests.interop.device import ROOT
from tests.support.authority import Signed
from tests.support.netns import Namespace, namespace

PUBLIC, ROUTER, PRIVATE = "203.0.113.10", "203.0.113.1", "192.168.90.90"
TURN_USER, TURN_PASSWORD, TURN_REALM = "turn", "turnpass", "relay.example"
START_LIMIT = 60.0  # seconds
_INSIDE = "192.168.90.1"
_RULES = """
table ip nat {{
  chain out {{
    type nat hook postrouting priority srcnat
    oifname "wan" masquerade {flags}
  }}
  chain through {{
    type filter hook forward priority filter
    iifname "wan" ct state new ct status & dnat != dnat drop
  }}
  chain in {{
    type filter hook input priority filter
    iifname "wan" ct state new drop
  }}
}}
"""


@dataclass(frozen=True)
class Nat:
    """The two sides, and the router between them."""

    public: Namespace
    private: Namespace
    router: Namespace

    def translate(self, *, symmetric: bool = False) -> None:
        """Begin anew. symmetric: another port for each destination, so that what one server sees
        says nothing about what others see (RFC 4787 §4.1: address and port-dependent)."""
        rules = "add table ip nat\ndelete table ip nat\n" + _RULES.format(
            flags="fully-random" if symmetric else ""
        )
        with self.router.inside():
            subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True, timeout=10)


@contextlib.contextmanager
def translating() -> Generator[Nat]:
    """Make the networks; the test is skipped where that is not allowed."""
    with namespace() as public, namespace() as private, namespace() as router:
        nat = Nat(public, private, router)
        for side, link in ((public, "wan"), (private, "lan")):
            router.ip(f"link add {link} type veth peer name eth0 netns {side.name}")
        for space, link, address in (
            (public, "eth0", PUBLIC),
            (private, "eth0", PRIVATE),
            (router, "wan", ROUTER),
            (router, "lan", _INSIDE),
        ):
            space.ip(f"address add {address}/24 dev {link}")
            space.ip(f"link set {link} up")
        private.ip(f"route add default via {_INSIDE}")
        public.ip(f"route add default via {ROUTER}")
        public.ip("route add unreachable 192.168.0.0/16")  # RFC 1918 §3
        with router.inside():
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        nat.translate()
        yield nat


@contextlib.contextmanager
def coturn(folder: Path, signed: Signed) -> Generator[None]:
    """A STUN and TURN server on the public side, for TURN_USER with TURN_PASSWORD; over TLS it
    shows this certificate."""
    _, _, both = signed.write(folder)
    lines = [
        *(f"listening-ip={PUBLIC}", f"relay-ip={PUBLIC}", f"realm={TURN_REALM}"),
        *("listening-port=3478", "tls-listening-port=5349", "min-port=49000", "max-port=49200"),
        *("fingerprint", "lt-cred-mech", f"user={TURN_USER}:{TURN_PASSWORD}"),
        *("no-cli", "no-multicast-peers", "log-file=stdout", "simple-log"),
        *(f"cert={both}", f"pkey={both}", f"pidfile={folder}/pid", f"userdb={folder}/db"),
    ]
    (folder / "conf").write_text("\n".join(lines) + "\n")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["turnserver", "-c", str(folder / "conf")], stdout=log, stderr=log, cwd=folder
        )
    try:
        _await_listening(process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def igd(nat: Nat) -> Generator[None]:
    """The router lets others in when it is asked by UPnP."""
    command = [sys.executable, "-m", "tests.interop.igd", _INSIDE, ROUTER]
    with nat.router.inside():
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
        with nat.router.inside():
            subprocess.run(["nft", "delete table ip igd"], check=True, timeout=10)


def opened(nat: Nat) -> list[int]:
    """The ports at which the router lets others in."""
    with nat.router.inside():
        done = subprocess.run(
            ["nft", "list ruleset"], capture_output=True, text=True, check=True, timeout=10
        )
    return sorted(int(port) for port in re.findall(r"dport (\d+) dnat", done.stdout))


def _await_listening(process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        assert process.poll() is None, "turnserver has ended"
        with contextlib.suppress(OSError), socket.create_connection((PUBLIC, 3478), 1):
            return
        time.sleep(0.02)
    raise AssertionError("turnserver does not listen")
