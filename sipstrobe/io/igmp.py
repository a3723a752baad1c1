"""What is said on our links about multicast groups: who asks which are wanted, and who answers.

IGMP (RFC 1112, 2236, 3376) and MLD (RFC 2710, 3810) are the kernel's. Here is a socket that sees
what the kernel is asked and what it answers, for which it needs CAP_NET_RAW, and the kernel's own
list of what it has joined.
"""

import asyncio
import contextlib
import ctypes
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from msgspec import Struct

from sipstrobe.clock import Clock, Handle
from sipstrobe.errors import RemoteProtocolError

BATCH: Final = 0.05  # seconds from the first message until it is read, with those that follow
READ_LIMIT: Final = 64  # messages in one go; what the kernel cannot keep for the next is lost …
READ_SECONDS: Final = 0.001  # … and the same in time
MAX_MESSAGE: Final = 9216  # bytes: no link that we know has longer packets
_LISTS: Final = ("/proc/thread-self/net/igmp", "/proc/thread-self/net/igmp6")
_ETH_P_ALL, _ETH_P_IP, _ETH_P_IPV6 = 0x0003, 0x0800, 0x86DD  # linux/if_ether.h
_PACKET_OUTGOING: Final = 4  # linux/if_packet.h
_ARPHRD_LOOPBACK: Final = 772  # linux/if_arp.h
_SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h
_FILTER: Final = (  # linux/filter.h, on the IP header: (code, jump if true, if false, value)
    (0x28, 0, 0, 0xFFFFF000),  # the protocol that the link says
    (0x15, 0, 2, _ETH_P_IP),
    (0x30, 0, 0, 9),  # protocol
    (0x15, 7, 8, socket.IPPROTO_IGMP),
    (0x15, 0, 7, _ETH_P_IPV6),
    (0x30, 0, 0, 6),  # next header: hop-by-hop options
    (0x15, 0, 5, socket.IPPROTO_HOPOPTS),
    (0x30, 0, 0, 40),  # the one after these
    (0x15, 0, 3, socket.IPPROTO_ICMPV6),
    (0x30, 0, 0, 48),  # type
    (0x35, 0, 1, 130),
    (0x06, 0, 0, MAX_MESSAGE),
    (0x06, 0, 0, 0),
)
_ALERT: Final = b"\x05\x02\0\0"  # RFC 2711 §2.1, of MLD
_JOINED: Final = (2, 4)  # RFC 3376 §4.2.12: MODE_IS_EXCLUDE, CHANGE_TO_EXCLUDE_MODE …
_JOINED_WITH_SENDERS: Final = (1, 5)  # … MODE_IS_INCLUDE, ALLOW_NEW_SOURCES


class Query(Struct, frozen=True):
    """Somebody asks who is in a group, or who is in any. group: empty for any. The times are
    seconds; None: its version does not say, and the RFC has a default."""

    sender: str
    group: str
    response: float | None = None
    interval: float | None = None
    robustness: int | None = None


class Report(Struct, frozen=True):
    """Somebody says in which groups he is."""

    sender: str
    groups: tuple[str, ...]


Message = Query | Report
Told = Callable[[str, int, Message, bool], None]
"""The interface; 4 or 6, for IGMP or MLD; what was said, and whether by us."""


class MembershipSocket:
    """Tells all that is said, on all links of the network namespace that it was made in, but for
    loopback, where nobody needs to be told."""

    def __init__(self, clock: Clock, told: Told) -> None:
        """Listen from now on. Raises OSError (PermissionError without CAP_NET_RAW)."""
        self.invalid = 0  # messages that the kernel ignores as well
        self._clock = clock
        self._told = told
        self._timer: Handle | None = None
        self._socket = socket.socket(
            socket.AF_PACKET,
            socket.SOCK_DGRAM | socket.SOCK_NONBLOCK,
            socket.htons(_ETH_P_ALL),  # nothing less gets what we send
        )
        try:
            _attach(self._socket)
        except OSError:
            self._socket.close()
            raise
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._collect)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _collect(self) -> None:
        """Whoever sends us a flood of them is heard no more often than this."""
        self._loop.remove_reader(self._socket.fileno())
        self._timer = self._clock.call_at(self._clock.now() + BATCH, self._read)

    def _read(self) -> None:
        self._timer = None
        enough = self._clock.now() + READ_SECONDS
        for _ in range(READ_LIMIT):
            try:
                data, (interface, protocol, kind, hardware, _) = self._socket.recvfrom(MAX_MESSAGE)
            except OSError:
                break
            if hardware == _ARPHRD_LOOPBACK:
                continue
            version = 4 if protocol == _ETH_P_IP else 6
            try:
                message = (read_igmp if version == 4 else read_mld)(data)
            except RemoteProtocolError:
                self.invalid += 1
                continue
            self._told(interface, version, message, kind == _PACKET_OUTGOING)
            if self._socket.fileno() < 0:  # whoever was told has closed us
                return
            if self._clock.now() > enough:
                break
        self._loop.add_reader(self._socket.fileno(), self._collect)


def read_igmp(packet: bytes) -> Message:
    """An IPv4 packet, from its header on. Raises RemoteProtocolError for what a host ignores."""
    header = (packet[0] & 15) * 4 if packet else 0
    _require(len(packet) >= header >= 20 and packet[0] >> 4 == 4, "no IPv4 header")
    length = int.from_bytes(packet[2:4], "big")
    _require(packet[9] == socket.IPPROTO_IGMP and length <= len(packet), "no IGMP")
    body = packet[header:length]
    _require(len(body) >= 8 and _sum(body) == 0, "IGMP too short or spoilt")
    sender, group = (socket.inet_ntop(socket.AF_INET, a) for a in (packet[12:16], body[4:8]))
    match body[0]:
        case 0x11:
            return _igmp_query(sender, group if any(body[4:8]) else "", body)
        case 0x12 | 0x16:  # versions 1 and 2
            return Report(sender, (group,))
        case 0x22:
            return Report(sender, tuple(_records(body, socket.AF_INET)))
        case _:
            raise RemoteProtocolError("neither query nor report")


def _igmp_query(sender: str, group: str, body: bytes) -> Query:
    """RFC 3376 §7.1 says how to tell the versions apart."""
    if len(body) >= 12:
        return Query(sender, group, _time(body[1], 8) / 10, *_querier(body[8:10]))
    _require(len(body) == 8, "a query of no version")
    return Query(sender, group, body[1] / 10 if body[1] else None)


def read_mld(packet: bytes) -> Message:
    """An IPv6 packet, from its header on. Raises RemoteProtocolError for what a host ignores."""
    _require(len(packet) >= 48 and packet[0] >> 4 == 6, "no IPv6 header")
    length, options = 40 + int.from_bytes(packet[4:6], "big"), 48 + 8 * packet[41]
    headers = packet[6], packet[40]
    _require(headers == (socket.IPPROTO_HOPOPTS, socket.IPPROTO_ICMPV6), "no MLD")
    # RFC 3810 §5: with a hop limit of 1, a router alert option, and from a link-local address.
    _require(packet[7] == 1 and _ALERT in packet[42:options], "not of this link")
    _require(length <= len(packet), "cut off")
    body = packet[options:length]
    pseudo = packet[8:40] + struct.pack(">II", len(body), socket.IPPROTO_ICMPV6)
    _require(len(body) >= 8 and _sum(pseudo + body) == 0, "MLD too short or spoilt")
    sender = socket.inet_ntop(socket.AF_INET6, packet[8:24])
    match body[0]:
        case 130 if packet[8] == 0xFE and packet[9] & 0xC0 == 0x80:
            return _mld_query(sender, body)
        case 131 if len(body) >= 24:
            return Report(sender, (socket.inet_ntop(socket.AF_INET6, body[8:24]),))
        case 143:
            return Report(sender, tuple(_records(body, socket.AF_INET6)))
        case _:
            raise RemoteProtocolError("neither query nor report")


def _mld_query(sender: str, body: bytes) -> Query:
    """RFC 3810 §8.1 says how to tell the versions apart."""
    _require(len(body) == 24 or len(body) >= 28, "a query of no version")
    group = socket.inet_ntop(socket.AF_INET6, body[8:24]) if any(body[8:24]) else ""
    code = int.from_bytes(body[4:6], "big")
    if len(body) == 24:
        return Query(sender, group, code / 1000)
    return Query(sender, group, _time(code, 16) / 1000, *_querier(body[24:26]))


def _querier(data: bytes) -> tuple[float | None, int | None]:
    """Interval and robustness (RFC 3376 §4.1.6, §4.1.7); 0: it does not say."""
    return float(_time(data[1], 8)) or None, data[0] & 7 or None


def _time(code: int, bits: int) -> int:
    """RFC 3376 §4.1.1, RFC 3810 §5.1.3: the upper half of the values is in floating point."""
    if code < 1 << bits - 1:
        return code
    digits = bits - 4
    return (code & (1 << digits) - 1 | 1 << digits) << (code >> digits & 7) + 3


def _records(body: bytes, family: socket.AddressFamily) -> Iterator[str]:
    """The groups of a report of IGMPv3 (RFC 3376 §4.2) or MLDv2 that its sender is in."""
    size = 4 if family == socket.AF_INET else 16
    at = 8
    for _ in range(int.from_bytes(body[6:8], "big")):
        _require(at + 4 + size <= len(body), "records cut off")
        senders = int.from_bytes(body[at + 2 : at + 4], "big")
        if body[at] in _JOINED or (body[at] in _JOINED_WITH_SENDERS and senders):
            yield socket.inet_ntop(family, body[at + 4 : at + 4 + size])
        at += 4 + size + senders * size + 4 * body[at + 1]


def _require(condition: bool, words: str) -> None:
    if not condition:
        raise RemoteProtocolError(words)


def _sum(data: bytes) -> int:
    """RFC 1071: 0 where the checksum in it is right."""
    words = struct.unpack(f">{len(data) // 2}H", data[: len(data) & ~1])
    total = sum(words) + (data[-1] << 8 if len(data) % 2 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _attach(one: socket.socket) -> None:
    """Have the kernel drop all else. A few packets may have come before."""
    program = b"".join(struct.pack("@HBBI", *instruction) for instruction in _FILTER)
    kept = ctypes.create_string_buffer(program)
    value = struct.pack("@HP", len(_FILTER), ctypes.addressof(kept))
    one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, value)


class MembershipLists:
    """What the kernel has joined on each interface, of this network namespace.

    The lists of a thousand groups take milliseconds: they are read in another thread than this.
    """

    def __init__(self) -> None:
        self._files: list[IO[str]] = []
        for path in _LISTS:
            with contextlib.suppress(OSError):  # a kernel without it
                self._files.append(Path(path).open(encoding="ascii"))  # noqa: SIM115, see read

    def read(self) -> dict[tuple[str, int], set[str]]:
        """Groups by interface, and 4 or 6. To be called once."""
        found: dict[tuple[str, int], set[str]] = {}
        for file in self._files:
            with file:
                text = file.read()
            read_list(text, found)
        return found


def read_list(text: str, found: dict[tuple[str, int], set[str]]) -> None:
    """Add what one of them says (net/ipv4/igmp.c and net/ipv6/mcast.c of Linux)."""
    groups: set[str] = set()
    for line in text.splitlines():
        words = line.split()
        if line.startswith("\t"):  # a group of IPv4, in the byte order of this machine
            groups.add(socket.inet_ntop(socket.AF_INET, struct.pack("@I", int(words[0], 16))))
        elif ":" in line and line[0].isdecimal():  # the interface that it is of; a name may be long
            groups = found.setdefault((line.partition(":")[0].split()[1], 4), set())
        elif len(words) > 2 and len(words[2]) == 32:
            address = socket.inet_ntop(socket.AF_INET6, bytes.fromhex(words[2]))
            found.setdefault((words[1], 6), set()).add(address)
