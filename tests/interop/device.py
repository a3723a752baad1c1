"""The real program, as its owner would start it, on ports and in a folder of its own."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from sipstrobe.control import call
from tests.support.hear import Samples, read_wav
from tests.support.ports import free_port

ROOT = Path(__file__).parent.parent.parent
START_LIMIT = 60.0  # seconds, on a machine with no time; benchmarks say what is usual
STOP_LIMIT = 3.0  # what the command line promises
LATE = 10.0  # seconds that a machine may be late that does something else as well
RATE = 48000
WAV_HEADER = 44  # bytes
TRUSTING = (  # the owner has named this machine, so that it may ask for much
    *("--set", "/sip/access/enabled=true", "--set", "/sip/access/policy=allow"),
    *("--set", '/sip/access/entries=["127.0.0.0/8"]'),
)
MEDIA = 32  # ports for the media of a few calls; those of many go past what is taken
WAV_STEP = 0.1  # seconds of sound that are written to the file at a time


def is_bound(port: int) -> bool:
    """Whether somebody has this UDP port of 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def wait_until(
    what: Callable[[], bool], limit: float = 30.0, words: str = "", *, look: float = 0.01
) -> None:
    """Look again and again until it is so; the limit is only there for when it never is.

    look: seconds from one look to the next.
    """
    deadline = time.monotonic() + limit
    while not what():
        assert time.monotonic() < deadline, f"not within {limit:g} s: {words or what}"
        time.sleep(look)


def sipstrobe(*arguments: str | Path, said: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "sipstrobe", *map(str, arguments)],
        input=said,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=90,
        check=False,
    )


@dataclass
class Device:
    """A running `sipstrobe run`: its address, what it shows and what it plays."""

    folder: Path
    port: int
    http: int
    process: "subprocess.Popen[str]" = field(repr=False)
    password: str = ""  # of the account "admin", if it has one
    _opened: float = inf
    _frames: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]], repr=False)
    _log_read: int = 0  # bytes of the light log

    def uri(self, extension: str, host: str = "127.0.0.1") -> str:
        """How a phone on this machine dials one of its extensions."""
        return f"sip:{extension}@{f'[{host}]' if ':' in host else host}:{self.port}"

    # --- light and sound ------------------------------------------------------------------------

    @property
    def frames(self) -> list[dict[str, Any]]:
        """The light log so far, one entry a frame."""
        with (self.folder / "light.log").open("rb") as log:
            log.seek(self._log_read)
            lines = log.read().splitlines(keepends=True)
        for line in lines:
            if line.endswith(b"\n"):
                self._frames.append(json.loads(line))
                self._log_read += len(line)
        return self._frames.copy()

    def sound(self) -> Samples:
        """What was played since the start, 48 kHz."""
        return read_wav(self.folder / "sound.wav")[0]

    def heard(self, since: float, until: float) -> Samples:
        """What was to be heard between two instants (monotonic seconds); waits for the end."""
        wait_until(lambda: self._opened_at() + self._played() >= until, words="sound")
        first, last = (round((at - self._opened_at()) * RATE) for at in (since, until))
        path = self.folder / "sound.wav"
        with path.open("rb") as file:
            file.seek(WAV_HEADER + 2 * first)
            data = file.read(2 * (last - first))
        return np.frombuffer(data, "<i2").astype(np.float64) / 32768

    def _opened_at(self) -> float:
        """When the first sample of the file was to be heard, to about 10 ms.

        Sound is written as soon as it has been played, in steps of 0.1 s. So the age of the newest
        sample in the file is nearly zero at least once in each step; the more often one looks, the
        surer, on a machine that is late now and then.
        """
        end = time.monotonic() if self._opened < inf else time.monotonic() + 4 * WAV_STEP
        while True:
            now = time.monotonic()
            self._opened = min(self._opened, now - self._played())
            if now >= end:
                return self._opened
            time.sleep(0.001)

    def _played(self) -> float:
        """Seconds of sound in the file."""
        return ((self.folder / "sound.wav").stat().st_size - WAV_HEADER) / (2 * RATE)

    # --- what its owner does --------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        return self._ask("GET", "status")

    def command(self, name: str, **values: object) -> Any:
        """Give an order through the API; its result."""
        answer = self._ask("POST", f"commands/{name}", json.dumps(values))
        assert "result" in answer, answer
        return answer["result"]

    def set(self, pointer: str, value: object) -> None:
        """Change a setting while it runs, by the door that its command line takes."""
        call(self.folder / "state", {"do": "put", "pointer": pointer, "value": value})

    @contextlib.contextmanager
    def having(self, pointer: str, value: object, otherwise: object) -> Generator[None]:
        """Have a setting so for a while."""
        self.set(pointer, value)
        try:
            yield
        finally:
            self.set(pointer, otherwise)

    @property
    def calls(self) -> list[dict[str, Any]]:
        return self.status()["calls"]

    def operations(self, function: str = "SignalingLED") -> list[dict[str, Any]]:
        """What runs there, the highest priority first."""
        found = {f["name"]: f["operations"] for f in self.status()["functions"]}
        return found[function]

    def wait_idle(self) -> None:
        """Wait until no call is left."""
        wait_until(lambda: not self.calls, words="no calls", look=0.05)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    @property
    def errors(self) -> list[str]:
        """What it has logged as such; not what somebody has it write there (the journal)."""
        lines = self.log.splitlines()
        return [line for line in lines if " ERROR " in line and "services.journal" not in line]

    @property
    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def stop(self) -> float:
        """Ask it to end as init would; the seconds that took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_LIMIT + LATE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return time.monotonic() - began

    def kill(self) -> None:
        """As when the power fails."""
        self.process.kill()
        self.process.wait()

    def api(self, method: str, path: str, **values: object) -> Any:
        """Any other request to the API; what it answers, None for nothing."""
        return self._ask(method, path, json.dumps(values) if values else None)

    def _ask(self, method: str, path: str, body: str | None = None) -> Any:
        """Ask the API as a program of others does: curl, with Digest authentication."""
        command = [
            *("curl", "-s", "--max-time", "30", "--digest", "-u", f"admin:{self.password}"),
            *("-X", method, f"http://127.0.0.1:{self.http}/api/v1/{path}"),
        ]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", body]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=40)
        return json.loads(done.stdout) if done.stdout.strip() else None


def listens(port: int) -> bool:
    """Whether somebody takes connections at this port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def answers_options(port: int) -> bool:
    """Whether somebody answers an OPTIONS on this port of 127.0.0.1."""
    request = (
        "OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{0};branch=z9hG4bK{0}\r\n"
        "From: <sip:probe@127.0.0.1>;tag=p\r\nTo: <sip:127.0.0.1>\r\nCall-ID: {1}\r\n"
        "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        probe.settimeout(0.05)
        own = probe.getsockname()[1]
        try:
            probe.connect(("127.0.0.1", port))
            probe.send(request.format(own, time.monotonic_ns()).encode())
            return probe.recv(4096).startswith(b"SIP/2.0 200")
        except OSError:
            return False


@contextlib.contextmanager
def device(
    folder: Path,
    *arguments: str,
    demo: bool = True,
    sound: str = "wav",
    light: bool = True,
    port: int | None = None,
    password: str = "",
    environment: Mapping[str, str] | None = None,
) -> Generator[Device]:
    """Start the device and wait until it answers SIP; it is stopped in the end.

    A second start in the same folder goes on from the same state; its password is known then.
    light: its pictures are logged, and shown nowhere else; otherwise they go where it is set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    http = free_port()
    command = [
        *(sys.executable, "-m", "sipstrobe", "run", "--state", str(folder / "state")),
        *(["--demo"] if demo else []),
        *("--set", f"/sip/port={port}", "--http", f"127.0.0.1:{http}"),
        *("--set", f"/sip/rtp_start_port={free_port(MEDIA)}"),
        *("--set", f"/sip/tls_port={free_port()}"),
        *("--sound", f"wav:{folder / 'sound.wav'}" if sound == "wav" else sound),
        *(["--light", f"log:{folder / 'light.log'}"] if light else []),
        *arguments,
    ]
    said = folder / "said"
    with (folder / "log").open("a") as log, said.open("w") as out:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=log,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"} | dict(environment or {}),
        )
    running = Device(folder, port, http, process, password)
    try:
        deadline = time.monotonic() + START_LIMIT
        while not (
            "  light " in said.read_text() and listens(http) and (not demo or answers_options(port))
        ):
            assert process.poll() is None, f"it has ended: {running.log}"
            assert time.monotonic() < deadline, f"it does not start: {running.log}"
            time.sleep(0.01)
        if shown := re.search(r"password (\S+)", said.read_text()):
            running.password = shown[1]
        yield running
        running.stop()
        assert "Traceback" not in running.log, running.log
        assert not running.errors, running.log
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
