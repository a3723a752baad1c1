"""The outbox on the disk, and what has become of the last messages: SQLite, used by one thread.

A message is taken down as it is ordered and forgotten as it ends, in the same step in which its
result is written. Whenever the process ends, what is in the file is a state between two such steps.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from sipstrobe.sending.record import MAX_RESULTS, Left, Result, Step, Stored
from sipstrobe.services.database import BROKEN, open_database, put_aside

logger = logging.getLogger(__name__)

S = TypeVar("S", Stored, Result)

FILE: Final = "outbox.db"
_VERSION: Final = 1  # of the tables
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS messages"
    " (serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entry BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS results (place INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE, result BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS last (id INTEGER PRIMARY KEY CHECK (id = 0), serial INTEGER)",
    "INSERT OR IGNORE INTO last VALUES (0, 0)",
)


class OutboxStore:
    """The open file."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError and sqlite3.Error."""
        self._path = folder / FILE
        self._database = self._opened()

    def load(self) -> Left:
        """What earlier runs have left. A file that is damaged inside is put aside, and what can be
        read of it goes into a new one."""
        left = Left(0, [], [])
        try:
            self._read(left)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # the disk, not what is on it
            logger.warning("the outbox is damaged; %d messages are left", len(left.messages))
            self._database.close()
            put_aside(self._path)
            self._database = self._opened()
            self.write([*left.messages, *left.results])
        return left

    @property
    def is_successor(self) -> bool:
        """Whether a file has been put aside, now or ever."""
        return self._path.with_suffix(BROKEN).exists()

    def _opened(self) -> sqlite3.Connection:
        return open_database(self._path, _TABLES, _VERSION, durable=True)

    def _read(self, left: Left) -> None:
        found = self._database.execute
        left.messages.extend(_each(found("SELECT entry FROM messages ORDER BY serial"), Stored))
        left.results.extend(_each(found("SELECT result FROM results ORDER BY place"), Result))
        left.serial = found("SELECT serial FROM last").fetchone()[0]

    def write(self, steps: Sequence[Step]) -> None:
        """Take all of these down at once, or none."""
        with self._database as database:
            for step in steps:
                data = _encoded(step)
                if isinstance(step, Stored):
                    database.execute(
                        "INSERT OR REPLACE INTO messages VALUES (?, ?, ?)",
                        (step.serial, step.message.id, data),
                    )
                    database.execute("UPDATE last SET serial = max(serial, ?)", (step.serial,))
                else:
                    database.execute("DELETE FROM messages WHERE id = ?", (step.id,))
                    database.execute(
                        "INSERT OR REPLACE INTO results (id, result) VALUES (?, ?)",
                        (step.id, data),
                    )
            database.execute(
                "DELETE FROM results WHERE place <= (SELECT max(place) FROM results) - ?",
                (MAX_RESULTS,),
            )

    def close(self) -> None:
        self._database.close()


def _each(rows: sqlite3.Cursor, kind: type[S]) -> Iterator[S]:
    """Those that can be understood."""
    for (data,) in rows:
        try:
            yield msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, TypeError) as error:
            logger.warning("an entry of the outbox is not understood: %s", error)


def _encoded(step: Step) -> bytes:
    """One that cannot be written would keep all others from the disk for ever."""
    try:
        return msgspec.json.encode(step)
    except UnicodeEncodeError:  # half a character, of a peer
        return json.dumps(msgspec.to_builtins(step), ensure_ascii=False).encode("utf-8", "replace")
