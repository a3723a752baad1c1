"""The page about rules knows every event, every action and the rules of a new device."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sipstrobe.cli import main
from sipstrobe.config.factory import FACTORY_RULES
from sipstrobe.events import DECLARED, CallReason, CallStatus, Kind, choices
from sipstrobe.rules.actions import Action

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    section = PAGE.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def lasting() -> Iterator[tuple[str, str, str]]:
    for action in Action.__args__:
        mark = "●" if action.lasting else ""
        yield f"`{action.__struct_config__.tag}`", mark, action.words


def test_every_event_is_there_and_marked_if_it_is_a_state() -> None:
    told = {(event, mark) for event, mark, _ in rows("What can be waited for")}

    marks = {Kind.PROPERTY: "●", Kind.PULSE: ""}
    assert told == {(f"`{topic}`", marks[e.outside.kind]) for topic, e in DECLARED.items()}


def test_every_action_is_there_by_its_own_words() -> None:
    told = [tuple(row) for row in rows("What can be done")]

    assert sorted(told) == sorted(lasting())


def test_the_rules_of_a_new_device_are_there_in_their_places() -> None:
    told = [(int(place), name) for place, name, _ in rows("What a new device has")]

    assert told == list(enumerate(rule.name for rule in FACTORY_RULES))
    assert re.search(r"^Six rules", PAGE.read_text("utf-8"), re.MULTILINE)


def test_the_page_of_all_events_is_what_the_command_prints(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = (PAGE.parent / "events.md").read_text("utf-8")

    assert main(["events"]) == 0
    assert told == capsys.readouterr().out, "run: sipstrobe events > docs/events.md"


def test_the_conditions_of_the_manual_name_events_that_there_are() -> None:
    """CON-01, CON-02: each has an event, or what stands in for it."""
    text = (PAGE.parent / "conditions.md").read_text("utf-8")
    lines = [line.split("|") for line in text.splitlines() if line.startswith("| ")][1:]

    assert len(lines) > 30
    for _, condition, topic, words, _ in lines:
        event = DECLARED[topic.strip(" `")]
        items = set(re.findall(r"`(\w+)`", words))
        assert items <= choices(event).keys(), condition
    states = text.split("States of a call")[1]
    assert all(state.value in states for state in CallStatus)
    assert all(reason.value in states for reason in CallReason)
