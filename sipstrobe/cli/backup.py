"""`sipstrobe backup` and `sipstrobe restore`: everything that people have set, as one file."""

import argparse
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from sipstrobe.cli import add_state_argument
from sipstrobe.cli.password import STDIN, ask
from sipstrobe.config import overhaul
from sipstrobe.config.backup import read_backup, write_backup
from sipstrobe.config.files import Folder
from sipstrobe.config.reading import read
from sipstrobe.config.state import Stored
from sipstrobe.config.state_files import RESTORING, gone_by_restore
from sipstrobe.config.store import Store
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.io.files import left_to_owner
from sipstrobe.secret import Secret


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of `backup`."""
    add_state_argument(parser)
    parser.add_argument("file", type=Path, help="where to write it; there must be none yet")
    parser.add_argument(
        "--with-secrets", action="store_true", help="with passwords and keys, encrypted"
    )
    _add_password(parser)
    parser.set_defaults(execute=backup)


def add_restore_arguments(parser: argparse.ArgumentParser) -> None:
    add_state_argument(parser)
    parser.add_argument("file", type=Path)
    parser.add_argument(
        "--with-secrets", action="store_true", help="it has passwords and keys in it"
    )
    _add_password(parser)
    parser.set_defaults(execute=restore)


def backup(options: argparse.Namespace) -> int:
    """Also while the device runs."""
    stored = _stored(Folder(options.state))
    password = _password(options)
    fd = os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(fd, "wb") as file:
            write_backup(file, options.state, stored, password, datetime.now(UTC))
    except BaseException:
        options.file.unlink(missing_ok=True)  # half a backup is none
        raise
    return 0


def restore(options: argparse.Namespace) -> int:
    """Not while it runs: its page does that."""
    with options.file.open("rb") as file, left_to_owner(options.state):
        return _restore(options, file)


def _restore(options: argparse.Namespace, file: IO[bytes]) -> int:
    store = Store.open(options.state)
    folder = options.state / RESTORING
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        found = read_backup(file, folder, store.stored, _password(options))
        gone, words = gone_by_restore(options.state), f"the backup of {found.made[:32]}"
        overhaul.decide(options.state, put=found.put, gone=gone, words=words)
        overhaul.carry_out(options.state)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        store.close()
    print(f"{options.state}: the backup of {found.made} is in its place")
    for pointer in found.missing:
        print(f"to be entered again: {pointer}")
    return 0


def _stored(files: Folder) -> Stored:
    """The settings, which a running device may change as we read."""
    for last in (False, False, True):
        try:
            stored = read(files)
        except ConfigError:
            if last:
                raise
            continue
        if stored is not None:
            return stored
        break
    raise ConfigError([Problem("", f"there are no settings in {files.path}")])


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from the first line"
    )


def _password(options: argparse.Namespace) -> Secret:
    if not options.with_secrets:
        return Secret("")
    if options.password_stdin:
        return Secret(sys.stdin.readline().rstrip("\n"))
    return Secret(ask("Password of the backup", STDIN))
