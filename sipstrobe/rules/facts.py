"""What holds just now, and which of the things that rules watch have changed by an input.

Each distinct condition of all rules is one Watch. An input finds its watches by the values it has
(`match.Finder`) and touches no other, so that its price does not grow with the number of rules.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sipstrobe.events import DECLARED
from sipstrobe.rules.match import Finder
from sipstrobe.rules.settings import Condition
from sipstrobe.trace import Cause

R = TypeVar("R")

MAX_SOURCES = 4096  # of one property; of more, the one that came first is forgotten

Source = tuple[str, ...]
_Key = tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class Came:
    """An input: what came when, and because of what."""

    topic: str  # of the event; or "timer", or "settings": the rules were changed
    items: Mapping[str, str]
    now: float
    cause: Cause | None


@dataclass(slots=True, eq=False)
class Watch(Generic[R]):
    """One event with wanted items, whoever asks for it; inversion is the asker's affair."""

    event: str
    match: Mapping[str, str]
    at_rest: bool  # it holds when none of its sources has anything to report
    turned: Came  # what made it hold, or no longer hold; of old, what it was found by
    holding: dict[Source, Mapping[str, str]] = field(
        default_factory=dict[Source, Mapping[str, str]]
    )  # the sources that match, first the one that matches longest
    reporting: int = 0  # sources it is about that report something; counted only if at_rest
    holds: bool = False
    conditions: dict[R, int] = field(default_factory=dict[R, int])  # its places in each rule: bits
    triggers: dict[R, bool] = field(default_factory=dict[R, bool])  # whether inverted

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
    came: Came  # the last value
    matched: list[Watch[R]] = field(default_factory=list[Watch[R]])


class _Topic(Generic[R]):
    """One event: the last value of each source, and who watches it."""

    def __init__(self, name: str) -> None:
        self.name = name
        outside = DECLARED[name].outside
        self.source = outside.source
        self.rest = outside.rest
        self.entries: dict[Source, _Entry[R]] = {}
        self.watches: dict[_Key, Watch[R]] = {}
        self.finder: Finder[Watch[R]] = Finder()  # by all that is wanted
        self.resting: Finder[Watch[R]] = Finder()  # by what is wanted of the source

    def enter(self, source: Source, came: Came) -> _Entry[R]:
        entry: _Entry[R] = _Entry(came)
        self.entries[source] = entry
        return entry

    def at_rest(self, items: Mapping[str, str]) -> bool:
        """Does a source with these items have nothing to report?"""
        for name, text in self.rest.items():
            if items[name] != text:
                return False
        return bool(self.rest)

    def add(self, match: Mapping[str, str], came: Came) -> Watch[R]:
        """A new watch, which knows nothing of the sources yet."""
        values = {n: v for n, v in match.items() if n not in self.source}
        at_rest = bool(values) and values.items() <= self.rest.items()
        watch: Watch[R] = Watch(self.name, match, at_rest, came, holds=at_rest)
        self.watches[_key(match)] = watch
        self.finder.add(match, watch)
        if at_rest:
            self.resting.add(self._about(match), watch)
        return watch

    def look(self, watches: Iterable[Watch[R]]) -> None:
        """Bring new watches up to what holds."""
        finder: Finder[Watch[R]] = Finder()
        resting: Finder[Watch[R]] = Finder()
        for watch in watches:
            finder.add(watch.match, watch)
            if watch.at_rest:
                resting.add(self._about(watch.match), watch)
        for source, entry in self.entries.items():
            items = entry.came.items
            for watch in finder.find(items):
                if not watch.holding:
                    watch.turned = entry.came
                entry.matched.append(watch)
                watch.holding[source] = items
            for watch in resting.find(items):
                watch.reporting += 1

    def remove(self, watch: Watch[R]) -> None:
        del self.watches[_key(watch.match)]
        self.finder.remove(watch.match, watch)
        if watch.at_rest:
            self.resting.remove(self._about(watch.match), watch)
        for source in watch.holding:
            self.entries[source].matched.remove(watch)

    def _about(self, match: Mapping[str, str]) -> dict[str, str]:
        """What is wanted of the source."""
        return {n: v for n, v in match.items() if n in self.source}


class Facts(Generic[R]):
    """The last value of every source of every property, and the watches on them."""

    def __init__(self) -> None:
        self._topics: dict[str, _Topic[R]] = {}

    def watch(self, conditions: Iterable[Condition], came: Came) -> Iterator[Watch[R]]:
        """The watch on what each of these conditions wants; those that nobody had are new."""
        new: dict[str, list[Watch[R]]] = {}
        found: list[Watch[R]] = []
        for condition in conditions:
            topic = self._topic(condition.event)
            watch = topic.watches.get(_key(condition.match))
            if watch is None:
                watch = topic.add(condition.match, came)
                new.setdefault(topic.name, []).append(watch)
            found.append(watch)
        for name, watches in new.items():
            self._topics[name].look(watches)
            for watch in watches:
                watch.turn()
        return iter(found)

    def release(self, watch: Watch[R]) -> None:
        """Forget a watch that no rule needs any more."""
        topic = self._topics[watch.event]
        if not (watch.conditions or watch.triggers) and topic.watches.get(_key(watch.match)):
            topic.remove(watch)

    def watched(self, topic: str) -> bool:
        return topic in self._topics and bool(self._topics[topic].watches)

    def set(self, source: Source, came: Came) -> Changes[R]:
        """A source has a new value; one that equals the declared rest ends its entry."""
        topic = self._topic(came.topic)
        entry = topic.entries.get(source)
        if topic.at_rest(came.items):
            return self._leave(topic, source, came) if entry is not None else Changes()
        if entry is not None:
            entry.came = came
            return self._changes(*self._match(topic, source, entry), came)
        turned: list[Watch[R]] = []
        if len(topic.entries) >= MAX_SOURCES:
            turned = self._leave(topic, next(iter(topic.entries)), came).turned
        entry = topic.enter(source, came)
        touched, fresh = self._match(topic, source, entry)
        touched += self._report(topic, came.items, 1)
        changes = self._changes(touched, fresh, came)
        return Changes(turned + changes.turned, fresh)

    def pulse(self, came: Came) -> Changes[R]:
        """The watches that something which merely happens answers."""
        topic = self._topics.get(came.topic)
        return Changes(fresh=list(topic.finder.find(came.items)) if topic is not None else [])

    def _topic(self, name: str) -> _Topic[R]:
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = _Topic(name)
        return topic

    def _leave(self, topic: _Topic[R], source: Source, came: Came) -> Changes[R]:
        entry = topic.entries.pop(source)
        for watch in entry.matched:
            del watch.holding[source]
        rested = self._report(topic, entry.came.items, -1)
        return self._changes(entry.matched + rested, [], came)

    def _match(
        self, topic: _Topic[R], source: Source, entry: _Entry[R]
    ) -> tuple[list[Watch[R]], list[Watch[R]]]:
        """Bring the watches up to the entry: those that gained or lost it, those that gained it."""
        items = entry.came.items
        matched = list(topic.finder.find(items))
        before, entry.matched = entry.matched, matched
        for watch in matched:
            watch.holding[source] = items
        if matched == before:
            return [], []
        lost = [watch for watch in before if watch not in matched]
        for watch in lost:
            del watch.holding[source]
        gained = [watch for watch in matched if watch not in before]
        return lost + gained, gained

    def _report(self, topic: _Topic[R], items: Mapping[str, str], by: int) -> list[Watch[R]]:
        """Count a source that has begun (1) or ceased (-1) to report; the watches it concerns."""
        found = list(topic.resting.find(items))
        for watch in found:
            watch.reporting += by
        return found

    @staticmethod
    def _changes(touched: Iterable[Watch[R]], fresh: list[Watch[R]], came: Came) -> Changes[R]:
        turned = [watch for watch in touched if watch.turn()]
        for watch in turned:
            watch.turned = came
        return Changes(turned, fresh)


def _key(match: Mapping[str, str]) -> _Key:
    """Equal for equal wishes."""
    return tuple(sorted(match.items()))
