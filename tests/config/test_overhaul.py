"""The state folder is changed as a whole or not at all, wherever a crash comes."""

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from sipstrobe.config.overhaul import BESIDE, PLAN, carry_out, decide
from sipstrobe.errors import ConfigError

BEFORE = {"a": b"old a", "b": b"old b", "clips/1": b"one", "clips/2": b"two", "mine": b"mine"}
AFTER = {"a": b"new a", "clips/2": b"new two", "clips/3": b"three", "mine": b"mine"}


class Crash(BaseException):
    """The power has failed."""


class Power:
    """Fails before the nth step that the program takes on the disk (PEP 578)."""

    EVENTS = ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.rmtree")

    def __init__(self) -> None:
        self.left: int | None = None
        self.folder = ""
        sys.addaudithook(self._look)

    @contextmanager
    def lasting(self, folder: Path, steps: int) -> Generator[None]:
        self.left, self.folder = steps, str(folder)
        try:
            yield
        finally:
            self.left = None

    def _look(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.left is None or event not in self.EVENTS:
            return
        if not str(arguments[0]).startswith(self.folder):
            return
        if self.left == 0:
            self.left = None
            raise Crash
        self.left -= 1


POWER = Power()


def fill(folder: Path) -> None:
    (folder / "clips").mkdir(parents=True)
    for name, content in BEFORE.items():
        (folder / name).write_bytes(content)


def change(folder: Path) -> None:
    (folder / "three").write_bytes(b"three")  # moved in from elsewhere on the disk
    put: dict[str, bytes | Path] = {"a": b"new a", "clips/2": b"new two"}
    put["clips/3"] = folder / "three"
    decide(folder, put=put, gone=["b", "clips", "never there"], words="a change")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_is_decided_happens_when_the_folder_is_opened_next(tmp_path: Path) -> None:
    fill(tmp_path)
    change(tmp_path)
    assert (tmp_path / "a").read_bytes() == b"old a"

    assert carry_out(tmp_path)

    assert contents(tmp_path) == AFTER
    assert not (tmp_path / BESIDE).exists()
    assert not carry_out(tmp_path)


def until_it_ends(folder: Path, work: Callable[[], object]) -> Iterator[int]:
    """Crash before each of its steps, one after the other."""
    steps = 0
    while True:
        try:
            with POWER.lasting(folder, steps):
                work()
        except Crash:
            yield steps
            steps += 1
        else:
            return


def test_a_crash_before_the_decision_leaves_all_as_it_was_and_after_it_nothing_of_it(
    tmp_path: Path,
) -> None:
    seen: list[bool] = []
    for steps in count():
        folder = tmp_path / str(steps)
        fill(folder)
        try:
            with POWER.lasting(folder, steps):
                change(folder)
        except Crash:
            decided = (folder / PLAN).exists()
            seen.append(decided)
            carry_out(folder)
            found = {
                name: data for name, data in contents(folder).items() if name in BEFORE | AFTER
            }
            assert found == (AFTER if decided else BEFORE)
        else:
            break

    assert seen.count(False) > 5
    assert seen[-1]


def test_a_crash_in_the_middle_is_followed_by_the_same_end(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    fill(folder)
    change(folder)
    steps = 0
    for _ in until_it_ends(folder, lambda: carry_out(folder)):
        steps += 1
        assert (folder / PLAN).exists() or contents(folder).keys() >= AFTER.keys()

    assert steps > 5
    assert contents(folder) == AFTER


def test_a_disk_that_is_full_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path)
    with pytest.raises(OSError, match="No such file"):
        decide(tmp_path, put={"a": tmp_path / "missing"}, gone=["b"], words="a change")

    assert not carry_out(tmp_path)
    assert contents(tmp_path) == BEFORE


def test_a_plan_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / PLAN).write_bytes(b"{")
    with pytest.raises(ConfigError, match=PLAN):
        carry_out(tmp_path)
