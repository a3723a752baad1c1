"""Receivers of light: a library, or written from the published formats and nothing of ours."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class DdpPacket:
    """3waylabs.com/ddp: a header of 10 bytes, and data."""

    version: int
    push: bool
    sequence: int
    kind: str  # "RGB" or "RGBW", each of 8 bits
    destination: int
    offset: int
    data: bytes


def ddp(datagram: bytes) -> DdpPacket:
    flags, sequence, kind, destination = datagram[:4]
    assert not flags & 0b0011_1110, "no timecode, storage, reply, query, reserved bit"
    length = int.from_bytes(datagram[8:10], "big")
    assert len(datagram) == 10 + length
    assert kind & 0b111 == 3, "8 bits for each value"
    return DdpPacket(
        version=flags >> 6,
        push=bool(flags & 1),
        sequence=sequence,
        kind={1: "RGB", 3: "RGBW"}[kind >> 3 & 0b111],
        destination=destination,
        offset=int.from_bytes(datagram[4:8], "big"),
        data=datagram[10:],
    )


@dataclass(frozen=True)
class ArtDmx:
    """art-net.org.uk, "ArtDmx Packet Definition"."""

    sequence: int
    port_address: int
    data: bytes


def art_dmx(datagram: bytes) -> ArtDmx:
    assert datagram[:8] == b"Art-Net\0"
    assert int.from_bytes(datagram[8:10], "little") == 0x5000
    assert int.from_bytes(datagram[10:12], "big") >= 14
    length = int.from_bytes(datagram[16:18], "big")
    assert 2 <= length <= 512
    assert length % 2 == 0
    assert len(datagram) == 18 + length
    return ArtDmx(datagram[12], datagram[15] << 8 | datagram[14], datagram[18:])


@dataclass(frozen=True)
class Sacn:
    """An E1.31 data packet as the library sacn reads it."""

    universe: int
    sequence: int
    priority: int
    source_name: str
    cid: bytes
    terminated: bool
    preview: bool
    synchronised: bool
    start_code: int
    data: bytes


def sacn(datagram: bytes) -> Sacn:
    module: Any = import_module("sacn.messages.data_packet")
    packet = module.DataPacket.make_data_packet(list(datagram))
    assert bytes(packet.getBytes()) == datagram, "as the library writes it itself"
    return Sacn(
        universe=packet.universe,
        sequence=packet.sequence,
        priority=packet.priority,
        source_name=packet.sourceName,
        cid=bytes(packet._cid),
        terminated=packet.option_StreamTerminated,
        preview=packet.option_PreviewData,
        synchronised=bool(packet.syncAddr),
        start_code=packet.dmxStartCode,
        data=bytes(packet.dmxData),
    )


def sacn_universes(datagram: bytes) -> list[int]:
    """What a universe discovery packet tells, as the library reads it."""
    module: Any = import_module("sacn.messages.universe_discovery")
    packet = module.UniverseDiscoveryPacket.make_universe_discovery_packet(list(datagram))
    assert bytes(packet.getBytes()) == datagram, "as the library writes it itself"
    return list(packet.universes)


class Watcher:
    """A lamp in a thread of its own, which remembers the pictures that it was sent.

    read: the levels of a datagram, or None for one that has no picture.
    """

    def __init__(
        self, read: Callable[[bytes], bytes | None], port: int = 0, group: str = ""
    ) -> None:
        self.pictures: list[bytes] = []  # each that differs from the one before
        self.datagrams: list[bytes] = []
        self._read = read
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((group or "127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        if group:
            membership = socket.inet_aton(group) + socket.inet_aton("127.0.0.1")
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self._socket.settimeout(0.1)
        self._ended = False
        self._thread = Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._ended = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        while not self._ended:
            try:
                datagram = self._socket.recv(2048)
            except TimeoutError:
                continue
            self.datagrams.append(datagram)
            levels = self._read(datagram)
            if levels is not None and self.pictures[-1:] != [levels]:
                self.pictures.append(levels)


class Ear:
    """A UDP port of this machine, and what came to it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(20)
        self.port: int = self._socket.getsockname()[1]

    def next(self) -> bytes:
        return self._socket.recv(2048)

    def until(self, wanted: Callable[[bytes], bool]) -> bytes:
        """The first that is wanted; what comes before it is passed over."""
        while not wanted(datagram := self.next()):
            pass
        return datagram

    def close(self) -> None:
        self._socket.close()


def pixels(levels: bytes, width: int = 3) -> list[tuple[int, ...]]:
    return [tuple(levels[i : i + width]) for i in range(0, len(levels), width)]
