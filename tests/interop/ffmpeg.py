"""What FFmpeg makes of a sound: its codecs, and the RTP packets in which it sends them."""

import socket
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

LIMIT = 30.0  # seconds that it may take
QUIET = 0.2  # seconds after its end in which its last packets arrive
TYPE = 96  # the payload type of what it packs
_PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)  # of Ethernet frames
_ETHERNET = bytes(12) + b"\x08\x00"  # IPv4 follows


def encode(sound: Path, codec: str, container: str, path: Path) -> Path:
    """A file of payloads, one after the other."""
    command = ["ffmpeg", "-v", "error", "-y", "-i", sound, "-c:a", codec, "-f", container, path]
    subprocess.run(command, check=True, timeout=LIMIT)
    return path


def packed(sound: Path, options: Sequence[str], clock_rate: int, octets: int, path: Path) -> Path:
    """A capture (pcap) of the packets, at most so many octets long, at the pace of their
    timestamps, as SIPp can replay them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        here.bind(("127.0.0.1", 0))
        here.settimeout(QUIET)
        url = f"rtp://127.0.0.1:{here.getsockname()[1]}?pkt_size={octets}"
        target = ("-f", "rtp", "-payload_type", str(TYPE), url)
        process = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-i", sound, *options, *target], stdout=subprocess.DEVNULL
        )
        try:
            packets = _received(here, process)
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()
            process.wait()
    path.write_bytes(_PCAP + b"".join(_record(p, packets[0], clock_rate) for p in packets))
    return path


def _received(here: socket.socket, process: "subprocess.Popen[bytes]") -> list[bytes]:
    """All that comes until it is quiet after the end."""
    packets: list[bytes] = []
    for _ in range(round(LIMIT / QUIET)):
        ended = process.poll() is not None
        try:
            while True:
                packets.append(here.recv(4096))
        except TimeoutError:
            if ended:
                break
    return packets


def _record(packet: bytes, first: bytes, clock_rate: int) -> bytes:
    """One of the capture, from an address that SIPp puts its own in place of."""
    timestamp, begin = (struct.unpack_from("!I", data, 4)[0] for data in (packet, first))
    at = (timestamp - begin) % 2**32 * 1_000_000 // clock_rate
    udp = struct.pack("!HHHH", 4000, 4000, 8 + len(packet), 0) + packet
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), bytes(4))
    frame = _ETHERNET + ip + udp
    return struct.pack("<IIII", *divmod(at, 1_000_000), len(frame), len(frame)) + frame
