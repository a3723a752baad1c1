"""baresip, headless, driven by its TCP control interface (netstrings around JSON)."""

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.hear import Samples, read_wav
from tests.support.ports import free_port

MODULES = "/usr/lib/baresip/modules"
START_LIMIT = ANSWER_LIMIT = 30.0  # seconds, on a machine with no time
MEDIA = 32  # ports for the media of its calls


@dataclass
class Baresip:
    """A running softphone that nobody here wrote."""

    port: int
    folder: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)
    control: socket.socket = field(repr=False)
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    digits: str = ""  # heard so far
    _unread: bytes = b""
    _token: int = 0

    def command(self, name: str, parameters: str = "") -> str:
        """Give a command and return what it says."""
        self._token += 1
        body = json.dumps(
            {"command": name, "params": parameters, "token": str(self._token)}
        ).encode()
        self.control.sendall(b"%d:%s," % (len(body), body))
        deadline = time.monotonic() + ANSWER_LIMIT
        while time.monotonic() < deadline:
            for message in self._read():
                if message.get("token") == str(self._token):
                    return str(message.get("data", ""))
        raise AssertionError(f"no answer to {name}")

    def wait_for(self, kind: str, limit: float = 30.0) -> dict[str, Any]:
        """Wait for an event of this type ("CALL_ESTABLISHED", "CALL_CLOSED")."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            for n, event in enumerate(self.events):
                if event.get("type") == kind:
                    del self.events[: n + 1]
                    return event
            self._read()
        raise AssertionError(f"no {kind}; log: {self.log[-2000:]}")

    @property
    def uri(self) -> str:
        """How it is called, on IPv4."""
        return f"sip:tester@127.0.0.1:{self.port}"

    def dial(self, uri: str) -> None:
        self.command("dial", uri)
        self.wait_for("CALL_ESTABLISHED")

    def hang_up(self) -> None:
        self.command("hangup")
        self.wait_for("CALL_CLOSED")

    def heard(self) -> Samples:
        """What it has heard in its call, at the rate of the codec."""
        (file,) = self.folder.glob("dump-*-dec.wav")
        return read_wav(file)[0]

    @property
    def log(self) -> str:
        return (self.folder / "baresip.log").read_text("utf-8", "replace")

    @property
    def misses_ends_of_events(self) -> bool:
        """Release 1.1.0 takes a key that is pressed twice in RTP for one: it drops, as old sound,
        all packets of an event but the first (baresip's issue 1494)."""
        return "baresip v1.1.0" in self.log

    def _read(self) -> list[dict[str, Any]]:
        with contextlib.suppress(TimeoutError):
            self._unread += self.control.recv(65536)
        answers: list[dict[str, Any]] = []
        while b":" in self._unread:
            size, rest = self._unread.split(b":", 1)
            if len(rest) < int(size) + 1:
                break
            message = json.loads(rest[: int(size)])
            self._unread = rest[int(size) + 1 :]
            (self.events if message.get("event") else answers).append(message)
            if message.get("type") == "CALL_DTMF_START":
                self.digits += str(message["param"])
        return answers


@contextlib.contextmanager
def baresip(
    folder: Path,
    *,
    source: Path,
    transport: str = "udp",
    host: str = "127.0.0.1",
    record: bool = False,
    codecs: str = "pcmu",
    answer: str = "auto",
    max_calls: int = 64,
    account: str = "",
    modules: Iterable[str] = (),
    config: Iterable[str] = (),
    registrar: str = "",
    media: int = MEDIA,
) -> Generator[Baresip]:
    """Start a baresip whose microphone is the WAV file `source`, which has the rate of the codec
    (of G.711: 8 kHz); record: what it hears.

    account: further parameters, as ";mediaenc=srtp-mand"; modules: that these need; config: further
    lines, as "sip_certificate own.pem". registrar: "host:port" of a server at which it is
    tester@pbx.test. media: ports for the media of its calls, four for each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, control_port, rtp_port = free_port(2), free_port(), free_port(media)  # 2: one is for TLS
    literal = f"[{host}]" if ":" in host else host
    audio = ["aufile", "g711", "aubridge", *(["sndfile"] if record else [])]
    lines = [
        *(f"net_interface {host}", "poll_method epoll", f"sip_listen {literal}:{port}"),
        f"call_max_calls {max_calls}",
        *("audio_player aubridge,nil", f"audio_source aufile,{source}", "audio_alert aubridge,nil"),
        *("audio_buffer 20-160", f"rtp_ports {rtp_port}-{rtp_port + media}"),
        *("jitter_buffer_delay 5-10", "call_hold_other_calls no", f"module_path {MODULES}"),
        *(f"module {name}.so" for name in (*audio, *modules)),
        *("module_tmp uuid.so", "module_tmp account.so", "module_app menu.so"),
        f"snd_path {folder}",
        *config,
        *("module ctrl_tcp.so", f"ctrl_tcp_listen 127.0.0.1:{control_port}"),
    ]
    address = (
        f"<sip:tester@{literal}:{port};transport={transport}>"
        f";regint=0;answermode={answer};audio_codecs={codecs}{account}"
    )
    if registrar:
        address = (
            f'<sip:tester@pbx.test;transport={transport}>;outbound="sip:{registrar}"'
            f";auth_pass=pw-tester;regint=3600;answermode={answer};audio_codecs={codecs}{account}"
        )
    (folder / "config").write_text("\n".join(lines) + "\n")
    (folder / "accounts").write_text(address + "\n")
    (folder / "contacts").write_text("")
    with (folder / "baresip.log").open("wb") as log:
        process = subprocess.Popen(["baresip", "-f", str(folder)], stdout=log, stderr=log)
    try:
        phone = Baresip(port, folder, process, _connect(control_port, process))
        with phone.control:
            yield phone
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _connect(port: int, process: "subprocess.Popen[bytes]") -> socket.socket:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        assert process.poll() is None, "baresip has ended"
        try:
            control = socket.create_connection(("127.0.0.1", port), 1)
        except OSError:
            time.sleep(0.02)
        else:
            control.settimeout(0.1)
            return control
    raise AssertionError("baresip does not listen")
