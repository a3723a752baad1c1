"""Who did what, as it is noted: what is told once, counted, lost and found again."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sipstrobe.commands import LocateDevice
from sipstrobe.context import Context
from sipstrobe.events import (
    AddressBlocked,
    DeviceStarted,
    ServiceStateChanged,
    SettingsChanged,
    SignInFailed,
    StartReason,
)
from sipstrobe.services.audit import REPEATED, REPEATED_MAX, WAITING_MAX, AuditTrail
from sipstrobe.services.audit_chain import FOLDER, AuditFiles
from sipstrobe.trace import Actor, Decision
from tests.support.clock import FakeClock

ADA = Actor(way="account", who="ada", address="192.0.2.7")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def context(clock: FakeClock) -> Context:
    return Context(clock)


@pytest.fixture
async def trail(context: Context, tmp_path: Path) -> AsyncIterator[AuditTrail]:
    trail = AuditTrail(context, tmp_path)
    yield trail
    await trail.aclose()


async def closed(trail: AuditTrail, state: Path) -> list[tuple[str, str, str, str, int]]:
    """Everything that it has written, the oldest first."""
    await trail.aclose()
    files = AuditFiles(state)
    assert files.verify().problems == []
    entries = reversed(files.newest(10_000))
    return [(e.way, e.who, e.what, e.result, e.times) for e in entries]


async def test_what_is_noted_stands_there_with_who_and_where(
    trail: AuditTrail, tmp_path: Path
) -> None:
    trail.note(ADA, "POST /api/v1/calls", "201")
    await trail.aclose()

    [entry] = AuditFiles(tmp_path).newest(1)
    assert (entry.who, entry.way, entry.address) == ("ada", "account", "192.0.2.7")
    assert entry.at == "2030-01-01T00:00:00.000+00:00"


async def test_what_is_done_again_and_again_is_counted(
    trail: AuditTrail, clock: FakeClock, tmp_path: Path
) -> None:
    """So that nobody writes the trail full to have the rest of it deleted."""
    for _ in range(500):
        trail.note(ADA, "start", "200")
    trail.note(ADA, "stop", "200")
    clock.advance_to(REPEATED)
    trail.note(ADA, "start", "200")

    assert [(what, times) for _, _, what, _, times in await closed(trail, tmp_path)] == [
        ("start", 1),
        ("stop", 1),
        ("start", 499),
        ("start", 1),
    ]


async def test_what_is_counted_and_what_waits_is_bounded(
    trail: AuditTrail, context: Context, tmp_path: Path
) -> None:
    for n in range(WAITING_MAX + REPEATED_MAX):
        trail.note(ADA, f"{n}", "200")

    told = await closed(trail, tmp_path)

    assert len(told) == WAITING_MAX + 2, "the first was on its way already"
    assert (
        told[-1][2]
        == f"audit trail: {REPEATED_MAX - 1} entries are lost: the disk was too slow, or failed"
    )


async def test_the_facts_of_the_device_are_noted(
    trail: AuditTrail, context: Context, tmp_path: Path
) -> None:
    publish = context.bus.publish
    with context.trace.input("http", "PATCH /api/v1/settings/audio by ada", 0.0, ADA):
        publish(SettingsChanged(revision=7, paths="/audio/volume_db /audio/output"))
    with context.trace.input("mqtt", "message", 0.0):
        publish(SettingsChanged(revision=8, paths="/rules"))
    publish(SettingsChanged(revision=9, paths="/clips"))
    publish(SignInFailed(address="192.0.2.66", name="root", attempts=50))
    publish(AddressBlocked(address="192.0.2.66", seconds=10.0))
    publish(DeviceStarted(reason=StartReason.FIRST, off_since="", off_seconds=0))

    assert await closed(trail, tmp_path) == [
        ("account", "ada", "settings", "changed", 1),
        ("mqtt", "", "settings", "changed", 1),
        ("device", "", "settings", "changed", 1),
        ("nobody", "root", "sign in", "refused", 50),
        ("nobody", "", "blocked for 10 s", "", 1),
        ("device", "", f"started: {StartReason.FIRST.value}", "", 1),
    ]
    changed = AuditFiles(tmp_path).newest(6)[-1]
    assert changed.paths == ("/audio/volume_db", "/audio/output")


async def test_orders_by_other_doors_are_noted_and_those_of_rules_are_not(
    trail: AuditTrail, context: Context, tmp_path: Path
) -> None:
    context.dispatcher.serve(LocateDevice, lambda _: None)
    execute, trace = context.dispatcher.execute, context.trace
    for kind in ("mqtt", "command line", "http", "datagram"):
        with trace.input(kind, "words", 0.0):
            execute(LocateDevice())
    with trace.input("mqtt", "words", 0.0), trace.because(trace.link(Decision("rule", "r"), 0.0)):
        execute(LocateDevice())

    ways = [(way, what) for way, _, what, _, _ in await closed(trail, tmp_path)]
    assert ways == [("mqtt", "locate-device"), ("command line", "locate-device")]


async def test_a_disk_that_fails_is_told_and_tried_again(
    trail: AuditTrail, context: Context, clock: FakeClock, tmp_path: Path
) -> None:
    told: asyncio.Queue[ServiceStateChanged] = asyncio.Queue()
    context.bus.subscribe(ServiceStateChanged, told.put_nowait)
    (tmp_path / FOLDER).write_text("in the way")

    trail.note(ADA, "first", "200")
    failed = await told.get()
    (tmp_path / FOLDER).unlink()
    clock.advance_to(1.0)
    trail.note(ADA, "second", "200")
    works = await told.get()

    assert (failed.service, failed.working) == ("audit", False)
    assert works.working
    words = "audit trail: 1 entries are lost: the disk was too slow, or failed"
    assert [what for _, _, what, _, _ in await closed(trail, tmp_path)] == ["second", words]


async def test_it_is_read_and_proven_while_it_is_written(trail: AuditTrail) -> None:
    trail.note(ADA, "first", "200")

    [entry] = await trail.page(10, None)
    found = await trail.verify()

    assert (entry["what"], entry["n"]) == ("first", 1)
    assert (found["sound"], found["entries"]) == (True, 1)


async def test_how_it_was_found_is_an_entry(trail: AuditTrail, tmp_path: Path) -> None:
    files = AuditFiles(tmp_path)
    files.open()
    (tmp_path / FOLDER / "000000000001.jsonl").write_bytes(b'{"n":1')

    trail.note(ADA, "first", "200")

    assert "6 bytes" in (await closed(trail, tmp_path))[0][2]


async def test_what_was_no_utf8_hides_nothing_that_others_do(
    trail: AuditTrail, tmp_path: Path
) -> None:
    """Whoever sends half a character is noted, and so is what happened in the same moment."""
    trail.note(ADA, "before", "201")
    trail.note(Actor(way="mqtt", who="\udcff"), "half\udcfe", "ordered")
    trail.note(ADA, "after", "201")

    assert await closed(trail, tmp_path) == [
        ("account", "ada", "before", "201", 1),
        ("mqtt", r"\udcff", r"half\udcfe", "ordered", 1),
        ("account", "ada", "after", "201", 1),
    ]
