"""Kamailio as registrar and proxy, on ports of its own, that can be killed and started again."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from tests.interop.device import wait_until
from tests.support.authority import Signed
from tests.support.ports import free_port

CONFIG = Path(__file__).parent.parent / "data" / "kamailio" / "kamailio.cfg"
DOMAIN = "pbx.test"
START_LIMIT = 60.0  # seconds, on a machine with no time


@dataclass
class Kamailio:
    """A registrar for users u0, u1, … whose passwords are "pw-u0" and so on."""

    folder: Path
    port: int  # UDP and TCP
    websocket_port: int
    algorithm: str  # of its challenges: "MD5" or "SHA-256"
    signed: Signed | None = None
    tls_port: int = 0
    host: str = "127.0.0.1"
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """Where it is reached over UDP and TCP."""
        return f"{self.host}:{self.port}"

    def place_for(self, transport: str) -> str:
        """Where it is reached over this transport; TLS and secure WebSocket share a port."""
        port = {"ws": self.websocket_port, "tls": self.tls_port, "wss": self.tls_port}
        return f"{self.host}:{port.get(transport, self.port)}"

    def start(self) -> None:
        """Start, and wait until it answers; it knows nobody then."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "kamailio.cfg").write_text(self._config())
        (self.folder / "control").unlink(missing_ok=True)
        command = [
            *("kamailio", "-f", str(self.folder / "kamailio.cfg"), "-DD", "-E", "-m", "64"),
            *("-Y", str(self.folder), "-P", str(self.folder / "pid")),
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self._answers, START_LIMIT, "Kamailio answers")

    def kill(self) -> None:
        """End it and all its processes, as when the power fails."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it in the middle of everything: no answer, no error, no closed connection."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    @property
    def registered(self) -> int:
        """How many addresses are registered now, however many there are."""
        return int(re.findall(r"location_contacts: (\d+)", self._ask("stats.fetch", "usrloc:"))[0])

    def contacts(self, user: str = "") -> list[str]:
        """The addresses that are registered now, of one user or of a few hundred."""
        dump = self._ask("ul.dump")
        found: list[str] = []
        for record in dump.split("AoR:")[1:]:
            if not user or record.split()[0] == user:
                found += re.findall(r"Address: (\S+)", record)
        return found

    def last_request(self, user: str) -> int:
        """The number of the last REGISTER of a user."""
        found = re.search(rf"AoR: {user}\b.*?CSeq: (\d+)", self._ask("ul.dump"), re.DOTALL)
        return int(found[1]) if found else 0

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def _ask(self, *command: str) -> str:
        control = f"unix:{self.folder / 'control'}"
        done = subprocess.run(
            ["kamcmd", "-s", control, *command],
            capture_output=True,
            text=True,
            timeout=40,
            check=True,
        )
        return done.stdout

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        with contextlib.suppress(OSError), socket.create_connection((self.host, self.port), 1):
            return (self.folder / "control").exists()
        return False

    def _config(self) -> str:
        listen = load = ""
        if self.signed is not None:
            certificate, key, _ = self.signed.write(self.folder)
            listen = f"listen=tls:{self.host}:{self.tls_port}"
            load = f'loadmodule "tls.so"\nmodparam("tls", "config", "{self.folder}/tls.cfg")'
            (self.folder / "tls.cfg").write_text(
                "[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\n"
                f"private_key = {key}\ncertificate = {certificate}\n"
            )
        return (
            Template(CONFIG.read_text())
            .substitute(
                port=self.port,
                host=self.host,
                run=self.folder,
                websocket_port=self.websocket_port,
                algorithm=self.algorithm,
                tls="yes" if listen else "no",
                listen_tls=listen,
                load_tls=load,
            )
            .replace("127.0.0.1", self.host)
        )


@contextlib.contextmanager
def kamailio(
    folder: Path,
    *,
    algorithm: str = "MD5",
    signed: Signed | None = None,
    host: str = "127.0.0.1",
) -> Generator[Kamailio]:
    """Run one on this address; it is ended whatever happens."""
    ports = [free_port() for _ in range(3)]
    server = Kamailio(folder, ports[0], ports[1], algorithm, signed, ports[2], host)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def registered_until(server: Kamailio, user: str, limit: float = 30.0) -> float:
    """Wait until a user is registered; the instant at which that was seen."""
    wait_until(lambda: bool(server.contacts(user)), limit, f"{user} is registered")
    return time.monotonic()
