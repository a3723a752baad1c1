"""How fast the sounds are made: multiples of real time, and the longest that one block takes.

Counted is processor time, so that what else runs on the machine does not count.
Run: python benchmarks/sirens.py
"""

from collections.abc import Iterator
from dataclasses import replace
from time import thread_time

from sipstrobe.lightsiren.sound import BLOCK, SirenSource, Sound
from sipstrobe.lightsiren.sounds import SOUNDS

TIMES = 5  # each figure is the best of these, so that other work on the machine counts less


def main() -> None:
    print(f"{'sound':28} {'period':>7} {'real time':>11} {'first':>9} {'worst':>9} {'again':>9}")
    slowest = 0.0
    for name, sound in SOUNDS.items():
        runs = [_render(replace(sound)) for _ in range(TIMES)]
        first, worst, total, again = (min(column) for column in zip(*runs, strict=True))
        slowest = max(slowest, first, worst)
        print(
            f"{name:28} {sound.seconds:5.1f} s {sound.seconds / total:10.0f}x "
            f"{first * 1e6:6.0f} µs {worst * 1e6:6.0f} µs {sound.seconds / again:8.0f}x"
        )
    print(f"A block is {BLOCK / 48:g} ms of sound; the worst took {slowest * 1e3:.2f} ms.")


def _render(sound: Sound) -> tuple[float, float, float, float]:
    """Seconds for: the start with its first block, the worst block after it, all, all again."""
    begin = thread_time()
    source = SirenSource(sound)
    source.next(BLOCK)
    first = thread_time() - begin
    worst = max(_blocks(source, sound), default=0.0)
    total = thread_time() - begin
    begin = thread_time()
    for _ in range(0, sound.period_samples, BLOCK):
        source.next(BLOCK)
    return first, worst, total, thread_time() - begin


def _blocks(source: SirenSource, sound: Sound) -> Iterator[float]:
    while source.position < sound.period_samples:
        begin = thread_time()
        source.next(BLOCK)
        yield thread_time() - begin


if __name__ == "__main__":
    main()
