"""What the peer of a stream is to hear: a source of sound, and digits in between."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.resample import Downsampler
from sipstrobe.codecs.base import Codec, Encoder
from sipstrobe.dtmf.sender import DigitSender
from sipstrobe.dtmf.tones import ToneSender

# What the peer is to hear: asked for that many samples at 48 kHz; None: silence.
SoundSource = Callable[[int], Samples | None]


# Told what the peer is given to hear: samples at 48 kHz, or None and how many of silence.
Witness = Callable[[Samples | None, int], None]


class LiveSource(Protocol):
    """A source that goes on until it is closed."""

    def __call__(self, count: int) -> Samples | None: ...
    def close(self) -> None: ...


class Recording:
    """Samples at 48 kHz for the peer to hear, once or over and over."""

    def __init__(self, samples: Samples, *, loop: bool = False) -> None:
        self._samples = samples
        self._loop = loop and samples.size > 0
        self._position = 0

    def __call__(self, count: int) -> Samples | None:
        if self._position >= self._samples.size:
            if not self._loop:
                return None
            self._position = 0
        piece = self._samples[self._position : self._position + count]
        self._position += count
        if piece.size == count:
            return piece
        return np.concatenate([piece, np.zeros(count - piece.size, np.float32)])


class Speech:
    """Payloads, a packet time each. source: silence when there is none; digits: those that are
    said in between, None when there never were any; tones: those that are heard instead of the
    source; witness: told of all sound."""

    def __init__(self) -> None:
        self.source: SoundSource | None = None
        self.witness: Witness | None = None
        self._codec: Codec | None = None
        self._fmtp = ""
        self._event_clock_rate = 0
        self._encoder: Encoder | None = None
        self._downsampler: Downsampler | None = None
        self.digits: DigitSender | None = None
        self.tones: ToneSender | None = None

    def use(self, codec: Codec, fmtp: str, event_clock_rate: int) -> None:
        """Go on with this codec, of which the peer has said fmtp, and digits at this clock."""
        before, self._codec = self._codec, codec
        if codec is not before or fmtp != self._fmtp:
            self._encoder, self._fmtp = codec.encoder(fmtp), fmtp
        if before is None or codec.sample_rate != before.sample_rate:
            self._downsampler = None
        if event_clock_rate != self._event_clock_rate:
            self._event_clock_rate = event_clock_rate
            if self.digits is not None:
                self.digits.change_clock(event_clock_rate)

    def send_digits(self, digits: str) -> None:
        """Say these between the sound. Raises ValueError, with the reason, if that cannot be."""
        if self.digits is None:
            self.digits = DigitSender(self._event_clock_rate)
        self.digits.send(digits)

    def send_tones(self, digits: str) -> None:
        """Let these be heard. Raises ValueError, with the reason, if that cannot be."""
        if self.tones is None:
            self.tones = ToneSender(SAMPLE_RATE)
        self.tones.send(digits)

    def payload(self, seconds: float) -> bytes:
        """The next sound, silence where the source has none."""
        codec = self._codec
        assert codec is not None
        assert self._encoder is not None
        samples: Samples | None = None
        if self.source is not None:
            samples = self.source(round(seconds * SAMPLE_RATE))
        if self.tones is not None:
            said = self.tones.turn(round(seconds * SAMPLE_RATE))
            samples = samples if said is None else said
        if self.witness is not None:
            self.witness(samples, round(seconds * SAMPLE_RATE))
        if samples is not None:
            if codec.sample_rate != SAMPLE_RATE:
                if self._downsampler is None:
                    self._downsampler = Downsampler(SAMPLE_RATE // codec.sample_rate)
                samples = self._downsampler.process(samples)
            return self._encoder.encode(samples)
        return self._encoder.silence(round(seconds * codec.sample_rate))
