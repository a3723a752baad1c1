"""The addresses of this machine, and what an address says of whose it is."""

import fcntl
import socket
import struct
from ipaddress import IPv6Address
from pathlib import Path

_SIOCGIFADDR = 0x8915  # linux/sockios.h
_IF_INET6 = Path("/proc/net/if_inet6")
_LINK_LOCAL = "20"  # its scope there
_TEMPORARY = 0x01  # linux/if_addr.h: another one tomorrow (RFC 8981)


def own_addresses() -> list[str]:
    """Numeric, those of IPv4 first; without those that say nothing elsewhere or tomorrow."""
    return [*_ipv4(), *_ipv6()]


def site(address: str) -> str:
    """The address; of IPv6 its first 64 bits, since a site has all the others (RFC 6177)."""
    if ":" not in address:
        return address
    try:
        return str(int(IPv6Address(address)) >> 64)
    except ValueError:
        return address


def _ipv4() -> list[str]:
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", name.encode()))
            except OSError:
                continue  # this interface has none
            found.append(socket.inet_ntop(socket.AF_INET, answer[20:24]))
    return found


def _ipv6() -> list[str]:
    try:
        lines = _IF_INET6.read_text("ascii").splitlines()
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [
        socket.inet_ntop(socket.AF_INET6, bytes.fromhex(row[0]))
        for row in rows
        if row[3] != _LINK_LOCAL and not int(row[4], 16) & _TEMPORARY
    ]
