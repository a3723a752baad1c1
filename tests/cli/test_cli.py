"""The command line as people use it: what it says, what it refuses, and with which exit code."""

import asyncio
import io
import json
import os
import runpy
import socket
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sipstrobe import __version__
from sipstrobe.app import Started
from sipstrobe.cli import COMMANDS, main
from sipstrobe.cli.doctor import examine
from sipstrobe.cli.run import describe, host_and_port, pointer_and_value
from sipstrobe.cli.state import default_state
from sipstrobe.config.demo import demo
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.control import ControlServer
from sipstrobe.services.settings import SettingsService
from sipstrobe.services.speech import Recording
from tests.cli.terminal import Terminal
from tests.services.phones import HOST, Device, settings
from tests.services.test_recordings import written
from tests.support.hear import read_wav, tone_db
from tests.support.leap import LeapClock
from tests.support.ports import free_port
from tests.support.waiting import until

# --- the line itself ---------------------------------------------------------------------------


@pytest.mark.parametrize("words", [[], ["dance"], ["settings"], ["settings", "dance"], ["dial"]])
def test_what_is_no_command_is_answered_with_the_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage: sipstrobe" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"usage: sipstrobe {command}" in capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"sipstrobe {__version__}\n"


def test_the_module_is_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`python -m sipstrobe`"""
    monkeypatch.setattr(sys, "argv", ["sipstrobe", "settings", "show", "--state", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("sipstrobe", run_name="__main__")
    assert ended.value.code == 0


def test_whoever_has_seen_enough_is_no_error(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `sipstrobe settings show | head -1`."""

    class Closed(io.StringIO):
        def write(self, s: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Closed())
    assert main(["settings", "show", "--state", str(terminal.folder)]) == 141


def test_ctrl_c_is_the_exit_code_of_ctrl_c(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", interrupt)
    terminal.type_here("account", "add", "anna")
    assert terminal.code == 130


def test_the_state_of_root_and_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG base directories for people, /var/lib for the system."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_state() == Path("/var/lib/sipstrobe")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/anna/state")
    assert default_state() == Path("/home/anna/state/sipstrobe")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/anna")
    assert default_state() == Path("/home/anna/.local/state/sipstrobe")


# --- settings ----------------------------------------------------------------------------------


def test_settings_are_shown_and_set(terminal: Terminal) -> None:
    assert terminal.type_here("settings", "show", "/sip/port") == "5060\n"
    assert terminal.type_here("settings", "set", "/sip/port", "5070") == "changed /sip/port\n"
    assert terminal.type_here("settings", "show", "/sip/port") == "5070\n"
    assert terminal.type_here("settings", "set", "/sip/port", "5070") == "nothing has changed\n"
    assert terminal.type_here("settings", "set", "/device/name", "Hall") == "changed /device/name\n"
    assert json.loads(terminal.type_here("settings", "show"))["device"]["name"] == "Hall"


def test_each_problem_of_a_setting_is_a_line_of_its_own(terminal: Terminal) -> None:
    [line] = terminal.refused_here("settings", "set", "/sip/port", "80")
    assert line.startswith("/sip/port: ")
    both = '{"sip": {"port": 80}, "web": {"port": 0}}'
    lines = terminal.refused_here("settings", "set", "", both)
    assert [line.split(":")[0] for line in lines] == ["/sip/port", "/web/port"]
    [line] = terminal.refused_here("settings", "show", "/sip/prot")
    assert line.startswith("/sip/prot: ")


def test_settings_go_to_another_device_as_a_file(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type_here("settings", "set", "/device/name", "Hall")
    file = tmp_path / "hall.json"
    file.write_text(terminal.type_here("settings", "export"))
    other = tmp_path / "other"

    assert terminal.type("settings", "check", file) == f"{file}: can be imported\n"
    assert terminal.type("settings", "import", file, "--state", other) == "changed /device/name\n"
    assert terminal.type("settings", "show", "/device/name", "--state", other) == '"Hall"\n'


def test_rules_that_look_wrong_are_told_and_can_be_imported(
    terminal: Terminal, tmp_path: Path
) -> None:
    pressed = {"event": "input/manual_trigger", "match": {"trigger": "1", "active": "true"}}
    never = {
        "name": "Never",
        "conditions": [pressed, pressed | {"invert": True}],
        "action": {"do": "run_light", "pattern": "Steady"},
    }
    file = tmp_path / "settings.json"
    tree = json.loads(terminal.type_here("settings", "export"))
    tree["settings"]["rules"] = [never]
    file.write_text(json.dumps(tree), "utf-8")

    first, second = terminal.type("settings", "check", file).splitlines()

    assert first == f"{file}: can be imported"
    assert second.startswith("/rules/0/conditions/1: 'Never' cannot act: ")


def test_secrets_are_exported_only_when_asked_for(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
    terminal.type_here("account", "add", "anna", "--password-stdin")

    hidden = json.loads(terminal.type_here("settings", "export"))["settings"]["web"]["users"][0]
    shown = terminal.type_here("settings", "export", "--secrets")
    (tmp_path / "all.json").write_text(shown)

    assert set(hidden["ha1_md5"]) == {"secret"}
    assert isinstance(json.loads(shown)["settings"]["web"]["users"][0]["ha1_md5"], str)
    terminal.type("settings", "import", tmp_path / "all.json", "--state", tmp_path / "other")
    assert terminal.code == 0


@pytest.mark.parametrize("action", ["check", "import"])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "line 1"),
        (b'{"format": 1, "settings": {"device": {"name": "\xff"}}}', "not UTF-8"),
        (b'{"format": 9}', "/format: "),
        (b'{"format": 1, "settings": {"sip": {"port": 80}}}', "/sip/port: "),
    ],
)
def test_a_file_that_cannot_be_imported(
    terminal: Terminal, tmp_path: Path, action: str, data: bytes, words: str
) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(data)
    state = [] if action == "check" else ["--state", terminal.folder]

    [line] = terminal.refused("settings", action, file, *state)

    assert words in line


def test_a_file_that_is_not_there(terminal: Terminal, tmp_path: Path) -> None:
    [line] = terminal.refused("settings", "check", tmp_path / "none.json")
    assert "No such file" in line


def test_a_state_that_is_no_folder(terminal: Terminal) -> None:
    terminal.folder.write_text("I am a file")
    [line] = terminal.refused_here("settings", "show")
    assert "File exists" in line


# --- accounts ----------------------------------------------------------------------------------


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """What people type when they are asked for a password."""
    answers: list[str] = []

    def ask(prompt: str) -> str:
        if not answers:
            raise EOFError
        return answers.pop(0)

    monkeypatch.setattr("getpass.getpass", ask)
    yield lambda *words: answers.extend(words)
    assert answers == []


def test_accounts_are_added_listed_and_removed(
    terminal: Terminal, says: Callable[..., None]
) -> None:
    says("correct horse battery", "correct horse battery")
    assert terminal.type_here("account", "add", "anna") == "anna may sign in as administrator\n"
    assert terminal.complained == ""
    says("staple", "staple")
    terminal.type_here("account", "add", "otto", "--role", "operator")
    assert "short" in terminal.complained, "advice, and it is stored nevertheless"

    listed = terminal.type_here("account", "list")
    assert [line.split() for line in listed.splitlines()] == [
        ["anna", "administrator"],
        ["otto", "operator"],
    ]
    assert terminal.type_here("account", "remove", "otto") == "otto is removed\n"
    assert "otto" not in terminal.type_here("account", "list")


def test_what_cannot_be_an_account(terminal: Terminal, says: Callable[..., None]) -> None:
    says("one", "another")
    assert terminal.refused_here("account", "add", "anna") == [
        "the two differ; nothing has changed"
    ]
    says("x" * 65, "x" * 65)
    assert "/password: " in terminal.refused_here("account", "add", "anna")[0]
    assert terminal.refused_here("account", "add", "anna") == ["the input has ended"]
    assert "no account 'otto'" in terminal.refused_here("account", "remove", "otto")[0]
    says("long enough for all", "long enough for all")
    [line] = terminal.refused_here("account", "add", "anna", "--role", "viewer")
    assert "administrator" in line


# --- doctor ------------------------------------------------------------------------------------


def about(folder: Path, words: str) -> list[tuple[bool, str]]:
    """What the doctor finds about something."""
    return [finding for finding in examine(folder) if words in finding[1]]


def on_ports(folder: Path) -> tuple[int, int]:
    """A state whose ports are free; SIP's and the page's."""
    sip, web = free_port(), free_port()
    store = Store.open(folder)
    at = {"port": web, "https_port": free_port(), "host": HOST}
    store.change_now({"sip": {"port": sip, "tls_port": free_port()}, "web": at})
    store.close()
    return sip, web


def test_the_doctor_changes_nothing(terminal: Terminal) -> None:
    [(works, words)] = about(terminal.folder, "no settings yet")
    assert works
    assert str(terminal.folder) in words
    terminal.folder.mkdir()
    assert about(terminal.folder, "no settings yet")
    assert list(terminal.folder.iterdir()) == []


def test_the_doctor_tries_the_ports_of_the_settings(terminal: Terminal) -> None:
    sip, web = on_ports(terminal.folder)
    assert all(works for works, _ in about(terminal.folder, "port "))
    assert len(about(terminal.folder, f"port {sip} ")) == 4
    assert len(about(terminal.folder, f"port {web} ")) == 1

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", sip))
        bad = [words for works, words in about(terminal.folder, "port ") if not works]
        said = terminal.type_here("doctor")

    assert bad == [f"port {sip} on 0.0.0.0 (SIP, UDP): Address already in use"]
    assert f"BAD {bad[0]}\n" in said
    assert terminal.code == 1


def test_the_doctor_looks_for_the_lines_and_strips_that_the_settings_name(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IOP-05: and for no others."""
    monkeypatch.setitem(sys.modules, "gpiod", None)
    on_ports(terminal.folder)
    assert about(terminal.folder, "GPIO") == about(terminal.folder, "/dev/") == []
    strip = terminal.folder / "strip"
    strip.touch()
    store = Store.open(terminal.folder)
    wanted = [{"kind": "ws2812", "device": str(strip)}, "gpio:nochip8/1"]
    port = {"driver": "gpio:nochip9/17"}
    store.change_now({"lights": {"outputs": wanted}, "ports": {"port_1": port}})
    store.close()

    found = about(terminal.folder, "strip can") + about(terminal.folder, "there is no /dev/")
    [(works, words)] = about(terminal.folder, "GPIO")

    assert found == [
        (True, f"{strip} can be opened"),
        (False, "there is no /dev/nochip8"),
        (False, "there is no /dev/nochip9"),
    ]
    assert not works
    assert "pip install 'sipstrobe[gpio]'" in words


def test_the_doctor_runs_where_hardly_anything_does(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without PortAudio, and without one of the packages: the rest is not tried."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)

    def find(name: str) -> object:
        return None if name == "aiohttp" else object()

    monkeypatch.setattr("importlib.util.find_spec", find)

    bad = [words for works, words in examine(terminal.folder) if not works]

    assert bad[0] == "the package aiohttp is missing: pip install aiohttp"
    assert "apt-get install libportaudio2" in bad[1]
    assert about(terminal.folder, "settings") == []


def test_the_doctor_says_which_codecs_are_not_offered(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(works for works, _ in about(terminal.folder, "calls can"))
    nothing: dict[str, object] = {}
    monkeypatch.setattr("sipstrobe.codecs.library.find", nothing.get)

    assert about(terminal.folder, "calls can") == [
        (False, "calls cannot use opus: no libopus.so.0 (Debian: apt-get install libopus0)"),
        (
            False,
            "calls cannot use G722, G726-32: no libspandsp.so.2"
            " (Debian: apt-get install libspandsp2)",
        ),
    ]


def test_the_doctor_says_what_becomes_of_echo(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUD-02: cancelled, or else the microphone makes room."""
    [(_, words)] = about(terminal.folder, "echo")
    assert "libspeexdsp" in words
    monkeypatch.setattr("sipstrobe.io.speexdsp.library", lambda: None)

    assert about(terminal.folder, "echo") == [
        (
            False,
            "echo cannot be cancelled, so the microphone is softer while the speaker plays: no"
            " libspeexdsp.so.1 (Debian: apt-get install libspeexdsp1)",
        )
    ]


def test_the_doctor_says_whether_clips_can_be_added(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(works, words)] = about(terminal.folder, "clips can be added")
    assert works
    assert "libsndfile" in words
    monkeypatch.setitem(sys.modules, "soundfile", None)

    [(works, words)] = about(terminal.folder, "no clips can be added")
    assert not works
    assert "apt-get install libsndfile1" in words


def test_the_doctor_names_the_sound_cards(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = [
        {"name": "Loudspeaker", "max_output_channels": 2},
        {"name": "Microphone", "max_output_channels": 0},
    ]
    library = types.SimpleNamespace(query_devices=lambda: cards)
    monkeypatch.setitem(sys.modules, "sounddevice", library)

    assert about(terminal.folder, "sound card") == [(True, "sound cards: Loudspeaker")]


def test_the_doctor_finds_settings_that_cannot_be_read(terminal: Terminal) -> None:
    on_ports(terminal.folder)
    (terminal.folder / "settings.json").write_text("{")
    [(works, words)] = about(terminal.folder, "the settings in")
    assert not works
    assert "settings.json, line 1" in words


async def test_the_doctor_sees_a_device_that_runs(terminal: Terminal) -> None:
    on_ports(terminal.folder)
    store = Store.open(terminal.folder)
    server = ControlServer(terminal.folder, store, SettingsService(Context(LeapClock()), store))
    await server.start()

    found = await asyncio.to_thread(lambda: list(examine(terminal.folder)))
    await asyncio.sleep(0.01)
    await server.aclose()
    store.close()

    assert (True, f"the settings in {terminal.folder} can be read") in found
    assert any("its ports are taken by itself" in words for _, words in found)
    assert not any(words.startswith("port ") for _, words in found)


# --- run ---------------------------------------------------------------------------------------


def test_what_set_and_http_understand() -> None:
    assert pointer_and_value("/sip/port=5070") == ("/sip/port", 5070)
    assert pointer_and_value("/device/name=Hall = 7") == ("/device/name", "Hall = 7")
    assert pointer_and_value('/lights/outputs=["none"]') == ("/lights/outputs", ["none"])
    assert host_and_port("127.0.0.1:8080") == ("127.0.0.1", 8080)
    assert host_and_port("[::1]:8080") == ("::1", 8080)
    assert host_and_port(":0") == ("0.0.0.0", 0)
    assert host_and_port("8080") == ("0.0.0.0", 8080)


@pytest.mark.parametrize(
    "words",
    [
        ["--set", "sip/port=1"],
        ["--set", "/sip/port"],
        ["--http", "host:"],
        ["--http", "host:99999"],
        ["--light", "laser"],
        ["--light", "e131:0"],
    ],
)
def test_what_set_and_http_do_not_understand(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", *words])
    assert ended.value.code == 2
    assert " is no" in capsys.readouterr().err


def test_a_device_that_cannot_start_says_why(terminal: Terminal) -> None:
    [line] = terminal.refused_here("run", "--set", "/sip/port=1")
    assert line.startswith("/sip/port: ")

    store = Store.open(terminal.folder)
    [line] = terminal.refused_here("run")
    store.close()
    assert "is in use by a running device" in line


def started() -> Started:
    """A fresh device that runs."""
    return Started(
        settings=Store.memory().current,
        listening=[],
        page=[("127.0.0.1", 8080)],
        sound="null",
        lights={"virtual": ""},
    )


def test_what_a_fresh_device_says() -> None:
    assert "sipstrobe settings set --state d /sip/enabled" in describe(started(), "--state d ")[2]
    assert describe(started()) == [
        f"sipstrobe {__version__} · sipstrobe",
        "  maintenance mode is on: the siren is silent, the light pulses white",
        "  SIP is off: sipstrobe settings set /sip/enabled true",
        "  page    http://127.0.0.1:8080/",
        "  account none yet: the first visit of the page makes the administrator",
        "  sound   null",
        "  light   virtual",
    ]


def test_what_the_demonstration_says() -> None:
    store = Store.memory()
    store.change_now(demo())
    store.change_now({"sip": {"port": 5070}})
    lines = describe(
        replace(
            started(),
            settings=store.current,
            listening=["UDP 5070 (IPv4)"],
            page=[("::1", 8080), ("0.0.0.0", 8081)],
            password="secret",
            problems=["page: it rains"],
            sound="",
        )
    )

    dialled = [line.split() for line in lines if line.startswith("  dial ")]
    assert [words[1].split("@")[0] for words in dialled] == [f"sip:100{n}" for n in (1, 2, 3, 4)]
    assert all(words[1].endswith(":5070") for words in dialled)
    assert [words[2:] for words in dialled][3] == ["Evacuate", "priority", "9"]
    assert "  listen  UDP 5070 (IPv4)" in lines
    assert "  page    http://[::1]:8080/" in lines
    assert not any("0.0.0.0" in line for line in lines), "nobody can open that"
    assert "  account admin, password secret (shown only now)" in lines
    assert "  sound   none" in lines
    assert lines[-1] == "  PROBLEM page: it rains"


# --- dial --------------------------------------------------------------------------------------


async def test_dial_calls_speaks_and_records(terminal: Terminal, tmp_path: Path) -> None:
    device = Device(LeapClock(), settings())
    await device.phone.transports.ready()
    at = np.arange(96_000, dtype=np.float32) / 48_000
    tone = 0.5 * np.sin(2 * np.pi * 1000 * at)
    device.greeting = Recording(tone.astype(np.float32))
    said = written(tmp_path / "said.wav", 8000, seconds=2.0)
    heard = tmp_path / "heard.wav"

    words = ("dial", f"sip:1001@{HOST}:{device.port}", "--seconds", "0.6")
    files = ("--play", str(said), "--record", str(heard), "--digits", "12#")
    typing = asyncio.create_task(asyncio.to_thread(terminal.type, *words, *files))
    await until(lambda: device.sources)
    output = await typing
    await device.close()

    assert terminal.code == 0
    assert [line.split(":")[0] for line in output.splitlines()] == ["calling", "active", "ended"]
    assert output.endswith("ended: terminated\n")
    samples, rate = read_wav(heard)
    loud = samples[np.flatnonzero(np.abs(samples) > 0.05)[0] :][:12_000]
    assert tone_db(loud, 1000, rate) > max(-20.0, tone_db(loud, 1700, rate) + 10)


async def test_dial_over_tcp_and_the_other_side_hangs_up(
    terminal: Terminal, tmp_path: Path
) -> None:
    device = Device(LeapClock(), settings())
    await device.phone.transports.ready()

    words = ("dial", f"1001@{HOST}:{device.port}", "--transport", "tcp")
    silent = ("--record", str(tmp_path / "heard.wav"))
    typing = asyncio.create_task(asyncio.to_thread(terminal.type, *words, *silent))
    await until(lambda: device.states == ["active"])
    assert device.phone.snapshot()[0].transport == "TCP"
    device.hang_up()
    await typing
    await device.close()

    assert terminal.code == 0


def test_dial_says_why_there_is_no_call(terminal: Terminal, tmp_path: Path) -> None:
    record = ("--record", tmp_path / "heard.wav")
    output = terminal.type("dial", f"sip:1001@{HOST}:{free_port()}", *record)
    assert terminal.code == 1
    assert output.splitlines()[-1] == "ended: failed: there is nobody at this port"

    assert "cannot call 'mailto:anna'" in terminal.refused("dial", "mailto:anna", *record)[0]
    none = terminal.refused("dial", "sip:1@127.0.0.1", "--play", tmp_path / "none.wav", *record)
    assert "none.wav cannot be read" in none[0]
