"""Distributed Display Protocol, version 1 (3waylabs.com/ddp), as WLED hears it on port 4048.

    0 flags: version (2 bits), timecode, storage, reply, query, push    1 sequence 1…15
    2 data type (TTT: 1 RGB, 3 RGBW; SSS: 3 for 8 bits)                 3 destination
    4 offset (4 bytes)    8 length (2 bytes)    10 data

The last datagram of a picture has the push flag: only then it is shown, as a whole.
"""

from itertools import cycle
from struct import Struct
from typing import Final

from sipstrobe.io.lights.datagrams import LightSocket

VERSION_1: Final = 0x40
PUSH: Final = 0x01
RGB_8: Final = 0x0B
RGBW_8: Final = 0x1B
DISPLAY: Final = 1  # the default output of the controller
MAX_DATA: Final = 1440  # bytes; whole pixels of 3 and of 4 bytes
_HEADER: Final = Struct("!BBBBIH")


class Ddp:
    """Pixels behind a controller. width: bytes of a pixel, 3 or 4."""

    def __init__(self, socket: LightSocket, width: int) -> None:
        self._socket = socket
        self._type = RGBW_8 if width == 4 else RGB_8
        self._sequence = cycle(range(1, 16))

    def send(self, levels: bytes) -> None:
        for offset in range(0, len(levels), MAX_DATA):
            data = levels[offset : offset + MAX_DATA]
            push = PUSH if offset + MAX_DATA >= len(levels) else 0
            header = _HEADER.pack(
                VERSION_1 | push, next(self._sequence), self._type, DISPLAY, offset, len(data)
            )
            self._socket.send(header + data)
        self._socket.complain()

    def check(self) -> None:
        self._socket.check()

    def close(self) -> None:
        """The protocol has no farewell: the controller goes its own way after its timeout."""
        self._socket.close()
