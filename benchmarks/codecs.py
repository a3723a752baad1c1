"""What each codec costs: microseconds for 20 ms of sound, each way.

    python benchmarks/codecs.py [--rounds N]

For a lost packet: what it takes to make up for it, from nothing and, where the codec can, from the
packet that follows. Beside it the way from and to the device's 48 kHz, which every stream goes.
"""

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the package does, but numpy is first here

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.resample import Downsampler, Upsampler
from sipstrobe.codecs.base import Codec, SelfConcealing
from sipstrobe.codecs.conceal import Concealer
from sipstrobe.codecs.registry import CODECS

PTIME = 0.020
BLOCKS = 50  # of different sound, one after the other
PARAMETERS = "useinbandfec=1"


def measured(step: Callable[[int], object], rounds: int) -> float:
    """Microseconds of one step, the best of three goes."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        for n in range(rounds):
            step(n % BLOCKS)
        best = min(best, (time.perf_counter() - started) / rounds)
    return best * 1e6


def voice(rate: int) -> np.ndarray:
    """A second of gliding harmonics, as blocks."""
    t = np.arange(rate) / rate
    phase = 2 * np.pi * np.cumsum(110 + 40 * t) / rate
    sound = sum((np.sin(n * phase) / n for n in range(1, 16)), np.zeros(rate))
    return (0.2 * sound).astype(np.float32).reshape(BLOCKS, -1)


def row(codec: Codec, rounds: int) -> str:
    blocks = voice(codec.sample_rate)
    encoder, decoder = codec.encoder(PARAMETERS), codec.decoder()
    payloads = [encoder.encode(block) for block in blocks]
    figures = [
        measured(lambda n: encoder.encode(blocks[n]), rounds),
        measured(lambda n: decoder.decode(payloads[n]), rounds),
    ]
    figures += lost(codec, payloads, rounds)
    if codec.sample_rate != SAMPLE_RATE:
        ratio = SAMPLE_RATE // codec.sample_rate
        up, down, wide = Upsampler(ratio), Downsampler(ratio), voice(SAMPLE_RATE)
        figures.append(measured(lambda n: down.process(wide[n]), rounds))
        figures.append(measured(lambda n: up.process(blocks[n]), rounds))
    else:
        figures += [0.0, 0.0]
    size = sum(map(len, payloads)) / len(payloads)
    return f"{codec.name:10s} {size:7.0f}" + "".join(f" {figure:9.1f}" for figure in figures)


def lost(codec: Codec, payloads: list[bytes], rounds: int) -> list[float]:
    """A packet that is not there, each time after one that was."""
    decoder, size = codec.decoder(), round(PTIME * codec.sample_rate)
    if not isinstance(decoder, SelfConcealing):
        concealer = Concealer(codec.sample_rate)
        heard = [decoder.decode(payload) for payload in payloads]

        def gap(n: int) -> None:
            concealer.hear(heard[n])
            concealer.conceal(size)

        both = measured(gap, rounds)
        return [both - measured(lambda n: concealer.hear(heard[n]), rounds), 0.0]
    own = decoder
    return [
        measured(lambda _: own.conceal(size), rounds),
        measured(lambda n: own.recover(payloads[n], size), rounds),
    ]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=2000)
    rounds = arguments.parse_args().rounds
    print("µs for 20 ms    octets    encode    decode   conceal   recover      down        up")
    for codec in CODECS.values():
        if codec.usable:
            print(row(codec, rounds))


if __name__ == "__main__":
    main()
