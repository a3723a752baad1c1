"""What every codec is to the stream that uses it: two directions, each with its own state."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Encoder(Protocol):
    """Samples into the payloads of one stream, in order."""

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        """Encode mono samples at the codec's rate, full scale −1…1; beyond it is clipped."""
        ...

    def silence(self, samples: int) -> bytes:
        """The payload of this many samples of silence, made only once for each length."""
        ...


class Decoder(Protocol):
    """The payloads of one stream into samples, in playout order."""

    def decode(self, payload: bytes) -> NDArray[np.float32]:
        """Mono samples at the codec's rate, full scale −1…1; the result is the caller's own.

        Raises RemoteProtocolError, and nothing else, for a payload that the codec cannot have made.
        """
        ...

    def duration(self, payload: bytes) -> int:
        """How far the payload moves the RTP timestamp."""
        ...


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to carry sound. name: its encoding name in SDP (RFC 3551 §6), upper case.

    clock_rate is RTP's and SDP's, sample_rate is the sound's: for G.722 they differ
    (RFC 3551 §4.5.2).
    """

    name: str
    clock_rate: int
    sample_rate: int
    encoder: type[Encoder]
    decoder: type[Decoder]

    @property
    def rates(self) -> tuple[int, int]:
        """Codecs with the same ones can take turns in a stream."""
        return self.clock_rate, self.sample_rate
