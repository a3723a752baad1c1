"""What goes over /vapix/call: arguments, results and faults, as JSON and as lines of key=value."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote_plus

MAX_FIELDS: Final = 1024  # of a request in key-value form
MAX_DEPTH: Final = 8  # of the names in it
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")

Values = dict[str, Any]


class Fault(Exception):
    """What a client did wrong, or what could not be done, as one of the API's triples."""

    def __init__(self, words: str, fault: str, code: str, subcode: str) -> None:
        super().__init__(words)
        self.triple = fault, code, subcode

    @property
    def told(self) -> Values:
        fault, code, subcode = self.triple
        return {
            "Fault": fault,
            "FaultCode": code,
            "FaultSubCode": subcode,
            "FaultReason": str(self),
            "FaultMsg": None,
        }


def not_found(kind: str, name: str) -> Fault:
    words = f"there is no {kind} {name[:64]!r}"
    return Fault(words, "env:Sender", "ter:InvalidArgVal", "ter:NotFound")


def invalid(words: str) -> Fault:
    return Fault(words, "env:Sender", "ter:InvalidArgVal", "ter:InvalidArgVal")


def missing(name: str) -> Fault:
    return Fault(f"{name} is missing", "env:Sender", "ter:InvalidArgs", "")


def failed(words: str) -> Fault:
    return Fault(words, "env:Receiver", "ter:Action", "ter:Failure")


def unsupported(words: str) -> Fault:
    return Fault(words, "env:Receiver", "ter:ActionNotSupported", "ter:NotSupported")


class Arguments:
    """An object of the request; null counts as absent. What is wrong in it raises Fault.

    The key-value form knows texts only, so that numbers and booleans may come as such. Members
    that we do not know are passed over.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def is_null(self, name: str) -> bool:
        """Whether it was said to be nothing."""
        return name in self._values and self._values[name] is None

    def text(self, name: str) -> str:
        value = self._required(name)
        if not isinstance(value, str):
            raise invalid(f"{name} must be a string")
        return value

    def number(self, name: str) -> int:
        value = self._required(name)
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise invalid(f"{name} must be a whole number")

    def flag(self, name: str) -> bool:
        value = self._required(name)
        if isinstance(value, str):
            value = {"true": True, "false": False}.get(value, value)
        if not isinstance(value, bool):
            raise invalid(f"{name} must be true or false")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; a single one where somebody says that in place of the list."""
        value = self._required(name)
        if isinstance(value, str):
            return (value,) if value else ()
        entries = self._entries(name, value)
        if not all(isinstance(entry, str) for entry in entries):
            raise invalid(f"{name} must be a list of strings")
        return tuple(entries)

    def object(self, name: str) -> "Arguments":
        value = self._required(name)
        if not isinstance(value, dict):
            raise invalid(f"{name} must be an object")
        return Arguments(cast("Values", value))

    def objects(self, name: str) -> "list[Arguments]":
        """A list of objects; a single one where somebody says that in place of the list."""
        value = self._required(name)
        if value == "":
            return []
        if isinstance(value, dict):
            return [Arguments(cast("Values", value))]
        entries = self._entries(name, value)
        if not all(isinstance(entry, dict) for entry in entries):
            raise invalid(f"{name} must be a list of objects")
        return [Arguments(entry) for entry in entries]

    def _required(self, name: str) -> Any:
        value = self._values.get(name)
        if value is None:
            raise missing(name)
        return value

    def _entries(self, name: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise invalid(f"{name} must be a list")
        return cast("list[Any]", value)


# --- the key-value form ---------------------------------------------------------------------------


def unflatten(text: str) -> Values:
    """`SIPConfiguration_STUNServers_0_Server=x&format=simple` as the object that it stands for.

    All that is in it is a text, or None for an unquoted null. Raises Fault.
    """
    try:
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise invalid(f"a request may have {MAX_FIELDS} fields") from None
    tree: Values = {}
    for name, value in fields:
        steps = name.split("_")
        if len(steps) > MAX_DEPTH or not all(steps):
            raise invalid(f"{name[:64]!r} is no name")
        here = tree
        for step in steps[:-1]:
            inner = here.setdefault(step, {})
            if not isinstance(inner, dict):
                raise invalid(f"{name[:64]!r} is below a value")
            here = cast("Values", inner)
        if steps[-1] in here:
            raise invalid(f"{name[:64]!r} comes twice")
        here[steps[-1]] = _value(value)
    return {name: _listed(value) for name, value in tree.items()}


def _value(text: str) -> str | None:
    if text == "null":
        return None
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    return text[1:-1] if quoted else text


def _listed(value: Any) -> Any:
    """Objects whose members are numbers are lists."""
    if not isinstance(value, dict):
        return value
    members = {name: _listed(inner) for name, inner in cast("Values", value).items()}
    if not all(name.isascii() and name.isdigit() for name in members):
        return members
    return [members[name] for name in sorted(members, key=lambda name: (len(name), name))]


def flatten(value: Any) -> str:
    """A result as lines of key=value: strings are quoted and encoded as in a URL."""
    return "".join(f"{name}={text}\n" for name, text in _flat("", value))


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    match value:
        case dict():
            members = cast("Values", value).items()
        case list() | tuple():
            members = [(str(n), entry) for n, entry in enumerate(cast("list[Any]", value))]
        case None:
            return [(name, "null")]
        case bool():
            return [(name, str(value).lower())]
        case int():
            return [(name, str(value))]
        case _:
            return [(name, f'"{quote_plus(str(value), errors="replace")}"')]
    return [
        line for key, inner in members for line in _flat(f"{name}_{key}" if name else key, inner)
    ]
