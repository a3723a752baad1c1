"""Cut the outbox's file off at every byte, as a loss of power might, and look at what is left.

``python -m tests.services.outbox_cutting FOLDER`` tries each byte, and takes a quarter of an hour.
"""

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from sipstrobe.sending.message import TextMessage
from sipstrobe.sending.record import Left, Result, Step, Stored
from sipstrobe.services.outbox_store import FILE, OutboxStore

WAL = FILE + "-wal"


def waiting(serial: int, *, attempts: int = 0) -> Stored:
    message = TextMessage(id=f"{serial}-a", at=float(serial), text="x" * 300 * serial)
    return Stored(
        serial=serial,
        lane="plc",
        kind="tcp",
        message=message,
        rule="Door",
        why=[{"name": "http"}],
        attempts=attempts,
        failure="no" if attempts else "",
    )


def ended(serial: int) -> Result:
    return Result(
        id=f"{serial}-a",
        recipient="plc",
        kind="tcp",
        about="x",
        sent=True,
        words="",
        attempts=1,
        rule="Door",
        ordered=float(serial),
        ended=9.0,
        why=[],
    )


STEPS: list[list[Step]] = [
    [waiting(1)],
    [waiting(2), waiting(3)],
    [waiting(1, attempts=1)],
    [ended(1), waiting(4)],
    [ended(2), ended(4)],
]
"""Each list is written at once."""


def write(folder: Path) -> list[Left]:
    """Write all steps, with nothing moved from the journal into the file yet; what is to be found
    after so many of them."""
    store = OutboxStore(folder)
    found = [store.load()]
    for steps in STEPS:
        store.write(steps)
        found.append(store.load())
    shutil.copytree(folder, folder.with_name("whole"))
    store.close()
    return found


def cut(whole: Path, folder: Path, size: int) -> Left:
    """What is found where the journal has only its first bytes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copy(whole / FILE, folder / FILE)
    (folder / WAL).write_bytes((whole / WAL).read_bytes()[:size])
    store = OutboxStore(folder)
    left = store.load()
    store.write([waiting(9)])  # and it can be gone on with
    assert store.load().messages[-1] == waiting(9)
    store.close()
    return left


def journal_size(whole: Path) -> int:
    return (whole / WAL).stat().st_size


def try_all(folder: Path, sizes: Iterable[int], found: list[Left]) -> list[int]:
    """How many steps are found at each size."""
    whole = folder / "whole"
    steps: list[int] = []
    for size in sizes:
        left = cut(whole, folder / "cut", size)
        assert left in found, f"cut at byte {size}, there is something that never was"
        steps.append(found.index(left))
    return steps


def main(folder: Path) -> None:
    (folder / "own").mkdir(parents=True)
    found = write(folder / "own")
    sizes = range(journal_size(folder / "whole") + 1)
    steps = try_all(folder, sizes, found)
    assert steps == sorted(steps)
    assert steps[-1] == len(STEPS)
    print(f"{len(sizes)} cuts; the steps found: {sorted(set(steps))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
