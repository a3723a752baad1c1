"""What two-way talk costs, and how much of an echo is left: `python -m benchmarks.two_way`.

1. Echo return loss enhancement second by second, in simulated rooms, with the library and without;
   the instants of the cards' blocks jitter by 6 ms.
2. The work on the loop for each packet of 20 ms, by what is switched on.
3. What a call that is recorded costs on the loop.
"""

import os
from collections.abc import Callable
from time import perf_counter

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the package does, but numpy is first here

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import Microphone as Settings
from sipstrobe.io.speexdsp import library
from sipstrobe.services.capture import Capture
from sipstrobe.services.echo import FRAME, Echo, Reference, make_echo
from sipstrobe.services.lanes import Lane, TheirSide
from tests.services.room import Played, Script, echo_of, speech

SECONDS = 12
SHOWN = (0, 1, 2, 4, 8, 11)  # seconds
ROOMS = ((0.010, 0.15), (0.025, 0.3), (0.060, 0.6))  # delay and reverberation, seconds
PACKET = 960  # samples: 20 ms


def main() -> None:
    _echo()
    _cost()
    _recording()


def _echo() -> None:
    print("echo return loss enhancement, dB, in the second that begins at …")
    print(f"{'room':<34}" + "".join(f"{at:>7} s" for at in SHOWN))
    for delay, reverberation in ROOMS:
        far = speech(SECONDS)
        back = echo_of(far, delay, reverberation)
        for name, made in (("cancelled", make_echo), ("half duplex", _half_duplex)):
            if name == "cancelled" and library() is None:
                continue
            left = _through(made, back, far)
            figures = (_reduction_db(back, left, at) for at in SHOWN)
            words = f"{name}, {delay * 1e3:.0f} ms, {reverberation:.2f} s"
            print(f"{words:<34}" + "".join(f"{figure:>9.1f}" for figure in figures))


def _half_duplex(reference: Reference) -> Echo:
    return Echo(reference, None)


def _through(made: Callable[[Reference], Echo], heard: Samples, far: Samples) -> Samples:
    played = Played(far)
    echo, jitter = made(Reference(played.tap, lambda: None)), np.random.default_rng(3)
    out: list[Samples] = []
    for start in range(0, heard.size - FRAME + 1, FRAME):
        at = start / SAMPLE_RATE
        played.until(at + FRAME / SAMPLE_RATE)
        frame = heard[start : start + FRAME].copy()
        out.append(echo.process(frame, at + float(jitter.uniform(-0.006, 0.006))))
    echo.close()
    return np.concatenate(out)


def _reduction_db(before: Samples, after: Samples, at: int) -> float:
    piece = slice(at * SAMPLE_RATE, (at + 1) * SAMPLE_RATE)
    loud, left = (float(np.mean(sound[piece].astype(np.float64) ** 2)) for sound in (before, after))
    return 10 * float(np.log10(loud / (left + 1e-12)))


def _cost() -> None:
    print("\nthe microphone, µs for each packet of 20 ms, median (shared by all calls)")
    far = speech(4)
    back, near = echo_of(far), speech(4, seed=5)
    for name, wanted, made in (
        ("as it is", Settings(input="x"), None),
        ("gain", Settings(input="x", gain_db=6.0), None),
        ("automatic gain", Settings(input="x", automatic_gain=True), None),
        ("half duplex", Settings(input="x"), _half_duplex),
        ("echo cancelled", Settings(input="x"), make_echo if library() is not None else None),
    ):
        played = Played(far)
        echo = made(Reference(played.tap, lambda: None)) if made is not None else None
        capture = Capture(Script(), echo)
        capture.apply(wanted)
        took: list[float] = []
        for start in range(0, back.size - PACKET + 1, PACKET):
            at = start / SAMPLE_RATE
            played.until(at + 0.02)
            capture.take((back + near)[start : start + PACKET], at)
            began = perf_counter()
            capture.run(at + 0.02)
            took.append(perf_counter() - began)
        print(f"  {name:<16}{float(np.median(took)) * 1e6:>8.1f}")


def _recording() -> None:
    """Of the two lanes the one that looks into the ring of the call."""
    ring = SampleRing(SAMPLE_RATE // 2)
    lane, sound = Lane(TheirSide(ring)), speech(1.0)
    took: list[float] = []
    for n in range(1000):
        piece = sound[2400 * (n % 20) : 2400 * (n % 20 + 1)]
        ring.write(piece)
        ring.skip(piece.size)
        began = perf_counter()
        lane.feed(2400 * (n + 1))
        lane.take(2400)
        took.append(perf_counter() - began)
    print(f"\na recorded lane, µs for each 50 ms: {float(np.median(took)) * 1e6:.1f}")


if __name__ == "__main__":
    main()
