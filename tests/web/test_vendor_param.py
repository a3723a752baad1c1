"""param.cgi: what programs read before all else (vapix-system §3, vapix-params)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipstrobe import __version__
from sipstrobe.context import Context
from sipstrobe.web.compat.param import GROUPS_MAX, PATTERN_MAX
from sipstrobe.web.compat.parameters import flat
from sipstrobe.web.server import WebServer
from tests.support.program import Program
from tests.support.web import CHEAP, Device

PARAM = "/axis-cgi/param.cgi"


@pytest.fixture
async def device(context: Context, tmp_path: Path) -> Device:
    return Device.make(context, in_background=True, folder=tmp_path / "clips")


@pytest.fixture
async def victor(device: Device) -> AsyncIterator[Program]:
    server = WebServer(device.context, device.store, device.views(), cost=CHEAP)
    yield Program(server, "victor")
    await server.aclose()
    device.clips.close()
    await device.library.aclose()


async def listed(who: Program, group: str = "") -> list[str]:
    query = f"?action=list&group={group}" if group else "?action=list"
    answer = await who.ask("GET", PARAM + query)
    assert (answer.status, answer.content_type.split(";")[0]) == (200, "text/plain")
    assert answer.body.endswith(b"\n")
    return answer.body.decode().splitlines()


async def test_what_well_known_programs_cannot_do_without_is_there(
    victor: Program, device: Device
) -> None:
    """vapix-params §8: a key that is missing raises in their parsers."""
    told = dict(line.split("=", 1) for line in await listed(victor, "root.Properties"))

    assert told["root.Properties.API.HTTP.Version"] == "3"
    assert told["root.Properties.API.Metadata.Metadata"] == "no"
    assert told["root.Properties.EmbeddedDevelopment.Version"] == "0.0"
    assert told["root.Properties.Firmware.Version"] == __version__
    assert told["root.Properties.Firmware.BuildNumber"] == "1"
    assert told["root.Properties.Firmware.BuildDate"]
    assert told["root.Properties.System.HardwareID"]
    assert told["root.Properties.System.SerialNumber"] == device.store.current.device.serial
    assert told["root.Properties.Audio.Source.A0.Input"] == "no", "the microphone is off"


async def test_groups_are_answered_in_their_order_each_sorted_as_programs_know_it(
    victor: Program,
) -> None:
    """vapix-params: case-insensitively, what is plain before its groups; a missing one in place."""
    assert await listed(victor, "Output,Properties.Image,root.System.Boa*,Brand.Brand") == [
        "root.Output.NbrOfOutputs=0",
        "# Error: Error -1 getting param in group 'Properties.Image'",
        "root.System.BoaPort=8080",
        "root.System.BoaProtViewer=password",
        "root.Brand.Brand=sipstrobe",
    ]
    system = [line.partition("=")[0] for line in await listed(victor, "System")]
    assert system[:4] == [
        "root.System.BoaPort",
        "root.System.BoaProtViewer",
        "root.System.RootPwdSet",
        "root.System.PreventDoSAttack.ActivatePasswordThrottling",
    ]
    everything = await listed(victor)
    assert everything == await listed(victor, "*") == await listed(victor, "root")
    groups = list(dict.fromkeys(line.split(".")[1] for line in everything))
    assert groups == sorted(groups, key=str.lower)


def test_in_a_group_its_own_come_before_its_groups() -> None:
    """vapix-params: capitals and small letters are mixed."""
    tree = {"b": "1", "Zone": {"x": "2"}, "A": "3", "apart": {"y": {"z": "4"}, "n": "5"}}
    assert [f"{name}={value}" for name, value in flat(tree)] == [
        *("root.A=3", "root.b=1", "root.apart.n=5", "root.apart.y.z=4", "root.Zone.x=2")
    ]


async def test_a_listed_clip_is_played_by_its_location(victor: Program, device: Device) -> None:
    """vapix-audio §1: there is no other list of clips for these programs."""
    await device.library.ready()
    clips = await listed(victor, "MediaClip.M34")
    told = dict(line.split("=", 1) for line in clips)
    assert told["root.MediaClip.M34.Name"] == "Beep"

    location = told["root.MediaClip.M34.Location"]
    answer = await victor.ask("GET", f"/axis-cgi/playclip.cgi?location={location}")

    assert (answer.status, [c["clip"] for c in device.clips.snapshot()]) == (200, ["Beep"])


async def test_parameters_follow_the_settings(victor: Program, device: Device) -> None:
    guess = {"enabled": False, "block_seconds": 30}
    device.store.change_now({"web": {"anonymous_viewing": True, "brute_force": guess}})

    lines = await listed(victor, "System")

    assert "root.System.BoaProtViewer=anonymous" in lines
    assert "root.System.PreventDoSAttack.ActivatePasswordThrottling=Off" in lines
    assert "root.System.PreventDoSAttack.DoSBlockingPeriod=30" in lines


async def test_nothing_is_set_here(victor: Program) -> None:
    """vapix-system §3: as of any that is fixed; a form is read whatever it says it is."""
    victor.headers["content-type"] = "text/plain"
    update = await victor.ask("POST", PARAM, b"action=update&root.Brand.Brand=Me")
    add = await victor.ask("POST", PARAM, b"action=add&group=Event")

    assert update.body == b"# Error: Error setting 'root.Brand.Brand' to 'Me'!\n"
    assert add.body.startswith(b"# Request failed: ")
    assert (await victor.ask("POST", PARAM, b"action=list&group=Output")).body.startswith(b"root.O")


@pytest.mark.parametrize("group", [",".join(["A"] * (GROUPS_MAX + 1)), "A" * (PATTERN_MAX + 1)])
async def test_a_question_has_bounds(victor: Program, group: str) -> None:
    assert (await victor.ask("GET", f"{PARAM}?action=list&group={group}")).status == 400
