"""The ways back and backups by the command line, where no device runs: OPS-02, OPS-03, GEN-04."""

import io
from pathlib import Path

import pytest

from sipstrobe.cli import main
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role, make_user


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    store = Store.open(folder)
    users = [make_user("ada", Role.ADMINISTRATOR, "forgotten")]
    store.change_now({"web": {"users": users, "port": 8081}, "device": {"name": "Hall"}})
    store.close()
    return folder


def users_of(folder: Path) -> tuple[str, int, list[str], str]:
    store = Store.open(folder)
    web, device = store.current.web, store.current.device
    store.close()
    return device.name, web.port, [user.name for user in web.users], device.serial


def test_only_a_factory_default_helps_who_has_lost_the_last_password(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """GEN-04."""
    *_, serial = users_of(state)
    monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
    assert main(["reset", "--state", str(state), "--factory"]) == 1
    assert users_of(state)[2] == ["ada"]

    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert main(["reset", "--state", str(state), "--factory"]) == 0

    assert users_of(state) == ("sipstrobe", 8080, [], serial)
    assert "opens the device to whoever comes first" in capsys.readouterr().out


def test_a_restore_keeps_where_the_page_is(state: Path) -> None:
    assert main(["reset", "--state", str(state), "--restore", "--yes"]) == 0
    assert users_of(state)[:3] == ("sipstrobe", 8081, [])


def test_settings_that_are_broken_can_be_reset_too(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "settings.json").write_bytes(b"{")
    assert main(["reset", "--state", str(state), "--factory", "--yes"]) == 0
    assert users_of(state)[:3] == ("sipstrobe", 8080, [])


def test_what_does_not_run_cannot_be_restarted(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reset", "--state", str(state), "--restart"]) == 1
    assert "no device runs" in capsys.readouterr().err


def test_a_backup_goes_out_and_comes_back(
    state: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file, secret = str(tmp_path / "b.zip"), ["--with-secrets", "--password-stdin"]
    monkeypatch.setattr("sys.stdin", io.StringIO("tulip\n"))
    assert main(["backup", "--state", str(state), *secret, file]) == 0
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    assert main(["backup", "--state", str(state), file]) == 1  # nothing is written over
    assert main(["reset", "--state", str(state), "--factory", "--yes"]) == 0

    monkeypatch.setattr("sys.stdin", io.StringIO("rose\n"))
    assert main(["restore", "--state", str(state), *secret, file]) == 1
    assert "is wrong" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO("tulip\n"))
    assert main(["restore", "--state", str(state), *secret, file]) == 0

    assert users_of(state)[:3] == ("Hall", 8081, ["ada"])
    assert not (state / "restoring").exists()
