"""What there is to know of the machine below, and of its clock: Linux, without rights."""

import ctypes
import os
import platform
import re
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

_TIMEX_BYTES: Final = 256  # more than struct timex has (adjtimex(2))
_MAXERROR_AT, _STATUS_AT = 24, 40  # where they are in it on 64 bits
_STA_UNSYNC: Final = 0x40
_SYNCHRONIZED: Final = Path("/run/systemd/timesync/synchronized")  # touched at each adjustment
_ASK_LIMIT: Final = 2.0  # seconds for timedatectl


class ClockSync(Struct, frozen=True):
    """Whether the clock follows others (STA-02). error_seconds: at most; until_next: seconds; None
    for what cannot be seen."""

    state: Literal["synchronised", "not synchronised", "unknown"]
    words: str
    error_seconds: float | None = None
    server: str = ""
    until_next: float | None = None


def machine_facts() -> dict[str, str | int | float]:
    """hardware, cpus, memory_mb, system, kernel, host, python, up_seconds; blocks a moment."""
    with suppress(OSError, ValueError):
        up = float(Path("/proc/uptime").read_text("ascii").split()[0])
        return _still(up)
    return _still(0.0)


def _still(up: float) -> dict[str, str | int | float]:
    model = ""
    for path in ("/sys/firmware/devicetree/base/model", "/sys/class/dmi/id/product_name"):
        with suppress(OSError):
            model = model or Path(path).read_text("utf-8", "replace").strip("\0\n ")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    system = ""
    with suppress(OSError):
        system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return {
        "hardware": " ".join(filter(None, (model, platform.machine()))),
        "cpus": os.cpu_count() or 0,
        "memory_mb": memory >> 20,
        "system": system or platform.system(),
        "kernel": platform.release(),
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "up_seconds": round(up),
    }


def clock_sync(wall: float) -> ClockSync:
    """Ask the kernel, and the time service if it is systemd's; blocks. wall: seconds since 1970."""
    asked = _kernel_clock()
    if asked is None:
        return ClockSync("unknown", "This system does not say whether its clock is synchronised.")
    synchronised, error = asked
    told = _time_service()
    server, poll = told.get("ServerName", ""), _seconds(told.get("PollIntervalUSec", ""))
    until_next = None
    with suppress(OSError):
        if poll is not None:
            until_next = max(0.0, _SYNCHRONIZED.stat().st_mtime + poll - wall)
    if synchronised:
        return ClockSync("synchronised", "The clock follows others.", error, server, until_next)
    words = (
        "Nothing adjusts the clock. Schedules may be late or early, and certificates may seem to be"
        " expired or not valid yet."
    )
    return ClockSync("not synchronised", words, None, server, until_next)


def _kernel_clock() -> tuple[bool, float] | None:
    """Whether it is adjusted, and how wrong it may be in seconds; None: that cannot be seen."""
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return None
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # modes 0: look only
    try:
        if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:
            return None
    except (OSError, AttributeError):
        return None
    (status,) = struct.unpack_from("@i", timex, _STATUS_AT)
    (error,) = struct.unpack_from("@l", timex, _MAXERROR_AT)
    return not status & _STA_UNSYNC, error / 1e6


def _time_service() -> Mapping[str, str]:
    program = shutil.which("timedatectl")
    if program is None:
        return {}
    try:
        answer = subprocess.run(  # noqa: S603  nothing of it comes from outside
            [program, "show-timesync"], capture_output=True, timeout=_ASK_LIMIT, check=False
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)


def _seconds(text: str) -> float | None:
    """systemd's time spans: "34min 8s"."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d)\b", text)
    units = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
    return sum(float(n) * units[unit] for n, unit in parts) if parts else None
