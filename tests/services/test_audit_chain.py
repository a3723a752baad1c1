"""The audit trail on disk: whatever is changed, cut out or cut off is found."""

import json
import os
import stat
from pathlib import Path

import pytest

from sipstrobe.services import audit_chain
from sipstrobe.services.audit_chain import (
    FILE_MAX_BYTES,
    FILES_MAX,
    FOLDER,
    HEAD,
    LINE_MAX_BYTES,
    AuditFiles,
    Entry,
)


def entry(what: str) -> Entry:
    return Entry(at="2030-01-01T00:00:00.000+00:00", way="account", who="ada", what=what)


def written(state: Path, number: int, size: int = 1) -> AuditFiles:
    files = AuditFiles(state)
    files.open()
    for n in range(number):
        files.append([entry(f"{n} {'x' * size}")])
    return files


def first_file(state: Path) -> Path:
    return min((state / FOLDER).glob("*.jsonl"))


def problems(state: Path) -> list[str]:
    return AuditFiles(state).verify().problems


def test_entries_follow_from_one_another_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    files = written(tmp_path, 3)

    verdict = files.verify()

    assert (verdict.entries, verdict.first, verdict.last, verdict.problems) == (3, 1, 3, [])
    assert [e.n for e in files.newest(2)] == [3, 2]
    assert [e.n for e in files.newest(5, before=3)] == [2, 1]
    modes = [stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / FOLDER).iterdir()]
    assert set(modes) == {0o600}
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700


def test_no_byte_can_be_changed_unseen(tmp_path: Path) -> None:
    written(tmp_path, 4)
    for path in sorted((tmp_path / FOLDER).iterdir()):
        data = path.read_bytes()
        for at in range(len(data)):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert problems(tmp_path), f"byte {at} of {path.name}"
        path.write_bytes(data)
    assert not problems(tmp_path)


def test_what_follows_a_line_without_an_end_is_looked_at_too(tmp_path: Path) -> None:
    """Nobody hides what comes by something that is longer than any entry."""
    written(tmp_path, 2)
    path = first_file(tmp_path)
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"x" * (3 * LINE_MAX_BYTES) + b"\n" + second)

    verdict = AuditFiles(tmp_path).verify()

    assert (verdict.entries, verdict.last) == (2, 2)
    assert set(verdict.problems) == {f"{path.name}:{n}: no entry" for n in (2, 3, 4)}


def test_no_file_stays_open(tmp_path: Path) -> None:
    files = written(tmp_path, 3, size=FILE_MAX_BYTES // 2)
    files.verify()

    own = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]
    assert not [fd for fd in own if os.path.realpath(fd).startswith(str(tmp_path))]


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (slice(0, 1), "entries 1 to 1 are missing"),
        (slice(1, 3), "entries 2 to 3 are missing"),
        (slice(3, 5), "the last entries are missing: 4 to 5"),
        (slice(0, 5), "the last entries are missing: 1 to 5"),
    ],
)
def test_entries_that_are_cut_out_are_missed(tmp_path: Path, cut: slice, words: str) -> None:
    written(tmp_path, 5)
    path = first_file(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[cut]
    path.write_bytes(b"".join(lines))

    assert words in problems(tmp_path)[0]


def test_two_entries_cannot_change_places(tmp_path: Path) -> None:
    written(tmp_path, 4)
    path = first_file(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1], lines[2] = lines[2], lines[1]
    path.write_bytes(b"".join(lines))

    assert "missing" in problems(tmp_path)[0]


def test_a_gap_stays_to_be_seen_when_the_device_goes_on(tmp_path: Path) -> None:
    """Cut off while it was switched off: what comes follows from what is gone."""
    written(tmp_path, 5)
    path = first_file(tmp_path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))

    written(tmp_path, 2)

    verdict = AuditFiles(tmp_path).verify()
    assert verdict.last == 7
    assert verdict.problems == ["000000000001.jsonl:4: entries 4 to 5 are missing"]


def test_the_last_entry_cannot_be_changed_while_the_device_is_off(tmp_path: Path) -> None:
    written(tmp_path, 2)
    path = first_file(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"1 x"', b'"1 y"'))

    written(tmp_path, 1)

    assert problems(tmp_path)


def test_a_line_that_was_not_written_to_its_end_is_removed_and_that_is_said(
    tmp_path: Path,
) -> None:
    """kill -9, or the power, in the middle of a line."""
    written(tmp_path, 2)
    path = first_file(tmp_path)
    path.write_bytes(path.read_bytes() + b'{"n":3,"at')
    verdict = AuditFiles(tmp_path).verify()
    assert (verdict.torn, verdict.problems) == (10, [])

    files = AuditFiles(tmp_path)
    assert "10 bytes" in files.open()
    files.append([entry("next")])

    assert files.verify().problems == []
    assert [e.what for e in files.newest(1)] == ["next"]


def test_lines_that_the_head_does_not_know_yet_count(tmp_path: Path) -> None:
    """The head is written after them: the power may fail in between."""
    files = written(tmp_path, 1)
    head = (tmp_path / FOLDER / HEAD).read_bytes()
    files.append([entry("late"), entry("later")])
    (tmp_path / FOLDER / HEAD).write_bytes(head)

    assert AuditFiles(tmp_path).verify().last == 3
    written(tmp_path, 1)
    assert AuditFiles(tmp_path).verify().last == 4
    assert not problems(tmp_path)


def test_lines_that_the_head_does_not_know_yet_count_however_many_they_are(tmp_path: Path) -> None:
    """Power fails when thousands were written at once, which takes several files."""
    files = written(tmp_path, 2)
    head = (tmp_path / FOLDER / HEAD).read_bytes()
    size = LINE_MAX_BYTES // 2
    files.append([entry("x" * size) for _ in range(3 * FILE_MAX_BYTES // size)])
    assert len(list((tmp_path / FOLDER).glob("*.jsonl"))) > 2
    (tmp_path / FOLDER / HEAD).write_bytes(head)

    again = AuditFiles(tmp_path)
    assert again.open() == ""
    again.append([entry("later")])

    assert again.verify().problems == []


def test_the_oldest_are_deleted_and_the_chain_goes_on(tmp_path: Path) -> None:
    each = LINE_MAX_BYTES - 1000
    files = AuditFiles(tmp_path)
    files.open()
    total = (FILES_MAX + 2) * FILE_MAX_BYTES // each
    for n in range(total // 50):
        files.append([entry(f"{n} {'x' * each}") for _ in range(50)])

    kept = sorted((tmp_path / FOLDER).glob("*.jsonl"))
    verdict = AuditFiles(tmp_path).verify()

    assert len(kept) == FILES_MAX
    assert all(path.stat().st_size <= FILE_MAX_BYTES for path in kept)
    assert verdict.problems == []
    assert verdict.first == int(kept[0].stem) > 1
    again = AuditFiles(tmp_path)
    assert again.open() == ""
    again.append([entry("after a restart")])
    assert not problems(tmp_path)
    kept[0].unlink()
    assert "are missing" in problems(tmp_path)[0], "nobody deletes more than the device does"


def test_a_file_that_was_about_to_be_deleted_is_no_trouble(tmp_path: Path) -> None:
    each = LINE_MAX_BYTES - 1000
    files = AuditFiles(tmp_path)
    files.open()
    files.append([entry("x" * each) for _ in range(FILES_MAX * FILE_MAX_BYTES // each - 10)])
    oldest = first_file(tmp_path)
    data = oldest.read_bytes()
    while first_file(tmp_path) == oldest:
        files.append([entry("x" * each)])
    oldest.write_bytes(data)

    assert not problems(tmp_path)


def test_without_the_head_the_trail_goes_on_and_that_is_said(tmp_path: Path) -> None:
    written(tmp_path, 3)
    (tmp_path / FOLDER / HEAD).unlink()
    assert "head.json" in problems(tmp_path)[0]

    files = AuditFiles(tmp_path)
    assert "cannot be proven" in files.open()
    files.append([entry("next")])

    assert not problems(tmp_path)
    assert AuditFiles(tmp_path).verify().last == 4


def test_a_line_has_a_bound(tmp_path: Path) -> None:
    files = AuditFiles(tmp_path)
    files.open()
    long = tuple(f"/rules/{n}/name" for n in range(LINE_MAX_BYTES // 8))
    files.append([Entry(at="", way="account", what="settings", paths=long)])

    assert first_file(tmp_path).stat().st_size < LINE_MAX_BYTES
    assert files.newest(1)[0].paths == ("(too many to tell)",)


def test_what_is_no_trail_at_all_is_told_briefly(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "000000000001.jsonl").write_bytes(b"\n" * 1000 + b"x" * 3 * LINE_MAX_BYTES)

    assert len(problems(tmp_path)) == audit_chain.PROBLEMS_MAX
    assert AuditFiles(tmp_path).newest(10) == []


def test_a_trail_that_is_not_there_is_empty(tmp_path: Path) -> None:
    verdict = AuditFiles(tmp_path).verify()

    assert (verdict.entries, verdict.last, verdict.problems) == (0, 0, [])
    assert json.dumps(verdict.head)
