"""A network of its own for a test: a namespace of the kernel, made and removed by root only."""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from itertools import count

import pytest

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_serials = count(1)


@dataclass(frozen=True)
class Namespace:
    """A network namespace."""

    name: str

    def ip(self, arguments: str) -> None:
        """Carry out an `ip` command in it."""
        subprocess.run(["ip", "-n", self.name, *arguments.split()], check=True, timeout=10)

    @contextlib.contextmanager
    def inside(self) -> Generator[None]:
        """Sockets that this thread makes meanwhile belong to the namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        with (
            open("/proc/thread-self/ns/net", "rb") as outside,
            open(f"/run/netns/{self.name}", "rb") as namespace,
        ):
            if libc.setns(namespace.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")
            try:
                yield
            finally:
                libc.setns(outside.fileno(), _CLONE_NEWNET)


@contextlib.contextmanager
def namespace() -> Generator[Namespace]:
    """A namespace with loopback up; the test is skipped where none can be made."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    made = Namespace(f"sipstrobe-{os.getpid()}-{next(_serials)}")
    done = subprocess.run(["ip", "netns", "add", made.name], check=False, timeout=10)
    if done.returncode != 0:
        pytest.skip("this kernel makes no network namespaces")
    try:
        made.ip("link set lo up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.name], check=True, timeout=10)
