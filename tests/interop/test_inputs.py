"""Inputs and outputs by the URLs that cameras know, with curl as the camera.

Port 1 is an input that is normally closed, port 2 an output. Virtual input 1 runs a profile, and
virtual input 2 switches the output.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sipstrobe.rules.actions import RunProfile, SetOutputWhile
from sipstrobe.rules.settings import Condition, Rule
from tests.interop.device import Device, device, wait_until

pytestmark = pytest.mark.interop

LIMIT = 30.0  # seconds that only pass when what is waited for never comes


def active(topic: str, item: str, number: int) -> tuple[Condition, ...]:
    return (Condition(event=topic, match={item: str(number), "active": "true"}),)


RULES = (
    Rule(
        name="Camera",
        conditions=active("input/virtual", "input", 1),
        action=RunProfile(profile="Warning"),
    ),
    Rule(
        name="Fire panel",
        conditions=active("input/port", "port", 1),
        action=RunProfile(profile="Notice", priority=4),
    ),
    Rule(
        name="Door",
        conditions=active("input/virtual", "input", 2),
        action=SetOutputWhile(port=2),
    ),
)
PORTS = {
    "port_1": {"name": "Fire panel", "normal_state": "closed"},
    "port_2": {"name": "Door", "direction": "output"},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Device]:
    folder: Path = tmp_path_factory.mktemp("inputs")
    settings = (
        *("--set", f"/ports={msgspec.json.encode(PORTS).decode()}"),
        *("--set", f"/rules={msgspec.json.encode(RULES).decode()}"),
    )
    with device(folder, *settings, sound="null") as made:
        made.command("simulate-input", port=1, active=False)
        yield made


def camera(running: Device, path: str, *options: str) -> str:
    """What a camera is answered, by Digest."""
    done = subprocess.run(
        [
            *("curl", "-sS", "--fail", "--max-time", "30", "--digest"),
            *("-u", f"admin:{running.password}", *options),
            f"http://127.0.0.1:{running.http}/axis-cgi/{path}",
        ],
        capture_output=True,
        check=True,
        timeout=40,
    )
    return done.stdout.decode()


def runs(running: Device) -> list[tuple[str, int, bool]]:
    """Profile, priority and whether it is what the light shows; the highest first."""
    return [(o["profile"], o["priority"], o["shown"]) for o in running.operations()]


def await_runs(running: Device, wanted: list[tuple[str, int, bool]]) -> None:
    wait_until(lambda: runs(running) == wanted, LIMIT, f"{wanted} instead of {runs(running)}")


def test_a_camera_switches_a_virtual_input_and_the_light_follows(running: Device) -> None:
    """EXA-06, API-02; GAP-32: by POST with a duration, which ends by itself."""
    await_runs(running, [])
    before = len(running.frames)
    warning = [("Warning", 7, True)]
    changed = "<StateChanged>true</StateChanged>"

    said = camera(running, "virtualinput/activate.cgi?schemaversion=1&port=1")
    assert changed in said
    await_runs(running, warning)
    assert changed in camera(running, "virtualinput/deactivate.cgi?schemaversion=1&port=1")
    await_runs(running, [])

    query = "schemaversion=1&port=1&duration=1"
    assert changed in camera(running, f"virtualinput/activate.cgi?{query}", "-X", "POST")
    await_runs(running, [])
    shown = [
        frame["profile"] for frame in running.frames[before:] if frame["function"] == "SignalingLED"
    ]
    changes = [now for was, now in zip(["", *shown], shown, strict=False) if was != now]
    assert changes == ["Warning", "", "Warning", ""]


def test_an_input_that_is_normally_closed_runs_a_profile_while_it_is_open(running: Device) -> None:
    """EXA-01; EXA-04: what runs by hand at a lower priority returns when the input rests."""
    running.command("start-profile", profile="Notice", priority=3)
    assert camera(running, "io/port.cgi?check=1") == "port1=1\r\n"
    camera(running, "io/virtualinput.cgi?action=1%3A%2F")
    assert camera(running, "io/port.cgi?checkactive=1") == "port1=active\r\n"
    await_runs(running, [("Notice", 4, True), ("Notice", 3, False)])

    camera(running, "io/virtualinput.cgi?action=1%3A%5C")
    await_runs(running, [("Notice", 3, True)])
    running.command("stop-profile", profile="Notice")
    await_runs(running, [])


def test_a_monitor_tells_of_changes_as_they_come(running: Device) -> None:
    url = f"http://127.0.0.1:{running.http}/axis-cgi/io/port.cgi?monitor=1"
    watching = subprocess.Popen(
        ["curl", "-sSN", "--digest", "-u", f"admin:{running.password}", url],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert watching.stdout is not None
        lines = (line.strip() for line in watching.stdout)
        told = (line for line in lines if line.startswith("1I:"))
        assert next(told) == "1I:L"
        for state, sign in ((False, None), (True, "1I:/"), (False, "1I:\\")):
            running.command("simulate-input", port=1, active=state)
            if sign is not None:
                assert next(told) == sign
    finally:
        watching.kill()
        watching.wait()
        if watching.stdout is not None:
            watching.stdout.close()


def test_a_rule_switches_an_output_which_is_read_back(running: Device) -> None:
    """API-04."""
    running.command("set-virtual-input", input=2, active=True)
    assert camera(running, "io/port.cgi?check=2") == "port2=1\r\n"
    wanted = '{"apiVersion":"1.0","method":"getPorts"}'
    said = camera(running, "io/portmanagement.cgi", "-d", wanted)
    (_, door) = msgspec.json.decode(said)["data"]["items"]
    assert (door["name"], door["state"], door["normalState"]) == ("Door", "closed", "open")

    running.command("set-virtual-input", input=2, active=False)
    assert camera(running, "io/port.cgi?check=2") == "port2=0\r\n"
