"""The logs over HTTP: LOG-03, LOG-04."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import ClientSession, DigestAuthMiddleware

from sipstrobe.context import Context
from sipstrobe.events import SignInFailed
from sipstrobe.services.log_book import LogBook, LogEntry
from sipstrobe.web.exchange import Request, Response
from sipstrobe.web.log import LogDoor
from sipstrobe.web.system_views import AccessView, LogView
from tests.support.waiting import PATIENCE, until
from tests.support.web import PASSWORDS, Device

LOG = "/api/v1/log"
logger = logging.getLogger("sipstrobe.tests")


@pytest.fixture
async def device(context: Context, tmp_path: Path) -> AsyncIterator[Device]:
    device = Device.make(context, folder=tmp_path)
    await device.system.log.open()
    logger.setLevel(logging.INFO)
    yield device
    logger.setLevel(logging.NOTSET)
    await device.system.log.aclose()


@asynccontextmanager
async def session_of(url: str, user: str = "ada") -> AsyncGenerator[ClientSession]:
    digest = DigestAuthMiddleware(user, PASSWORDS[user])
    async with ClientSession(url, middlewares=(digest,)) as session:
        yield session


async def ask(url: str, path: str, user: str = "ada") -> tuple[int, Any]:
    async with session_of(url, user) as session, session.get(path) as response:
        return response.status, await response.json(content_type=None)


async def test_the_log_is_told_page_by_page(url: str) -> None:
    for number in range(3):
        logger.warning("trouble %d", number)

    status, page = await ask(url, f"{LOG}?level=warning&text=trouble&limit=2")
    _, rest = await ask(url, f"{LOG}?level=warning&text=trouble&before={page['next']}")

    assert status == 200
    assert [entry["text"] for entry in page["entries"]] == ["trouble 2", "trouble 1"]
    assert [entry["text"] for entry in rest["entries"]] == ["trouble 0"]
    assert rest["next"] is None
    assert page["entries"][0]["level"] == "warning"
    assert page["entries"][0]["source"] == "sipstrobe.tests"


class LongBook:
    """A log whose looking through takes until somebody lets it end."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()

    selection = staticmethod(LogBook.selection)

    def entries(self, wanted: object, limit: int, before: int | None = None) -> list[LogEntry]:
        self.begun.set()
        assert self.may_end.wait(PATIENCE), "the loop stands still"
        return []


async def test_calls_and_sound_go_on_while_thousands_of_texts_are_looked_through() -> None:
    book = LongBook()
    [page, *_] = LogDoor(cast("LogView", book), cast("AccessView", None)).routes()
    answer = page.handler(Request(method="GET", path=LOG, target=f"{LOG}?text=x"))
    assert not isinstance(answer, Response)
    looking = asyncio.ensure_future(answer)

    await until(book.begun.is_set)
    book.may_end.set()

    assert json.loads((await looking).body) == {"entries": [], "next": None}


@pytest.mark.parametrize("path", [LOG, f"{LOG}/tail", f"{LOG}/access"])
async def test_logs_are_for_administrators(url: str, path: str) -> None:
    """ACC-04: they are System."""
    assert (await ask(url, path, user="olga"))[0] == 401


@pytest.mark.parametrize(
    ("query", "field"),
    [("level=loud", "level"), ("limit=0", "limit"), ("before=x", "before")],
)
async def test_what_cannot_be_asked_is_said(url: str, query: str, field: str) -> None:
    status, refusal = await ask(url, f"{LOG}?{query}")
    assert (status, refusal["field"]) == (400, field)


async def test_the_log_can_be_followed_as_it_is_written(url: str, device: Device) -> None:
    logger.info("before")
    seq = device.system.log.entries(device.system.log.selection("info", "before"), 1)[0].seq
    logger.info("the morning after")
    path = f"{LOG}/tail?text=after&after={seq}"
    async with session_of(url) as session, session.get(path) as response:
        assert response.headers["Content-Type"] == "application/x-ndjson"
        assert await response.content.readline() == b"\n"  # Firefox waits for the first byte
        line = json.loads(await response.content.readline())
        assert line["text"] == "the morning after"
        logger.info("the day after")
        line = json.loads(await response.content.readline())

    assert line["text"] == "the day after"
    await until(lambda: not device.system.log.following)


async def test_refused_sign_ins_are_told(url: str, device: Device) -> None:
    device.context.bus.publish(SignInFailed(address="192.0.2.9", name="eve", attempts=2))

    _, found = await ask(url, f"{LOG}/access?limit=1")

    assert found["refusals"][0]["name"] == "eve"
    assert found["refusals"][0]["event"] == "sign_in_failed"
    assert found["next"] == found["refusals"][0]["seq"]
