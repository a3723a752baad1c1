"""The two files as text: what stands in them, and where it is wrong."""

import json
import re
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from sipstrobe.config.files import Files
from sipstrobe.config.patch import pointer
from sipstrobe.config.state import Stored, build
from sipstrobe.errors import ConfigError, Problem

SETTINGS = "settings.json"
SECRETS = "secrets.json"
FORMAT = 1  # of the file, not of the tree: new settings get their defaults, whatever the format

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+|\n')


def text(tree: Any, revision: int) -> bytes:
    """settings.json: indented, in the order of declaration."""
    return _pretty({"format": FORMAT, "revision": revision, "settings": tree})


def secrets_text(secrets: Mapping[str, str]) -> bytes:
    """secrets.json."""
    return _pretty({"format": FORMAT, "secrets": dict(secrets)})


def _pretty(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def read(files: Files) -> Stored | None:
    """What the files hold, or None where there are none yet.

    Raises ConfigError that names file and line. Nothing is ever guessed or left out.
    """
    data, hidden = files.read(SETTINGS), files.read(SECRETS)
    if data is None:
        if hidden is None:
            return None
        words = f"{SETTINGS} is missing, though there is {SECRETS}: bring it back, or remove both"
        raise ConfigError([Problem("", words)])
    secrets: dict[str, str] = {}
    if hidden is not None:
        envelope = parse(hidden, SECRETS)
        try:
            secrets = msgspec.convert(envelope.get("secrets"), dict[str, str])
        except msgspec.ValidationError:
            raise ConfigError([Problem("/secrets", f"in {SECRETS} must be texts")]) from None
    envelope = parse(data, SETTINGS)
    revision = envelope.get("revision")
    if not isinstance(revision, int) or revision < 1:
        raise ConfigError([Problem("/revision", f"{SETTINGS}: must be a whole number above 0")])
    try:
        return build(envelope.get("settings"), secrets, _no_new_secrets, revision=revision)
    except ConfigError as error:
        raise ConfigError(_located(error, data.decode())) from None


def parse(data: bytes, name: str) -> dict[str, Any]:
    """The outermost object of a file of ours. Raises ConfigError with file, line and column."""
    try:
        envelope = json.loads(data.decode("utf-8"))
        json.dumps(envelope, ensure_ascii=False).encode()  # has JSON said what Unicode cannot?
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem("", f"{name}, line {line}: not UTF-8")]) from None
    except json.JSONDecodeError as error:
        words = f"{name}, line {error.lineno}, column {error.colno}: {error.msg}"
        raise ConfigError([Problem("", words)]) from None
    except RecursionError:
        raise ConfigError([Problem("", f"{name} is nested too deeply")]) from None
    except UnicodeEncodeError:
        raise ConfigError([Problem("", f"{name}: half a character (a lone surrogate)")]) from None
    except ValueError as error:  # a number of more digits than Python takes
        raise ConfigError([Problem("", f"{name}: {error}")]) from None
    if not isinstance(envelope, dict):
        raise ConfigError([Problem("", f"{name}, line 1: must be an object")])
    found = cast("dict[str, Any]", envelope)
    if found.get("format") != FORMAT:
        words = f"{name}: format {found.get('format')!r} is not the format {FORMAT} known here"
        raise ConfigError([Problem("/format", words)])
    return found


def _no_new_secrets() -> str:
    raise ConfigError([Problem("", "a secret stands here in clear; import these settings instead")])


def _located(error: ConfigError, source: str) -> list[Problem]:
    """The problems with the lines they stand in."""
    lines = lines_of(source)
    found: list[Problem] = []
    for problem in error.problems:
        path = "/settings" + problem.path
        while path not in lines:
            path = path.rpartition("/")[0]
        place = f"{SETTINGS}, line {lines[path]}"
        found.append(Problem(problem.path, f"{problem.message} ({place})"))
    return found


def lines_of(source: str) -> dict[str, int]:
    """The line in which each value of a JSON text begins, by its pointer."""
    lines: dict[str, int] = {}
    steps: list[str | int] = []  # names and places of the open objects and arrays
    line = 1
    expects_name = False
    for match in _TOKEN.finditer(source):
        token = match.group()
        match token[0]:
            case "\n":
                line += 1
            case ":":
                expects_name = False
            case ",":
                top = steps[-1]
                if isinstance(top, int):
                    steps[-1] = top + 1
                else:
                    expects_name = True
            case "}" | "]":
                steps.pop()
                expects_name = False
            case _ if expects_name:
                steps[-1] = json.loads(token)
            case opening:
                lines[pointer(*steps)] = line
                if opening in "{[":
                    steps.append(0 if opening == "[" else "")
                    expects_name = opening == "{"
    return lines
