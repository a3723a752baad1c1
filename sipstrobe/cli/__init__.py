"""The command line: one module a subcommand, loaded when it is asked for."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from sipstrobe import __version__
from sipstrobe.cli import remote
from sipstrobe.cli.state import default_state
from sipstrobe.errors import ConfigError, Problem, SipstrobeError

COMMANDS = {  # subcommand -> (module of sipstrobe.cli, what it does)
    "run": ("run", "run the device"),
    "dial": ("dial", "call an address: a small phone of our own"),
    "page": ("page", "say a sound to all speakers of a multicast group"),
    "calls": ("calls", "show who has called and was called"),
    "settings": ("settings", "show, change, check, export and import settings"),
    "account": ("account", "who may use the page and the API"),
    "audit": ("audit", "who did what, and whether anybody has changed that"),
    "backup": ("backup", "write everything that people have set into one file"),
    "restore": ("restore", "take over what such a file has in it"),
    "reset": ("reset", "restart, or go back to the defaults"),
    "doctor": ("doctor", "say what would not work on this machine, and why"),
    "events": ("events", "list everything that the device tells"),
    "api": ("api", "list every request that the device answers, also as OpenAPI"),
    "status": ("status", "show what another device does (with --host)"),
    "order": ("order", "give another device an order (with --host)"),
    "watch": ("watch", "show what happens at another device, and why (with --host)"),
    "gallery": ("gallery", "write every sound as WAV and every light pattern as a picture"),
}

REMOTE = {"status", "order", "watch", "settings", "account"}  # what --host is for


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the result is the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="sipstrobe", description="A network strobe speaker in software."
    )
    parser.add_argument("--version", action="version", version=f"sipstrobe {__version__}")
    remote.add_arguments(parser)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = _subcommand(arguments)
    for name, (module, words) in COMMANDS.items():
        sub = subparsers.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        if name == wanted:
            import_module(f"sipstrobe.cli.{module}").add_arguments(sub)
            if name in REMOTE:  # they may stand behind it as well
                remote.add_arguments(sub, default=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.host and wanted not in REMOTE:
        parser.error(f"{wanted}: {remote.HERE_ONLY}")
    try:
        return int(options.execute(options))
    except ConfigError as error:
        for problem in error.problems:
            print(f"sipstrobe: {problem if problem.path else problem.message}", file=sys.stderr)
    except BrokenPipeError:
        return 141  # whoever read our output has seen enough
    except OSError as error:
        print(f"sipstrobe: {words_of(error)}", file=sys.stderr)
    except (SipstrobeError, UnicodeError) as error:
        print(f"sipstrobe: {error}", file=sys.stderr)
    except EOFError:
        print("sipstrobe: the input has ended", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _subcommand(arguments: Sequence[str]) -> str | None:
    """Which is wanted: the first word that is no option, nor the value of one."""
    words = iter(arguments)
    for word in words:
        if word in remote.WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def add_state_argument(parser: argparse.ArgumentParser) -> None:
    """``--state DIR``, which most subcommands have."""
    parser.add_argument(
        "--state",
        type=Path,
        default=default_state(),
        metavar="DIR",
        help="folder of the settings and everything else that must last (default: %(default)s)",
    )


def words_of(error: OSError) -> str:
    """As people say it: "/etc/x: Permission denied", without its number."""
    words = error.strerror or str(error)
    return words if error.filename is None else f"{os.fsdecode(error.filename)}: {words}"


def existing(state: Path) -> Path:
    """A state folder that is there; one that is only looked at is not made. Raises ConfigError."""
    if not state.is_dir():
        raise ConfigError([Problem("", f"there is no folder {state}; --state names another")])
    return state


def json_or_text(value: str) -> object:
    """What somebody has typed as a value: JSON, or else a text; a type of arguments."""
    try:
        return json.loads(value)
    except ValueError as error:
        if value.lstrip().startswith(("{", "[{", '["')):  # a text would begin otherwise
            raise argparse.ArgumentTypeError(f"this is no JSON: {error}") from None
        return value
