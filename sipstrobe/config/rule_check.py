"""The rules against all other settings: what must not be, and what looks wrong (rules.check)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.config import check
from sipstrobe.config.settings import LIST_CHECKS, Settings, problems
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.events import (
    DECLARED,
    Function,
    InputPortChanged,
    MqttClientChanged,
    MqttMessageReceived,
    MqttStateChanged,
    OutputPortChanged,
    PageStateChanged,
    RuleStateChanged,
    ScheduleInterval,
    SchedulePulse,
    SequenceReceived,
    choices,
)
from sipstrobe.lightsiren.settings import DEFAULT_PRIORITY, Profile
from sipstrobe.rules.check import Known, Warned, warnings
from sipstrobe.rules.extensions import rules_of
from sipstrobe.rules.settings import Rules
from sipstrobe.schedules.occurrences import Calendar
from sipstrobe.schedules.settings import is_pulse
from sipstrobe.schedules.text import parse, zone_named

_CALLS = "call/"
_ACCOUNT, _LINE = "account", "line"  # items of events about calls
_SCHEDULES: Final = (ScheduleInterval.outside.topic, SchedulePulse.outside.topic)
_GRACE: Final = timedelta(days=1)  # since its last occurrence ended, wherever the device is


class _OnlyRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rules: Rules


def warned(settings: Settings, wall: datetime) -> list[Warned]:
    """What looks wrong with the rules of these settings; paths begin at the settings. wall: the
    present.

    Takes up to a second with many rules, and longer with odd schedules: not for the loop.
    """
    found = warnings(settings.rules, known(settings, wall))
    return [Warned("/rules" + w.path, w.code, w.message, w.rules) for w in found]


def spoilt(before: Settings, after: Settings, wall: datetime) -> list[Warned]:
    """What looks wrong after a change and did not before it; quick where it does not concern
    rules."""
    if before.rules == after.rules and known(before, wall) == known(after, wall):
        return []
    told = warned(before, wall)
    return [w for w in warned(after, wall) if w not in told]


def with_rules(settings: Settings, tree: Any) -> Settings:
    """The settings with these rules, as JSON, in place of their own. Raises ConfigError."""
    rules = check.decode(_OnlyRules, {"rules": tree}, {}).rules
    changed = replace(settings, rules=rules)
    found = [Problem("/rules" + p.path, p.message) for p in LIST_CHECKS["rules"](rules, ())]
    found += [p for p in problems(changed) if not found and p.path.startswith("/rules")]
    if found:
        raise ConfigError(found)
    return changed


def known(settings: Settings, wall: datetime) -> Known:
    """What the rules can count on, as things are set."""
    return Known(
        silent=dict(_silent(settings)),
        values=dict(_values(settings, wall)),
        endless=frozenset(_endless(settings.profiles)),
        priorities={p.name: _priorities(p) for p in settings.profiles},
        usual=DEFAULT_PRIORITY,
    )


def _silent(settings: Settings) -> Iterator[tuple[str, str]]:
    """Events that do not come, with the reason."""
    if not settings.sip.enabled:
        yield from ((t, "SIP is switched off") for t in DECLARED if t.startswith(_CALLS))
    if not settings.multicast.enabled:
        yield PageStateChanged.outside.topic, "paging is switched off"
    if not settings.mqtt.active:
        for event in (MqttClientChanged, MqttMessageReceived, MqttStateChanged):
            yield event.outside.topic, "the MQTT client is switched off"
    if not settings.dtmf.sequences:
        yield SequenceReceived.outside.topic, "no sequence of digits is set"


def _values(
    settings: Settings, wall: datetime
) -> Iterator[tuple[str, Mapping[str, Mapping[str, str]]]]:
    accounts = {
        account.name: "" if account.enabled else f"the account {account.name!r} is switched off"
        for account in settings.sip.accounts
    }
    lines = {"": "", **{extension.number: "" for extension in settings.extensions}}
    for topic, event in DECLARED.items():
        if topic.startswith(_CALLS):
            named = {_ACCOUNT: accounts, _LINE: lines}
            yield topic, {item: named[item] for item in choices(event) if item in named}
    made = (rule.name for extension in settings.extensions for rule in rules_of(extension))
    yield RuleStateChanged.outside.topic, {"rule": dict.fromkeys(made, "")}
    yield from _ports(settings)
    yield from _subscriptions(settings)
    yield from _schedules(settings, wall)


def _ports(settings: Settings) -> Iterator[tuple[str, Mapping[str, Mapping[str, str]]]]:
    for event, direction in ((InputPortChanged, "input"), (OutputPortChanged, "output")):
        ports = {
            str(n): "" if port.direction == direction else f"port {n} is an {port.direction}"
            for n, port in settings.ports.both.items()
        }
        yield event.outside.topic, {"port": ports}


def _subscriptions(settings: Settings) -> Iterator[tuple[str, Mapping[str, Mapping[str, str]]]]:
    subscriptions = settings.mqtt.subscriptions
    for event, kind in ((MqttMessageReceived, "stateless"), (MqttStateChanged, "stateful")):
        others = {
            s.filter: f"the subscription {s.filter!r} is {s.kind}"
            for s in subscriptions
            if s.kind != kind
        }
        yield (
            event.outside.topic,
            {"filter": others | {s.filter: "" for s in subscriptions if s.kind == kind}},
        )


def _schedules(
    settings: Settings, wall: datetime
) -> Iterator[tuple[str, Mapping[str, Mapping[str, str]]]]:
    """Those that rules wait for; that the others are there is known already."""
    placed = (c for rule in settings.rules for c in (rule.when, *rule.conditions) if c is not None)
    wanted = {c.match.get("schedule", "") for c in placed if c.event in _SCHEDULES}
    hour = wall.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    found: dict[str, dict[str, str]] = {topic: {} for topic in _SCHEDULES}
    for schedule in settings.schedules:
        over = schedule.name in wanted and not _to_come(
            schedule.text, settings.device.time_zone, hour
        )
        words = f"the schedule {schedule.name!r} does not occur any more" if over else ""
        topic = SchedulePulse if is_pulse(schedule) else ScheduleInterval
        found[topic.outside.topic][schedule.name] = words
    for topic, names in found.items():
        yield topic, {"schedule": names}


@lru_cache(256)
def _to_come(text: str, zone: str, hour: datetime) -> bool:
    """Does this schedule occur, or has it only just ended?"""
    calendar = Calendar(parse(text), zone_named(zone) if zone else UTC)
    since = hour - _GRACE - timedelta(seconds=calendar.length)
    return bool(calendar.after(since.timestamp(), 1).occurrences)


def _priorities(profile: Profile) -> dict[str, int]:
    """By the function that it runs on."""
    found: dict[str, int] = {}
    if profile.light is not None:
        found[profile.light.function] = profile.light.priority
    if profile.siren is not None:
        found[Function.AUDIO_SPEAKER.value] = profile.siren.priority
    return found


def _endless(profiles: Iterable[Profile]) -> Iterator[str]:
    """The profiles of which something goes on until it is stopped."""
    for profile in profiles:
        parts = (profile.light, profile.siren)
        if any(part is not None and part.duration is None for part in parts):
            yield profile.name
