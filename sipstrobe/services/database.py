"""Files of records: SQLite, used by one thread at a time. Nothing of a peer's stands in SQL."""

import contextlib
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

BROKEN: Final = ".broken"  # the ending of a file that was put aside
BUSY_LIMIT: Final = 2.0  # seconds that a reader of ours may hold up


def open_database(
    path: Path, tables: Iterable[str], version: int, *, durable: bool = False
) -> sqlite3.Connection:
    """Open or make a file that only its owner can read; one that is no database, or not of this
    version, is put aside.

    tables: the statements that make them, if there are none yet. durable: what has been written
    outlives a loss of power too, which costs a wait for the disk at each commit; without, only the
    end of the process. Raises OSError and sqlite3.Error.
    """
    try:
        return _open(path, tables, version, durable=durable)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise  # the disk, not what is on it
        put_aside(path)
        return _open(path, tables, version, durable=durable)


def put_aside(path: Path) -> None:
    """Keep a file that cannot be used, which nobody has open, for whoever wants to look at it."""
    path.replace(path.with_suffix(BROKEN))
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _open(path: Path, tables: Iterable[str], version: int, *, durable: bool) -> sqlite3.Connection:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    database = sqlite3.connect(path, timeout=BUSY_LIMIT, check_same_thread=False)
    with contextlib.ExitStack() as undo:
        undo.callback(database.close)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        found = database.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, version):
            raise sqlite3.DatabaseError(f"its version {found} is not known here")
        with database:
            for table in tables:
                database.execute(table)
            database.execute(f"PRAGMA user_version = {version}")
        undo.pop_all()
    return database
