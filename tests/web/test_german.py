"""What the device says in English the page says in German: nothing that can be set lacks it."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sipstrobe.config.profiles import import_problems
from sipstrobe.errors import ConfigError
from sipstrobe.lightsiren.settings import MAX_PROFILES, Profile
from sipstrobe.rtp.verdict import Facts, judge
from sipstrobe.rules.actions import RunLight, RunProfile, SetVirtualInput, StopProfile
from sipstrobe.rules.check import Known, warnings
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.web.profile_file import read_profiles
from sipstrobe.web.sections import schema_of

SOURCES = Path(__file__).parents[2] / "web-ui/src"
CONFIG = SOURCES / "pages/system/config/german.ts"
TABLE = re.compile(r"^translate\(\{\n(.*?)^\}\);", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r'^\s*(?:"((?:[^"\\]|\\.)*)"|(\w+)):\s*"((?:[^"\\]|\\.)*)",$', re.MULTILINE)
IMPORTED = re.compile(r'^import "([^"]+)";$', re.MULTILINE)


def entries(path: Path) -> Iterator[tuple[str, str]]:
    """What a file says of English, and in German."""
    for table in TABLE.findall(path.read_text("utf-8")):
        for quoted, plain, german in ENTRY.findall(table):
            yield json.loads(f'"{quoted or plain}"'), json.loads(f'"{german}"')


def pretty(name: str) -> str:
    """As the page calls a member that has no title."""
    return name.replace("_", " ").strip().capitalize()


def members(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All members of all structs of a schema, with what is said of each."""
    for struct in schema["$defs"].values():
        yield from struct.get("properties", {}).items()


def shown(name: str, member: Mapping[str, Any]) -> Iterator[str]:
    """Its title and its description, as the page finds them."""
    kinds: list[dict[str, Any]] = [m for m in member.get("anyOf", ()) if m.get("type") != "null"]
    plain = next((one for one in kinds if "$ref" not in one), dict[str, Any]())
    if "const" not in member and len(member.get("enum", (1, 2))) > 1:  # else it is not shown
        yield member.get("title") or plain.get("title") or pretty(name)
    described = member.get("description") or plain.get("description")
    if described:
        yield described


def test_every_setting_has_its_german_title_and_description() -> None:
    """PLC-01 in both languages."""
    files = [CONFIG, *(CONFIG.parent / f"{one}.ts" for one in IMPORTED.findall(CONFIG.read_text()))]
    german = {english for path in files for english, _ in entries(path)}
    said = {words for name, member in members(schema_of("")) for words in shown(name, member)}

    assert len(said) > 400
    assert sorted(said - german) == []


def test_what_is_said_in_english_has_one_german() -> None:
    """All tables become one as pages are looked at: the last one must not change the others."""
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(SOURCES.rglob("*.ts")):
        for english, german in entries(path):
            said[english][german] = path.relative_to(SOURCES).as_posix()

    assert len(said) > 400
    assert {english: found for english, found in said.items() if len(found) > 1} == {}


def without_german(said: Iterable[str], path: Path) -> list[str]:
    """What no sentence of a file fits; "{name}" in them stands for anything."""
    fits = [
        re.compile(".+?".join(map(re.escape, re.split(r"\{\w+\}", english))), re.DOTALL)
        for english, _ in entries(path)
    ]
    return sorted(words for words in said if words and not any(f.fullmatch(words) for f in fits))


def heard_badly() -> Iterator[Facts]:
    """Calls with all that can be wrong with them, alone and together."""
    fine = Facts(seconds=9.0, received=9, sent=9, peer_host="192.0.2.1", media_host="192.0.2.1")
    troubles: tuple[dict[str, Any], ...] = (
        {},
        {"seconds": 0.0},
        {"seconds": 1.0},
        {"on_hold": True},
        {"foreign": 3, "foreign_type": 18, "codec": "PCMA"},
        {"way_found": False},
        {"media_host": "10.0.0.7"},
        {"local_host": "10.0.0.7", "peer_host": "8.8.8.8", "media_host": "8.8.8.8"},
        {"unreachable": 2, "media_port": 4000},
        {"strangers": 4, "stranger": "192.0.2.9:4000"},
        {"undecipherable": 20},
        {"quiet": 7.0},
        {"sent": 0},
        {"deaf_reports": 5, "deaf_seconds": 9.0},
        {"silence": 30.0},
        {"mos": 1.5, "loss": 0.2, "discard": 0.1},
        {"remote_loss": 0.5},
    )
    for received, one, other in product((0, 9), troubles, troubles):
        yield replace(fine, **{"received": received, **one, **other})


def test_why_a_call_is_not_heard_is_said_in_german() -> None:
    opinions = [judge(facts) for facts in heard_badly()]
    said = {words for one in opinions for words in (one.words, one.advice)}

    assert len({one.verdict for one in opinions}) == 12
    assert without_german(said, SOURCES / "pages/calls/german.ts") == []


def test_what_looks_wrong_with_rules_is_said_in_german() -> None:
    call = Condition(event="call/state", match={"state": "ringing", "account": "PBX"})
    over = Condition(event="call/state", match={"state": "ringing", "account": "Gone"})
    quiet = Condition(event="call/state", match={"state": "idle"})
    switched = Condition(event="input/virtual", match={"input": "1", "active": "true"})
    light = RunLight(pattern="Steady", priority=5)
    found = [
        *warnings(
            (
                Rule(name="a", when=call, action=RunProfile(profile="Bell")),
                Rule(name="b", conditions=(over,), action=light),
                Rule(name="c", conditions=(call, quiet), action=light),
                Rule(
                    name="d", conditions=(switched,), action=SetVirtualInput(input=1, active=True)
                ),
                Rule(name="e", conditions=(switched,), action=RunProfile(profile="Bell")),
                Rule(name="f", conditions=(switched, call), action=light),
                Rule(name="g", when=call, action=StopProfile(profile="Bell")),
            ),
            Known(
                values={"call/state": {"account": {"PBX": "the account 'PBX' is switched off"}}},
                endless=frozenset({"Bell"}),
                priorities={"Bell": {"SignalingLED": 5}},
            ),
        )
    ]

    assert {one.code for one in found} == {"never", "no_stop", "fight", "loop"}
    said = {one.message for one in found}
    assert without_german(said, SOURCES / "pages/rules/german.ts") == []


def test_what_is_wrong_with_a_file_of_profiles_is_said_in_german() -> None:
    """EXA-10, PRF-14."""
    own = {"name": "Own", "siren": {"pattern": "clip:Gong"}}
    said: set[str] = set()
    for file in ([], [own], [own] * (MAX_PROFILES + 1)):
        with pytest.raises(ConfigError) as refused:
            read_profiles(json.dumps(file).encode(), ())
        said |= {problem.message for problem in refused.value.problems}
    full = [Profile(name=f"P {n}") for n in range(MAX_PROFILES)]
    bell = Profile(name="Bell")
    said |= {problem.message for problem in import_problems(full, [full[0], bell, bell], "add")}

    assert len(said) == 6
    assert without_german(said, SOURCES / "pages/profiles/german.ts") == []
