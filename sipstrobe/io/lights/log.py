"""A light that writes down what it shows: one JSON line for each picture.

    {"at":12.5,"function":"SignalingLED","sides":{"A":{"color":"red","level":0.4},…},
     "operation":1,"pattern":"Steady","priority":3,"profile":"Ringing"}

Lines are complete as soon as they are written, so that they can be read while the device runs.
"""

import json
import os
from pathlib import Path
from typing import ClassVar

from sipstrobe.io.lights.base import Picture


class LightLog:
    """Append to a file, which is made if it is missing. Raises OSError when it cannot be."""

    seen: ClassVar = True
    parting: ClassVar = False

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(_opened(path), "a", buffering=1, encoding="utf-8")
        self._path = path

    def show(self, picture: Picture) -> None:
        sides = zip("ABCD", picture.sides, strict=True)
        line = {
            "at": round(picture.at, 6),
            "function": picture.function,
            "sides": {name: {"color": color, "level": level} for name, (color, level) in sides},
            "operation": picture.operation,
            "pattern": picture.pattern,
            "priority": picture.priority,
            "profile": picture.profile,
        }
        self._file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")

    def check(self) -> None:
        self._file.flush()
        if not self._path.exists():
            raise FileNotFoundError(f"{self._path} has been removed")

    def close(self) -> None:
        self._file.close()


def _opened(path: Path) -> int:
    """Without waiting, as for the reader of a named pipe: one that has none is an error."""
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK, 0o666)
