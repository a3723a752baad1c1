"""UDP sockets on the loop: drained with `add_reader` until empty, since a wake-up costs more than
a datagram; those for media without any wake-up, when a stream has its turn anyway."""

import asyncio
import contextlib
import errno
import socket
import struct
import time
from collections.abc import Callable
from copy import copy
from itertools import cycle

from sipstrobe.clock import Clock

Endpoint = tuple[str, int]  # numeric host (IPv6 without brackets, with %scope if link-local), port
Receive = Callable[[bytes, Endpoint, float], None]  # data, source, monotonic seconds of receipt
Failed = Callable[[Endpoint], None]

DRAIN_LIMIT = 64  # datagrams in one go; then others on the loop have their turn
DRAIN_SECONDS = 0.002  # the same in time
WELL_AFTER = 0.012  # seconds between two datagrams from which on the next is not looked for …
STEADY, EARLY = 0.030, 0.004  # … for as long, but no longer than STEADY, and EARLY before that
LONGEST_WAIT = 10.0  # seconds that a datagram can have waited; more is the calendar being set
BUFFER_BYTES = 1 << 20
PAIR_SPAN = 4000  # how many ports from the start port up a PortPairs uses, if there are so many
MAX_DATAGRAM = 65535
_MTU = {  # linux/in.h, linux/in6.h: IP_MTU, IPV6_MTU
    socket.AF_INET: (socket.IPPROTO_IP, 14),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 24),
}
_NOT_THE_PORT = (errno.EMFILE, errno.EADDRNOTAVAIL)  # what no other port would help against
_IP_RECVERR, _IPV6_RECVERR = 11, 25  # linux/in.h, linux/in6.h
_MSG_ERRQUEUE = 0x2000
SO_TIMESTAMPNS = 35  # asm-generic/socket.h; also the type of the control message
TIMESPEC = struct.Struct("@ll")
STAMP_SPACE = socket.CMSG_SPACE(TIMESPEC.size)

Address = tuple[str, int] | tuple[str, int, int, int]  # IPv6: with flow and link
_Datagram = tuple[bytes, Address, float]


def endpoint_of(address: Address) -> Endpoint:
    """An address as the kernel gives it. RFC 4007 §6: link-local ones mean nothing without the
    link."""
    if len(address) == 4 and address[3]:
        return f"{address[0]}%{address[3]}", address[1]
    return address[0], address[1]


def address_of(to: Endpoint) -> Address:
    """The same back again."""
    host, percent, link = to[0].partition("%")
    return (host, to[1], 0, int(link)) if percent else to


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Tap:
    """Where sockets tell what goes through them, while somebody wants to know.

    sink: is given our port, the peer, the datagram, and when it came (monotonic); None: it is sent.
    """

    __slots__ = ("sink",)

    def __init__(self) -> None:
        self.sink: Callable[[int, Endpoint, bytes, float | None], None] | None = None


_UNTOLD = Tap()  # of sockets that nobody looks at


class UdpSocket:
    """One bound socket.

    failed: given for signalling; it is told the destination when the network says that this is
    unreachable. polled: nothing is received by itself, only when `poll` is called. In both cases
    the receipt of datagrams is stamped by the kernel, so that waiting shows.
    """

    def __init__(
        self,
        host: str,
        port: int,
        receive: Receive,
        clock: Clock,
        *,
        failed: Failed | None = None,
        polled: bool = False,
        tap: Tap = _UNTOLD,
    ) -> None:
        """Bind and start to receive. Raises OSError when the address cannot be had."""
        family = family_of(host)
        self._tap = tap
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            if family == socket.AF_INET6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if failed is not None or polled:
                self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                self._hear_of_errors(family)
            if failed is not None:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self._receive = receive
        self._failed = failed
        self._stamped = failed is not None or polled
        self._now = clock.now
        self.port: int = self._socket.getsockname()[1]
        self.dropped = 0  # datagrams that the kernel would not take
        self.unreachable = 0  # times that the network said that one did not arrive
        self._received_at = float("-inf")  # of the last one polled
        self._loop = asyncio.get_running_loop()
        if not polled:
            self._loop.add_reader(self._socket.fileno(), self._drain)

    def poll(self) -> None:
        """Receive what has come.

        Asking the kernel for more costs as much as receiving: it is left out when the last datagram
        came well after the one before, and the next is not due yet at that pace.
        """
        for _ in range(DRAIN_LIMIT):
            try:
                data, source, received_at = self._take_stamped()
            except BlockingIOError:
                return
            except OSError:  # about what was sent; what has come is behind it
                if self._socket.fileno() < 0:
                    return
                self._drain_errors()
                continue
            apart, self._received_at = received_at - self._received_at, received_at
            peer = source if len(source) == 2 else endpoint_of(source)
            if self._tap.sink is not None:
                self._tap.sink(self.port, peer, data, received_at)
            self._receive(data, peer, received_at)
            waited = self._now() - received_at
            due = min(apart, STEADY) - EARLY
            if (apart > WELL_AFTER and waited < due) or self._socket.fileno() < 0:
                return

    def watch(self, wanted: bool) -> None:
        """Receive by itself from now on, or only when `poll` is called."""
        if self._socket.fileno() >= 0:
            if wanted:
                self._loop.add_reader(self._socket.fileno(), self._drain)
            else:
                self._loop.remove_reader(self._socket.fileno())

    def send(self, data: bytes, to: Endpoint) -> bool:
        """Hand the datagram to the kernel; False when it can never arrive.

        One that finds the kernel's buffer full is lost (and counted), as any datagram may be.
        """
        if self._tap.sink is not None:
            self._tap.sink(self.port, to, data, None)
        try:
            self._socket.sendto(data, to if "%" not in to[0] else address_of(to))
        except BlockingIOError:
            self.dropped += 1
        except OSError:
            return self._send_again(data, to)
        return True

    def close(self) -> None:
        """Release the port and let go of whoever was told, which need not wait for the collector
        of cycles then: a full collection is rare here, and an ended call is 100 kB."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
        self._receive, self._failed = _nobody, None

    def _send_again(self, data: bytes, to: Endpoint) -> bool:
        """Once more, since what the kernel says may be about an earlier datagram to others."""
        if self._stamped:
            if self._failed is None:  # else they wake the loop
                self._drain_errors()
            with contextlib.suppress(OSError):
                self._socket.sendto(data, address_of(to))
                return True
        self.dropped += 1
        return False

    def _hear_of_errors(self, family: socket.AddressFamily) -> None:
        if family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            self._socket.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)

    def _drain(self) -> None:
        take = self._take_stamped if self._stamped else self._take_plain
        receive, now = self._receive, self._now
        enough = now() + DRAIN_SECONDS
        for taken in range(DRAIN_LIMIT):
            try:
                data, source, received_at = take()
            except BlockingIOError:
                if taken == 0:  # woken by an error that has met us as we sent
                    self._drain_errors()
                return
            except OSError:
                self._drain_errors()
                return
            peer = source if len(source) == 2 else endpoint_of(source)
            if self._tap.sink is not None:
                self._tap.sink(self.port, peer, data, received_at)
            receive(data, peer, received_at)
            if now() > enough or self._socket.fileno() < 0:  # the receiver has closed us
                return

    def _take_plain(self) -> _Datagram:
        data, source = self._socket.recvfrom(MAX_DATAGRAM)
        return data, source, self._now()

    def _take_stamped(self) -> _Datagram:
        """With the instant at which it reached the kernel, on our clock."""
        data, ancillary, _, source = self._socket.recvmsg(MAX_DATAGRAM, STAMP_SPACE)
        waited = 0.0
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanoseconds = TIMESPEC.unpack(value)
                waited = time.time() - seconds - nanoseconds * 1e-9
        return data, source, self._now() - min(max(waited, 0.0), LONGEST_WAIT)

    def _drain_errors(self) -> None:
        for _ in range(DRAIN_LIMIT):
            try:
                *_, to = self._socket.recvmsg(0, 0, _MSG_ERRQUEUE)
            except OSError:
                return
            self.unreachable += 1
            if to and self._failed is not None:
                self._failed(endpoint_of(to))


def _nobody(data: bytes, source: Endpoint, received_at: float) -> None:
    """Who receives what comes after the end."""


class PortPairs:
    """Even/odd pairs for RTP and RTCP (RFC 3550 §11) from a start port up, round robin, so that a
    port which has just been closed is the last to be used again."""

    def __init__(self, host: str, start_port: int, clock: Clock, tap: Tap = _UNTOLD) -> None:
        """tap: is told what goes through all of them."""
        self._tap = tap
        self.host = host
        self.start_port = start_port
        self._clock = clock
        first = start_port + start_port % 2
        self._pairs = range(first, min(first + PAIR_SPAN, 65535), 2)
        self._turn = cycle(self._pairs)

    def at(self, host: str) -> "PortPairs":
        """The same ports, taken in the same turn, on another address."""
        other = copy(self)
        other.host = host
        return other

    def open(
        self, receive_rtp: Receive, receive_rtcp: Receive, *, polled: bool = False
    ) -> tuple[UdpSocket, UdpSocket]:
        """The next pair of which both ports are free. Raises OSError when none is.

        polled: the socket for RTP receives only when `poll` is called.
        """
        for _ in self._pairs:
            port = next(self._turn)
            try:
                rtp = UdpSocket(
                    self.host, port, receive_rtp, self._clock, polled=polled, tap=self._tap
                )
            except OSError as error:
                if error.errno in _NOT_THE_PORT:
                    raise
                continue
            try:
                rtcp = UdpSocket(self.host, port + 1, receive_rtcp, self._clock, tap=self._tap)
                return rtp, rtcp
            except OSError as error:
                rtp.close()
                if error.errno in _NOT_THE_PORT:
                    raise
        raise OSError(
            errno.EADDRINUSE, f"no free pair of ports from {self.start_port} up on {self.host}"
        )


def local_address_for(host: str) -> str:
    """Our own address on the way to `host` (numeric), as the routing table has it.

    Raises OSError when there is no way.
    """
    return route_to(host)[0]


def route_to(host: str) -> tuple[str, int]:
    """The same, and the largest packet in bytes that the kernel knows to go that way (RFC 1191).

    Raises OSError when there is no way.
    """
    family = family_of(host)
    level, option = _MTU[family]
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect(address_of((host, 9)))
        return str(probe.getsockname()[0]), probe.getsockopt(level, option)
