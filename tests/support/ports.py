"""Ports for those who listen: no two processes of tests choose the same one, and no client of
anybody gets one of them from the kernel."""

import contextlib
import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import cycle, islice
from pathlib import Path

# Above 10080, the last that browsers refuse, and below what clients are given:
# net.ipv4.ip_local_port_range.
FIRST, LAST = 10100, 29000
SHARE = 500  # ports of one process


def free_port(room: int = 1) -> int:
    """A port that is free for UDP and TCP, on IPv4 and IPv6, with as many more behind it as there
    are to be room for; even where these are pairs for media."""
    ports = _ports()
    for first in islice(ports, 2 * SHARE):
        wanted = range(first, first + room)
        if (room == 1 or first % 2 == 0) and all(map(_is_free, wanted)):
            for _ in range(room - 1):
                next(ports)
            return first
    raise AssertionError("all ports of this process are taken")


@cache
def _ports() -> Iterator[int]:
    """Those of a share that no other process holds, again and again."""
    for first in range(FIRST, LAST, SHARE):
        path = Path(tempfile.gettempdir()) / f"sipstrobe-tests-ports-{first}"
        with contextlib.suppress(OSError):
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process ends
            except BlockingIOError:
                os.close(lock)
            else:
                return cycle(range(first, first + SHARE))
    raise AssertionError("too many processes test here at the same time")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET6, kind) as probe:
            try:
                probe.bind(("::", port))
            except OSError:
                return False
    return True
