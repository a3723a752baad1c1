"""What queriers and members say about multicast groups, whole packets, as they come by."""

import socket
import struct
from collections.abc import Collection, Sequence

ALL_HOSTS, ALL_ROUTERS = "224.0.0.1", "224.0.0.22"
ALL_NODES, ALL_LISTENERS = "ff02::1", "ff02::16"
IS_INCLUDE, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE, ALLOW, BLOCK = range(1, 7)  # RFC 3376 §4.2.12
Record = tuple[int, str, Sequence[str]]  # its type, group and senders


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def igmp(sender: str, to: str, body: bytes) -> bytes:
    """An IPv4 packet with the router alert option; the checksum in body is filled in."""
    body = body[:2] + struct.pack(">H", checksum(body[:2] + b"\0\0" + body[4:])) + body[4:]
    length = 24 + len(body)
    head = struct.pack(">BBHHHBBH", 0x46, 0xC0, length, 0, 0, 1, 2, 0) + packed(sender) + packed(to)
    head += b"\x94\x04\0\0"
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body


def igmp_query(
    sender: str,
    group: str = "0.0.0.0",
    *,
    version: int = 3,
    response: int = 100,
    robustness: int = 2,
    interval: int = 125,
) -> bytes:
    """response and interval: codes, in tenths of a second and in seconds up to 127."""
    body = struct.pack(">BBH", 0x11, 0 if version == 1 else response, 0) + packed(group)
    if version == 3:
        body += struct.pack(">BBH", robustness, interval, 0)
    return igmp(sender, ALL_HOSTS if group == "0.0.0.0" else group, body)


def igmp_report(sender: str, records: Collection[Record]) -> bytes:
    """Of version 3."""
    return igmp(
        sender, ALL_ROUTERS, struct.pack(">BBHHH", 0x22, 0, 0, 0, len(records)) + _records(records)
    )


def old_report(sender: str, group: str, kind: int = 0x16) -> bytes:
    """Of version 2 (or 1: 0x12; or its leave message: 0x17)."""
    return igmp(sender, group, struct.pack(">BBH", kind, 0, 0) + packed(group))


def mld(sender: str, to: str, body: bytes) -> bytes:
    """An IPv6 packet with the router alert option; the checksum in body is filled in."""
    addresses = packed(sender) + packed(to)
    pseudo = addresses + struct.pack(">II", len(body), 58)
    found = checksum(pseudo + body[:2] + b"\0\0" + body[4:])
    body = body[:2] + struct.pack(">H", found) + body[4:]
    head = struct.pack(">IHBB", 6 << 28, 8 + len(body), 0, 1) + addresses
    return head + bytes([58, 0, 5, 2, 0, 0, 1, 0]) + body


def mld_query(
    sender: str,
    group: str = "::",
    *,
    version: int = 2,
    response: int = 10_000,
    robustness: int = 2,
    interval: int = 125,
) -> bytes:
    """response: a code, in milliseconds up to 32767."""
    body = struct.pack(">BBHHH", 130, 0, 0, response, 0) + packed(group)
    if version == 2:
        body += struct.pack(">BBH", robustness, interval, 0)
    return mld(sender, ALL_NODES if group == "::" else group, body)


def mld_report(sender: str, records: Collection[Record]) -> bytes:
    """Of version 2."""
    head = struct.pack(">BBHHH", 143, 0, 0, 0, len(records))
    return mld(sender, ALL_LISTENERS, head + _records(records))


def old_mld_report(sender: str, group: str, kind: int = 131) -> bytes:
    """Of version 1 (or its done message: 132)."""
    return mld(sender, group, struct.pack(">BBHHH", kind, 0, 0, 0, 0) + packed(group))


def mended(packet: bytes) -> bytes:
    """With the checksum that a spoilt packet should have, where it has room for one."""
    if not packet:
        return packet
    if packet[0] >> 4 == 4:
        at, end = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
    else:
        at = 48 + 8 * packet[41] if len(packet) > 41 else len(packet)
        end = 40 + int.from_bytes(packet[4:6], "big")
    body = packet[at:end]
    if len(body) < 8:
        return packet
    pseudo = b"" if packet[0] >> 4 == 4 else packet[8:40] + struct.pack(">II", len(body), 58)
    found = checksum(pseudo + body[:2] + b"\0\0" + body[4:])
    return packet[: at + 2] + struct.pack(">H", found) + packet[at + 4 :]


def put(interface: str, packet: bytes) -> None:
    """Send it on a link of the network namespace that the thread is in."""
    ipv4 = packet[0] >> 4 == 4
    to = packet[16:20] if ipv4 else packet[24:40]
    hardware = b"\x01\x00\x5e" + bytes([to[1] & 127]) + to[2:] if ipv4 else b"\x33\x33" + to[12:]
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as made:
        made.sendto(packet, (interface, 0x0800 if ipv4 else 0x86DD, 0, 0, hardware))


def _records(records: Collection[Record]) -> bytes:
    return b"".join(
        struct.pack(">BBH", kind, 0, len(senders)) + packed(group) + b"".join(map(packed, senders))
        for kind, group, senders in records
    )
