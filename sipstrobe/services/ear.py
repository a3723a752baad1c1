"""Listens to what comes in a stream as soon as it comes, whether or not the speaker plays it."""

from collections.abc import Callable, Mapping
from typing import Final

from sipstrobe.audio.format import Samples
from sipstrobe.codecs.base import Decoder
from sipstrobe.codecs.registry import CODECS
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.rtp.packet import Packet

MOST_FILLED: Final = 3  # packets; a longer gap is none that a tone lasts through

HeardSamples = Callable[[Samples, int], None]
"""Told what the peer says, a packet or less at a time, and its sample rate."""


class Ear:
    """Decodes apart from the playout, which waits for late packets and for the card.

    What has come too late is left out, and where something is missing the last is heard again.
    """

    def __init__(self, on_samples: HeardSamples) -> None:
        self._on_samples = on_samples
        self._decoders: dict[str, Decoder] = {}
        self._newest = -1  # extended sequence number
        self._last: tuple[Samples, int] | None = None

    def hear(self, packet: Packet, sequence: int, types: Mapping[int, str]) -> None:
        """A packet of the stream; types: its payload types of sound, and their codecs."""
        missing = sequence - self._newest - 1
        if missing < 0:
            return
        known, self._newest = self._newest >= 0, sequence
        name = types.get(packet.payload_type)
        if name is None:
            self._last = None
            return
        decoder = self._decoders.get(name)
        if decoder is None:
            decoder = self._decoders[name] = CODECS[name].decoder()
        try:
            samples = decoder.decode(packet.payload)
        except RemoteProtocolError:
            return
        if known and self._last is not None and missing <= MOST_FILLED:
            for _ in range(missing):
                self._on_samples(*self._last)
        self._last = samples, CODECS[name].sample_rate
        self._on_samples(*self._last)

    def restart(self) -> None:
        """Another sender follows."""
        self._decoders.clear()
        self._newest, self._last = -1, None
