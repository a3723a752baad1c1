"""What its owner does with the device as a system, and the real process: LOG-05, OPS-01…03."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.config.state_files import unknown
from tests.interop.caller import Dialogue, Wire
from tests.interop.device import Device, answers_options, device, wait_until
from tests.support.pcap import read_pcap

pytestmark = pytest.mark.interop

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    """One that somebody has set up on his first visit."""
    folder = tmp_path_factory.mktemp("upkeep")
    sip = ("--set", "/sip/enabled=true", "--set", "/sip/allow_incoming=true")
    with device(folder, *sip, demo=False, sound="null", light=False) as running:
        set_up(running, PASSWORD)
        running.set("/device/name", "east door")
        running.set("/maintenance/active", False)
        wait_until(lambda: answers_options(running.port), words="SIP")
        yield running


def fetched(running: Device, path: str, to: Path, *more: str) -> int:
    """Fetch or send a file as somebody with curl does; the HTTP status."""
    url = f"http://127.0.0.1:{running.http}/api/v1/{path}"
    who = ("--digest", "-u", f"admin:{running.password}")
    command = ["curl", "-s", "-o", str(to), "-w", "%{http_code}", *who, *more, url]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def asked(running: Device, path: str, *more: str) -> Any:
    """What is answered to somebody without an account."""
    command = ["curl", "-s", *more, f"http://127.0.0.1:{running.http}/api/v1/{path}"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def await_start(running: Device, number: int) -> None:
    """The same process has said for so many times that it is there."""
    said = running.folder / "said"
    wait_until(lambda: said.read_text().count("  sound ") == number, words="it is back")
    assert running.process.poll() is None


def set_up(running: Device, password: str) -> None:
    """GEN-03: the first visit."""
    first = json.dumps({"name": "admin", "password": password})
    assert "advice" in asked(running, "setup", "-d", first)
    running.password = password


def test_what_was_said_in_a_call_is_read_afterwards(running: Device, tmp_path: Path) -> None:
    """LOG-05, and the ladder: its SIP and its RTP, with when, whence and where."""
    assert running.api("POST", "capture", seconds=60)["running"]
    with Wire(running.port) as wire:
        own = wire.own
        call = Dialogue(running.port, own)
        wire.send(call.invite())
        assert call.take(wire.final()) == 200
        wire.send(call.ack())
        name = running.calls[0]["id"]
        wait_until(lambda: running.api("GET", "capture")["packets"] > 20, words="RTP")
        wire.send(call.bye())
        wire.final()
    running.wait_idle()
    told = running.api("POST", "capture/stop")

    assert (told["running"], told["lost"]) == (False, 0)
    assert fetched(running, "capture/file", tmp_path / "trace.pcap") == 200
    packets = read_pcap((tmp_path / "trace.pcap").read_bytes())
    sip = [one for one in packets if call.call_id in one.payload]
    lines = [one.payload.partition(b" ")[0] for one in sip]
    assert lines[0] == b"INVITE"
    assert sip[0].source == ("127.0.0.1", own)
    assert sip[0].to == ("127.0.0.1", running.port)
    assert b"BYE" in lines
    assert len([one for one in packets if one.payload[:1] == b"\x80"]) > 10
    ladder = running.api("GET", f"ladder/{name}")
    said = [(m["sent"], m["first_line"].split(" ")[0]) for m in ladder["messages"]]
    assert said[0] == (False, "INVITE")
    assert said[-2:] == [(False, "BYE"), (True, "SIP/2.0")]
    # OPS-03: else a factory default would leave it behind.
    assert unknown(running.folder / "state") == []


def test_what_a_factory_default_takes_a_backup_brings_back(running: Device, tmp_path: Path) -> None:
    """OPS-01, OPS-03, GEN-03, MNT-01: a call is told goodbye; then all is as when new; and then
    everything is there again, in the same process."""
    serial = running.status()["device"]["serial"]
    order = ("-X", "POST", "-H", "Content-Type: application/json", "-d")
    backup = tmp_path / "backup.zip"
    assert fetched(running, "backup", backup, *order, '{"password": "tulip"}') == 200
    wrong = running.api("POST", "reset", kind="factory", confirm="000000000000")
    assert wrong["field"] == "confirm"
    with Wire(running.port) as wire:
        call = Dialogue(running.port, wire.own)
        wire.send(call.invite())
        assert call.take(wire.final()) == 200
        wire.send(call.ack())

        running.api("POST", "reset", kind="factory", confirm=serial)
        assert wire.receive().startswith(b"BYE ")

    await_start(running, 2)
    assert asked(running, "session")["set_up"] is False
    set_up(running, PASSWORD[::-1])
    new = running.status()
    assert (new["device"]["name"], new["device"]["serial"]) == ("sipstrobe", serial)
    assert new["maintenance"]["active"]

    sent = ("-H", "Backup-Password: tulip", "--data-binary", f"@{backup}")
    kind = ("-H", "Content-Type: application/zip")
    assert fetched(running, "restore", tmp_path / "told", *kind, *sent) == 202

    await_start(running, 3)
    running.password = PASSWORD
    back = running.status()
    assert (back["device"]["name"], back["maintenance"]["active"]) == ("east door", False)
    log = running.api("GET", "log?level=notice")["entries"]
    assert next(e["text"] for e in log if "has started" in e["text"]).endswith("stopped")
