"""What every codec is to the stream that uses it: two directions, each with its own state."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from msgspec import Struct
import numpy as np
from numpy.typing import NDArray

from sipstrobe.codecs.library import find


class Encoder(Protocol):
    """Samples into the payloads of one stream, in order."""

    def encode(self, samples: NDArray[np.float32]) -> bytes:
        """Encode mono samples at the codec's rate, full scale −1…1; beyond it is clipped."""
        ...

    def silence(self, samples: int) -> bytes:
        """The payload of this many samples of silence."""
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


@runtime_checkable
class SelfConcealing(Decoder, Protocol):
    """A decoder that knows best what to play where nothing has come."""

    def conceal(self, samples: int) -> NDArray[np.float32]:
        """What follows the last payload for this long."""
        ...

    def recover(self, following: bytes, samples: int) -> NDArray[np.float32]:
        """The same, where the payload that comes after the gap is here already."""
        ...

    def pauses(self, payload: bytes) -> bool:
        """Whether the sender says with it that it will be silent for a while."""
        ...


@runtime_checkable
class Learning(Decoder, Protocol):
    """A decoder that takes the loudness of what comes next from what came before."""

    def miss(self, samples: int) -> None:
        """So much has not come. What comes next is of another loudness than was learnt; it shall
        rather be too soft for a moment than too loud."""
        ...


class Codec(Struct, frozen=True):
    """One way to carry sound. name: its encoding name in SDP (RFC 3551 §6), for L16 with the rate.

    clock_rate is RTP's and SDP's, sample_rate is the sound's: for G.722 they differ (RFC 3551
    §4.5.2). encoder: made for what the other side has said about itself in ``a=fmtp``, "" for
    nothing. library: the shared one that it needs, if any.
    """

    name: str
    clock_rate: int
    sample_rate: int
    encoder: Callable[[str], Encoder]
    decoder: Callable[[], Decoder]
    library: str = ""

    @property
    def rates(self) -> tuple[int, int]:
        """Codecs with the same ones can take turns in a stream."""
        return self.clock_rate, self.sample_rate

    @property
    def usable(self) -> bool:
        """Whether there is all that it needs."""
        return not self.library or find(self.library) is not None
