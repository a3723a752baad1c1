"""News of the network from the kernel: links, addresses and routes that come and go (rtnetlink(7)).

What the kernel says is read only for its kind; whoever wants to know more asks for what there is.
"""

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable
from enum import Enum

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_LINK = struct.Struct("=BxHiII")  # ifinfomsg: family, type, index, flags, change
_ROUTE = struct.Struct("=BBBBBBBBI")  # rtmsg: family, lengths, tos, table, protocol, scope, type
_IFF_RUNNING = 0x40  # linux/if.h: the carrier is there
_RTN_UNICAST = 1  # linux/rtnetlink.h; those to ourselves come with the address
_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400  # links; addresses and routes of IPv4 and IPv6
_ROUTE_FAMILY = 0  # NETLINK_ROUTE
_BUFFER = 65536  # the kernel sends no larger messages
READ_LIMIT = 64  # messages in one go; then others on the loop have their turn


class News(Enum):
    """What has happened, by the message that says so."""

    LINK_UP = "a link is up"
    LINK_DOWN = "a link is down"
    ADDRESS_ADDED = "an address was added"
    ADDRESS_REMOVED = "an address was removed"
    ROUTE_ADDED = "a route was added"
    ROUTE_REMOVED = "a route was removed"
    LOST = "news of the network was lost"  # there was too much at once: anything may have changed


_KINDS = {
    16: News.LINK_UP,  # RTM_NEWLINK; up or down is in its flags
    17: News.LINK_DOWN,  # RTM_DELLINK
    20: News.ADDRESS_ADDED,  # RTM_NEWADDR
    21: News.ADDRESS_REMOVED,
    24: News.ROUTE_ADDED,  # RTM_NEWROUTE
    25: News.ROUTE_REMOVED,
}


class NetlinkSocket:
    """Tells what changes in the network namespace that it was made in."""

    def __init__(self, told: Callable[[News], None]) -> None:
        """Listen from now on. Raises OSError where the kernel has no rtnetlink."""
        self._told = told
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _ROUTE_FAMILY
        )
        try:
            self._socket.bind((0, _GROUPS))
        except OSError:
            self._socket.close()
            raise
        self._up: dict[int, bool] = {}  # by the link's index
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
                self._told(News.LOST)
                continue
            if sender[0] == 0:  # the kernel; other processes may write here as well
                for news in read(data, self._up):
                    self._told(news)
            if self._socket.fileno() < 0:  # whoever was told has closed us
                return


def read(data: bytes, up: dict[int, bool]) -> list[News]:
    """The news in one datagram. up: what is known of each link, kept from one call to the next.

    A link that says again what it said before is no news; what cannot be read is passed over.
    """
    found: list[News] = []
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        if not _HEADER.size <= length <= len(data):
            break
        body, data = data[_HEADER.size : length], data[length + 3 & ~3 :]
        with contextlib.suppress(struct.error):
            news = _news(_KINDS.get(kind), body, up)
            if news is not None:
                found.append(news)
    return found


def _news(kind: News | None, body: bytes, up: dict[int, bool]) -> News | None:
    match kind:
        case News.LINK_UP:
            _, _, index, flags, _ = _LINK.unpack_from(body)
            running = bool(flags & _IFF_RUNNING)
            before, up[index] = up.get(index), running
            if before is running:
                return None
            return News.LINK_UP if running else News.LINK_DOWN
        case News.LINK_DOWN:
            return News.LINK_DOWN if up.pop(_LINK.unpack_from(body)[2], None) is not False else None
        case News.ROUTE_ADDED | News.ROUTE_REMOVED:
            return kind if _ROUTE.unpack_from(body)[7] == _RTN_UNICAST else None
        case _:
            return kind
