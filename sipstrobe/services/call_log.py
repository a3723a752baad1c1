"""The record of calls in its file: SQLite, used by one thread at a time (checklist GAP-24).

It is history and no setting: it may be deleted at any time, and one that cannot be read is put
aside.
"""

import contextlib
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import fields

from sipstrobe.errors import ConfigError, Problem
from sipstrobe.services.database import BUSY_LIMIT, open_database

FILE: Final = "calls.db"
MAX_CALLS: Final = 10_000  # kept; of more, the oldest are forgotten
MAX_AGE: Final = 365 * 24 * 3600.0  # seconds
INTERRUPTED: Final = "interrupted"  # reason of a call that the device did not see the end of
_VERSION: Final = 1  # of the table

# Fixed texts, and names of fields below: nothing of a peer's stands in SQL.
_TABLE = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL,
    call TEXT NOT NULL,
    direction TEXT NOT NULL,
    account TEXT NOT NULL,
    local_uri TEXT NOT NULL,
    remote_uri TEXT NOT NULL,
    extension TEXT NOT NULL,
    started REAL NOT NULL,
    answered REAL,
    ended REAL,
    reason TEXT NOT NULL DEFAULT '',
    words TEXT NOT NULL DEFAULT '',
    transport TEXT NOT NULL DEFAULT '',
    codec TEXT NOT NULL DEFAULT '',
    encryption TEXT NOT NULL DEFAULT '',
    packets INTEGER,
    lost INTEGER,
    jitter_ms REAL,
    mos REAL,
    verdict TEXT,
    cause TEXT NOT NULL DEFAULT '',
    UNIQUE (run, call)
)
"""


class CallRecord(Struct, frozen=True):
    """One call. Instants are seconds since 1970 (UTC), None: not, or not seen.

    id grows from call to call, over restarts too; call: its name while it ran. reason: empty while
    it runs; words: why it ended. What concerns its sound is None where there was none.
    """

    id: int
    call: str
    direction: str
    account: str
    local_uri: str
    remote_uri: str
    extension: str
    started: float
    answered: float | None
    ended: float | None
    reason: str
    words: str
    transport: str
    codec: str
    encryption: str
    packets: int | None
    lost: int | None
    jitter_ms: float | None
    mos: float | None
    verdict: str | None
    cause: str  # of the verdict, for a person


_COLUMNS: Final = ", ".join(field.name for field in fields(CallRecord))
Note = tuple[str, Mapping[str, object]]
"""What has become known of a call: its name, and columns with their values."""


class CallLog:
    """The open file."""

    def __init__(self, folder: Path, *, wall: float) -> None:
        """Open or make it. wall: seconds since 1970. Raises OSError and sqlite3.Error.

        Calls that still ran when the device last ended are closed as interrupted.
        """
        self._database = open_database(folder / FILE, [_TABLE], _VERSION)
        with self._database as database:
            database.execute("UPDATE calls SET reason = ? WHERE reason = ''", (INTERRUPTED,))
            last = database.execute("SELECT max(run) FROM calls").fetchone()[0]
        self._run = 1 + (last or 0)
        self.prune(wall=wall)

    def write(self, notes: Iterable[Note]) -> None:
        """Take down what has become known, all at once. The first of a call makes its row."""
        with self._database as database:
            for call, known in notes:
                columns = {"run": self._run, "call": call, **known}
                names, places = ", ".join(columns), ", ".join("?" * len(columns))
                if "started" in known:
                    sql = f"INSERT INTO calls ({names}) VALUES ({places})"  # noqa: S608
                    database.execute(sql, tuple(columns.values()))
                else:
                    given = ", ".join(f"{name} = ?" for name in known)
                    sql = f"UPDATE calls SET {given} WHERE run = ? AND call = ?"  # noqa: S608
                    database.execute(sql, (*known.values(), self._run, call))

    def prune(self, *, wall: float) -> None:
        """Forget what is too old or too much."""
        with self._database as database:
            database.execute("DELETE FROM calls WHERE started < ?", (wall - MAX_AGE,))
            database.execute(
                "DELETE FROM calls WHERE id <= (SELECT max(id) FROM calls) - ?", (MAX_CALLS,)
            )

    def calls(self, limit: int, before: int | None = None) -> list[CallRecord]:
        """The newest calls first; before: only those with a smaller id."""
        return _calls(self._database, limit, before)

    def close(self) -> None:
        self._database.close()


def read_calls(folder: Path, limit: int) -> list[CallRecord]:
    """The newest calls in a folder, whether a device runs on it or not. Raises ConfigError."""
    path = folder / FILE
    if not path.is_file():
        return []
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=BUSY_LIMIT)) as database:
            made = database.execute("PRAGMA user_version").fetchone()[0]
            return _calls(database, limit, None) if made else []
    except sqlite3.Error as error:
        raise ConfigError([Problem("", f"{path} cannot be read: {error}")]) from None


def _calls(database: sqlite3.Connection, limit: int, before: int | None) -> list[CallRecord]:
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM calls WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?",  # noqa: S608
        (before, before, limit),
    )
    return [CallRecord(*row) for row in rows]
