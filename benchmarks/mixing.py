"""What the sound costs: a period, who is heard with whom, a resampled packet, a source that comes
and goes, an output.

python -m benchmarks.mixing

The upper tables are the bare work in a tight loop. The last one is the device's real output on the
real clock, in CPU time of the whole process, beside a timer that does nothing as often: the
difference is ours, the rest is the kernel's and the event loop's for waking up at all.
"""

import asyncio
from collections.abc import Callable
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE, Samples
from sipstrobe.audio.mix import Channel, Entry, Mixer, MixPlan
from sipstrobe.audio.resample import Downsampler, Upsampler
from sipstrobe.audio.ring import SampleRing
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.audio.source import AddSource, RemoveSource, SourceKind
from sipstrobe.clock import LoopClock
from sipstrobe.context import Context
from sipstrobe.services.sound import Sound
from tests.support.clock import FakeClock

ROUNDS = 2000
SOURCES = (0, 1, 8, 32, 100)
PERIODS = (240, 960)  # a sound card's, and what `null` does at a wake-up
WATCHED = 5.0  # seconds of each output on the real clock
WAKE_UP = 0.020  # seconds


def main() -> None:
    _mixing()
    _together()
    _resampling()
    _sources()
    asyncio.run(_outputs())


def _mixing() -> None:
    print("mixing (median; the writing into the rings is not counted)")
    print(f"{'sources':>8}{'5 ms, µs':>12}{'20 ms, µs':>12}{'x real time':>14}{'% of a core':>14}")
    for sources in SOURCES:
        card, batch = (_period(sources, size) for size in PERIODS)
        share = batch / 0.020
        print(
            f"{sources:>8}{card * 1e6:>12.1f}{batch * 1e6:>12.1f}"
            f"{1 / share:>14.0f}{share * 100:>14.2f}"
        )


def _together() -> None:
    """What it adds to be softer, and to come near the ceiling; then the loop's part."""
    print("\n8 sources in 5 ms (median)")
    for words, gain, level in (
        ("as they are", 1.0, 0.4),
        ("softer", 0.25, 0.4),
        ("near the ceiling (true peak)", 1.0, 0.9),
        ("beyond it (limited)", 1.0, 4.0),
    ):
        took = _period(8, PERIODS[0], gain, level)
        print(f"{words:>32}{took * 1e6:>8.1f} µs")
    print("the loop: another volume, with 20 ms of mixing; a look at who speaks (median)")
    for callers in SOURCES[1:]:
        plan, look = _decisions(callers)
        print(f"{callers:>8} callers over a siren{plan * 1e6:>10.1f} µs{look * 1e6:>10.1f} µs")


def _decisions(callers: int) -> tuple[float, float]:
    """Seconds to apply another volume with a siren and so many callers who speak, which mixes what
    has begun, and to look at them for 20 ms."""
    clock = FakeClock()
    context = Context(clock)
    sound = Sound(context)
    settings = AudioSettings(output="null")
    sound.apply(settings)
    rings = [SampleRing(SAMPLE_RATE) for _ in range(callers + 1)]
    for n, ring in enumerate(rings):
        kind, rank = (SourceKind.CALL, 5) if n else (SourceKind.SIREN, 3)
        context.dispatcher.execute(AddSource(owner=f"{n}", kind=kind, ring=ring, rank=rank))
    louder, block = AudioSettings(output="null", volume_db=-1.0), _noise(960, 0.5)
    plans: list[float] = []
    looks: list[float] = []
    for _ in range(ROUNDS // 20):
        for ring in rings:
            ring.write(block)
        start = perf_counter()
        clock.advance(0.02)
        looks.append(perf_counter() - start)
        start = perf_counter()
        sound.apply(louder)
        plans.append(perf_counter() - start)
        settings, louder = louder, settings
    return median(plans), median(looks)


def _period(sources: int, size: int, gain: float = 1.0, level: float = 0.5) -> float:
    """Seconds to mix one period of so many samples, with this gain, to a peak of this level."""
    mixer = Mixer()
    rings = [SampleRing(2 * size) for _ in range(sources)]
    mixer.plan = MixPlan(tuple(Entry(Channel(ring), gain) for ring in rings))
    sound = _noise(size, level / max(1, sources))
    out = np.zeros(size, np.float32)
    took: list[float] = []
    for _ in range(ROUNDS):
        for ring in rings:
            ring.write(sound)
        start = perf_counter()
        mixer.mix(out, 0.0)
        took.append(perf_counter() - start)
    return median(took)


def _resampling() -> None:
    print("\nresampling 20 ms (median)")
    for name, step, size in (
        ("8 to 48 kHz", Upsampler(6).process, 160),
        ("16 to 48 kHz", Upsampler(3).process, 320),
        ("48 to 8 kHz", Downsampler(6).process, 960),
        ("48 to 16 kHz", Downsampler(3).process, 960),
    ):
        took = _time(step, _noise(size))
        print(f"{name:>14}{took * 1e6:>8.1f} µs{0.020 / took:>10.0f} x real time")


def _time(step: Callable[[Samples], Samples], block: Samples) -> float:
    took: list[float] = []
    for _ in range(ROUNDS):
        start = perf_counter()
        step(block)
        took.append(perf_counter() - start)
    return median(took)


def _sources() -> None:
    print("\na source comes and goes (two commands, and the period they bring forward)")
    for listed in SOURCES[1:]:
        clock = FakeClock()
        context = Context(clock)
        sound = Sound(context)
        sound.apply(AudioSettings(output="null"))
        execute, ring = context.dispatcher.execute, SampleRing(480)
        for n in range(listed - 1):
            execute(AddSource(owner=f"call {n}", kind=SourceKind.CALL, ring=ring, rank=0))
        took: list[float] = []
        for _ in range(ROUNDS // 10):
            start = perf_counter()
            execute(AddSource(owner="call", kind=SourceKind.CALL, ring=ring, rank=0))
            execute(RemoveSource(owner="call"))
            took.append(perf_counter() - start)
            clock.advance(0.04)
        print(f"{listed:>8} listed{median(took) * 1e6:>10.1f} µs")


async def _outputs() -> None:
    print(f"\nreal time, {WATCHED:g} s each: CPU time of the process")
    idle = await _timer()
    print(f"{'a bare timer each 20 ms':>28}{idle * 100:>8.2f} % of a core")
    with TemporaryDirectory() as folder:
        for output in ("null", f"wav:{folder}/a.wav"):
            for sources in (0, 1, 10, 100):
                share = await _output(output, sources)
                name = f"{output.partition(':')[0]}, {sources} sources"
                print(f"{name:>28}{share * 100:>8.2f} % of a core")


async def _timer() -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()

    def tick(line: int) -> None:
        if line * WAKE_UP < WATCHED:
            loop.call_at(begun + (line + 1) * WAKE_UP, tick, line + 1)

    tick(0)
    before = process_time()
    await asyncio.sleep(WATCHED)
    return (process_time() - before) / WATCHED


async def _output(output: str, sources: int) -> float:
    context = Context(LoopClock(asyncio.get_running_loop()))
    sound = Sound(context)
    sound.apply(AudioSettings(output=output))
    for n in range(sources):
        ring = SampleRing(round((WATCHED + 5) * SAMPLE_RATE))  # it takes a while to make so many
        ring.write(_noise(ring.capacity, 0.5 / sources))
        context.dispatcher.execute(
            AddSource(owner=f"call {n}", kind=SourceKind.CALL, ring=ring, rank=0)
        )
    await asyncio.sleep(0.2)
    before = process_time()
    await asyncio.sleep(WATCHED)
    share = (process_time() - before) / WATCHED
    assert not sound.underruns
    await sound.aclose()
    return share


def _noise(size: int, level: float = 0.5) -> Samples:
    return np.random.default_rng(1).uniform(-level, level, size).astype(np.float32)


if __name__ == "__main__":
    main()
