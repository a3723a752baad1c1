"""Reads files of libpcap, by its own description of the format: what we write is checked by it."""

import struct
from dataclasses import dataclass
from ipaddress import ip_address


@dataclass(frozen=True)
class Datagram:
    """at: seconds since 1970; sound: the checksums are right."""

    at: float
    source: tuple[str, int]
    to: tuple[str, int]
    payload: bytes
    sound: bool


def read_pcap(data: bytes) -> list[Datagram]:
    magic, major, minor, _, _, _, linktype = struct.unpack_from("<IHHiIII", data)
    assert (magic, major, minor, linktype) == (0xA1B2C3D4, 2, 4, 101)
    at, found = 24, list[Datagram]()
    while at < len(data):
        seconds, micros, length, original = struct.unpack_from("<IIII", data, at)
        assert length == original
        found.append(_datagram(seconds + micros / 1e6, data[at + 16 : at + 16 + length]))
        at += 16 + length
    return found


def _datagram(wall: float, packet: bytes) -> Datagram:
    if packet[0] >> 4 == 4:
        assert packet[0] & 15 == 5
        assert packet[9] == 17
        assert struct.unpack_from("!H", packet, 2)[0] == len(packet)
        source, to, udp = packet[12:16], packet[16:20], packet[20:]
        sound = _sum(packet[:20]) == 0xFFFF
    else:
        assert packet[6] == 17
        source, to, udp = packet[8:24], packet[24:40], packet[40:]
        sound = _sum(source + to + struct.pack("!II", len(udp), 17) + udp) == 0xFFFF
    ours, theirs, length, _ = struct.unpack_from("!HHHH", udp)
    assert length == len(udp)
    return Datagram(
        wall, (str(ip_address(source)), ours), (str(ip_address(to)), theirs), udp[8:], sound
    )


def _sum(data: bytes) -> int:
    total = sum(int.from_bytes(data[n : n + 2].ljust(2, b"\0")) for n in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
