"""linphonec, headless, driven by what one would type."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.netns import namespace
from tests.support.ports import free_port

START_LIMIT = 60.0  # seconds


@dataclass
class Linphone:
    """A running softphone that nobody here wrote."""

    port: int
    process: "subprocess.Popen[str]" = field(repr=False)
    lines: list[str] = field(default_factory=list[str])

    def type(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def wait_for(self, words: str, limit: float = 10.0) -> str:
        """Wait until it has printed a line with these words."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if words in line:
                    return line
            time.sleep(0.02)
        raise AssertionError(f"no {words!r}:\n" + "\n".join(self.lines[-40:]))

    def dial(self, uri: str) -> None:
        self.type(f"call {uri}")
        self.wait_for("connected.")

    def hang_up(self) -> None:
        self.type("terminate")
        self.wait_for("ended")

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())


@contextlib.contextmanager
def lonely_network() -> Generator[None]:
    """Be in a network with nothing but a loopback; elsewhere linphone offers the address of the
    machine. Skips where that is not allowed.
    """
    with namespace() as network:
        network.ip("route add default dev lo")
        with network.inside():
            yield


@contextlib.contextmanager
def linphone(
    folder: Path, *, source: Path, settings: Mapping[str, str] | None = None
) -> Generator[Linphone]:
    """Start a linphonec whose microphone is the WAV file `source` (8 kHz).

    settings: further lines of its configuration's section sip, such as media_encryption.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    kinds = {"sip_port": port, "sip_tcp_port": free_port(), "sip_tls_port": free_port()}
    lines = [
        *("[net]", "auto_net_state_mon=0"),  # it would believe to be off line
        *("[sip]", "use_ipv6=0"),
        *(f"{name}={number}" for name, number in kinds.items()),
        *(f"{name}={value}" for name, value in (settings or {}).items()),
        *("[rtp]", f"audio_rtp_port={free_port()}", "audio_adaptive_jitt_comp_enabled=1"),
        *("[sound]", "remote_ring=", "ec=0", "[video]", "automatically_initiate=0"),
    ]
    (folder / "linphonerc").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(
        ["linphonec", "-c", str(folder / "linphonerc"), "-d", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
    )
    phone = Linphone(port, process)
    reader = threading.Thread(target=phone.read, daemon=True)
    reader.start()
    try:
        phone.type("soundcard use files")
        phone.wait_for("Using wav files", START_LIMIT)
        phone.type("ipv6 disable")  # which also lets it open its ports
        phone.wait_for("ipv6 use disabled")
        phone.type(f"play {source}")
        yield phone
    finally:
        with contextlib.suppress(BrokenPipeError):
            phone.type("quit")
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
