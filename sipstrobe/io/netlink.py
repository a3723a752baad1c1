"""News of the network from the kernel: links, addresses and routes that come and go (rtnetlink(7)).

What is kept is which link has which addresses, so that the news of a link can be told from that of
others; a machine may have many that are of no interest.
"""

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
_ADDRESS = struct.Struct("=BBBBI")  # ifaddrmsg: family, prefix length, flags, scope, index
_ROUTE = struct.Struct("=BBBBBBBBI")  # rtmsg: family, lengths, tos, table, protocol, scope, type
_ATTRIBUTE = struct.Struct("=HH")  # rtattr: length, type
_IFF_RUNNING = 0x40  # linux/if.h: the carrier is there
_RTN_UNICAST = 1  # linux/rtnetlink.h; those to ourselves come with the address
_IFA_ADDRESS, _IFA_LOCAL = 1, 2  # linux/if_addr.h; the former is the other end of a tunnel
_RTM_GETADDR = 22
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # links; addresses and routes of IPv4 and IPv6
_NETLINK_ROUTE = 0
_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_BUFFER = 65536  # the kernel sends no larger messages
READ_LIMIT = 64  # messages in one go; then others on the loop have their turn


class What(Enum):
    """What can happen."""

    LINK_UP = "a link is up"
    LINK_DOWN = "a link is down"
    ADDRESS_ADDED = "an address was added"
    ADDRESS_REMOVED = "an address was removed"
    ROUTE_ADDED = "a route was added"
    ROUTE_REMOVED = "a route was removed"
    LOST = "news of the network was lost"  # there was too much at once: anything may have changed


@dataclass(frozen=True, slots=True)
class News:
    """What has happened. addresses: those of the link that it has happened to, if it was one.

    index: of the link, which says who it is as long as it is there; 0: it was none.
    """

    what: What
    addresses: frozenset[str] = frozenset()
    index: int = field(default=0, compare=False)


@dataclass(slots=True)
class Links:
    """What is known of the links, by their index."""

    up: dict[int, bool] = field(default_factory=dict[int, bool])
    addresses: dict[int, dict[str, int]] = field(default_factory=dict[int, dict[str, int]])
    """With their flags: an address is news again when it turns out not to be a duplicate."""


class NetlinkSocket:
    """Tells what changes in the network namespace that it was made in."""

    def __init__(self, told: Callable[[News], None]) -> None:
        """Listen from now on. Raises OSError where the kernel has no rtnetlink."""
        self._told = told
        self._links = Links()
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_ROUTE
        )
        try:
            self._socket.bind((0, _GROUPS))
            self._port: int = self._socket.getsockname()[0]
            ask = _HEADER.pack(_HEADER.size + 4, _RTM_GETADDR, _DUMP, 0, self._port) + bytes(4)
            self._socket.send(ask)
        except OSError:
            self._socket.close()
            raise
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._read)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _read(self) -> None:
        for _ in range(READ_LIMIT):
            try:
                data, sender = self._socket.recvfrom(_BUFFER)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    return
                self._told(News(What.LOST))
                continue
            if sender[0] == 0:  # the kernel; other processes may write here as well
                for news in read(data, self._links, asked_by=self._port):
                    self._told(news)
            if self._socket.fileno() < 0:  # whoever was told has closed us
                return


def read(data: bytes, links: Links, *, asked_by: int) -> list[News]:
    """The news in one datagram; links takes it down, and is kept from one call to the next.

    asked_by: our own port; what comes in answer to a question of ours is no news. Nor is a link
    or an address that says again what it said before. What cannot be read is passed over.
    """
    found: list[News] = []
    for kind, port, body in _messages(data):
        with contextlib.suppress(struct.error):
            news = _take(kind, body, links)
            if news is not None and port != asked_by:
                found.append(news)
    return found


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, port and body of each."""
    while len(data) >= _HEADER.size:
        length, kind, _, _, port = _HEADER.unpack_from(data)
        if not _HEADER.size <= length <= len(data):
            return
        yield kind, port, data[_HEADER.size : length]
        data = data[length + 3 & ~3 :]


def _take(kind: int, body: bytes, links: Links) -> News | None:
    match kind:
        case 16:  # RTM_NEWLINK
            return _link(body, links)
        case 17:  # RTM_DELLINK
            index = _LINK.unpack_from(body)[2]
            gone = frozenset(links.addresses.pop(index, ()))
            return News(What.LINK_DOWN, gone, index) if links.up.pop(index, True) else None
        case 20 | 21:  # RTM_NEWADDR, RTM_DELADDR
            return _address(body, links, added=kind == 20)
        case 24 | 25:  # RTM_NEWROUTE, RTM_DELROUTE
            if _ROUTE.unpack_from(body)[7] != _RTN_UNICAST:
                return None
            return News(What.ROUTE_ADDED if kind == 24 else What.ROUTE_REMOVED)
        case _:
            return None


def _link(body: bytes, links: Links) -> News | None:
    _, _, index, flags, _ = _LINK.unpack_from(body)
    running = bool(flags & _IFF_RUNNING)
    before, links.up[index] = links.up.get(index), running
    if before is running:
        return None
    what = What.LINK_UP if running else What.LINK_DOWN
    return News(what, frozenset(links.addresses.get(index, ())), index)


def _address(body: bytes, links: Links, *, added: bool) -> News | None:
    family, _, flags, _, index = _ADDRESS.unpack_from(body)
    attributes = dict(_attributes(body[_ADDRESS.size :]))
    packed = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS) or b""
    try:
        address = socket.inet_ntop(family, packed)
    except (OSError, ValueError):
        return None
    there = links.addresses.setdefault(index, {})
    if not added:
        there.pop(address, None)
    elif there.get(address) == flags:
        return None
    else:
        there[address] = flags
    what = What.ADDRESS_ADDED if added else What.ADDRESS_REMOVED
    return News(what, frozenset([address]), index)


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if not _ATTRIBUTE.size <= length <= len(data):
            return
        yield kind, data[_ATTRIBUTE.size : length]
        data = data[length + 3 & ~3 :]
