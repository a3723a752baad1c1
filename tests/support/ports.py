"""Ports for those who listen: no two processes of tests choose the same one, and no client of
anybody gets one of them from the kernel."""

import socket
from collections.abc import Iterator
from itertools import cycle, islice

# Above 10080, the last that browsers refuse, and below what clients are given:
# net.ipv4.ip_local_port_range.
FIRST, LAST = 10100, 29000
SHARE = 500  # ports of one process


def free_port(room: int = 1) -> int:
    """A port that is free for UDP and TCP, on IPv4 and IPv6, with as many more behind it as there
    are to be room for; even where these are pairs for media."""
    for first in islice(_ports, 2 * SHARE):
        wanted = range(first, first + room)
        if (room == 1 or first % 2 == 0) and all(map(_is_free, wanted)):
            for _ in range(room - 1):
                next(_ports)
            return first
    raise AssertionError("all ports of this process are taken")


def _share() -> Iterator[int]:
    """Those of a share that no other process holds, again and again.

    What holds it is a name in the kernel (unix(7), abstract sockets): it is taken wherever ports of
    this network are, whichever files a process sees, and free when the process has ended.
    """
    for first in range(FIRST, LAST, SHARE):
        holder = socket.socket(socket.AF_UNIX)
        try:
            holder.bind(f"\0sipstrobe-tests-ports-{first}")
        except OSError:
            holder.close()
        else:
            holder.detach()  # open until this process ends
            return cycle(range(first, first + SHARE))
    raise AssertionError("too many processes test here at the same time")


_ports = _share()  # before anybody goes into another network


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET6, kind) as probe:
            try:
                probe.bind(("::", port))
            except OSError:
                return False
    return True
