"""The outbox on the disk, and what has become of the last messages: SQLite, used by one thread.

A message is taken down as it is ordered and forgotten as it ends, in the same step in which its
result is written. Whenever the process ends, what is in the file is a state between two such steps.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from sipstrobe.sending.record import MAX_RESULTS, Left, Result, Step, Stored
from sipstrobe.services.database import open_database

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
        self._database = open_database(folder / FILE, _TABLES, _VERSION, durable=True)

    def load(self) -> Left:
        """What earlier runs have left."""
        database = self._database
        serial = database.execute("SELECT serial FROM last").fetchone()[0]
        messages = database.execute("SELECT entry FROM messages ORDER BY serial")
        results = database.execute("SELECT result FROM results ORDER BY place")
        return Left(
            serial,
            [msgspec.json.decode(entry, type=Stored) for (entry,) in messages],
            [msgspec.json.decode(result, type=Result) for (result,) in results],
        )

    def write(self, steps: Sequence[Step]) -> None:
        """Take all of these down at once, or none."""
        with self._database as database:
            for step in steps:
                data = msgspec.json.encode(step)
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
