"""Texts with placeholders: {event.digit}, {call.remote_uri}, {rule}, {device.name}, {time} …

A placeholder is a name in braces with nothing else between them; all other braces stand for
themselves, so that JSON can be written as it is. {{name}} is the text {name}.
"""

import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Final
from urllib.parse import quote

VALUE_MAX: Final = 1024  # characters of one value; of a longer one, the rest is cut off
NAME_MAX: Final = 64  # characters
MAX_PLACEHOLDERS: Final = 256  # of one text that are filled in
EVENT: Final = "event."  # what came, and what the conditions hold of
CALL: Final = "call."  # the same, of events about calls
COMMON: Final = ("rule", "time", "message", "device.name", "device.serial")
"""The names that always have a value. time: when the message was ordered, ISO 8601 with zone;
message: its id, the same through all attempts."""

_NAME = rf"[a-z][a-z0-9_.]{{0,{NAME_MAX - 1}}}"
_PLACEHOLDER = re.compile(rf"\{{\{{({_NAME})\}}\}}|\{{({_NAME})\}}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_NO_FILE = re.compile(r"[^\w.-]+", re.ASCII)
_XML = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
)  # XML 1.0 §4.6; xml.sax.saxutils would load half of the standard library

Escape = Callable[[str], str]
"""How a value is written so that it stays one value where it goes."""


def names(text: str) -> Iterator[str]:
    """The names of the placeholders in a text."""
    for match in _PLACEHOLDER.finditer(text):
        if match.group(2):
            yield match.group(2)


def problem(text: str, items: Container[str], call_items: Container[str]) -> str:
    """What is wrong with a template; empty: nothing.

    items: of the events that its rule speaks of; call_items: of those about calls.
    """
    for count, name in enumerate(names(text), 1):
        if count > MAX_PLACEHOLDERS:
            return f"may have {MAX_PLACEHOLDERS} placeholders"
        known = (
            name in COMMON
            or (name.startswith(EVENT) and name.removeprefix(EVENT) in items)
            or (name.startswith(CALL) and name.removeprefix(CALL) in call_items)
        )
        if not known:
            return f"{{{name}}} is nothing that the rule knows of"
    return ""


def render(text: str, values: Mapping[str, str], escaped: Escape) -> str:
    """The text with its values; names without one give nothing.

    values: by name, items of events by `event.` and the item. Half characters, which names and
    texts of callers may hold, become question marks.
    """

    def value(match: re.Match[str]) -> str:
        literal, name = match.groups()
        if literal:
            return "{" + literal + "}"
        if name.startswith(CALL):
            name = EVENT + name.removeprefix(CALL)
        return escaped(values.get(name, "")[:VALUE_MAX])

    if "{" in text:
        text = _PLACEHOLDER.sub(value, text, MAX_PLACEHOLDERS)
    return text.encode("utf-8", "replace").decode()


# --- escapes -----------------------------------------------------------------------------------


def plain(value: str) -> str:
    return value


def in_line(value: str) -> str:
    """For headers and subjects: control characters end nothing."""
    return _CONTROL.sub(" ", value)


def in_query(value: str) -> str:
    """Percent-encoding (RFC 3986 §2.1)."""
    return quote(value, safe="")


def in_json(value: str) -> str:
    """For the inside of a string (RFC 8259 §7)."""
    return json.dumps(value)[1:-1]


def in_xml(value: str) -> str:
    """For text and quoted attributes; what XML 1.0 cannot say is left out."""
    allowed = _CONTROL.sub(lambda m: "".join(c for c in m.group() if c in "\t\n\r"), value)
    return allowed.translate(_XML)


def in_file_name(value: str) -> str:
    """Letters, digits, dot, dash and underscore; no value makes a path."""
    return _NO_FILE.sub("_", value).strip(".")


def for_type(content_type: str) -> Escape:
    """How values are written in a body of this media type."""
    essence = content_type.partition(";")[0].strip().lower()
    if essence.endswith(("/json", "+json")):
        return in_json
    if essence.endswith(("/xml", "+xml", "/html")):
        return in_xml
    if essence == "application/x-www-form-urlencoded":
        return in_query
    return plain
