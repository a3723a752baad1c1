"""Every route of the running server, and who may call it: a route that is not in the table fails.

The least role, and what a token must be for, are found out by asking as everybody; what a handler
refuses by itself beyond that is for its own tests (ACC-04, ACC-06, vapix §2.3).
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

import pytest

from sipstrobe.config.access import Scope
from sipstrobe.config.users import Role
from sipstrobe.context import Context
from sipstrobe.web.exchange import Request, Response, Route, json
from sipstrobe.web.router import Router
from sipstrobe.web.server import WebServer
from tests.support.visitor import Visitor
from tests.support.web import PASSWORDS, ROLES, Device

TABLE = """
anybody:
  GET        /
  POST       /api/v1/login
  POST       /api/v1/logout
  GET        /api/v1/session
  POST       /api/v1/setup
  GET,POST   /axis-cgi/apidiscovery.cgi
  GET,POST   /axis-cgi/basicdeviceinfo.cgi
  GET,POST   /axis-cgi/systemready.cgi
  GET        /axis-cgi/usergroup.cgi
  GET        /metrics
  GET        /static/…
viewer, tokens for commands:
  GET,POST   /axis-cgi/io/input.cgi
  GET,POST   /axis-cgi/io/output.cgi
  GET,POST   /axis-cgi/io/port.cgi
  GET,POST   /axis-cgi/io/virtualinput.cgi
  GET,POST   /axis-cgi/playclip.cgi
  GET,POST   /axis-cgi/stopclip.cgi
viewer, tokens for commands and settings:
  POST       /axis-cgi/io/portmanagement.cgi
  POST       /config/rest/**
viewer, tokens for read:
  GET        /api/v1/accounts
  GET        /api/v1/actions
  GET        /api/v1/calls
  GET        /api/v1/calls/*
  GET        /api/v1/clips
  GET        /api/v1/clips/*
  GET        /api/v1/clips/*/file
  GET        /api/v1/device
  GET        /api/v1/events
  GET        /api/v1/history/calls
  GET        /api/v1/history/events
  GET        /api/v1/live
  GET        /api/v1/measures
  GET        /api/v1/mqtt/topics
  GET        /api/v1/openapi.json
  GET        /api/v1/patterns
  GET        /api/v1/patterns/light/*
  GET        /api/v1/profiles
  GET        /api/v1/profiles/**
  GET        /api/v1/profiles/export
  GET        /api/v1/profiles/preview
  GET        /api/v1/properties
  GET        /api/v1/rules
  GET        /api/v1/rules/**
  GET        /api/v1/schedules
  GET        /api/v1/schedules/*/history
  GET        /api/v1/schedules/calendar
  GET        /api/v1/settings
  GET        /api/v1/settings/*
  GET        /api/v1/settings/schema
  GET        /api/v1/sound/played
  GET        /api/v1/sound/policy
  GET        /api/v1/sounds/*
  GET        /api/v1/status
  GET        /api/v1/talk
  GET        /api/v1/time
  GET        /api/v1/time-zones
  GET        /api/v1/tokens
  GET        /api/v1/why
  GET,POST   /axis-cgi/param.cgi
  GET,POST   /axis-cgi/view/param.cgi
  GET        /config/discover
  GET        /config/discover/**
  GET        /config/rest/**
viewer, tokens for settings:
  POST       /api/v1/password
  POST       /api/v1/tokens
  DELETE     /api/v1/tokens/*
  DELETE,PATCH /config/rest/**
operator, tokens for commands:
  POST       /api/v1/calls
  DELETE     /api/v1/calls/*
  POST       /api/v1/calls/*/answer
  POST       /api/v1/calls/*/digits
  POST       /api/v1/clips/*/play
  POST       /api/v1/clips/*/stop
  POST       /api/v1/commands/*
  DELETE,POST /api/v1/profiles/preview
  POST       /api/v1/recipients/*/test
  POST       /api/v1/talk
  DELETE     /api/v1/talk/*
  POST       /axis-cgi/audio/transmit.cgi
  GET        /axis-cgi/mediaclip.cgi
  GET,POST   /axis-cgi/virtualinput/activate.cgi
  GET,POST   /axis-cgi/virtualinput/deactivate.cgi
  GET,POST   /axis-cgi/virtualinput/getschemaversions.cgi
operator, tokens for commands and settings:
  GET,POST   /vapix/call
  POST       /axis-cgi/mediaclip.cgi
  POST       /axis-cgi/siren_and_light.cgi
  POST       /axis-cgi/supervisedio.cgi
operator, tokens for read:
  GET        /api/v1/ladder
  GET        /api/v1/ladder/*
  GET        /api/v1/microphone/listen
  POST       /api/v1/mqtt/preview
  POST       /api/v1/multicast/sdp
  GET        /api/v1/outbox
  POST       /api/v1/profiles/check
  GET        /api/v1/recordings
  GET        /api/v1/recordings/*
  POST       /api/v1/rules/check
  POST       /api/v1/rules/simulate
  POST       /api/v1/schedules/preview
  GET        /axis-cgi/audio/receive.cgi
  GET,POST   /axis-cgi/operator/param.cgi
operator, tokens for settings:
  POST       /api/v1/clips
  DELETE,PATCH /api/v1/clips/*
  DELETE     /api/v1/outbox/*
  POST       /api/v1/profiles
  DELETE,PUT /api/v1/profiles/**
  POST       /api/v1/profiles/import
  DELETE     /api/v1/recordings/*
  DELETE,PUT /api/v1/rules/**
  PATCH      /api/v1/settings/*
administrator, tokens for system:
  GET        /api/v1/audit
  GET        /api/v1/audit/verify
  GET,POST   /api/v1/backup
  GET,POST   /api/v1/capture
  DELETE,GET /api/v1/capture/file
  POST       /api/v1/capture/stop
  GET,POST   /api/v1/certificates
  DELETE,GET,PUT /api/v1/certificates/*
  GET        /api/v1/certificates/*/csr
  GET        /api/v1/certificates/*/pem
  PUT        /api/v1/certificates/*/signed
  POST       /api/v1/certificates/csr
  GET        /api/v1/clients
  GET        /api/v1/log
  GET        /api/v1/log/access
  GET        /api/v1/log/tail
  POST       /api/v1/ping
  POST       /api/v1/port-check
  GET        /api/v1/report
  GET,POST   /api/v1/reset
  POST       /api/v1/restore
  PATCH      /api/v1/settings
  GET,POST   /api/v1/users
  DELETE,PATCH /api/v1/users/*
  GET,POST   /axis-cgi/admin/param.cgi
  POST       /axis-cgi/mqtt/client.cgi
  POST       /axis-cgi/mqtt/event.cgi
  GET,POST   /axis-cgi/pwdgrp.cgi
"""


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context)


def entry(route: Route) -> str:
    """As it stands in the table; files of the page are one."""
    path = re.sub(r"^(/static/).+", r"\1…", re.sub(r"\{\w+\}", "*", route.path))
    return f"{route.method} {path}"


def asked(route: Route, by: Visitor) -> Request:
    """A request for it, with some word in place of each that the path leaves open."""
    path = re.sub(r"\{\w+\}|\*+", "x", route.path)
    return replace(by.request(route.method, path), content=None)


async def is_admitted(router: Router, route: Route, by: Visitor) -> bool:
    return (await router.respond(asked(route, by))).status == 200


def behind(server: WebServer, device: Device) -> Router:
    """The same doors, behind which nothing happens."""

    def done(_: Request) -> Response:
        return json({})

    return Router(device.context, server.gate, [replace(r, handler=done) for r in server.routes])


async def by_role(server: WebServer) -> dict[Role | None, Visitor]:
    """Somebody of each, and nobody; from the least to the most."""
    visitors: dict[Role | None, Visitor] = {None: Visitor(server)}
    for name in sorted(PASSWORDS, key=lambda name: list(Role).index(ROLES[name])):
        visitors[ROLES[name]] = Visitor(server)
        assert await visitors[ROLES[name]].log_in(name) == 200
    return visitors


async def by_scopes(ada: Visitor, server: WebServer) -> Mapping[str, Visitor]:
    """A program with a token for each purpose, and with one for two."""
    found: dict[str, Visitor] = {}
    for scopes in (*([scope] for scope in Scope), [Scope.COMMANDS, Scope.SETTINGS]):
        new = {"name": "all", "role": "administrator", "scopes": scopes}
        status, told = await ada.ask("POST", "/tokens", new)
        assert status == 201
        found[" and ".join(scopes)] = Visitor(server, token=told["token"])
    return found


async def test_everybody_gets_in_where_the_table_says_and_nowhere_else(
    server: WebServer, device: Device
) -> None:
    router, visitors = behind(server, device), await by_role(server)
    programs = await by_scopes(visitors[Role.ADMINISTRATOR], server)
    anonymous = {False: set[str](), True: set[str]()}
    found: dict[str, set[str]] = defaultdict(set)

    for route in server.routes:
        roles = [role for role, v in visitors.items() if await is_admitted(router, route, v)]
        assert roles == list(visitors)[-len(roles) :], f"{entry(route)}: a higher role may do less"
        least = roles[0].value if roles[0] else "anybody"
        may = [name for name, v in programs.items() if await is_admitted(router, route, v)]
        purpose = "" if route.role is None else f", tokens for {may[0]}"
        assert len(may) == len(programs) or set(may) <= {may[0], "commands and settings"}
        found[least + purpose].add(entry(route))
    device.store.change_now({"web": {"anonymous_viewing": True}})
    for route in server.routes:
        anonymous[await is_admitted(router, route, visitors[None])].add(entry(route))

    assert sorted(lines(found) - lines(table())) == [], "not in the table, or not so"
    assert sorted(lines(table()) - lines(found)) == [], "in the table, and not there"
    assert anonymous[True] == found["anybody"] | found["viewer, tokens for read"]


def table() -> dict[str, set[str]]:
    """By who may call them."""
    groups: dict[str, set[str]] = {}
    who = ""
    for line in TABLE.strip().splitlines():
        if line.startswith(" "):
            methods, _, path = line.strip().partition(" ")
            groups[who] |= {f"{method} {path.strip()}" for method in methods.split(",")}
        else:
            who = line.rstrip(":")
            groups[who] = set()
    return groups


def lines(groups: Mapping[str, set[str]]) -> set[str]:
    return {f"{who}: {route}" for who, routes in groups.items() for route in routes}
