"""The outbox and recipients over HTTP: RCP-01."""

import json
from typing import Any

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.context import Context
from sipstrobe.sending.settings import MailRecipient
from tests.support.web import PASSWORDS, WAITING, Device

MAIL = {
    "kind": "mail",
    "name": "ops",
    "to": ["ops@example.org"],
    "sender": "horn@example.org",
    "server": "mx.test",
    "user": "horn",
    "password": "open sesame",
}


@pytest.fixture
async def device(context: Context) -> Device:
    return Device.make(context)


async def ask(
    url: str, method: str, path: str, user: str = "olga", body: object = None
) -> tuple[int, Any]:
    digest = DigestAuthMiddleware(user, PASSWORDS[user])
    data = None if body is None else json.dumps(body)
    async with (
        ClientSession(url, middlewares=(digest,)) as session,
        session.request(method, f"/api/v1/{path}", data=data) as response,
    ):
        text = await response.text()
        return response.status, json.loads(text) if text else None


async def test_what_waits_is_shown_and_can_be_removed(url: str) -> None:
    assert await ask(url, "GET", "outbox") == (
        200,
        {"waiting": [WAITING | {"id": "7-abc"}], "results": []},
    )
    assert (await ask(url, "GET", "status"))[1]["outbox"]["waiting"] == 1

    assert (await ask(url, "DELETE", "outbox/7-abc"))[0] == 204

    status, answer = await ask(url, "DELETE", "outbox/7-abc")
    assert (status, answer["code"]) == (404, "unknown_message")
    for method, path in (("GET", "outbox"), ("DELETE", "outbox/7-abc")):
        assert (await ask(url, method, path, user="victor"))[0] == 401


async def test_a_test_answers_with_what_has_failed(url: str) -> None:
    status, answer = await ask(url, "POST", "recipients/ops/test")
    assert status == 200
    assert (answer["worked"], answer["words"]) == (False, "the name mail.example is not found")

    status, answer = await ask(url, "POST", "recipients/nobody/test")
    assert (status, answer["code"]) == (409, "unknown_recipient")
    assert (await ask(url, "POST", "recipients/ops/test", user="victor"))[0] == 401


async def test_recipients_are_set_by_administrators_and_keep_their_passwords(
    device: Device, url: str
) -> None:
    """Who could enter another server would be sent the password of the first."""
    assert (await ask(url, "PATCH", "settings/recipients", "olga", [MAIL]))[0] == 403
    assert (await ask(url, "PATCH", "settings/recipients", "ada", [MAIL]))[0] == 200

    status, found = await ask(url, "GET", "settings/recipients")

    assert status == 200
    assert "open sesame" not in json.dumps(found)
    copied = [*found["settings"], found["settings"][0] | {"name": "copy"}]
    assert (await ask(url, "PATCH", "settings/recipients", "ada", copied))[0] == 200
    mails = device.store.current.recipients
    assert [m.name for m in mails] == ["ops", "copy"]
    passwords = {m.password.reveal() for m in mails if isinstance(m, MailRecipient)}
    assert passwords == {"open sesame"}
