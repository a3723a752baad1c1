"""What came of each occurrence of a schedule, in its file: SQLite, used by one thread at a time.

A bell that did not ring must be provable, and so must one that did; so what has been written
outlives a loss of power.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

from sipstrobe.schedules.timetable import MAX_RUNG, Known
from sipstrobe.services.database import open_database

FILE: Final = "schedules.db"
MAX_RECORDS: Final = 1000  # kept of each schedule; of more, the oldest are forgotten
MAX_NAMES: Final = 256  # schedules of which records are kept; of more, those unused longest go
_VERSION: Final = 1
_TABLES: Final = (
    """
    CREATE TABLE IF NOT EXISTS occurrences (
        schedule TEXT NOT NULL,
        start REAL NOT NULL,
        until REAL,
        rung INTEGER NOT NULL,
        done INTEGER NOT NULL,
        words TEXT NOT NULL,
        PRIMARY KEY (schedule, start)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS schedules (
        schedule TEXT PRIMARY KEY,
        key TEXT NOT NULL,
        since REAL NOT NULL
    ) WITHOUT ROWID
    """,
)


class Record(Struct, frozen=True):
    """One occurrence. Instants are seconds since 1970 (UTC). until: it stands for all from `start`
    to there, uncounted. rung: rules were told. done: one of them acted. words: which, or why not.
    """

    schedule: str
    start: float
    until: float | None
    rung: bool
    done: bool
    words: str


class Again(Struct, frozen=True):
    """An occurrence went on after a restart."""

    schedule: str
    start: float
    words: str


Entry = Record | Again


class ScheduleLog:
    """The open file."""

    def __init__(self, folder: Path) -> None:
        """Open or make it. Raises OSError and sqlite3.Error."""
        self._database = open_database(folder / FILE, _TABLES, _VERSION, durable=True)

    def known(self) -> dict[str, tuple[str, Known]]:
        """By schedule: what it was (its key), and what is known of it."""
        found: dict[str, tuple[str, Known]] = {}
        for schedule, key, since in self._database.execute(
            "SELECT schedule, key, since FROM schedules"
        ):
            rows = self._database.execute(
                "SELECT start, coalesce(until, start), rung FROM occurrences WHERE schedule = ?"
                " ORDER BY start DESC LIMIT ?",
                (schedule, MAX_RUNG),
            ).fetchall()
            settled = max([since, *(until for _, until, _ in rows)])
            rung = tuple(start for start, _, rung in rows if rung)
            found[schedule] = (key, Known(settled, rung))
        return found

    def note(self, schedules: Iterable[tuple[str, str, float]]) -> None:
        """There are these schedules, and no others: name, key, and since when if that is new."""
        with self._database as database:
            before = dict(database.execute("SELECT schedule, key FROM schedules").fetchall())
            for schedule, key, since in schedules:
                if before.pop(schedule, None) != key:
                    database.execute(
                        "INSERT OR REPLACE INTO schedules VALUES (?, ?, ?)", (schedule, key, since)
                    )
            for schedule in before:
                database.execute("DELETE FROM schedules WHERE schedule = ?", (schedule,))

    def write(self, entries: Iterable[Entry]) -> None:
        """Take down what has come of occurrences."""
        with self._database as database:
            for entry in entries:
                if isinstance(entry, Again):
                    database.execute(
                        "UPDATE occurrences SET words = substr(words || ?, 1, 1000)"
                        " WHERE schedule = ? AND start = ?",
                        ("; " + entry.words, entry.schedule, entry.start),
                    )
                    continue
                database.execute(
                    "INSERT OR REPLACE INTO occurrences VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        entry.schedule,
                        entry.start,
                        entry.until,
                        entry.rung,
                        entry.done,
                        entry.words,
                    ),
                )
            for schedule in {entry.schedule for entry in entries}:
                database.execute(
                    "DELETE FROM occurrences WHERE schedule = ? AND start <="
                    " (SELECT start FROM occurrences WHERE schedule = ?"
                    " ORDER BY start DESC LIMIT 1 OFFSET ?)",
                    (schedule, schedule, MAX_RECORDS),
                )
            database.execute(
                "DELETE FROM occurrences WHERE schedule IN (SELECT schedule FROM occurrences"
                " GROUP BY schedule ORDER BY max(start) DESC LIMIT -1 OFFSET ?)",
                (MAX_NAMES,),
            )

    def records(self, schedule: str, limit: int) -> list[Record]:
        """The newest first."""
        rows = self._database.execute(
            "SELECT schedule, start, until, rung, done, words FROM occurrences"
            " WHERE schedule = ? ORDER BY start DESC LIMIT ?",
            (schedule, limit),
        )
        return [Record(name, at, to, bool(r), bool(d), w) for name, at, to, r, d, w in rows]

    def close(self) -> None:
        self._database.close()
