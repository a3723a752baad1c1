"""param.cgi: what programs read before all else (vapix-system §3, vapix-params)."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from sipstrobe import __version__
from sipstrobe.config.access import Scope
from sipstrobe.context import Context
from sipstrobe.web.compat.param import GROUPS_MAX, PATTERN_MAX
from sipstrobe.web.compat.parameters import flat
from sipstrobe.web.server import WebServer
from tests.support.program import Program
from tests.support.visitor import Visitor
from tests.support.web import CHEAP, Device, FullDisk

PARAM = "/axis-cgi/param.cgi"


@pytest.fixture
async def device(context: Context, tmp_path: Path) -> Device:
    return Device.make(context, in_background=True, folder=tmp_path / "clips")


@pytest.fixture
async def server(device: Device) -> AsyncIterator[WebServer]:
    server = WebServer(device.context, device.store, device.views(), cost=CHEAP)
    yield server
    await server.aclose()
    device.clips.close()
    await device.library.aclose()


@pytest.fixture
async def victor(server: WebServer) -> Program:
    return Program(server, "victor")


@pytest.fixture
async def olga(server: WebServer) -> Program:
    return Program(server, "olga")


@pytest.fixture
async def ada(server: WebServer) -> Program:
    return Program(server, "ada")


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
    ports = dict(line.split("=", 1) for line in await listed(victor, "root.IOPort.I1"))
    assert ports == {
        "root.IOPort.I1.Configurable": "yes",
        "root.IOPort.I1.Direction": "input",
        "root.IOPort.I1.Usage": "",
        "root.IOPort.I1.Input.Name": "Port 2",
        "root.IOPort.I1.Input.Trig": "closed",
        "root.IOPort.I1.Output.Active": "closed",
        "root.IOPort.I1.Output.Mode": "bistable",
        "root.IOPort.I1.Output.Name": "Port 2",
        "root.IOPort.I1.Output.PulseTime": "0",
    }


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


# --- what they may be ---------------------------------------------------------------------------


async def test_forms_can_be_made_of_the_definitions(victor: Program) -> None:
    """vapix-system §3: name, value, who may write it (the last digit), and what it may be."""
    groups = "AudioSource.A0.OutputGain,root.HTTPS,Brand.Brand,MediaClip.*.Name"
    answer = await victor.ask(
        "GET", f"{PARAM}?action=listdefinitions&listformat=xmlschema&group={groups}"
    )

    assert (answer.status, answer.content_type.split(";")[0]) == (200, "text/xml")
    schema = "{http://www.axis.com/ParameterDefinitionsSchema}"
    document = ElementTree.fromstring(answer.body)
    assert document.findtext(f"{schema}firmwareVersion") == __version__
    assert [group.get("name") for group in document.findall(f"{schema}group")] == ["root"]
    found = {p.get("name"): p for p in document.iter(f"{schema}parameter")}
    assert list(found) == ["OutputGain", "Enabled", "Port", "Brand", "Name"]
    assert [p.get("securityLevel") for p in found.values()] == [
        *("7714", "7716", "7716", "7717"),
        "7717",  # a clip of every device keeps its name
    ]
    entries = [e.get("value") for e in found["OutputGain"].iter(f"{schema}entry")]
    assert (found["OutputGain"].get("value"), entries[0], entries[-1]) == ("0", "mute", "0")
    [port] = found["Port"].iter(f"{schema}int")
    assert (port.get("min"), port.get("max")) == ("1", "65535")
    assert len(list(found["Enabled"].iter(f"{schema}bool"))) == 1
    [fixed] = found["Brand"].iter(f"{schema}type")
    assert fixed.get("readonly") == "true"
    clips = {g.get("name") for g in document.iter(f"{schema}group")}
    assert {"MediaClip", "M34"} <= clips
    nothing = await victor.ask("GET", f"{PARAM}?action=listdefinitions&group=PTZ")
    assert nothing.body == b"# Error: Error -1 getting param in group 'PTZ'\n"


# --- setting them -------------------------------------------------------------------------------


async def update(who: Program, **wanted: str) -> str:
    """By a form, whose type is not looked at; underscores stand for dots."""
    fields = {"action": "update"} | {name.replace("_", "."): v for name, v in wanted.items()}
    answer = await who.ask("POST", PARAM, urlencode(fields).encode())
    assert (answer.status, answer.content_type.split(";")[0]) == (200, "text/plain"), answer.body
    return answer.body.decode()


@pytest.mark.parametrize(
    ("value", "db", "muted", "told"),
    [("-12", -12.0, False, "-12"), ("mute", 0.0, True, "mute"), ("-3.5", -3.5, False, "-3.5")],
)
async def test_operators_set_how_loud_it_is(
    olga: Program, device: Device, value: str, db: float, muted: bool, told: str
) -> None:
    """vapix-audio §2: what paging programs have a slider for; mute is a value of it."""
    assert await update(olga, root_AudioSource_A0_OutputGain=value) == "OK"

    audio = device.store.current.audio
    assert (audio.volume_db, audio.muted) == (db, muted)
    assert await listed(olga, "AudioSource.A0.OutputGain") == [
        f"root.AudioSource.A0.OutputGain={told}"
    ]


async def test_a_level_is_heard_again_after_it_was_muted(olga: Program, device: Device) -> None:
    device.store.change_now({"audio": {"muted": True, "microphone": {"muted": True}}})

    assert await update(olga, AudioSource_A0_OutputGain="-6", AudioSource_A0_InputGain="20") == "OK"

    audio = device.store.current.audio
    assert (audio.volume_db, audio.muted) == (-6.0, False)
    assert (audio.microphone.gain_db, audio.microphone.muted) == (20.0, False)


async def test_administrators_set_ports(ada: Program, device: Device) -> None:
    """vapix-io §3: Trig and Active say how a circuit is when it is active."""
    done = await update(
        ada,
        IOPort_I0_Input_Name="Fire panel",
        IOPort_I0_Input_Trig="open",
        IOPort_I1_Direction="output",
        IOPort_I1_Output_Active="open",
        IOPort_I1_Output_Mode="monostable",
        IOPort_I1_Output_PulseTime="500",
        IOPort_I1_Usage="Door",
    )

    assert done == "OK"
    first, second = device.store.current.ports.both.values()
    assert (first.name, first.normal_state, first.direction) == ("Fire panel", "closed", "input")
    assert (second.direction, second.normal_state, second.usage) == ("output", "closed", "Door")
    assert (second.mode, second.pulse_ms) == ("monostable", 500)


async def test_administrators_harden_the_device(ada: Program, device: Device) -> None:
    """vapix §3.4: as hardening guides have it; what is so already may be said again."""
    done = await update(
        ada,
        System_PreventDoSAttack_ActivatePasswordThrottling="off",
        System_PreventDoSAttack_DoSBlockingPeriod="30",
        System_PreventDoSAttack_DoSPageCount="5",
        System_PreventDoSAttack_DoSPageInterval="1",
        System_PreventDoSAttack_DoSSiteCount="6",
        System_BoaProtViewer="anonymous",
        Network_HTTP_AuthenticationPolicy="Recommended",
        HTTPS_Enabled="no",
        HTTPS_Port="9443",
        System_BoaPort="9080",
    )

    assert done == "OK"
    web = device.store.current.web
    guess = web.brute_force
    assert (guess.enabled, guess.block_seconds) == (False, 30)
    assert (guess.page_failures_per_second, guess.device_failures_per_second) == (5, 6)
    assert (web.anonymous_viewing, web.mode, web.https_port, web.port) == (
        *(True, "http", 9443, 9080),
    )
    assert await update(ada, HTTPS_Enabled="yes") == "OK"
    assert device.store.current.web.mode == "both"


async def test_clips_of_every_device_keep_their_names(olga: Program, device: Device) -> None:
    """Those of people can be renamed, see test_clips."""
    refused = await update(olga, MediaClip_M34_Name="Boop", MediaClip_M0_Name="Nobody")

    assert refused.count("# Error: Error setting ") == 2
    assert device.store.current.clips == ()


async def test_each_that_can_be_set_is_set_and_the_others_are_named(
    ada: Program, device: Device
) -> None:
    """vapix-system §3: an error names its parameter, as the client has spelt it."""
    told = await update(
        ada,
        root_Brand_Brand="Me",
        AudioSource_A0_OutputGain="-6",
        AudioSource_A0_InputGain="loud",
        HTTPS_Port="8080",
        System_BoaPort="0",
        Network_SSH_Enabled="yes",
        IOPort_I0_Output_Mode="monostable",
    )

    assert told.splitlines() == [
        "# Error: Error setting 'root.Brand.Brand' to 'Me'!",
        "# Error: Error setting 'AudioSource.A0.InputGain' to 'loud'!",
        "# Error: Error setting 'HTTPS.Port' to '8080'!",  # that is the port of HTTP
        "# Error: Error setting 'System.BoaPort' to '0'!",
        "# Error: Error setting 'Network.SSH.Enabled' to 'yes'!",
        "# Error: Error setting 'IOPort.I0.Output.Mode' to 'monostable'!",  # it has no pulse time
    ]
    assert device.store.current.audio.volume_db == -6.0
    assert device.store.current.web.https_port == 8443


async def test_who_may_not_set_it_is_asked_for_another_account(
    victor: Program, olga: Program, ada: Program, device: Device
) -> None:
    """vapix-system §3: 401 again; a token must be for it, and a link must not do it."""
    gain = f"{PARAM}?action=update&AudioSource.A0.OutputGain=-6"
    both = f"{gain}&System.BoaProtViewer=anonymous"

    assert (await victor.ask("GET", gain)).status == 401
    assert (await victor.ask("GET", f"{PARAM}?action=update&Nothing=1")).status == 401
    assert (await olga.ask("GET", both)).status == 401
    for port in ("Direction=output", "Usage=Door", "Input.Trig=open", "Output.PulseTime=500"):
        assert (await olga.ask("GET", f"{PARAM}?action=update&IOPort.I1.{port}")).status == 401
    assert device.store.current.audio.volume_db == 0.0
    ada.headers["accept-language"] = "en"
    assert (await ada.ask("GET", both)).status == 403
    del ada.headers["accept-language"]
    assert (await ada.ask("GET", both)).body == b"OK"


async def test_a_token_must_be_for_what_is_set(server: WebServer) -> None:
    gain = f"{PARAM}?action=update&AudioSource.A0.OutputGain=-6"
    viewing = f"{PARAM}?action=update&System.BoaProtViewer=anonymous"
    ada = Visitor(server)
    await ada.log_in("ada")

    async def statuses(*scopes: Scope) -> list[int]:
        new = {"name": "panel", "role": "administrator", "scopes": (Scope.READ, *scopes)}
        _, told = await ada.ask("POST", "/tokens", new)
        panel = Program(server)
        panel.headers["authorization"] = f"Bearer {told['token']}"
        return [(await panel.ask("GET", one)).status for one in (gain, viewing)]

    assert await statuses() == [403, 401], "without system it is an operator's at most"
    assert await statuses(Scope.SETTINGS) == [200, 401]
    assert await statuses(Scope.SETTINGS, Scope.SYSTEM) == [200, 200]


async def test_who_looks_without_an_account_is_asked_for_one_where_it_wants_to_be(
    server: WebServer, device: Device
) -> None:
    """vapix-system §3, usergroup: programs that know a password would not be asked else."""
    device.store.change_now({"web": {"anonymous_viewing": True}})
    nobody, olga = Program(server), Program(server, "olga")
    asked = f"{PARAM}?action=list&group=Output&usergroup="

    assert [(await nobody.ask("GET", asked + g)).status for g in ("anonymous", "viewer")] == [
        *(200, 401),
    ]
    assert [(await olga.ask("GET", asked + g)).status for g in ("operator", "admin")] == [200, 401]


async def test_what_could_not_be_stored_is_not_set(context: Context) -> None:
    disk = FullDisk()
    device = Device.make(context, in_background=True, files=disk)
    server = WebServer(context, device.store, device.views(), cost=CHEAP)
    disk.full = True

    told = await update(Program(server, "olga"), AudioSource_A0_OutputGain="-6")

    assert told == "# Error: Error setting 'AudioSource.A0.OutputGain' to '-6'!\n"
    await server.aclose()


async def test_groups_are_neither_made_nor_removed_here(ada: Program) -> None:
    for action in (b"action=add&template=streamprofile&group=StreamProfile", b"action=remove", b""):
        assert (await ada.ask("POST", PARAM, action)).body.startswith(b"# Request failed: ")


@pytest.mark.parametrize("group", [",".join(["A"] * (GROUPS_MAX + 1)), "A" * (PATTERN_MAX + 1)])
async def test_a_question_has_bounds(victor: Program, group: str) -> None:
    assert (await victor.ask("GET", f"{PARAM}?action=list&group={group}")).status == 400
