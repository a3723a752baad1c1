"""What HTTP, the live feed and the page cost, and how fast they are.

python -m benchmarks.web [--quick] [PART …]

    answers   requests a second, and CPU for each, beside a bare aiohttp handler that sends the same
    screen    from a call and from an order to the changed DOM of a Chromium that looks on
    first     the first visit: when one can press something, and how many bytes that took
    ten       ten browsers look on while profiles start and stop
    twin      the drawing in the browser against the light's own log
    start     cold start, and memory when idle
    turns     the longest turns of the loop with a talk, guessed passwords and 16 clients

The load of the machine is told with each part: beside other work only ratios say anything. The
exit code says whether all targets were met.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import sync_playwright

from benchmarks import screen, turns
from benchmarks.asking import Wanted, ask
from benchmarks.calls import Caller, cold_start, cpu_seconds, metrics, rss_mb
from benchmarks.feed import Feed, lit
from benchmarks.feed import called as feed_called
from benchmarks.saturated import clients_of
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.interop.device import TRUSTING, Device, device, wait_until
from tests.interop.tones import write_tone

CONNECTIONS = 4
FRAME = 1 / 60  # seconds
VENDOR = "/axis-cgi/siren_and_light.cgi"
GET_STATUS = b'{"apiVersion":"1.0","method":"getStatus"}'
NOTHING_RUNS = b'{"apiVersion":"1.0","method":"getStatus","data":{"status":[]}}'


class Table:
    """Rows of what, figure, target; remembers whether one was missed."""

    def __init__(self) -> None:
        self.missed = 0

    def row(self, name: str, words: str, target: str = "", met: bool = True) -> None:
        self.missed += not met
        end = f"   target {target}{'' if met else ': MISSED'}" if target else ""
        print(f"{name:<56} {words:>24}{end}", flush=True)

    def times(self, name: str, seconds: Sequence[float], most: float) -> None:
        p50, p99 = (1e3 * float(np.quantile(seconds, q)) for q in (0.5, 0.99))
        words = f"{p50:.1f} / {p99:.1f} ms"
        self.row(name + ", p50 / p99", words, f"{1e3 * most:g} ms", p99 <= 1e3 * most)


# --- answers ------------------------------------------------------------------------------------


def answers(table: Table, folder: Path, *, quick: bool) -> None:
    seconds, rounds = (1.0, 2) if quick else (3.0, 5)
    with device(folder, sound="null", light=False) as running:
        line = http.client.HTTPConnection("127.0.0.1", running.http, timeout=30)
        for name, make, body in _kinds(running, line):
            with _bare(body) as (port, pid):
                ours, bare = [], []
                for _ in range(rounds):
                    ours.append(_asked(running.http, running.process.pid, make(), seconds))
                    bare.append(_asked(port, pid, make(), seconds))
            figures = [
                [statistics.median(one[n] for one in all_) for n in (0, 1)] for all_ in (ours, bare)
            ]
            (rate, cpu), (bare_rate, bare_cpu) = figures
            table.row(
                f"{name}, {len(body)} bytes: answers a second",
                f"{rate:.0f} ({rate / bare_rate:.2f} x bare)",
            )
            table.row("  CPU for each, ours / bare", f"{1e6 * cpu:.0f} / {1e6 * bare_cpu:.0f} µs")


def _kinds(
    running: Device, line: http.client.HTTPConnection
) -> list[tuple[str, Callable[[], Wanted], bytes]]:
    """What is asked for, anew for each client, and what is answered."""
    cookie = f"Cookie: {_cookie(running, line)}\r\n"
    line.request("GET", "/")
    found = re.search(r"/static/ui/assets/index-[\w-]+\.js", line.getresponse().read().decode())
    assert found
    status = Wanted("GET", "/api/v1/status", cookie)
    file = Wanted("GET", found[0], "Accept-Encoding: gzip\r\n")
    return [
        ("GET /api/v1/status", lambda: status, _body(line, status)),
        ("POST of a vendor's API, Digest", lambda: _with_digest(running, line), NOTHING_RUNS),
        ("GET of a static file, packed", lambda: file, _body(line, file)),
    ]


def _cookie(running: Device, line: http.client.HTTPConnection) -> str:
    """Log in as the page does."""
    who = json.dumps({"name": "admin", "password": running.password})
    line.request("POST", "/api/v1/login", who)
    answer = line.getresponse()
    answer.read()
    return str(answer.headers["Set-Cookie"]).partition(";")[0]


def _body(line: http.client.HTTPConnection, wanted: Wanted) -> bytes:
    headers = dict(one.split(": ", 1) for one in wanted.headers.splitlines())
    line.request(wanted.method, wanted.path, headers=headers)
    answer = line.getresponse()
    assert answer.status == 200, answer.status
    return answer.read()


def _with_digest(running: Device, line: http.client.HTTPConnection) -> Wanted:
    """With a nonce of its own, which each count of is good for once."""
    line.request("POST", VENDOR, GET_STATUS)
    answer = line.getresponse()
    answer.read()
    challenge = dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["WWW-Authenticate"]))
    login = ("admin", running.password, challenge["realm"], challenge["nonce"])
    return Wanted("POST", VENDOR, "Content-Type: application/json\r\n", GET_STATUS, login)


def _asked(port: int, pid: int, wanted: Wanted, seconds: float) -> tuple[float, float]:
    """Answers a second, and the server's CPU for each."""
    before = cpu_seconds(pid)
    count, took = ask(port, wanted, CONNECTIONS, seconds)
    return count / took, (cpu_seconds(pid) - before) / count


class _bare:  # noqa: N801 - used like a function
    """aiohttp with one handler, which always sends the same: its port and its pid."""

    def __init__(self, body: bytes) -> None:
        self._here, there = multiprocessing.Pipe()
        spawn = multiprocessing.get_context("spawn")
        self._process = spawn.Process(target=_serve_bare, args=(body, there), daemon=True)

    def __enter__(self) -> tuple[int, int]:
        self._process.start()
        assert self._here.poll(30)
        port = self._here.recv()
        assert self._process.pid
        return port, self._process.pid

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()


def _serve_bare(body: bytes, ready: Connection) -> None:
    from aiohttp import web

    async def handle(request: web.Request) -> web.Response:
        if request.method == "POST":
            await request.read()
        return web.Response(body=body, content_type="application/json")

    async def open_(app: web.Application) -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ready.send(runner.addresses[0][1])

    import asyncio

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(open_(app))
    loop.run_forever()


# --- what is seen -------------------------------------------------------------------------------


def seen(table: Table, folder: Path, *, quick: bool) -> None:
    times = 30 if quick else 150
    with (
        device(folder, *TRUSTING, sound="null") as running,
        sync_playwright() as playwright,
        screen.chromium(playwright) as browser,
    ):
        line = http.client.HTTPConnection("127.0.0.1", running.http, timeout=30)
        with Feed(running.http, _cookie(running, line)) as feed:
            called = _calls(running, times)
            time.sleep(1.0)
        table.times("INVITE → the call in the feed", feed.delays(feed_called, called), 0.050)
        table.times("INVITE → the light in the feed", feed.delays(lit, called), 0.050)
        page = screen.overview(screen.entered(browser, running), running)
        called = _calls(running, times)
        page.wait_for_timeout(500)
        for name, words in (("call", "the call"), ("light", "the light"), ("listed", "what runs")):
            found = screen.delays(page, name, called)
            table.times(f"INVITE → {words} on the screen", found, 0.050)
        page.evaluate("window.seen = []")
        ordered = _orders(running, times)
        page.wait_for_timeout(500)
        for name, words in (("light", "the light"), ("listed", "what runs")):
            found = screen.delays(page, name, ordered)
            table.times(f"order over HTTP → {words} on the screen", found, 0.050)


def _calls(running: Device, times: int) -> list[float]:
    """When each call began; each lasts a fifth of a second."""
    sent: list[float] = []
    pauses = np.random.default_rng(1).uniform(0.25, 0.45, times)
    caller = Caller(running.port)
    for pause in pauses:
        sent.append(caller.call(hold=0.2)[0])
        time.sleep(float(pause))
    caller.close()
    return sent


def _orders(running: Device, times: int) -> list[float]:
    sent: list[float] = []
    line = http.client.HTTPConnection("127.0.0.1", running.http, timeout=30)
    give = _giver(running, line)
    for pause in np.random.default_rng(2).uniform(0.2, 0.4, times):
        sent.append(time.monotonic())
        give("start-profile", profile="Warning")
        time.sleep(0.2)
        give("stop-profile", profile="Warning")
        time.sleep(float(pause))
    return sent


def _giver(running: Device, line: http.client.HTTPConnection) -> Callable[..., None]:
    """Gives orders as a page does that is logged in, over one connection."""
    headers = {"Cookie": _cookie(running, line), "Origin": f"http://127.0.0.1:{running.http}"}

    def give(name: str, **values: object) -> None:
        line.request("POST", f"/api/v1/commands/{name}", json.dumps(values), headers)
        answer = line.getresponse()
        said = answer.read()
        assert answer.status == 200, said

    return give


def first(table: Table, folder: Path, *, quick: bool) -> None:
    with (
        device(folder, sound="null", light=False) as running,
        sync_playwright() as playwright,
        screen.chromium(playwright) as browser,
    ):
        found: list[float] = []
        for _ in range(3 if quick else 11):
            context = screen.entered(browser, running)
            page = screen.overview(context, running)
            found.append(next(at for at, now in screen.changes(page, "interactive") if now))
            files, size = page.evaluate(screen.LOADED)
            context.close()
        took = statistics.median(found)
        words = f"{took:.2f} s, at most {max(found):.2f}"
        table.row("a browser that has nothing of it: interactive", words, "1 s", took <= 1.0)
        table.row(
            f"what that loads: {files} files",
            f"{size / 1000:.1f} kB gzip",
            "150 kB",
            size <= 150_000,
        )


def ten(table: Table, folder: Path, *, quick: bool) -> None:
    changes = 20 if quick else 100
    with (
        device(folder, sound="null", light=False) as running,
        sync_playwright() as playwright,
        screen.chromium(playwright) as browser,
    ):
        pid = running.process.pid
        line = http.client.HTTPConnection("127.0.0.1", running.http, timeout=30)
        give = _giver(running, line)
        alone, memory = _cpu_while(pid, lambda: _switch(give, changes)), rss_mb(pid)
        pages = [screen.overview(screen.entered(browser, running), running) for _ in range(10)]
        assert metrics(running)["live_listeners"] == 10
        for page in pages:
            page.evaluate("window.seen = []")
        idle = _cpu_while(pid, lambda: time.sleep(changes / 4))
        busy = _cpu_while(pid, lambda: _switch(give, changes))
        give("start-profile", profile="Evacuate")
        for page in pages:
            page.wait_for_selector(
                '[data-function="SignalingLED"] [data-shown=yes]', timeout=screen.PATIENCE
            )
        seen = [sum(now for _, now in screen.changes(page, "listed")) for page in pages]
        cut = metrics(running)["live_cut_off_total"]
        table.row("ten browsers look on: CPU of the device, nothing happens", f"{idle:.0%}")
        table.row("  four changes a second, with / without them", f"{busy:.0%} / {alone:.0%}")
        table.row("  memory for each of them, MB", f"{(rss_mb(pid) - memory) / 10:.2f}")
        table.row("  changes that the slowest page has shown", f"{min(seen)} of {changes // 2 + 1}")
        table.row("  cut off", f"{cut:.0f}", "0", not cut)


def _switch(give: Callable[..., None], changes: int) -> None:
    """A profile starts or stops four times a second."""
    for n in range(changes):
        give("stop-profile" if n % 2 else "start-profile", profile="Warning")
        time.sleep(0.25)


def _cpu_while(pid: int, do: Callable[[], object]) -> float:
    """The share of one core that a process took meanwhile."""
    before, began = cpu_seconds(pid), time.monotonic()
    do()
    return (cpu_seconds(pid) - before) / (time.monotonic() - began)


def twin(table: Table, folder: Path, *, quick: bool) -> None:
    seconds = 2.0 if quick else 6.0
    patterns = ("Pulse", "Spin", "Flash 3x")
    with (
        device(folder, sound="null") as running,
        sync_playwright() as playwright,
        screen.chromium(playwright) as browser,
    ):
        page = screen.overview(screen.entered(browser, running), running)
        for n, pattern in enumerate(patterns):
            wanted: dict[str, Any] = {"pattern": pattern, "colors": ["white"], "intensity": 5}
            running.command("start-operation", function="SignalingLED", priority=n + 2, **wanted)
            page.wait_for_timeout(500)
            lag, share = screen.twin_share(page, running, seconds, FRAME)
            words = f"{share:.1%}, {1e3 * lag:.0f} ms later"
            table.row(
                f"{pattern}: frames as in the light's log, within one", words, "99 %", share >= 0.99
            )


# --- start, memory, turns -----------------------------------------------------------------------


def start(table: Table, folder: Path, *, quick: bool) -> None:
    def one(n: int) -> float:
        own = folder / f"cold{n}"
        own.mkdir(parents=True)
        return cold_start(own)

    took = [one(n) for n in range(3 if quick else 7)][1:]
    middle = statistics.median(took)
    table.row("cold start to the first answered OPTIONS", f"{middle:.2f} s", "0.7 s", middle <= 0.7)
    kept = {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    for name in ("first", "idle"):  # the first one compiles, as when it is installed
        with device(folder / name, sound="null", light=False, environment=kept) as running:
            time.sleep(3.0)
            memory = rss_mb(running.process.pid)
    table.row("memory when idle, with the page served", f"{memory:.0f} MB", "80 MB", memory <= 80)


def longest(table: Table, folder: Path, *, quick: bool) -> None:
    seconds = 10.0 if quick else 30.0
    voice = write_tone(_made(folder) / "voice.wav", [1000.0], seconds=10.0, rate=48_000)
    flags = [
        *FLAGS.split(),
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    ]
    watched = turns.watched(folder / "turns")
    with (
        device(folder / "device", *TRUSTING, sound="null", environment=watched) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = screen.overview(screen.entered(browser, running), running)
        page.get_by_role("button", name="Hold to talk").focus()
        page.keyboard.down("Space")
        wait_until(lambda: any(t["talking"] for t in running.status()["talk"]), words="a talk")
        guesses = threading.Thread(target=_guess, args=(running, seconds))
        with clients_of(running, 16, seconds) as answers:
            guesses.start()
            _keep(running, seconds)
            answers.recv()  # who tells them waits for that
        guesses.join()
        browser.close()
    told = turns.told(folder / "turns")
    cuts = " / ".join(f"{told['quantiles'][q]:.2f}" for q in ("0.5", "0.99", "0.999"))
    table.row(f"{told['total']} turns, ms of CPU, p50 / p99 / p99.9", cuts)
    for name, one in told["long"].items():
        table.row(f"  {name[:52]}", f"{one['count']} x, at most {one['longest']:.1f} ms")


def _guess(running: Device, seconds: float) -> None:
    """Log in with a wrong password, again and again, from an address that is not the page's."""
    until = time.monotonic() + seconds
    body = json.dumps({"name": "admin", "password": "wrong"})
    while time.monotonic() < until:
        line = http.client.HTTPConnection(
            "127.0.0.1", running.http, timeout=30, source_address=("127.0.0.2", 0)
        )
        for _ in range(20):
            line.request("POST", "/api/v1/login", body)
            line.getresponse().read()
        line.close()


def _keep(running: Device, seconds: float) -> None:
    """Calls come and go meanwhile, and settings change."""
    until = time.monotonic() + seconds
    caller = Caller(running.port)
    n = 0
    while time.monotonic() < until:
        caller.call(hold=0.2)
        n += 1
        running.api("PATCH", "settings/device", name=f"Siren {n}")
        time.sleep(0.1)
    caller.close()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


PARTS: dict[str, Callable[..., None]] = {
    "answers": answers,
    "screen": seen,
    "first": first,
    "ten": ten,
    "twin": twin,
    "start": start,
    "turns": longest,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description="what HTTP and the page cost, and how fast they are"
    )
    parser.add_argument("--quick", action="store_true", help="less of everything, for a first look")
    parser.add_argument(
        "parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS)
    )
    wanted = parser.parse_args()
    table = Table()
    for name in wanted.parts or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            print(f"-- {name}, at a load of {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            PARTS[name](table, Path(folder) / name, quick=wanted.quick)
    sys.exit(table.missed > 0)


if __name__ == "__main__":
    main()
