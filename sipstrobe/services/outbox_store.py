"""The outbox on the disk, and what has become of the last messages: SQLite, used by one thread.

A message is taken down as it is ordered and forgotten as it ends, in the same step in which its
result is written. Whenever the process ends, what is in the file is a state between two such steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from sipstrobe.sending.message import AnyMessage
from sipstrobe.services.database import open_database

FILE: Final = "outbox.db"
MAX_RESULTS: Final = 500  # kept; of more, the oldest are forgotten
_VERSION: Final = 1  # of the tables
_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS messages"
    " (serial INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, entry BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS results (place INTEGER PRIMARY KEY AUTOINCREMENT,"
    " id TEXT NOT NULL UNIQUE, result BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS last (id INTEGER PRIMARY KEY CHECK (id = 0), serial INTEGER)",
    "INSERT OR IGNORE INTO last VALUES (0, 0)",
)


class Stored(Struct, frozen=True, kw_only=True):
    """A message in the outbox. why: the chain of causes of its order, as people read it."""

    serial: int
    lane: str
    kind: str  # of the recipient
    message: AnyMessage
    rule: str
    why: list[dict[str, Any]]
    attempts: int = 0
    failure: str = ""


class Result(Struct, frozen=True, kw_only=True):
    """What has become of a message. Instants are seconds since 1970."""

    id: str
    recipient: str
    kind: str
    about: str
    sent: bool
    words: str
    attempts: int
    rule: str
    ordered: float
    ended: float
    why: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Left:
    """What was found. serial: the last that was given to a message."""

    serial: int
    messages: list[Stored]
    results: list[Result]  # the oldest first


Step = Stored | Result
"""A message is there, as it stands now; or it has ended so."""


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
