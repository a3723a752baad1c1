"""The header fields of a message, in order and exactly as they came: RFC 3261 §7.3."""

from collections.abc import Iterable

from sipstrobe.errors import LocalProtocolError, RemoteProtocolError
from sipstrobe.sip.grammar import is_token, unfold

MAX_HEADERS = 200  # lines, folded ones counted each
MAX_LINE = 8192  # characters

COMPACT = {  # RFC 3261 §7.3.3 and the RFCs that added one
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
_USUAL = (
    "Accept Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Authorization Call-ID "
    "Call-Info Contact Content-Disposition Content-Encoding Content-Language Content-Length "
    "Content-Type CSeq Date Event Expires From In-Reply-To Max-Forwards Min-SE MIME-Version "
    "Organization P-Asserted-Identity P-Preferred-Identity Path Priority Privacy "
    "Proxy-Authenticate Proxy-Authorization Proxy-Require RAck Reason Record-Route Refer-To "
    "Replaces Reply-To Require Retry-After Route RSeq Server Service-Route Session-Expires "
    "Subject Supported Timestamp To Unsupported User-Agent Via Warning WWW-Authenticate"
)
# Every usual spelling -> the key of the field: its full name in lower case.
_KEYS = (
    COMPACT
    | {compact.upper(): name for compact, name in COMPACT.items()}
    | {name: name.lower() for name in _USUAL.split()}
    | {name.lower(): name.lower() for name in _USUAL.split()}
)


class Headers:
    """Immutable, ordered. Names are found in any case, in compact and in full form."""

    __slots__ = ("_first", "_lines", "_repeated")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Fields of our own making: a line break in one is a LocalProtocolError."""
        self._lines = field_lines(pairs)
        self._index()

    @classmethod
    def from_lines(cls, lines: list[str]) -> "Headers":
        """From a head split at its line breaks; takes the list over.

        Folded lines (RFC 3261 §7.3.1) are joined, their line breaks kept. Raises
        RemoteProtocolError.
        """
        headers = cls.__new__(cls)
        headers._lines = lines
        headers._index()
        return headers

    def first(self, name: str) -> str | None:
        """The value of the first field of this name, unfolded and trimmed."""
        line = self._first.get(_KEYS.get(name) or name.lower())
        return None if line is None else _value(line)

    def only(self, name: str) -> str | None:
        """The value of a field that may stand once; twice raises RemoteProtocolError."""
        key = _KEYS.get(name) or name.lower()
        line = self._first.get(key)
        if line is None:
            return None
        if key in self._repeated:
            raise RemoteProtocolError(f"more than one {name}")
        return _value(line)

    def all(self, name: str) -> tuple[str, ...]:
        """The values of all fields of this name, one entry a line."""
        return tuple([_value(line) for line in self.lines(name)])

    def lines(self, name: str) -> list[str]:
        """The fields of this name exactly as they came, name and folds included."""
        key = _KEYS.get(name) or name.lower()
        lines = self._repeated.get(key)
        if lines is None:
            line = self._first.get(key)
            return [] if line is None else [line]
        return lines.copy()

    def items(self) -> tuple[tuple[str, str], ...]:
        """Name as it came, value unfolded and trimmed, in order."""
        return tuple([(line.partition(":")[0].rstrip(" \t"), _value(line)) for line in self._lines])

    def all_lines(self) -> list[str]:
        """Every field exactly as it came."""
        return self._lines.copy()

    def with_first(self, name: str, line: str) -> "Headers":
        """A copy with another line in place of the first field of this name."""
        key = _KEYS.get(name) or name.lower()
        old = self._first[key]
        headers = Headers.__new__(Headers)
        headers._lines = self._lines.copy()
        headers._lines[self._lines.index(old)] = line
        headers._first = {**self._first, key: line}
        headers._repeated = self._repeated
        if key in self._repeated:
            headers._repeated = {**self._repeated, key: [line, *self._repeated[key][1:]]}
        return headers

    def with_length(self, size_bytes: int) -> list[str]:
        """Every field, with the Content-Length that a body of this size needs."""
        stated = self._first.get("content-length")
        if stated is None:
            return [*self._lines, f"Content-Length: {size_bytes}"]
        if "content-length" not in self._repeated and _value(stated) == str(size_bytes):
            return self._lines
        return [*self._content(), f"Content-Length: {size_bytes}"]

    def __contains__(self, name: str) -> bool:
        return (_KEYS.get(name) or name.lower()) in self._first

    def __len__(self) -> int:
        return len(self._lines)

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"

    def __eq__(self, other: object) -> bool:
        """The same fields; Content-Length apart, which follows from the body."""
        return isinstance(other, Headers) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(tuple(self._content()))

    def _content(self) -> list[str]:
        if "content-length" not in self._first:
            return self._lines
        lengths = self.lines("content-length")
        return [line for line in self._lines if line not in lengths]

    def _index(self) -> None:
        if len(self._lines) > MAX_HEADERS:
            raise RemoteProtocolError(f"more than {MAX_HEADERS} header fields", status=513)
        self._first: dict[str, str] = {}
        self._repeated: dict[str, list[str]] = {}
        first, known = self._first, _KEYS.get
        for line in self._lines:
            key = known(line.partition(":")[0])
            if key is None:
                if line[:1] in (" ", "\t"):
                    self._lines = join_folded(self._lines)
                    return self._index()
                key = _unusual_key(line)
            if key not in first:
                first[key] = line
            else:
                self._repeated.setdefault(key, [first[key]]).append(line)
        return None


def field_lines(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """``Name: value`` of each; a bad name or a line break raises LocalProtocolError."""
    lines: list[str] = []
    for name, value in pairs:
        if name not in _KEYS and not is_token(name):
            raise LocalProtocolError(f"bad name of a header field: {name!r}")
        if "\n" in value or "\r" in value:
            raise LocalProtocolError(f"a header field with a line break: {value!r}")
        lines.append(f"{name}: {value}")
    return lines


def join_folded(lines: list[str]) -> list[str]:
    if lines[0][:1] in (" ", "\t"):
        raise RemoteProtocolError("a folded start line")
    joined: list[list[str]] = []
    for line in lines:
        if line[:1] in (" ", "\t"):
            joined[-1].append(line)
        else:
            joined.append([line])
    return ["\r\n".join(parts) for parts in joined]


def _unusual_key(line: str) -> str:
    name, colon, _ = line.partition(":")
    name = name.rstrip(" \t")
    if not colon or not is_token(name):
        raise RemoteProtocolError("a header field without a proper name")
    name = name.lower()
    return COMPACT.get(name, name)


def _value(line: str) -> str:
    value = line.partition(":")[2]
    return value.strip(" \t") if "\r" not in value else unfold(value)
