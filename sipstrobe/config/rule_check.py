"""The rules against all other settings: what must not be, and what looks wrong (rules.check)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sipstrobe.config import check
from sipstrobe.config.settings import LIST_CHECKS, Settings, problems
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.events import (
    DECLARED,
    Function,
    MqttClientChanged,
    MqttMessageReceived,
    MqttStateChanged,
    PageStateChanged,
    RuleStateChanged,
    SequenceReceived,
    choices,
)
from sipstrobe.lightsiren.settings import Profile
from sipstrobe.rules.check import Known, Warned, warnings
from sipstrobe.rules.extensions import rules_of
from sipstrobe.rules.settings import Rules

_CALLS = "call/"
_ACCOUNT, _LINE = "account", "line"  # items of events about calls


class _OnlyRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    rules: Rules


def warned(settings: Settings) -> list[Warned]:
    """What looks wrong with the rules of these settings; paths begin at the settings."""
    found = warnings(settings.rules, known(settings))
    return [Warned("/rules" + w.path, w.code, w.message, w.rules) for w in found]


def with_rules(settings: Settings, tree: Any) -> Settings:
    """The settings with these rules, as JSON, in place of their own. Raises ConfigError."""
    rules = check.decode(_OnlyRules, {"rules": tree}, {}).rules
    changed = replace(settings, rules=rules)
    found = [Problem("/rules" + p.path, p.message) for p in LIST_CHECKS["rules"](rules, ())]
    found += [p for p in problems(changed) if not found and p.path.startswith("/rules")]
    if found:
        raise ConfigError(found)
    return changed


def known(settings: Settings) -> Known:
    """What the rules can count on, as things are set."""
    return Known(
        silent=dict(_silent(settings)),
        values=dict(_values(settings)),
        endless=frozenset(_endless(settings.profiles)),
        priorities={p.name: _priorities(p) for p in settings.profiles},
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


def _values(settings: Settings) -> Iterator[tuple[str, Mapping[str, Mapping[str, str]]]]:
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
