"""Rules in JSON: how they stand, what touched them and why, and what they would do.

`at` and `since` are monotonic seconds, as in the status, with `now` beside them; `time` is the same
on the calendar.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from sipstrobe.clock import Clock
from sipstrobe.config.rule_check import spoilt, warned
from sipstrobe.config.settings import Settings
from sipstrobe.events import DECLARED
from sipstrobe.rules.explain import Record, Stand, describe, explain
from sipstrobe.rules.facts import Came
from sipstrobe.rules.simulate import Timeline
from sipstrobe.web.describe import chain, command_json
from sipstrobe.web.views import RuleView


@dataclass(frozen=True, slots=True)
class When:
    """The instants of one answer."""

    now: float
    wall: datetime

    @classmethod
    def of(cls, clock: Clock) -> "When":
        """The present."""
        return cls(clock.now(), clock.wall())

    @property
    def told(self) -> dict[str, object]:
        return {"now": self.now, "wall": self.wall}

    def time(self, at: float) -> datetime:
        """An instant on the calendar, as it goes now."""
        return self.wall + timedelta(seconds=at - self.now)


async def warnings_json(
    settings: Settings, wall: datetime, before: Settings | None = None
) -> list[dict[str, object]]:
    """What looks wrong with the rules of these settings, found beside the loop. before: then only
    what did not look wrong with these."""
    if before is None:
        found = await asyncio.to_thread(warned, settings, wall)
    else:
        found = await asyncio.to_thread(spoilt, before, settings, wall)
    return [{"path": w.path, "code": w.code, "message": w.message, "rules": w.rules} for w in found]


def ready(value: object) -> msgspec.Raw:
    """One of many as JSON: nobody waits for all of them to be written at once."""
    return msgspec.Raw(msgspec.json.encode(value))


def rule_json(rule: RuleView, when: When) -> dict[str, object]:
    """A rule as it stands."""
    begun_at, waits_until = rule.begun_at, rule.waits_until
    return {
        "name": rule.rule.name,
        "enabled": rule.rule.enabled,
        "source": rule.source,
        "active": rule.active,
        "begun_at": begun_at,
        "begun_time": None if begun_at is None else when.time(begun_at),
        "waits_seconds": None if waits_until is None else round(waits_until - when.now, 1),
        "conditions": [_stand(condition, when) for condition in rule.conditions],
    }


def record_json(record: Record, when: When) -> dict[str, object]:
    """What touched a rule, and what came of it."""
    return {
        "at": record.came.now,
        "time": when.time(record.came.now),
        **_came(record.came),
        "outcome": record.outcome.name.lower(),
        "words": explain(record),
        "failed": record.failed,
        "conditions": [_stand(condition, when) for condition in record.conditions],
        "why": [] if record.came.cause is None else chain(record.came.cause),
    }


def timeline_json(timeline: Timeline) -> dict[str, object]:
    """What rules would have done, by seconds since the beginning."""
    return {
        "timeline": [
            ready(
                {
                    "at": entry.record.came.now,
                    "rule": entry.record.rule.name,
                    **_came(entry.record.came),
                    "outcome": entry.record.outcome.name.lower(),
                    "words": explain(entry.record),
                    "conditions": [
                        _stand(condition, None) for condition in entry.record.conditions
                    ],
                    "orders": [command_json(order) for order in entry.orders],
                }
            )
            for entry in timeline.entries
        ],
        "active": timeline.active,
        "seconds": timeline.seconds,
        "cut": timeline.cut,
    }


def _stand(stand: Stand, when: When | None) -> dict[str, object]:
    told: dict[str, object] = {
        "words": describe(stand.condition),
        "event": stand.condition.event,
        "match": stand.condition.match,
        "invert": stand.condition.invert,
        "holds": stand.holds,
        "since": stand.since,
        "by": _came(stand.by),
    }
    return told if when is None else told | {"time": when.time(stand.since)}


def _came(came: Came) -> dict[str, object]:
    """What it is in words comes from its declaration."""
    event = DECLARED.get(came.topic)
    words = {"timer": "a wait is over", "settings": "the rules were changed"}
    said = words.get(came.topic, "") if event is None else event.outside.words
    return {"event": came.topic, "event_words": said, "items": dict(came.items)}
