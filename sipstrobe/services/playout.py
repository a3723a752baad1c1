"""From the packets of one stream to the samples in its ring."""

import math
from collections.abc import Callable, Mapping
from typing import Final, assert_never

import numpy as np

from sipstrobe.audio.card_time import CardTime
from sipstrobe.audio.format import SAMPLE_RATE, SILENCE_DB, Samples
from sipstrobe.audio.resample import Upsampler
from sipstrobe.audio.ring import SampleRing
from sipstrobe.codecs.base import Codec, Decoder, Learning, SelfConcealing
from sipstrobe.codecs.conceal import Concealer
from sipstrobe.codecs.stretch import LIKE_ENOUGH, Warp, lengthen, shorten
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.measure import Histogram
from sipstrobe.rtp.jitter import Conceal, JitterBuffer, Play, Shift, Splice

_SECONDS: Final = 1.0 / SAMPLE_RATE


class Playout:
    """Jitter buffer, decoder, concealment, stretching and resampling of one stream.

    All codecs of a playout have one sample rate and one clock rate.
    latency: how long packets were on their way from the socket into the card's hands.
    """

    def __init__(
        self,
        ring: SampleRing,
        codec: Codec,
        jitter: JitterBuffer,
        latency: Histogram,
    ) -> None:
        self.jitter = jitter
        self.rates = codec.rates
        self.invalid = 0  # payloads that no encoder can have made
        self._decoders: Mapping[int, Decoder] = {}
        self._concealing: Mapping[int, SelfConcealing] = {}  # those of them that can
        self._last: SelfConcealing | None = None  # whose sound was played last, if it can
        self._learning: Mapping[int, Learning] = {}  # those that must know of gaps
        self._skipped = 0  # packets, as far as they know
        self._filled = 0  # samples since the last packet
        self._ring = ring
        self._latency = latency
        self._sample_rate = codec.sample_rate
        self._samples_per_unit = codec.sample_rate / codec.clock_rate
        self._concealer = Concealer(codec.sample_rate)
        self._upsampler: Upsampler | None = None  # not needed for sound of our own rate
        if codec.sample_rate != SAMPLE_RATE:
            self._upsampler = Upsampler(SAMPLE_RATE // codec.sample_rate)
        self._warp = Warp()
        self._newest: Samples = np.zeros(0, np.float32)
        self._mark: tuple[int, float] | None = None  # position in the ring, receipt of its packet
        self._omit = 0  # samples that are left out of what is written next
        self._card = CardTime(ring)

    @property
    def decoders(self) -> Mapping[int, Decoder]:
        """By payload type."""
        return self._decoders

    @decoders.setter
    def decoders(self, decoders: Mapping[int, Decoder]) -> None:
        self._decoders = decoders
        self._concealing = {n: d for n, d in decoders.items() if isinstance(d, SelfConcealing)}
        self._learning = {n: d for n, d in decoders.items() if isinstance(d, Learning)}
        self._last = None

    def push(
        self, sequence: int, timestamp: int, payload_type: int, payload: bytes, now: float
    ) -> None:
        """A packet of the stream; `play` brings it into the ring."""
        decoder = self._decoders.get(payload_type)
        units = 0 if decoder is None else decoder.duration(payload)
        self.jitter.push(sequence, timestamp, units, payload_type, payload, now)

    def play(self, now: float) -> None:
        """Write into the ring what is due."""
        ring, jitter = self._ring, self.jitter
        if self._mark is not None:
            self._look()
        while True:
            step = jitter.take(ring.written * _SECONDS, ring.consumed * _SECONDS, now)
            if step is None:
                return
            match step:
                case Play():
                    self._play(step, now)
                case Conceal(units):
                    self._write(self._fill(units))
                case Shift(seconds):
                    self._shift(round(seconds * SAMPLE_RATE))
                case _:
                    assert_never(step)

    def align(self, wanted: Callable[[int], float | None]) -> None:
        """Play what comes by a common clock, which says when each timestamp is to be heard."""

        def place(timestamp: int) -> float | None:
            begin, at = self._card.of(0), wanted(timestamp)
            return None if begin is None or at is None else at - begin - delay

        delay = self._warp.delay_samples * _SECONDS
        if self._upsampler is not None:
            delay += self._upsampler.delay_samples * _SECONDS
        self.jitter.place = place

    @property
    def ends_at(self) -> float | None:
        """When the last of what was written is over; None: the card has not taken up the ring."""
        return self._card.of(self._ring.written)

    def low_at(self, now: float) -> float | None:
        """When `play` must be called at the latest, whatever comes; None: no need."""
        if self._mark is not None:
            self._look()
        ring = self._ring
        return self.jitter.low_at(ring.written * _SECONDS, ring.consumed * _SECONDS, now)

    def restart(self) -> None:
        """Another sender follows."""
        self.jitter.reset()
        self._last = None

    def resume(self) -> None:
        """Nothing was played for a while, and what is written next is heard at once: when the card
        took up what came before says nothing of that."""
        self._card = CardTime(self._ring)
        self._omit = 0

    @property
    def level_db(self) -> float:
        """RMS level of the newest packet, in dB of full scale."""
        block = self._newest
        power = float(block @ block) / block.size if block.size else 0.0
        return max(SILENCE_DB, 10.0 * math.log10(power)) if power > 0.0 else SILENCE_DB

    def _play(self, step: Play, now: float) -> None:
        decoder = self._decoders.get(step.payload_type)
        if decoder is None:  # the codecs have changed meanwhile
            self.invalid += 1
            return
        if self.jitter.skipped != self._skipped:
            self._skipped = self.jitter.skipped
            if (learning := self._learning.get(step.payload_type)) is not None:
                learning.miss(self._filled)
        self._filled = 0
        try:
            block = decoder.decode(step.payload)
        except RemoteProtocolError:
            self.invalid += 1
            self._write(self._fill(decoder.duration(step.payload)))
            return
        self._last = last = self._concealing.get(step.payload_type)
        self.jitter.paused = last is not None and last.pauses(step.payload)
        self._newest = block = self._concealer.hear(block)
        splice = self.jitter.splice(now)
        if splice is not Splice.NONE:
            block = self._splice(block, splice)
        if self._mark is None and not self._omit:
            self._mark = (self._ring.written, step.received_at)
        self._write(block)

    def _fill(self, units: int) -> Samples:
        """What is heard where nothing has come for so long; 0: the seam only."""
        samples, last = round(units * self._samples_per_unit), self._last
        self._filled += samples
        if last is None or not samples:
            return self._concealer.conceal(samples)
        following = self.jitter.upcoming
        if following is not None and self._concealing.get(following[0]) is last:
            return self._concealer.hear(last.recover(following[1], samples))
        return self._concealer.hear(last.conceal(samples))

    def _splice(self, block: Samples, splice: Splice) -> Samples:
        like_enough = -1.0 if self.jitter.urgent else LIKE_ENOUGH
        change = shorten if splice is Splice.SHORTEN else lengthen
        changed = change(block, self._sample_rate, like_enough)
        return block if changed is None else changed

    def _write(self, block: Samples) -> None:
        if block.size:
            if self._upsampler is not None:
                block = self._upsampler.process(block)
            block = self._warp.process(block, self.jitter.speed)
            if self._omit:
                omitted = min(self._omit, block.size)
                self._omit -= omitted
                block = block[omitted:]
            self._ring.write(block)

    def _shift(self, samples: int) -> None:
        if samples > 0:
            self._ring.write(np.zeros(samples, np.float32))
        else:
            self._omit = -samples

    def _look(self) -> None:
        """Has the card taken the marked sample? Then it is known how long its packet took."""
        assert self._mark is not None
        position, received_at = self._mark
        if self._ring.consumed > position:
            taken_at = self.jitter.instant_of(position * _SECONDS)
            self._latency.record(max(0.0, taken_at - received_at))
            self._mark = None
