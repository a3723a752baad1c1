"""L16: samples of 16 bits as they are, in network byte order, RFC 3551 §4.5.11; at any rate."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.pcm import FULL_SCALE, to_pcm
from sipstrobe.errors import RemoteProtocolError

_BIG_ENDIAN: Final = np.dtype(">i2")


class L16Decoder:
    """Two octets are a sample; no state, no delay."""

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        if len(payload) % 2:
            raise RemoteProtocolError("an L16 payload with half a sample")
        return np.frombuffer(payload, _BIG_ENDIAN).astype(np.float32) / FULL_SCALE

    def duration(self, payload: bytes) -> int:
        return len(payload) // 2


class L16Encoder:
    """A sample is two octets; no state."""

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        return to_pcm(samples).astype(_BIG_ENDIAN).tobytes()

    def silence(self, samples: int) -> bytes:
        return _zeros(samples)


@lru_cache(maxsize=64)
def _zeros(samples: int) -> bytes:
    return bytes(2 * samples)


def _at(rate: int) -> Codec:
    return Codec(f"L16/{rate}", rate, rate, lambda _: L16Encoder(), L16Decoder)


L16_8000: Final = _at(8000)
L16_16000: Final = _at(16000)
L16_48000: Final = _at(48000)
