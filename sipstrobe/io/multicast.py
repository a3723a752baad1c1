"""Sockets that hear multicast groups: RFC 1112, source-specific RFC 4607.

Linux lets a socket have 20 memberships (net.ipv4.igmp_max_memberships), so that groups of one port
share sockets and a new one is made when the last is full. Every socket of a port gets what any of
its groups is sent, unless told otherwise; here each hears its own groups only, and each datagram
goes by its destination.

Few datagrams wake up the loop as they come. When there are many, waking up for each costs more than
all that is done with it: then they are fetched every 2.5 ms, in wake-ups that are shared with all
that has its turn on the clock's grid. The kernel's stamps tell when each one really came.
"""

import asyncio
import contextlib
import select
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from msgspec import Struct

from sipstrobe.clock import Clock, Handle
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
GRID: Final = 0.0025  # seconds; every other of its lines is one on which others have their turns
SPAN: Final = 0.2  # seconds in which datagrams are counted
BUSY: Final = 120  # of them in that time from which on they are fetched, …
CALM: Final = 60  # … and below which they wake us up again
AT_ONCE: Final = 16  # datagrams of one socket before the next has its turn
_MCAST_JOIN_GROUP, _MCAST_LEAVE_GROUP = 42, 45  # linux/in.h
_MCAST_JOIN_SOURCE_GROUP = 46
_IP_PKTINFO, _IP_MULTICAST_ALL = 8, 49  # linux/in.h
_IPV6_MULTICAST_ALL, _IPV6_RECVPKTINFO, _IPV6_PKTINFO = 29, 49, 50  # linux/in6.h
_STORAGE: Final = 128  # bytes of a sockaddr_storage
_INFO_SPACE: Final = socket.CMSG_SPACE(20)  # the larger of in_pktinfo and in6_pktinfo


class Group(Struct, frozen=True):
    """What is to be heard. interface: its name; empty: the one that the kernel chooses. senders:
    who is heard; none: all."""

    address: str
    port: int
    interface: str = ""
    senders: tuple[str, ...] = ()


MembershipTold = Callable[[str, str, bool], None]
"""The address of a group and the interface wanted for it; whether it is joined, by whoever is the
first to hear it there, or left by the last."""


@dataclass(slots=True)
class _Member:
    group: Group
    senders: frozenset[bytes]
    receive: Receive
    index: int  # of the interface that it was joined on; 0: the kernel has chosen

    @property
    def membership(self) -> tuple[str, str]:
        return str(ip_address(self.group.address)), self.group.interface


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
        self._clock = clock
        self._now = clock.now
        self._sockets: dict[int, _Socket] = {}  # by file descriptor
        self._ready: select.epoll | None = None  # which of them have something; while there are any
        self._turn: Handle | None = None  # to fetch it; None: it wakes us up
        self._counted = 0  # datagrams …
        self._counted_since = 0.0  # … from then on
        self._much = False
        self._drained = True
        self._read_at = 0.0  # when what was received last has come
        self._memberships: Counter[tuple[str, str]] = Counter()
        self.told: MembershipTold = _nobody
        self.strays = 0  # datagrams for groups that nobody hears, or from others than the senders

    def __len__(self) -> int:
        return len(self._sockets)

    def read_until(self) -> float:
        """What has come before this instant has been received, as far as is known."""
        return self._now() if self._drained else self._read_at

    def join(self, group: Group, receive: Receive) -> Callable[[], None]:
        """Hear a group until the result is called. Raises OSError when it cannot be joined."""
        address = ip_address(group.address)
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        senders = frozenset(ip_address(sender).packed for sender in group.senders)
        chosen = self._with_room(family, group.port, address.packed)
        try:
            index = _join(chosen.socket, family, group)
        except OSError:
            if not chosen.members:
                self._close(chosen)
            raise
        chosen.members[address.packed] = member = _Member(group, senders, receive, index)
        self._memberships[member.membership] += 1
        if self._memberships[member.membership] == 1:
            self.told(*member.membership, True)

        def leave() -> None:
            if chosen.members.get(address.packed) is member:
                self._leave(chosen, address.packed)

        return leave

    def rejoin(self, address: str, interface: str) -> None:
        """Leave a group and join it at once, so that the kernel reports it anew (RFC 3376 §5.1); of
        the leave it says nothing, by IGMPv3 and MLDv2. All who hear it do so: which of them hear it
        on the same interface is known to the kernel only, where it has chosen.

        Raises OSError when it cannot be joined on this interface any more; those who heard it there
        may try again.
        """
        packed = ip_address(address).packed
        found = [
            (one, member)
            for one in self._sockets.values()
            if (member := one.members.get(packed)) is not None
        ]
        for one, member in found:
            _leave(one.socket, one.family, member)
        failure: OSError | None = None
        for one, member in found:
            try:
                member.index = _join(one.socket, one.family, member.group)
            except OSError as error:
                if member.group.interface == interface:
                    failure = error
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Leave all groups."""
        for one in list(self._sockets.values()):
            for member in one.members.values():
                self._forget(member)
            self._close(one)

    def _with_room(self, family: socket.AddressFamily, port: int, group: bytes) -> _Socket:
        """One that can take the group; two entries of the same group need two sockets."""
        for one in self._sockets.values():
            if (
                (one.family, one.port) == (family, port)
                and len(one.members) < MAX_MEMBERSHIPS
                and group not in one.members
            ):
                return one
        made = _Socket(family, port, _open(family, port))
        number = made.socket.fileno()
        if self._ready is None:
            self._ready = select.epoll()
            asyncio.get_running_loop().add_reader(self._ready.fileno(), self._woken)
        self._sockets[number] = made
        self._ready.register(number, select.EPOLLIN)
        return made

    def _leave(self, one: _Socket, packed: bytes) -> None:
        member = one.members.pop(packed)
        if one.members:
            _leave(one.socket, one.family, member)
        else:
            self._close(one)
        self._forget(member)

    def _forget(self, member: _Member) -> None:
        self._memberships[member.membership] -= 1
        if not self._memberships[member.membership]:
            del self._memberships[member.membership]
            self.told(*member.membership, False)

    def _close(self, one: _Socket) -> None:
        one.members.clear()
        number = one.socket.fileno()
        if self._sockets.pop(number, None) is None:
            return
        assert self._ready is not None
        self._ready.unregister(number)
        one.socket.close()
        if not self._sockets:
            self._rest(self._ready)

    def _rest(self, ready: select.epoll) -> None:
        """There is nothing to hear any more."""
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        else:
            asyncio.get_running_loop().remove_reader(ready.fileno())
        ready.close()
        self._ready = None

    # --- when it is received --------------------------------------------------------------------

    def _woken(self) -> None:
        """Something has come while there is little."""
        self._drain()
        if self._ready is not None and self._much_comes():
            asyncio.get_running_loop().remove_reader(self._ready.fileno())
            self._fetch_at(self._next_line())

    def _fetch(self) -> None:
        """It is time to look while there is much."""
        self._turn = None
        drained = self._drain()
        if self._ready is None:  # a receiver has left as the last
            return
        if self._much_comes():
            self._fetch_at(self._next_line() if drained else self._now())
        else:
            asyncio.get_running_loop().add_reader(self._ready.fileno(), self._woken)

    def _fetch_at(self, when: float) -> None:
        self._turn = self._clock.call_at(when, self._fetch)

    def _next_line(self) -> float:
        return (int(self._now() / GRID) + 1) * GRID

    def _much_comes(self) -> bool:
        now = self._now()
        if now - self._counted_since >= SPAN:
            self._much = self._counted >= (CALM if self._much else BUSY)
            self._counted, self._counted_since = 0, now
        elif self._counted >= BUSY:
            self._much = True
        return self._much

    def _drain(self) -> bool:
        """Receive what has come; whether that is all of it."""
        self._drained = False
        done, ready = self._receive_some(), self._ready
        # What took too long may have been the last: nothing would tell us so later.
        self._drained = done or ready is None or not ready.poll(0)
        return self._drained

    def _receive_some(self) -> bool:
        assert self._ready is not None
        waiting = [number for number, _ in self._ready.poll(0)]
        enough = self._now() + DRAIN_SECONDS
        left = DRAIN_LIMIT
        while waiting:
            again: list[int] = []
            for number in waiting:
                one = self._sockets.get(number)  # a receiver may have left
                if one is None:
                    continue
                taken = self._receive_from(one, min(left, AT_ONCE), enough)
                left -= taken
                self._counted += taken
                if taken == AT_ONCE:
                    again.append(number)
                if left <= 0 or self._now() > enough:
                    return False
            waiting = again
        return True

    def _receive_from(self, one: _Socket, most: int, until: float) -> int:
        """So many datagrams of a socket at the most, and none after that instant; how many."""
        now, members = self._now, one.members
        receive = one.socket.recvmsg
        for taken in range(most):
            try:
                data, ancillary, _, source = receive(MAX_DATAGRAM, STAMP_SPACE + _INFO_SPACE)
            except OSError:  # nothing more, or a receiver has left
                return taken
            destination, waited = _read(ancillary)
            member = members.get(destination)
            if member is None or not _hears(member, source[0]):
                self.strays += 1
                continue
            received_at = now() - min(max(waited, 0.0), LONGEST_WAIT)
            self._read_at = received_at
            member.receive(data, endpoint_of(source), received_at)
            if now() > until:
                return taken + 1
        return most


def open_group(group: Group) -> socket.socket:
    """A socket that hears one group and does not wait. Raises OSError when it cannot be joined."""
    family = socket.AF_INET if ip_address(group.address).version == 4 else socket.AF_INET6
    made = _open(family, group.port)
    try:
        _join(made, family, group)
    except OSError:
        made.close()
        raise
    return made


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


def _nobody(address: str, interface: str, joined: bool) -> None:
    """Who is told of memberships where nobody wants to know."""


def _join(one: socket.socket, family: socket.AddressFamily, group: Group) -> int:
    """RFC 3678 §5.1, the calls that are the same for both families. The index of the interface."""
    index = socket.if_nametoindex(group.interface) if group.interface else 0
    level, request = _request(family, group.address, index)
    if not group.senders:
        one.setsockopt(level, _MCAST_JOIN_GROUP, request)
        return index
    try:
        for sender in group.senders:
            option = request + _sockaddr(family, sender)
            one.setsockopt(level, _MCAST_JOIN_SOURCE_GROUP, option)
    except OSError:
        with contextlib.suppress(OSError):
            one.setsockopt(level, _MCAST_LEAVE_GROUP, request)
        raise
    return index


def _leave(one: socket.socket, family: socket.AddressFamily, member: _Member) -> None:
    """By the index that the interface had: one that was taken away may be back under another."""
    level, request = _request(family, member.group.address, member.index)
    with contextlib.suppress(OSError):  # the kernel does not have it any more
        one.setsockopt(level, _MCAST_LEAVE_GROUP, request)


def _request(family: socket.AddressFamily, address: str, index: int) -> tuple[int, bytes]:
    """The level, and a group_req: the interface's index, padded, and the group's address."""
    level = socket.IPPROTO_IP if family == socket.AF_INET else socket.IPPROTO_IPV6
    return level, struct.pack("@I4x", index) + _sockaddr(family, address)


def _sockaddr(family: socket.AddressFamily, address: str) -> bytes:
    packed = ip_address(address).packed
    if family == socket.AF_INET:
        made = struct.pack("@HH", family, 0) + packed
    else:
        made = struct.pack("@HHI", family, 0, 0) + packed
    return made.ljust(_STORAGE, b"\0")
