"""Which rules an occurrence of a schedule is for, and what came of it with each."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from msgspec import Struct

from sipstrobe.events import ScheduleInterval, SchedulePulse
from sipstrobe.rules.explain import Outcome, Record, describe
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.trace import Cause

_TOPICS: Final = (ScheduleInterval.outside.topic, SchedulePulse.outside.topic)
_ACTED: Final = (Outcome.BEGUN, Outcome.REPEATED, Outcome.RESUMED)


class RuleAtWork(Protocol):
    """A rule, and what touched it lately, the newest last."""

    @property
    def rule(self) -> Rule: ...
    @property
    def records(self) -> Sequence[Record]: ...


class Reached(Struct, frozen=True):
    """What came of an occurrence with one rule."""

    rule: str
    acted: bool
    why: str

    def __str__(self) -> str:
        return f"the rule {self.rule!r} {self.why}"


def users(rules: Sequence[RuleAtWork], schedule: str) -> list[RuleAtWork]:
    """Those that speak of this schedule, or of all."""
    return [rule for rule in rules if any(_is_of(c, schedule) for c in _conditions(rule.rule))]


def users_of_all(rules: Sequence[RuleAtWork], schedules: Iterable[str]) -> dict[str, list[str]]:
    """The names of the rules that speak of each schedule, found in one go."""
    found: dict[str, list[str]] = {schedule: [] for schedule in schedules}
    for at_work in rules:
        wanted = [c.match.get("schedule") for c in _conditions(at_work.rule) if c.event in _TOPICS]
        for schedule in found if None in wanted else found.keys() & wanted:
            found[schedule].append(at_work.rule.name)
    return found


def reached(rules: Sequence[RuleAtWork], schedule: str, cause: Cause | None) -> list[Reached]:
    """What became of the fact that `cause` is, with each rule that speaks of the schedule."""
    return [_reached(rule, cause) for rule in users(rules, schedule)]


def _reached(at_work: RuleAtWork, cause: Cause | None) -> Reached:
    rule = at_work.rule
    if not rule.enabled:
        return Reached(rule.name, acted=False, why="is switched off")
    records = [r for r in at_work.records if cause is not None and r.came.cause is cause]
    if not records:
        return Reached(rule.name, acted=False, why="was not concerned")
    record = records[-1]
    if record.failed:
        return Reached(rule.name, acted=False, why=f"could not act: {record.failed}")
    if record.outcome in _ACTED:
        return Reached(rule.name, acted=True, why="acted")
    missing = "; ".join(describe(s.condition) for s in record.conditions if not s.holds)
    if missing:
        return Reached(rule.name, acted=False, why=f"did not act: not so: {missing}")
    return Reached(rule.name, acted=False, why=f"did not act: {record.outcome}")


def _conditions(rule: Rule) -> Iterator[Condition]:
    if rule.when is not None:
        yield rule.when
    yield from rule.conditions


def _is_of(condition: Condition, schedule: str) -> bool:
    return condition.event in _TOPICS and condition.match.get("schedule", schedule) == schedule
