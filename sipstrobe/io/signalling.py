"""UDP sockets for SIP: they know which of our addresses a datagram came to, and answer from it.

A socket that is bound to every address would else be answered for by whichever address the routing
table likes: ip(7) IP_PKTINFO, RFC 3542 §6.
"""

import ipaddress
import socket
import struct
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

from sipstrobe.clock import Clock
from sipstrobe.io.udp import (
    LONGEST_WAIT,
    MAX_DATAGRAM,
    SO_TIMESTAMPNS,
    STAMP_SPACE,
    TIMESPEC,
    Address,
    Endpoint,
    Failed,
    UdpSocket,
    address_of,
    family_of,
)

# data, source, our address ("" if it was sent to many), monotonic seconds of receipt
ReceiveAt = Callable[[bytes, Endpoint, str, float], None]

MAX_ADDRESSES = 256  # of ours that are remembered in words
_IP_PKTINFO = 8  # linux/in.h
_IN_PKTINFO = struct.Struct("@i4s4s")  # interface, our address, destination in the header
_IN6_PKTINFO = struct.Struct("@16si")  # destination, interface
_SPACE = STAMP_SPACE + socket.CMSG_SPACE(max(_IN_PKTINFO.size, _IN6_PKTINFO.size))
_Ancillary = Sequence[tuple[int, int, bytes]]


class SignallingSocket(UdpSocket):
    """One bound socket; what is sent from it leaves from the address that the sender names."""

    def __init__(
        self, host: str, port: int, receive: ReceiveAt, clock: Clock, *, failed: Failed
    ) -> None:
        """Bind and start to receive. Raises OSError when the address cannot be had.

        failed: told the destination when the network says that this is unreachable.
        """
        self._receive_at = receive
        self._came_to = ""
        self._is_ours = _ours6 if family_of(host) == socket.AF_INET6 else _ours4
        super().__init__(host, port, self._pass_on, clock, failed=failed)
        if family_of(host) == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)

    def send_from(self, source: str, data: bytes, to: Endpoint) -> bool:
        """Like `send`, from this address of ours if there is a way from it."""
        try:
            self._socket.sendmsg((data,), _from(source), 0, address_of(to))
        except BlockingIOError:
            self.dropped += 1
        except OSError:
            return self.send(data, to)
        return True

    def close(self) -> None:
        super().close()
        self._receive_at = _nobody

    def _pass_on(self, data: bytes, source: Endpoint, received_at: float) -> None:
        self._receive_at(data, source, self._came_to, received_at)

    def _take_stamped(self) -> tuple[bytes, Address, float]:
        data, ancillary, _, source = self._socket.recvmsg(MAX_DATAGRAM, _SPACE)
        waited = 0.0
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET:
                if kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = TIMESPEC.unpack(value)
                    waited = time.time() - seconds - nanoseconds * 1e-9
            elif kind in (_IP_PKTINFO, socket.IPV6_PKTINFO):
                self._came_to = self._is_ours(value)
        return data, source, self._now() - min(max(waited, 0.0), LONGEST_WAIT)


@lru_cache(MAX_ADDRESSES)
def _ours4(info: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET, _IN_PKTINFO.unpack(info)[1])


@lru_cache(MAX_ADDRESSES)
def _ours6(info: bytes) -> str:
    address = ipaddress.IPv6Address(_IN6_PKTINFO.unpack(info)[0])
    return "" if address.is_multicast else str(address)


@lru_cache(MAX_ADDRESSES)
def _from(source: str) -> _Ancillary:
    if ":" in source:
        packed = _IN6_PKTINFO.pack(socket.inet_pton(socket.AF_INET6, source), 0)
        return ((socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, packed),)
    packed = _IN_PKTINFO.pack(0, socket.inet_pton(socket.AF_INET, source), bytes(4))
    return ((socket.IPPROTO_IP, _IP_PKTINFO, packed),)


def _nobody(data: bytes, source: Endpoint, came_to: str, received_at: float) -> None:
    """Who receives what comes after the end."""
