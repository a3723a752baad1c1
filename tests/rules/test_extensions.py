"""What a call to an extension does: its role, as the rules that it makes."""

import pytest

from sipstrobe.commands import AnswerCall, StartProfile, StopProfile
from sipstrobe.events import DigitReceived
from sipstrobe.rules import settings as rules
from sipstrobe.rules.extensions import Directory, Extension, problems, rules_of
from sipstrobe.secret import Secret
from tests.rules.bench import Bench, call, change

PAGE = Extension(number="1001", role="page", profile="Red", priority=7)
RING = Extension(number="2*", role="ring", profile="Blue")
ALERT = Extension(number="3001", role="alert", profile="Evacuate")


def bench_of(*extensions: Extension) -> Bench:
    return Bench(*(rule for extension in extensions for rule in rules_of(extension)))


def digit(pressed: str, line: str) -> DigitReceived:
    return DigitReceived(call="c1", extension=line, line=line, digit=pressed)


# --- roles --------------------------------------------------------------------------------------


def test_a_page_is_answered_and_runs_its_profile_while_it_is_active() -> None:
    bench = bench_of(PAGE)

    assert bench.hear(call("ringing", line="1001")) == ["begin Extension 1001: answer"]
    assert bench.hear(call("active", line="1001")) == ["begin Extension 1001: profile"]
    assert bench.hear(call("idle", line="1001")) == ["end Extension 1001: profile"]

    assert bench.commands == [AnswerCall(call="c1"), StartProfile(profile="Red", priority=7)]


def test_a_page_without_a_profile_is_answered_and_that_is_all() -> None:
    bench = bench_of(Extension(number="1001", role="page"))

    assert bench.hear(call("ringing", line="1001")) == ["begin Extension 1001: answer"]
    assert bench.hear(call("active", line="1001")) == []


def test_each_of_several_callers_of_a_page_is_answered() -> None:
    bench = bench_of(PAGE)

    bench.hear(call("ringing", "c1", line="1001"))
    bench.hear(call("ringing", "c2", line="1001"))

    assert bench.commands == [AnswerCall(call="c1"), AnswerCall(call="c2")]


def test_a_ring_runs_its_profile_while_it_rings_and_answers_nobody() -> None:
    bench = bench_of(RING)

    assert bench.hear(call("ringing", extension="2005", line="2*")) == [
        "begin Extension 2*: profile"
    ]
    assert bench.hear(call("idle", extension="2005", line="2*")) == ["end Extension 2*: profile"]

    assert bench.commands == [StartProfile(profile="Blue")]


def test_an_alert_outlives_its_call() -> None:
    bench = bench_of(ALERT)
    bench.hear(call("ringing", line="3001"))
    bench.hear(call("active", line="3001"))
    bench.hear(change("accepted_by_device", line="3001"))

    assert bench.hear(call("idle", line="3001")) == []
    assert bench.hear(change("terminated", line="3001", state="terminated")) == []

    assert bench.commands == [AnswerCall(call="c1"), StartProfile(profile="Evacuate")]


def test_an_alert_is_stopped_from_within_a_call_to_it() -> None:
    bench = bench_of(ALERT)

    assert bench.hear(digit("5", "3001")) == []
    assert bench.hear(digit("#", "1001")) == []
    assert bench.hear(digit("#", "3001")) == ["begin Extension 3001: stop"]

    assert bench.commands == [StopProfile(profile="Evacuate")]


def test_a_call_to_another_number_touches_no_role() -> None:
    bench = bench_of(PAGE, RING, ALERT)

    assert [bench.hear(call(s, extension="1002")) for s in ("ringing", "active", "idle")] == [
        [],
        [],
        [],
    ]


@pytest.mark.parametrize("extension", [PAGE, RING, ALERT])
def test_the_rules_of_a_role_are_such_as_people_could_make(extension: Extension) -> None:
    assert rules.problems(rules_of(extension)) == []


# --- numbers ------------------------------------------------------------------------------------


def test_of_several_extensions_that_fit_the_exact_one_counts_then_the_first() -> None:
    numbers = ["1*", "*", "1001", "10*1"]
    directory = Directory([Extension(number=n, role="page") for n in numbers])

    found = [directory.find(n) for n in ("1001", "1002", "2001", "")]

    assert [e.number if e else None for e in found] == ["1001", "1*", "*", None]


@pytest.mark.parametrize(
    ("pattern", "fits", "misses"),
    [
        ("10*", ["10", "1001"], ["1", "2101"]),
        ("*9", ["9", "99", "129"], ["91", ""]),
        ("1*2*3", ["123", "1xx2yy3"], ["13", "132", "12"]),
        ("1*1", ["11", "101"], ["1", "12"]),
        ("**", ["x", "12"], []),
    ],
)
def test_a_star_stands_for_any_characters(pattern: str, fits: list[str], misses: list[str]) -> None:
    directory = Directory([Extension(number=pattern, role="page")])

    assert [n for n in fits if directory.find(n) is None] == []
    assert [n for n in misses if directory.find(n) is not None] == []


# --- what cannot be -----------------------------------------------------------------------------


def test_every_mistake_is_told_with_its_place() -> None:
    pin = Secret("12a4")

    found = problems(
        [
            Extension(number="1", role="page"),
            Extension(number="1", role="ring"),
            Extension(number="2", role="alert", pin=Secret("123")),
            Extension(number="3", role="ring", profile="P", pin=pin),
        ]
    )

    assert [str(problem) for problem in found] == [
        "/1/number: '1' has a role already",
        "/1/profile: the role ring needs a profile",
        "/2/profile: the role alert needs a profile",
        "/2/pin: must be 4 to 16 digits",
        "/3/pin: must be 4 to 16 digits",
        "/3/pin: nobody can enter it: a call to this role is not answered",
    ]
    assert "12a4" not in str(found)
