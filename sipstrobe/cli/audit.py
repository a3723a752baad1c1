"""`sipstrobe audit`: who did what with the device, and whether anybody has changed the trail."""

import argparse

from sipstrobe.cli import add_state_argument, existing
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.services.audit_chain import AuditFiles, Entry

NEWEST = 50  # entries that are shown, if nothing else is asked for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print the newest entries, the newest last")
    show.add_argument(
        "--limit", type=int, default=NEWEST, metavar="N", help="(default: %(default)s)"
    )
    verify = actions.add_parser("verify", help="say whether an entry was changed, or is missing")
    for action, execute in ((show, _show), (verify, _verify)):
        add_state_argument(action)
        action.set_defaults(execute=execute)


def _show(options: argparse.Namespace) -> int:
    for entry in reversed(AuditFiles(existing(options.state)).newest(max(1, options.limit))):
        print(_line(entry))
    return 0


def _verify(options: argparse.Namespace) -> int:
    """The exit code is 1 if something is wrong."""
    verdict = AuditFiles(existing(options.state)).verify()
    if not verdict.entries and not verdict.problems:  # each device has at least its first start
        raise ConfigError([Problem("", f"there is no trail in {options.state}")])
    for problem in verdict.problems:
        print(problem)
    if verdict.torn:
        print(f"{verdict.torn} bytes of a line that is not complete; the next start removes them")
    print(f"entries {verdict.first} to {verdict.last}, {verdict.entries} in all")
    print(f"head {verdict.head}")
    print("not sound" if verdict.problems else "sound")
    return 1 if verdict.problems else 0


def _line(entry: Entry) -> str:
    who = f"{entry.who} ({entry.way})" if entry.who else entry.way
    if entry.way == "nobody":
        who = f"somebody as {entry.who}" if entry.who else "somebody"
    place = f" from {entry.address}" if entry.address else ""
    often = f" × {entry.times}" if entry.times > 1 else ""
    paths = f" {' '.join(entry.paths)}" if entry.paths else ""
    result = f": {entry.result}" if entry.result else ""
    at = entry.at[:19].replace("T", " ")
    return f"{entry.n:>8} {at} {who}{place}: {entry.what}{paths}{result}{often}"
