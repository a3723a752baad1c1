"""G.722 and G.726-32 by libspandsp, bit-exact to the recommendations of the ITU-T.

G.722 (RFC 3551 §4.5.2) is sound of 16 kHz at 64 kbit/s. By an old error its RTP clock runs at
8 kHz, so that each octet of a payload is one unit of the clock and two samples; its filters delay
by 1.4 ms. G.726-32 (RFC 3551 §4.5.4) codes each sample at 8 kHz with four bits, the first one in
the lower half of an octet, without delay. Every octet string is valid for both. In plain Python
20 ms of G.722 would take 3 ms, and here they take 20 µs.
"""

import ctypes
import weakref
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.codecs.base import Codec
from sipstrobe.codecs.library import SPANDSP, have
from sipstrobe.codecs.pcm import from_pcm, to_pcm

_G722_BITS: Final = 64000  # a second; the modes with 56000 and 48000 are not used in RTP
_G726_BITS: Final = 32000
_LINEAR, _ALAW = 0, 2  # G726_ENCODING_…
_RIGHT: Final = 2  # G726_PACKING_RIGHT: the first code in the low bits
_ALAW_POSITIVE: Final = 0x80  # G.711: codes from here on
_LOUD: Final = 0.5  # samples below it have not wrapped around
_QUIET: Final = b"\xff"  # an octet of the smallest steps that there are, in all bands
_OCTETS_A_SECOND: Final = 1000  # of gap: of two samples each, so that the scale sinks in time …
_LONGEST_QUIET: Final = 100  # … until it is at its least
_HIGHEST: Final = 32767 / 32768


@cache
def _functions() -> ctypes.CDLL:
    """The library, with the types of what is used of it."""
    library = have(SPANDSP)
    pointer, number = ctypes.c_void_p, ctypes.c_int
    for name in ("g722_encode_init", "g722_decode_init", "g726_init"):
        getattr(library, name).restype = pointer
    for name in ("g722_encode", "g722_decode", "g726_encode", "g726_decode"):
        getattr(library, name).argtypes = (pointer, pointer, pointer, number)
    for name in ("g722_encode_free", "g722_decode_free", "g726_free"):
        getattr(library, name).argtypes = (pointer,)
    return library


_Function = Callable[..., int]


class _Coder:
    """One direction with the state that the library keeps for it, until this is forgotten."""

    def __init__(self, state: int, step: _Function, free: _Function) -> None:
        self._state, self._step = state, step
        weakref.finalize(self, free, state).atexit = False

    def step(self, into: object, out_of: object, size: int) -> None:
        """Turn so many samples or octets into the others."""
        self._step(self._state, into, out_of, size)


class _Decoder(_Coder):
    """Two samples an octet; the predictors go on from payload to payload."""

    rate: int  # of the samples

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        pcm = np.empty(2 * len(payload), np.int16)
        self.step(pcm.ctypes.data, payload, len(payload))
        return from_pcm(pcm)

    def miss(self, samples: int) -> None:
        """Let the scale that is learnt sink: after a gap it may be wrong by 20 dB, and what is too
        loud by that is a crack."""
        quiet = _QUIET * min(samples * _OCTETS_A_SECOND // self.rate, _LONGEST_QUIET)
        self.decode(quiet)


class _Encoder(_Coder):
    """Takes whole pairs of samples."""

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        pcm = to_pcm(samples)
        payload = ctypes.create_string_buffer(pcm.size // 2)
        self.step(payload, pcm.ctypes.data, pcm.size)
        return payload.raw

    def silence(self, samples: int) -> bytes:
        return self.encode(np.zeros(samples, np.float32))


class G722Decoder(_Decoder):
    """Sound at 16 kHz."""

    rate = 16000

    def __init__(self) -> None:
        c = _functions()
        state = c.g722_decode_init(None, _G722_BITS, 0)
        super().__init__(state, c.g722_decode, c.g722_decode_free)

    def duration(self, payload: bytes) -> int:
        return len(payload)


class G722Encoder(_Encoder):
    """Sound at 16 kHz."""

    def __init__(self) -> None:
        c = _functions()
        state = c.g722_encode_init(None, _G722_BITS, 0)
        super().__init__(state, c.g722_encode, c.g722_encode_free)


class G726Decoder(_Decoder):
    """Sound at 8 kHz.

    The library lets linear samples beyond full scale wrap around, which is a loud crackling, yet
    clips those that it makes in A-law. So it makes both, and the signs of those decide.
    """

    rate = 8000

    def __init__(self) -> None:
        c = _functions()
        super().__init__(_g726(_LINEAR), c.g726_decode, c.g726_free)
        self._signs = _Coder(_g726(_ALAW), c.g726_decode, c.g726_free)

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        samples = super().decode(payload)
        codes = np.empty(samples.size, np.uint8)
        self._signs.step(codes.ctypes.data, payload, len(payload))
        negative = codes < _ALAW_POSITIVE
        wrapped = (np.abs(samples) > _LOUD) & (negative != (samples < 0.0))
        if wrapped.any():
            samples[wrapped] = np.where(negative[wrapped], -1.0, _HIGHEST)
        return samples

    def duration(self, payload: bytes) -> int:
        return 2 * len(payload)


class G726Encoder(_Encoder):
    """Sound at 8 kHz."""

    def __init__(self) -> None:
        c = _functions()
        super().__init__(_g726(_LINEAR), c.g726_encode, c.g726_free)


def _g726(kind: int) -> int:
    """A new state for samples of this kind."""
    state: int = _functions().g726_init(None, _G726_BITS, kind, _RIGHT)
    return state


G722: Final = Codec("G722", 8000, 16000, lambda _: G722Encoder(), G722Decoder, SPANDSP)
G726_32: Final = Codec("G726-32", 8000, 8000, lambda _: G726Encoder(), G726Decoder, SPANDSP)
