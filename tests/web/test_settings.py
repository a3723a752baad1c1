"""Settings by section: read with their limits, changed by merge patch, refused at the field."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO
from time import thread_time
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.multicast.settings import PageSource
from sipstrobe.web.sections import DOORS, LISTS, SECTIONS, refuse_system
from sipstrobe.web.server import WebServer
from tests.support.visitor import Visitor
from tests.support.waiting import turns
from tests.support.web import PASSWORDS, USERS, Device

AUDIO = "/api/v1/settings/audio"
DTMF = "/api/v1/settings/dtmf"
MULTICAST = "/api/v1/settings/multicast"


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    async with ClientSession(url) as session:
        yield session


async def ask(
    session: ClientSession,
    method: str,
    path: str,
    body: object = None,
    *,
    user: str = "olga",
    revision: object = None,
) -> tuple[int, Any]:
    headers = {} if revision is None else {"If-Match": f'"{revision}"'}
    digest = DigestAuthMiddleware(user, PASSWORDS[user])
    async with session.request(
        method, path, json=body, headers=headers, middlewares=(digest,)
    ) as response:
        return response.status, await response.json()


async def test_a_section_tells_its_values_and_their_limits(
    session: ClientSession, device: Device
) -> None:
    status, told = await ask(session, "GET", AUDIO, user="victor")

    assert status == 200
    assert told["revision"] == device.store.revision
    assert told["settings"]["volumes"] == {"call": 0.0, "page": 0.0, "siren": 0.0, "clip": 0.0}
    volume = told["schema"]["$defs"]["AudioSettings"]["properties"]["volume_db"]
    assert (volume["title"], volume["minimum"], volume["maximum"]) == ("Volume", -60, 0)


@pytest.mark.parametrize("section", SECTIONS)
async def test_every_section_tells_the_limits_of_all_it_has(
    session: ClientSession, section: str
) -> None:
    status, told = await ask(session, "GET", f"/api/v1/settings/{section}")

    assert status == 200
    if section in LISTS:
        assert told["schema"]["type"] == "array"
        assert isinstance(told["settings"], list)
        return
    root = told["schema"]["$ref"].rpartition("/")[2]
    assert set(told["settings"]) == set(told["schema"]["$defs"][root]["properties"])


async def test_a_list_is_replaced_whole(session: ClientSession, device: Device) -> None:
    """RFC 7396: what is no object takes the place of what was there."""
    path = "/api/v1/settings/schedules"
    bell = {"name": "Bell", "text": "DTSTART:20300101T080000"}

    assert (await ask(session, "PATCH", path, [bell]))[0] == 200
    assert [schedule.name for schedule in device.store.current.schedules] == ["Bell"]

    status, problem = await ask(session, "PATCH", path, [bell | {"text": "at eight"}])
    assert status == 422
    assert problem["problems"][0]["path"] == "/schedules/0/text"
    assert (await ask(session, "PATCH", path, {"0": bell}))[0] == 400


async def test_a_change_is_merged_and_stored_when_it_is_answered(
    session: ClientSession, device: Device
) -> None:
    """RFC 7396: what the patch does not name stays."""
    status, told = await ask(session, "PATCH", AUDIO, {"volumes": {"siren": -6}})

    assert status == 200
    assert told["revision"] == device.store.revision
    volumes = device.store.current.audio.volumes
    assert (volumes.siren, volumes.call) == (-6.0, 0.0)


async def test_a_change_tells_what_is_wrong_with_rules_by_it(session: ClientSession) -> None:
    """Rules that are given are all looked at; of other sections only what they have spoilt."""
    light = {"pattern": "Steady"}
    profiles = [{"name": "Red", "light": light | {"duration": {"value": 5}}}]
    await ask(session, "PATCH", "/api/v1/settings/profiles", profiles)
    when = {"event": "input/manual_trigger", "match": {"trigger": "1", "active": "true"}}
    start = {"name": "R", "when": when, "action": {"do": "start_profile", "profile": "Red"}}
    dead: dict[str, object] = {**start, "name": "D", "when": {"event": "mqtt/message"}}
    path = "/api/v1/settings/rules"

    _, given = await ask(session, "PATCH", path, [start, dead])
    _, spoilt = await ask(
        session, "PATCH", "/api/v1/settings/profiles", [profiles[0] | {"light": light}]
    )
    _, unmoved = await ask(session, "PATCH", AUDIO, {"volume_db": -3})

    assert [(w["path"], w["code"]) for w in given["warnings"]] == [("/rules/1/when", "never")]
    assert {(w["path"], w["code"]) for w in spoilt["warnings"]} == {
        ("/rules/0/action", "no_stop"),
        ("/rules/1/action", "no_stop"),
    }
    assert unmoved["warnings"] == []


async def test_every_field_at_fault_is_named_and_nothing_is_changed(
    session: ClientSession, device: Device
) -> None:
    before = device.store.revision
    patch = {"volume_db": 3, "volumes": {"page": "loud"}, "emergency": {"priority": 11}}

    status, problem = await ask(session, "PATCH", AUDIO, patch)

    assert status == 422
    assert {p["path"] for p in problem["problems"]} == {
        "/audio/volume_db",
        "/audio/volumes/page",
        "/audio/emergency/priority",
    }
    assert device.store.revision == before


async def test_who_has_looked_at_an_older_revision_changes_nothing(
    session: ClientSession, device: Device
) -> None:
    """RFC 9110 §13.1.1: If-Match."""
    old = device.store.revision
    assert (await ask(session, "PATCH", AUDIO, {"muted": True}, revision=old))[0] == 200

    status, problem = await ask(session, "PATCH", AUDIO, {"volume_db": -3}, revision=old)

    assert (status, problem["code"]) == (412, "stale")
    assert device.store.current.audio.volume_db == 0
    new = device.store.revision
    assert (await ask(session, "PATCH", AUDIO, {"volume_db": -3}, revision=new))[0] == 200
    assert (await ask(session, "PATCH", AUDIO, {}, revision="seven"))[0] == 412


@pytest.mark.parametrize(
    "patch",
    [
        {"output": "wav:/tmp/x"},
        {"microphone": {"input": "auto"}},
        {"microphone": None},
        {"microphone": 7},
        {"greeting": None},
    ],
)
async def test_sound_cards_files_and_disk_are_for_administrators(
    session: ClientSession, device: Device, patch: object
) -> None:
    """ACC-04: an operator may do everything but what belongs to the system."""
    before = device.store.revision

    status, problem = await ask(session, "PATCH", AUDIO, patch)

    assert status == 403
    assert problem["field"] in ("/audio/output", "/audio/microphone/input", "/audio/greeting")
    assert device.store.revision == before
    wanted = {"output": "null", "microphone": {"input": "wav:/x.wav", "gain_db": 3}}
    assert (await ask(session, "PATCH", AUDIO, wanted, user="ada"))[0] == 200
    assert device.store.current.audio.microphone.input == "wav:/x.wav"
    assert (await ask(session, "PATCH", AUDIO, {"microphone": {"muted": True}}))[0] == 200


@pytest.mark.parametrize(
    ("section", "patch"),
    [
        ("mqtt", {"host": "192.0.2.66"}),  # whom the password is told to
        ("mqtt", {"tls": {"validate": False}}),
        ("home", {"commands": True}),
        ("device", {"name": "x"}),
    ],
)
async def test_what_is_below_something_of_the_system_belongs_to_it(
    session: ClientSession, device: Device, section: str, patch: object
) -> None:
    where = f"/api/v1/settings/{section}"

    assert (await ask(session, "PATCH", where, patch))[0] == 403
    assert (await ask(session, "PATCH", where, patch, user="ada"))[0] == 200


@pytest.mark.parametrize("patch", [{}, {"tls": {}}, {"accounts": []}, {"prot": 1}])
def test_what_touches_nothing_of_the_system_is_for_operators(patch: object) -> None:
    refuse_system({"sip": patch})


async def test_no_secret_of_an_administrator_is_lent_to_operators(
    session: ClientSession, device: Device
) -> None:
    """What stands for it may be seen; in an account of SIP it would answer whatever server an
    operator names."""
    broker = {"host": "192.0.2.66", "user": "u", "password": "the broker's own"}
    assert (await ask(session, "PATCH", "/api/v1/settings/mqtt", broker, user="ada"))[0] == 200
    seen = (await ask(session, "GET", "/api/v1/settings/mqtt"))[1]["settings"]["password"]
    sip = (await ask(session, "GET", "/api/v1/settings/sip"))[1]["settings"]
    sip["accounts"][0]["password"] = seen
    patch = {"accounts": sip["accounts"]}

    status, problem = await ask(session, "PATCH", "/api/v1/settings/sip", patch)

    assert (status, problem["field"]) == (403, "/mqtt")
    assert not device.store.current.sip.accounts[0].password
    patch["accounts"][0]["password"] = "its own"
    assert (await ask(session, "PATCH", "/api/v1/settings/sip", patch))[0] == 200
    sip = (await ask(session, "GET", "/api/v1/settings/sip"))[1]["settings"]
    assert (await ask(session, "PATCH", "/api/v1/settings/sip", {"accounts": sip["accounts"]}))[
        0
    ] == 200, "what operators may set may be sent back"


async def test_where_the_light_is_shown_is_for_administrators_and_said_with_its_limits(
    session: ClientSession, device: Device
) -> None:
    lights = "/api/v1/settings/lights"
    wanted = {"outputs": ["virtual", {"kind": "e131", "universe": 7, "gamma": 1.8}]}

    assert (await ask(session, "PATCH", lights, wanted))[0] == 403
    assert (await ask(session, "PATCH", lights, wanted, user="ada"))[0] == 200
    status, told = await ask(session, "GET", lights)

    assert (status, told["settings"]["outputs"][1]["gamma"]) == (200, 1.8)
    gamma = told["schema"]["$defs"]["E131"]["properties"]["gamma"]
    assert (gamma["minimum"], gamma["maximum"]) == (1.0, 3.0)
    wanted["outputs"][1] = {"kind": "e131", "universe": 70_000}
    status, problem = await ask(session, "PATCH", lights, wanted, user="ada")
    assert status == 422
    assert [p["path"] for p in problem["problems"]] == ["/lights/outputs/1/universe"]


async def test_viewers_look_and_change_nothing(session: ClientSession, device: Device) -> None:
    """GAP-15."""
    assert (await ask(session, "PATCH", AUDIO, {"muted": True}, user="victor"))[0] == 401
    assert (await ask(session, "GET", "/api/v1/settings/nowhere"))[0] == 404
    assert (await ask(session, "PATCH", AUDIO, [1]))[0] == 400
    assert not device.store.current.audio.muted


async def test_a_stranger_is_refused_before_a_long_body_is_read(url: str) -> None:
    """A megabyte is for whom we know."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    head = f"PATCH {DTMF} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    writer.write(head.encode() + b"{")

    async with asyncio.timeout(30):
        said = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert said == b"HTTP/1.1 401 Unauthorized\r\n"


async def test_a_patch_may_be_as_long_as_all_sequences_and_no_longer(
    session: ClientSession,
) -> None:
    accounts = [f"Account {n:050}" for n in range(300)]
    wanted = [{"sequence": f"{n:02}", "name": "Gate", "accounts": accounts} for n in range(40)]
    status, problem = await ask(session, "PATCH", DTMF, {"sequences": wanted})
    assert status == 422
    assert problem["problems"][0]["path"].startswith("/dtmf/sequences"), "it was read"

    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    too_long = BytesIO(b" " * 1024 * 1024 + b"{}")
    async with session.patch(DTMF, data=too_long, middlewares=(digest,)) as response:
        assert response.status == 413


# --- as long as it may be ----------------------------------------------------------------------


def crowd(name: str) -> dict[str, Any]:
    """Accounts whose callers have passwords: what takes longest of as many bytes."""
    callers = [{"user": f"caller {n}", "password": f"password {n}"} for n in range(32)]
    numbers = range(500)
    accounts = [
        {"name": name, "user_id": f"{n}", "default": n == 0, "callers": callers} for n in numbers
    ]
    return {"accounts": accounts}


@pytest.fixture
async def ada(server: WebServer) -> Visitor:
    ada = Visitor(server)
    assert await ada.log_in("ada") == 200
    return ada


async def test_others_have_their_turns_while_long_patches_are_worked_out(
    ada: Visitor, device: Device
) -> None:
    """Light, siren and calls would stand still for a sixth of a second, for each that comes."""
    dtmf = {"sequences": [{"sequence": f"{n:064}", "name": "x" * 64} for n in range(200)]}
    patches = (("sip", crowd("Gate")), ("dtmf", dtmf), ("sip", crowd("Door")))
    asked = asyncio.gather(*(ada.ask("PATCH", f"/settings/{n}", patch) for n, patch in patches))
    longest = 0.0
    while not asked.done():
        begun = thread_time()
        await asyncio.sleep(0)
        longest = max(longest, thread_time() - begun)

    assert [status for status, _ in await asked] == [200, 200, 200]
    now = device.store.current
    assert (now.sip.accounts[499].name, len(now.dtmf.sequences)) == ("Door", 200)
    begun = thread_time()
    device.store.plan({"sip": crowd("Gate")})()
    assert longest < (thread_time() - begun) / 2, "nothing of it is done on the loop"


async def test_who_loses_the_right_while_his_patch_is_worked_out_changes_nothing(
    ada: Visitor, server: WebServer, device: Device
) -> None:
    bea = Visitor(server)
    new = {"name": "bea", "password": "three blind mice", "role": "administrator"}
    assert (await ada.ask("POST", "/users", new))[0] == 201
    assert await bea.log_in("bea", new["password"]) == 200
    asked = asyncio.ensure_future(bea.ask("PATCH", "/settings/sip", crowd("Gate")))
    await turns(2)

    device.store.change_now({"web": {"users": USERS}})

    assert (await asked)[0] == 401
    assert len(device.store.upcoming.sip.accounts) == 1


async def test_a_long_patch_is_refused_like_a_short_one(
    ada: Visitor, server: WebServer, device: Device
) -> None:
    wrong = crowd("Gate")
    wrong["accounts"][7]["transport"] = "pigeon"
    status, problem = await ada.ask("PATCH", "/settings/sip", wrong)
    assert (status, [p["path"] for p in problem["problems"]]) == (
        422,
        ["/sip/accounts/7/transport"],
    )

    request = ada.request("PATCH", "/api/v1/settings/sip", crowd("Gate"))
    stale = replace(request, headers={**request.headers, "if-match": '"77"'})
    assert (await server.respond(stale)).status == 412
    assert len(device.store.upcoming.sip.accounts) == 1


async def test_a_patch_is_refused_however_deep_it_is(session: ClientSession) -> None:
    digest = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    for depth in range(850, 1000, 2):  # where the limit of recursion is met, by somebody
        deep = '{"microphone":' * depth + "1" + "}" * depth
        async with session.patch(AUDIO, data=deep, middlewares=(digest,)) as response:
            assert response.status in (400, 422)


async def test_sequences_of_digits_are_replaced_as_a_whole(
    session: ClientSession, device: Device
) -> None:
    """DTM-01."""
    wanted = [{"sequence": "12#", "name": "Gate"}, {"sequence": "12#", "name": "Door"}]

    status, problem = await ask(session, "PATCH", DTMF, {"sequences": wanted})
    assert status == 422
    assert problem["problems"][0]["path"] == "/dtmf/sequences/1/sequence"

    assert (await ask(session, "PATCH", DTMF, {"sequences": wanted[:1]}))[0] == 200
    assert device.store.current.dtmf.sequences[0].name == "Gate"


async def test_what_was_measured_is_told_in_seconds(session: ClientSession, device: Device) -> None:
    device.context.measures.histogram("x_seconds", "from x to y").record(0.02)

    _, told = await ask(session, "GET", "/api/v1/measures", user="victor")

    assert told["x_seconds"]["words"] == "from x to y"
    assert told["x_seconds"]["count"] == 1
    assert told["x_seconds"]["p50"] == told["x_seconds"]["largest"] == 0.02


async def test_a_key_of_pages_goes_in_and_never_comes_out(
    session: ClientSession, device: Device
) -> None:
    """MCC-06: what stands for it may be sent back, and the key stays."""
    key = "0123456789abcdef" * 3 + "0123456789ab"
    page = {"kind": "multicast", "label": "Fire", "address": "239.1.1.1", "port": 5004}
    status, _ = await ask(session, "PATCH", MULTICAST, {"sources": [page | {"srtp_key": key}]})
    assert status == 200

    _, told = await ask(session, "GET", MULTICAST, user="victor")
    assert key not in str(told)
    source = told["settings"]["sources"][0]
    await ask(session, "PATCH", MULTICAST, {"sources": [source | {"label": "Flood"}]})

    kept = device.store.current.multicast.sources[0]
    assert isinstance(kept, PageSource)
    assert (kept.label, kept.srtp_key.reveal()) == ("Flood", key)


async def test_what_is_wrong_with_a_source_of_pages_is_said_at_its_field(
    session: ClientSession,
) -> None:
    page = {"kind": "multicast", "label": "Fire", "address": "192.0.2.1", "port": 5004}

    status, told = await ask(session, "PATCH", MULTICAST, {"sources": [page]})

    assert status == 422
    assert [p["path"] for p in told["problems"]] == ["/multicast/sources/0/address"]


async def test_who_has_an_account_is_not_told_with_the_settings(
    session: ClientSession, device: Device
) -> None:
    """ACC-04: that has a door of its own, and so have clips and certificates."""
    _, web = await ask(session, "GET", "/api/v1/settings/web", user="ada")
    _, told = await ask(session, "GET", "/api/v1/settings", user="ada")
    hidden = [reference["secret"] for reference in _references(device.store.tree["web"])]

    assert hidden
    assert "port" in web["settings"]
    assert "users" not in web["schema"]["$defs"]["WebSettings"]["properties"]
    for secret in ("ada", *hidden):
        assert f'"{secret}"' not in json.dumps([web, told])


@pytest.mark.parametrize(
    ("section", "patch", "at_fault"),
    [
        ("web", {"users": []}, "/web/users"),
        ("web", {"tokens": None}, "/web/tokens"),
        ("clips", [], "/clips"),
        ("certificates", [], "/certificates"),
    ],
)
async def test_what_has_a_door_of_its_own_is_changed_there(
    session: ClientSession, device: Device, section: str, patch: object, at_fault: str
) -> None:
    before = device.store.revision

    one = await ask(session, "PATCH", f"/api/v1/settings/{section}", patch, user="ada")
    all_ = await ask(session, "PATCH", "/api/v1/settings", {section: patch}, user="ada")

    for status, problem in (one, all_):
        assert (status, problem["code"], problem["field"]) == (409, "elsewhere", at_fault)
        assert DOORS[at_fault] in problem["detail"]
    assert (await ask(session, "PATCH", "/api/v1/settings", {"web": None}, user="ada"))[0] == 409
    assert device.store.revision == before


async def test_operators_set_accounts_and_who_may_call_but_no_ports_and_keys(
    session: ClientSession, device: Device
) -> None:
    """ACC-04: SIP is no part of the System settings; what opens ports, and the keys of TLS, are."""
    sip = "/api/v1/settings/sip"
    _, told = await ask(session, "GET", sip)
    for patch in ({"port": 5070}, {"tls": {"private_key": "x"}}, {"nat": {"stun": True}}):
        status, problem = await ask(session, "PATCH", sip, patch)
        assert status == 403
        assert problem["field"] in told["system"]
    accounts = [told["settings"]["accounts"][0] | {"name": "Reception"}]
    wanted = {"ringing_timeout": 30, "access": {"enabled": True}, "accounts": accounts}
    assert (await ask(session, "PATCH", sip, wanted))[0] == 200
    assert device.store.current.sip.accounts[0].name == "Reception"
    assert (await ask(session, "PATCH", sip, {"port": 5070}, user="ada"))[0] == 200


async def test_all_settings_are_read_and_changed_at_once_or_not_at_all(
    session: ClientSession, device: Device
) -> None:
    everything = "/api/v1/settings"
    status, told = await ask(session, "GET", everything, user="victor")
    assert (status, set(told["settings"])) == (200, set(SECTIONS))
    revision = told["revision"]

    both = {"audio": {"muted": True}, "dtmf": {"sequences": [{"sequence": "!", "name": "x"}]}}
    status, problem = await ask(session, "PATCH", everything, both, user="ada")
    assert status == 422
    assert all(p["path"].startswith("/dtmf/") for p in problem["problems"])
    assert not device.store.current.audio.muted, "one of them is wrong, so that neither is changed"

    both["dtmf"] = {"sequences": [{"sequence": "12", "name": "Gate"}]}
    assert (await ask(session, "PATCH", everything, both))[0] == 401, "for administrators"
    status, changed = await ask(session, "PATCH", everything, both, user="ada", revision=revision)
    assert (status, changed["revision"]) == (200, revision + 1)
    assert device.store.current.audio.muted
    assert device.store.current.dtmf.sequences[0].name == "Gate"
    status, problem = await ask(session, "PATCH", everything, both, user="ada", revision=revision)
    assert (status, problem["code"]) == (412, "stale")


async def test_what_all_settings_may_be_is_told_as_one_schema(session: ClientSession) -> None:
    status, schema = await ask(session, "GET", "/api/v1/settings/schema", user="victor")

    assert status == 200
    assert set(schema["$defs"]["Settings"]["properties"]) == set(SECTIONS)
    assert "HTTP" in json.dumps(schema["$defs"]["WebSettings"])


def _references(tree: Any) -> list[dict[str, str]]:
    """Everything that stands for a secret."""
    match tree:
        case {"secret": str()}:
            return [tree]
        case dict():
            return [found for value in tree.values() for found in _references(value)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case list():
            return [found for value in tree for found in _references(value)]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        case _:
            return []


async def test_a_port_of_other_services_is_taken_with_a_warning(session: ClientSession) -> None:
    """HTT-02, HTT-03."""
    web = "/api/v1/settings/web"
    for ports, warned in (
        ({"port": 80, "https_port": 443}, []),
        ({"port": 443, "https_port": 80}, ["/web/port", "/web/https_port"]),
        ({"port": 8080, "https_port": 8443}, []),
    ):
        status, told = await ask(session, "PATCH", web, ports, user="ada")
        assert status == 200
        assert [w["path"] for w in told["warnings"]] == warned
    assert (await ask(session, "PATCH", web, {"port": 80}))[0] == 403
