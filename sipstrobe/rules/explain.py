"""What a rule did lately, and why: the answer to "why not?"."""

from collections.abc import Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class Record:
    """One input that touched a rule, and what came of it."""

    at: float
    cause: int  # serial of the link that the input belongs to; 0 when it has none
    topic: str  # of the event; or "timer", or "settings": the rules were changed
    items: Mapping[str, str]
    unmet: int  # bit i: condition i was false
    outcome: Outcome

    def false_conditions(self) -> Iterator[int]:
        """Which conditions did not hold, by their place in the rule."""
        return (i for i in range(self.unmet.bit_length()) if self.unmet >> i & 1)


def describe(condition: Condition) -> str:
    """A condition in words: "not call/state: state ringing, extension 1001"."""
    items = ", ".join(f"{name} {value}" for name, value in condition.match.items())
    return ("not " if condition.invert else "") + condition.event + (items and f": {items}")


def explain(rule: Rule, record: Record) -> str:
    """A record in words, with the conditions that did not hold."""
    items = ", ".join(f"{name} {value}" for name, value in record.items.items() if value)
    came = record.topic + (items and f" ({items})")
    missing = [
        describe(rule.conditions[i]) for i in record.false_conditions() if i < len(rule.conditions)
    ]
    return f"{came}: {record.outcome}" + ("; false: " + "; ".join(missing) if missing else "")
