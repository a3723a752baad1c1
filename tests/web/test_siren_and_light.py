"""The siren and light API over real HTTP, with Digest as others speak it."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware, FormData
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sipstrobe.context import Context
from sipstrobe.events import Function, HealthCheckDone
from sipstrobe.lightsiren.catalogue import PATTERNS
from sipstrobe.lightsiren.settings import LightPart, MaintenanceSettings, Profile
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.web.compat.siren_and_light import PATH, SirenAndLight
from sipstrobe.web.exchange import Request, Response
from tests.support.clock import FakeClock
from tests.support.web import PASSWORDS, Device

LIGHT, SIREN = Function.SIGNALING_LED, Function.AUDIO_SPEAKER


class Client:
    """A control program that logs in by Digest, as an operator unless told otherwise."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url + PATH

    async def post(self, body: object) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self._session.post(self._url, data=data) as response:
            assert response.status == 200
            assert response.content_type == "application/json"
            return await response.json()

    async def call(self, method: str, **params: Any) -> Any:
        """The data of the reply, or the number of its error."""
        reply = await self.post({"apiVersion": "1.0", "method": method, "params": params})
        assert reply["method"] == method
        assert reply["apiVersion"] == "1.0"
        assert ("data" in reply) != ("error" in reply)
        return reply["error"]["code"] if "error" in reply else reply["data"]

    async def upload(self, mode: str, profiles: object) -> Any:
        envelope = {"apiVersion": "1.0", "method": "uploadProfiles", "params": {"uploadMode": mode}}
        form = FormData()
        form.add_field("request", json.dumps(envelope))
        content = profiles if isinstance(profiles, bytes) else json.dumps(profiles).encode()
        form.add_field("file", content, filename="profiles.json")
        async with self._session.post(self._url, data=form) as response:
            assert response.status == 200
            reply = await response.json()
        return reply["error"]["code"] if "error" in reply else reply["data"]


@pytest.fixture
async def client(url: str) -> AsyncIterator[Client]:
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(middlewares=(digest,)) as session:
        yield Client(session, url)


# --- the envelope ------------------------------------------------------------------------------


async def test_the_context_comes_back_only_if_it_was_sent(client: Client) -> None:
    """One client library always sends one, and fails when it does not come back."""
    envelope = {"apiVersion": "1.0", "method": "start", "params": {"profile": "Evacuate"}}

    with_context = await client.post(envelope | {"context": "door7"})
    without = await client.post(envelope)

    assert with_context == {
        "apiVersion": "1.0",
        "context": "door7",
        "method": "start",
        "data": {"sirenId": 1, "lightId": 1},
    }
    assert "context" not in without


async def test_a_known_major_version_is_accepted_and_others_are_not(client: Client) -> None:
    async def ask(**envelope: Any) -> Any:
        reply = await client.post({"method": "getStatus"} | envelope)
        return reply["error"]["code"] if "error" in reply else reply["apiVersion"]

    assert await ask(apiVersion="1.0") == "1.0"
    assert await ask(apiVersion="1") == "1.0"
    assert await ask(apiVersion="1.1") == 2100
    assert await ask(apiVersion="2.0") == 2100
    assert await ask(apiVersion="newest") == 2100
    assert await ask() == 2103
    assert await ask(apiVersion=1.0) == 2104


async def test_versions_are_told_without_a_version(client: Client) -> None:
    reply = await client.post({"method": "getSupportedVersions"})

    assert reply["data"] == {"apiVersions": ["1.0"]}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 2101),
        (b"{", 2101),
        (b"[]", 2101),
        (b'"start"', 2101),
        (b"[" * 30_000, 2101),
        (b'{"apiVersion":"1.0"}', 2103),
        (b'{"apiVersion":"1.0","method":7}', 2104),
        (b'{"apiVersion":"1.0","method":"explode"}', 2102),
        (b'{"apiVersion":"1.0","method":"start","params":[]}', 2104),
        (b'{"apiVersion":"1.0","method":"start"}', 2103),
    ],
)
async def test_a_broken_envelope_is_an_error_of_the_api(
    client: Client, body: bytes, code: int
) -> None:
    assert (await client.post(body))["error"]["code"] == code


# --- start, stop, status -----------------------------------------------------------------------


async def test_a_profile_starts_by_name_and_stops_by_name(client: Client, device: Device) -> None:
    assert await client.call("start", profile="Evacuate") == {"sirenId": 1, "lightId": 1}
    assert device.running(LIGHT) == ["Flash 3x"]
    assert device.running(SIREN) == ["Alarm: Horror"]

    assert await client.call("stop", profile="Evacuate") == {}
    assert await client.call("getStatus") == {}


async def test_the_status_lists_what_runs_with_the_highest_priority_first(client: Client) -> None:
    await client.call("start", profile="Door")
    await client.call("start", profile="Evacuate")

    status = await client.call("getStatus")

    assert status["siren"] == [
        {
            "sirenId": 1,
            "pattern": "Alarm: Horror",
            "intensity": 5,
            "priority": 9,
            "profile": "Evacuate",
        }
    ]
    first, second = status["light"]
    assert (first["pattern"], first["priority"], first["profile"]) == ("Flash 3x", 9, "Evacuate")
    assert "durationLeft" not in first
    assert second == {
        "lightId": 1,
        "pattern": "Rotate",
        "intensity": 2,
        "priority": 3,
        "durationLeft": 60,
        "profile": "Door",
        "speed": 2,
        "colors": ["white"],
    }


async def test_light_and_siren_start_without_a_profile_with_defaults(client: Client) -> None:
    started = await client.call(
        "start", light={"pattern": "Steady"}, siren={"pattern": "Alarm: Horror", "priority": "7"}
    )

    assert started == {"sirenId": 1, "lightId": 1}
    status = await client.call("getStatus")
    assert status["light"][0] | {"colors": ()} == {
        "lightId": 1,
        "pattern": "Steady",
        "intensity": 2,
        "priority": 3,
        "speed": 1,
        "colors": (),
    }
    assert status["siren"][0]["priority"] == 7


async def test_what_a_weather_alert_program_sends_works(client: Client) -> None:
    """It reads the colours of the capabilities, and sends all members of a light."""
    capabilities = (await client.call("getCapabilities"))["capabilities"]
    color = capabilities["light"]["supportedPatterns"][2]["colors"]["possible"][0]

    light = {"pattern": "Blink", "speed": 1, "colors": [color], "intensity": 3}
    duration = {"duration": {"unit": "seconds", "value": 30}}

    assert await client.call("start", light=light | duration) == {"lightId": 1}
    assert await client.call("startProfile", name="Evacuate") == 2102
    assert await client.call("stop", id=1) == 2103


async def test_everything_stops_at_once_or_by_function(client: Client, device: Device) -> None:
    await client.call("start", profile="Evacuate")

    assert await client.call("stop", all=["light"]) == {}
    assert (device.running(LIGHT), device.running(SIREN)) == ([], ["Alarm: Horror"])
    assert await client.call("stop", all=["siren", "light"]) == {}
    assert device.running(SIREN) == []
    assert await client.call("stop", all=["siren", "light"]) == {}


async def test_operations_stop_by_id(client: Client, device: Device) -> None:
    ids = await client.call("start", profile="Evacuate")

    assert await client.call("stop", lightId=ids["lightId"], sirenId=99) == 1203
    assert device.running(LIGHT) == ["Flash 3x"], "a refused stop stops nothing"
    assert await client.call("stop", **ids) == {}
    assert await client.call("getStatus") == {}


async def test_stopping_what_does_not_run_is_1203_or_1202(client: Client) -> None:
    assert await client.call("stop", lightId=1) == 1203
    assert await client.call("stop", profile="Door") == 1203
    assert await client.call("stop", profile="Nobody") == 1202


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, 2103),
        ({"all": ["light"], "profile": "Door"}, 2104),
        ({"all": "light"}, 2104),
        ({"all": []}, 2104),
        ({"all": ["horn"]}, 2210),
        ({"lightId": "one"}, 2104),
        ({"lightId": True}, 2104),
        ({"profile": 7}, 2104),
    ],
)
async def test_a_wrong_stop_is_refused(client: Client, params: Any, code: int) -> None:
    assert await client.call("stop", **params) == code


async def test_system_operations_are_shown_and_cannot_be_stopped(
    client: Client, device: Device
) -> None:
    """MIX-04: priorities above 10 are not for users."""
    await client.call("setMaintenanceMode", maintenanceMode=True)

    status = await client.call("getStatus")

    assert status["light"][0]["priority"] == 11
    assert await client.call("stop", lightId=status["light"][0]["lightId"]) == 1203
    await client.call("stop", all=["light", "siren"])
    assert device.running(LIGHT) == ["Maintenance"]


LIGHTS_REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"pattern": "Twinkle"}, 2201),
    ({"pattern": "Steady", "intensity": 6}, 2203),
    ({"pattern": "Steady", "intensity": 0}, 2203),
    ({"pattern": "Steady", "priority": 11}, 2205),
    ({"pattern": "Steady", "duration": {"unit": "hours", "value": 1}}, 2207),
    ({"pattern": "Steady", "duration": {"unit": "seconds", "value": 259_201}}, 2209),
    ({"pattern": "Steady", "duration": {"unit": "repetitions", "value": 21}}, 2209),
    ({"pattern": "Steady", "duration": {"unit": "seconds", "value": -1}}, 2209),
    ({"pattern": "Steady", "colors": ["green", "red"]}, 2211),
    ({"pattern": "Alternate", "colors": ["red"]}, 2211),
    ({"pattern": "Steady", "colors": ["mauve"]}, 2212),
    ({"pattern": "Steady", "speed": 2}, 2215),
    ({"pattern": "Steady", "speed": 0}, 2215),
    ({"pattern": "Steady", "function": "HeadLight"}, 2210),
    ({}, 2103),
    ({"pattern": "Steady", "colors": "red"}, 2104),
    ({"pattern": "Steady", "colors": [1]}, 2104),
    ({"pattern": "Steady", "intensity": 2.5}, 2104),
    ({"pattern": "Steady", "duration": 5}, 2104),
    ({"pattern": "Steady", "duration": {"unit": "seconds"}}, 2103),
    ({"pattern": 5}, 2104),
]
SIRENS_REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"pattern": "Alarm: Kazoo"}, 2200),
    ({"pattern": "Alarm: Horror", "intensity": 9}, 2202),
    ({"pattern": "Alarm: Horror", "priority": 0}, 2204),
    ({"pattern": "Alarm: Horror", "duration": {"unit": "days", "value": 1}}, 2206),
    ({"pattern": "Alarm: Horror", "duration": {"unit": "repetitions", "value": 99}}, 2208),
    ({}, 2103),
]


@pytest.mark.parametrize(("light", "code"), LIGHTS_REFUSED)
async def test_a_light_that_cannot_be_is_refused_everywhere(
    client: Client, device: Device, light: Any, code: int
) -> None:
    assert await client.call("start", light=light) == code
    assert await client.call("addProfile", name="New", light=light) == code
    assert await client.upload("add", [{"name": "New", "light": light}]) == code
    assert device.running(LIGHT) == []
    assert len(device.store.current.profiles) == 2


@pytest.mark.parametrize(("siren", "code"), SIRENS_REFUSED)
async def test_a_siren_that_cannot_be_is_refused_everywhere(
    client: Client, device: Device, siren: Any, code: int
) -> None:
    light = {"pattern": "Steady"}

    assert await client.call("start", siren=siren, light=light) == code
    assert await client.call("addProfile", name="New", siren=siren) == code
    assert await client.upload("add", [{"name": "New", "siren": siren}]) == code
    assert device.running(LIGHT) == [], "neither part starts when one of them is refused"


async def test_a_profile_and_its_parts_cannot_be_started_together(client: Client) -> None:
    assert await client.call("start", profile="Door", light={"pattern": "Steady"}) == 2104
    assert await client.call("start", profile="Nobody") == 1202
    assert await client.call("start", profile=["Door"]) == 2104


# --- profiles ----------------------------------------------------------------------------------


async def test_profiles_are_told_as_they_can_be_added_again(client: Client) -> None:
    profiles = (await client.call("getProfiles"))["profiles"]

    assert profiles[0]["name"] == "Evacuate"
    assert profiles[0]["siren"] == {"pattern": "Alarm: Horror", "intensity": 5, "priority": 9}
    assert profiles[1]["light"]["duration"] == {"unit": "seconds", "value": 60}
    assert "siren" not in profiles[1]
    assert await client.upload("erase_and_add", profiles) == {}
    assert (await client.call("getProfiles"))["profiles"] == profiles


async def test_a_profile_is_added_once_and_removed_once(client: Client) -> None:
    profile = {"name": "Bell", "siren": {"pattern": "Notification: Calling"}}

    assert await client.call("addProfile", **profile) == {}
    assert await client.call("addProfile", **profile) == 1202
    assert await client.call("start", profile="Bell") == {"sirenId": 1}
    assert await client.call("removeProfile", name="Bell") == {}
    assert await client.call("removeProfile", name="Bell") == 1202
    assert await client.call("removeProfile") == 2103


async def test_names_and_descriptions_have_their_length(client: Client) -> None:
    assert await client.call("addProfile", name="n" * 51) == 2213
    assert await client.call("addProfile", name="n", description="d" * 251) == 2214
    assert await client.call("addProfile", name="") == 2103
    assert await client.call("addProfile", description="d") == 2103
    assert await client.call("addProfile", name="n" * 50, description="d" * 250) == {}


async def test_there_are_thirty_profiles_at_most(client: Client) -> None:
    for number in range(28):
        assert await client.call("addProfile", name=f"Profile {number}") == {}

    assert await client.call("addProfile", name="One more") == 1201
    assert await client.upload("add", [{"name": "One more"}]) == 1201
    assert await client.upload("add", [{"name": str(n)} for n in range(31)]) == 1201


async def test_an_upload_adds_overwrites_or_erases(client: Client) -> None:
    """GAP-11: add fails on an existing name; overwrite replaces; erase_and_add clears first."""

    async def names() -> list[str]:
        return [p["name"] for p in (await client.call("getProfiles"))["profiles"]]

    steady = {"pattern": "Steady"}
    uploaded = [{"name": "Door", "light": steady}, {"name": "Gate", "light": steady}]

    assert await client.upload("add", uploaded) == 1202
    assert await names() == ["Evacuate", "Door"], "an upload is all or nothing"
    assert await client.upload("overwrite", uploaded) == {}
    assert await names() == ["Evacuate", "Door", "Gate"]
    assert (await client.call("getProfiles"))["profiles"][1]["light"]["pattern"] == "Steady"
    assert await client.upload("erase_and_add", uploaded[1:]) == {}
    assert await names() == ["Gate"]


@pytest.mark.parametrize(
    ("mode", "content", "code"),
    [
        ("replace", [], 2104),
        ("add", b"not JSON", 2101),
        ("add", {"name": "One"}, 2104),
        ("add", ["One"], 2104),
        ("add", [{"name": "Twice"}, {"name": "Twice"}], 1202),
    ],
)
async def test_a_wrong_upload_is_refused(
    client: Client, mode: str, content: Any, code: int
) -> None:
    assert await client.upload(mode, content) == code


async def test_an_upload_without_a_file_misses_it(client: Client) -> None:
    assert await client.call("uploadProfiles", uploadMode="add") == 2103


# --- capabilities, health check, maintenance ---------------------------------------------------


async def test_the_capabilities_name_every_pattern_with_its_choices(client: Client) -> None:
    capabilities = (await client.call("getCapabilities"))["capabilities"]

    light = {p["name"]: p for p in capabilities["light"]["supportedPatterns"]}
    siren = {p["name"]: p for p in capabilities["siren"]["supportedPatterns"]}
    assert (set(light), set(siren)) == (set(PATTERNS), set(SOUNDS))
    assert (len(light), len(siren)) == (19, 29)
    steady = light["Steady"]
    assert steady["speed"] == {"possible": [1], "default": 1}
    assert (steady["colors"]["minNbrColors"], steady["colors"]["maxNbrColors"]) == (1, 1)
    assert steady["priority"] == {"possible": list(range(1, 11)), "default": 3}
    by_class = steady["intensity"]["poeClass"]
    assert by_class["3"] == {"possible": [1, 2], "default": 2}
    assert by_class[capabilities["poeClass"]] == {"possible": [1, 2, 3, 4, 5], "default": 2}
    assert (light["Off"]["colors"]["possible"], light["Off"]["colors"]["default"]) == ([], [])
    assert capabilities["healthCheckSupport"] is True
    assert capabilities["maintenanceModeSupport"] is True


async def test_every_pattern_starts_with_what_the_capabilities_allow(client: Client) -> None:
    capabilities = (await client.call("getCapabilities"))["capabilities"]
    for pattern in capabilities["light"]["supportedPatterns"]:
        most = pattern["colors"]["maxNbrColors"]
        light = {
            "pattern": pattern["name"],
            "speed": pattern["speed"]["possible"][-1],
            "colors": pattern["colors"]["possible"][:most],
            "intensity": 5,
        }
        assert "lightId" in await client.call("start", light=light)
    for pattern in capabilities["siren"]["supportedPatterns"]:
        assert "sirenId" in await client.call("start", siren={"pattern": pattern["name"]})


async def test_the_last_health_check_has_a_time_and_errors(client: Client, device: Device) -> None:
    done = asyncio.Event()
    device.context.bus.subscribe(HealthCheckDone, lambda _: done.set())

    assert await client.call("getLastHealthCheck") == {"timestamp": "", "errors": []}
    assert await client.call("runHealthCheck") == {}
    assert (await client.call("getStatus"))["light"][0]["priority"] == 13
    async with asyncio.timeout(30):
        await done.wait()

    last = await client.call("getLastHealthCheck")
    assert datetime.fromisoformat(last["timestamp"]).tzinfo is not None
    assert all(error.keys() == {"code", "message"} for error in last["errors"])


async def test_maintenance_mode_is_set_for_a_time_or_until_it_is_switched_off(
    client: Client, device: Device
) -> None:
    def kept() -> MaintenanceSettings:
        return device.store.current.maintenance

    assert await client.call("setMaintenanceMode", maintenanceMode=True, duration=3600) == {}
    assert kept().active
    assert kept().until is not None
    assert await client.call("setMaintenanceMode", maintenanceMode=True) == {}
    assert kept() == MaintenanceSettings(active=True, until=None)
    assert await client.call("setMaintenanceMode", maintenanceMode=False, duration=10) == {}
    assert not kept().active
    assert await client.call("setMaintenanceMode") == 2103
    assert await client.call("setMaintenanceMode", maintenanceMode="yes") == 2104
    assert await client.call("setMaintenanceMode", maintenanceMode=True, duration=-1) == 2104


# --- who may -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "status"), [("ada", 200), ("olga", 200), ("victor", 401)])
async def test_operators_and_administrators_may_and_viewers_may_not(
    url: str, name: str, status: int
) -> None:
    """GAP-15."""
    digest = DigestAuthMiddleware(name, PASSWORDS[name])
    async with (
        ClientSession(middlewares=(digest,)) as session,
        session.post(url + PATH, data=b'{"method":"getSupportedVersions"}') as response,
    ):
        assert response.status == status


async def test_a_test_button_that_gets_the_bare_url_changes_nothing(url: str) -> None:
    async with ClientSession() as session, session.get(url + PATH) as response:
        assert response.status == 405
        assert response.headers["Allow"] == "POST"


# --- anything at all ---------------------------------------------------------------------------

_MEMBERS = (
    "all profile light siren pattern colors speed intensity priority duration unit value name"
    " description lightId sirenId maintenanceMode uploadMode x"
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["Steady", "Evacuate", "light", "seconds", "red", "1.0", "3"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_MEMBERS.split(" ")), inner, max_size=6)
    ),
    max_leaves=12,
)
_METHODS = (
    "getCapabilities getStatus getProfiles start stop addProfile removeProfile runHealthCheck"
    " getLastHealthCheck setMaintenanceMode uploadProfiles getSupportedVersions other"
)
_ENVELOPES = _JSON | st.fixed_dictionaries(
    {"apiVersion": st.just("1.0") | _JSON, "method": st.sampled_from(_METHODS.split(" ")) | _JSON},
    optional={"params": _JSON, "context": _JSON},
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(_ENVELOPES)
def test_any_json_gets_an_answer_in_the_envelope(body: object) -> None:
    """Whatever comes, it is HTTP 200, JSON, and not an internal error."""
    reply = _answer_of(json.dumps(body).encode())

    assert ("data" in reply) != ("error" in reply)
    if "error" in reply:
        assert 1200 <= reply["error"]["code"] <= 2215


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer_in_the_envelope(body: bytes) -> None:
    assert _answer_of(body)["error"]["code"] in (2101, 2103, 2104)


def _answer_of(body: bytes) -> Any:
    context = Context(FakeClock(), random_bytes=bytes)
    profiles = (Profile(name="Evacuate", light=LightPart(pattern="Steady")),)
    device = Device.make(context, profiles=profiles)
    cgi = SirenAndLight(
        context.dispatcher,
        context.clock,
        device.views(),
        lambda: device.store.current.profiles,
        lambda: device.store.current.clips,
    )
    (route,) = cgi.routes()
    response = route.handler(Request(method="POST", path=PATH, target=PATH, body=body))
    assert isinstance(response, Response)
    assert response.status == 200
    return json.loads(response.body)
