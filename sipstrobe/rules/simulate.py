"""What rules would do: the same engine, with events that are made up or were recorded.

Nothing is carried out, and of what actions would cause only this is known: that a rule is active
(rule/state), so that rules which watch others take part. All else comes from the events given.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from msgspec import Struct

from sipstrobe.commands import Command
from sipstrobe.errors import Problem
from sipstrobe.events import DECLARED, Kind, RuleStateChanged, choices
from sipstrobe.rules.engine import Begin, End, Engine, Output
from sipstrobe.rules.explain import Outcome, Record
from sipstrobe.rules.settings import Rule
from sipstrobe.trace import Cause, Input

MAX_EVENTS = 2000
MAX_SECONDS = 31 * 24 * 3600.0
MAX_STEPS = 50_000  # times that a rule is touched
MAX_ENTRIES = 2000  # of the timeline

_QUIET = (Outcome.RUNS, Outcome.NOT_FIRED)
_RULE_STATE = RuleStateChanged.outside.topic


class Happening(Struct, frozen=True):
    """Something that happens, `at` seconds after the beginning."""

    at: float
    event: str
    items: Mapping[str, str]


@dataclass(slots=True)
class Entry:
    """What came of an event for one rule. orders: what the rule would have ordered."""

    record: Record
    orders: list[Command] = field(default_factory=list[Command])


@dataclass(slots=True)
class Timeline:
    """What the rules would have done, in order. cut: why the rest is missing; empty: nothing is."""

    entries: list[Entry]
    active: list[str]  # the rules that are active in the end
    seconds: float
    cut: str = ""


class _TooMuch(Exception):
    """A bound is reached; its words say which."""


def problems(happenings: Sequence[Happening], path: str = "") -> list[Problem]:
    """What is wrong with events that somebody has made up."""
    found: list[Problem] = []
    before = 0.0
    for i, happening in enumerate(happenings):
        place = f"{path}/{i}"
        if not before <= happening.at <= MAX_SECONDS:
            words = f"must be from {before:g}, where the one before it is, to {MAX_SECONDS:g}"
            found.append(Problem(place + "/at", words))
        before = max(before, happening.at)
        event = DECLARED.get(happening.event)
        if event is None:
            found.append(Problem(place + "/event", f"there is no event {happening.event!r}"))
            continue
        known = choices(event)
        for name, value in happening.items.items():
            if name not in known:
                words = f"there is no such item of {happening.event}"
                found.append(Problem(f"{place}/items/{name}", words))
            elif (values := known[name]) is not None and value not in values:
                found.append(
                    Problem(f"{place}/items/{name}", "must be one of " + ", ".join(values))
                )
    return found


def simulate(
    rules: Iterable[Rule],
    happenings: Iterable[Happening],
    *,
    before: Iterable[Happening] = (),
    seconds: float | None = None,
) -> Timeline:
    """The timeline of these rules.

    before: what holds when they are taken up. seconds: until when; None: until the last event.
    """
    run = _Run()
    at = 0.0
    cut = ""
    try:
        for happening in before:
            run.feed(happening, 0.0)
        run.apply(list(rules))
        for number, happening in enumerate(happenings):
            if number >= MAX_EVENTS:
                raise _TooMuch(f"there are more than {MAX_EVENTS} events")
            run.wake_until(happening.at)
            at = happening.at
            run.feed(happening, at)
        at = max(at, min(seconds or at, MAX_SECONDS))
        run.wake_until(at)
    except _TooMuch as bound:
        cut = str(bound)
    active = [name for name, state in run.engine.rules.items() if state.active]
    return Timeline(run.entries, active, at, cut)


class _Run:
    """An engine, and what it does."""

    def __init__(self) -> None:
        self.engine = Engine(self._note)
        self.entries: list[Entry] = []
        self._steps = 0
        self._serials = count(1)
        self._by_record: dict[int, Entry] = {}
        self._waiting: deque[tuple[Output, Cause | None]] = deque()
        self._active: set[str] = set()

    def apply(self, rules: Sequence[Rule]) -> None:
        self.engine.apply(rules, now=0.0)
        self._settle(None, 0.0)

    def feed(self, happening: Happening, now: float) -> None:
        words = f"{happening.event} at {now:g} s"
        cause = Cause(next(self._serials), now, Input("simulation", words))
        self._take(happening.event, completed(happening.event, happening.items), now, cause)
        self._settle(cause, now)

    def wake_until(self, until: float) -> None:
        while (due := self.engine.deadline) is not None and due <= until:
            self.engine.wake(now=due)
            self._settle(Cause(next(self._serials), due, Input("timer", "rules")), due)

    def _take(self, topic: str, items: Mapping[str, str], now: float, cause: Cause) -> None:
        outside = DECLARED[topic].outside
        if outside.kind is Kind.PROPERTY:
            source = tuple([items[name] for name in outside.source])
            self.engine.property(topic, source, items, now=now, cause=cause)
        else:
            self.engine.pulse(topic, items, now=now, cause=cause)

    def _settle(self, cause: Cause | None, now: float) -> None:
        """Let rules see which others have begun or ended, as often as that changes anything."""
        self._collect(cause)
        while self._waiting:
            output, cause = self._waiting.popleft()
            name = output.rule.name
            if isinstance(output, Begin):
                if (entry := self._by_record.get(id(output.record))) and output.command:
                    entry.orders.append(output.command)
                if not output.active or name in self._active:
                    continue
                self._active.add(name)
            elif isinstance(output, End):
                self._active.discard(name)
            else:
                continue
            active = "true" if isinstance(output, Begin) else "false"
            link = Cause(next(self._serials), now, None, cause)
            self._take(_RULE_STATE, {"rule": name, "active": active}, now, link)
            self._collect(link)

    def _collect(self, cause: Cause | None) -> None:
        self._waiting.extend((output, cause) for output in self.engine.outbox)
        self.engine.outbox.clear()

    def _note(self, record: Record) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise _TooMuch(f"rules were touched more than {MAX_STEPS} times")
        outcome = record.outcome
        if outcome in _QUIET or (record.came.topic == "settings" and outcome is Outcome.UNMET):
            return
        if len(self.entries) >= MAX_ENTRIES:
            raise _TooMuch(f"the timeline has more than {MAX_ENTRIES} entries")
        entry = Entry(record)
        self.entries.append(entry)
        self._by_record[id(record)] = entry


def completed(topic: str, items: Mapping[str, str]) -> dict[str, str]:
    """All items of an event; those that are not given are as at rest, or else empty."""
    event = DECLARED[topic]
    blank = {name: event.outside.rest.get(name, "") for name in choices(event)}
    return blank | dict(items)
