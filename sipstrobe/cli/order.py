"""`sipstrobe --host URL order start-profile profile=Evacuate`: give another device an order."""

import argparse
import json
from dataclasses import MISSING, fields

from sipstrobe.cli import json_or_text
from sipstrobe.cli.remote import run
from sipstrobe.commands import Command
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.orders import COMMANDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="such as start-profile; without one: list them all")
    parser.add_argument(
        "fields",
        nargs="*",
        type=_field,
        metavar="FIELD=VALUE",
        help="the value is JSON, or else a text",
    )
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    if options.name is None:
        for name, kind in COMMANDS.items():
            print(f"{name:<20} {_fields(kind)}")
        return 0
    if options.name not in COMMANDS:
        raise ConfigError([Problem("", f"there is no order {options.name!r}; see sipstrobe order")])
    result = run(options, lambda client: client.order(options.name, dict(options.fields)))
    if result is not None:
        print(json.dumps(result, ensure_ascii=False))
    return 0


def _field(given: str) -> tuple[str, object]:
    name, equals, value = given.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{given!r} is not FIELD=VALUE")
    return name, json_or_text(value)


def _fields(kind: type[Command]) -> str:
    """profile=… [priority=…]"""
    needed = ((f.name, f.default is MISSING) for f in fields(kind) if f.init)
    return " ".join(f"{name}=…" if must else f"[{name}=…]" for name, must in needed)
