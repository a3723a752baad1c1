"""A file of packets as other programs read it: the classic libpcap format.

The packets are what we have said and heard ourselves, so that no right to the network card is
needed; the headers of IP and UDP around them are made here (RFC 791, RFC 8200, RFC 768).
"""

import ipaddress
import struct
from typing import Final

Endpoint = tuple[str, int]

LINKTYPE_RAW: Final = 101  # each packet begins with its IP header
SNAPLEN: Final = 65535
HEADER: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAPLEN, LINKTYPE_RAW)
_RECORD: Final = struct.Struct("<IIII")  # seconds, microseconds, bytes here, bytes there
_IPV4: Final = struct.Struct("!BBHHHBBH4s4s")
_IPV6: Final = struct.Struct("!IHBB16s16s")
_UDP: Final = struct.Struct("!HHHH")
_PROTOCOL: Final = 17
_TTL: Final = 64
LARGEST: Final = SNAPLEN - 40 - _UDP.size  # bytes of what is in one packet; of more, these


def record(wall: float, source: Endpoint, to: Endpoint, payload: bytes) -> bytes:
    """One datagram. wall: seconds since 1970; addresses are numeric, both of one version.

    Raises ValueError for what is no address.
    """
    payload = payload[:LARGEST]
    ours, theirs = _packed(source[0]), _packed(to[0])
    if len(ours) != len(theirs):
        ours, theirs = (a if len(a) == 16 else b"\0" * 10 + b"\xff\xff" + a for a in (ours, theirs))
    length = _UDP.size + len(payload)
    udp = _UDP.pack(source[1], to[1], length, 0)
    if len(ours) == 4:
        packet = _ipv4(ours, theirs, length) + udp + payload
    else:
        # RFC 8200 §8.1: over IPv6 the checksum is not optional.
        pseudo = ours + theirs + struct.pack("!II", length, _PROTOCOL)
        total = _checksum(pseudo + udp + payload) or 0xFFFF
        udp = _UDP.pack(source[1], to[1], length, total)
        packet = _IPV6.pack(6 << 28, length, _PROTOCOL, _TTL, ours, theirs) + udp + payload
    seconds, fraction = divmod(wall, 1)
    return _RECORD.pack(int(seconds), int(fraction * 1e6), len(packet), len(packet)) + packet


def _ipv4(source: bytes, to: bytes, length: int) -> bytes:
    fields = (0x45, 0, _IPV4.size + length, 0, 0, _TTL, _PROTOCOL)
    blank = _IPV4.pack(*fields, 0, source, to)
    return _IPV4.pack(*fields, _checksum(blank), source, to)


def _packed(host: str) -> bytes:
    return ipaddress.ip_address(host.partition("%")[0]).packed


def _checksum(data: bytes) -> int:
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
