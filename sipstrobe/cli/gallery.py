"""The gallery: every sound as a WAV file and every pattern as a picture, for ears and eyes."""

import argparse
import wave
from collections.abc import Iterable, Iterator
from html import escape
from math import ceil
from pathlib import Path

import numpy as np

from sipstrobe.cli.pictures import light_svg, sound_svg
from sipstrobe.lightsiren.catalogue import PATTERNS, SYSTEM_PATTERNS, Pattern
from sipstrobe.lightsiren.safety import SAFE_FLASHES, judge
from sipstrobe.lightsiren.sound import SirenSource, Sound
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.lightsiren.synthesis import SAMPLE_RATE

MIN_SECONDS = 6.0
MIN_ROUNDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    files = write_gallery(options.folder)
    print(f"{len(files)} files; open {files[-1]}")
    return 0


def write_gallery(folder: Path) -> list[Path]:
    """Write 29 WAV files, a picture of each sound and light pattern, and index.html; -> all files.

    What lies in the folder under the same names is replaced.
    """
    for part in ("sounds", "lights"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    patterns = [*PATTERNS.values(), *SYSTEM_PATTERNS.values()]
    files = [*_write_sounds(folder / "sounds"), *_write_lights(folder / "lights", patterns)]
    index = folder / "index.html"
    index.write_text(_page(patterns), encoding="utf-8")
    return [*files, index]


def _write_sounds(folder: Path) -> Iterator[Path]:
    for sound in SOUNDS.values():
        recording = folder / f"{_file_name(sound.name)}.wav"
        _write_wav(recording, sound)
        yield recording
        picture = folder / f"{_file_name(sound.name)}.svg"
        picture.write_text(sound_svg(sound), encoding="utf-8")
        yield picture


def _write_wav(path: Path, sound: Sound) -> None:
    """16-bit PCM: whole rounds of the sound, so that a player may loop the file too."""
    rounds = max(MIN_ROUNDS, ceil(MIN_SECONDS / sound.seconds))
    samples = SirenSource(sound).next(rounds * sound.period_samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())


def _write_lights(folder: Path, patterns: Iterable[Pattern]) -> Iterator[Path]:
    for pattern in patterns:
        picture = folder / f"{_file_name(pattern.name)}.svg"
        picture.write_text(light_svg(pattern), encoding="utf-8")
        yield picture


def _file_name(name: str) -> str:
    return "-".join(name.lower().replace(":", "").split())


# --- the page ----------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: dark }
body { margin: 2rem auto; max-width: 84rem; padding: 0 1rem;
       font: 15px/1.45 system-ui, sans-serif; background: #101114; color: #e6e6e6 }
h1, h2 { font-weight: 600 } h2 { margin-top: 2.5rem } p { color: #a5a8b0; margin: .2rem 0 .6rem }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr)) }
article { background: #191b20; border-radius: 10px; padding: .9rem 1rem 1rem }
h3 { margin: 0; font-size: 1rem } img { width: 100%; display: block; border-radius: 4px }
audio { width: 100%; margin-top: .6rem; height: 2.2rem } .risk { color: #ffb454 }
"""


def _page(patterns: Iterable[Pattern]) -> str:
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>sipstrobe: sounds and light patterns</title><style>{_STYLE}</style>
<h1>Sounds and light patterns</h1>
<p>Each sound plays whole rounds; its picture shows one round, as a wave and as pitch over time.
Each light pattern is shown in its default colours, the four sides A to D over time, one block
for each speed.</p>
<h2>Sounds</h2><main>{"".join(_sound_card(sound) for sound in SOUNDS.values())}</main>
<h2>Light patterns</h2>
<p class="risk">Patterns with more than {SAFE_FLASHES} flashes in a second on several sides at once
may provoke seizures in people with photosensitive epilepsy.</p>
<main>{"".join(_light_card(pattern) for pattern in patterns)}</main></html>
"""


def _sound_card(sound: Sound) -> str:
    file = f"sounds/{_file_name(sound.name)}"
    return f"""
<article id="{_file_name(sound.name)}"><h3>{escape(sound.name)}</h3>
<p>{escape(sound.words)} A round takes {sound.seconds:g} s.</p>
<img src="{file}.svg" alt="wave and spectrogram" loading="lazy">
<audio controls loop preload="none" src="{file}.wav"></audio></article>"""


def _light_card(pattern: Pattern) -> str:
    found = [judge(pattern.name, speed) for speed in pattern.speeds]
    flashes = max(safety.large_flashes_per_second for safety in found)
    risk = f'<p class="risk">Up to {flashes} flashes in a second.</p>' if flashes else ""
    return f"""
<article id="{_file_name(pattern.name)}"><h3>{escape(pattern.name)}</h3>
<p>{escape(pattern.words)}.</p>{risk if flashes > SAFE_FLASHES else ""}
<img src="lights/{_file_name(pattern.name)}.svg" alt="sides over time" loading="lazy"></article>"""
