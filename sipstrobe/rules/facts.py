"""What holds just now, and which of the things that rules watch have changed by an input.

Each distinct condition of all rules is one Watch. An input finds its watches by the values it has
(`match.Finder`) and touches no other, so that its price does not grow with the number of rules.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sipstrobe.events import DECLARED, Kind
from sipstrobe.rules.match import Finder
from sipstrobe.rules.settings import Condition

R = TypeVar("R")

MAX_SOURCES = 4096  # of one property; of more, the one that came first is forgotten

Source = tuple[str, ...]


@dataclass(slots=True, eq=False)
class Watch(Generic[R]):
    """One event with wanted items, whoever asks for it; inversion is the asker's affair."""

    at_rest: bool  # it holds when none of its sources has anything to report
    holding: dict[Source, Mapping[str, str]] = field(
        default_factory=dict[Source, Mapping[str, str]]
    )  # the sources that match, first the one that matches longest
    reporting: int = 0  # sources it is about that report something; counted only if at_rest
    holds: bool = False
    conditions: list[tuple[R, int]] = field(default_factory=list[tuple[R, int]])
    triggers: list[tuple[R, bool]] = field(default_factory=list[tuple[R, bool]])

    def turn(self) -> bool:
        """Decide anew whether it holds; is it different from before?"""
        before = self.holds
        self.holds = bool(self.holding) or (self.at_rest and not self.reporting)
        return self.holds is not before


@dataclass(slots=True)
class Changes(Generic[R]):
    """turned: hold and did not, or the reverse; fresh: a source has newly come to match."""

    turned: list[Watch[R]] = field(default_factory=list[Watch[R]])
    fresh: list[Watch[R]] = field(default_factory=list[Watch[R]])

    def __bool__(self) -> bool:
        return bool(self.turned or self.fresh)


@dataclass(slots=True)
class _Entry(Generic[R]):
    items: Mapping[str, str]
    matched: list[Watch[R]] = field(default_factory=list[Watch[R]])


class _Topic(Generic[R]):
    """One event: the last value of each source, and who watches it."""

    def __init__(self, name: str) -> None:
        outside = DECLARED[name].outside
        self.is_property = outside.kind is Kind.PROPERTY
        self.source = outside.source
        self.rest = outside.rest
        self.entries: dict[Source, _Entry[R]] = {}
        self.forget()

    def forget(self) -> None:
        self.finder: Finder[Watch[R]] = Finder()  # by all that is wanted
        self.resting: Finder[Watch[R]] = Finder()  # by what is wanted of the source
        self.rests = False  # is there anything in `resting`?

    def enter(self, source: Source, items: Mapping[str, str]) -> _Entry[R]:
        entry: _Entry[R] = _Entry(items)
        self.entries[source] = entry
        return entry

    def at_rest(self, items: Mapping[str, str]) -> bool:
        """Does a source with these items have nothing to report?"""
        for name, text in self.rest.items():
            if items[name] != text:
                return False
        return bool(self.rest)

    def add(self, match: Mapping[str, str]) -> Watch[R]:
        about = {n: v for n, v in match.items() if n in self.source}
        values = {n: v for n, v in match.items() if n not in self.source}
        at_rest = self.is_property and bool(values) and values.items() <= self.rest.items()
        watch: Watch[R] = Watch(at_rest, holds=at_rest)
        self.finder.add(match, watch)
        if at_rest:
            self.resting.add(about, watch)
            self.rests = True
        return watch


class Facts(Generic[R]):
    """The last value of every source of every property, and the watches on them."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic[R]] = {}
        self._watches: dict[tuple[str, tuple[tuple[str, str], ...]], Watch[R]] = {}
        self._watched: set[str] = set()

    def watch(self, condition: Condition) -> Watch[R]:
        """The watch on what this condition wants, made on first use."""
        key = (condition.event, tuple(sorted(condition.match.items())))
        if key not in self._watches:
            self._watches[key] = self._topic(condition.event).add(condition.match)
            self._watched.add(condition.event)
        return self._watches[key]

    def forget_watches(self) -> None:
        """Keep the values and forget who watches them."""
        self._watches.clear()
        self._watched.clear()
        for topic in self._topics.values():
            topic.forget()
            for entry in topic.entries.values():
                entry.matched = []

    def find_again(self) -> None:
        """Bring new watches up to what holds."""
        for topic in self._topics.values():
            for source, entry in topic.entries.items():
                self._match(topic, source, entry)
                self._report(topic, entry.items, 1)
        for watch in self._watches.values():
            watch.turn()

    def watched(self, topic: str) -> bool:
        return topic in self._watched

    def set(self, name: str, source: Source, items: Mapping[str, str]) -> Changes[R] | None:
        """A source has a new value; one that equals the declared rest ends its entry."""
        topic = self._topic(name)
        entry = topic.entries.get(source)
        if topic.at_rest(items):
            return self._leave(topic, source) if entry is not None else None
        if entry is not None:
            entry.items = items
            return self._changes(*self._match(topic, source, entry))
        left = None
        if len(topic.entries) >= MAX_SOURCES:
            left = self._leave(topic, next(iter(topic.entries)))
        entry = topic.enter(source, items)
        touched, fresh = self._match(topic, source, entry)
        touched += self._report(topic, items, 1)
        changes = self._changes(touched, fresh)
        return changes if left is None else _both(left, changes)

    def pulse(self, name: str, items: Mapping[str, str]) -> Changes[R] | None:
        """The watches that something which merely happens answers."""
        topic = self._topics.get(name)
        fresh = list(topic.finder.find(items)) if topic is not None else []
        return Changes(fresh=fresh) if fresh else None

    def _topic(self, name: str) -> _Topic[R]:
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _Topic(name)
        return topic

    def _leave(self, topic: _Topic[R], source: Source) -> Changes[R] | None:
        entry = topic.entries.pop(source)
        for watch in entry.matched:
            del watch.holding[source]
        return self._changes(entry.matched + self._report(topic, entry.items, -1), [])

    def _match(
        self, topic: _Topic[R], source: Source, entry: _Entry[R]
    ) -> tuple[list[Watch[R]], list[Watch[R]]]:
        """Bring the watches up to the entry: those that gained or lost it, those that gained it."""
        matched = list(topic.finder.find(entry.items))
        before, entry.matched = entry.matched, matched
        for watch in matched:
            watch.holding[source] = entry.items
        if matched == before:
            return [], []
        lost = [watch for watch in before if watch not in matched]
        for watch in lost:
            del watch.holding[source]
        gained = [watch for watch in matched if watch not in before]
        return lost + gained, gained

    def _report(self, topic: _Topic[R], items: Mapping[str, str], by: int) -> list[Watch[R]]:
        """Count a source that has begun (1) or ceased (-1) to report; the watches it concerns."""
        if not topic.rests:
            return []
        found = list(topic.resting.find(items))
        for watch in found:
            watch.reporting += by
        return found

    @staticmethod
    def _changes(touched: Iterable[Watch[R]], fresh: list[Watch[R]]) -> Changes[R] | None:
        turned = [watch for watch in touched if watch.turn()]
        return Changes(turned, fresh) if turned or fresh else None


def _both(first: Changes[R], second: Changes[R] | None) -> Changes[R]:
    if second is None:
        return first
    return Changes(first.turned + second.turned, first.fresh + second.fresh)
