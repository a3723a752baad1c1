"""The file of the history: GAP-24."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sipstrobe.errors import ConfigError
from sipstrobe.services.call_log import FILE, MAX_AGE, MAX_CALLS, CallLog, Note, read_calls

NOW = 1_700_000_000.0


@contextmanager
def opened(folder: Path, wall: float = NOW) -> Generator[CallLog]:
    with closing(CallLog(folder, wall=wall)) as log:
        yield log


def begun(call: str, started: float = NOW) -> Note:
    who = {"direction": "incoming", "account": "desk", "local_uri": "sip:1001@192.0.2.1"}
    more = {"remote_uri": "sip:bob@192.0.2.9", "extension": "1001", "started": started}
    return (call, who | more)


def ended(call: str, **known: object) -> Note:
    return (call, {"ended": NOW + 9.5, "reason": "terminated", **known})


def test_a_call_is_taken_down_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.write([begun("in-1")])
        [running] = log.calls(10)
        log.write([("in-1", {"answered": NOW + 1.5}), ended("in-1", codec="PCMU", packets=400)])
        [over] = log.calls(10)

    assert (running.started, running.answered, running.ended, running.reason) == (
        NOW,
        None,
        None,
        "",
    )
    assert (over.id, over.call, over.remote_uri) == (1, "in-1", "sip:bob@192.0.2.9")
    assert (over.answered, over.ended, over.reason) == (NOW + 1.5, NOW + 9.5, "terminated")
    assert (over.codec, over.packets, over.mos, over.verdict) == ("PCMU", 400, None, None)


def test_calls_are_read_newest_first_and_page_by_page(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.write([begun(f"in-{n}") for n in range(1, 8)])

        first = log.calls(3)
        second = log.calls(3, before=first[-1].id)

    assert [record.call for record in first + second] == [f"in-{n}" for n in range(7, 1, -1)]
    assert [record.call for record in read_calls(tmp_path, 2)] == ["in-7", "in-6"]


def test_a_call_is_known_by_its_name_only_until_the_device_starts_again(tmp_path: Path) -> None:
    for reason in ("terminated", "busy"):
        with opened(tmp_path) as log:
            log.write([begun("in-1"), ended("in-1", reason=reason)])

    assert [(r.id, r.reason) for r in read_calls(tmp_path, 9)] == [(2, "busy"), (1, "terminated")]


KILLED = """
import sys
from pathlib import Path
from sipstrobe.services.call_log import CallLog
from tests.services.test_call_log import begun, ended
log = CallLog(Path(sys.argv[1]), wall=0.0)
log.write([begun("in-1", 1.0), ended("in-1"), begun("in-2", 2.0)])
print("written", flush=True)
sys.stdin.read()
"""


def test_a_device_that_is_killed_closes_its_calls_when_it_starts_again(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as device:
        assert device.stdout is not None
        assert device.stdout.readline() == b"written\n"
        os.kill(device.pid, signal.SIGKILL)
    assert [r.reason for r in read_calls(tmp_path, 9)] == ["", "terminated"]

    with opened(tmp_path, wall=3.0) as log:
        second, first = log.calls(9)

    assert (second.reason, second.ended) == ("interrupted", None)
    assert first.reason == "terminated"


def test_what_is_too_much_or_too_old_is_forgotten(tmp_path: Path) -> None:
    with opened(tmp_path, wall=0.0) as log:
        log.write([begun(f"old-{n}", 1.0) for n in range(3)])
        log.write([begun(f"in-{n}", 2.0) for n in range(MAX_CALLS)])
        log.prune(wall=3.0)
        assert len(log.calls(2 * MAX_CALLS)) == MAX_CALLS
        log.prune(wall=2.0 + MAX_AGE + 1.0)
        assert log.calls(1) == []
        log.write([begun("new")])
        assert log.calls(1)[0].id == MAX_CALLS + 4  # an id is not given again


@pytest.mark.parametrize("damage", [b"this is no database" * 100, b""])
def test_a_file_that_cannot_be_read_is_put_aside(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE).write_bytes(damage)

    with opened(tmp_path) as log:
        log.write([begun("in-1")])
        assert len(log.calls(9)) == 1

    assert (tmp_path / "calls.broken").exists() is bool(damage)


def test_a_file_of_a_later_version_is_put_aside(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as database:
        database.execute("PRAGMA user_version = 99")

    with opened(tmp_path) as log:
        assert log.calls(9) == []

    assert (tmp_path / "calls.broken").exists()


def test_who_has_called_is_for_the_owner_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as log:
        log.write([begun("in-1")])
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}

    assert set(modes.values()) == {0o600}, modes


def test_where_nothing_was_taken_down_there_is_nothing_to_read(tmp_path: Path) -> None:
    assert read_calls(tmp_path, 9) == []
    (tmp_path / FILE).write_bytes(b"rubbish" * 1000)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_calls(tmp_path, 9)


def test_words_of_a_peer_are_words_and_nothing_more(tmp_path: Path) -> None:
    words = "'); DROP TABLE calls; --"
    with opened(tmp_path) as log:
        log.write([begun("in-1"), ended("in-1", words=words)])
        assert log.calls(9)[0].words == words
