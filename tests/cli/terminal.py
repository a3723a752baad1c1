"""Whoever types `sipstrobe …` in a terminal."""

from pathlib import Path

import pytest

from sipstrobe.cli import main


class Terminal:
    """Types command lines on one state folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.code = 0
        self.said = ""
        self.complained = ""

    def type(self, *words: str | Path) -> str:
        """Run it; what it has said."""
        self._capsys.readouterr()
        self.code = main([str(word) for word in words])
        self.said, self.complained = self._capsys.readouterr()
        return self.said

    def type_here(self, *words: str | Path) -> str:
        return self.type(*words, "--state", self.folder)

    def refused(self, *words: str | Path) -> list[str]:
        """Run it in vain; the lines it has complained in."""
        assert self.type(*words) == ""
        assert self.code == 1
        lines = self.complained.splitlines()
        assert all(line.startswith("sipstrobe: ") for line in lines), lines
        return [line.removeprefix("sipstrobe: ") for line in lines]

    def refused_here(self, *words: str | Path) -> list[str]:
        return self.refused(*words, "--state", self.folder)
