"""Sends to a multicast group: RTP to its port, and RTCP to the port above (RFC 3550 §11)."""

import socket
import struct
from ipaddress import ip_address
from typing import Final

from sipstrobe.errors import MediaError

LINK_ONLY: Final = 1  # as TTL or hop limit: no router lets it pass
_MREQN: Final = struct.Struct("@4s4si")  # struct ip_mreqn: group, own address, interface


class MulticastSender:
    """One socket. What it sends is also heard on this machine."""

    def __init__(
        self,
        group: str,
        port: int,
        *,
        ttl: int = LINK_ONLY,
        interface: str = "",
        blocking: bool = True,
    ) -> None:
        """group: a numeric multicast address. ttl: how many networks it may cross, 1 to 255.
        interface: its name; empty: the one that the kernel chooses. blocking: wait until there is
        room for what is sent, which else cannot be sent. Raises MediaError."""
        self.rtp, self.rtcp = (group, port), (group, port + 1)
        address = ip_address(group)
        assert address.is_multicast
        try:
            index = socket.if_nametoindex(interface) if interface else 0
        except OSError:
            raise MediaError(f"there is no network interface {interface!r}") from None
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        try:
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
        except OSError as error:
            raise MediaError(f"{group} cannot be spoken to: {error.strerror}") from error
        self._socket.setblocking(blocking)
        try:
            self._choose(family, ttl, index)
            self._socket.bind(("", 0))  # else it has no port before it sends
        except OSError as error:
            self._socket.close()
            raise MediaError(f"{interface or group} cannot be used: {error.strerror}") from error

    @property
    def local_port(self) -> int:
        """That it sends from, RTCP as well."""
        return self._socket.getsockname()[1]

    def send(self, data: bytes) -> None:
        """An RTP packet. Raises MediaError when the network does not take it."""
        self._send(data, self.rtp)

    def send_rtcp(self, data: bytes) -> None:
        """An RTCP compound, in the same way."""
        self._send(data, self.rtcp)

    def close(self) -> None:
        self._socket.close()

    def _send(self, data: bytes, to: tuple[str, int]) -> None:
        try:
            self._socket.sendto(data, to)
        except OSError as error:
            raise MediaError(f"{to[0]} cannot be reached: {error.strerror}") from error

    def _choose(self, family: socket.AddressFamily, ttl: int, index: int) -> None:
        if family == socket.AF_INET:
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
            chosen = _MREQN.pack(b"", b"", index)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, chosen)
        else:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
