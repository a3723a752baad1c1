"""DMX512 over IP: ANSI E1.31-2018, "sACN", by multicast or to one host.

A datagram has three layers, each with its length: root (§5), framing (§6) and DMP (§7). Every ten
seconds we say which universes we send (§8, universe discovery). They are not synchronised (§11).
"""

from collections.abc import Callable, Sequence
from struct import Struct, pack
from typing import Final

from sipstrobe.io.lights.datagrams import LightSocket
from sipstrobe.io.lights.dmx import SLOTS, parts

PORT: Final = 5568  # ACN_SDT_MULTICAST_PORT
VECTOR_ROOT_E131_DATA: Final = 0x00000004
VECTOR_ROOT_E131_EXTENDED: Final = 0x00000008
VECTOR_E131_DATA_PACKET: Final = 0x00000002
VECTOR_E131_EXTENDED_DISCOVERY: Final = 0x00000002
VECTOR_DMP_SET_PROPERTY: Final = 0x02
VECTOR_UNIVERSE_DISCOVERY_UNIVERSE_LIST: Final = 0x00000001
STREAM_TERMINATED: Final = 0x40  # §6.2.6, bit 6 of the options
TERMINATIONS: Final = 3  # datagrams, §6.2.6
E131_UNIVERSE_DISCOVERY_INTERVAL: Final = 10.0  # seconds, appendix A
DISCOVERY_GROUP: Final = "239.255.250.214"  # of universe 64214, appendix A
_PREAMBLE: Final = pack("!HH12s", 0x0010, 0, b"ASC-E1.17\0\0\0")
_HEADER: Final = Struct("!16sHI16sHI64sBHBBHHBBHHHB")
_DISCOVERY: Final = Struct("!16sHI16sHI64sIHIBB")
SIZE: Final = _HEADER.size + SLOTS


def group_of(universe: int) -> str:
    """The multicast group of a universe (§9.3.1)."""
    return f"239.255.{universe >> 8}.{universe & 255}"


class E131:
    """Pixels in one or more universes, from one on.

    sockets: the way to each universe; discovery: to everybody, where there is such a way. cid: who
    we are, 16 bytes that are ours for ever (§5.6).
    """

    def __init__(
        self,
        sockets: Sequence[LightSocket],
        discovery: LightSocket | None,
        *,
        cid: bytes,
        source_name: str,
        universe: int,
        channel: int,
        priority: int,
        size: int,
        width: int,
        now: Callable[[], float],
    ) -> None:
        self._sockets = sockets
        self._discovery = discovery
        self._cid = cid
        self._name = source_name.encode()
        self._priority = priority
        self._first = universe
        self._parts = parts(size, width, channel)
        self._slots = [bytes(SLOTS)] * len(self._parts)
        self._sequence = 0
        self._now = now
        self._discovered_at = float("-inf")

    def send(self, levels: bytes) -> None:
        slots: list[bytes] = []
        for part in self._parts:
            data = bytes(part.slot) + levels[part.start : part.end]
            slots.append(data.ljust(SLOTS, b"\0"))
        self._slots = slots
        self._send_all(0)
        now = self._now()
        if self._discovery is not None and (
            now - self._discovered_at >= E131_UNIVERSE_DISCOVERY_INTERVAL
        ):
            self._discovered_at = now
            self._discovery.send(self._universe_list())
        for socket in self._sockets:
            socket.complain()

    def check(self) -> None:
        for socket in self._sockets:
            socket.check()

    def close(self) -> None:
        for _ in range(TERMINATIONS):
            self._send_all(STREAM_TERMINATED)
        for socket in self._sockets:
            socket.close()
        if self._discovery is not None:
            self._discovery.close()

    def _send_all(self, options: int) -> None:
        """One sequence for all universes: each of them sees a gapless one."""
        self._sequence = (self._sequence + 1) & 255
        for i, (socket, slots) in enumerate(zip(self._sockets, self._slots, strict=True)):
            socket.send(self._packet(self._first + i, options, slots))

    def _packet(self, universe: int, options: int, slots: bytes) -> bytes:
        """Table 4-1; no synchronisation address, start code 0."""
        return (
            _HEADER.pack(
                _PREAMBLE,
                0x7000 | SIZE - 16,
                VECTOR_ROOT_E131_DATA,
                self._cid,
                0x7000 | SIZE - 38,
                VECTOR_E131_DATA_PACKET,
                self._name,
                self._priority,
                0,
                self._sequence,
                options,
                universe,
                0x7000 | SIZE - 115,
                VECTOR_DMP_SET_PROPERTY,
                0xA1,
                0x0000,
                0x0001,
                1 + SLOTS,
                0x00,
            )
            + slots
        )

    def _universe_list(self) -> bytes:
        """Table 8-1: one page, since there are at most a few universes."""
        count = len(self._parts)
        size = _DISCOVERY.size + 2 * count
        universes = range(self._first, self._first + count)
        return _DISCOVERY.pack(
            _PREAMBLE,
            0x7000 | size - 16,
            VECTOR_ROOT_E131_EXTENDED,
            self._cid,
            0x7000 | size - 38,
            VECTOR_E131_EXTENDED_DISCOVERY,
            self._name,
            0,
            0x7000 | size - 112,
            VECTOR_UNIVERSE_DISCOVERY_UNIVERSE_LIST,
            0,
            0,
        ) + pack(f"!{count}H", *universes)
