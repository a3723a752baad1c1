"""From a packet to its sound: the delay of the whole way at each latency setting, and what is lost.

    python -m benchmarks.playback [--seconds N] [--codecs NAME …]

A second process sends a voice by RTP. The device's own stream, mixer and speaker play it on a card
that is a thread of this process: it takes a period whenever one is due, each of which is heard
`card` later, and one that comes later than that is late. The delay is found by comparing, a quarter
of a second at a time, what was to be heard with what was sent; so it holds the codec's own delay
and that of the resampling. The voice is noise in syllables: one with a pitch is as like itself a
period of 8 ms earlier or later. "busy": each core has a process that never rests, and the device's
loop is held up for 2 ms in every 20.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the package does, but numpy is first here

import numpy as np

from benchmarks.media_stream import HOST, parameters
from sipstrobe.app import SWITCH_INTERVAL
from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.latency import LATENCIES
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, SourceKind
from sipstrobe.clock import Clock, LoopClock
from sipstrobe.codecs.registry import CODECS
from sipstrobe.context import Context
from sipstrobe.io.soundcard import Buffering, Render
from sipstrobe.io.udp import PortPairs
from sipstrobe.rtp import packet
from sipstrobe.sdp.formats import SOUNDS
from sipstrobe.services.sound import Sound
from sipstrobe.services.stream import Stream
from sipstrobe.services.ticker import Ticker
from tests.services.room import speech

START_PORT = 22000
PIECE = SAMPLE_RATE // 4
SETTLED = 2.0  # seconds from the start in which the jitter buffer finds its depth
PREPARED = 20.0  # seconds at the most until the second process speaks
LONGEST = SAMPLE_RATE // 2  # of delay that is looked for, in samples
HOLD, EVERY = 0.002, 0.020  # seconds that the loop is held up, and how often


class Found(NamedTuple):
    """Delays in ms, and what was heard of the device's own hold-ups."""

    median: float
    p99: float
    underruns: int
    late: int
    concealed_ms: float


class Card:
    """A card that is a thread; all that it has played, and when that was to be heard."""

    def __init__(self, clock: Clock, buffering: Buffering, seconds: float) -> None:
        self.blocking, self.name, self.problem = True, "card", ""
        self.period, self.periods, self.late = buffering.period, 0, 0
        self.next_at: float | None = None
        self.began = 0.0  # when its first sample is heard
        self._held, self._clock = buffering.held, clock
        self._block = round(SAMPLE_RATE * buffering.period)
        self.played = np.zeros(round(SAMPLE_RATE * seconds) // self._block * self._block, "f4")
        self._over = threading.Event()
        self._thread = threading.Thread()

    def open(self, render: Render) -> None:
        self._thread = threading.Thread(target=self._run, args=(render,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def run(self) -> None:
        pass

    def rest(self) -> None:
        pass

    def catch_up(self) -> None:
        pass

    def _run(self, render: Render) -> None:
        started = self._clock.now()
        self.began = started + self._held
        for n in range(self.played.size // self._block):
            due = started + n * self.period
            if (wait := due - self._clock.now()) > 0.0:
                time.sleep(wait)
            render(self.played[n * self._block : (n + 1) * self._block], due + self._held)
            self.late += self._clock.now() > due + self._held
            self.periods += 1
            if self._over.is_set():
                return


def ptime_of(name: str) -> float:
    return SOUNDS[name].ptimes_ms[:2][-1] / 1000  # 20 ms, or 10 where that is the longest


def say(name: str, port: int, seconds: float, began: "multiprocessing.Queue[float]") -> None:
    """The other process: send a voice at an even pace."""
    codec, ptime = CODECS[name], ptime_of(name)
    encoder, size = codec.encoder(""), round(ptime * codec.sample_rate)
    spectrum = np.fft.rfft(speech(seconds)) * codec.sample_rate / SAMPLE_RATE
    voice = np.fft.irfft(spectrum, round(seconds * codec.sample_rate)).astype(np.float32)
    payloads = [encoder.encode(voice[n : n + size]) for n in range(0, voice.size - size + 1, size)]
    units = round(ptime * codec.clock_rate)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        start = time.monotonic()
        began.put(start)
        for n, payload in enumerate(payloads):
            if (wait := start + n * ptime - time.monotonic()) > 0.0:
                time.sleep(wait)
            sender.sendto(packet.build(96, not n, n, n * units, 7, payload), (HOST, port))


def spin() -> None:
    """Never rest."""
    while True:
        pass


async def measure(name: str, latency: str, seconds: float, *, busy: bool) -> Found:
    clock = LoopClock(asyncio.get_running_loop())
    context, cards = Context(clock), list[Card]()

    def make(_: str, clock: Clock, rate: int, buffering: Buffering) -> Card:
        assert rate == SAMPLE_RATE
        cards.append(Card(clock, buffering, seconds + PREPARED))
        return cards[-1]

    sound = Sound(context, make)
    sound.apply(AudioSettings(output="card", latency=latency))  # pyright: ignore[reportArgumentType]
    await sound.settled()
    ports = PortPairs(HOST, START_PORT, clock)
    stream = Stream(context, ports, Ticker(clock), shortest=LATENCIES[latency].wait)
    context.dispatcher.execute(
        AddSource(owner="call", kind=SourceKind.CALL, ring=stream.ring, rank=1)
    )
    stream.start(
        replace(
            parameters(9),  # where nobody listens
            codec=name,
            payload_type=96,
            receive_types={96: name},
            ptime_ms=round(1000 * ptime_of(name)),
        )
    )
    spawn = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[float] = spawn.Queue()
    peer = spawn.Process(target=say, args=(name, stream.local_port, seconds, told))
    others = [spawn.Process(target=spin, daemon=True) for _ in range(busy * (os.cpu_count() or 1))]
    peer.start()
    async with asyncio.timeout(PREPARED):
        while stream.statistics.packets * ptime_of(name) < SETTLED:  # noqa: ASYNC110
            await asyncio.sleep(EVERY)
    for process in others:
        process.start()
    before, dry, late = stream.statistics.concealed_ms, sound.underruns, cards[0].late
    lost = 0.0, 0
    while peer.is_alive():
        await asyncio.sleep(EVERY)
        if busy:
            time.sleep(HOLD)  # noqa: ASYNC251
        if stream.statistics.packets * ptime_of(name) < seconds - 0.2:
            lost = stream.statistics.concealed_ms - before, sound.underruns - dry
    for process in others:
        process.terminate()
    stream.close()
    await sound.aclose()
    delays = delays_of(cards[0], seconds, told.get(timeout=PREPARED))
    median, p99 = (float(np.quantile(delays, q)) * 1e3 for q in (0.5, 0.99))
    return Found(median, p99, lost[1], cards[0].late - late, lost[0])


def delays_of(card: Card, seconds: float, sent_at: float) -> list[float]:
    """Of each quarter of a second: from the instant at which the packet with a sample was due to
    be sent, to the same sample of what was heard as is the packet's first one."""
    said = speech(seconds).astype(np.float64)
    first = round((sent_at - card.began) * SAMPLE_RATE)  # in what was played, without delay
    found: list[float] = []
    for at in range(round(SETTLED * SAMPLE_RATE), said.size - PIECE - LONGEST, PIECE):
        start = first + at
        heard = card.played[start : start + PIECE + LONGEST].astype(np.float64)
        size = 1 << (heard.size + PIECE).bit_length()
        spectrum = np.conj(np.fft.rfft(said[at : at + PIECE], size))
        likeness = np.fft.irfft(np.fft.rfft(heard, size) * spectrum)[:LONGEST]
        energy = np.cumsum(np.concatenate([[0.0], heard**2]))
        power = (energy[PIECE:] - energy[:-PIECE])[:LONGEST] + 1e-6
        found.append(int(np.argmax(likeness / np.sqrt(power))) / SAMPLE_RATE)
    return found


def table(codecs: Iterable[str], seconds: float) -> None:
    print(f"{'':32} delay, ms  p50   p99   underruns  late periods  concealed, ms")
    for name in codecs:
        for latency, wanted in LATENCIES.items():
            for busy in (False, True):
                found = asyncio.run(measure(name, latency, seconds, busy=busy))
                what = f"{name}, {latency}, {'busy' if busy else 'idle'}"
                print(
                    f"{what:30} ({1e3 * sum(wanted):5.1f} +)  "
                    f"{found.median:6.1f} {found.p99:5.1f} {found.underruns:11d} {found.late:13d} "
                    f"{found.concealed_ms:14.0f}",
                    flush=True,
                )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=12.0)
    arguments.add_argument("--codecs", nargs="*", default=["PCMU", "opus"], choices=list(CODECS))
    chosen = arguments.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL)
    table(chosen.codecs, chosen.seconds)


if __name__ == "__main__":
    main()
