"""A sender, a network and a sound card, each with a clock of its own, around one playout."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sipstrobe.audio.ring import SampleRing
from sipstrobe.codecs.g711 import PCMU, UlawDecoder, UlawEncoder
from sipstrobe.measure import Histogram
from sipstrobe.rtp.jitter import JitterBuffer
from sipstrobe.services.playout import Playout

RATE = 8000
PTIME = 0.020
START = 0.5  # seconds before the first packet is recorded
PERIOD = 256  # frames of the card

Delay = Callable[[int], float | None]  # packet -> seconds on the way, None: lost


def tone(frequency: float, seconds: float, amplitude: float = 0.25) -> NDArray[np.float32]:
    at = np.arange(round(seconds * RATE)) / RATE
    return (amplitude * np.sin(2 * np.pi * frequency * at)).astype(np.float32)


@dataclass
class Line:
    """Runs in simulated time. What the card has played is in `heard`, at 48 kHz."""

    sender_ppm: float = 0.0  # how much faster than true time
    card_ppm: float = 0.0
    period: int = PERIOD
    shortest: float = 0.020
    dry: int = 0  # periods in which the ring had too little
    depths: list[float] = field(default_factory=list[float])
    ring: SampleRing = field(init=False)
    playout: Playout = field(init=False)
    latency: Histogram = field(default_factory=Histogram)

    def __post_init__(self) -> None:
        self.ring = SampleRing(24000)
        self.jitter = JitterBuffer(RATE, shortest=self.shortest)
        self.playout = Playout(self.ring, PCMU, self.jitter, self.latency)
        self.playout.decoders = {0: UlawDecoder()}

    def run(self, samples: NDArray[np.float32], delay: Delay) -> NDArray[np.float32]:
        """Send samples in packets; the sound that came out, at 48 kHz."""
        events = list(self._arrivals(samples, delay))
        end = samples.size / RATE + START + 0.2
        card = self.period / 48000 / (1 + self.card_ppm * 1e-6)
        events += [(n * card, 1, n, b"") for n in range(int(end / card))]
        events += [(n * 0.020 + 0.003, 2, n, b"") for n in range(int(end / 0.020))]
        events.sort(key=lambda event: event[:3])
        out: list[NDArray[np.float32]] = []
        check = float("inf")
        for at, kind, number, payload in events:
            while check <= at:
                now, check = check, float("inf")
                self.playout.play(now)
                check = self._next_check(now)
            if kind == 0:
                self.playout.push(65536 + number, number * 160, 0, payload, at)
            elif kind == 1:
                block = np.zeros(self.period, np.float32)
                self.dry += self.ring.read_into(block) < self.period and self.ring.written > 0
                self.depths.append(self.ring.fill / 48000)
                out.append(block)
            else:
                self.playout.play(at)
                check = self._next_check(at)
        return np.concatenate(out)

    def _next_check(self, now: float) -> float:
        low_at = self.playout.low_at(now)
        return float("inf") if low_at is None else max(low_at, now + 0.001)

    def _arrivals(
        self, samples: NDArray[np.float32], delay: Delay
    ) -> Iterable[tuple[float, int, int, bytes]]:
        encoder = UlawEncoder()
        for number in range(samples.size // 160):
            waited = delay(number)
            if waited is None:
                continue
            sent = START + (number + 1) * PTIME / (1 + self.sender_ppm * 1e-6)
            payload = encoder.encode(samples[number * 160 : (number + 1) * 160])
            yield sent + waited, 0, number, payload
