"""Rules in JSON."""

from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

from msgspec import Meta

from sipstrobe.web.told.common import Chain, Instant


class CameTold(TypedDict):
    """What came: an event by its topic, "timer" or "settings"."""

    event: str
    event_words: str
    items: dict[str, str]


class StandTold(TypedDict):
    """A condition as it stands. by: what has made it so."""

    words: str
    event: str
    match: dict[str, str]
    invert: bool
    holds: bool
    since: Instant
    by: CameTold
    time: NotRequired[datetime]


class RuleStands(TypedDict):
    """A rule as it stands. source: what it is a part of; empty: of nothing."""

    name: str
    enabled: bool
    source: str
    active: bool
    begun_at: Instant | None
    begun_time: datetime | None
    waits_seconds: float | None
    conditions: list[StandTold]


class RecordTold(CameTold):
    """What touched a rule, and what came of it."""

    at: Instant
    time: datetime
    outcome: Annotated[str, Meta(description="One word, such as begun, ended or unmet.")]
    words: str
    failed: Annotated[str, Meta(description="Why its action was not carried out.")]
    conditions: list[StandTold]
    why: Chain


class OrderTold(TypedDict):
    """An order that would be given."""

    name: str
    items: dict[str, Any]


class EntryTold(CameTold):
    """What a rule would have done; at: seconds since the beginning."""

    at: float
    rule: str
    outcome: str
    words: str
    conditions: list[StandTold]
    orders: list[OrderTold]


class TimelineTold(TypedDict):
    """What rules would have done. active: those that still are in the end; cut: why it ends too
    early, or empty."""

    timeline: list[EntryTold]
    active: list[str]
    seconds: float
    cut: str


class Warned(TypedDict):
    """What looks wrong with rules. path: JSON pointer into the settings."""

    path: str
    code: str
    message: str
    rules: list[str]


class Changed(TypedDict):
    """The settings as they are now. warnings: what looks wrong with their rules."""

    revision: int
    warnings: list[Warned]
