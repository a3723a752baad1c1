"""DMX512 over UDP as Art-Net 4 has it (art-net.org.uk, "ArtDmx"): to one node, or broadcast.

    0 "Art-Net\\0"    8 OpDmx, low byte first    10 protocol version 14    12 sequence 1…255
    13 physical    14 SubUni    15 Net    16 length, even, 2…512    18 data

Nodes are not asked for (ArtPoll): the settings say where they are. Art-Net is a protocol of
Artistic Licence.
"""

from itertools import cycle
from struct import Struct
from typing import Final

from sipstrobe.io.lights.datagrams import LightSocket
from sipstrobe.io.lights.dmx import parts

OP_DMX: Final = 0x5000
PROTOCOL_VERSION: Final = 14
_HEAD: Final = Struct("<8sH").pack(b"Art-Net\0", OP_DMX)
_FIELDS: Final = Struct("!HBBBBH")


class ArtNet:
    """Pixels in one or more universes. port_address: of the first, 15 bits."""

    def __init__(
        self, socket: LightSocket, *, port_address: int, channel: int, size: int, width: int
    ) -> None:
        self._socket = socket
        self._first = port_address
        self._parts = parts(size, width, channel)
        self._sequence = cycle(range(1, 256))

    def send(self, levels: bytes) -> None:
        sequence = next(self._sequence)  # each universe sees a gapless one
        for part in self._parts:
            data = bytes(part.slot) + levels[part.start : part.end]
            data += bytes(len(data) & 1)
            address = self._first + part.universe
            fields = _FIELDS.pack(
                PROTOCOL_VERSION, sequence, 0, address & 255, address >> 8 & 127, len(data)
            )
            self._socket.send(_HEAD + fields + data)
        self._socket.complain()

    def check(self) -> None:
        self._socket.check()

    def close(self) -> None:
        """The protocol has no farewell: nodes keep the last picture, or as they are set."""
        self._socket.close()
