"""Sound while the HTTP server has no rest: `python -m benchmarks.saturated [--seconds 600]`.

Calls with media both ways, a siren and a clip play, while as many clients as wanted ask for the
status, the figures and the page as fast as they are answered. A call of more than five minutes is
ended and dialled anew, since the device lets none last longer than ten. What is promised is 0
underruns: a source that had nothing when the mix asked for more, which is a gap for whoever hears
it. The exit code says whether that was kept. With a sound card a late period is a gap as well, in
all that plays, and counts too.

With ``--sound null`` (the default) the mix itself waits for the loop that the requests keep busy,
which is the hardest case; a sound card has a thread of its own. There a late period only says that
the loop came to the mix more than 5 ms after its turn, which is every 40 ms. Nobody could hear
that: the same samples are mixed, and as long as there is no underrun none is missing.

Where the machine itself lets another process, which does nothing, wait for longer than the jitter
buffer holds, what is heard says nothing about the device. So the underruns are looked at four times
a second, and those of a moment in which that process was kept waiting too are told by themselves.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import cycle, pairwise
from math import ceil
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles

from benchmarks.calls import cpu_seconds, metrics, own_quantiles, rss_mb
from sipstrobe.io.soundcard import is_card
from sipstrobe.lightsiren.chimes import RINGER
from tests.interop.device import TRUSTING, Device, device, wait_until
from tests.interop.sipp import start_sipp
from tests.interop.tones import write_tone, write_ulaw
from tests.interop.witness import Stalls

PATHS = ("/api/v1/status", "/metrics", "/", "/api/v1/status")
SETTLE = 3.0  # seconds from the last start to the first figure
LONGEST = 300.0  # seconds that a call lasts at most
LIMIT = 30.0  # seconds that an answer may take
MAX_TIMES = 1_000_000  # answers whose times are kept
OFTEN = 0.25  # seconds from one look at the underruns to the next
AFTER = 0.5  # seconds for which a hold-up of the machine may still be heard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--calls", type=int, default=10)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--sound", default="null", help="null, auto, or the name of a sound card")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = (*TRUSTING, "--set", f"/sip/max_calls={2 * wanted.calls}")
        with device(folder / "device", *settings, sound=wanted.sound) as running:
            heard = _measure(running, folder, wanted)
    sys.exit(heard > 0)


def _measure(running: Device, folder: Path, wanted: argparse.Namespace) -> int:
    """Print the table; how many gaps were heard."""
    work = folder / "sipp"
    work.mkdir()
    write_ulaw(write_tone(folder / "tone.wav", [440.0]), work / "tone.ulaw")
    held = wanted.seconds + 2 * SETTLE + 5
    rounds = ceil(held / LONGEST)
    callers = start_sipp(
        "uac-media",
        f"127.0.0.1:{running.port}",
        work,
        *("-s", "2000", "-r", "10", "-l", str(wanted.calls), "-m", str(rounds * wanted.calls)),
        *("-d", str(round(1000 * held / rounds))),
        limit=wanted.seconds + 60,
    )
    wait_until(lambda: metrics(running)["sip_calls"] == wanted.calls, words="calls")
    running.command("start-profile", profile="Warning")
    running.command("play-clip", clip=RINGER, repeat=None)
    with clients_of(running, wanted.connections, wanted.seconds + 2 * SETTLE) as answers:
        time.sleep(SETTLE)
        before, used, began = metrics(running), cpu_seconds(running.process.pid), time.monotonic()
        with Stalls() as stalls:
            counts = _watch_underruns(running, wanted.seconds)
        took = time.monotonic() - began
        after, used = metrics(running), cpu_seconds(running.process.pid) - used
        grown = rss_mb(running.process.pid)
        times: list[float] = answers.recv()
    said, _ = callers.communicate(timeout=60)
    assert callers.returncode == 0, said[-2000:]
    faults = {
        name: after[name] - before[name] for name in ("sound_underruns", "sound_late_periods")
    }
    cuts = quantiles(times, n=1000)
    _row("calls, and a siren, and a clip, for seconds", f"{wanted.calls}, {took:.0f}")
    _row("clients / answers per second", f"{wanted.connections} / {len(times) / took:.0f}")
    _row("an answer, ms, p50 / p99 / p99.9", _ms(cuts[499], cuts[989], cuts[998]))
    _row("CPU of the device, one core = 100 %", f"{100 * used / took:.0f} %")
    _row("RSS, MB", f"{grown:.0f}")
    _row("packet → sound, ms, p50 / p99", own_quantiles(running, "packet_to_sound_seconds"))
    _row("sound played, s", f"{after['sound_played_seconds'] - before['sound_played_seconds']:.1f}")
    _row("underruns / late periods", " / ".join(f"{n:.0f}" for n in faults.values()))
    _row("the machine lets nobody run for, ms, at most", f"{1e3 * stalls.longest:.0f}")
    own = _unexcused(counts, stalls.moments)
    _row("underruns while the machine let others run", str(own))
    gaps = faults if is_card(wanted.sound) else {"sound_underruns": own}
    return int(sum(gaps.values()))


def _watch_underruns(running: Device, seconds: float) -> list[tuple[float, int]]:
    """When we looked, and how many there had been so far."""
    until = time.monotonic() + seconds
    counts: list[tuple[float, int]] = []
    while time.monotonic() < until:
        counts.append((time.monotonic(), int(metrics(running)["sound_underruns"])))
        time.sleep(OFTEN)
    return counts


def _unexcused(counts: Sequence[tuple[float, int]], moments: Sequence[tuple[float, float]]) -> int:
    """Underruns that came when an onlooker was not kept waiting either."""
    return sum(
        now - before
        for (since, before), (until, now) in pairwise(counts)
        if now > before
        and not any(began < until and ended + AFTER > since for began, ended in moments)
    )


def _row(name: str, words: str) -> None:
    print(f"{name:<44} {words:>28}", flush=True)


def _ms(*seconds: float) -> str:
    return " / ".join(f"{1e3 * each:.1f}" for each in seconds)


def _cookie(running: Device) -> str:
    """Log in as the page does."""
    body = json.dumps({"name": "admin", "password": running.password}).encode()
    url = f"http://127.0.0.1:{running.http}/api/v1/login"
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=LIMIT) as answer:
        return str(answer.headers["Set-Cookie"]).partition(";")[0]


# --- the clients: a process of their own -------------------------------------------------------


@contextmanager
def clients_of(running: Device, connections: int, seconds: float) -> Generator[Connection]:
    """They ask for so many seconds; what is given tells, in the end, how long each answer took."""
    cookie = _cookie(running)
    paths = [(path, cookie) for path in PATHS]
    here, there = multiprocessing.Pipe()
    arguments = (running.http, paths, connections, seconds, there)
    clients = multiprocessing.get_context("spawn").Process(target=_clients, args=arguments)
    clients.start()
    yield here
    clients.join()


def _clients(
    port: int, paths: Sequence[tuple[str, str]], connections: int, seconds: float, done: Connection
) -> None:
    """Ask for so many seconds; sends how long each answer took, without the time to settle."""
    asyncio.run(_ask_all(port, paths, connections, seconds, done))


async def _ask_all(
    port: int, paths: Sequence[tuple[str, str]], connections: int, seconds: float, done: Connection
) -> None:
    times: list[float] = []
    began = time.monotonic()
    window = began + SETTLE, began + seconds - SETTLE
    async with asyncio.TaskGroup() as group:
        for n in range(connections):
            own = cycle([*paths[n % len(paths) :], *paths[: n % len(paths)]])
            group.create_task(_ask(port, own, began + seconds, window, times))
    done.send(times)


async def _ask(
    port: int,
    paths: Iterable[tuple[str, str]],
    until: float,
    window: tuple[float, float],
    times: list[float],
) -> None:
    """One connection: the next request follows the answer at once."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for path, cookie in paths:
        asked = time.monotonic()
        if asked >= until:
            break
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
        async with asyncio.timeout(LIMIT):
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length))
        if window[0] <= asked < window[1] and len(times) < MAX_TIMES:
            times.append(time.monotonic() - asked)
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    main()
