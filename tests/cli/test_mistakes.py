"""What the command line says to whoever has made a mistake: what is wrong, and what helps."""

import errno
import getpass
import os
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from sipstrobe.cli import main
from sipstrobe.cli.doctor import examine
from sipstrobe.config.files import Folder
from sipstrobe.config.store import Store
from sipstrobe.control import SOCKET, call
from sipstrobe.errors import ConfigError
from sipstrobe.io.doorway import barred
from tests.cli.terminal import Terminal
from tests.cli.test_cli import on_ports
from tests.services.phones import HOST
from tests.support.ports import free_port

NOBODY = 65534  # a user that owns nothing


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can see into, which those of pytest are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def usage(*words: str | Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == 2


# --- words -------------------------------------------------------------------------------------


def test_names_keep_their_capitals_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    usage_of = {"account": "Who may use the page and the API.", "api": "also as OpenAPI."}
    for command, words in usage_of.items():
        with pytest.raises(SystemExit):
            main([command, "--help"])
        assert words in capsys.readouterr().out


def test_what_the_system_refuses_is_told_without_its_number(terminal: Terminal) -> None:
    terminal.folder.write_text("a file")
    [line] = terminal.refused_here("settings", "show")
    assert line == f"{terminal.folder}: File exists"


def test_what_is_wrong_with_no_setting_has_no_path(terminal: Terminal) -> None:
    store = Store.open(terminal.folder)
    [line] = terminal.refused_here("run")
    store.close()
    assert line == f"{terminal.folder} is in use by a running device"


def test_half_a_json_is_no_text(terminal: Terminal) -> None:
    """A rule with a missing quote would be told as "must be an object"."""
    usage("settings", "set", "/rules/-", '{"name": "x", action}', "--state", terminal.folder)
    usage("run", "--set", '/lights/outputs=["virtual"', "--state", terminal.folder)
    usage("order", "start-profile", "profile")
    assert not terminal.folder.exists()
    assert (
        terminal.type_here("settings", "set", "/device/name", "[Hall]") == "changed /device/name\n"
    )


# --- folders -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [["calls"], ["audit", "show"], ["audit", "verify"], ["reset", "--factory", "--yes"]],
)
def test_a_folder_that_is_only_looked_at_is_not_made(terminal: Terminal, words: list[str]) -> None:
    [line] = terminal.refused_here(*words)
    assert line == f"there is no folder {terminal.folder}; --state names another"
    assert not terminal.folder.exists()


def test_no_trail_is_not_a_sound_one(terminal: Terminal) -> None:
    terminal.folder.mkdir()
    assert terminal.refused_here("audit", "verify") == [f"there is no trail in {terminal.folder}"]


def test_half_a_backup_is_not_left_behind(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.type_here("settings", "set", "/device/name", "Hall")
    file = tmp_path / "backup.zip"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sipstrobe.cli.backup.write_backup", full)

    assert terminal.refused_here("backup", file) == ["No space left on device"]
    assert not file.exists()


# --- whose it is -------------------------------------------------------------------------------


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files to others")
def test_what_root_changes_stays_readable_for_the_service(terminal: Terminal) -> None:
    """Of a service with a user of its own, which could not start on root's files. Its folder is one
    that only root and it can look into, as those below /var/lib/private."""
    terminal.folder.mkdir()
    elsewhere = terminal.folder.parent / "elsewhere"
    elsewhere.write_text("root's own")
    os.link(elsewhere, terminal.folder / "link")
    (terminal.folder / "symlink").symlink_to(elsewhere)
    os.chown(terminal.folder, NOBODY, NOBODY)

    terminal.type_here("settings", "set", "/mqtt/password", "secret")
    terminal.type_here("settings", "set", "/device/name", "Hall")
    assert terminal.code == 0
    made = {path for path in terminal.folder.rglob("*") if "link" not in path.name}
    assert {path.name for path in made} >= {"settings.json", "secrets.json", "audit"}
    assert {path.stat().st_uid for path in made} == {NOBODY}
    assert elsewhere.stat().st_uid == 0, "a second name in that folder gives nothing away"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files to others")
def test_a_backup_that_root_brings_back_is_the_service_s(
    terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "backup.zip"
    terminal.type_here("settings", "set", "/device/name", "Hall")
    terminal.type_here("backup", file)
    os.chown(terminal.folder, NOBODY, NOBODY)

    terminal.type_here("restore", file)
    terminal.type_here("reset", "--restore", "--yes")

    assert terminal.code == 0
    assert {path.stat().st_uid for path in terminal.folder.rglob("*")} == {NOBODY}


def test_a_device_of_somebody_else_says_who_is_heard(open_folder: Path) -> None:
    """Its socket is for its owner only."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(open_folder / SOCKET))
        listener.listen()
        (open_folder / SOCKET).chmod(0)
        held = Folder(open_folder)
        held.hold()
        root = os.geteuid() == 0
        if root:
            os.seteuid(NOBODY)
        try:
            with pytest.raises(ConfigError, match=f"runs on {open_folder} hears its owner only"):
                call(open_folder, {"do": "get", "pointer": ""})
        finally:
            if root:
                os.seteuid(0)
            held.close()


# --- passwords ---------------------------------------------------------------------------------


def test_where_nobody_can_type_it_is_said_what_helps(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_terminal(prompt: str) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return ""

    monkeypatch.setattr("getpass.getpass", no_terminal)
    monkeypatch.delenv("SIPSTROBE_PASSWORD", raising=False)
    monkeypatch.delenv("SIPSTROBE_TOKEN", raising=False)

    [line] = terminal.refused_here("account", "add", "ada")
    assert "--password-stdin" in line
    [line] = terminal.refused("--host", "http://127.0.0.1:1", "--user", "ada", "status")
    assert "set SIPSTROBE_PASSWORD" in line


# --- dial --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words", [["--digits", "xyz"], ["--seconds", "-1"], ["--seconds", "nan"], ["--seconds", "x"]]
)
def test_dial_does_not_begin_with_what_it_cannot_end(words: list[str]) -> None:
    """A key that is none was found out in the call, which then went on for ever."""
    usage("dial", f"sip:1001@{HOST}", *words)


def test_dial_says_beforehand_that_nothing_can_be_recorded(
    terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "none" / "heard.wav"
    [line] = terminal.refused("dial", f"sip:1001@{HOST}:{free_port()}", "--record", file)
    assert line == f"{file} cannot be written: No such file or directory"


# --- doctor ------------------------------------------------------------------------------------


def said(folder: Path, words: str) -> list[tuple[bool, str]]:
    return [finding for finding in examine(folder) if words in finding[1]]


def test_the_doctor_asks_for_no_card_where_none_is_needed(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    on_ports(terminal.folder)
    assert [works for works, _ in said(terminal.folder, "sound card")] == [False]
    terminal.type_here("settings", "set", "/audio/output", '"null"')
    assert said(terminal.folder, "sound card") == [
        (True, "the sound goes to null, so no sound card is needed")
    ]


def test_the_doctor_does_not_guess_at_ports_of_settings_that_it_cannot_read(
    terminal: Terminal,
) -> None:
    terminal.folder.mkdir()
    (terminal.folder / "settings.json").write_text("{")
    [(works, words)] = said(terminal.folder, "the settings in")
    assert not works
    assert "cannot be read: settings.json, line 1" in words
    assert said(terminal.folder, "port ") == []


def test_the_doctor_sees_where_nothing_can_be_stored(terminal: Terminal) -> None:
    terminal.folder.write_text("a file")
    [(works, words)] = said(terminal.folder / "state", "cannot be a folder")
    assert (works, words.endswith(f"{terminal.folder} is a file")) == (False, True)
    terminal.folder.unlink()
    [(works, _)] = said(terminal.folder, "has room for")
    assert works


def test_the_doctor_tries_the_port_of_tls(terminal: Terminal) -> None:
    on_ports(terminal.folder)
    port = free_port()
    terminal.type_here("settings", "set", "/sip/tls_port", str(port))
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", port))
        taken.listen()
        bad = said(terminal.folder, "SIP, TLS")
    assert bad == [(False, f"port {port} on 0.0.0.0 (SIP, TLS): Address already in use")]


def test_the_doctor_names_packages_that_are_loaded_later(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(terminal.folder, "is missing, so no") == []
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    [(works, words)] = said(terminal.folder, "is missing, so no")
    assert not works
    assert words.endswith("so no sending files by SFTP: pip install asyncssh")


def test_a_port_that_is_not_for_everybody_is_told_so() -> None:
    refused = OSError(errno.EACCES, "Permission denied")
    assert barred(refused, 443).endswith("need CAP_NET_BIND_SERVICE")
    assert barred(refused, 8443) == "Permission denied"
    assert barred(OSError(errno.EADDRINUSE, "In use"), 443) == "In use"
