"""pyVoIP, a phone that is slow, knows UDP and MD5 only, and says all to its server, even answers.

That server is a few lines here: it registers whoever asks, and passes everything else on.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from tests.interop.device import ROOT, wait_until
from tests.support.ports import free_port

PACKAGES = ROOT / ".venv" / "weak-phone"  # of a process of its own


@dataclass
class WeakPhone:
    port: int  # of its server
    folder: Path
    process: "subprocess.Popen[bytes]" = field(repr=False)

    @property
    def uri(self) -> str:
        return f"sip:weak@127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text()


@contextlib.contextmanager
def weak_phone(folder: Path, *, source: Path) -> Generator[WeakPhone]:
    """Start one whose microphone is the WAV file `source` (8 kHz)."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    with _server(port) as server, (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, ROOT / "tests/data/weak_phone", str(port), str(server), source],
            stdout=said,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(PACKAGES)},
        )
        phone = WeakPhone(server, folder, process)
        try:
            wait_until(lambda: "started" in phone.said or process.poll() is not None)
            assert process.poll() is None, phone.said
            yield phone
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _server(phone: int) -> Generator[int]:
    """Stands between the phone of this port and its callers (RFC 3261 §16.11, stateless)."""
    ended = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(0.1)
        own = int(bound.getsockname()[1])

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    data, source = bound.recvfrom(65535)
                    text, to = _passed_on(data.decode(), source[1], phone, own)
                    bound.sendto(text.encode(), ("127.0.0.1", to))

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield own
        finally:
            ended.set()
            serving.join()


def _passed_on(message: str, source: int, phone: int, own: int) -> tuple[str, int]:
    """What becomes of a message to the phone, or of an answer, and the port that it goes to."""
    first, _, rest = message.partition("\r\n")
    if first.startswith("SIP/2.0"):
        rest = re.sub(rf"(?m)^Via: SIP/2.0/UDP 127.0.0.1:{own};.*\r\n", "", rest, count=1)
        sent_by = re.search(r"(?im)^Via: SIP/2.0/UDP [^:;]+:(\d+)", rest)
        assert sent_by is not None, message
        return f"{first}\r\n{rest}", int(sent_by[1])
    if first.startswith("REGISTER"):
        kept = re.findall(r"(?im)^(?:Via|From|To|Call-ID|CSeq|Contact):.*\r$", message)
        return "\r\n".join(["SIP/2.0 200 OK", *map(str.strip, kept), "", ""]), source
    branch = re.search(r"branch=([^;\r]+)", rest)
    assert branch is not None, message
    via = f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch={branch[1]}.1"
    return f"{first}\r\n{via}\r\n{rest}", phone
