"""The way to a lamp in the network: UDP to a host that may have no address yet, or another soon.

UDP tells little: that there is no route, that nobody answers on the way (ICMP), or that nobody
listens there. Whether a datagram that left has arrived and was understood, nobody says.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

LOOK_AGAIN: Final = 30.0  # seconds; so old may the address of a name, or our own, become
RETRY: Final = 3.0  # seconds until one that does not work is looked at again
HEALED: Final = 3.0  # seconds without a refusal: every other datagram has none in any case
PATIENCE: Final = 2.0  # seconds for a name to be found before it is a problem
MULTICAST_TTL: Final = 8  # routers on the way
SEND_BUFFER: Final = 1 << 18  # bytes: a frame of all pixels, several times

Found = Callable[["list[str] | OSError"], None]
Resolve = Callable[[str, Found], None]
"""Find the addresses of a name elsewhere, and call back on this thread; may never do so."""


class LightSocket:
    """Datagrams to one host and port. What is wrong is told by `complain` and `check`.

    ready: called when a name was found, or stands for another address now, so that nothing waits
    for the next picture. interface: our address in the network that multicast goes to.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        now: Callable[[], float],
        resolve: Resolve,
        ready: Callable[[], None],
        interface: str = "",
    ) -> None:
        self._host, self._port, self._interface = host, port, interface
        self._now = now
        self._resolve = resolve
        self._ready = ready
        self._socket: socket.socket | None = None
        self._address = ""
        self._asked_at: float | None = None  # since when a name is being looked up
        self._look_at = now()
        self._problem = ""
        self._failed_at = float("-inf")
        self._closed = False
        self._look(now())

    def send(self, datagram: bytes) -> None:
        """Send one, unless nobody knows where to; never raises."""
        now = self._now()
        if now >= self._look_at:
            self._look(now)
        if self._socket is not None:
            try:
                _send(self._socket, datagram)
            except OSError as error:
                self._failed(error, now)
            else:
                if now - self._failed_at >= HEALED:
                    self._problem = ""

    def complain(self) -> None:
        """Raise OSError with what has been wrong of late, if anything."""
        asked_at = self._asked_at
        if self._problem:
            raise OSError(self._problem)
        if self._socket is None and asked_at is not None and self._now() - asked_at > PATIENCE:
            raise OSError(f"{self._host}: no name server answers")

    def check(self) -> None:
        """As `complain`; asks the kernel first what it has heard about the last datagram."""
        if self._socket is not None and (
            code := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        ):
            self._failed(OSError(code, os.strerror(code)), self._now())
        self.complain()

    def close(self) -> None:
        self._closed = True
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- where to -------------------------------------------------------------------------------

    def _look(self, now: float) -> None:
        """Find out anew where the host is, and how it is reached from here."""
        self._look_at = now + LOOK_AGAIN
        if _is_address(self._host):
            self._connect(self._host)
        elif self._asked_at is None:
            self._asked_at = now
            self._resolve(self._host, self._found)

    def _found(self, answer: "list[str] | OSError") -> None:
        self._asked_at = None
        if self._closed:
            return
        if isinstance(answer, OSError):
            if self._socket is None:  # else the old address is still the best that is known
                self._failed(answer, self._now())
            return
        before = self._address
        self._connect(self._address if self._address in answer else answer[0])
        if self._socket is not None and self._address != before:
            self._ready()

    def _connect(self, address: str) -> None:
        """A new socket each time: one that is connected keeps our own address of that day."""
        version = ip_address(address).version
        new = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        try:
            new.setblocking(False)
            new.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            new.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            if version == 4:
                new.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, MULTICAST_TTL)
                if self._interface:
                    own = socket.inet_aton(self._interface)
                    new.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
            new.connect((address, self._port))
        except OSError as error:
            new.close()
            self._failed(error, self._now())
            return
        if self._socket is not None:
            self._socket.close()
        self._socket, self._address = new, address

    def _failed(self, error: OSError, now: float) -> None:
        self._problem = f"{self._host} port {self._port}: {_words(error)}"
        self._failed_at = now
        self._look_at = min(self._look_at, now + RETRY)


def _send(to: socket.socket, datagram: bytes) -> None:
    """A refusal is about a datagram before this one, which has not been sent then."""
    try:
        to.send(datagram)
    except ConnectionRefusedError:
        with contextlib.suppress(ConnectionRefusedError):
            to.send(datagram)
        raise


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _words(error: OSError) -> str:
    match error.errno:
        case errno.ECONNREFUSED:
            return "nobody listens there"
        case errno.EAGAIN | errno.ENOBUFS:
            return "the network takes no more"
        case _:
            return error.strerror or str(error)
