"""Echo cancellation by libspeexdsp, where that is installed: its adaptive filter (MDF), and the
suppression of what the filter leaves.

The library is reached through ctypes, and looked for when it is first asked for.
"""

import ctypes
import logging
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

LIBRARY: Final = "libspeexdsp.so.1"
PACKAGE: Final = "libspeexdsp1"  # of Debian
RESIDUAL_DB: Final = -40  # what is left of the echo is pressed by so much while only it is heard …
RESIDUAL_ACTIVE_DB: Final = -15  # … and by so much while somebody speaks over it
LOUDER: Final = 1.12  # in power (0.5 dB): what is left of a sound is never louder than the sound
SMOOTHING: Final = 0.2  # of both powers, a frame

# From speex_echo.h and speex_preprocess.h:
_SET_SAMPLING_RATE: Final = 24
_SET_DENOISE, _SET_ECHO_SUPPRESS, _SET_ECHO_SUPPRESS_ACTIVE, _SET_ECHO_STATE = 0, 20, 22, 24
_FULL_SCALE = np.float32(32768.0)


@cache
def library() -> ctypes.CDLL | None:
    """The library with the types of what is used of it; None where there is none."""
    try:
        found = ctypes.CDLL(LIBRARY)
    except OSError as error:
        logger.info("%s cannot be used: %s", LIBRARY, error)
        return None
    pointer, number = ctypes.c_void_p, ctypes.c_int
    found.speex_echo_state_init.argtypes = (number, number)
    found.speex_echo_state_init.restype = pointer
    found.speex_echo_state_destroy.argtypes = (pointer,)
    found.speex_echo_ctl.argtypes = (pointer, number, pointer)
    found.speex_echo_cancellation.argtypes = (pointer, pointer, pointer, pointer)
    found.speex_preprocess_state_init.argtypes = (number, number)
    found.speex_preprocess_state_init.restype = pointer
    found.speex_preprocess_state_destroy.argtypes = (pointer,)
    found.speex_preprocess_ctl.argtypes = (pointer, number, pointer)
    found.speex_preprocess_run.argtypes = (pointer, pointer)
    return found


class EchoCanceller:
    """Take out of what a microphone hears what a loudspeaker plays.

    frame: samples at a time, about 10 ms; tail: samples over which the echo comes back. Raises
    OSError when the library is missing.
    """

    def __init__(self, sample_rate: int, frame: int, tail: int) -> None:
        found = library()
        if found is None:
            raise OSError(f"no {LIBRARY} (Debian: apt-get install {PACKAGE})")
        self._library = found
        self._rate = ctypes.c_int(sample_rate)
        self._echo: int | None = found.speex_echo_state_init(frame, tail)
        self._residual: int | None = found.speex_preprocess_state_init(frame, sample_rate)
        assert self._echo
        assert self._residual
        found.speex_echo_ctl(self._echo, _SET_SAMPLING_RATE, ctypes.byref(self._rate))
        for request, value in (
            (_SET_DENOISE, 0),
            (_SET_ECHO_SUPPRESS, RESIDUAL_DB),
            (_SET_ECHO_SUPPRESS_ACTIVE, RESIDUAL_ACTIVE_DB),
        ):
            number = ctypes.c_int(value)
            found.speex_preprocess_ctl(self._residual, request, ctypes.byref(number))
        found.speex_preprocess_ctl(self._residual, _SET_ECHO_STATE, self._echo)
        self._heard, self._played, self._out = (np.zeros(frame, np.int16) for _ in range(3))
        self._power_heard = self._power_left = 0.0
        self._astray = False
        self._rise = np.linspace(0.0, 1.0, frame, endpoint=False, dtype=np.float32)

    def process(
        self, heard: NDArray[np.float32], played: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """What is left of one frame of the microphone, given what was played meanwhile or shortly
        before; both −1…1. State is kept from frame to frame."""
        assert self._echo
        _to_pcm(heard, self._heard)
        _to_pcm(played, self._played)
        out = self._out.ctypes.data
        self._library.speex_echo_cancellation(
            self._echo, self._heard.ctypes.data, self._played.ctypes.data, out
        )
        self._keep_from_harm()
        self._library.speex_preprocess_run(self._residual, out)
        return self._out.astype(np.float32) / _FULL_SCALE

    def _keep_from_harm(self) -> None:
        """Hand on what was heard, as it was, for as long as the filter makes it louder.

        A steady tone in the speaker and another one in the room are alike for long enough that the
        filter learns an echo that is none; the library itself notices half a second later."""
        heard, left = self._heard.astype(np.float32), self._out.astype(np.float32)
        self._power_heard += SMOOTHING * (float(heard @ heard) - self._power_heard)
        self._power_left += SMOOTHING * (float(left @ left) - self._power_left)
        before = self._astray
        self._astray = self._power_left > self._power_heard * (1.0 if before else LOUDER)
        if self._astray and before:
            self._out[:] = self._heard
        elif self._astray or before:
            share = self._rise if self._astray else 1.0 - self._rise
            self._out[:] = np.rint(left + share * (heard - left))

    def close(self) -> None:
        """Free its memory; may be called twice."""
        if self._echo:
            self._library.speex_preprocess_state_destroy(self._residual)
            self._library.speex_echo_state_destroy(self._echo)
            self._echo = self._residual = None


def _to_pcm(samples: NDArray[np.float32], out: NDArray[np.int16]) -> None:
    out[:] = np.clip(np.rint(samples * _FULL_SCALE), -32768.0, 32767.0)
