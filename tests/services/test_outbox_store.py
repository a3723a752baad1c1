"""The outbox on the disk: whole, whenever the process or the power ends."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sipstrobe.sending.record import MAX_RESULTS, Left
from sipstrobe.services.outbox_store import FILE, OutboxStore
from tests.services.outbox_cutting import STEPS, ended, journal_size, try_all, waiting, write

FRAME = 4096 + 24  # bytes of the journal; SQLite's file format §4.1
HEADER = 32


def found(folder: Path) -> Left:
    """What the next process finds."""
    with closing(OutboxStore(folder)) as store:
        return store.load()


def test_whatever_is_cut_off_what_is_left_is_whole(tmp_path: Path) -> None:
    """A step is found with all that belongs to it, or not at all; `outbox_cutting` tries all."""
    (tmp_path / "own").mkdir()
    found = write(tmp_path / "own")
    end = journal_size(tmp_path / "whole")
    edges = [HEADER + n * FRAME for n in range(end // FRAME + 1)]
    sizes = sorted({0, 1, end, *range(0, end, 1999), *(e + d for e in edges for d in (-1, 0, 1))})

    steps = try_all(tmp_path, [size for size in sizes if size <= end], found)

    assert steps == sorted(steps)
    assert steps[-1] == len(STEPS), "what was reported as written is there"
    assert set(steps) > {1, 2, 3, 4}


def test_what_was_left_is_found(tmp_path: Path) -> None:
    store = OutboxStore(tmp_path)
    store.write([waiting(1), waiting(2), ended(1)])
    store.close()

    left = found(tmp_path)

    assert (left.serial, left.messages, left.results) == (2, [waiting(2)], [ended(1)])
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0  # what is sent is nobody's business


def test_results_are_bounded(tmp_path: Path) -> None:
    """The oldest are forgotten; numbers go on from those that were."""
    store = OutboxStore(tmp_path)
    store.write([waiting(n) for n in range(1, MAX_RESULTS + 11)])
    store.write([ended(n) for n in range(1, MAX_RESULTS + 11)])

    left = store.load()
    store.close()

    assert [r.id for r in left.results] == [f"{n}-a" for n in range(11, MAX_RESULTS + 11)]
    assert left.serial == MAX_RESULTS + 10
    assert left.messages == []


def test_a_step_may_be_written_twice(tmp_path: Path) -> None:
    """As after a failure of the disk of which nobody knows how far it got."""
    store = OutboxStore(tmp_path)
    for _ in range(2):
        store.write([waiting(1), ended(1), waiting(2)])
    left = store.load()
    store.close()

    assert (left.messages, left.results) == ([waiting(2)], [ended(1)])


def test_of_a_damaged_file_what_can_be_read_is_kept(tmp_path: Path) -> None:
    """A page inside is overwritten: the file is put aside, and the messages go on in a new one."""
    store = OutboxStore(tmp_path)
    store.write([waiting(n) for n in range(1, 60)])
    store.close()
    with closing(sqlite3.connect(tmp_path / FILE)) as file:
        page = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'results'").fetchone()[
            0
        ]
    with (tmp_path / FILE).open("r+b") as raw:
        raw.seek((page - 1) * 4096)
        raw.write(b"\xff" * 4096)

    store = OutboxStore(tmp_path)
    left = store.load()
    store.write([waiting(60)])
    store.close()

    assert store.is_successor
    assert left.messages == [waiting(n) for n in range(1, 60)]
    assert found(tmp_path).messages == [waiting(n) for n in range(1, 61)]


def test_what_is_not_understood_hides_nothing(tmp_path: Path) -> None:
    """An entry of a later version, say."""
    store = OutboxStore(tmp_path)
    store.write([waiting(1), waiting(2), waiting(3)])
    with closing(sqlite3.connect(tmp_path / FILE)) as file, file:
        file.execute("UPDATE messages SET entry = '{\"kind\": 1}' WHERE serial = 2")

    left = store.load()
    store.close()

    assert (left.serial, left.messages) == (3, [waiting(1), waiting(3)])
