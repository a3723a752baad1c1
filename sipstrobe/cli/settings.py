"""`sipstrobe settings`: the tree, from the command line; also while the device runs."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from sipstrobe.cli import add_state_argument, json_or_text
from sipstrobe.cli.remote import call
from sipstrobe.config.rule_check import warned
from sipstrobe.config.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print the settings, or one of them")
    show.add_argument("pointer", nargs="?", default="", help="such as /sip/port")
    change = actions.add_parser("set", help="change one of the settings")
    change.add_argument("pointer", help="such as /sip/port")
    change.add_argument(
        "value",
        type=json_or_text,
        help="JSON, or else a text; what an object leaves out gets its default",
    )
    check = actions.add_parser("check", help="say what is wrong with exported settings")
    check.add_argument("file", type=Path)
    export = actions.add_parser("export", help="print all settings, for another device")
    export.add_argument("--secrets", action="store_true", help="with the secrets in clear")
    take = actions.add_parser("import", help="replace all settings by exported ones")
    take.add_argument("file", type=Path)
    for action, execute in (
        (show, _show),
        (change, _set),
        (check, _check),
        (export, _export),
        (take, _import),
    ):
        if action is not check:
            add_state_argument(action)
        action.set_defaults(execute=execute)


def _show(options: argparse.Namespace) -> int:
    value = call(options, {"do": "get", "pointer": options.pointer})
    print(json.dumps(value, indent=2, ensure_ascii=False))
    return 0


def _set(options: argparse.Namespace) -> int:
    _tell(call(options, {"do": "put", "pointer": options.pointer, "value": options.value}))
    return 0


def _check(options: argparse.Namespace) -> int:
    prepared = Store.memory().prepare_import(options.file.read_bytes())
    print(f"{options.file}: can be imported")
    for warning in warned(prepared.after.settings, datetime.now(UTC)):
        print(f"{warning.path}: {warning.rules[0]!r} {warning.message}")
    return 0


def _export(options: argparse.Namespace) -> int:
    sys.stdout.write(call(options, {"do": "export", "secrets": options.secrets}))
    return 0


def _import(options: argparse.Namespace) -> int:
    data = options.file.read_bytes()
    Store.memory().prepare_import(data)  # what is wrong is told with its line
    _tell(call(options, {"do": "import", "data": data.decode()}))
    return 0


def _tell(paths: list[str]) -> None:
    print("\n".join(f"changed {path}" for path in paths) or "nothing has changed")
