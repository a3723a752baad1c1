"""multipart/form-data, as HTML forms and curl send it: RFC 7578, RFC 2046 §5.1.1."""

import re
from dataclasses import dataclass

from sipstrobe.errors import RemoteProtocolError

PARTS_MAX = 16
_BOUNDARY = re.compile(
    r'multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE
)
_PARAMETER = re.compile(r';\s*(name|filename)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One field of the form. filename is empty for a field that is no file."""

    name: str
    filename: str
    content: bytes


def is_form(content_type: str) -> bool:
    return content_type.strip().lower().startswith("multipart/form-data")


def parse_form(content_type: str, body: bytes) -> list[Part]:
    """The parts of a form in their order. Raises RemoteProtocolError for what is none."""
    delimiter = delimiter_of(content_type)
    # What stands before the first delimiter is a preamble, after the last an epilogue.
    sections = (b"\r\n" + body).split(delimiter, PARTS_MAX + 2)[1:]
    parts: list[Part] = []
    for section in sections:
        if section.startswith(b"--"):
            return parts
        if len(parts) == PARTS_MAX:
            raise RemoteProtocolError("form has too many parts")
        parts.append(part_of(section))
    raise RemoteProtocolError("form does not end")


def delimiter_of(content_type: str) -> bytes:
    """What stands before each part, the end of the line before it included."""
    match = _BOUNDARY.match(content_type.strip())
    if match is None:
        raise RemoteProtocolError("multipart/form-data without a boundary")
    return b"\r\n--" + (match[1] or match[2]).encode("latin-1", "replace")


def part_of(section: bytes) -> Part:
    """What follows a delimiter: the head of a part, an empty line, its content."""
    padding, _, rest = section.partition(b"\r\n")
    head, blank, content = rest.partition(b"\r\n\r\n")
    if padding.strip(b" \t") or not blank:
        raise RemoteProtocolError("part of a form is malformed")
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            found = {m[1].lower(): m[3] if m[2] is None else m[2] for m in _named(value)}
            return Part(found.get("name", ""), found.get("filename", ""), content)
    raise RemoteProtocolError("part of a form has no name")


def _named(value: str) -> list[re.Match[str]]:
    return list(_PARAMETER.finditer(value))
