"""What programs ask of a device that they have found: discovery, information, whether it works."""

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from sipstrobe import __version__
from sipstrobe.web.compat.api_discovery import APIS, PATTERN_MAX
from sipstrobe.web.compat.wildcard import matches
from sipstrobe.web.server import WebServer
from tests.interop.test_curl import CASES
from tests.support.program import Program
from tests.support.web import Device

INFO = "/axis-cgi/basicdeviceinfo.cgi"
DISCOVERY = "/axis-cgi/apidiscovery.cgi"
READY = "/axis-cgi/systemready.cgi"
JSON_APIS = {  # those that answer getSupportedVersions
    "api-discovery": DISCOVERY,
    "basic-device-info": INFO,
    "event-mqtt-bridge": "/axis-cgi/mqtt/event.cgi",
    "io-port-management": "/axis-cgi/io/portmanagement.cgi",
    "mqtt-client": "/axis-cgi/mqtt/client.cgi",
    "siren-and-light": "/axis-cgi/siren_and_light.cgi",
    "supervised-io": "/axis-cgi/supervisedio.cgi",
    "systemready": READY,
}
OTHERS = {
    "device-config": "/config/discover",
    "mediaclip": "/axis-cgi/mediaclip.cgi",
    "param-cgi": "/axis-cgi/param.cgi",
    "sip": "/vapix/call",
    "user-management": "/axis-cgi/pwdgrp.cgi",
}


async def post(who: Program, path: str, method: str, **more: object) -> Any:
    """The JSON that is answered."""
    answer = await who.ask("POST", path, {"apiVersion": "1.0", "method": method, **more})
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


@pytest.fixture
async def nobody(server: WebServer) -> Program:
    return Program(server)


# --- what is here --------------------------------------------------------------------------------


async def test_what_is_announced_is_there_in_that_version(server: WebServer) -> None:
    """vapix-system §2: programs choose their way by this list, so that it must be true."""
    ada = Program(server, "ada")
    served = {route.path for route in server.routes}

    listed = (await post(ada, DISCOVERY, "getApiList"))["data"]["apiList"]

    assert {api["id"] for api in listed} == JSON_APIS.keys() | OTHERS.keys()
    assert set(OTHERS.values()) <= served
    for api in listed:
        if path := JSON_APIS.get(api["id"]):
            told = await post(ada, path, "getSupportedVersions")
            assert told["data"]["apiVersions"][-1] == api["version"], path


async def test_every_url_of_others_is_in_the_table_of_the_docs_and_asked_by_curl(
    server: WebServer,
) -> None:
    paths = {r.path for r in server.routes if r.path.startswith(("/axis-cgi/", "/vapix/"))}
    table = (Path(__file__).parents[2] / "docs/vendor-api.md").read_text("utf-8")

    assert [path for path in sorted(paths) if path.rpartition("/")[2] not in table] == []
    assert sorted(paths - {case.path.partition("?")[0] for case in CASES}) == []


async def test_what_is_announced_can_be_searched(nobody: Program) -> None:
    async def found(**params: str) -> list[str]:
        told = await post(nobody, DISCOVERY, "getApiList", params=params)
        return [api["id"] for api in told["data"]["apiList"]]

    assert await found(id="siren-and-light") == ["siren-and-light"]
    assert await found(id="*-io*") == ["supervised-io"]
    assert await found(id="mqtt*", version="1.?") == ["mqtt-client"]
    assert await found(version="2.*") == [api for api, version, _ in APIS if version[0] == "2"]
    assert await found(id="[s]iren-and-light") == [], "a bracket is a bracket"
    long = await post(nobody, DISCOVERY, "getApiList", params={"id": "*" * (PATTERN_MAX + 1)})
    assert long["error"]["code"] == 1000


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("**", "abc", True),
        ("a*c", "abcbc", True),
        ("a*c", "abcb", False),
        ("?b", "ab", True),
        ("?b", "b", False),
        ("", "", True),
        ("", "a", False),
        ("*a*b", "xaybzb", True),
        ("*a" * 30 + "b", "a" * 5000, False),  # in bounded time, too
    ],
)
def test_a_pattern_fits_or_not(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@pytest.mark.parametrize("path", [DISCOVERY, INFO])
async def test_these_two_have_numbers_of_their_own(nobody: Program, path: str) -> None:
    """vapix-system §1, §2: 2002 POST only, 2003 version, 2004 method, 4000 JSON, 4002 missing."""

    async def code(body: bytes | dict[str, str]) -> int:
        return json.loads((await nobody.ask("POST", path, body)).body)["error"]["code"]

    for by_get in (path, READY):
        got = await nobody.ask("GET", by_get)
        assert (got.status, json.loads(got.body)["error"]["code"]) == (200, 2002)
    assert await code({"apiVersion": "2.0", "method": "getApiList"}) == 2003
    assert await code({"apiVersion": "1.0", "method": "dance"}) == 2004
    assert await code(b"{") == 4000
    assert await code({"apiVersion": "1.0"}) == 4002


# --- the device ----------------------------------------------------------------------------------


async def test_operators_see_all_of_the_device_and_others_what_names_it(
    server: WebServer, nobody: Program, device: Device
) -> None:
    """vapix-system §1: keys that programs read without asking whether they are there."""
    olga = Program(server, "olga")

    everything = await post(olga, INFO, "getAllProperties", context="c1")
    open_to_all = await post(nobody, INFO, "getAllUnrestrictedProperties")

    assert everything.keys() == {"apiVersion", "context", "data"}, "the method is not named"
    properties = everything["data"]["propertyList"]
    assert properties["SerialNumber"] == device.store.current.device.serial
    assert properties["Version"] == __version__
    assert properties["Brand"] == "sipstrobe"
    assert properties["Architecture"] == os.uname().machine
    assert all(isinstance(value, str) for value in properties.values())
    restricted = {"Architecture", "Soc", "SocSerialNumber"}
    assert open_to_all["data"]["propertyList"].keys() == properties.keys() - restricted
    some = await post(olga, INFO, "getProperties", params={"propertyList": ["Brand", "Soc"]})
    assert some["data"]["propertyList"].keys() == {"Brand", "Soc"}
    versions = await post(nobody, INFO, "getSupportedVersions")
    assert versions["method"] == "getSupportedVersions", "which programs look for"
    wrong = await post(olga, INFO, "getProperties", params={"propertyList": ["Weight"]})
    assert wrong["error"]["code"] == 1000


@pytest.mark.parametrize("name", ["", "victor"])
async def test_who_may_not_see_it_all_is_asked_for_another_account(
    server: WebServer, name: str
) -> None:
    """vapix §2.3: 401 again, also for an account that is not entitled."""
    answer = await Program(server, name).ask(
        "POST", INFO, {"apiVersion": "1.0", "method": "getAllProperties"}
    )

    assert answer.status == 401
    offered = [value.split()[0] for name, value in answer.headers if name == "WWW-Authenticate"]
    assert offered == ["Digest", "Digest", "Basic"]


async def test_a_program_that_begins_with_nothing_is_asked_who_it_is(
    server: WebServer, nobody: Program
) -> None:
    """RFC 7616 §3.4: so that its question comes with its password the next time."""
    assert (await nobody.ask("POST", INFO)).status == 401
    answer = await Program(server, "olga").ask("POST", INFO)
    assert json.loads(answer.body)["error"]["code"] == 4000


# --- whether it works ----------------------------------------------------------------------------


async def test_a_device_that_works_says_so_to_everybody(nobody: Program) -> None:
    """vapix-system §5: all values are strings; a bare major version is taken."""
    asked = {"apiVersion": "1", "method": "systemready", "params": {"timeout": 20}}

    told = json.loads((await nobody.ask("POST", READY, asked)).body)
    again = await post(nobody, READY, "systemready")

    assert (told["apiVersion"], told["method"]) == ("1.5", "systemready")
    data = told["data"]
    assert (data["systemready"], data["needsetup"], data["passphrasepolicy"]) == (
        *("yes", "no"),
        "none",
    )
    assert int(data["uptime"]) >= 0
    assert UUID(data["bootid"]).version == 4
    assert again["data"]["bootid"] == data["bootid"]
    wrong = await post(nobody, READY, "systemready", params={"timeout": "soon"})
    assert wrong["error"]["code"] == 1000


async def test_a_new_device_says_that_it_needs_an_account(nobody: Program, device: Device) -> None:
    """GEN-03."""
    device.store.change_now({"web": {"users": ()}})

    told = await post(nobody, READY, "systemready")

    assert told["data"]["needsetup"] == "yes"
