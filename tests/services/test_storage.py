"""The disk: room, and whether it can be written."""

import os
from pathlib import Path

from sipstrobe.context import Context
from sipstrobe.events import StorageAlert
from sipstrobe.services.run_file import FILE, begin_run
from sipstrobe.services.storage import LOOK, Storage
from tests.support.clock import FakeClock
from tests.support.waiting import until


async def test_a_look_is_a_sign_of_life_and_tells_what_is_free(tmp_path: Path) -> None:
    begin_run(tmp_path)
    os.utime(tmp_path / FILE, (1.0, 1.0))
    storage = Storage(Context(FakeClock()), tmp_path)

    storage.open()
    await until(lambda: storage.free_mb)
    storage.close()

    assert (tmp_path / FILE).stat().st_mtime > 1.0
    found = os.statvfs(tmp_path)
    assert storage.free_mb <= found.f_blocks * found.f_frsize // 1024**2


async def test_a_disk_that_cannot_be_written_is_an_alert_until_it_can(tmp_path: Path) -> None:
    clock = FakeClock()
    context = Context(clock)
    told: list[StorageAlert] = []
    context.bus.subscribe(StorageAlert, told.append)
    storage = Storage(context, tmp_path)

    storage.open()  # nothing has begun a run here
    await until(lambda: told)
    begin_run(tmp_path)
    clock.advance(LOOK)
    await until(lambda: len(told) == 2)
    storage.close()

    assert [event.alert for event in told] == [True, False]
    assert "cannot be written" in told[0].words
    assert clock.waiting == 0
