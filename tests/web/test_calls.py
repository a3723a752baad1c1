"""Calls as resources: to make, to look at, to end, and to remember."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from tests.support.web import PASSWORDS, Device, FakeCall, FakeRecord

CALLS = "/api/v1/calls"
HISTORY = "/api/v1/history/calls"


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    async with ClientSession(url, middlewares=(as_user("olga"),)) as session:
        yield session


def as_user(name: str) -> DigestAuthMiddleware:
    return DigestAuthMiddleware(name, PASSWORDS[name])


async def ask(
    session: ClientSession, method: str, path: str, body: object = None
) -> tuple[int, Any]:
    async with session.request(method, path, json=body) as response:
        return response.status, await response.json() if response.content_length else None


async def test_a_call_is_made_looked_at_and_ended(session: ClientSession, device: Device) -> None:
    """API-03, SAC-15."""
    async with session.post(CALLS, json={"to": "sip:1001@192.0.2.1"}) as response:
        assert response.status == 201
        assert response.headers["Location"] == f"{CALLS}/out-1"
        assert await response.json() == {"id": "out-1"}

    _, listed = await ask(session, "GET", CALLS)
    status, one = await ask(session, "GET", f"{CALLS}/out-1")

    assert (status, one["remote_uri"], one["state"]) == (200, "sip:1001@192.0.2.1", "calling")
    assert [call["id"] for call in listed["calls"]] == ["out-1"]
    assert await ask(session, "DELETE", f"{CALLS}/out-1") == (204, None)
    assert device.calls == []
    status, problem = await ask(session, "GET", f"{CALLS}/out-1")
    assert (status, problem["code"]) == (404, "unknown_call")


async def test_a_ringing_call_is_answered_and_gets_digits(
    session: ClientSession, device: Device
) -> None:
    device.calls.append(FakeCall(state="ringing"))

    assert await ask(session, "POST", f"{CALLS}/c1/answer") == (204, None)
    assert device.calls[0].state == "active"
    assert await ask(session, "POST", f"{CALLS}/c1/digits", {"digits": "12#"}) == (204, None)
    assert device.digits == [("c1", "12#")]
    status, problem = await ask(session, "POST", f"{CALLS}/c1/answer")
    assert (status, problem["code"]) == (409, "not_ringing")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", CALLS, {}, 400, "to"),
        ("POST", CALLS, {"to": 7}, 400, "to"),
        ("POST", CALLS, {"to": "a b"}, 400, "to"),
        ("POST", CALLS, {"to": "sip:1@x", "account": "Nobody"}, 400, "account"),
        ("POST", CALLS, {"to": "sip:1@x", "colour": "red"}, 400, "colour"),
        ("POST", f"{CALLS}/c1/digits", {"digits": "x"}, 400, "digits"),
        ("POST", f"{CALLS}/c1/digits", {}, 400, "digits"),
        ("POST", f"{CALLS}/c9/digits", {"digits": "1"}, 404, None),
        ("DELETE", f"{CALLS}/c9", None, 404, None),
        ("DELETE", CALLS, None, 405, None),
        ("POST", f"{CALLS}/c1/sing", None, 404, None),
        ("GET", f"{HISTORY}?limit=0", None, 400, "limit"),
        ("GET", f"{HISTORY}?limit=1001", None, 400, "limit"),
        ("GET", f"{HISTORY}?before=abc", None, 400, "before"),
        ("GET", f"{HISTORY}?before=99999999999999999999", None, 400, "before"),
        ("GET", f"{HISTORY}?{'&'.join(f'a{n}=1' for n in range(40))}", None, 400, None),
    ],
)
async def test_what_is_wrong_is_a_problem_that_names_its_field(
    session: ClientSession,
    device: Device,
    method: str,
    path: str,
    body: object,
    status: int,
    field: str | None,
) -> None:
    """RFC 9457."""
    device.calls.append(FakeCall())

    async with session.request(method, path, json=body) as response:
        problem = await response.json()
        assert response.content_type == "application/problem+json"

    assert (response.status, problem["status"], problem.get("field")) == (status, status, field)
    assert problem["detail"]


async def test_viewers_look_and_do_not_call(url: str, device: Device) -> None:
    """ACC-04."""
    device.calls.append(FakeCall(state="ringing"))
    async with ClientSession(url, middlewares=(as_user("victor"),)) as session:
        for path in (CALLS, f"{CALLS}/c1", HISTORY, "/api/v1/accounts"):
            assert (await ask(session, "GET", path))[0] == 200
        assert (await ask(session, "POST", CALLS, {"to": "sip:1@x"}))[0] == 401
        assert (await ask(session, "POST", f"{CALLS}/c1/answer"))[0] == 401
        assert (await ask(session, "POST", f"{CALLS}/c1/digits", {"digits": "1"}))[0] == 401
        assert (await ask(session, "DELETE", f"{CALLS}/c1"))[0] == 401
    assert [call.state for call in device.calls] == ["ringing"]


async def test_nobody_calls_from_the_page_of_another(
    session: ClientSession, device: Device
) -> None:
    elsewhere = {"Origin": "http://evil.example"}
    device.calls.append(FakeCall())

    async with session.post(CALLS, json={"to": "sip:1@x"}, headers=elsewhere) as response:
        assert response.status == 403
    async with session.delete(f"{CALLS}/c1", headers=elsewhere) as response:
        assert response.status == 403

    assert len(device.calls) == 1


async def test_how_a_call_is_heard_goes_out_as_it_is(
    session: ClientSession, device: Device
) -> None:
    audio = {"verdict": "one_way", "words": "…", "mos": 4.4, "seconds": {"ok": 3.0}}
    device.calls.append(FakeCall(audio=audio))

    _, one = await ask(session, "GET", f"{CALLS}/c1")

    assert one["audio"] == audio


async def test_the_history_is_read_page_by_page(session: ClientSession, device: Device) -> None:
    """GAP-24."""
    device.records += [FakeRecord(id=n) for n in range(1, 8)]

    _, first = await ask(session, "GET", f"{HISTORY}?limit=3")
    _, second = await ask(session, "GET", f"{HISTORY}?limit=3&before={first['next']}")
    _, last = await ask(session, "GET", f"{HISTORY}?limit=3&before={second['next']}")

    ids = [[call["id"] for call in page["calls"]] for page in (first, second, last)]
    assert ids == [[7, 6, 5], [4, 3, 2], [1]]
    assert last["next"] is None
    assert first["calls"][0]["started"] == "2030-03-17T17:46:40Z"
    assert first["calls"][0]["ended"] == "2030-03-17T17:47:41.500000Z"
    assert first["calls"][0]["verdict"] == "ok"


async def test_a_history_that_cannot_be_read_says_so(
    session: ClientSession, device: Device
) -> None:
    device.disk_works = False

    status, problem = await ask(session, "GET", HISTORY)

    assert (status, problem["detail"]) == (503, "the history of calls: disk I/O error")


async def test_accounts_tell_how_they_stand(session: ClientSession, device: Device) -> None:
    """SAC-03."""
    device.registrations.append({"account": "PBX", "state": "registered", "words": "until 12:00"})

    _, answer = await ask(session, "GET", "/api/v1/accounts")

    assert answer == {"accounts": device.registrations}
