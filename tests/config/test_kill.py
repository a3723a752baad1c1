"""The settings are whole after any crash: the old tree or the new one, never neither."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sipstrobe.config.files import Memory
from sipstrobe.config.store import Store
from tests.config.killing import number_of, patch_of


class Crash(Exception):
    """The power has failed."""


class Crashing(Memory):
    """A folder that fails before its nth step; a file may have got only some of its bytes."""

    def __init__(self, contents: dict[str, bytes], steps: int, written: float) -> None:
        super().__init__()
        self.contents = dict(contents)
        self.steps = steps
        self.written = written

    def write(self, name: str, data: bytes, *, mode: int) -> None:
        if self._fails():
            self.contents[name] = data[: int(self.written * len(data))]
            raise Crash
        super().write(name, data, mode=mode)

    def replace(self, name: str, by: str) -> None:
        if self._fails():
            raise Crash
        super().replace(name, by)

    def _fails(self) -> bool:
        self.steps -= 1
        return self.steps < 0


@pytest.mark.parametrize("written", [0.0, 0.3, 0.999, 1.0])
def test_a_crash_before_any_step_leaves_the_old_tree_or_the_new(written: float) -> None:
    memory = Memory()
    Store.load(memory, os.urandom).change_now(patch_of(1))
    outcomes: list[int | None] = []

    for steps in range(7):
        files = Crashing(memory.contents, steps, written)
        crashing = Store.load(files, os.urandom)
        try:
            crashing.change_now(patch_of(2))
        except Crash:
            # Until the power failed, nobody had seen a change that may not be there afterwards.
            assert number_of(crashing.current) == 1
        files.steps = 1000
        after = Store.load(files, os.urandom)
        outcomes.append(number_of(after.current))
        after.change_now(patch_of(3))
        assert number_of(Store.load(files, os.urandom).current) == 3

    assert outcomes == [1, 1, 1, 1, 2, 2, 2]


def test_a_crash_while_the_first_file_is_written_leaves_a_new_device() -> None:
    for steps in range(2):
        files = Crashing({}, steps, written=0.5)
        with pytest.raises(Crash):
            Store.load(files, os.urandom)
        files.steps = 1000
        assert number_of(Store.load(files, os.urandom).current) is None


@pytest.mark.timeout(600)  # it forks 200 times
def test_kill_9_at_any_moment_leaves_the_old_tree_or_the_new(tmp_path: Path) -> None:
    """200 times; what had been reported as done is never lost, and at most one more is there."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.config.killing", str(tmp_path)],
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["200", "kills"]
