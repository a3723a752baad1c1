"""`sipstrobe audit`: who did what, and whether anybody has changed that."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from sipstrobe.cli import main
from sipstrobe.services.audit_chain import FOLDER, AuditFiles, Entry

AT = "2030-01-01T08:00:00.000+00:00"


def trail(state: Path) -> Path:
    files = AuditFiles(state)
    files.open()
    ada = Entry(at=AT, way="account", who="ada", address="192.0.2.7", what="settings")
    files.append(
        [
            replace(ada, paths=("/sip/port",), result="changed"),
            Entry(at=AT, way="nobody", who="eve", what="sign in", result="refused", times=12),
            Entry(at=AT, way="device", what="started: first"),
        ]
    )
    return next((state / FOLDER).glob("*.jsonl"))


def test_what_was_done_is_shown_in_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trail(tmp_path)

    assert main(["audit", "show", "--state", str(tmp_path)]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "       1 2030-01-01 08:00:00 ada (account) from 192.0.2.7: settings /sip/port: changed",
        "       2 2030-01-01 08:00:00 somebody as eve: sign in: refused × 12",
        "       3 2030-01-01 08:00:00 device: started: first",
    ]


def test_a_change_is_found_and_told_by_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = trail(tmp_path)
    assert main(["audit", "verify", "--state", str(tmp_path)]) == 0
    assert capsys.readouterr().out.endswith("sound\n")

    path.write_bytes(path.read_bytes().replace(b"eve", b"bob") + b'{"n":')

    assert main(["audit", "verify", "--state", str(tmp_path)]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{path.name}:3: entry 2 or 3 was changed"
    assert said[1].startswith("5 bytes of a line")
    assert said[-1] == "not sound"


def test_what_the_command_line_changes_is_noted_while_no_device_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = trail(tmp_path)
    path.write_bytes(path.read_bytes() + b"torn")

    assert main(["settings", "set", "/sip/port", "5070", "--state", str(tmp_path)]) == 0
    assert main(["settings", "show", "/sip/port", "--state", str(tmp_path)]) == 0

    noted = [(e.way, e.what, e.paths) for e in AuditFiles(tmp_path).newest(2)]
    torn = "audit trail: a line that was not written to its end was removed: 4 bytes"
    assert noted == [("command line", "put", ("/sip/port",)), ("device", torn, ())]
    assert not AuditFiles(tmp_path).verify().problems


def test_a_trail_that_cannot_be_written_holds_up_no_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER).write_text("in the way")

    assert main(["settings", "set", "/sip/port", "5070", "--state", str(tmp_path)]) == 0

    assert "cannot be noted" in caplog.text
