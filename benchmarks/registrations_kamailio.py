"""A thousand accounts at one registrar: `python -m benchmarks.registrations_kamailio`.

Beside baresip. Kamailio challenges each (MD5, qop=auth). Ours go out at the pace that
`services.pace` sets, however fast the machine is; baresip sends as fast as it can. What counts is
CPU, for the registrations themselves and for the upkeep after them: refreshed every minute or so,
kept alive in between.
"""

import argparse
import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.calls import cpu_seconds, rss_mb
from sipstrobe.config.demo import demo
from sipstrobe.config.store import Store
from tests.interop.device import device
from tests.interop.kamailio import DOMAIN, Kamailio, kamailio
from tests.support.ports import free_port

LIMIT = 120.0  # seconds for all to be registered
INTERVAL = 60  # seconds for which everybody asks to be registered
UPKEEP = 60.0  # seconds over which the CPU of upkeep is measured


@dataclass
class Figures:
    """seconds until all were registered, CPU seconds for that with the start of the program; CPU
    seconds of a minute of upkeep; memory; seconds until nobody was registered any more after the
    end was asked for."""

    registered: int
    seconds: float
    cpu: float
    upkeep: float
    rss_mib: float
    leaving: float

    def rows(self) -> list[str]:
        return [
            f"{self.registered}",
            f"{self.seconds:.1f} s",
            f"{self.registered / self.seconds:.0f}/s",
            f"{self.cpu:.2f} s",
            f"{self.upkeep / UPKEEP * 100:.1f} %",
            f"{self.rss_mib:.0f} MiB",
            f"{self.leaving:.1f} s",
        ]


NAMES = [
    "accounts registered",
    "seconds until all were",
    "registrations a second",
    "CPU until then, start included",
    "CPU of upkeep",
    "memory",
    "un-registered after",
]


def measure(server: Kamailio, pid: int, accounts: int, stop: Callable[[], object]) -> Figures:
    """Watch a phone that has just been started."""
    began = time.monotonic()
    while server.registered < accounts and time.monotonic() - began < LIMIT:
        time.sleep(0.05)
    seconds, registered = time.monotonic() - began, server.registered
    cpu = cpu_seconds(pid)
    time.sleep(UPKEEP)
    upkeep, rss = cpu_seconds(pid) - cpu, rss_mb(pid)
    began = time.monotonic()
    stop()
    while server.registered and time.monotonic() - began < LIMIT:
        time.sleep(0.05)
    return Figures(registered, seconds, cpu, upkeep, rss, time.monotonic() - began)


def ours(folder: Path, accounts: int) -> Figures:
    with kamailio(folder / "pbx") as server:
        users = [
            {
                "name": f"u{n}",
                "user_id": f"u{n}",
                "password": f"pw-u{n}",
                "kind": "registered",
                "domain": DOMAIN,
                "registrar": server.place,
                "default": n == 0,
            }
            for n in range(accounts)
        ]
        store = Store.open(folder / "device" / "state")
        store.change_now(demo())
        sip = {"enabled": True, "accounts": users, "registration_interval": INTERVAL}
        store.change_now({"sip": sip})
        store.close()
        with device(folder / "device", demo=False, sound="null") as running:
            return measure(server, running.process.pid, accounts, running.stop)


def theirs(folder: Path, accounts: int) -> Figures:
    with kamailio(folder / "pbx") as server, _baresip(folder, server, accounts) as process:
        return measure(server, process.pid, accounts, process.terminate)


@contextlib.contextmanager
def _baresip(folder: Path, server: Kamailio, accounts: int) -> Generator["subprocess.Popen[bytes]"]:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        *("net_interface 127.0.0.1", "poll_method epoll", f"sip_listen 127.0.0.1:{free_port()}"),
        *("module_path /usr/lib/baresip/modules", "module g711.so"),
        *("module_tmp uuid.so", "module_tmp account.so", "module_app menu.so"),
    ]
    (folder / "config").write_text("\n".join(lines) + "\n")
    users = [
        f'<sip:u{n}@{DOMAIN}>;outbound="sip:{server.place}";auth_pass=pw-u{n};regint={INTERVAL}'
        for n in range(accounts)
    ]
    (folder / "accounts").write_text("\n".join(users) + "\n")
    (folder / "contacts").write_text("")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["baresip", "-f", str(folder)], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1000)
    accounts = parser.parse_args().accounts
    with tempfile.TemporaryDirectory() as folder:
        us = ours(Path(folder) / "ours", accounts)
        them = theirs(Path(folder) / "theirs", accounts)
    print(f"{'':<36} {'sipstrobe':>12} {'baresip':>12}")
    for name, own, other in zip(NAMES, us.rows(), them.rows(), strict=True):
        print(f"{name:<36} {own:>12} {other:>12}")


if __name__ == "__main__":
    main()
