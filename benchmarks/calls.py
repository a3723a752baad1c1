"""The running device from outside, beside baresip in the same run: `python -m benchmarks.calls`.

Every figure is taken by the same client on the same loopback, so what the kernel and the client
cost is in both columns: the line "echo" says how much that is (a datagram to a bare socket and
back). Nothing here is a test: the machine decides the milliseconds, the ratios are ours.
"""

import argparse
import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import wave
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.interop.baresip import baresip
from tests.interop.device import TRUSTING, Device, answers_options, device
from tests.interop.sipp import start_sipp
from tests.interop.tones import write_ulaw
from tests.support.ports import free_port

OFFER = (
    "v=0\r\no=bench 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {media} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
HEAD = (
    "{method} sip:{user}@127.0.0.1:{port} SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{branch};rport\r\n"
    "From: <sip:bench@127.0.0.1:{own}>;tag=b{call}\r\nTo: <sip:{user}@127.0.0.1:{port}>{to}\r\n"
    "Call-ID: {call}@bench\r\nCSeq: {cseq} {method}\r\nContact: <sip:bench@127.0.0.1:{own}>\r\n"
    "Max-Forwards: 70\r\n{extra}Content-Length: {length}\r\n\r\n{body}"
)
Row = tuple[str, str, str]


class Caller:
    """One call at a time from one socket; the clock runs around the INVITE only."""

    def __init__(self, port: int, user: str = "1001") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.connect(("127.0.0.1", port))
        self._socket.settimeout(2.0)
        self._own = self._socket.getsockname()[1]
        self._port, self._user, self._calls = port, user, 0

    def call(self, hold: float = 0.0) -> tuple[float, float]:
        """INVITE, 200, ACK, BYE, 200: (when the INVITE was sent, seconds until the 200)."""
        self._calls += 1
        call = f"{self._own}x{self._calls}x{time.monotonic_ns()}"
        invite = self._message("INVITE", call, 1, "", OFFER.format(media=self._own))
        began = time.monotonic()
        self._socket.send(invite)
        answer = self._final()
        took = time.monotonic() - began
        to = re.search(rb"\r\n(?:To|t): [^\r]*?(;tag=[^\r;]+)", answer)
        assert to, answer
        tag = to[1].decode()
        self._socket.send(self._message("ACK", call, 1, tag))
        if hold:
            time.sleep(hold)
        self._socket.send(self._message("BYE", call, 2, tag))
        self._final()
        return began, took

    def close(self) -> None:
        self._socket.close()

    def _final(self) -> bytes:
        while True:
            data = self._socket.recv(65535)
            if data.startswith(b"SIP/2.0 1"):
                continue
            assert data.startswith(b"SIP/2.0 2"), data
            return data

    def _message(self, method: str, call: str, cseq: int, to: str, body: str = "") -> bytes:
        return HEAD.format(
            method=method,
            user=self._user,
            port=self._port,
            own=self._own,
            branch=f"{call}{method}",
            call=call,
            to=to,
            cseq=cseq,
            extra="Content-Type: application/sdp\r\n" if body else "",
            length=len(body),
            body=body,
        ).encode()


def quantiles(seconds: Iterable[float]) -> str:
    """p50 / p99 in milliseconds."""
    ordered = sorted(seconds)
    return f"{_at(ordered, 0.5) * 1e3:.2f} / {_at(ordered, 0.99) * 1e3:.2f}"


def _at(ordered: list[float], q: float) -> float:
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def echo() -> float:
    """Median seconds of a datagram there and back through a bare socket: the kernel's part."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
    ):
        there.bind(("127.0.0.1", 0))
        here.connect(there.getsockname())

        def reflect() -> None:
            for _ in range(500):
                data, source = there.recvfrom(65535)
                there.sendto(data, source)

        thread = threading.Thread(target=reflect)
        thread.start()
        took: list[float] = []
        for _ in range(500):
            began = time.monotonic()
            here.send(b"x" * 900)
            here.recv(65535)
            took.append(time.monotonic() - began)
        thread.join()
        return statistics.median(took)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", text)
    assert found
    return int(found[1]) / 1024


def answer_times(port: int, user: str, calls: int, gap: float) -> list[tuple[float, float]]:
    caller = Caller(port, user)
    try:
        found: list[tuple[float, float]] = []
        began = time.monotonic()
        for n in range(calls):
            found.append(caller.call())
            time.sleep(max(0.0, began + (n + 1) * gap - time.monotonic()))
        return found[calls // 10 :]
    finally:
        caller.close()


def light_times(running: Device, calls: int) -> list[float]:
    """Seconds from the INVITE's sending to the first lit frame in the light log."""
    sent: list[float] = []
    caller = Caller(running.port)
    for _ in range(calls):
        sent.append(caller.call(hold=0.01)[0])
        time.sleep(0.02)
    caller.close()
    time.sleep(0.2)
    lit = [f["at"] for f in running.frames if any(s["level"] for s in f["sides"].values())]
    times = np.array(lit)
    first = np.searchsorted(times, sent)
    return [float(times[n] - at) for n, at in zip(first, sent, strict=True)][calls // 10 :]


def sustained(port: int, user: str, folder: Path, rates: Iterable[int], seconds: int = 5) -> int:
    """The highest of these rates that SIPp sustains without a failure or a retransmission."""
    best = 0
    for rate in rates:
        process = start_sipp(
            "uac-answer-and-bye",
            f"127.0.0.1:{port}",
            folder,
            *("-s", user, "-r", str(rate), "-m", str(rate * seconds), "-d", "10", "-l", "20000"),
            limit=seconds * 2 + 5,
        )
        out, _ = process.communicate(timeout=seconds * 3 + 20)
        screens = out.rsplit("Messages  Retrans", 1)[-1]
        rows = re.findall(r"(?:INVITE|BYE) -+>\s+(?:\S+-RTD1 )?(\d+)\s+(\d+)", screens)
        retransmitted = sum(int(again) for _, again in rows)
        if process.returncode != 0 or retransmitted:
            break
        best = rate
        time.sleep(0.5)
    return best


def media_cpu(port: int, user: str, pid: int, folder: Path, calls: int, seconds: int = 20) -> float:
    """CPU seconds per minute of each of so many calls, G.711 both ways."""
    process = start_sipp(
        "uac-media",
        f"127.0.0.1:{port}",
        folder,
        *("-s", user, "-r", "20", "-m", str(calls), "-d", str((seconds + 8) * 1000)),
        limit=seconds + 30,
    )
    time.sleep(3 + calls / 20)
    before = cpu_seconds(pid)
    time.sleep(seconds)
    used = cpu_seconds(pid) - before
    said, _ = process.communicate(timeout=seconds + 60)
    assert process.returncode == 0, said[-2000:]
    return used / calls * 60 / seconds


def cold_start(folder: Path) -> float:
    """Seconds from the start of the process to the first answered OPTIONS."""
    port = free_port()
    command = [sys.executable, "-m", "sipstrobe", "run", "--state", str(folder / "cold")]
    command += ["--demo", "--set", f"/sip/port={port}", "--sound", "null", "--light", "none"]
    command += ["--http", f"127.0.0.1:{free_port()}"]
    kept = os.environ | {"PYTHONPYCACHEPREFIX": str(folder.parent / "pycache")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody compiles anew at each start
    began = time.monotonic()
    with (folder / "cold.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=kept)
    try:
        while not answers_options(port):
            assert process.poll() is None, (folder / "cold.log").read_text()
        return time.monotonic() - began
    finally:
        process.terminate()
        process.wait()


def metrics(running: Device) -> dict[str, float]:
    """The device's own figures, by name."""
    with urllib.request.urlopen(f"http://127.0.0.1:{running.http}/metrics", timeout=5) as reply:
        lines = reply.read().decode().splitlines()
    return {k: float(v) for k, v in (x.rsplit(" ", 1) for x in lines if not x.startswith("#"))}


def own_quantiles(running: Device, name: str) -> str:
    """p50 / p99 in milliseconds of one of the device's histograms (upper bounds of buckets)."""
    buckets = [
        (float(key.split('"')[1]), count)
        for key, count in metrics(running).items()
        if key.startswith(name + "_bucket")
    ]
    total = buckets[-1][1]
    found = [next(b for b, n in buckets if total and n >= q * total) for q in (0.5, 0.99)]
    return " / ".join(f"≤ {bound * 1e3:g}" for bound in found)


def hundred_calls(running: Device, folder: Path, seconds: int = 15) -> tuple[str, str]:
    """A hundred calls with media: underruns and late periods; MB of memory for each."""
    before, memory = metrics(running), rss_mb(running.process.pid)
    process = start_sipp(
        "uac-media",
        f"127.0.0.1:{running.port}",
        folder,
        *("-s", "2000", "-r", "50", "-m", "100", "-d", str((seconds + 4) * 1000)),
        limit=seconds + 40,
    )
    time.sleep(5)
    at_start = metrics(running)
    time.sleep(seconds - 5)
    at_end, grown = metrics(running), rss_mb(running.process.pid) - memory
    said, _ = process.communicate(timeout=seconds + 60)
    assert process.returncode == 0, said[-2000:]
    assert at_end["sip_calls"] - before["sip_calls"] == 100
    underruns = at_end["sound_underruns"] - at_start["sound_underruns"]
    late = at_end["sound_late_periods"] - at_start["sound_late_periods"]
    return f"{underruns:.0f} / {late:.0f}", f"{grown / 100:.2f}"


@dataclass
class Table:
    """Rows of name, ours, baresip's."""

    rows: list[Row]

    def add(self, name: str, ours: str, theirs: str = "") -> None:
        self.rows.append((name, ours, theirs))
        print(f"{name:<58} {ours:>18} {theirs:>18}", flush=True)


@contextlib.contextmanager
def peers(folder: Path) -> Generator[tuple[Device, Device, int, int]]:
    """A device on `null`, one with a light log, and a baresip: (…, its SIP port, its pid)."""
    tone = folder / "tone.wav"
    with wave.open(str(tone), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        t = np.arange(8000 * 60) / 8000
        wav.writeframes((np.sin(2 * np.pi * 1000 * t) * 16000).astype("<i2").tobytes())
    (folder / "sipp").mkdir()
    write_ulaw(tone, folder / "sipp" / "tone.ulaw")
    with (
        device(folder / "quiet", *TRUSTING, "--set", "/sip/max_calls=2000", sound="null") as quiet,
        device(folder / "light", sound="null") as light,
        baresip(folder / "baresip", source=tone, max_calls=0) as theirs,
    ):
        yield quiet, light, theirs.port, theirs.process.pid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls, for a first look")
    quick = parser.parse_args().quick
    calls = 200 if quick else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = Table([])
        table.add("", "sipstrobe", "baresip")
        table.add("echo of the kernel and the client, ms", f"{echo() * 1e3:.2f}")
        starts = [cold_start(_made(folder / f"cold{n}")) for n in range(6)][1:]
        table.add("cold start to the first answered OPTIONS, s", f"{statistics.median(starts):.2f}")
        with peers(folder) as (quiet, light, their_port, their_pid):
            _measure(table, folder, quiet, light, their_port, their_pid, calls)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _measure(
    table: Table,
    folder: Path,
    quiet: Device,
    light: Device,
    their_port: int,
    their_pid: int,
    calls: int,
) -> None:
    pid = quiet.process.pid
    idle = rss_mb(pid)
    table.add("RSS idle, MB", f"{idle:.0f}", f"{rss_mb(their_pid):.0f}")
    table.add("INVITE → light frame, ms, p50 / p99", quantiles(light_times(light, calls)))
    inside = own_quantiles(light, "input_to_light_seconds")
    table.add("  of that from the kernel's stamp on", inside)

    def both(port: int, user: str) -> list[float]:
        return [took for _, took in answer_times(port, user, calls, 0.01)]

    table.add(
        "INVITE → 200 OK at 100 calls/s, ms, p50 / p99",
        quantiles(both(quiet.port, "1001")),
        quantiles(both(their_port, "tester")),
    )
    work = folder / "sipp"
    for count in (1, 10):
        table.add(
            f"CPU seconds per call-minute, each of {count}",
            f"{media_cpu(quiet.port, '2000', pid, work, count):.2f}",
            f"{media_cpu(their_port, 'tester', their_pid, work, count):.2f}",
        )
    table.add(
        "the same with the profile of 1001, siren and pulsing light",
        f"{media_cpu(quiet.port, '1001', pid, work, 1):.2f}",
    )
    underruns, each = hundred_calls(quiet, work)
    table.add("100 calls with media: underruns / late periods", underruns)
    table.add("RSS for each of them, MB", each)
    table.add(
        "packet → sound of them, ms, p50 / p99", own_quantiles(quiet, "packet_to_sound_seconds")
    )
    rates = [100, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000, 1200]
    table.add(
        "calls/s without a failure or retransmission",
        str(sustained(quiet.port, "1001", work, rates)),
        str(sustained(their_port, "tester", work, rates)),
    )


if __name__ == "__main__":
    main()
