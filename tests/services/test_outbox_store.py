"""The outbox on the disk: whole, whenever the process or the power ends."""

from pathlib import Path

from sipstrobe.sending.record import MAX_RESULTS
from sipstrobe.services.outbox_store import FILE, OutboxStore
from tests.services.outbox_cutting import STEPS, ended, journal_size, try_all, waiting, write

FRAME = 4096 + 24  # bytes of the journal; SQLite's file format §4.1
HEADER = 32


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

    left = OutboxStore(tmp_path).load()

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
