"""The words of SIP: tokens, quoted strings, lists, parameters, hosts. RFC 3261 §25.

Tolerant where RFC 4475 asks for it (white space, unusual characters) and strict where guessing
would be dangerous. Values given here are unfolded already: no CR, no LF.
"""

import re
from ipaddress import AddressValueError, IPv6Address

from sipstrobe.errors import RemoteProtocolError

MAX_PARAMS = 64  # parameters of one value
MAX_VALUES = 128  # values of one kind of header, over all its lines
REMEMBERED = 256  # values of one kind that are kept parsed: a peer repeats itself
MAX_DELTA_SECONDS = 2**32 - 1  # RFC 3261 §25.1: larger ones mean "very long"

TCHAR = r"A-Za-z0-9\-.!%*_+`'~"
QUOTED = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
HOST = r"\[[0-9A-Fa-f:.]++\]|[A-Za-z0-9_.\-]++"

_TOKEN = re.compile(f"[{TCHAR}]++")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_LIST_PIECE = re.compile(rf'(?:[^,"<]++|{QUOTED}|<[^>]*+>)*+', re.DOTALL)
_PLAIN_PARAMS = re.compile(rf'(?:;[{TCHAR}]++(?:=[^\s;,"<>]*+)?+)++')
_PARAM = re.compile(
    rf"[ \t]*+;[ \t]*+([{TCHAR}]++)"
    rf'(?:[ \t]*+=[ \t]*+(?:({QUOTED})|([^\s;,"<>]*+)))?+[ \t]*+',
    re.DOTALL,
)


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def unfold(value: str) -> str:
    """A header value on one line, without white space around it: RFC 3261 §7.3.1."""
    if "\r\n" in value:
        value = " ".join([line.strip(" \t") for line in value.split("\r\n")])
    return value.strip(" \t")


def unquote(text: str) -> str:
    """The content of a quoted string; anything else is returned as it is."""
    if text[:1] != '"':
        return text
    text = text[1:-1]
    return _QUOTED_PAIR.sub(r"\1", text) if "\\" in text else text


def quote(text: str) -> str:
    """text as a quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def split_commas(value: str) -> list[str]:
    """The values of a comma list, trimmed; commas inside quotes and <> do not count."""
    if "," not in value:
        return [value]
    if '"' not in value and "<" not in value:
        pieces = value.split(",")
    else:
        pieces: list[str] = []
        at = 0
        while True:
            piece = _LIST_PIECE.match(value, at)
            assert piece is not None  # it matches the empty string
            pieces.append(piece[0])
            at = piece.end() + 1
            if at > len(value):
                break
            if value[at - 1] != ",":
                raise RemoteProtocolError(f"unbalanced quote or bracket: {value[:80]!r}")
    if len(pieces) > MAX_VALUES:
        raise RemoteProtocolError(f"more than {MAX_VALUES} values")
    return [piece.strip(" \t") for piece in pieces]


def parse_params(text: str) -> dict[str, str]:
    """``;a=1;b="two";c`` by lower-case name, quoted strings unquoted, "" where there is no value.

    RFC 3261 §7.3.1: a name that comes twice is an error.
    """
    params: dict[str, str] = {}
    if _PLAIN_PARAMS.fullmatch(text):  # nearly always
        parts = text.split(";", MAX_PARAMS + 1)
        for part in parts[1:]:
            name, _, value = part.partition("=")
            params[name.lower()] = value
        if len(params) != len(parts) - 1 or len(params) > MAX_PARAMS:
            raise RemoteProtocolError("too many parameters, or one twice")
        return params
    at, end = 0, len(text)
    while at < end:
        param = _PARAM.match(text, at)
        if param is None:
            raise RemoteProtocolError(f"bad parameters: {text[:80]!r}")
        name, quoted, plain = param.groups("")
        name = name.lower()
        if name in params or len(params) >= MAX_PARAMS:
            raise RemoteProtocolError("too many parameters, or one twice")
        params[name] = unquote(quoted) if quoted else plain
        at = param.end()
    return params


def without_params(text: str, names: tuple[str, ...]) -> str:
    """A parameter text that parses, less the parameters of these names."""
    return "".join(p[0].strip() for p in _PARAM.finditer(text) if p[1].lower() not in names)


def parse_host(text: str) -> str:
    """A host without brackets; an IPv6 address in the one spelling of RFC 5952.

    RFC 5118 §4.10: three colons, which the grammar of RFC 3261 allowed by mistake, mean two.
    """
    if text[0] != "[":
        return text
    text = text[1:-1].replace(":::", "::")
    try:
        return str(IPv6Address(text))
    except AddressValueError as e:
        raise RemoteProtocolError(f"bad IPv6 address: {text[:80]!r}") from e


def parse_port(text: str | None) -> int | None:
    if text is None:
        return None
    port = parse_integer(text, 65535)
    if port == 0:
        raise RemoteProtocolError("port 0")
    return port


def parse_integer(text: str, largest: int) -> int:
    """A number without sign, at most largest."""
    number = _digits(text)
    if number > largest:
        raise RemoteProtocolError(f"{number} is more than {largest}")
    return number


def parse_delta_seconds(text: str) -> int:
    """A duration; larger than can be expressed is as long as can be: RFC 4475 §3.1.2.4."""
    return min(_digits(text), MAX_DELTA_SECONDS)


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise RemoteProtocolError(f"not a number: {text[:80]!r}")
    if len(text) > 20:  # int() of a very long number is slow, and refuses at some length
        text = text.lstrip("0")[:20] or "0"
    return int(text)
