"""Receivers in a process of their own, which can be killed: HTTP, mail and text over TCP.

What each is told goes into one file, a line a message, before it is acknowledged.
"""

import contextlib
import socketserver
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.interop.device import ROOT, listens, wait_until
from tests.support.ports import free_port

START_LIMIT = 30.0  # seconds
REFUSED = "refused"  # a mail in which this stands
ANSWER_TO_IT = "550 5.7.1 we do not want that"


@dataclass
class Receivers:
    folder: Path
    http: int = field(default_factory=free_port)
    mail: int = field(default_factory=free_port)
    tcp: int = field(default_factory=free_port)
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start, and wait until all of them listen."""
        ports = (self.http, self.mail, self.tcp)
        with (self.folder / "receivers.log").open("ab") as log:
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", __name__, self._said, *map(str, ports)],
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )

        def up() -> bool:
            assert process.poll() is None, (self.folder / "receivers.log").read_text()
            return all(map(listens, ports))

        wait_until(up, START_LIMIT, "the receivers listen")

    def kill(self) -> None:
        """As when the power fails."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def received(self, kind: str) -> list[str]:
        """What one of them was told so far, in its order; what came again counts once."""
        with contextlib.suppress(FileNotFoundError):
            lines = (line.split(" ", 1) for line in self._said.read_text("utf-8").splitlines())
            return list(dict.fromkeys(told for by, told in lines if by == kind))
        return []

    @property
    def _said(self) -> Path:
        return self.folder / "received"


@contextlib.contextmanager
def receivers(folder: Path) -> Generator[Receivers]:
    """They are not started yet, and ended whatever happens."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Receivers(folder)
    try:
        yield made
    finally:
        made.kill()


# --- the process -------------------------------------------------------------------------------


class Log:
    """Whole lines, each in the file when `write` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._lock = threading.Lock()

    def write(self, kind: str, told: str) -> None:
        with self._lock:
            self._file.write(f"{kind} {told}\n".encode())


class Mails:
    def __init__(self, log: Log) -> None:
        self._log = log

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        told = content.decode().partition("\r\n\r\n")[2].strip()
        if REFUSED in told:
            return ANSWER_TO_IT
        self._log.write("mail", told)
        return "250 OK"


def main(path: str, http: str, mail: str, tcp: str) -> None:
    log = Log(Path(path))

    class Posts(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            log.write("http", self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
            pass

    class Texts(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if text := self.rfile.read().decode():
                log.write("tcp", text)

    class OneByOne(socketserver.TCPServer):
        allow_reuse_address = True
        request_queue_size = 128

    Controller(Mails(log), hostname="127.0.0.1", port=int(mail)).start()
    posts = ThreadingHTTPServer(("127.0.0.1", int(http)), Posts)
    threading.Thread(target=posts.serve_forever, daemon=True).start()
    OneByOne(("127.0.0.1", int(tcp)), Texts).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
