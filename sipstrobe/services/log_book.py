"""What the program says of itself, kept for the page: the newest records in memory, and those that
matter after a restart (starts, warnings and worse) in a file (checklist LOG-03).

Severities are named as syslog does: RFC 5424 §6.2.1.
"""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from itertools import count, takewhile
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict

from sipstrobe import __version__
from sipstrobe.masking import masked, whole
from sipstrobe.services.log_file import LogFile

FILE: Final = "system.log"
KEPT: Final = 5000  # records in memory
TEXT_MAX: Final = 4096  # characters of one, the trace of an error included
FROM_FILE: Final = 1000  # records of earlier runs that are read at the start
FOLLOWERS_MAX: Final = 8
SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
NOTICE: Final = 25  # between Python's INFO and WARNING
_FILED: Final = SEVERITIES.index("notice")  # the least severe that goes into the file
_BEAT: Final = 15.0  # seconds after which a follower is shown that there is nothing new
_PACE: Final = 0.05  # seconds between two helpings
_HELPING: Final = 200  # records that are looked at together: more would hold up calls and sound

logging.addLevelName(NOTICE, "NOTICE")


class LogEntry(Struct, frozen=True):
    """One record. seq grows from record to record of this run; at: seconds since 1970."""

    seq: int
    at: float
    severity: str
    source: str  # the module that says it
    text: str


Wanted = Callable[[LogEntry], bool]


class LogBook(logging.Handler):
    """Handles records of all threads between `open` and `aclose`."""

    def __init__(self, folder: Path, *, kept: int = KEPT) -> None:
        super().__init__()
        self._file = LogFile(folder / FILE)
        self._entries: deque[LogEntry] = deque(maxlen=kept)
        self._guard = threading.Lock()
        self._serials = count(1)
        self._followers: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    # --- life -----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Read what earlier runs have left, and begin to listen."""
        self._loop = asyncio.get_running_loop()
        for known in await asyncio.to_thread(self._file.read, FROM_FILE):
            with suppress(KeyError, TypeError, ValueError):
                text, source = str(known["text"]), str(known["source"])
                self._note(float(known["at"]), _severity_named(known["severity"]), source, text)
        logging.getLogger().addHandler(self)

    def announce(self, words: str) -> None:
        """The device has started, and how it ended before."""
        logger = logging.getLogger("sipstrobe")
        logger.log(NOTICE, "sipstrobe %s has started; before: %s", __version__, words)

    async def aclose(self) -> None:
        """The last record is that the device ends."""
        logging.getLogger("sipstrobe").log(NOTICE, "sipstrobe ends")
        logging.getLogger().removeHandler(self)
        self._closed = True
        self._wake()
        await asyncio.to_thread(self._file.close)
        self.close()

    # --- writing --------------------------------------------------------------------------------

    def emit(self, record: logging.LogRecord) -> None:
        """Of any thread; nothing here waits for a disk."""
        try:
            text = record.getMessage()
        except Exception:  # its author's mistake, which must not end what it tells of
            self.handleError(record)
            return
        if record.exc_info:
            text += "\n" + logging.Formatter().formatException(record.exc_info)
        entry = self._note(record.created, _severity(record.levelno), record.name, masked(text))
        if SEVERITIES.index(entry.severity) <= _FILED:
            self._file.write({k: v for k, v in asdict(entry).items() if k != "seq"})
        if self._followers and self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake)

    def _note(self, at: float, severity: str, source: str, text: str) -> LogEntry:
        text = whole(text[:TEXT_MAX])[:TEXT_MAX]
        with self._guard:
            entry = LogEntry(next(self._serials), at, severity, source, text)
            self._entries.append(entry)
        return entry

    # --- reading --------------------------------------------------------------------------------

    @staticmethod
    def selection(severity: str, text: str) -> Wanted:
        """Records of this severity or worse that have a text in them, whatever its case."""
        least, words = SEVERITIES.index(severity), text.casefold()

        def wanted(entry: LogEntry) -> bool:
            if SEVERITIES.index(entry.severity) > least:
                return False
            return not words or words in entry.text.casefold() or words in entry.source.casefold()

        return wanted

    def entries(self, wanted: Wanted, limit: int, before: int | None = None) -> list[LogEntry]:
        """The newest first; before: only those with a smaller seq."""
        found: list[LogEntry] = []
        for entry in reversed(self._all()):
            if (before is None or entry.seq < before) and wanted(entry):
                found.append(entry)
                if len(found) >= limit:
                    break
        return found

    @property
    def following(self) -> int:
        """How many follow."""
        return len(self._followers)

    @property
    def full(self) -> bool:
        """As many follow as may."""
        return self.following >= FOLLOWERS_MAX

    async def follow(
        self, wanted: Wanted, after: int | None
    ) -> AsyncGenerator[list[LogEntry] | None]:
        """What comes after this seq (None: from now on), as it comes; None now and then, when there
        is nothing, and first, as Firefox gives a page no answer before a byte of it has come. What
        memory has lost before he has read it he has missed."""
        seen = self._newest() if after is None else after
        news = asyncio.Event()
        self._followers.add(news)
        try:
            yield None
            while not self._closed:
                news.clear()
                if entries := self._newer(seen)[:_HELPING]:
                    seen = entries[-1].seq
                    if found := [entry for entry in entries if wanted(entry)]:
                        yield found
                    await asyncio.sleep(_PACE if len(entries) < _HELPING else 0)
                    continue
                try:
                    async with asyncio.timeout(_BEAT):
                        await news.wait()
                except TimeoutError:
                    yield None
        finally:
            self._followers.discard(news)

    def _newest(self) -> int:
        with self._guard:
            return self._entries[-1].seq if self._entries else 0

    def _newer(self, seen: int) -> list[LogEntry]:
        with self._guard:
            newer = list(takewhile(lambda entry: entry.seq > seen, reversed(self._entries)))
        newer.reverse()
        return newer

    def _all(self) -> list[LogEntry]:
        with self._guard:
            return list(self._entries)

    def _wake(self) -> None:
        for follower in self._followers:
            follower.set()


def _severity(level: int) -> str:
    for least, name in ((50, "crit"), (40, "err"), (30, "warning"), (NOTICE, "notice")):
        if level >= least:
            return name
    return "info" if level >= logging.INFO else "debug"


def _severity_named(name: Any) -> str:
    return SEVERITIES[SEVERITIES.index(name)]
