"""The packets of one page on their way to the card: decoded while it is heard, else only kept.

What is hidden by others costs next to nothing: of its packets the newest are kept, as many as are
waiting to be heard at that moment. When its turn comes these are decoded, and it goes on in the
middle, where it would be if it had been heard all the time.
"""

from collections import deque
from typing import Final, NamedTuple

from sipstrobe.audio.format import SAMPLE_RATE, samples_in
from sipstrobe.audio.ring import SampleRing
from sipstrobe.clock import Clock
from sipstrobe.codecs.base import Codec
from sipstrobe.measure import Histogram
from sipstrobe.multicast.alignment import FAR, Alignment
from sipstrobe.rtp.jitter import JitterBuffer
from sipstrobe.services.playout import Playout

LONGEST: Final = 0.2  # seconds that sound waits, beyond what a common clock may want
MARGIN: Final = 0.3  # seconds that the ring holds beyond that
WARM_UP: Final = 0.08  # seconds of sound by which a decoder finds its state
MAX_KEPT: Final = 512  # packets
SLICE: Final = 8  # kept packets that are decoded in one go: 1 ms
LEAST_WAIT: Final = 0.001  # seconds between two looks
HOLD: Final = 0.05  # seconds that a page waits for the sender's first report, at the most …
HELD_SHARE: Final = 0.5  # … and of its delay


class PagePacket(NamedTuple):
    """payload_type: stands for the codec; sequence: extended."""

    codec: Codec
    payload_type: int
    sequence: int
    timestamp: int
    payload: bytes
    received_at: float


class PagePlayout:
    """One page, from its first packet until it is over."""

    def __init__(
        self, clock: Clock, wait: float, latency: Histogram, alignment: Alignment | None
    ) -> None:
        """wait: seconds of a punctual packet's sound in the ring, where no common clock decides."""
        self._longest = LONGEST if alignment is None else LONGEST + FAR + alignment.delay
        self.ring = SampleRing(samples_in(self._longest + MARGIN))
        self._clock = clock
        self._wait = wait
        self._waits = wait if alignment is None else max(wait, alignment.delay)
        self._depth = WARM_UP + self._waits  # seconds of what is hidden that are kept
        self._latency = latency
        self._alignment = alignment
        self._jitter: JitterBuffer | None = None
        self._playout: Playout | None = None
        self._kept: deque[PagePacket] = deque(maxlen=MAX_KEPT)
        self._heard = False
        self._hidden = False  # and was at least once
        self._thinned = False  # since it was hidden, packets were forgotten
        self._ended = False
        self._hold_until: float | None = None  # for the sender's clock
        self._began = False

    @property
    def level_db(self) -> float | None:
        """RMS level of the newest packet, in dB of full scale; None: nobody has decoded it."""
        playout = self._playout
        return playout.level_db if playout is not None and self._heard else None

    @property
    def offset(self) -> float | None:
        """Seconds that it is heard later than the common clock wants; None: there is none, or it
        is not heard."""
        playout = self._playout
        return playout.jitter.offset if playout is not None and self._heard else None

    def push(self, packet: PagePacket) -> None:
        """A packet has come."""
        now = self._clock.now()
        if not self._began:
            self._began = True
            if (alignment := self._alignment) is not None and not alignment.known:
                self._hold_until = now + min(HOLD, HELD_SHARE * alignment.delay)
        self._kept.append(packet)
        if self._heard:
            self.play(now)
        else:
            self._thin_out(packet.received_at)

    def play(self, now: float) -> None:
        """Write into the ring what is due."""
        if not self._heard or self._holds(now):
            return
        for _ in range(min(SLICE, len(self._kept))):
            self._bring(self._kept.popleft())
        if self._playout is None:
            self.ring.ended = self._ended  # without a word
            return
        self._playout.jitter.more = bool(self._kept)
        if not self._ended or self._kept or self._playout.jitter.backlog:
            self._playout.play(now)
        if self._ended and not self._kept and not self._playout.jitter.backlog:
            self.ring.ended = True

    def hear(self, heard: bool) -> None:
        """Whether it is heard from now on."""
        before, self._heard = self._heard, heard
        self.ring.spared = not heard
        jitter = self._jitter
        if not heard:
            if before or not self._hidden:
                self._hidden, self._thinned = True, False
                if jitter is not None:
                    self._depth = WARM_UP + max(self._waits, jitter.target, jitter.slack)
            return
        if before:
            return
        if self._hidden and not self.ring.fill and jitter is not None:
            jitter.resume()  # what it had waiting has passed unheard
            if self._thinned:
                self._playout = None  # with decoders that know what is long ago
            elif self._playout is not None:
                self._playout.resume()
        self.play(self._clock.now())

    def renew(self) -> None:
        """Other numbers follow, or somebody else."""
        if self._ended or not self._heard:  # the numbers of who follows may be lower
            self._kept.clear()
        self._ended = self.ring.ended = False
        if self._playout is not None:
            self._playout.restart()
            self._playout.decoders = {}

    def end(self) -> None:
        """Nothing follows; what has come is still to be heard."""
        self._ended = True
        self.play(self._clock.now())

    def over(self, now: float) -> bool:
        """Whether that has been heard."""
        if not self._ended or (self._heard and (self._kept or not self.ring.ended)):
            return False
        ends_at = None if self._playout is None else self._playout.ends_at
        return not self._heard or not self.ring.fill or (ends_at is not None and now >= ends_at)

    def due(self, now: float) -> float | None:
        """When `play` and `over` are to be asked at the latest, if no packet comes before."""
        if not self._heard:
            return now if self._ended else None
        if self._hold_until is not None:
            return self._hold_until
        if self._kept or self._playout is None:
            return now if self._kept or self._ended else None
        if not self.ring.ended:
            return self._playout.low_at(now)
        # A card says only now and then how far it is, but never plays faster than that.
        half = now + self.ring.fill / (2 * SAMPLE_RATE)
        ends_at = self._playout.ends_at
        return half if ends_at is None else min(ends_at, half)

    def _holds(self, now: float) -> bool:
        """Whether it is worth waiting for the sender's clock."""
        if self._hold_until is None:
            return False
        assert self._alignment is not None
        if not self._alignment.known and now < self._hold_until and not self._ended:
            return True
        self._hold_until = None
        return False

    def _thin_out(self, now: float) -> None:
        """Forget what nobody will hear any more."""
        kept, oldest = self._kept, now - self._depth
        while kept[0].received_at < oldest:
            kept.popleft()
            self._thinned = True

    def _bring(self, packet: PagePacket) -> None:
        codec, playout = packet.codec, self._playout
        if playout is None or playout.rates != codec.rates:
            playout = self._playout = self._make(codec)
        number = packet.payload_type
        if number not in playout.decoders:
            playout.decoders = {**playout.decoders, number: codec.decoder()}
        playout.push(packet.sequence, packet.timestamp, number, packet.payload, packet.received_at)

    def _make(self, codec: Codec) -> Playout:
        """jitter: goes on after having been hidden, with what it knows of the network."""
        jitter = self._jitter
        if jitter is None or self._playout is not None or jitter.clock_rate != codec.clock_rate:
            jitter = JitterBuffer(codec.clock_rate, shortest=self._wait, longest=self._longest)
            if self._hidden and self._playout is None:
                jitter.resume()
            self._jitter = jitter
        made = Playout(self.ring, codec, jitter, self._latency)
        if (alignment := self._alignment) is not None:
            made.align(lambda timestamp: alignment.wanted(timestamp, now=self._clock.now()))
        return made
