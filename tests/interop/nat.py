"""A public network, a private one, and a router that translates between them: three network
namespaces of the kernel, made for the stories and removed afterwards.

    public  203.0.113.10 ── 203.0.113.1  router  192.168.90.1 ── 192.168.90.90  private
"""

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Generator
from dataclasses import dataclass, field

import pytest

PUBLIC, ROUTER, PRIVATE = "203.0.113.10", "203.0.113.1", "192.168.90.90"
_INSIDE = "192.168.90.1"
_CLONE_NEWNET = 0x40000000  # linux/sched.h
_RULES = """
table ip nat {{
  chain out {{
    type nat hook postrouting priority srcnat
    oifname "wan" masquerade {flags}
  }}
  chain in {{
    type filter hook forward priority filter
    iifname "wan" ct state new drop
  }}
}}
"""


@dataclass
class Namespace:
    """One network. What is started and opened by this thread between enter and exit is in it, and
    stays in it: programs and sockets alike."""

    name: str
    _before: list[int] = field(default_factory=list[int])

    def __enter__(self) -> "Namespace":
        self._before.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        with open(f"/run/netns/{self.name}") as there:
            _set(there.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        before = self._before.pop()
        _set(before)
        os.close(before)

    def run(self, *command: str, said: str = "") -> str:
        return _run("ip", "netns", "exec", self.name, *command, said=said)


@dataclass(frozen=True)
class Nat:
    """The two sides, and the router between them."""

    public: Namespace
    private: Namespace
    router: Namespace

    def translate(self, *, symmetric: bool = False) -> None:
        """Begin anew. symmetric: another port for each destination, so that what one server sees
        says nothing about what others see (RFC 4787 §4.1: address and port-dependent)."""
        self.router.run("nft", "flush", "ruleset")
        rules = _RULES.format(flags="fully-random" if symmetric else "")
        self.router.run("nft", "-f", "-", said=rules)


@contextlib.contextmanager
def translating() -> Generator[Nat]:
    """Make the networks; skips where that is not allowed."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    names = [f"ss{os.getpid()}{kind}" for kind in ("pub", "prv", "rtr")]
    try:
        _run("ip", "netns", "add", names[0])
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error.stderr}")
    try:
        for name in names[1:]:
            _run("ip", "netns", "add", name)
        nat = Nat(*map(Namespace, names))
        _wire(nat)
        nat.translate()
        yield nat
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def _wire(nat: Nat) -> None:
    public, private, router = nat.public, nat.private, nat.router
    for side, link in ((public, "wan"), (private, "lan")):
        router.run(
            *("ip", "link", "add", link, "type", "veth"),
            *("peer", "name", "eth0", "netns", side.name),
        )
    for space, link, address in (
        (public, "eth0", f"{PUBLIC}/24"),
        (private, "eth0", f"{PRIVATE}/24"),
        (router, "wan", f"{ROUTER}/24"),
        (router, "lan", f"{_INSIDE}/24"),
    ):
        space.run("ip", "address", "add", address, "dev", link)
        space.run("ip", "link", "set", link, "up")
        space.run("ip", "link", "set", "lo", "up")
    private.run("ip", "route", "add", "default", "via", _INSIDE)
    public.run("ip", "route", "add", "default", "via", ROUTER)
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")


def _set(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _run(*command: str, said: str = "") -> str:
    done = subprocess.run(
        command, input=said, capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout
