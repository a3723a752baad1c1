"""What a rule did lately, and why: the answer to "why not?"."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from sipstrobe.rules.settings import Condition, Rule

MAX_RECORDS = 20  # a rule


class Outcome(StrEnum):
    """What came of an input that touched a rule."""

    BEGUN = "begun"
    REPEATED = "the trigger came again: done again"
    RUNS = "it runs already"
    ENDED = "ended"
    UNMET = "not all conditions hold"
    NOT_FIRED = "all conditions hold, the trigger has not come"
    WAITS = "it is too soon after the last time: waits"
    TOO_SOON = "it is too soon after the last time: passed over"
    CHANGED = "it was changed while active: waits until its conditions hold anew"
    LOOP = "it has begun too often for one reason: a loop of rules"


@dataclass(slots=True, eq=False)
class Record:
    """One input that touched a rule, and what came of it."""

    rule: Rule  # as it was then
    at: float
    cause: int  # serial of the link that the input belongs to; 0 when it has none
    topic: str  # of the event; or "timer", or "settings": the rules were changed
    items: Mapping[str, str]
    unmet: int  # bit i: condition i was false
    outcome: Outcome
    _told: tuple[float, str] | None = None

    @property
    def told(self) -> tuple[float, str]:
        """When, and in words; these are made when they are first asked for."""
        if self._told is None:
            self._told = self.at, explain(self)
        return self._told


def describe(condition: Condition) -> str:
    """A condition in words: "not call/state: state ringing, extension 1001"."""
    items = ", ".join(f"{name} {value}" for name, value in condition.match.items())
    return ("not " if condition.invert else "") + condition.event + (items and f": {items}")


def explain(record: Record) -> str:
    """A record in words, with the conditions that did not hold."""
    items = ", ".join(f"{name} {value}" for name, value in record.items.items() if value)
    came = record.topic + (items and f" ({items})")
    conditions = enumerate(record.rule.conditions)
    missing = "; ".join(describe(c) for i, c in conditions if record.unmet >> i & 1)
    return f"{came}: {record.outcome}" + (missing and f"; false: {missing}")
