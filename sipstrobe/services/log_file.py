"""A file of records, a JSON object on each line, that does not grow beyond a bound.

Whoever has a record goes on at once; a thread of its own writes. A line that the end of the process
has cut is left out when the file is read.
"""

import logging
import os
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import msgspec

logger = logging.getLogger(__name__)

WAITING_MAX: Final = 1000  # records that have not been written; of more, the oldest are lost
MAX_BYTES: Final = 512 * 1024  # of the file, and of the one before it, which is kept


class LogFile:
    """`write` may be called in any thread."""

    def __init__(self, path: Path, *, max_bytes: int = MAX_BYTES) -> None:
        self.problem = ""  # why the last records could not be written
        self._path = path
        self._before = path.with_name(path.name + ".1")
        self._max_bytes = max_bytes
        self._waiting: deque[Mapping[str, object]] = deque(maxlen=WAITING_MAX)
        self._thread = ThreadPoolExecutor(1, path.name)
        self._due = False  # its next turn has not begun: all that waits is written then
        self._closed = False

    def read(self, newest: int) -> list[dict[str, Any]]:
        """So many records at most, the oldest first; blocks."""
        lines: list[bytes] = []
        for path in (self._before, self._path):
            try:
                lines += path.read_bytes().splitlines()
            except OSError:
                continue
        found: list[dict[str, Any]] = []
        for line in lines[-newest:]:
            try:
                found.append(msgspec.json.decode(line, type=dict[str, Any]))
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
        return found

    def write(self, record: Mapping[str, object]) -> None:
        """Have a record added, soon."""
        if self._closed:
            return
        self._waiting.append(record)
        if self._due:
            return
        self._due = True
        try:
            self._thread.submit(self._write)
        except RuntimeError:  # closed meanwhile, or the process ends
            self._closed = True

    def close(self) -> None:
        """Write what waits, and no more; blocks."""
        self._closed = True
        self._thread.shutdown()

    def _write(self) -> None:
        self._due = False
        try:
            while self._waiting:
                data = b""
                while self._waiting and len(data) < self._max_bytes // 4:
                    data += msgspec.json.encode(self._waiting.popleft()) + b"\n"
                self._append(data)
        except OSError as error:
            if not self.problem:
                logger.info("%s cannot be written: %s", self._path.name, error)
            self.problem = str(error)
        else:
            self.problem = ""

    def _append(self, data: bytes) -> None:
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with open(fd, "ab") as file:
            size = os.fstat(fd).st_size
            if size and not _ends_a_line(self._path):
                data = b"\n" + data
            file.write(data)
        if size + len(data) > self._max_bytes:
            self._path.replace(self._before)


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
