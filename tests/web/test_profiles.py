"""Profiles as resources: made, renamed, deleted, checked, and carried to another device."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, CookieJar, DigestAuthMiddleware

from sipstrobe.clock import LoopClock
from sipstrobe.context import Context
from sipstrobe.events import Function
from tests.support.waiting import until
from tests.support.web import PASSWORDS, Device

PROFILES = "/api/v1/profiles"
ALARM: dict[str, Any] = {
    "light": {"pattern": "Blink", "colors": ["white"], "speed": 4, "intensity": 5},
    "siren": {"pattern": "Alarm: Horror", "intensity": 3},
}
RULE = {
    "name": "Fire",
    "when": {"event": "input/manual_trigger", "match": {"trigger": "1"}},
    "action": {"do": "start_profile", "profile": "Evacuate"},
}


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    user = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(url, middlewares=(user,)) as session:
        yield session


async def ask(
    session: ClientSession,
    method: str,
    path: str,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    async with session.request(method, PROFILES + path, json=body, headers=headers) as response:
        data = await response.read()
        return response.status, json.loads(data) if data else None


def names(device: Device) -> list[str]:
    return [profile.name for profile in device.store.current.profiles]


async def test_a_profile_is_made_changed_copied_and_deleted(
    session: ClientSession, device: Device
) -> None:
    """PRF-03…06, PRF-09."""
    assert (await ask(session, "PUT", "/Lift%2F2", ALARM))[0] == 201
    status, told = await ask(session, "PUT", "/Lift%2F2", ALARM | {"description": "stuck"})
    assert (status, told["profile"]["description"]) == (200, "stuck")
    _, lift = await ask(session, "GET", "/Lift%2F2")
    assert (lift["name"], lift["light"]["pattern"], lift["used_by"]) == ("Lift/2", "Blink", [])

    copy = {"name": "Lift 3", "light": lift["light"], "siren": lift["siren"]}
    assert (await ask(session, "POST", "", copy))[0] == 201
    status, problem = await ask(session, "POST", "", copy)
    assert (status, problem["code"], problem["field"]) == (409, "name_taken", "/name")

    assert (await ask(session, "DELETE", "/Lift%2F2"))[0] == 204
    assert names(device) == ["Evacuate", "Door", "Lift 3"]
    assert (await ask(session, "DELETE", "/Lift%2F2"))[1]["code"] == "unknown_profile"


async def test_every_profile_says_how_its_light_flashes(session: ClientSession) -> None:
    """SAF-01: 2.5 Hz over all sides is warned of where it is listed, checked and stored."""
    _, checked = await ask(session, "POST", "/check", {"name": "Alarm", **ALARM})
    _, stored = await ask(session, "PUT", "/Alarm", ALARM)
    _, listed = await ask(session, "GET", "")
    async with session.get("/api/v1/status") as response:
        status = (await response.json())["profiles"]

    assert checked["problems"] == []
    for told in (checked["safety"], stored["profile"], listed["profiles"][-1], status[-1]):
        assert (told["flash_rate_hz"], told["sides_at_once"]) == (2.5, 4)
        assert [w["code"] for w in told["warnings"]] == ["flash_rate"]
    assert listed["limit"] == 30
    assert listed["profiles"][0]["saturated_red"] is True  # Evacuate


async def test_all_that_is_wrong_is_told_by_its_place(
    session: ClientSession, device: Device
) -> None:
    wrong = {
        "light": {"pattern": "Blink", "speed": 9, "colors": ["mauve"]},
        "siren": {"pattern": "X"},
    }

    status, problem = await ask(session, "PUT", "/Alarm", wrong)
    _, checked = await ask(session, "POST", "/check", {"name": ""} | ALARM)

    assert status == 422
    assert [p["path"] for p in problem["problems"]] == ["/light/speed"]  # its form comes first
    assert [p["path"] for p in checked["problems"]] == ["/name"]
    assert checked["safety"]["flash_rate_hz"] == 2.5  # is known all the same
    assert names(device) == ["Evacuate", "Door"]


async def test_a_renamed_profile_takes_its_rules_along_and_a_needed_one_stays(
    session: ClientSession, device: Device
) -> None:
    """PRF-09: what names it is followed, or named in the refusal."""
    device.store.change_now({"rules": [RULE]})

    status, refused = await ask(session, "DELETE", "/Evacuate")
    assert (status, refused["code"], refused["used_by"]) == (409, "in_use", ["rule 'Fire'"])
    status, taken = await ask(session, "PUT", "/Evacuate", ALARM | {"name": "Door"})
    assert (status, taken["code"]) == (409, "name_taken")
    status, told = await ask(session, "PUT", "/Evacuate", ALARM | {"name": "Leave"})

    assert (status, told["followed"]) == (200, ["rule 'Fire'"])
    assert names(device) == ["Leave", "Door"]
    assert device.store.tree["rules"][0]["action"]["profile"] == "Leave"


async def test_nobody_overwrites_what_somebody_else_has_changed(
    session: ClientSession, device: Device
) -> None:
    """RFC 9110 §13.1.1."""
    before = {"If-Match": f'"{device.store.revision}"'}
    assert (await ask(session, "PUT", "/Alarm", ALARM, before))[0] == 201

    status, problem = await ask(session, "DELETE", "/Alarm", headers=before)

    assert (status, problem["code"]) == (412, "stale")
    assert "Alarm" in names(device)


async def test_profiles_move_from_one_device_to_another_by_file(
    session: ClientSession, device: Device
) -> None:
    """EXA-10: PRF-10 exports them as one file, PRF-11 takes it in."""
    async with session.get(PROFILES + "/export") as response:
        assert "profiles.json" in response.headers["Content-Disposition"]
        file = await response.read()
    async with session.get(PROFILES + "/export?name=Door") as response:
        one = await response.json()
    assert [profile["name"] for profile in one] == ["Door"]
    assert (await ask(session, "GET", "/export?name=Nobody"))[0] == 404

    other = Device.make(Context(LoopClock(asyncio.get_running_loop())))
    async with (
        other.served() as url,
        ClientSession(url, middlewares=(DigestAuthMiddleware("olga", PASSWORDS["olga"]),)) as there,
        there.post(PROFILES + "/import", data=file) as response,
    ):
        told = await response.json()
        assert (response.status, told["added"]) == (200, ["Evacuate", "Door"])
        async with there.get(PROFILES + "/export") as response:
            assert await response.read() == file


async def test_a_file_comes_whole_or_not_at_all(session: ClientSession, device: Device) -> None:
    """PRF-14; the problems have the places of the file."""
    file = [
        {"name": "New", "light": {"pattern": "Steady"}},
        {"name": "Odd", "light": {"pattern": "Disco"}, "siren": {"pattern": "clip:Gong"}},
        {"name": "Door"},
    ]

    status, problem = await ask(session, "POST", "/import", file)
    assert status == 422
    assert [p["path"] for p in problem["problems"]] == ["/1/light/pattern", "/1/siren/pattern"]
    assert "add it first" in problem["problems"][1]["message"]
    status, problem = await ask(session, "POST", "/import?mode=add", [file[0], file[2]])
    assert [p["path"] for p in problem["problems"]] == ["/1/name"]
    assert names(device) == ["Evacuate", "Door"]

    for nothing in (b"", b"{", b"{}", b"[]", b"[1]", b"[" * 10_000):
        async with session.post(PROFILES + "/import", data=nothing) as response:
            assert response.status == 422
    assert (await ask(session, "POST", "/import?mode=merge", file))[0] == 400


async def test_another_makers_file_is_read_as_far_as_it_is_known(
    session: ClientSession, device: Device
) -> None:
    """Numbers may be texts there; what is not known is left out and told."""
    device.store.change_now({"rules": [RULE]})
    light = {"pattern": "Rotate", "intensity": "5", "colors": ["red"], "threshold": 255}
    file = [{"name": "Evacuate", "resume": False, "light": light}]

    status, told = await ask(session, "POST", "/import?mode=replace_all", file)

    assert (status, told["replaced"], told["removed"]) == (200, ["Evacuate"], ["Door"])
    assert [w["code"] for w in told["warnings"]] == ["unknown_member"] * 2 + ["saturated_red"]
    stored = device.store.current.profiles[0].light
    assert stored is not None
    assert stored.intensity == 5
    status, refused = await ask(session, "POST", "/import?mode=replace_all", [{"name": "Else"}])
    assert (status, refused["used_by"]) == (409, ["rule 'Fire'"])


# --- trying -------------------------------------------------------------------------------------


async def test_a_profile_is_tried_without_being_saved(
    session: ClientSession, device: Device
) -> None:
    """PRF-07: whole, or its light or siren alone; ends when it is told to."""
    both = [Function.SIGNALING_LED, Function.AUDIO_SPEAKER]
    status, told = await ask(session, "POST", "/preview", {"profile": ALARM})
    assert (status, told["by"], told["flash_rate_hz"]) == (200, "olga", 2.5)
    assert [(f["function"], f["shown"]) for f in told["functions"]] == [(f, True) for f in both]
    assert names(device) == ["Evacuate", "Door"]

    await ask(session, "POST", "/preview", {"profile": ALARM, "functions": ["siren"]})
    assert device.running(Function.SIGNALING_LED) == []
    assert device.running(Function.AUDIO_SPEAKER) == ["Alarm: Horror"]
    assert (await ask(session, "DELETE", "/preview"))[0] == 204
    assert (await ask(session, "GET", "/preview"))[1] == {"by": "", "functions": []}


async def test_what_is_tried_hides_no_real_alarm(session: ClientSession, device: Device) -> None:
    """MIX-02: at its own priority it would have ended it."""
    quiet = {"pattern": "Steady", "priority": 10}
    async with session.post("/api/v1/commands/start-profile", json={"profile": "Door"}) as response:
        assert response.status == 200

    _, told = await ask(session, "POST", "/preview", {"profile": {"light": quiet}})

    assert told["functions"][0]["words"] == "hidden: Door runs with priority 3"
    assert [o.shown for o in device.signals.status()] == [True, False]


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"profile": {"light": {"pattern": "Disco"}}}, 422, "/profile/light/pattern"),
        ({"profile": ALARM, "seconds": 121}, 422, "/seconds"),
        ({"profile": ALARM, "functions": ["lights"]}, 422, "/functions/0"),
        ({}, 422, "/profile"),
    ],
)
async def test_what_cannot_be_tried(
    session: ClientSession, body: object, status: int, place: str
) -> None:
    answer, problem = await ask(session, "POST", "/preview", body)

    assert (answer, problem["problems"][0]["path"]) == (status, place)


async def test_what_has_neither_light_nor_siren_cannot_be_tried(session: ClientSession) -> None:
    wanted = {"profile": {"light": ALARM["light"]}, "functions": ["siren"]}

    status, problem = await ask(session, "POST", "/preview", wanted)

    assert (status, problem["code"]) == (409, "nothing_to_preview")


async def test_a_preview_ends_when_whoever_began_it_logs_out(url: str, device: Device) -> None:
    origin = {"Origin": url}
    async with ClientSession(url, headers=origin, cookie_jar=CookieJar(unsafe=True)) as page:
        who = {"name": "olga", "password": PASSWORDS["olga"]}
        async with page.post("/api/v1/login", json=who) as response:
            assert response.status == 200
        assert (await ask(page, "POST", "/preview", {"profile": ALARM, "seconds": 120}))[0] == 200

        await page.post("/api/v1/logout")

        await until(lambda: not device.running(Function.AUDIO_SPEAKER))
        assert device.running(Function.SIGNALING_LED) == []
