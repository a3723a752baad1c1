"""The rules against all other settings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sipstrobe.config.demo import demo
from sipstrobe.config.rule_check import warned, with_rules
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
MQTT = {
    "active": True,
    "host": "broker",
    "subscriptions": [{"filter": "a"}, {"filter": "b", "kind": "stateful"}],
}
ACTIVE = {"event": "call/state", "match": {"state": "active"}}


def _settings(**sections: object) -> Settings:
    store = Store.memory()
    profiles = [{"name": "Red", "light": {"pattern": "Steady"}}]
    store.change_now({"sip": {"enabled": True}, "profiles": profiles, **sections})
    return store.current


def _rule(action: dict[str, object], **more: object) -> dict[str, object]:
    return {"name": "R", "when": ACTIVE, "action": action} | more


def _warned(settings: Settings) -> list[tuple[str, str]]:
    return [(w.path, w.message) for w in warned(settings, NOW)]


def test_the_demonstration_and_a_new_device_have_nothing_to_say() -> None:
    store = Store.memory()
    assert warned(store.current, NOW) == []
    store.change_now(demo())

    assert warned(store.current, NOW) == []


def test_a_profile_without_an_end_wants_a_stop() -> None:
    start = _rule({"do": "start_profile", "profile": "Red"})

    [(path, words)] = _warned(_settings(rules=[start]))

    assert path == "/rules/0/action"
    assert words == "no rule ever ends what this one begins (profile Red)"


@pytest.mark.parametrize(
    ("sections", "event", "match", "words"),
    [
        ({"sip": {"enabled": False}}, "call/digit", {}, "SIP is switched off"),
        ({}, "call/digit", {"line": "77"}, "there is no line '77'"),
        ({}, "call/registration", {"account": "X"}, "there is no account 'X'"),
        ({}, "mqtt/client", {"connected": "true"}, "the MQTT client is switched off"),
        ({}, "rule/state", {"rule": "Nobody"}, "there is no rule 'Nobody'"),
        ({"mqtt": MQTT}, "mqtt/message", {"filter": "c"}, "there is no filter 'c'"),
        ({"mqtt": MQTT}, "mqtt/message", {"filter": "b"}, "the subscription 'b' is stateful"),
        ({"mqtt": MQTT}, "mqtt/state", {"filter": "a"}, "the subscription 'a' is stateless"),
        ({}, "output/port", {"port": "1", "active": "true"}, "port 1 is an input"),
        (
            {"ports": {"port_2": {"direction": "output"}}},
            *("input/port", {"port": "2", "active": "true"}, "port 2 is an output"),
        ),
    ],
)
def test_what_cannot_come_is_told(
    sections: dict[str, Any], event: str, match: dict[str, str], words: str
) -> None:
    rule = _rule({"do": "hang_up"}, when={"event": event, "match": match})

    [(path, told)] = _warned(_settings(rules=[rule], **sections))

    assert path == "/rules/0/when"
    assert told.startswith("cannot act: ")
    assert told.endswith(words)


@pytest.mark.parametrize(
    ("text", "days", "told"),
    [
        ("DTSTART:20300101T080000", -1, False),
        ("DTSTART:20300101T080000", 0, False),  # it is still day somewhere
        ("DTSTART:20300101T080000", 3, True),
        ("DTSTART:20300101T080000 DURATION:P7D", 3, False),  # it goes on
        ("DTSTART:20300101T080000 RRULE:FREQ=DAILY;COUNT=3", 2, False),
        ("DTSTART:20300101T080000 RRULE:FREQ=DAILY;COUNT=3", 5, True),
        ("DTSTART:20280229T080000 RRULE:FREQ=YEARLY", 0, False),
    ],
)
def test_a_schedule_that_is_over_is_told(text: str, days: int, told: bool) -> None:
    event = "schedule/interval" if "DURATION" in text else "schedule/pulse"
    when = {"event": event, "match": {"schedule": "Bell"}}
    settings = _settings(
        schedules=[{"name": "Bell", "text": text}], rules=[_rule({"do": "hang_up"}, when=when)]
    )

    found = warned(settings, NOW + timedelta(days=days))

    assert [(w.path, w.code) for w in found] == [("/rules/0/when", "never")] * told


def test_rules_that_are_not_stored_can_be_looked_at() -> None:
    settings = with_rules(_settings(), [_rule({"do": "start_profile", "profile": "Red"})])

    assert [rule.name for rule in settings.rules] == ["R"]


@pytest.mark.parametrize(
    ("rules", "path"),
    [
        ({}, "/rules"),
        ([{"name": "R"}], "/rules/0/action"),
        ([_rule({"do": "start_profile", "profile": "Blue"})], "/rules/0/action/profile"),
        (
            [_rule({"do": "page_clip", "clip": "None", "address": "239.1.1.1"})],
            "/rules/0/action/clip",
        ),
        (
            [_rule({"do": "page_clip", "clip": "Beep", "address": "192.0.2.1"})],
            "/rules/0/action/address",
        ),
        ([_rule({"do": "play_clip", "clip": "None"})], "/rules/0/action/clip"),
        ([_rule({"do": "run_light", "pattern": "Steady"})], "/rules/0/conditions"),
        ([_rule({"do": "start_light", "pattern": "Odd"})], "/rules/0/action/pattern"),
        ([_rule({"do": "start_siren", "pattern": "Odd"})], "/rules/0/action/pattern"),
        ([_rule({"do": "start_siren", "pattern": "Clip: None"})], "/rules/0/action/pattern"),
        ([_rule({"do": "set_manual_trigger", "trigger": 9})], "/rules/0/action/trigger"),
        ([_rule({"do": "dial", "uri": "1", "account": "X"})], "/rules/0/action/account"),
        ([_rule({"do": "dial", "uri": "1", "clip": "None"})], "/rules/0/action/clip"),
        ([_rule({"do": "write_log", "text": "{event.color}"})], "/rules/0/action/text"),
        ([_rule({"do": "hang_up"})] * 2, "/rules/1/name"),
    ],
)
def test_rules_that_cannot_be_are_refused_by_their_place(rules: object, path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        with_rules(_settings(), rules)

    assert [problem.path for problem in refused.value.problems] == [path]
