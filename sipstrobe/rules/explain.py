"""What a rule did lately, and why: the answer to "why not?"."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from msgspec import Struct

from sipstrobe.rules.facts import Came
from sipstrobe.rules.settings import Condition, Rule

MAX_RECORDS = 20  # a rule, of what it did; and as many of what it did not do


class Outcome(StrEnum):
    """What came of an input that touched a rule."""

    BEGUN = "begun"
    REPEATED = "the trigger came again: done again"
    RESUMED = "it was active before the device was started anew: it goes on"
    RUNS = "it runs already"
    ENDED = "ended"
    UNMET = "not all conditions hold"
    NOT_FIRED = "all conditions hold, the trigger has not come"
    WAITS = "it is too soon after the last time: waits"
    TOO_SOON = "it is too soon after the last time: passed over"
    CHANGED = "it was changed while active: waits until its conditions hold anew"
    LOOP = "it has begun too often for one reason: a loop of rules"
    TOO_OFTEN = "it has begun too often within seconds: a flood, or a loop through others"


_DONE = frozenset({Outcome.BEGUN, Outcome.REPEATED, Outcome.RESUMED, Outcome.ENDED})


@dataclass(slots=True, eq=False)
class Record:
    """One input that touched a rule, and what came of it."""

    rule: Rule  # as it was then
    came: Came
    unmet: int  # bit i: condition i was false
    turned: tuple[Came, ...]  # what each condition was as it was by
    outcome: Outcome
    failed: str = ""  # why its action was not carried out
    number: int = 0  # of all that touched this rule
    _told: tuple[float, str] | None = None

    @property
    def told(self) -> tuple[float, str]:
        """When, and in words; these are made when they are first asked for."""
        if self._told is None:
            self._told = self.came.now, explain(self)
        return self._told

    def fail(self, reason: str) -> None:
        """Its action was not carried out."""
        self.failed, self._told = reason, None

    @property
    def conditions(self) -> "list[Stand]":
        """How each of its conditions stood then."""
        return stands(self.rule, self.unmet, self.turned)


@dataclass(slots=True)
class History:
    """What touched a rule. What it did is not lost among all that it did not do."""

    _done: deque[Record] = field(default_factory=lambda: deque(maxlen=MAX_RECORDS))
    _passed: deque[Record] = field(default_factory=lambda: deque(maxlen=MAX_RECORDS))
    _count: int = 0

    def add(self, record: Record) -> None:
        self._count += 1
        record.number = self._count
        (self._done if record.outcome in _DONE else self._passed).append(record)

    @property
    def records(self) -> list[Record]:
        """The newest last."""
        return self.newest(2 * MAX_RECORDS)

    def newest(self, limit: int) -> list[Record]:
        """The last ones, so many at most, the newest last."""
        last = [*islice(reversed(self._done), limit), *islice(reversed(self._passed), limit)]
        return sorted(last, key=_number)[-limit:]


class Stand(Struct, frozen=True):
    """How a condition of a rule stands: whether it holds, inversion included, and since when.

    by: the value that made it so. Of a condition that is as it was when the rule was made, and of
    which no source had anything to report, that is the topic "settings", and it was so before.
    """

    condition: Condition
    holds: bool
    by: Came

    @property
    def since(self) -> float:
        return self.by.now


def stands(rule: Rule, unmet: int, turned: tuple[Came, ...]) -> list[Stand]:
    """How the conditions of a rule stand. unmet: bit i: condition i is false."""
    conditions = enumerate(zip(rule.conditions, turned, strict=True))
    return [Stand(condition, not unmet >> i & 1, by) for i, (condition, by) in conditions]


def _number(record: Record) -> int:
    return record.number


def describe(condition: Condition) -> str:
    """A condition in words: "not call/state: state ringing, extension 1001"."""
    items = ", ".join(f"{name} {value}" for name, value in condition.match.items())
    return ("not " if condition.invert else "") + condition.event + (items and f": {items}")


def shown(topic: str, items: Mapping[str, str]) -> str:
    """What came, in words: "call/state (call c9, state active)"."""
    told = ", ".join(f"{name} {value}" for name, value in items.items() if value)
    return topic + (told and f" ({told})")


def explain(record: Record) -> str:
    """A record in words, with the conditions that did not hold."""
    came = shown(record.came.topic, record.came.items)
    missing = "; ".join(describe(s.condition) for s in record.conditions if not s.holds)
    failed = record.failed and f"; but not carried out: {record.failed}"
    return f"{came}: {record.outcome}" + (missing and f"; false: {missing}") + failed
