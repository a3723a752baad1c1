"""Sockets that hear multicast groups: RFC 1112, source-specific RFC 4607.

Linux lets a socket have 20 memberships (net.ipv4.igmp_max_memberships), so that groups of one port
share sockets and a new one is made when the last is full. Every socket of a port gets what any of
its groups is sent, unless told otherwise; here each hears its own groups only, and each datagram
goes by its destination.
"""

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from sipstrobe.clock import Clock
from sipstrobe.io.udp import (
    BUFFER_BYTES,
    DRAIN_LIMIT,
    DRAIN_SECONDS,
    LONGEST_WAIT,
    MAX_DATAGRAM,
    SO_TIMESTAMPNS,
    STAMP_SPACE,
    TIMESPEC,
    Receive,
    endpoint_of,
)

MAX_MEMBERSHIPS: Final = 20  # of a socket
_MCAST_JOIN_GROUP, _MCAST_LEAVE_GROUP = 42, 45  # linux/in.h
_MCAST_JOIN_SOURCE_GROUP = 46
_IP_PKTINFO, _IP_MULTICAST_ALL = 8, 49  # linux/in.h
_IPV6_MULTICAST_ALL, _IPV6_RECVPKTINFO, _IPV6_PKTINFO = 29, 49, 50  # linux/in6.h
_STORAGE: Final = 128  # bytes of a sockaddr_storage
_INFO_SPACE: Final = socket.CMSG_SPACE(20)  # the larger of in_pktinfo and in6_pktinfo


@dataclass(frozen=True, slots=True)
class Group:
    """What is to be heard. interface: its name; empty: the one that the kernel chooses. senders:
    who is heard; none: all."""

    address: str
    port: int
    interface: str = ""
    senders: tuple[str, ...] = ()


@dataclass(slots=True)
class _Member:
    group: Group
    senders: frozenset[bytes]
    receive: Receive


@dataclass(slots=True, eq=False)
class _Socket:
    """A socket of one port, and the groups that it hears, by their packed address."""

    family: socket.AddressFamily
    port: int
    socket: socket.socket
    members: dict[bytes, _Member] = field(default_factory=dict[bytes, _Member])


class GroupSockets:
    """The groups that this device hears, on as few sockets as can be."""

    def __init__(self, clock: Clock) -> None:
        self._now = clock.now
        self._sockets: list[_Socket] = []
        self.strays = 0  # datagrams for groups that nobody hears, or from others than the senders

    def __len__(self) -> int:
        return len(self._sockets)

    def join(self, group: Group, receive: Receive) -> Callable[[], None]:
        """Hear a group until the result is called. Raises OSError when it cannot be joined."""
        address = ip_address(group.address)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        senders = frozenset(ip_address(sender).packed for sender in group.senders)
        chosen = self._with_room(family, group.port, address.packed)
        try:
            _join(chosen.socket, family, group)
        except OSError:
            if not chosen.members:
                self._close(chosen)
            raise
        chosen.members[address.packed] = member = _Member(group, senders, receive)

        def leave() -> None:
            if chosen.members.get(address.packed) is member:
                self._leave(chosen, address.packed)

        return leave

    def close(self) -> None:
        """Leave all groups."""
        for one in list(self._sockets):
            self._close(one)

    def _with_room(self, family: socket.AddressFamily, port: int, group: bytes) -> _Socket:
        """One that can take the group; two entries of the same group need two sockets."""
        for one in self._sockets:
            if (
                (one.family, one.port) == (family, port)
                and len(one.members) < MAX_MEMBERSHIPS
                and group not in one.members
            ):
                return one
        made = _Socket(family, port, _open(family, port))
        self._sockets.append(made)
        asyncio.get_running_loop().add_reader(made.socket.fileno(), self._drain, made)
        return made

    def _leave(self, one: _Socket, packed: bytes) -> None:
        member = one.members.pop(packed)
        if not one.members:
            self._close(one)
            return
        with contextlib.suppress(OSError):  # its interface has gone, and the membership with it
            level, request = _request(one.family, member.group.address, member.group.interface)
            one.socket.setsockopt(level, _MCAST_LEAVE_GROUP, request)

    def _close(self, one: _Socket) -> None:
        one.members.clear()
        if one in self._sockets:
            self._sockets.remove(one)
            asyncio.get_running_loop().remove_reader(one.socket.fileno())
            one.socket.close()

    def _drain(self, one: _Socket) -> None:
        enough = self._now() + DRAIN_SECONDS
        for _ in range(DRAIN_LIMIT):
            try:
                data, ancillary, _, source = one.socket.recvmsg(
                    MAX_DATAGRAM, STAMP_SPACE + _INFO_SPACE
                )
            except OSError:
                return
            destination, waited = _read(ancillary)
            member = one.members.get(destination)
            if member is None or not _hears(member, source[0]):
                self.strays += 1
                continue
            received_at = self._now() - min(max(waited, 0.0), LONGEST_WAIT)
            member.receive(data, endpoint_of(source), received_at)
            if self._now() > enough or one.socket.fileno() < 0:  # the receiver has left
                return


def _hears(member: _Member, host: str) -> bool:
    """The kernel filters by sender too; this also holds for what had come before it did."""
    return not member.senders or ip_address(host.partition("%")[0]).packed in member.senders


def _read(ancillary: list[tuple[int, int, bytes]]) -> tuple[bytes, float]:
    """The packed destination, and how long ago the datagram reached the kernel."""
    destination, waited = b"", 0.0
    for level, kind, value in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack(value)
            waited = time.time() - seconds - nanoseconds * 1e-9
        elif (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            destination = value[8:12]
        elif (level, kind) == (socket.IPPROTO_IPV6, _IPV6_PKTINFO):
            destination = value[:16]
    return destination, waited


def _open(family: socket.AddressFamily, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        if family == socket.AF_INET:
            made.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            made.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            made.bind(("", port))
        else:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVPKTINFO, 1)
            made.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
            made.bind(("::", port))
    except OSError:
        made.close()
        raise
    return made


def _join(one: socket.socket, family: socket.AddressFamily, group: Group) -> None:
    """RFC 3678 §5.1, the calls that are the same for both families."""
    level, request = _request(family, group.address, group.interface)
    if not group.senders:
        one.setsockopt(level, _MCAST_JOIN_GROUP, request)
        return
    try:
        for sender in group.senders:
            option = request + _sockaddr(family, sender)
            one.setsockopt(level, _MCAST_JOIN_SOURCE_GROUP, option)
    except OSError:
        with contextlib.suppress(OSError):
            one.setsockopt(level, _MCAST_LEAVE_GROUP, request)
        raise


def _request(family: socket.AddressFamily, address: str, interface: str) -> tuple[int, bytes]:
    """The level, and a group_req: the interface's index, padded, and the group's address."""
    index = socket.if_nametoindex(interface) if interface else 0
    level = socket.IPPROTO_IP if family == socket.AF_INET else socket.IPPROTO_IPV6
    return level, struct.pack("@I4x", index) + _sockaddr(family, address)


def _sockaddr(family: socket.AddressFamily, address: str) -> bytes:
    packed = ip_address(address).packed
    if family == socket.AF_INET:
        made = struct.pack("@HH", family, 0) + packed
    else:
        made = struct.pack("@HHI", family, 0, 0) + packed
    return made.ljust(_STORAGE, b"\0")
