"""`sipstrobe calls`: the history on the terminal."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from sipstrobe.cli import main
from sipstrobe.services.call_log import CallLog
from tests.services.test_call_log import NOW, begun, ended


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with closing(CallLog(tmp_path, wall=NOW)) as log:
        answered = ("in-1", {"answered": NOW + 1.5, "verdict": "one_way"})
        log.write([begun("in-1"), answered, ended("in-1"), begun("in-2", NOW + 60.0)])
    return tmp_path


def typed(capsys: pytest.CaptureFixture[str], *words: str | Path) -> list[str]:
    assert main(["calls", *map(str, words)]) == 0
    return capsys.readouterr().out.splitlines()


def test_each_call_is_a_line_the_newest_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newest, oldest = typed(capsys, "--state", folder)

    assert newest.endswith("  from sip:bob@192.0.2.9 at 1001: running")
    assert oldest.endswith("  from sip:bob@192.0.2.9 at 1001: terminated, 8 s, sound one way")


def test_a_call_too_short_for_a_verdict_has_none(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(CallLog(folder, wall=NOW)) as log:
        log.write([begun("in-3"), ended("in-3", verdict="not_yet")])

    assert typed(capsys, "--state", folder, "--limit", "1")[0].endswith(": terminated")


def test_programs_get_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [line] = typed(capsys, "--state", folder, "--limit", "1", "--json")

    call = json.loads(line)
    assert (call["call"], call["started"], call["answered"]) == ("in-2", NOW + 60.0, None)


def test_there_have_been_no_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(capsys, "--state", tmp_path) == []
