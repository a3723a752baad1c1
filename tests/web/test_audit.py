"""Who did what, as administrators read it, and what the web door notes."""

from dataclasses import replace

import pytest

from sipstrobe.context import Context
from sipstrobe.trace import Actor
from sipstrobe.web.server import WebServer
from tests.support.visitor import Visitor
from tests.support.web import CHEAP, Device

ADDRESS = "192.0.2.77"


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context)


async def test_what_changes_something_is_noted_with_who_it_was(
    server: WebServer, device: Device
) -> None:
    ada = Visitor(server)
    await ada.log_in("ada")
    token = {"name": "bell", "scopes": ["commands"], "role": "operator"}
    made = (await ada.ask("POST", "/tokens", token))[1]
    program = Visitor(server, token=made["token"])

    await ada.ask("GET", "/status")
    await ada.ask("POST", "/commands/stop-all?password=hunter2", {"functions": []})
    await program.ask("POST", "/commands/stop-clip", {"playback": "none"})
    await program.ask("PATCH", "/settings/audio", {"volume_db": -6})
    await ada.ask("POST", "/logout", {"everywhere": True})

    signed_in = Actor(way="account", who="ada", address=ADDRESS)
    by_token = Actor(way=f"token {made['id']}", who="ada", address=ADDRESS)
    assert device.audit.notes == [
        (signed_in, "sign in", "let in"),
        (signed_in, "POST /api/v1/tokens", "201"),
        (signed_in, "POST /api/v1/commands/stop-all", "200"),
        (by_token, "POST /api/v1/commands/stop-clip", "400"),
        (signed_in, "sign out everywhere", ""),
    ], "and what nobody was let in for is told by the refusal"


async def test_a_get_that_does_something_is_noted_as_well_and_its_head_does_nothing(
    server: WebServer, device: Device
) -> None:
    """RFC 9110 §9.3.2: HEAD changes nothing."""
    ada = Visitor(server)
    await ada.log_in("ada")
    switch = "/axis-cgi/virtualinput/activate.cgi?schemaversion=1&port=1"

    head = await server.respond(ada.request("HEAD", switch))
    untouched = device.ports.virtual_inputs()
    done = await server.respond(ada.request("GET", switch))

    assert (head.status, untouched, done.status) == (405, [], 200)
    assert device.ports.virtual_inputs()
    what, result = device.audit.notes[-1][1:]
    assert (what, result) == ("GET /axis-cgi/virtualinput/activate.cgi", "200")
    assert len(device.audit.notes) == 2, "with the sign-in"


async def test_administrators_read_it_page_by_page(server: WebServer, device: Device) -> None:
    ada, olga = Visitor(server), Visitor(server)
    await ada.log_in("ada")
    await olga.log_in("olga")
    for n in range(5):
        device.audit.note(Actor(way="mqtt"), f"order {n}", "ordered")

    first = (await ada.ask("GET", "/audit?limit=3"))[1]
    rest = (await ada.ask("GET", f"/audit?limit=4&before={first['next']}"))[1]
    end = (await ada.ask("GET", f"/audit?before={rest['next']}"))[1]

    assert [entry["what"] for entry in first["entries"]] == ["order 4", "order 3", "order 2"]
    assert [entry["n"] for entry in rest["entries"]] == [4, 3, 2, 1]
    assert (end["entries"], end["next"]) == ([], None)
    assert (await ada.ask("GET", "/audit/verify"))[1]["sound"] is True
    assert (await olga.ask("GET", "/audit"))[0] == 401
    assert (await ada.ask("GET", "/audit?limit=0"))[1]["field"] == "limit"


async def test_a_disk_that_cannot_be_read_is_said(
    context: Context, device: Device, server: WebServer
) -> None:
    class Broken:
        def note(self, actor: Actor, what: str, result: str) -> None: ...

        async def page(self, limit: int, before: int | None) -> list[dict[str, object]]:
            raise OSError("disk I/O error")

        async def verify(self) -> dict[str, object]:
            raise OSError("disk I/O error")

    views = replace(device.views(), audit=Broken())
    broken = WebServer(context, device.store, views, cost=CHEAP)
    ada = Visitor(broken)
    await ada.log_in("ada")

    for path in ("/audit", "/audit/verify"):
        status, problem = await ada.ask("GET", path)
        assert status == 500
        assert "disk I/O error" in problem["detail"]
    await broken.aclose()
