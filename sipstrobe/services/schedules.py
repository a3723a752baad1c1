"""Schedules at work: what is due is told to the rules, and what came of it is taken down.

Publishes: ScheduleInterval, SchedulePulse, ClockSet, ServiceStateChanged. What takes long, which is
to find the next occurrences and to write, is done in a thread of its own.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from sipstrobe.clock import Handle
from sipstrobe.context import Context
from sipstrobe.events import ClockSet, ScheduleInterval, SchedulePulse, ServiceStateChanged
from sipstrobe.io.time_zone import system_zone, system_zone_name
from sipstrobe.schedules.days import days
from sipstrobe.schedules.occurrences import Batch, Calendar, Occurrence
from sipstrobe.schedules.settings import Schedule
from sipstrobe.schedules.text import Plan, parse, zone_named
from sipstrobe.schedules.timetable import (
    LOW,
    Ask,
    Begin,
    End,
    Known,
    Miss,
    Output,
    Ring,
    Step,
    Timetable,
    Why,
)
from sipstrobe.services.reached import RuleAtWork, reached, users_of_all
from sipstrobe.trace import Cause

if TYPE_CHECKING:
    from sipstrobe.services.schedule_log import Entry, Record, ScheduleLog

logger = logging.getLogger(__name__)

NEXT: Final = LOW  # occurrences told ahead
MAX_WORDS: Final = 1000  # characters of what came of one
MAX_READ: Final = 1000  # records at a time
MAX_WAITING: Final = 10_000  # records to be written; of more, the oldest are lost
ZONE_LOOK: Final = 60.0  # seconds between two looks at the time zone of the system
CLOSE_LIMIT: Final = 2.0  # seconds that the last write may take at the end


class _Kept(Struct, frozen=True):
    """A schedule as it is kept. key: equal for what occurs alike."""

    text: str
    zone: str
    plan: Plan
    calendar: Callable[[], Calendar]

    @property
    def key(self) -> str:
        return f"{self.zone} {self.text}"

    @property
    def length(self) -> float:
        return 0.0 if self.plan.length is None else self.plan.length.total_seconds()


class Schedules:
    """Keep the schedules. `start` before the first `apply`, `aclose` in the end."""

    def __init__(
        self, context: Context, folder: Path, rules: Callable[[], Sequence[RuleAtWork]]
    ) -> None:
        """rules: as they are at work, to take down which of them an occurrence has reached."""
        self._context = context
        self._clock = context.clock
        self._folder = folder
        self._rules = rules
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "schedules")
        self._log: ScheduleLog | None = None  # of the thread alone
        self._table = Timetable()
        self._kept: dict[str, _Kept] = {}
        self._wanted: tuple[Sequence[Schedule], str] = ((), "")
        self._zone: tuple[str, tzinfo] = ("UTC", UTC)
        self._known: dict[str, tuple[str, Known]] | None = None  # until the first apply
        self._off = (0.0, 0.0)  # when the device was off before this run
        self._timer: Handle | None = None
        self._system_zone = ""
        self._zone_due = 0.0
        self._link: Cause | None = None  # of the event that was published last
        self._waiting: list[Entry] = []
        self._problem = ""
        self._closed = False
        for kind in (SchedulePulse, ScheduleInterval):
            context.bus.subscribe(kind, self._remember_link)

    async def start(self, off_since: float) -> None:
        """Read what is known from before. off_since: the last sign of life of the run before, in
        seconds since 1970; 0: there was none."""
        self._off = (off_since, self._wall())
        try:
            self._known = await asyncio.wrap_future(self._thread.submit(self._read_known))
        except Exception as error:  # a disk that fails keeps no bell from ringing
            self._known = {}
            self._tell(str(error))

    def apply(self, schedules: Sequence[Schedule], time_zone: str) -> None:
        """Keep these from now on. time_zone: by its name; empty: that of the system."""
        self._wanted = (schedules, time_zone)
        self._system_zone = system_zone_name()
        zone = (time_zone, zone_named(time_zone)) if time_zone else system_zone()
        self._zone = zone
        before, self._kept = self._kept, {}
        for schedule in schedules:
            kept = before.get(schedule.name)
            if kept is None or (kept.text, kept.zone) != (schedule.text, zone[0]):
                kept = _keep(schedule.text, *zone)
            self._kept[schedule.name] = kept
        known, self._known = self._known, None
        same = {
            name: there
            for name, (key, there) in (known or {}).items()
            if name in self._kept and self._kept[name].key == key
        }
        wanted = {name: (kept.key, kept.length) for name, kept in self._kept.items()}
        self._table.apply(wanted, same, now=self._clock.now(), wall=self._wall())
        wall = self._wall()
        self._submit(partial(self._note, [(n, k.key, wall) for n, k in self._kept.items()]))
        self._settle()

    async def aclose(self) -> None:
        """Ring no more; what has come of what was rung is written."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._flush()
        closed = self._loop.run_in_executor(self._thread, self._close)
        await asyncio.wait([closed], timeout=CLOSE_LIMIT)
        self._thread.shutdown(wait=False)

    # --- what can be seen ------------------------------------------------------------------------

    def snapshot(self, count: int = 1) -> list[dict[str, Any]]:
        """Each schedule, whether it is on, and its next occurrences, NEXT at most, in its zone."""
        users = users_of_all(self._rules(), self._kept)
        return [
            {
                "name": name,
                "text": kept.text,
                "kind": "interval" if kept.plan.length else "pulse",
                "time_zone": kept.plan.zone or kept.zone,
                "active": self._table.active(name),
                "next": [
                    self._shown(name, at) for at in self._table.upcoming(name)[: min(count, NEXT)]
                ],
                "rules": users[name],
            }
            for name, kept in self._kept.items()
        ]

    async def history(self, schedule: str, limit: int) -> "list[dict[str, Any]] | None":
        """What came of its occurrences, the newest first; None: nothing is known of this name.

        Raises OSError when that cannot be read.
        """
        self._flush()
        wanted = max(0, min(limit, MAX_READ))
        read = self._thread.submit(self._read, schedule, wanted)
        try:
            records = await asyncio.wrap_future(read)
        except Exception as error:
            raise OSError(f"the records of schedules: {error}") from error
        if not records and schedule not in self._kept:
            return None
        return [
            {
                "at": self._words(schedule, one.start),
                "until": None if one.until is None else self._words(schedule, one.until),
                "done": one.done,
                "why": one.words,
            }
            for one in records
        ]

    async def days(self, first: date | None, number: int) -> dict[str, Any]:
        """What is on so many days, in the zone of the device; first: None: from today on."""
        name, zone = self._zone
        today = self._clock.wall().astimezone(zone).date()
        kept = dict(self._kept)

        def look() -> dict[str, Any]:
            calendars = {schedule: one.calendar() for schedule, one in kept.items()}
            found = days(calendars, first or today, number, zone)
            return {
                "occurrences": [
                    {
                        "schedule": entry.schedule,
                        "start": _iso(entry.start, zone),
                        "end": None if entry.end is None else _iso(entry.end, zone),
                        "count": entry.count,
                        "last": _iso(entry.last, zone),
                    }
                    for entry in found.entries
                ],
                "cut": found.cut,
            }

        found = await asyncio.wrap_future(self._thread.submit(look))
        return {"time_zone": name, "today": today.isoformat(), **found}

    async def preview(self, text: str, count: int) -> dict[str, Any]:
        """When a schedule of this text would occur next. Raises ScheduleError."""
        name, zone = self._zone
        plan = parse(text)
        if plan.zone:
            name, zone = plan.zone, zone_named(plan.zone)
        wall = self._wall()
        find = partial(Calendar(plan, zone).after, wall, count)
        batch = await asyncio.wrap_future(self._thread.submit(find))
        return {
            "kind": "interval" if plan.length else "pulse",
            "time_zone": name,
            "next": [
                {
                    "start": _iso(at.start, zone),
                    "end": None if at.end is None else _iso(at.end, zone),
                }
                for at in batch.occurrences
            ],
        }

    # --- from the timetable ------------------------------------------------------------------

    def _look(self) -> None:
        now = self._clock.now()
        if now >= self._zone_due:
            self._zone_due = now + ZONE_LOOK
            if not self._wanted[1] and system_zone_name() != self._system_zone:
                self.apply(*self._wanted)
                return
        self._table.look(now=now, wall=self._wall())
        self._settle()

    def _settle(self) -> None:
        outbox = self._table.outbox
        while outbox:
            self._deliver(outbox.popleft())
        if self._timer is not None:
            self._timer.cancel()
        self._timer = (
            None if self._closed else self._clock.call_at(self._table.deadline, self._look)
        )

    def _deliver(self, output: Output) -> None:
        match output:
            case Ask(name, version, after):
                self._find(name, version, after)
            case Ring(name, at, late):
                words = f"the schedule {name} at {self._words(name, at.start)}"
                self._publish(words, SchedulePulse(schedule=name))
                self._take_down(name, at, late)
            case Begin(name, at, late, again):
                words = f"the schedule {name} from {self._words(name, at.start)}"
                self._publish(words, ScheduleInterval(schedule=name, active=True, again=again))
                if again:
                    self._take_down_again(name, at)
                else:
                    self._take_down(name, at, late)
            case End(name):
                words = f"the schedule {name} has ended"
                self._publish(words, ScheduleInterval(schedule=name, active=False))
            case Miss():
                self._miss(output)
            case Step(before, after):
                self._publish("the clock was set", _clock_set(before, after))

    def _publish(self, words: str, event: SchedulePulse | ScheduleInterval | ClockSet) -> None:
        with self._context.trace.input("schedule", words, self._clock.now()):
            self._context.bus.publish(event)

    def _remember_link(self, _: SchedulePulse | ScheduleInterval) -> None:
        self._link = self._context.trace.current

    # --- what came of it -------------------------------------------------------------------------

    def _take_down(self, name: str, at: Occurrence, late: float) -> None:
        from sipstrobe.services.schedule_log import Record

        done, words = self._outcome(name)
        logger.log(logging.INFO if done else logging.DEBUG, "schedule %r: %s", name, words)
        if late >= 1.0 and at.end is None:
            words += f"; {late:.0f} s late"
        elif late >= 1.0:
            words += f"; only from {self._words(name, self._wall())} on"
        self._write(Record(name, at.start, None, rung=True, done=done, words=words))

    def _take_down_again(self, name: str, at: Occurrence) -> None:
        from sipstrobe.services.schedule_log import Again

        _, words = self._outcome(name)
        begun = self._words(name, self._wall())
        self._write(Again(name, at.start, f"again from {begun}, {self._off_words(name)}: {words}"))

    def _miss(self, miss: Miss) -> None:
        from sipstrobe.services.schedule_log import Record

        name, (begin, end) = miss.schedule, miss.span
        match miss.why:
            case Why.OFF:
                words = self._off_words(name)
            case Why.SET:
                at = f"{self._words(name, begin)} to {self._words(name, end)}"
                words = f"the clock went from {at}: it was set, or the machine slept"
            case Why.HELD_UP:
                words = "the device was held up, and it was over or too late"
        until = miss.until
        if until is not None:
            words += "; so were all until then, which are not told one by one"
        logger.warning("schedule %r at %s: %s", name, self._words(name, miss.at.start), words)
        self._write(Record(name, miss.at.start, until, rung=False, done=False, words=words))

    def _off_words(self, name: str) -> str:
        since, until = self._off
        if not since:
            return f"the device was off until {self._words(name, until)}"
        span = f"{self._words(name, since)} (its last sign of life) to {self._words(name, until)}"
        return f"the device was off from {span}"

    def _outcome(self, name: str) -> tuple[bool, str]:
        """Which rules it has reached: whether one of them acted, and why the others did not."""
        found = reached(self._rules(), name, self._link)
        words = "; ".join(map(str, found))[:MAX_WORDS]
        return any(one.acted for one in found), words or "no rule uses it"

    # --- the thread ------------------------------------------------------------------------------

    def _find(self, name: str, version: int, after: float) -> None:
        kept = self._kept[name]

        def found(batch: Batch) -> None:
            if not self._closed:
                self._table.supply(name, version, batch, now=self._clock.now(), wall=self._wall())
                self._settle()

        def find() -> None:
            try:
                batch = kept.calendar().after(after)
            except Exception:  # a mistake of ours, which ends this schedule and no other
                logger.exception("schedule %r: its occurrences cannot be found", name)
            else:
                self._on_loop(found, batch)

        self._thread.submit(find)

    def _write(self, entry: "Entry") -> None:
        """Soon: what one moment brings is written together."""
        self._waiting.append(entry)
        if len(self._waiting) > MAX_WAITING:
            del self._waiting[0]
        if len(self._waiting) == 1:
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        entries, self._waiting = self._waiting, []
        if entries:
            self._submit(lambda: self._opened().write(entries))

    def _submit(self, step: Callable[[], None]) -> None:
        self._thread.submit(step).add_done_callback(self._done)

    def _done(self, done: "Future[None]") -> None:
        """Called by the thread."""
        if not done.cancelled():
            self._on_loop(self._tell, str(done.exception() or ""))

    def _on_loop(self, step: Callable[[Any], None], value: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(step, value)

    def _opened(self) -> "ScheduleLog":
        from sipstrobe.services.schedule_log import ScheduleLog  # SQLite is not needed to start

        if self._log is None:
            self._log = ScheduleLog(self._folder)
        return self._log

    def _read_known(self) -> dict[str, tuple[str, Known]]:
        return self._opened().known()

    def _note(self, schedules: Sequence[tuple[str, str, float]]) -> None:
        self._opened().note(schedules)

    def _read(self, schedule: str, limit: int) -> "list[Record]":
        return self._opened().records(schedule, limit)

    def _close(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def _tell(self, problem: str) -> None:
        """Publish whether schedules are kept and taken down."""
        if problem == self._problem:
            return
        self._problem = problem
        if problem:
            logger.warning("the records of schedules: %s", problem)
        with self._context.trace.input("file", "schedules", self._clock.now()):
            self._context.bus.publish(
                ServiceStateChanged(service="schedules", working=not problem, problem=problem)
            )

    # --- instants in words -----------------------------------------------------------------------

    def _wall(self) -> float:
        return self._clock.wall().timestamp()

    def _words(self, name: str, instant: float) -> str:
        """As the clock on the wall shows it in the zone of a schedule."""
        kept = self._kept.get(name)
        zone = zone_named(kept.plan.zone) if kept and kept.plan.zone else self._zone[1]
        return _iso(instant, zone)

    def _shown(self, name: str, at: Occurrence) -> Mapping[str, str | None]:
        end = None if at.end is None else self._words(name, at.end)
        return {"start": self._words(name, at.start), "end": end}


def _keep(text: str, name: str, zone: tzinfo) -> _Kept:
    """With a calendar that is made in the thread, when it is first asked."""
    plan = parse(text)
    made: list[Calendar] = []

    def calendar() -> Calendar:
        if not made:
            made.append(Calendar(plan, zone))
        return made[0]

    return _Kept(text, name, plan, calendar)


def _iso(instant: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(instant, zone).isoformat(timespec="seconds")


def _clock_set(before: float, after: float) -> ClockSet:
    said, says = (datetime.fromtimestamp(at, UTC).isoformat() for at in (before, after))
    return ClockSet(before=said, after=says, seconds=round(after - before, 3))
