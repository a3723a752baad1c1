"""The description of the API: whole, true, and what the answers are held against."""

import re
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator

from sipstrobe import __version__
from sipstrobe.commands import SetManualTrigger, StartProfile
from sipstrobe.config.users import Role
from sipstrobe.orders import COMMANDS
from sipstrobe.web.exchange import About, Query, Route
from sipstrobe.web.openapi import SECURITY, openapi
from sipstrobe.web.sections import SECTIONS
from sipstrobe.web.server import WebServer
from tests.support.visitor import Visitor
from tests.support.web import Device, FakeCall, FakeRecord

OTHERS = (
    "/axis-cgi/",
    "/config/",
    "/vapix/",
    "/static/",
)  # known by other programs; files


@pytest.fixture
async def document(server: WebServer) -> Any:
    return openapi(server.routes, __version__)


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


async def test_every_route_of_our_own_says_what_it_is(server: WebServer) -> None:
    silent = [
        f"{route.method} {route.path}"
        for route in server.routes
        if route.about is None and route.path != "/" and not route.path.startswith(OTHERS)
    ]

    assert silent == []


async def test_every_order_and_every_section_has_a_path_with_its_fields(document: Any) -> None:
    paths = document["paths"]

    assert {f"/api/v1/commands/{name}" for name in COMMANDS} <= paths.keys()
    assert {f"/api/v1/settings/{name}" for name in SECTIONS} <= paths.keys()
    start = paths["/api/v1/commands/start-profile"]["post"]
    body = start["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    fields = document["components"]["schemas"][body.rpartition("/")[2]]["properties"]
    assert fields.keys() == {"profile", "priority"}
    assert "unknown_profile" in start["responses"]["409"]["description"]


async def test_names_are_unique_and_what_is_referred_to_is_there(document: Any) -> None:
    """OpenAPI 3.1.1 §4.8.10: an operationId is unique; every name of a path has a parameter."""
    names = [operation["operationId"] for _, _, operation in operations(document)]
    schemas = document["components"]["schemas"]
    text = msgspec.json.encode(document).decode()

    assert document["openapi"].startswith("3.1")
    assert len(names) == len(set(names))
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= schemas.keys()
    for _, path, operation in operations(document):
        told = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert told == set(re.findall(r"\{(\w+)\}", path))


async def test_what_makes_clients_of_it_can_read_it(document: Any) -> None:
    """Names that are those of classes, each once; no `false` for a schema, no list of nothing."""
    schemas = document["components"]["schemas"]
    titles = [schema["title"] for schema in schemas.values() if "title" in schema]
    lists = [schema for schema in _schemas(document) if schema.get("type") == "array"]

    assert [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []
    assert len(titles) == len(set(titles))
    assert {"RulesPlayClip", "CommandsPlayClip"} <= schemas.keys()
    assert len(lists) > 100
    for told in lists:
        assert told.get("items") is not False
        assert "items" in told or told["maxItems"] == len(told["prefixItems"])


def _schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Everything that is an object in it."""
    if isinstance(value, dict):
        inner = cast("dict[str, Any]", value)
        yield inner
        for entry in inner.values():
            yield from _schemas(entry)
    elif isinstance(value, list):
        for entry in cast("list[Any]", value):
            yield from _schemas(entry)


async def test_who_may_is_said_with_each_operation(server: WebServer, document: Any) -> None:
    status = document["paths"]["/api/v1/status"]["get"]
    whole = document["paths"]["/api/v1/settings"]["patch"]

    assert (status["x-role"], whole["x-role"]) == ("viewer", "administrator")
    assert [list(way) for way in status["security"]] == [[name] for name in SECURITY]
    assert {"401", "403"} <= status["responses"].keys()
    assert document["paths"]["/api/v1/login"]["post"]["security"] == []


async def test_a_merge_patch_may_have_any_of_the_members_and_null(document: Any) -> None:
    """RFC 7396: of an object some members, of a list all or nothing."""
    patch = document["paths"]["/api/v1/settings/audio"]["patch"]["requestBody"]
    schema = patch["content"]["application/merge-patch+json"]["schema"]
    validator = Draft202012Validator(schema | {"components": document["components"]})

    assert not patch["required"]
    for fine in ({}, {"volumes": {"siren": -6}}, {"volume_db": None}):
        assert validator.is_valid(fine)
    for wrong in ({"volume_db": 1}, {"volumes": {"siren": "loud"}}, {"nothing": 1}):
        assert not validator.is_valid(wrong)


def test_what_a_route_takes_says_what_it_refuses() -> None:
    limit = Query("limit", int, 5, "How many.")
    about = About(summary="A thing", query=(limit,), problems={409: ("busy",)})
    route = Route(
        method="POST", path="/api/v1/things/{id}", handler=_never, role=Role.OPERATOR, about=about
    )

    [operation] = openapi([route], "1")["paths"]["/api/v1/things/{id}"].values()

    assert operation["responses"].keys() == {"200", "400", "401", "403", "404", "409", "500"}
    assert operation["responses"]["409"]["description"].endswith("code: busy")
    assert operation["parameters"][1]["schema"]["default"] == 5


async def test_what_is_answered_is_what_was_described(
    server: WebServer, device: Device, document: Any
) -> None:
    """Each GET of our own, of a device that is at something: no member is missing, none is more."""
    device.calls.append(FakeCall())
    device.records.append(FakeRecord(id=1))
    _do(device)
    ada = Visitor(server)
    assert await ada.log_in("ada") == 200
    strict = _closed(document["components"])
    answered: set[str] = set()
    wrong: list[str] = []

    for method, path, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {})
        if method != "GET" or "application/json" not in content:
            continue
        asked = re.sub(r"\{\w+\}", _NAMES.get(path, "x"), path)
        status, told = await ada.ask("GET", asked.removeprefix("/api/v1"))
        schema = content["application/json"]["schema"] if status == 200 else _PROBLEM
        found = Draft202012Validator(schema | {"components": strict}).iter_errors(told)
        wrong += [f"{asked} {list(e.instance_path)}: {e.message[:300]}" for e in found]
        wrong += [] if str(status) in operation["responses"] else [f"{asked}: {status}"]
        answered |= {path} if status == 200 else set()

    assert not wrong, "\n".join(wrong)
    assert len(answered) > 40


_PROBLEM = {"$ref": "#/components/schemas/ProblemTold"}
_NAMES = {
    "/api/v1/calls/{id}": "c1",
    "/api/v1/clips/{number}": "1",
    "/api/v1/rules/{name}/history": "R",
    "/api/v1/schedules/{name}/history": "Bell",
    "/api/v1/profiles/{name}": "Evacuate",
}


def _do(device: Device) -> None:
    """Let something happen, and a rule act."""
    when = {"event": "input/manual_trigger", "match": {"trigger": "1", "active": "true"}}
    rule = {"name": "R", "conditions": [when], "action": {"do": "run_profile", "profile": "Door"}}
    device.store.change_now({"rules": [rule]})
    with device.context.trace.input("test", "somebody", device.context.clock.now()):
        device.context.dispatcher.execute(StartProfile(profile="Evacuate"))
        device.context.dispatcher.execute(SetManualTrigger(trigger=1, active=True))


def _closed(schema: Any) -> Any:
    """The same schema, but that an object may have no members that it does not name."""
    if isinstance(schema, list):
        return [_closed(value) for value in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(value) for name, value in cast("dict[str, Any]", schema).items()}
    if "properties" in closed and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def _never(_: object) -> Any:
    raise AssertionError
