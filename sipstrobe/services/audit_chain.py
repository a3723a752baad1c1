"""The audit trail on disk: a line for each entry, which holds the hash of the line before it.

``audit/000000000001.jsonl`` and on, named by the number of the first entry; the oldest is deleted
when there are too many, and the chain goes on over all of them. ``audit/head.json`` says which
entry is the last and which the first, with their hashes: without it nobody could tell that the end,
or the beginning, was cut off. Whoever may write in the folder can make all of it anew; what then
still speaks are heads that were noted elsewhere.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FOLDER: Final = "audit"  # in that of the state
HEAD: Final = "head.json"
FILE_MAX_BYTES: Final = 1 << 20
FILES_MAX: Final = 8
LINE_MAX_BYTES: Final = 16 * 1024
LOOKS: Final = 3  # at a trail that is being written
PROBLEMS_MAX: Final = 20  # that are told
NOTHING: Final = "0" * 64  # the hash before the first entry


class Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who did what. way: account, token, anonymous, command line, mqtt, device …; at: RFC 3339.

    paths: JSON pointers of the settings that differ. times: it was done so often; of some that are
    alike, the later ones are one entry. prev: the SHA-256 of the line before.
    """

    n: int = 0
    at: str
    way: str
    who: str = ""
    address: str = ""
    what: str
    paths: tuple[str, ...] = ()
    result: str = ""
    times: int = 1
    prev: str = ""


class Anchor(Struct, frozen=True):
    """The first entry that is kept, and the hash before it."""

    n: int = 1
    prev: str = NOTHING


class Head(Struct, frozen=True):
    """The last entry, and the hash of its line."""

    n: int = 0
    hash: str = NOTHING
    first: Anchor = Anchor()


@dataclass(slots=True)
class Verdict:
    """What a look at the whole trail has found. head: to be noted elsewhere, if it is to count.

    torn: bytes of a line that was being written when the device ended; no harm.
    """

    entries: int = 0
    first: int = 0
    last: int = 0
    head: str = NOTHING
    torn: int = 0
    problems: list[str] = field(default_factory=list[str])

    def add(self, words: str) -> None:
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(words)


class AuditFiles:
    """The files of one trail. All methods block; one thread at a time writes. Raise OSError."""

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER
        self._head = Head()

    def open(self) -> str:
        """Take up the trail where it ended. What is to be said about how it was found, if anything.

        A line that was being written when the device ended is removed. Where entries are missing,
        what comes goes on after those, so that the gap stays to be seen.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        head = self._read_head()
        words = ""
        torn = self._mend()
        if torn:
            words = f"a line that was not written to its end was removed: {torn} bytes"
        self._head = head or self._guess_head()
        if head is None and self._head.n:
            words = f"{HEAD} was missing or no such: what the trail was before cannot be proven"
        for line in self._lines_after(self._head):
            self._head = Head(_entry(line).n, _hash(line), self._head.first)
        return words

    def append(self, entries: Sequence[Entry]) -> None:
        """Write them in this order, and wait until they are on the disk."""
        files = self._files()
        current = files[-1] if files else self._path(self._head.n + 1)
        written = current.stat().st_size if files else 0
        file = _open(current)
        try:
            for entry in entries:
                line = self._line(entry)
                if written + len(line) > FILE_MAX_BYTES and written:
                    _sync(file)
                    full, file = file, _open(self._path(self._head.n + 1))
                    os.close(full)
                    written = 0
                _write(file, line + b"\n")
                written += len(line) + 1
                self._head = Head(self._head.n + 1, _hash(line), self._head.first)
            _sync(file)
        finally:
            os.close(file)
        outdated = self._files()[:-FILES_MAX]
        if outdated:
            kept = self._files()[-FILES_MAX]
            first = _entry(next(_lines(kept)))
            self._head = Head(self._head.n, self._head.hash, Anchor(first.n, first.prev))
        self._write_head()
        for path in outdated:
            path.unlink()

    def newest(self, limit: int, before: int | None = None) -> list[Entry]:
        """So many entries, the newest first, all of them older than that number."""
        found: list[Entry] = []
        for path in reversed(self._files()):
            for line in reversed(list(_sound(path))):
                entry = _entry(line)
                if before is None or entry.n < before:
                    found.append(entry)
                if len(found) >= limit:
                    return found
        return found

    def verify(self) -> Verdict:
        """Go through all of it, changing nothing; also while a device writes, which may delete the
        oldest meanwhile."""
        for _ in range(LOOKS):
            head = self._read_head()
            try:
                verdict = self._verify(head)
            except FileNotFoundError:
                continue
            if not verdict.problems or self._read_head() == head:
                return verdict
        return self._verify(self._read_head())

    def _verify(self, head: Head | None) -> Verdict:
        verdict = Verdict()
        if head is None:
            if self._files():
                verdict.add(f"{HEAD} is missing or no such: the ends of the trail prove nothing")
            head = Head()
        files = [p for p in self._files() if not _is_outdated(p, self._files(), head.first)]
        expected, previous = head.first.n, head.first.prev
        for path in files:
            for number, line in enumerate(_lines(path), start=1):
                place = f"{path.name}:{number}"
                try:
                    entry = _entry(line)
                except msgspec.MsgspecError:
                    verdict.add(f"{place}: no entry")
                    continue
                if entry.n > expected:
                    verdict.add(f"{place}: entries {expected} to {entry.n - 1} are missing")
                elif entry.n < expected:
                    verdict.add(f"{place}: entry {entry.n} stands where {expected} should")
                elif entry.prev != previous:
                    verdict.add(f"{place}: entry {entry.n - 1} or {entry.n} was changed")
                expected, previous = entry.n + 1, _hash(line)
                if entry.n == head.n and previous != head.hash:
                    verdict.add(f"{place}: entry {entry.n} was changed")
                verdict.entries += 1
                verdict.first = verdict.first or entry.n
        verdict.last, verdict.head = expected - 1, previous
        if verdict.last < head.n:
            verdict.add(f"the last entries are missing: {expected} to {head.n}")
        verdict.torn = _torn(files[-1]) if files else 0
        return verdict

    # --- steps ----------------------------------------------------------------------------------

    def _files(self) -> list[Path]:
        """The oldest first."""
        return sorted(self._folder.glob("[0-9]*.jsonl"))

    def _path(self, first: int) -> Path:
        return self._folder / f"{first:012}.jsonl"

    def _line(self, entry: Entry) -> bytes:
        n, prev = self._head.n + 1, self._head.hash
        line = msgspec.json.encode(msgspec.structs.replace(entry, n=n, prev=prev))
        if len(line) <= LINE_MAX_BYTES:
            return line
        short = msgspec.structs.replace(entry, n=n, prev=prev, paths=("(too many to tell)",))
        return msgspec.json.encode(short)

    def _read_head(self) -> Head | None:
        try:
            data = (self._folder / HEAD).read_bytes()
            head = msgspec.json.decode(data, type=Head)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
        return head if msgspec.json.encode(head) == data else None

    def _guess_head(self) -> Head:
        """By the entries themselves."""
        entries = [(_entry(line), line) for path in self._files() for line in _sound(path)]
        if not entries:
            return Head()
        (first, _), (last, line) = entries[0], entries[-1]
        return Head(last.n, _hash(line), Anchor(first.n, first.prev))

    def _write_head(self) -> None:
        beside = self._folder / (HEAD + ".new")
        beside.unlink(missing_ok=True)
        file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write(file, msgspec.json.encode(self._head))
            _sync(file)
        finally:
            os.close(file)
        beside.replace(self._folder / HEAD)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _mend(self) -> int:
        """Remove what follows the last end of a line; how many bytes that was."""
        files = self._files()
        torn = _torn(files[-1]) if files else 0
        if torn:
            os.truncate(files[-1], files[-1].stat().st_size - torn)
        return torn

    def _lines_after(self, head: Head) -> list[bytes]:
        """Lines that follow the head and that it does not know yet: it is written after them."""
        files = self._files()
        found: list[bytes] = []
        expected, previous = head.n + 1, head.hash
        known = sum(path <= self._path(head.n) for path in files)
        for path in files[max(0, known - 1) :]:
            for line in _sound(path):
                entry = _entry(line)
                if (entry.n, entry.prev) == (expected, previous):
                    found.append(line)
                    expected, previous = entry.n + 1, _hash(line)
        return found


def _entry(line: bytes) -> Entry:
    return msgspec.json.decode(line, type=Entry)


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _lines(path: Path) -> Iterator[bytes]:
    """The lines that have an end, without it."""
    with path.open("rb") as file:
        while (line := file.readline(LINE_MAX_BYTES + 2)).endswith(b"\n") or len(line) > (
            LINE_MAX_BYTES
        ):
            yield line.removesuffix(b"\n")


def _sound(path: Path) -> Iterator[bytes]:
    """The lines that are entries."""
    for line in _lines(path):
        try:
            _entry(line)
        except msgspec.MsgspecError:
            continue
        yield line


def _torn(path: Path) -> int:
    """How many bytes follow the last end of a line."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 2 * LINE_MAX_BYTES))
        end = file.read()
    return len(end) - (end.rfind(b"\n") + 1)


def _is_outdated(path: Path, files: Sequence[Path], first: Anchor) -> bool:
    """Whether it holds only entries before the first: it was about to be deleted."""
    later = files[files.index(path) + 1 :]
    return bool(later) and int(later[0].stem) <= first.n


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync(file: int) -> None:
    os.fdatasync(file)
