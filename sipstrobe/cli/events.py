"""`sipstrobe events`: all facts that the device tells, as a page; so docs/events.md is made."""

import argparse
from collections.abc import Iterator

from sipstrobe.events import DECLARED, Event, Kind, choices

HEAD = """# Events

Everything that the device tells: to rules, to MQTT, and to programs. This page is what
`sipstrobe events` prints, from the declarations in the program, so it is complete.

A state (●) holds until the next one of the same source, which the items in *italics* name; all
others only happen. How rules use them is in [rules](rules.md); which of them stands for which
condition of the manual is in [conditions](conditions.md).
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(execute=execute)


def execute(_: argparse.Namespace) -> int:
    print(page(), end="")
    return 0


def page() -> str:
    """The whole page, in Markdown."""
    subjects: dict[str, list[str]] = {}
    for topic in sorted(DECLARED):
        subjects.setdefault(topic.partition("/")[0], []).append(_row(DECLARED[topic]))
    return HEAD + "".join(_section(*subject) for subject in subjects.items())


def _section(subject: str, rows: list[str]) -> str:
    lines = [f"\n## {subject}\n", "| event | | what it says | items |", "|---|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _row(event: type[Event]) -> str:
    outside = event.outside
    mark = " ●" if outside.kind is Kind.PROPERTY else ""
    items = ", ".join(_items(event))
    return f"| `{outside.topic}` |{mark} | {outside.words} | {items} |"


def _items(event: type[Event]) -> Iterator[str]:
    for name, values in choices(event).items():
        shown = f"*{name}*" if name in event.outside.source else name
        told = values and values != ("true", "false")
        yield f"{shown} ({', '.join(values or ())})" if told else shown
