"""What the program says of itself, kept for the page and over restarts: LOG-03, LOG-04."""

import asyncio
import json
import logging
import os
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest

from sipstrobe.context import Context
from sipstrobe.events import AddressBlocked, SignInFailed
from sipstrobe.services.access_log import AccessLog
from sipstrobe.services.log_book import FILE, LogBook, LogEntry
from sipstrobe.services.log_file import WAITING_MAX, LogFile
from tests.support.clock import FakeClock

logger = logging.getLogger("sipstrobe.somewhere")
EVERYTHING = LogBook.selection("debug", "")


@pytest.fixture(autouse=True)
def everything_is_said() -> Iterator[None]:
    program = logging.getLogger("sipstrobe")
    program.setLevel(logging.DEBUG)
    yield
    program.setLevel(logging.NOTSET)


@pytest.fixture
async def book(tmp_path: Path) -> AsyncIterator[LogBook]:
    book = LogBook(tmp_path, kept=10)
    await book.open()
    yield book
    await book.aclose()


def said(book: LogBook, severity: str = "debug", text: str = "", limit: int = 100) -> list[str]:
    found = book.entries(LogBook.selection(severity, text), limit)
    return [f"{entry.severity}: {entry.text}" for entry in found]


async def test_what_is_said_can_be_read_the_newest_first_by_severity_and_text(
    book: LogBook,
) -> None:
    """RFC 5424 §6.2.1 names the severities."""
    logger.debug("a detail")
    logger.info("call %s rings", "in-1")
    logger.warning("the disk is nearly full")
    logger.error("the card is gone")
    logger.critical("all is lost")

    assert said(book)[:2] == ["crit: all is lost", "err: the card is gone"]
    assert said(book, "warning")[-1] == "warning: the disk is nearly full"
    assert said(book, text="RINGS") == ["info: call in-1 rings"]
    assert said(book, limit=1) == ["crit: all is lost"]


async def test_memory_keeps_the_newest_only_and_a_page_follows_the_other(book: LogBook) -> None:
    for number in range(25):
        logger.info("line %d", number)

    first = book.entries(EVERYTHING, 4)
    second = book.entries(EVERYTHING, 100, first[-1].seq)

    assert [entry.text for entry in first] == [f"line {n}" for n in (24, 23, 22, 21)]
    assert [entry.text for entry in second] == [f"line {n}" for n in range(20, 14, -1)]


async def test_the_trace_of_an_error_is_there_and_a_secret_is_not(book: LogBook) -> None:
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        logger.exception("it failed for sip:alice:tulip@example.com")

    [entry] = book.entries(LogBook.selection("err", ""), 10)
    assert "Traceback" in entry.text
    assert "test_log_book" in entry.text
    assert "hunter2" not in entry.text
    assert "tulip" not in entry.text


async def test_starts_and_warnings_are_there_after_a_restart_and_nothing_else(
    tmp_path: Path,
) -> None:
    """LOG-03: start, warnings, critical."""
    before = LogBook(tmp_path)
    await before.open()
    before.announce("first")
    logger.info("a call")
    logger.warning("a warning")
    await before.aclose()
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"at":12,"sever')  # the process was killed as it wrote

    after = LogBook(tmp_path)
    await after.open()
    try:
        known = [entry.text.split(" has")[0] for entry in after.entries(EVERYTHING, 10)]
    finally:
        await after.aclose()

    assert [text.split(" ")[0] for text in known] == ["sipstrobe", "a", "sipstrobe"]
    assert known[1] == "a warning"
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert "sipstrobe ends" in (tmp_path / FILE).read_text().splitlines()[-1]


async def test_who_follows_is_told_what_he_has_missed_and_what_comes(book: LogBook) -> None:
    logger.info("one")
    seen = book.entries(EVERYTHING, 1)[0].seq
    logger.info("two")
    following = book.follow(LogBook.selection("info", "t"), seen)

    assert await anext(following) is None  # the first byte, which browsers wait for
    first = await anext(following)
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.to_thread(logger.info, "three")  # whatever thread says it
    second = await waiting
    await following.aclose()

    assert texts(first) == ["two"]
    assert texts(second) == ["three"]


async def test_who_follows_from_far_back_is_told_all_of_it_in_parts(tmp_path: Path) -> None:
    """So that thousands of texts hold up neither calls nor sound."""
    book = LogBook(tmp_path)
    await book.open()
    for number in range(1000):
        logger.debug("%d", number)
    following = book.follow(EVERYTHING, 0)

    assert await anext(following) is None
    parts = [texts(await anext(following)) for _ in range(5)]
    await following.aclose()
    await book.aclose()

    assert [len(part) for part in parts] == [200] * 5
    assert [text for part in parts for text in part] == [str(number) for number in range(1000)]


async def test_who_follows_is_let_go_when_the_device_ends(tmp_path: Path) -> None:
    book = LogBook(tmp_path)
    await book.open()
    follower = book.follow(EVERYTHING, None)
    assert await anext(follower) is None
    following = asyncio.ensure_future(anext(follower, "over"))
    await asyncio.sleep(0)
    assert not book.full
    await book.aclose()

    told = await following
    assert told == "over" or texts(told) == ["sipstrobe ends"]


def texts(entries: object) -> list[str]:
    found = cast("list[LogEntry]", entries)
    return [entry.text for entry in found]


def test_the_file_does_not_grow_beyond_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    file = LogFile(path, max_bytes=2000)
    for number in range(200):
        file.write({"number": number, "text": "x" * 50})
    file.close()

    sizes = [found.stat().st_size for found in tmp_path.iterdir()]
    assert len(sizes) <= 2
    assert sum(sizes) < 2 * (2000 + 600)
    assert LogFile(path).read(5)[-1]["number"] == 199


def test_a_disk_that_takes_nothing_holds_up_nobody(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "missing" / "x.log")
    file.write({"text": "lost"})
    file.close()
    assert "No such file" in file.problem
    file.write({"text": "too late"})


def test_a_disk_that_hangs_takes_no_memory_without_end(tmp_path: Path) -> None:
    """What has not been written is bounded, and so are the turns in which it would be."""
    pipe = tmp_path / "x.log"  # whose writing waits until somebody reads
    os.mkfifo(pipe)
    file = LogFile(pipe, max_bytes=20_000)  # so that what is left fits into the pipe
    tracemalloc.start()
    try:
        for number in range(3 * WAITING_MAX):
            file.write({"number": number})
        before, _ = tracemalloc.get_traced_memory()
        for number in range(20 * WAITING_MAX):
            file.write({"number": number})
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        with pipe.open("rb"):
            file.close()

    assert after - before < 100 * WAITING_MAX


async def test_what_was_no_utf8_is_kept_like_any_other(tmp_path: Path) -> None:
    """A peer that sends such octets must not make the log unreadable, nor lose what others say."""
    book = LogBook(tmp_path)
    await book.open()
    logger.warning("before")
    half = b"\xff".decode(
        "utf-8", "surrogateescape"
    )  # given to the book alone: others may not bear it
    book.handle(logger.makeRecord(logger.name, 30, __file__, 1, "called by %s", (half,), None))
    logger.warning("after")
    await book.aclose()

    kept = [known["text"] for known in LogFile(tmp_path / FILE).read(100)]
    assert kept == ["before", r"called by \udcff", "after", "sipstrobe ends"]
    assert all(entry.text.isascii() for entry in book.entries(EVERYTHING, 100))


async def test_refused_sign_ins_are_kept_over_a_restart(tmp_path: Path) -> None:
    """LOG-04."""
    context = Context(FakeClock())
    before = AccessLog(context, tmp_path)
    await before.open()
    context.bus.publish(SignInFailed(address="192.0.2.7", name="root", attempts=3))
    context.bus.publish(AddressBlocked(address="192.0.2.7", seconds=10.0))
    await before.aclose()
    context.bus.publish(SignInFailed(address="192.0.2.8", name="late", attempts=1))

    after = AccessLog(Context(FakeClock()), tmp_path)
    await after.open()
    blocked, failed = after.refusals(10)
    await after.aclose()

    assert (blocked["event"], blocked["seconds"]) == ("address_blocked", 10.0)
    assert (failed["event"], failed["name"], failed["attempts"]) == ("sign_in_failed", "root", 3)
    assert failed["at"] == "2030-01-01T00:00:00.000+00:00"
    assert after.refusals(1) == [blocked]
    assert after.refusals(5, blocked["seq"]) == [failed]
    assert all(json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines())
