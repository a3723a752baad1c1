"""Talking and listening from a browser, as far as it is HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.sdp.browser import MAX_CHARACTERS
from tests.support.talk import OFFER
from tests.support.web import PASSWORDS, Device

TALK = "/api/v1/talk"


@pytest.fixture
async def session(url: str) -> AsyncIterator[ClientSession]:
    user = DigestAuthMiddleware("olga", PASSWORDS["olga"])
    async with ClientSession(url, middlewares=(user,)) as session:
        yield session


async def offer(session: ClientSession, body: object) -> tuple[int, Any]:
    async with session.post(TALK, json=body) as response:
        return response.status, await response.json()


async def test_an_offer_is_answered_and_ended(session: ClientSession, device: Device) -> None:
    status, told = await offer(session, {"sdp": OFFER})

    assert (status, told["sdp"], told["listening"]) == (201, "v=0 answer", False)
    async with session.get(TALK) as response:
        talkers = (await response.json())["talkers"]
    async with session.get("/api/v1/status") as response:
        assert [t["who"] for t in (await response.json())["talk"]] == ["olga"]
    assert [(t["id"], t["who"], t["state"]) for t in talkers] == [
        (told["id"], "olga", "connecting")
    ]

    async with session.delete(f"{TALK}/{told['id']}") as response:
        assert response.status == 204
    async with session.delete(f"{TALK}/{told['id']}") as response:
        assert (response.status, (await response.json())["code"]) == (404, "unknown_talker")
    assert device.browsers.made[0].closed


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"sdp": "hello"}, 400),
        ({"sdp": ""}, 422),
        ({"sdp": "v" * (MAX_CHARACTERS + 1)}, 422),
        ({}, 422),
        ({"sdp": OFFER, "more": 1}, 422),
    ],
)
async def test_what_is_no_offer_is_refused(
    session: ClientSession, device: Device, body: object, status: int
) -> None:
    answer, problem = await offer(session, body)

    assert answer == status
    assert problem.get("field") == "/sdp" or problem["problems"]
    assert not device.browsers.made


async def test_why_nobody_can_talk_is_told(session: ClientSession, device: Device) -> None:
    device.browsers.failure = ImportError("no aiortc")
    assert (await offer(session, {"sdp": OFFER}))[1]["code"] == "not_available"

    device.browsers.failure = None
    statuses = [(await offer(session, {"sdp": OFFER}))[0] for _ in range(5)]

    assert statuses == [201] * 4 + [409]
