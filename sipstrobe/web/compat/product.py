"""What this device is, in the words of interfaces that other programs know."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from sipstrobe import __version__
from sipstrobe.io.machine_facts import machine_facts

BRAND: Final = "sipstrobe"
MODEL: Final = "sipstrobe"
KIND: Final = "Network Strobe Speaker"
FULL_NAME: Final = f"{MODEL} {KIND}"
HARDWARE_ID: Final = "software"  # there is no board of ours
FIRMWARE: Final = __version__


@dataclass(frozen=True, slots=True)
class Build:
    """The program and the machine that it runs on. architecture: as in aarch64; machine: its model,
    as far as it says so; date: when the files of the program were written, as in
    "Feb 20 2026 18:19"."""

    architecture: str
    machine: str
    date: str


@cache
def this_build() -> Build:
    """Blocks a moment, the first time."""
    machine, _, architecture = str(machine_facts()["hardware"]).rpartition(" ")
    written = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    return Build(architecture, machine, f"{written:%b %d %Y %H:%M}")
