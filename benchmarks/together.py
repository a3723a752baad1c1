"""How far two devices are apart that play a page together: `python -m benchmarks.together`.

In a network namespace of its own, so by root. `sipstrobe page` speaks noise to a group that two
running programs hear, one with the settings of a patient network and one of a quick one. Each plays
into a file whose samples have known instants (tests/interop/instants). Their offset is the lag at
which the correlation of a fifth of a second is largest, every tenth of a second; nothing that the
devices say of themselves. The first of them is that of the beginning. Beside it, the same without a
playout delay: each as it comes.

The two files are put on the clock by a look at their sizes. That can be whole lines of 5 ms off on
a machine that is busy all the time, which shows as an offset of as much in all of a row.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from sipstrobe.io.wavfile import WavWriter
from tests.interop.device import RATE, Device, device, wait_until
from tests.interop.instants import between, lag, opened_at
from tests.support.netns import namespace

PORT: Final = 5004
GROUPS: Final = {
    "PCMU": "239.1.1.1",
    "G722": "239.1.1.2",
    "L16/48000": "239.1.1.3",
    "opus": "239.1.1.4",
}
WINDOW, STEP = 0.2, 0.1  # seconds
NOISE_RATE: Final = 16000
LIMIT: Final = 0.001  # seconds
SILENT: Final = 0.01  # RMS of a piece in which a machine that was held up has played nothing


def main() -> None:
    parser = argparse.ArgumentParser(description="how far two devices are apart")
    parser.add_argument("--pages", type=int, default=4, help="of each codec")
    parser.add_argument("--seconds", type=float, default=4.0, help="that each lasts")
    parser.add_argument("--delay", type=int, default=150, help="playout delay in ms")
    options = parser.parse_args()
    print(f"{'':<26}first ms  p50 ms  p99 ms  max ms")
    found: list[float] = []
    for delay in (options.delay, None):
        with namespace() as network, tempfile.TemporaryDirectory() as folder:
            network.ip("link set lo multicast on")
            network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
            with (
                network.inside(),
                device(Path(folder) / "patient", *_settings("normal", delay)) as one,
                device(Path(folder) / "quick", *_settings("low", delay)) as other,
            ):
                file = _noise(Path(folder) / "noise.wav", options.seconds)
                for codec in GROUPS if delay else ("PCMU",):
                    lags = [_page((one, other), file, codec) for _ in range(options.pages)]
                    _tell(codec if delay else f"{codec}, each as it comes", lags)
                    if delay:
                        found += [abs(value) for page in lags for value in page]
    sys.exit(int(max(found) > LIMIT))


def _page(speakers: tuple[Device, Device], file: Path, codec: str) -> list[float]:
    """The offsets in one page, in seconds."""
    opened = opened_at(*speakers)
    command = [sys.executable, "-m", "sipstrobe", "page", str(file), "--codec", codec]
    began = time.monotonic()
    subprocess.run(
        [*command, "--to", f"{GROUPS[codec]}:{PORT}"], check=True, stdout=subprocess.DEVNULL
    )
    wait_until(lambda: all(_idle(speaker) for speaker in speakers))
    ended = time.monotonic()
    sounds = [between(s, at, began, ended) for s, at in zip(speakers, opened, strict=True)]
    heard = [np.flatnonzero(np.abs(sound) > 0.05)[[0, -1]] for sound in sounds]
    first, last = max(h[0] for h in heard), min(h[1] for h in heard)
    first = max(0, first - round(0.05 * RATE))
    size, step = round(WINDOW * RATE), round(STEP * RATE)
    starts = range(int(first), int(last) - size, step)
    pairs = [tuple(sound[at : at + size] for sound in sounds) for at in starts]
    return [lag(*pair) for pair in pairs if min(np.std(part) for part in pair) > SILENT]


def _tell(what: str, pages: list[list[float]]) -> None:
    values = np.abs([value for page in pages for value in page]) * 1e3
    first = max(abs(page[0]) for page in pages) * 1e3
    p50, p99 = np.quantile(values, [0.5, 0.99])
    print(f"{what:<26}{first:8.3f}{p50:8.3f}{p99:8.3f}{values.max():8.3f}", flush=True)


def _settings(latency: str, delay: int | None) -> tuple[str, str]:
    common = {"kind": "multicast", "port": PORT, "latency": latency, "playout_delay": delay}
    sources = [
        common | {"label": codec, "address": group, "codec": codec}
        for codec, group in GROUPS.items()
    ]
    return "--set", f"/multicast={json.dumps({'enabled': True, 'sources': sources})}"


def _idle(speaker: Device) -> bool:
    return all(told["state"] == "idle" for told in speaker.status()["multicast"]["told"])


def _noise(file: Path, seconds: float) -> Path:
    writer = WavWriter(file, NOISE_RATE)
    noise = np.random.default_rng(1).normal(0.0, 0.2, round(seconds * NOISE_RATE))
    writer.write(noise.astype(np.float32))
    writer.close()
    return file


if __name__ == "__main__":
    main()
