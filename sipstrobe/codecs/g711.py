"""PCMU and PCMA: ITU-T G.711 µ-law and A-law by table, RFC 3551 §4.5.14.

The tables are computed from the segment formulas of the recommendation, bit-exact to the reference
code of ITU-T G.191. µ-law codes 14 bits of a sample and A-law 13; both are given 16 here, of which
the rest is cut off.
"""

from functools import lru_cache
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.pcm import from_pcm, to_pcm

CLOCK_RATE: Final = 8000  # Hz
_BIAS: Final = 33  # G.711 µ-law: added so that every segment starts at a power of two
_LARGEST: Final = 0x1FFF


def _expand_ulaw() -> NDArray[np.int16]:
    """The 16-bit value of each µ-law code: G.711 table 2."""
    code = ~np.arange(256, dtype=np.int32)
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    magnitude = (((mantissa << 1) + _BIAS) << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude << 2, magnitude << 2).astype(np.int16)


def _expand_alaw() -> NDArray[np.int16]:
    """The 16-bit value of each A-law code: G.711 table 1."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 0x0F
    linear = (mantissa << 4) + 8
    magnitude = np.where(exponent, (linear + 0x100) << np.maximum(exponent - 1, 0), linear)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _segments(magnitude: NDArray[np.int32], first: int) -> NDArray[np.int32]:
    """In which of the eight segments each magnitude lies; the first one ends at `first`."""
    ends = first << np.arange(7)
    return np.searchsorted(ends, magnitude, side="right").astype(np.int32)


def _compress_ulaw() -> NDArray[np.uint8]:
    """The µ-law code of each 16-bit pattern, index = the sample as uint16."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum((np.where(sample < 0, ~sample, sample) >> 2) + _BIAS, _LARGEST)
    exponent = _segments(magnitude, 64)
    mantissa = (magnitude >> (exponent + 1)) & 0x0F
    code = ~((exponent << 4) | mantissa) & 0x7F
    return np.where(sample < 0, code, code | 0x80).astype(np.uint8)


def _compress_alaw() -> NDArray[np.uint8]:
    """The A-law code of each 16-bit pattern, index = the sample as uint16."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.where(sample < 0, ~sample, sample) >> 4
    exponent = _segments(magnitude, 16)
    mantissa = (magnitude >> np.maximum(exponent - 1, 0)) & 0x0F
    code = (exponent << 4) | mantissa
    return (np.where(sample < 0, code, code | 0x80) ^ 0x55).astype(np.uint8)


class _Decoder:
    """One code is one sample; every octet string is valid; no state."""

    table: ClassVar[NDArray[np.int16]]
    _floats: ClassVar[NDArray[np.float32]]

    def __init_subclass__(cls) -> None:
        cls._floats = from_pcm(cls.table)

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        return self._floats.take(np.frombuffer(payload, np.uint8))

    def duration(self, payload: bytes) -> int:
        return len(payload)


class _Encoder:
    """One sample is one code; no state."""

    table: ClassVar[NDArray[np.uint8]]
    _silence: ClassVar[int]

    def __init_subclass__(cls) -> None:
        cls._silence = int(cls.table[0])

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        return self.table.take(to_pcm(samples).view(np.uint16)).tobytes()

    def silence(self, samples: int) -> bytes:
        return _repeat(self._silence, samples)


@lru_cache(maxsize=64)
def _repeat(code: int, samples: int) -> bytes:
    return bytes([code]) * samples


class UlawDecoder(_Decoder):
    """µ-law: 255 and 127 are the two zeros."""

    table = _expand_ulaw()


class UlawEncoder(_Encoder):
    """µ-law."""

    table = _compress_ulaw()


class AlawDecoder(_Decoder):
    """A-law: there is no zero; silence is the smallest step, 213."""

    table = _expand_alaw()


class AlawEncoder(_Encoder):
    """A-law."""

    table = _compress_alaw()


PCMU: Final = Codec("PCMU", CLOCK_RATE, CLOCK_RATE, lambda _: UlawEncoder(), UlawDecoder)
PCMA: Final = Codec("PCMA", CLOCK_RATE, CLOCK_RATE, lambda _: AlawEncoder(), AlawDecoder)
