"""Comfort noise: RFC 3389. The sender has fallen silent and says what its silence sounds like."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sipstrobe.errors import RemoteProtocolError

STEP: Final = 0.010  # seconds: what one payload plays; more is made while nothing comes
PERIOD: Final = 0.5  # seconds after which the noise repeats itself
MAX_ORDER: Final = 16  # RFC 3389 §3: higher coefficients may be left out
_SEED: Final = 3389
_LEAST: Final = 1e-4  # of the predictor's response: no resonance is sharper than 80 dB


class ComfortNoise:
    """Payloads into noise of their level (dBov below full scale) and colour, at any rate.

    clock_rate is that of the RTP clock, sample_rate that of the codec whose pauses it fills.
    """

    def __init__(self, clock_rate: int, sample_rate: int) -> None:
        self._units = round(STEP * clock_rate)
        self._step = round(STEP * sample_rate)
        self._period = round(PERIOD * sample_rate)
        self._payload = b""
        self._noise = np.zeros(1, np.float32)  # one period, made when it is known
        self._position = 0

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        if not payload or payload[0] & 0x80:
            raise RemoteProtocolError("comfort noise without a level")
        if payload != self._payload:
            self._payload = payload
            self._noise = _noise(payload, self._period)
        return self.conceal(self._step)

    def duration(self, payload: bytes) -> int:
        return self._units

    def conceal(self, samples: int) -> NDArray[np.float32]:
        """The noise goes on."""
        at = np.arange(self._position, self._position + samples) % self._noise.size
        self._position = (self._position + samples) % self._noise.size
        return self._noise[at]

    def recover(self, following: bytes, samples: int) -> NDArray[np.float32]:
        return self.conceal(samples)

    def pauses(self, payload: bytes) -> bool:
        return True


def _noise(payload: bytes, samples: int) -> NDArray[np.float32]:
    """One period: white noise, coloured by the all-pole filter, with the level that it has then."""
    white = np.random.default_rng(_SEED).standard_normal(samples)
    response = np.abs(np.fft.rfft(_predictor(payload[1 : 1 + MAX_ORDER]), samples))
    coloured = np.fft.irfft(np.fft.rfft(white) / np.maximum(response, _LEAST), samples)
    level = 10.0 ** (-payload[0] / 20.0)
    return (coloured * (level / np.sqrt(np.mean(coloured**2)))).astype(np.float32)


def _predictor(quantized: bytes) -> NDArray[np.float64]:
    """A(z) from its reflection coefficients, RFC 3389 §3.2."""
    predictor = np.ones(1)
    for number in quantized:
        k = 258.0 * (min(number, 254) - 127) / 32768.0
        predictor = np.append(predictor, 0.0)
        predictor = predictor + k * predictor[::-1]
    return predictor
