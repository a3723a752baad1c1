"""`sipstrobe reset`: restart, back to the defaults, or everything as it was when new.

Whoever may write into the state folder may do so without a password: when all administrators have
lost theirs, only a factory default helps (GEN-04).
"""

import argparse
import os
import sys
from contextlib import suppress

from sipstrobe.cli import add_state_argument, existing
from sipstrobe.config import overhaul
from sipstrobe.config.defaults import restore_defaults, restore_factory
from sipstrobe.config.files import Folder
from sipstrobe.config.reading import SETTINGS, parse, read
from sipstrobe.control import ask_device
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.io.files import left_to_owner

WORDS = {
    "restart": "a restart, which keeps all settings",
    "restore": "almost all back to the defaults; the address of the page and its certificates stay",
    "factory": "everything as it was when new; also opens the device to whoever comes first",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    kinds = parser.add_mutually_exclusive_group(required=True)
    for kind, words in WORDS.items():
        kinds.add_argument(f"--{kind}", action="store_const", const=kind, dest="kind", help=words)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(execute=execute)


def execute(options: argparse.Namespace) -> int:
    files = Folder(existing(options.state))
    if options.kind != "restart" and not options.yes:
        print(f"{options.state}: {WORDS[options.kind]}")
        if input("Type yes to go on: ").strip() != "yes":
            print("sipstrobe: nothing has changed", file=sys.stderr)
            return 1
    with left_to_owner(options.state):
        return _go(files, options)


def _go(files: Folder, options: argparse.Namespace) -> int:
    try:
        files.hold()
    except ConfigError:
        if ask_device(options.state, {"do": "reset", "kind": options.kind}) is None:
            raise
        print("the running device begins anew")
        return 0
    try:
        return _reset(files, options.kind)
    finally:
        files.close()


def _reset(files: Folder, kind: str) -> int:
    if kind == "restart":
        raise ConfigError([Problem("", f"no device runs on {files.path}")])
    overhaul.carry_out(files.path)  # what was decided before comes first
    if kind == "restore":
        stored = read(files)
        if stored is None:
            raise ConfigError([Problem("", f"there are no settings in {files.path}")])
        restore_defaults(files.path, stored)
    else:
        restore_factory(files.path, _serial(files))
    overhaul.carry_out(files.path)
    print(f"{files.path}: done")
    return 0


def _serial(files: Folder) -> str:
    """That of the device, as far as it can be read: settings that are broken are reset too."""
    with suppress(ConfigError, OSError, KeyError, TypeError):
        found = parse(files.read(SETTINGS) or b"", SETTINGS)["settings"]["device"]["serial"]
        if len(found) == 12 and bytes.fromhex(found):
            return found
    return os.urandom(6).hex().upper()
