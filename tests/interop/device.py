"""The real program, as its owner would start it, on ports and in a folder of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.hear import Samples, read_wav

START_LIMIT = 10.0  # seconds
STOP_LIMIT = 3.0  # what the command line promises


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that is free for UDP and TCP alike."""
    while True:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        with socket.socket() as tcp, contextlib.suppress(OSError):
            tcp.bind(("127.0.0.1", port))
            return port


@dataclass
class Device:
    """A running `sipstrobe run`: its address, what it shows and what it plays."""

    folder: Path
    port: int
    http: int
    process: "subprocess.Popen[str]" = field(repr=False)
    password: str = ""

    @property
    def frames(self) -> list[dict[str, Any]]:
        """The light log so far, one entry a frame."""
        text = (self.folder / "light.log").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def sound(self) -> Samples:
        """What was played since the start, 48 kHz."""
        return read_wav(self.folder / "sound.wav")[0]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def stop(self) -> float:
        """Ask it to end as init would; the seconds that took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_LIMIT + 5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        return time.monotonic() - began


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
    folder: Path, *arguments: str, demo: bool = True, sound: str = "wav", port: int | None = None
) -> Generator[Device]:
    """Start the device and wait until it answers SIP; it is stopped in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    http = free_port(socket.SOCK_STREAM)
    command = [
        *(sys.executable, "-m", "sipstrobe", "run", "--state", str(folder / "state")),
        *(["--demo"] if demo else []),
        *("--set", f"/sip/port={port}", "--http", f"127.0.0.1:{http}"),
        *("--set", f"/sip/rtp_start_port={free_port()}"),
        *("--sound", f"wav:{folder / 'sound.wav'}" if sound == "wav" else sound),
        *("--light", f"log:{folder / 'light.log'}"),
        *arguments,
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    running = Device(folder, port, http, process)
    assert process.stdout is not None
    try:
        deadline = time.monotonic() + START_LIMIT
        while not answers_options(port):
            said = (folder / "log").read_text("utf-8")
            assert process.poll() is None, f"it has ended: {said}"
            assert time.monotonic() < deadline, f"no answer to OPTIONS: {said}"
        yield running
        running.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
