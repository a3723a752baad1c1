"""The header fields of a message, in order and exactly as they came: RFC 3261 §7.3."""

from collections.abc import Iterable

from sipstrobe.errors import LocalProtocolError, RemoteProtocolError
from sipstrobe.sip.grammar import is_token, unfold

MAX_HEADERS = 200  # lines
MAX_LINE = 8192  # characters of one header field, folded lines together

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

    __slots__ = ("_index", "_lines")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Fields of our own making: a line break in one is our mistake, LocalProtocolError."""
        lines = [f"{name}: {value}" for name, value in pairs]
        for line in lines:
            if "\n" in line or "\r" in line:
                raise LocalProtocolError(f"a header field with a line break: {line!r}")
        self._lines = lines
        self._index = _index(lines)

    @classmethod
    def from_lines(cls, lines: list[str]) -> "Headers":
        """From whole fields, folded ones with their line breaks inside; takes the list over.

        Raises RemoteProtocolError.
        """
        headers = cls.__new__(cls)
        headers._lines = lines
        headers._index = _index(lines)
        return headers

    def first(self, name: str) -> str | None:
        """The value of the first field of this name, unfolded and trimmed."""
        lines = self._index.get(_key(name))
        return None if lines is None else _value(lines[0])

    def all(self, name: str) -> tuple[str, ...]:
        """The values of all fields of this name, one entry a line."""
        return tuple([_value(line) for line in self._index.get(_key(name), ())])

    def lines(self, name: str) -> tuple[str, ...]:
        """The fields of this name exactly as they came, name and folds included."""
        return tuple(self._index.get(_key(name), ()))

    def count(self, name: str) -> int:
        return len(self._index.get(_key(name), ()))

    def items(self) -> tuple[tuple[str, str], ...]:
        """Name as it came, value unfolded and trimmed, in order."""
        return tuple([(line.partition(":")[0].rstrip(" \t"), _value(line)) for line in self._lines])

    def all_lines(self) -> tuple[str, ...]:
        return tuple(self._lines)

    def with_length(self, size_bytes: int) -> list[str]:
        """All lines, with the Content-Length that a body of this size needs."""
        present = self._index.get("content-length")
        if present is None:
            return [*self._lines, f"Content-Length: {size_bytes}"]
        if len(present) == 1 and _value(present[0]) == str(size_bytes):
            return self._lines
        kept = [line for line in self._lines if line not in present]
        return [*kept, f"Content-Length: {size_bytes}"]

    def __contains__(self, name: str) -> bool:
        return _key(name) in self._index

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
        lengths = self._index.get("content-length")
        if lengths is None:
            return self._lines
        return [line for line in self._lines if line not in lengths]


def _index(lines: list[str]) -> dict[str, list[str]]:
    if len(lines) > MAX_HEADERS:
        raise RemoteProtocolError(f"more than {MAX_HEADERS} header fields", status=513)
    index: dict[str, list[str]] = {}
    for line in lines:
        name = line[: line.find(":")]
        key = _KEYS.get(name)
        if key is None:
            key = _unusual_key(line)
        if key in index:
            index[key].append(line)
        else:
            index[key] = [line]
    return index


def _unusual_key(line: str) -> str:
    name, colon, _ = line.partition(":")
    name = name.rstrip(" \t")
    if not colon or not is_token(name):
        raise RemoteProtocolError("a header field without a proper name")
    name = name.lower()
    return COMPACT.get(name, name)


def _key(name: str) -> str:
    return _KEYS.get(name) or name.lower()


def _value(line: str) -> str:
    return unfold(line[line.find(":") + 1 :])
