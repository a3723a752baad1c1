"""WS2812 and SK6812 strips at the data line (MOSI) of an SPI port: /dev/spidev of Linux.

The strip tells its bits apart by how long the line is high, and takes a picture when the line has
been low for a while (280 µs; older ones 50 µs). So each bit of it is 3 or 4 bits of SPI, at a rate
by which these times come out:

    bits   rate      0: high   1: high   a bit in all (WS2812B: 0.22…0.45, 0.58…1.0, ≥ 1.2 µs)
    3      2.4 MHz   0.42 µs   0.83 µs   1.25 µs
    4      3.0 MHz   0.33 µs   0.67 µs   1.33 µs

A picture is one transfer, since a gap in it would be taken for its end.
"""

import errno
import fcntl
import os
from collections.abc import Callable
from struct import pack
from typing import Final

import numpy as np
from numpy.typing import NDArray

SPI_IOC_WR_MODE: Final = 0x40016B01  # linux/spi/spidev.h
SPI_IOC_WR_BITS_PER_WORD: Final = 0x40016B03
SPI_IOC_WR_MAX_SPEED_HZ: Final = 0x40046B04
RATE: Final = {3: 2_400_000, 4: 3_000_000}  # bits a second
PATTERNS: Final = {3: ("100", "110"), 4: ("1000", "1100")}  # of a 0 and of a 1
RESET: Final = 300e-6  # seconds


def encoding(bits: int) -> NDArray[np.uint8]:
    """What goes over SPI for each value of a byte, shape (256, bits)."""
    zero, one = PATTERNS[bits]
    rows = [
        "".join(one if value >> n & 1 else zero for n in range(7, -1, -1)) for value in range(256)
    ]
    return np.array([list(int(row, 2).to_bytes(bits, "big")) for row in rows], np.uint8)


def open_spi(device: str, bits: int) -> int:
    """Open the port for writing, mode 0. Raises OSError when it is none."""
    port = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
    try:
        fcntl.ioctl(port, SPI_IOC_WR_MODE, b"\0")
        fcntl.ioctl(port, SPI_IOC_WR_BITS_PER_WORD, b"\x08")
        fcntl.ioctl(port, SPI_IOC_WR_MAX_SPEED_HZ, pack("=I", RATE[bits]))
    except OSError as error:
        os.close(port)
        if error.errno == errno.ENOTTY:
            raise OSError(error.errno, f"{device} is no SPI port") from None
        raise
    return port


class Ws2812:
    """A strip at an open port. bits: of SPI for one of the strip, 3 or 4."""

    def __init__(
        self, device: str, bits: int, open_port: Callable[[str, int], int] = open_spi
    ) -> None:
        self._table = encoding(bits)
        self._silence = bytes(-(-round(RATE[bits] * RESET) // 8))
        self._port = open_port(device, bits)

    def write(self, levels: bytes) -> None:
        """The line is low before and after, whatever it is at rest. Blocks for 30 µs a pixel."""
        coded = self._table[np.frombuffer(levels, np.uint8)].tobytes()
        transfer = b"\0" + coded + self._silence
        try:
            os.write(self._port, transfer)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                words = f"a picture has {len(transfer)} bytes: give spidev a larger bufsiz"
                raise OSError(error.errno, words) from None
            raise

    def close(self) -> None:
        os.close(self._port)
