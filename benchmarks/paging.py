"""Pages by multicast, measured by what comes out: `python -m benchmarks.paging [--only PART …]`.

In a network namespace of its own, so by root. Another process speaks to groups on its loopback
interface and says when it sent each packet. What is measured is the sound that a card of this
process was given, and when each sample of it is to be heard; nothing that the device says of
itself. The card holds what the latency profile asks of one.

latency   from the sending of each packet of noise to its first sample, where that is found again
start     of pages of noise in L16/48000: how many of the first samples are not heard
change    two pages, each a constant: how long the lower one is heard after the first packet of the
          higher one, and how long after the BYE of that it is silent
cpu       the whole program while 10, 50 and 250 speak at once, of which it plays one. Debian builds
          baresip without its multicast module: it gets the same packets as calls, plays all of
          them, and sends nothing
timeline  twenty sources at random in ten minutes of a simulated clock: how long a wrong rank is
          heard, at periods of 5 ms

Without that module there is nothing of baresip to put beside the first three.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the package does, but numpy is first here

import numpy as np
from numpy.typing import NDArray

from benchmarks.calls import cpu_seconds, metrics
from benchmarks.one_way_calls import OneWayCalls
from benchmarks.page_sender import Crowd, Page, Sender, Sent
from benchmarks.playback import Card
from sipstrobe.app import SWITCH_INTERVAL
from sipstrobe.audio.format import SAMPLE_RATE
from sipstrobe.audio.policy import Places
from sipstrobe.audio.settings import AudioSettings
from sipstrobe.clock import Clock, LoopClock
from sipstrobe.codecs.registry import CODECS
from sipstrobe.context import Context
from sipstrobe.io.soundcard import Buffering
from sipstrobe.multicast.fields import Codec, Latency
from sipstrobe.multicast.settings import MulticastSettings, PageSource
from sipstrobe.services.paging import Paging
from sipstrobe.services.sound import Sound
from tests.interop.baresip import baresip
from tests.interop.device import Device, device, wait_until
from tests.interop.tones import write_tone
from tests.support.netns import namespace

PORT: Final = 5004
GROUPS: Final = ("239.1.1.1", "239.1.1.2")
PROFILES: Final[tuple[Latency, ...]] = ("normal", "low", "ultra_low")
NOISE: Final[tuple[tuple[Codec, float], ...]] = (("PCMU", 0.020), ("L16/48000", 0.010))
PAGE: Final = 1.0  # seconds of noise
LOUD: Final = 0.25
ALIKE: Final = 0.7  # of a packet and what is heard, if it is found again
LONGEST: Final = 0.4  # seconds of delay that are looked for
AFTER: Final = 0.5  # seconds in which the last packet is played
GONE: Final = 0.1  # of its amplitude: −20 dB
LIVE: Final = (10, 50, 250)
SEEDS: Final = (1, 2, 3)

Sound48 = NDArray[np.float64]


class Target(NamedTuple):
    """The most that p50 and p99 may be, in milliseconds."""

    p50: float
    p99: float


class Verdicts:
    """Rows of what was found; and of the targets those that were missed."""

    def __init__(self, title: str) -> None:
        self._met: list[str] = []
        self._missed: list[str] = []
        print(title)

    def row(self, name: str, found: str, verdict: str = "") -> None:
        print(f"  {name:<60} {found:>16}  {verdict}", flush=True)

    def quantiles(self, name: str, seconds: Iterable[float], target: Target | None = None) -> None:
        p50, p99 = (float(q) * 1e3 for q in np.quantile(list(seconds), (0.5, 0.99)))
        found = f"{p50:.1f} / {p99:.1f} ms"
        if target is None:
            self.row(name, found)
        else:
            met = p50 <= target.p50 and p99 <= target.p99
            self._judge(name, found, f"{target.p50:g} / {target.p99:g}", met=met)

    def none(self, name: str, found: float, unit: str = "") -> None:
        self._judge(name, f"{found:g}{unit}", "0", met=not found)

    def end(self) -> None:
        count = len(self._met) + len(self._missed)
        missed = "".join(f"; missed: {name}" for name in self._missed)
        print(f"  targets met: {len(self._met)} of {count}{missed}\n", flush=True)

    def _judge(self, name: str, found: str, target: str, *, met: bool) -> None:
        (self._met if met else self._missed).append(name)
        self.row(name, found, f"target {target}: {'met' if met else 'MISSED'}")


# --- pages that are heard -----------------------------------------------------------------------


class Heard(NamedTuple):
    """What was to be heard, from the instant `began` on, and what was sent."""

    played: Sound48
    began: float
    sent: list[Sent]

    def at(self, instant: float) -> int:
        return round((instant - self.began) * SAMPLE_RATE)


def hear(latency: Latency, codec: Codec, pages: list[Page]) -> Heard:
    """Have two groups, of which the first is the higher, and let these pages be said to them."""
    return asyncio.run(_hear(latency, codec, pages))


async def _hear(latency: Latency, codec: Codec, pages: list[Page]) -> Heard:
    context, cards = Context(LoopClock(asyncio.get_running_loop())), list[Card]()
    seconds = max(page.start + page.sound.size / CODECS[codec].sample_rate for page in pages)

    def make(_: str, clock: Clock, rate: int, buffering: Buffering) -> Card:
        assert rate == SAMPLE_RATE
        cards.append(Card(clock, buffering, seconds + 20.0))
        return cards[-1]

    sound, paging = Sound(context, make), Paging(context)
    sound.apply(AudioSettings(output="card", latency=latency))
    sound.apply_places(Places(calls=3, clips=4))
    await sound.settled()
    paging.apply(
        MulticastSettings(
            enabled=True,
            codec=codec,
            sources=tuple(
                PageSource(label=group, address=group, port=PORT, latency=latency)
                for group in GROUPS
            ),
        )
    )
    gc.collect()
    gc.freeze()
    sent = await asyncio.to_thread(Sender(pages).sent)
    await asyncio.sleep(AFTER)
    paging.close()
    await sound.aclose()
    return Heard(cards[-1].played.astype(np.float64), cards[-1].began, sent)


def noise(seconds: float, rate: int, seed: int) -> NDArray[np.float32]:
    made = np.random.default_rng(seed).uniform(-LOUD, LOUD, round(seconds * rate))
    return made.astype(np.float32)


def found_at(heard: Heard, piece: Sound48, since: int) -> tuple[int, float]:
    """Where this piece of noise is most likely heard, after that; and how alike it is, 0 to 1."""
    there = heard.played[since : since + piece.size + round(LONGEST * SAMPLE_RATE)]
    size = 1 << (there.size + piece.size).bit_length()
    spectrum = np.conj(np.fft.rfft(piece, size)) * np.fft.rfft(there, size)
    places = there.size - piece.size + 1
    likeness = np.fft.irfft(spectrum)[:places]
    energy = np.cumsum(np.concatenate(([0.0], there * there)))
    power = (energy[piece.size :] - energy[: -piece.size])[:places]
    likeness /= np.sqrt(np.maximum(power, 1e-9) * (piece @ piece))
    best = int(np.argmax(likeness))
    return since + best, float(likeness[best])


def latency(pages: int) -> None:
    told = Verdicts("latency: from the sending of a packet to its first sample, p50 / p99")
    for codec, ptime in NOISE:
        rate, size = CODECS[codec].sample_rate, round(ptime * SAMPLE_RATE)
        sound = noise(PAGE, rate, seed=1)
        said = np.fft.irfft(np.fft.rfft(sound), round(PAGE * SAMPLE_RATE)) * SAMPLE_RATE / rate
        pieces = [said[at : at + size] for at in range(0, said.size, size)]
        for profile in PROFILES:
            starts = (1.37 * n for n in range(pages))  # they begin anywhere in the card's period
            wanted = [Page((GROUPS[0], PORT), at, sound, codec, ptime) for at in starts]
            heard = hear(profile, codec, wanted)
            delays: list[float] = []
            lost = 0
            for page in heard.sent:
                for piece, instant in zip(pieces, page.packets, strict=True):
                    place, alike = found_at(heard, piece, heard.at(instant))
                    lost += alike < ALIKE
                    if alike >= ALIKE:
                        delays.append(place / SAMPLE_RATE + heard.began - instant)
            target = Target(15.0, 20.0) if profile == "ultra_low" else None
            told.quantiles(f"{codec}, packets of {ptime * 1e3:.0f} ms, {profile}", delays, target)
            if lost:
                told.row("  of its packets were not found", f"{lost} of {lost + len(delays)}")
    told.end()


def start(pages: int) -> None:
    told = Verdicts("start: samples of the beginning that are not heard; the first 5 ms fade in")
    codec, length = CODECS["L16/48000"], 0.3
    sounds = [noise(length, SAMPLE_RATE, seed) for seed in range(pages)]
    said = [codec.decoder().decode(codec.encoder("").encode(sound)) for sound in sounds]
    wanted = [Page((GROUPS[0], PORT), n * (length + 0.5), one) for n, one in enumerate(sounds)]
    packet = SAMPLE_RATE // 100  # samples
    for profile in PROFILES:
        heard = hear(profile, "L16/48000", wanted)
        lost = changed = bent = 0
        for sent, sound in zip(heard.sent, said, strict=True):
            piece = sound[packet : 2 * packet]  # of the second packet, which tells the place
            first = found_at(heard, piece.astype(np.float64), heard.at(sent.packets[0]))[0] - packet
            there = heard.played[first : first + sound.size].astype(np.float32)
            if np.array_equal(there[packet : 2 * packet], piece):
                before = heard.played[first - packet : first + packet]
                onset = int(np.argmax(before != 0.0)) if before.any() else before.size
                lost += max(0, onset - packet)
            else:
                bent += 1
            changed += int(np.count_nonzero(there[packet:] != sound[packet:]))
        told.none(f"{profile}: samples lost at the start of {pages - bent} pages", lost)
        if bent:
            told.row("  more pages, held up in their first 20 ms and not judged", f"{bent}")
        total = pages * (said[0].size - packet)
        told.row("  after the first packet, to the end, other than sent", f"{changed} of {total}")
    told.end()


def change(times: int) -> None:
    told = Verdicts("change: a higher page over a lower one, and back, p50 / p99")
    chance = np.random.default_rng(1)
    starts = [1.0 + 0.7 * n + float(chance.uniform(0.0, 0.2)) for n in range(times)]
    constant = np.full(round(0.25 * SAMPLE_RATE), -LOUD, np.float32)
    lower = np.full(round((starts[-1] + 1.5) * SAMPLE_RATE), LOUD, np.float32)
    pages = [Page((GROUPS[1], PORT), 0.0, lower)]
    pages += [Page((GROUPS[0], PORT), at, constant) for at in starts]
    for profile in PROFILES:
        heard = hear(profile, "L16/48000", pages)
        gone: list[float] = []
        begun: list[float] = []
        back: list[float] = []
        gap: list[float] = []
        for fire in heard.sent[1:]:
            came, bye = heard.at(fire.packets[0]), heard.at(fire.bye)
            during = heard.played[came:bye]
            after = heard.played[bye : bye + round(0.4 * SAMPLE_RATE)]
            is_lower, is_higher = during > GONE * LOUD, during < -GONE * LOUD
            gone.append(_last(is_lower) / SAMPLE_RATE)
            begun.append(int(np.argmax(is_higher)) / SAMPLE_RATE)
            returned = int(np.argmax(after > GONE * LOUD))
            back.append(returned / SAMPLE_RATE)
            gap.append((returned - _last(after < -GONE * LOUD)) / SAMPLE_RATE)
        tight = profile == "ultra_low"
        pre_emption, back_at_once = Target(10.0, 20.0), Target(20.0, 20.0)
        told.quantiles(
            f"{profile}: first packet → the lower one at −20 dB",
            gone,
            pre_emption if tight else None,
        )
        told.quantiles(f"{profile}: first packet → the higher one above −20 dB", begun)
        told.quantiles(
            f"{profile}: BYE → the lower one above −20 dB", back, back_at_once if tight else None
        )
        told.quantiles(f"{profile}: from the end of the one to the other", gap, back_at_once)
    told.end()


def _last(true: NDArray[np.bool_]) -> int:
    """How many there are up to the last that is true."""
    return int(np.flatnonzero(true)[-1]) + 1 if true.any() else 0


# --- what it costs ------------------------------------------------------------------------------


def cpu(seconds: float) -> None:
    told = Verdicts("cpu: of one core, G.711 in packets of 20 ms")
    groups = [(f"239.2.{n // 200}.{n % 200 + 1}", PORT) for n in range(max(LIVE))]
    sources = [
        {"kind": "multicast", "label": host, "address": host, "port": port} for host, port in groups
    ]
    settings = f"/multicast={json.dumps({'enabled': True, 'sources': sources})}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with device(folder / "ours", "--set", settings, sound="null") as ours:
            pid = ours.process.pid
            time.sleep(1.0)
            idle = _share_of_core(pid, seconds)
            told.row("ours with 250 groups, of which none is spoken to", f"{idle:.1f} %")
            for live in LIVE:
                share = _in_crowd(groups[:live], pid, seconds, ours)
                told.row(f"ours: {live} at once", f"{share:.1f} %", _each(share - idle, live))
        tone = write_tone(folder / "silence.wav", [])
        with baresip(folder / "baresip", source=tone, max_calls=0, media=4 * max(LIVE)) as theirs:
            for live in LIVE:
                with OneWayCalls(theirs.port, live) as calls:
                    share = _in_crowd(calls.addresses, theirs.process.pid, seconds)
                told.row(f"baresip, as calls: {live}", f"{share:.1f} %", _each(share, live))
    print(flush=True)


def _in_crowd(
    addresses: list[tuple[str, int]], pid: int, seconds: float, ours: Device | None = None
) -> float:
    crowd = Crowd(addresses, seconds + 60.0)
    try:
        if ours is not None:
            wait_until(lambda: metrics(ours)["page_sources_live"] == len(addresses), words="crowd")
        time.sleep(2.0)
        return _share_of_core(pid, seconds)
    finally:
        crowd.end()
        time.sleep(0.5)


def _share_of_core(pid: int, seconds: float) -> float:
    """In per cent."""
    before, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return 100.0 * (cpu_seconds(pid) - before) / (time.monotonic() - began)


def _each(share: float, live: int) -> str:
    return f"{share / live:.2f} % each"


def timeline() -> None:
    from tests.services.test_page_timeline import PERIOD, judged

    told = Verdicts("timeline: twenty sources at random, ten minutes")
    for seed in SEEDS:
        found = judged(seed)
        for name, marks in (("a wrong rank heard", found.wrong_rank), ("silence", found.missing)):
            told.none(f"seed {seed}: {name}", float(marks.sum()) * PERIOD * 1e3, " ms")
    told.end()


PARTS: Final[dict[str, Callable[[bool], None]]] = {
    "latency": lambda quick: latency(3 if quick else 5),
    "start": lambda quick: start(4 if quick else 10),
    "change": lambda quick: change(6 if quick else 16),
    "cpu": lambda quick: cpu(3.0 if quick else 4.0),
    "timeline": lambda _: timeline(),
}


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    arguments.add_argument("--quick", action="store_true", help="less of all, for a first look")
    chosen = arguments.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL)
    with namespace() as network, network.inside():
        network.ip("link set lo multicast on")
        network.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        for part in chosen.only:
            PARTS[part](chosen.quick)


if __name__ == "__main__":
    main()
