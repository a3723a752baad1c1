"""A flood, from outside, beside baresip in the same run: `python -m benchmarks.hostile`.

What becomes of calls of one who is known while 10,000 packets a second come from others: noise,
spoilt SIP, INVITEs, scans, requests within calls that are none; see tests.support.hostile.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.calls import Caller, cpu_seconds, metrics, quantiles
from tests.interop.baresip import baresip
from tests.interop.device import ROOT, Device, device
from tests.interop.tones import write_tone
from tests.support.ports import free_port

PAUSE = 0.03  # seconds from one call to the next
FRIENDS = (
    *("--set", "/sip/access/enabled=true", "--set", "/sip/access/policy=allow"),
    *("--set", '/sip/access/entries=["sip:bench@*"]'),
)


def flood(port: int, rate: int, seconds: float, media: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.support.hostile", str(port), "--rate", str(rate)]
    command += ["--seconds", str(seconds), "--media", *(str(media + n) for n in range(0, 64, 2))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def calls(port: int, user: str, seconds: float) -> tuple[list[float], list[float], int]:
    """Calls one after the other: (when INVITEs were sent, seconds to the 200, lost ones)."""
    caller = Caller(port, user)
    sent: list[float] = []
    took: list[float] = []
    lost = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            at, answered = caller.call(hold=0.01)
        except TimeoutError:
            lost += 1
        else:
            sent.append(at)
            took.append(answered)
        time.sleep(PAUSE)
    caller.close()
    return sent, took, lost


def light_times(running: Device, sent: list[float]) -> list[float]:
    time.sleep(0.3)
    lit = [f["at"] for f in running.frames if any(s["level"] for s in f["sides"].values())]
    first = np.searchsorted(np.array(lit), sent)
    return [float(lit[n] - at) for n, at in zip(first.tolist(), sent, strict=True)]


def kernel_drops(port: int) -> int:
    """Datagrams that did not fit into the buffer of this UDP port."""
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return sum(int(f.split()[-1]) for f in lines if int(f.split()[1].split(":")[1], 16) == port)


def measure(port: int, user: str, pid: int, rate: int, seconds: float, media: int) -> list[float]:
    """Print one line; when the INVITEs in the flood were sent."""
    _, quiet, _ = calls(port, user, seconds / 2)
    drops, used = kernel_drops(port), cpu_seconds(pid)
    process = flood(port, rate, seconds + 1.0, media)
    time.sleep(1.0)
    sent, took, lost = calls(port, user, seconds - 1.0)
    out, _ = process.communicate(timeout=seconds + 60)
    used = cpu_seconds(pid) - used
    print(f"  packets/s sent                         {int(out) / (seconds + 1):,.0f}")
    print(f"  INVITE → 200, ms, p50 / p99, before    {quantiles(quiet)}")
    print(f"  INVITE → 200, ms, p50 / p99, meanwhile {quantiles(took) if took else '–'}")
    print(f"  of so many calls / lost for 2 s        {len(took)} / {lost}")
    print(f"  datagrams lost in the kernel           {kernel_drops(port) - drops}")
    print(f"  CPU, of one core                       {used / (seconds + 1):.0%}", flush=True)
    return sent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, media = Path(name), free_port(64)
        start = ("--set", f"/sip/rtp_start_port={media}")
        with device(folder / "device", *FRIENDS, *start, sound="null") as running:
            print("sipstrobe")
            pid = running.process.pid
            sent = measure(running.port, "1001", pid, given.rate, given.seconds, media)
            lights = quantiles(light_times(running, sent))
            print(f"  INVITE → light, ms, p50 / p99          {lights}")
            print(
                f"  messages dropped by its limits         {metrics(running)['sip_dropped']:,.0f}"
            )
        tone = write_tone(folder / "tone.wav", [1000.0])
        with baresip(folder / "baresip", source=tone, max_calls=0) as phone:
            print("baresip")
            pid = phone.process.pid
            measure(phone.port, "tester", pid, given.rate, given.seconds, media)


if __name__ == "__main__":
    main()
