"""Changing settings while the device runs: in order, off the loop, and with their cause."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator

import pytest

from sipstrobe.clock import LoopClock
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.files import Memory
from sipstrobe.config.store import Store
from sipstrobe.context import Context
from sipstrobe.errors import ConfigError, StaleRevision
from sipstrobe.events import SettingsChanged
from sipstrobe.services.settings import SettingsService
from sipstrobe.trace import Actor, Input


class SlowDisk(Memory):
    """Writes only when it is let to, in whichever thread asks; may be full."""

    def __init__(self) -> None:
        super().__init__()
        self.free = threading.Event()
        self.free.set()
        self.full = False
        self.threads: set[int] = set()

    def write(self, name: str, data: bytes, *, mode: int) -> None:
        self.threads.add(threading.get_ident())
        assert self.free.wait(10)
        if self.full:
            raise OSError("no space left on device")
        super().write(name, data, mode=mode)


class Desk:
    """A settings service on a bus, and what it told."""

    def __init__(self) -> None:
        self.disk = SlowDisk()
        self.store = Store.load(self.disk, lambda n: bytes(n))
        self.disk.threads.clear()
        self.context = Context(LoopClock(asyncio.get_running_loop()))
        self.service = SettingsService(self.context, self.store)
        self.told: list[SettingsChanged] = []
        self.context.bus.subscribe(SettingsChanged, self.told.append)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    desk.disk.free.set()
    await desk.service.aclose()


async def test_a_change_is_stored_in_another_thread_and_then_told(desk: Desk) -> None:
    change = await desk.service.change({"sip": {"port": 5070}})

    assert desk.disk.threads.isdisjoint({threading.get_ident()})
    assert change.after.sip.port == desk.store.current.sip.port == 5070
    assert desk.told == [SettingsChanged(revision=2, paths="/sip/port")]


async def test_nothing_is_seen_that_is_not_stored(desk: Desk) -> None:
    desk.disk.free.clear()
    changing = desk.service.change({"sip": {"port": 5070}})
    await asyncio.sleep(0.01)

    assert desk.store.current.sip.port == 5060
    desk.disk.free.set()
    await changing
    assert desk.store.current.sip.port == 5070


async def test_changes_come_into_effect_in_the_order_they_were_asked_for(desk: Desk) -> None:
    ports: list[int] = []
    desk.store.watch(lambda s: s.sip.port, ports.append)

    await asyncio.gather(*[desk.service.change({"sip": {"port": 6000 + i}}) for i in range(20)])

    assert ports == [5060, *range(6000, 6020)]
    assert desk.store.revision == 21


async def test_concurrent_changes_of_different_parts_are_both_kept(desk: Desk) -> None:
    await asyncio.gather(
        desk.service.change({"sip": {"port": 5070}}), desk.service.put("/web/port", 8081)
    )

    assert (desk.store.current.sip.port, desk.store.current.web.port) == (5070, 8081)


async def test_of_two_changes_from_the_same_view_the_second_is_stale(desk: Desk) -> None:
    seen = desk.store.revision
    first = desk.service.change({"sip": {"port": 5070}}, revision=seen)

    with pytest.raises(StaleRevision):
        desk.service.change({"sip": {"port": 5080}}, revision=seen)
    await first


async def test_the_command_answers_with_the_revision_to_be(desk: Desk) -> None:
    """Rules give orders and do not wait; what is wrong is said at once."""
    revision = desk.context.dispatcher.execute(ChangeSettings(patch={"sip": {"port": 5070}}))
    with pytest.raises(ConfigError):
        desk.context.dispatcher.execute(ChangeSettings(patch={"sip": {"port": 1}}))
    settled = desk.service.settled()
    assert settled is not None
    await settled

    assert (revision, desk.store.revision) == (2, 2)
    assert desk.service.settled() is None


async def test_the_event_names_the_input_that_asked(desk: Desk) -> None:
    kinds: list[list[str]] = []

    def note(event: SettingsChanged) -> None:
        link = desk.context.trace.current
        assert link is not None
        kinds.append([type(cause.what).__name__ for cause in link.chain()])

    desk.context.bus.subscribe(SettingsChanged, note)
    with desk.context.trace.input("http", "PATCH /settings", 0.0):
        desk.context.dispatcher.execute(ChangeSettings(patch={"sip": {"port": 5070}}))
    await desk.service.aclose()

    assert kinds == [["SettingsChanged", "ChangeSettings", "Input"]]


async def test_a_full_disk_changes_nothing(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.disk.full = True
    first = desk.service.change({"sip": {"port": 5070}})
    second = desk.service.change({"web": {"port": 8081}})

    with caplog.at_level(logging.CRITICAL, logger="sipstrobe.services.settings"):
        for failed in (first, second):
            with pytest.raises(OSError, match="no space"):
                await failed

    assert desk.told == []
    desk.disk.full = False
    assert (await desk.service.change({"sip": {"port": 5071}})).revision == 2


async def test_closing_waits_for_what_is_being_stored(desk: Desk) -> None:
    desk.service.change({"sip": {"port": 5070}})
    await desk.service.aclose()

    assert b"5070" in desk.disk.contents["settings.json"]


async def test_what_the_command_line_asks_for_is_known_to_be_its_wish(desk: Desk) -> None:
    """For the audit trail, also when the change is stored later, and by nobody else's doing."""
    causes: list[object] = []

    def note(_: SettingsChanged) -> None:
        cause = desk.context.trace.current
        causes.append(cause.root.what.actor if cause and isinstance(cause.root.what, Input) else "")

    desk.context.bus.subscribe(SettingsChanged, note)

    async def work() -> int:
        await asyncio.sleep(0)
        return (await desk.service.change({"sip": {"port": 5070}})).revision

    revision = await desk.service.by_command_line("sipstrobe", work())
    await desk.service.change({"sip": {"port": 5080}})

    assert revision == desk.store.revision - 1
    assert causes == [Actor(way="command line"), ""]
