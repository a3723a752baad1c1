"""Schedules at work, from the settings to the rules and to the record of what came of them."""

import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.commands import SetVirtualInput as Order
from sipstrobe.context import Context
from sipstrobe.errors import CommandRefused
from sipstrobe.events import (
    ClockSet,
    Event,
    ManualTriggerChanged,
    ScheduleInterval,
    SchedulePulse,
    ServiceStateChanged,
)
from sipstrobe.rules.actions import SetVirtualInput
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.schedules.settings import Schedule
from sipstrobe.schedules.text import ScheduleError
from sipstrobe.services.automation import Automation
from sipstrobe.services.schedules import Schedules
from tests.support.clock import FakeClock
from tests.support.waiting import until

BELL = Schedule(name="Bell", text="DTSTART:20300101T080000 RRULE:FREQ=HOURLY")
SHIFT = Schedule(name="Shift", text="DTSTART:20300101T080000 DTEND:20300101T160000")
OPEN = Condition(event="input/manual_trigger", match={"trigger": "1", "active": "true"})


def rule(*conditions: Condition, enabled: bool = True, name: str = "Ring") -> Rule:
    pulse = Condition(event="schedule/pulse", match={"schedule": "Bell"})
    action = SetVirtualInput(input=1)
    return Rule(name=name, enabled=enabled, when=pulse, conditions=conditions, action=action)


class WallClock(FakeClock):
    """Its calendar can be set."""

    ahead = timedelta(0)

    def wall(self) -> datetime:
        return super().wall() + self.ahead


@dataclass
class Bench:
    folder: Path
    clock: WallClock = field(default_factory=WallClock)
    orders: int = 0
    refuses: bool = False
    told: list[Event] = field(default_factory=list[Event])

    def __post_init__(self) -> None:
        self.context = Context(self.clock)
        self.automation = Automation(self.context)
        self.context.dispatcher.serve(Order, self._order)
        for kind in (ScheduleInterval, SchedulePulse, ClockSet, ServiceStateChanged):
            self.context.bus.subscribe(kind, self.told.append)
        self.schedules = Schedules(self.context, self.folder, self.automation.snapshot)

    def _order(self, _: Order) -> bool:
        if self.refuses:
            raise CommandRefused("no", "not today")
        self.orders += 1
        return True

    async def to(self, hours: float) -> None:
        """Go to this hour of January 1; of those on the way, look at the first second."""
        while (now := self.clock.time) < hours * 3600:
            turn = now // 3600 * 3600 + 3600
            self.clock.time = min(turn, hours * 3600) - 0.5
            self.clock.advance(1.0)
            await self.known()

    async def known(self) -> None:
        """Wait until all that was asked of the thread has been answered."""
        with suppress(OSError):
            await self.schedules.history("Bell", 1)

    async def came_of(self, name: str = "Bell") -> list[tuple[str, bool, str]]:
        """The newest first: when, whether done, and why."""
        found: Sequence[dict[str, Any]] | None = await self.schedules.history(name, 100)
        return [(one["at"][11:16], one["done"], one["why"]) for one in found or ()]


@asynccontextmanager
async def running(
    folder: Path,
    *schedules: Schedule,
    rules: Sequence[Rule] = (),
    zone: str = "UTC",
    hour: float = 7.5,
    off_since: float = 0.0,
) -> AsyncGenerator[Bench]:
    bench = Bench(folder)
    bench.clock.time = hour * 3600
    bench.automation.apply(rules)
    await bench.schedules.start(off_since)
    bench.schedules.apply(schedules, zone)
    await bench.known()
    try:
        yield bench
    finally:
        await bench.schedules.aclose()


async def test_a_bell_rings_and_the_record_says_by_which_rule(tmp_path: Path) -> None:
    """SCH-01, EVT-09."""
    async with running(tmp_path, BELL, rules=[rule()]) as bench:
        await bench.to(9.5)

        assert [e for e in bench.told if isinstance(e, SchedulePulse)] == [
            SchedulePulse(schedule="Bell")
        ] * 2
        assert bench.orders == 2
        why = "the rule 'Ring' acted"
        assert await bench.came_of() == [("09:00", True, why), ("08:00", True, why)]


async def test_a_bell_that_did_not_ring_says_why(tmp_path: Path) -> None:
    async with running(tmp_path, BELL, rules=[rule(OPEN)]) as bench:
        await bench.to(8.5)
        bench.context.bus.publish(ManualTriggerChanged(trigger=1, active=True))
        bench.refuses = True
        await bench.to(9.5)
        bench.automation.apply([rule(enabled=False)])
        await bench.to(10.5)
        bench.automation.apply([])
        await bench.to(11.5)

        assert await bench.came_of() == [
            ("11:00", False, "no rule uses it"),
            ("10:00", False, "the rule 'Ring' is switched off"),
            ("09:00", False, "the rule 'Ring' could not act: not today"),
            (
                "08:00",
                False,
                "the rule 'Ring' did not act: not so: input/manual_trigger: trigger 1, active true",
            ),
        ]


async def test_an_interval_is_a_state_as_long_as_it_lasts(tmp_path: Path) -> None:
    async with running(tmp_path, SHIFT) as bench:
        await bench.to(9.0)
        (shown,) = bench.schedules.snapshot()
        assert shown["active"]
        assert shown["next"] == []

        await bench.to(16.5)

        states = [e.active for e in bench.told if isinstance(e, ScheduleInterval)]
        assert states == [True, False]


async def test_what_comes_next_is_told_in_the_zone_of_the_device(tmp_path: Path) -> None:
    async with running(
        tmp_path, BELL, SHIFT, zone="Europe/Berlin", hour=0, rules=[rule()]
    ) as bench:
        bell, shift = bench.schedules.snapshot(2)

        assert [one["start"] for one in bell["next"]] == [
            "2030-01-01T08:00:00+01:00",
            "2030-01-01T09:00:00+01:00",
        ]
        assert shift["next"][0]["end"] == "2030-01-01T16:00:00+01:00"
        assert (bell["kind"], shift["kind"]) == ("pulse", "interval")
        assert (bell["rules"], shift["rules"]) == (["Ring"], [])

        bench.schedules.apply((BELL,), "Europe/London")
        await bench.known()
        await until(lambda: bench.schedules.snapshot()[0]["next"])
        (moved,) = bench.schedules.snapshot()
        assert moved["next"][0]["start"] == "2030-01-01T08:00:00+00:00"


async def test_what_was_due_while_the_device_was_off_is_on_record(tmp_path: Path) -> None:
    """Nothing was told in time, and nothing is rung late; what rang before is not forgotten."""
    async with running(tmp_path, BELL, rules=[rule()]) as bench:
        await bench.to(8.5)
        alive = bench.clock.wall().timestamp()

    async with running(tmp_path, BELL, rules=[rule()], hour=10.25, off_since=alive) as bench:
        await until(lambda: len(bench.schedules.snapshot()[0]["next"]) > 0)
        await bench.to(11.5)

        off = "the device was off from 2030-01-01T08:30:00+00:00 (its last sign of life) to "
        acted = "the rule 'Ring' acted"
        assert await bench.came_of() == [
            ("11:00", True, acted),
            ("10:00", False, off + "2030-01-01T10:15:00+00:00"),
            ("09:00", False, off + "2030-01-01T10:15:00+00:00"),
            ("08:00", True, acted),
        ]
        assert bench.orders == 1


async def test_an_interval_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, SHIFT) as bench:
        await bench.to(9.0)

    async with running(tmp_path, SHIFT, hour=10.0, off_since=1.0) as bench:
        await until(lambda: bench.schedules.snapshot()[0]["active"])

        ((at, _, why),) = await bench.came_of("Shift")
        assert at == "08:00"
        assert [e.again for e in bench.told if isinstance(e, ScheduleInterval)] == [True]
        assert "; again from 2030-01-01T10:00:00+00:00, the device was off" in why


async def test_a_clock_that_is_set_is_told_and_rings_nothing_twice(tmp_path: Path) -> None:
    async with running(tmp_path, BELL, rules=[rule()]) as bench:
        await bench.to(8.5)
        bench.clock.ahead = timedelta(hours=-1)
        await bench.to(9.25)  # 8:15 on the wall
        bench.clock.ahead = timedelta(hours=2)
        bench.clock.advance(5.0)

        steps = [e.seconds for e in bench.told if isinstance(e, ClockSet)]
        assert steps == [-3600.0, 10800.0]
        (_, eleven, *_) = [("", False, ""), *await bench.came_of()]
        assert eleven[:2] == ("11:00", False)
        assert "it was set, or the machine slept" in eleven[2]
        assert bench.orders == 1


async def test_a_change_begins_anew(tmp_path: Path) -> None:
    """What a schedule would have been before it was made is nothing that was missed."""
    async with running(tmp_path, BELL) as bench:
        await bench.to(8.25)
    changed = Schedule(name="Bell", text=BELL.text + ";INTERVAL=2")

    async with running(tmp_path, changed, hour=11.0, off_since=1.0) as bench:
        await bench.to(12.5)

        assert [at for at, _, _ in await bench.came_of()] == ["12:00", "08:00"]


async def test_a_disk_that_fails_keeps_no_bell_from_ringing(tmp_path: Path) -> None:
    (tmp_path / "schedules.db").mkdir()
    async with running(tmp_path / "schedules.db" / "none", rules=[rule()]) as bench:
        bench.schedules.apply((BELL,), "UTC")
        await until(lambda: bench.schedules.snapshot()[0]["next"])
        await bench.to(8.5)

        assert bench.orders == 1
        await until(lambda: any(isinstance(e, ServiceStateChanged) for e in bench.told))


async def test_a_name_that_nothing_ever_had_has_no_records(tmp_path: Path) -> None:
    async with running(tmp_path, BELL) as bench:
        assert await bench.schedules.history("Nothing", 10) is None
        assert await bench.schedules.history("Bell", 10) == []


async def test_records_stand_in_a_file_that_outlives_the_power(tmp_path: Path) -> None:
    async with running(tmp_path, BELL) as bench:
        await bench.to(8.25)
        await bench.known()

        with sqlite3.connect(tmp_path / "schedules.db") as other:
            (count,) = other.execute("SELECT count(*) FROM occurrences").fetchone()
        other.close()
        assert count == 1


async def test_the_calendar_is_of_the_zone_of_the_device(tmp_path: Path) -> None:
    """SCH-01."""
    async with running(tmp_path, SHIFT, zone="Asia/Tokyo", hour=20.0) as bench:
        found = await bench.schedules.days(None, 1)

        assert (found["time_zone"], found["today"]) == ("Asia/Tokyo", "2030-01-02")
        assert found["occurrences"] == []
        [entry] = (await bench.schedules.days(date(2030, 1, 1), 1))["occurrences"]
        assert entry == {
            "schedule": "Shift",
            "start": "2030-01-01T08:00:00+09:00",
            "end": "2030-01-01T16:00:00+09:00",
            "count": 1,
            "last": "2030-01-01T08:00:00+09:00",
        }


async def test_a_schedule_is_looked_at_before_it_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as bench:
        bell = await bench.schedules.preview(BELL.text, 2)
        shift = await bench.schedules.preview("DTSTART;TZID=Asia/Tokyo:20300102T080000", 2)

        assert bell == {
            "kind": "pulse",
            "time_zone": "UTC",
            "next": [
                {"start": "2030-01-01T08:00:00+00:00", "end": None},
                {"start": "2030-01-01T09:00:00+00:00", "end": None},
            ],
        }
        assert shift["time_zone"] == "Asia/Tokyo"
        assert [one["start"] for one in shift["next"]] == ["2030-01-02T08:00:00+09:00"]
        with pytest.raises(ScheduleError):
            await bench.schedules.preview("nonsense", 1)
