"""What clips cost: a file to be read, and a clip to be played.

python -m benchmarks.clips

Files are made by FFmpeg, half a minute of noise each, and read as when they are added: in a
process of their own, decoded, resampled and measured. A file of an eighth as long shows what the
process itself takes. Playing is the loop's work for each 20 ms; the file is in the page cache.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.loudness import LoudnessMeter
from sipstrobe.io.pcmfile import PcmFile
from sipstrobe.lightsiren.chimes import FACTORY_CLIPS
from sipstrobe.lightsiren.sound import Playable, SirenSource
from sipstrobe.services.clip_library import ClipSound, Entry
from sipstrobe.services.clip_reader import read_clip
from sipstrobe.services.clips import Playback
from tests.support.sound_files import ENCODERS, make_kind

SECONDS = 32
SHORT = 4
ROUNDS = 3000
TICK = SAMPLE_RATE // 50


def main() -> None:
    with TemporaryDirectory() as folder:
        _reading(Path(folder))
        _measuring()
        _playing(Path(folder))


def _reading(folder: Path) -> None:
    print(
        f"{'file':>8}{'size, kB':>10}{f'{SHORT} s, s':>10}{f'{SECONDS} s, s':>10}"
        f"{'x real time':>13}"
    )
    for kind in ENCODERS:
        paths: list[Path] = []
        for seconds in (SHORT, SECONDS):
            inside = folder / str(seconds)
            inside.mkdir(exist_ok=True)
            source = f"anoisesrc=d={seconds}:r=44100:a=0.1"
            paths.append(make_kind(inside, kind, source))
        short, long = (_typical(_read(path, folder / "decoded")) for path in paths)
        speed = (SECONDS - SHORT) / max(1e-6, long - short)
        size = paths[1].stat().st_size / 1000
        print(f"{kind:>8}{size:>10.0f}{short:>10.2f}{long:>10.2f}{speed:>13.0f}")


def _read(path: Path, decoded: Path) -> Callable[[], object]:
    return lambda: asyncio.run(read_clip(path, decoded))


def _measuring() -> None:
    sound = np.random.default_rng(1).standard_normal(10 * SAMPLE_RATE).astype(np.float32)

    def measure() -> None:
        meter = LoudnessMeter()
        meter.feed(sound)
        assert meter.loudness

    print(f"\nloudness and true peak: {10 / _typical(measure):.0f} x real time")


def _playing(folder: Path) -> None:
    path = folder / "sound.f32"
    samples = SECONDS * SAMPLE_RATE
    path.write_bytes(np.zeros(samples, np.float32).tobytes())
    clips: dict[str, Playable] = {
        "from a file": ClipSound(SECONDS, PcmFile(path, samples)),
        "of every device": FACTORY_CLIPS["Ding-dong"].sound,
    }
    print(f"\n{'a clip, 20 ms':>18}{'p50, µs':>10}{'p99, µs':>10}{'% of a core':>13}")
    for words, sound in clips.items():
        took = _refills(sound)
        p50, p99 = np.percentile(took, [50, 99]) * 1e6
        print(f"{words:>18}{p50:>10.1f}{p99:>10.1f}{p50 / 20_000 * 100:>13.3f}")


def _refills(sound: Playable) -> list[float]:
    playback = Playback(
        id=1,
        clip=Entry(0, "clip", sound, -20.0, -3.0),
        source=SirenSource(sound),
        period=sound.open().period_samples,
        total=None,
        volume_db=0.0,
        gain_db=0.0,
        priority=5,
        on_end=lambda _: None,
    )
    out = np.empty(TICK, np.float32)
    took: list[float] = []
    for _ in range(ROUNDS):
        began = perf_counter()
        playback.refill(TICK)
        took.append(perf_counter() - began)
        playback.ring.read_into(out)
    return took


def _typical(work: Callable[[], object]) -> float:
    """The median of three, in seconds."""
    took: list[float] = []
    for _ in range(3):
        began = perf_counter()
        work()
        took.append(perf_counter() - began)
    return median(took)


if __name__ == "__main__":
    main()
