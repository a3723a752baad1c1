"""Tokens: what programs show in place of a password (RFC 6750)."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sipstrobe.config.access import MAX_TOKENS
from sipstrobe.context import Context
from sipstrobe.events import SignInFailed
from sipstrobe.web.live import Listener
from sipstrobe.web.server import LIVE_PATH, WebServer
from tests.support.visitor import Visitor
from tests.support.web import Device

OF = {"name": "Door bell", "scopes": ["commands"], "role": "operator"}


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context)


@pytest.fixture
async def olga(server: WebServer) -> Visitor:
    olga = Visitor(server)
    assert await olga.log_in("olga") == 200
    return olga


async def made(by: Visitor, **differing: object) -> dict[str, Any]:
    status, told = await by.ask("POST", "/tokens", OF | differing)
    assert status == 201, told
    return told


async def test_a_token_is_shown_once_and_only_its_hash_is_kept(
    olga: Visitor, device: Device
) -> None:
    told = await made(olga)

    assert told["token"].startswith("sst_")
    assert "not encrypted" in told["advice"]
    listed = (await olga.ask("GET", "/tokens"))[1]["tokens"]
    assert [entry | {"token": told["token"], "advice": told["advice"]} for entry in listed] == [
        told
    ]
    stored = device.store.export(secrets=True).decode()
    assert told["token"] not in stored
    assert told["name"] in stored


async def test_a_token_is_for_what_it_was_made_for(olga: Visitor, server: WebServer) -> None:
    for scope, (read, order, change) in {
        "read": (200, 403, 403),
        "commands": (403, 200, 403),
        "settings": (403, 403, 200),
    }.items():
        program = Visitor(server, token=(await made(olga, scopes=[scope]))["token"])
        program_may = (
            await program.ask("GET", "/status"),
            await program.ask("POST", "/commands/stop-all", {"functions": ["AudioLED"]}),
            await program.ask("PATCH", "/settings/audio", {"volume_db": -6}),
        )
        assert [status for status, _ in program_may] == [read, order, change], scope
        listener = await server.listen(program.request("GET", LIVE_PATH))
        assert isinstance(listener, Listener) is (scope == "read")

    everything = await made(olga, scopes=["read", "commands", "settings"])
    program = Visitor(server, token=everything["token"])
    assert (await program.ask("GET", "/users"))[0] == 401, "for administrators"
    assert (await program.ask("POST", "/tokens", OF))[1]["code"] == "not_an_account"
    assert (await program.ask("POST", "/password", {"old": "", "new": ""}))[0] == 403


async def test_an_administrators_token_is_one_only_where_it_is_for_that(server: WebServer) -> None:
    """Whatever a door asks for itself: without the scope it has the role of an operator."""
    ada = Visitor(server)
    await ada.log_in("ada")
    scopes = ["read", "settings"]
    lesser = Visitor(server, token=(await made(ada, role="administrator", scopes=scopes))["token"])
    whole = await made(ada, role="administrator", scopes=[*scopes, "system"])

    refused = await lesser.ask("PATCH", "/settings/device", {"name": "Hall"})
    changed = await Visitor(server, token=whole["token"]).ask(
        "PATCH", "/settings/device", {"name": "Hall"}
    )

    assert (refused[0], changed[0]) == (403, 200)
    assert (await Visitor(server, token=whole["token"]).ask("GET", "/users"))[0] == 200


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"role": "administrator"}, 400, "role"),
        ({"scopes": []}, 400, "scopes"),
        ({"scopes": ["everything"]}, 400, "scopes[0]"),
        ({"scopes": ["system"]}, 400, "scopes"),
        ({"role": "viewer", "scopes": ["settings"]}, 400, "scopes"),
        ({"expires": "2001-01-01T00:00:00Z"}, 400, "expires"),
        ({"expires": "2101-01-01T00:00:00"}, 400, "expires"),
    ],
)
async def test_what_no_token_can_be_is_refused(
    olga: Visitor, wrong: dict[str, object], status: int, field: str
) -> None:
    refused, problem = await olga.ask("POST", "/tokens", OF | wrong)

    assert (refused, problem["field"]) == (status, field)


async def test_a_token_ends_when_it_is_revoked_expires_or_its_account_ends(
    olga: Visitor, server: WebServer, device: Device
) -> None:
    ada = Visitor(server)
    await ada.log_in("ada")
    soon = device.context.clock.wall()
    tokens = [await made(olga, scopes=["read"]) for _ in range(2)]
    brief = await made(olga, scopes=["read"], expires=(soon + timedelta(hours=1)).isoformat())
    first, second, third = (Visitor(server, token=t["token"]) for t in (*tokens, brief))

    assert (await third.ask("GET", "/status"))[0] == 200
    tokens_now = device.store.current.web.tokens
    late = [msgspec.structs.replace(t, expires=t.expires and soon) for t in tokens_now]
    device.store.change_now({"web": {"tokens": late}})
    assert (await third.ask("GET", "/status"))[0] == 401
    assert (await olga.ask("DELETE", f"/tokens/{tokens[0]['id']}"))[0] == 204
    assert (await olga.ask("DELETE", f"/tokens/{tokens[0]['id']}"))[1]["code"] == "unknown_token"
    assert (await first.ask("GET", "/status"))[0] == 401
    assert "invalid_token" in first.headers["WWW-Authenticate"]
    assert (await second.ask("GET", "/status"))[0] == 200
    await ada.ask("PATCH", "/users/olga", {"role": "viewer"})
    assert (await second.ask("GET", "/recordings"))[0] == 401, "not more than its owner"
    await ada.ask("DELETE", "/users/olga")
    assert (await second.ask("GET", "/status"))[0] == 401
    assert device.store.current.web.tokens == ()


async def test_each_sees_the_own_tokens_and_administrators_all(
    olga: Visitor, server: WebServer
) -> None:
    ada, victor = Visitor(server), Visitor(server)
    await ada.log_in("ada")
    await victor.log_in("victor")
    token = await made(olga)

    assert (await victor.ask("GET", "/tokens"))[1]["tokens"] == []
    assert (await victor.ask("DELETE", f"/tokens/{token['id']}"))[0] == 404
    assert [t["owner"] for t in (await ada.ask("GET", "/tokens"))[1]["tokens"]] == ["olga"]


async def test_the_use_of_a_token_is_known_and_wrong_ones_count_as_failures(
    olga: Visitor, server: WebServer, context: Context
) -> None:
    told: list[SignInFailed] = []
    context.bus.subscribe(SignInFailed, told.append)
    token = await made(olga)
    assert token["last_used"] is None

    await Visitor(server, token=token["token"]).ask("POST", "/commands/stop-pages")
    guesser = Visitor(server, "192.0.2.66", token="sst_guess")
    statuses = [(await guesser.ask("GET", "/status"))[0] for _ in range(21)]

    [listed] = (await olga.ask("GET", "/tokens"))[1]["tokens"]
    assert listed["last_used"] is not None
    assert statuses == [401] * 20 + [403]
    assert guesser.headers["Retry-After"] == "10"
    assert [(event.address, event.name) for event in told] == [("192.0.2.66", "(token)")]


async def test_there_are_a_hundred_tokens_at_most(olga: Visitor) -> None:
    for _ in range(MAX_TOKENS):
        await made(olga)

    status, problem = await olga.ask("POST", "/tokens", OF)

    assert (status, problem["code"]) == (409, "too_many_tokens")
