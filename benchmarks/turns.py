"""How long each turn of the loop of a running device takes, and who takes longest.

A device that is started with `watched` notes, when it ends, of every callback and every step of a
task that took longer than LONG what it was. What counts is the time of the loop's own thread on a
processor: a machine that lets it wait says nothing about it.
"""

import asyncio
import atexit
import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LONG = 0.002  # seconds
ROOT = Path(__file__).parent.parent
FILE = "SIPSTROBE_TURNS"
_SITE = "from benchmarks.turns import install\ninstall()\n"


def watched(folder: Path) -> Mapping[str, str]:
    """The environment of a device whose turns are to be found in this folder when it has ended."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sitecustomize.py").write_text(_SITE)
    return {"PYTHONPATH": f"{folder}:{ROOT}", FILE: str(folder / "turns.json")}


def told(folder: Path) -> dict[str, Any]:
    """total: turns; quantiles: ms; long: by name, how many and the longest in ms."""
    return json.loads((folder / "turns.json").read_text())


def install() -> None:
    """Look on from now on. Other processes that the device starts do not."""
    path = os.environ.pop(FILE, "")
    if path:
        Turns(Path(path)).install()


class Turns:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._times: list[int] = [0] * 1000  # by 10 µs; what is longer is in the last
        self._long: dict[str, list[float]] = {}

    def install(self) -> None:
        run = asyncio.Handle._run
        now = time.thread_time_ns
        times, last = self._times, len(self._times) - 1

        loop_thread = threading.main_thread().ident

        def timed(handle: Any) -> None:
            if threading.get_ident() != loop_thread:
                run(handle)  # of a loop that holds up nobody
                return
            began = now()
            run(handle)
            took = now() - began
            times[min(took // 10_000, last)] += 1
            if took > LONG * 1e9:
                self._note(handle, took / 1e6)

        asyncio.Handle._run = timed
        atexit.register(self._write)

    def _note(self, handle: Any, milliseconds: float) -> None:
        self._long.setdefault(_name(handle), []).append(milliseconds)

    def _write(self) -> None:
        total = sum(self._times)
        long = {
            name: {"count": len(took), "longest": round(max(took), 2)}
            for name, took in sorted(self._long.items(), key=lambda item: -max(item[1]))
        }
        quantiles = {str(q): self._quantile(q * total) for q in (0.5, 0.99, 0.999)}
        said = {"total": total, "quantiles": quantiles, "long": long}
        self._path.write_text(json.dumps(said, indent=1))

    def _quantile(self, wanted: float) -> float:
        seen = 0
        for n, count in enumerate(self._times):
            seen += count
            if seen >= wanted:
                return (n + 1) / 100
        return 0.0


def _name(handle: Any) -> str:
    """Of a callback its name; of a task the coroutines that it is in."""
    callback = handle._callback
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"task {owner.get_coro().__qualname__}"
    return str(getattr(callback, "__qualname__", None) or type(callback).__name__)
