"""What the device says in English the page says in German: nothing that can be set lacks it."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import pytest
from msgspec.structs import replace

from sipstrobe.config.check import words
from sipstrobe.config.profiles import import_problems
from sipstrobe.config.settings import Settings
from sipstrobe.errors import ConfigError
from sipstrobe.lightsiren.catalogue import PATTERNS, SYSTEM_PATTERNS
from sipstrobe.lightsiren.settings import MAX_PROFILES, Profile
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.rtp.verdict import Facts, judge
from sipstrobe.rules.actions import RunLight, RunProfile, SetVirtualInput, StopProfile
from sipstrobe.rules.check import Known, warnings
from sipstrobe.rules.settings import Condition, Rule
from sipstrobe.web.gate import UNKNOWN_NAME, UNNAMED
from sipstrobe.web.profile_file import read_profiles
from sipstrobe.web.sections import schema_of

SOURCES = Path(__file__).parents[2] / "web-ui/src"
DEVICE = Path(str(files("sipstrobe")))
REFUSING = {"CommandRefused": 1, "Denied": 1, "Fault": 2, "HttpProblem": 1, "Problem": 1}
NO_PAGE = {
    "cli",
    "client",
    "compat",
    "bus.py",
    "control.py",
    "files.py",
    "overhaul.py",
    "reading.py",
}
PROGRAMS = {  # what only they can do wrong
    "a page must say where it is from (Origin)",
    "an input is open, closed, shorted or cut",
    "any page can lead a browser here: this is done by POST",
    "ask for one of 7",
    "at most 7 names",
    "call 7 is 7",
    "clips have numbers",
    "give either active or state",
    "give one of pem, pfx and self_signed",
    "If-Match names no revision of ours",
    "must be 7",
    "no such command; there are 7",
    "no such section; there are 7",
    "pages of other origins may not do this",
    "port 7 is an 7",
    "repeat is 0 to 7, or null: until it is stopped",
    "the query may have 7 fields",
    "the text has 7 characters, not 1 to 7",
    "there are 7 already",
    "there is 7/NAME7",
    "there is no such token, or not any more",
    "there is nothing to listen to here",
    "this token is not for 7",
    "volume_db is 7 to 7",
}
REFUSALS = SOURCES / "refusals.ts"
CONFIG = SOURCES / "pages/system/config/german.ts"
TABLE = re.compile(r"^translate\(\{\n(.*?)^\}\);", re.MULTILINE | re.DOTALL)
NAMES = re.compile(
    r"^const GERMAN: Record<string, string> = \{\n(.*?)^\};", re.MULTILINE | re.DOTALL
)
ENTRY = re.compile(r'^\s*(?:"((?:[^"\\]|\\.)*)"|(\w+)):\s*"((?:[^"\\]|\\.)*)",$', re.MULTILINE)
IMPORTED = re.compile(r'^import "([^"]+)";$', re.MULTILINE)


def entries(path: Path, tables: re.Pattern[str] = TABLE) -> Iterator[tuple[str, str]]:
    """What a file says of English, and in German."""
    for table in tables.findall(path.read_text("utf-8")):
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
    paths = [CONFIG, *(CONFIG.parent / f"{one}.ts" for one in IMPORTED.findall(CONFIG.read_text()))]
    german = {english for path in paths for english, _ in entries(path)}
    said = {one for name, member in members(schema_of("")) for one in shown(name, member)}

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


def test_light_patterns_and_sounds_have_german_names_of_their_own() -> None:
    """PAT-01, PAT-02: nobody chooses the wrong one of two with the same name."""
    names = {*PATTERNS, *SYSTEM_PATTERNS, *SOUNDS}
    german = dict(entries(SOURCES / "ui/pattern_words.ts", NAMES))

    assert german.keys() == names
    assert len(set(german.values())) == len(names)


def test_who_was_not_let_in_is_said_in_german() -> None:
    german = dict(entries(SOURCES / "ui/given_name.ts", NAMES))

    assert german.keys() == {UNKNOWN_NAME, UNNAMED}


def test_what_patterns_and_sounds_are_like_is_said_in_german() -> None:
    said = {one.words for one in (*PATTERNS.values(), *SOUNDS.values())}

    assert without_german(said, SOURCES / "pages/profiles/german.ts") == []


def without_german(said: Iterable[str], path: Path) -> list[str]:
    """What no sentence of a file fits; "{name}" in them stands for anything."""
    fits = [
        re.compile(".+?".join(map(re.escape, re.split(r"\{\w+\}", english))), re.DOTALL)
        for english, _ in entries(path)
    ]
    return sorted(one for one in said if one and not any(f.fullmatch(one) for f in fits))


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
    said = {text for one in opinions for text in (one.words, one.advice)}

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
    assert without_german(said, REFUSALS) == []


def constants(said: ast.expr) -> Iterator[str]:
    """The texts that an expression can be, with what is put into them as "7"."""
    match said:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(one for part in parts for one in constants(part))
        case ast.FormattedValue(conversion=conversion):
            yield "'7'" if conversion == ord("r") else "7"
        case ast.IfExp(body=one, orelse=other):
            yield from constants(one)
            yield from constants(other)
        case _:
            pass


def refusals(path: Path) -> Iterator[str]:
    """What a file refuses things with, where it says that in full."""
    for scope in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        named: dict[str, list[ast.expr]] = defaultdict(list)
        for node in ast.walk(scope):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    named[name].append(value)
                case ast.Call(func=ast.Name(id=name), args=args) if name in REFUSING:
                    said = args[REFUSING[name]]
                    told = named[said.id] if isinstance(said, ast.Name) else [said]
                    yield from (text for one in told for text in constants(one))
                case _:
                    pass


def test_what_the_device_refuses_is_said_in_german() -> None:
    """But for what nobody does wrong by the page, and what is put together of others."""
    sources = [path for path in DEVICE.rglob("*.py") if NO_PAGE.isdisjoint(path.parts[-2:])]
    said = {text for path in sources for text in refusals(path)}
    whole = {text for text in said if len(re.findall(r"[A-Za-z]+", text)) > 1}

    assert len(whole) > 200
    assert without_german(whole - PROGRAMS, REFUSALS) == []
    assert said >= PROGRAMS


def kinds(kind: Any) -> Iterator[Any]:
    """Of everything that can be set there."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield from kinds(field.type)
    elif kind not in (..., type(None)):
        yield kind
        inner = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
        for one in () if get_origin(kind) is Literal else inner:
            yield from kinds(one)


def test_what_a_value_must_be_is_said_in_german() -> None:
    said = {words(kind) for kind in kinds(Settings)}

    assert len(said) > 100
    assert without_german(said, REFUSALS) == []
