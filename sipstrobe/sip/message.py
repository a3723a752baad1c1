"""SIP requests and responses: RFC 3261 §7, §8.2, §18.3.

`parse` takes what must be right for a message to be a message; `validate` what must hold before a
request is worked on; each typed accessor reads its header when first asked, once, and raises
RemoteProtocolError on nonsense. `salvage` finds in a request that does not parse what is needed to
say so to its sender.
"""

import re
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from sipstrobe.errors import RemoteProtocolError
from sipstrobe.sip.fields import MAX_LINE, Headers
from sipstrobe.sip.grammar import (
    MAX_VALUES,
    is_token,
    parse_delta_seconds,
    parse_integer,
    split_commas,
    unfold,
)
from sipstrobe.sip.headers import (
    MAX_SEQUENCE,
    STAR,
    Auth,
    CSeq,
    NameAddr,
    RAck,
    SessionExpires,
    Via,
    parse_media_type,
    parse_retry_after,
    parse_tokens,
)
from sipstrobe.sip.reasons import reason_phrase
from sipstrobe.sip.uri import Uri

__all__ = [
    "Headers",
    "Message",
    "Request",
    "Response",
    "parse",
    "received_from",
    "respond",
    "salvage",
    "validate",
]

MAX_MESSAGE_BYTES = 65535
MAX_VIAS = 70  # as many hops as Max-Forwards usually allows

_ONCE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type")
_REQUIRED = ("Via", "From", "To", "Call-ID", "CSeq")  # RFC 3261 §8.1.1; see validate
_STATUS = re.compile(r"[1-6]\d\d")
_VERSION = re.compile(r"SIP/\d+\.\d+", re.IGNORECASE)

M = TypeVar("M")
T = TypeVar("T")


class _Lazy(Generic[M, T]):
    """An attribute that is worked out when it is first asked for, and then is there."""

    def __init__(self, read: Callable[[M], T]) -> None:
        self._read = read
        self._name = read.__name__
        self.__doc__ = read.__doc__

    def __get__(self, message: M, owner: type[M]) -> T:
        value = self._read(message)
        message.__dict__[self._name] = value
        return value


class Message:
    """What requests and responses have in common. Never changed after it was made."""

    headers: Headers
    body: bytes

    @_Lazy
    def via(self) -> Via:
        """The topmost Via."""
        lines = self.headers.lines("Via")
        if not lines:
            raise RemoteProtocolError("no Via")
        return Via.parse(split_commas(unfold(lines[0].partition(":")[2]))[0])

    @_Lazy
    def vias(self) -> tuple[Via, ...]:
        values = self._values("Via")
        if len(values) > MAX_VIAS:
            raise RemoteProtocolError(f"more than {MAX_VIAS} hops")
        return tuple([Via.parse(value) for value in values])

    @_Lazy
    def from_(self) -> NameAddr:
        return NameAddr.parse(self._one("From"))

    @_Lazy
    def to(self) -> NameAddr:
        return NameAddr.parse(self._one("To"))

    @_Lazy
    def call_id(self) -> str:
        value = self._one("Call-ID")
        if not value or " " in value or "\t" in value:
            raise RemoteProtocolError("bad Call-ID")
        return value

    @_Lazy
    def cseq(self) -> CSeq:
        return CSeq.parse(self._one("CSeq"))

    @_Lazy
    def max_forwards(self) -> int | None:
        value = self._optional("Max-Forwards")
        return None if value is None else parse_integer(value, 255)

    @_Lazy
    def contacts(self) -> tuple[NameAddr, ...]:
        """``Contact: *`` is (STAR,)."""
        values = self._values("Contact")
        if values == ["*"]:
            return (STAR,)
        return tuple([NameAddr.parse(value) for value in values])

    @_Lazy
    def record_routes(self) -> tuple[NameAddr, ...]:
        return tuple([NameAddr.parse(value) for value in self._values("Record-Route")])

    @_Lazy
    def routes(self) -> tuple[NameAddr, ...]:
        return tuple([NameAddr.parse(value) for value in self._values("Route")])

    @_Lazy
    def content_type(self) -> str | None:
        """``type/subtype`` in lower case, without parameters."""
        value = self._optional("Content-Type")
        return None if value is None else parse_media_type(value)

    @_Lazy
    def session_expires(self) -> SessionExpires | None:
        value = self._optional("Session-Expires")
        return None if value is None else SessionExpires.parse(value)

    @_Lazy
    def min_se(self) -> int | None:
        value = self._optional("Min-SE")
        return None if value is None else parse_delta_seconds(value.partition(";")[0].strip())

    @_Lazy
    def expires(self) -> int | None:
        value = self._optional("Expires")
        return None if value is None else parse_delta_seconds(value)

    @_Lazy
    def rseq(self) -> int | None:
        value = self._optional("RSeq")
        return None if value is None else parse_integer(value, MAX_SEQUENCE)

    @_Lazy
    def rack(self) -> RAck | None:
        value = self._optional("RAck")
        return None if value is None else RAck.parse(value)

    @_Lazy
    def retry_after(self) -> int | None:
        value = self._optional("Retry-After")
        return None if value is None else parse_retry_after(value)

    def tokens(self, name: str) -> tuple[str, ...]:
        """A list of tokens (Allow, Supported, Require …) over all its lines."""
        if name not in self.headers:
            return ()
        return tuple([token for line in self.headers.all(name) for token in parse_tokens(line)])

    def media_types(self, name: str) -> tuple[str, ...]:
        """A list of media types or ranges (Accept), without their parameters."""
        return tuple([parse_media_type(value) for value in self._values(name) if value])

    def auth(self, name: str) -> tuple[Auth, ...]:
        """The challenges or credentials of this header, one a line."""
        return tuple([Auth.parse(line) for line in self.headers.all(name)])

    def _values(self, name: str) -> list[str]:
        lines = self.headers.all(name)
        if len(lines) == 1:
            return split_commas(lines[0])
        values = [value for line in lines for value in split_commas(line)]
        if len(values) > MAX_VALUES:
            raise RemoteProtocolError(f"more than {MAX_VALUES} values of {name}")
        return values

    def _one(self, name: str) -> str:
        value = self._optional(name)
        if value is None:
            raise RemoteProtocolError(f"no {name}")
        return value

    def _optional(self, name: str) -> str | None:
        if self.headers.count(name) > 1:
            raise RemoteProtocolError(f"more than one {name}")
        return self.headers.first(name)

    def _start_line(self) -> str:
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        """The message for the wire; Content-Length is always there and right."""
        lines = self.headers.with_length(len(self.body))
        head = "\r\n".join([self._start_line(), *lines, "", ""])
        return head.encode("utf-8", "surrogateescape") + self.body

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Message)
            and self._start_line() == other._start_line()
            and self.body == other.body
            and self.headers == other.headers
        )

    def __hash__(self) -> int:
        return hash((self._start_line(), self.headers, self.body))

    def __repr__(self) -> str:
        return f"<{self._start_line()} {len(self.headers)} headers, {len(self.body)} bytes>"


class Request(Message):
    """uri is the Request-URI as it came; `request_uri` is the same, parsed."""

    def __init__(self, method: str, uri: str, headers: Headers, body: bytes = b"") -> None:
        self.method = method
        self.uri = uri
        self.headers = headers
        self.body = body

    @_Lazy
    def request_uri(self) -> Uri:
        return Uri.parse(self.uri)

    def _start_line(self) -> str:
        return f"{self.method} {self.uri} SIP/2.0"


class Response(Message):
    """reason may be empty."""

    def __init__(self, status: int, reason: str, headers: Headers, body: bytes = b"") -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body

    def _start_line(self) -> str:
        return f"SIP/2.0 {self.status} {self.reason}"


def parse(data: bytes) -> Request | Response:
    """One whole message; line breaks before it are passed over (RFC 3261 §7.5).

    Content-Length cuts the body; more than there is of data is an error (RFC 3261 §18.3).
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise RemoteProtocolError("message too large", status=513)
    if data[:1] in b"\r\n":
        data = data.lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n")
    if end < 0:
        raise RemoteProtocolError("no end of the header")
    lines = _split_lines(data[:end].decode("utf-8", "surrogateescape"))
    start = lines.pop(0)
    headers = Headers.from_lines(lines)
    body = _cut_body(data[end + 4 :], headers)
    if start[:4].upper() == "SIP/":
        return Response(*_parse_status_line(start), headers, body)
    return Request(*_parse_request_line(start), headers, body)


def _split_lines(head: str) -> list[str]:
    lines = head.split("\r\n")
    breaks = len(lines) - 1
    if head.count("\n") != breaks or head.count("\r") != breaks:
        raise RemoteProtocolError("a line break that is none")
    if "\r\n " in head or "\r\n\t" in head:
        lines = _join_folded(lines)
    if len(head) > MAX_LINE and max(map(len, lines)) > MAX_LINE:
        raise RemoteProtocolError(f"a line of more than {MAX_LINE} characters", status=513)
    return lines


def _join_folded(lines: list[str]) -> list[str]:
    joined = [[lines[0]]]
    for line in lines[1:]:
        if line[:1] not in (" ", "\t"):
            joined.append([line])
        elif len(joined) == 1:
            raise RemoteProtocolError("a folded start line")
        else:
            joined[-1].append(line)
    return ["\r\n".join(parts) for parts in joined]


def _cut_body(body: bytes, headers: Headers) -> bytes:
    stated = headers.first("Content-Length")
    if stated is None:
        return body
    if headers.count("Content-Length") > 1:
        raise RemoteProtocolError("more than one Content-Length")
    length = parse_integer(stated, MAX_MESSAGE_BYTES)
    if length > len(body):
        raise RemoteProtocolError("body shorter than Content-Length")
    return body if length == len(body) else body[:length]


def _parse_request_line(line: str) -> tuple[str, str]:
    parts = line.split(" ")
    if len(parts) != 3:
        raise RemoteProtocolError("bad request line")
    method, uri, version = parts
    if version.upper() != "SIP/2.0":
        bad_version = _VERSION.fullmatch(version) is not None
        raise RemoteProtocolError("bad version", status=505 if bad_version else 400)
    if not is_token(method) or not uri:
        raise RemoteProtocolError("bad request line")
    return method, uri


def _parse_status_line(line: str) -> tuple[int, str]:
    version, _, rest = line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0" or not _STATUS.fullmatch(status):
        raise RemoteProtocolError("bad status line")
    return int(status), reason


def validate(request: Request) -> None:
    """What must hold before a request is worked on: RFC 3261 §8.2, RFC 4475.

    Max-Forwards, a From tag and a branch may be missing, as in RFC 2543 (RFC 4475 §3.4.1).
    """
    headers = request.headers
    for name in _ONCE:
        if headers.count(name) > 1:
            raise RemoteProtocolError(f"more than one {name}")
    for name in _REQUIRED:
        if name not in headers:
            raise RemoteProtocolError(f"no {name}")
    if request.request_uri.headers:  # RFC 3261 §19.1.1: not in a Request-URI
        raise RemoteProtocolError("headers in the Request-URI")
    if request.cseq.method != request.method:
        raise RemoteProtocolError("CSeq has another method")
    _ = request.via, request.from_, request.to, request.call_id, request.max_forwards
    _ = request.contacts, request.content_type


def respond(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str = "",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str = "",
) -> Response:
    """A response with what it must copy from the request: RFC 3261 §8.2.6, §12.1.1.

    to_tag is used if To has no tag yet. Record-Route is copied into whatever may make a dialog.
    """
    asked = request.headers
    to = [f"{line};tag={to_tag}" for line in asked.lines("To")]
    if not to_tag or _has_tag(request):
        to = asked.lines("To")
    lines = [*asked.lines("Via"), *asked.lines("From"), *to, *asked.lines("Call-ID")]
    lines += asked.lines("CSeq")
    if 100 < status < 300:
        lines += asked.lines("Record-Route")
    ours = Headers(headers)
    lines += ours.all_lines()
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    words = reason_phrase(status) if reason is None else reason
    return Response(status, words, Headers.from_lines(lines), body)


def _has_tag(request: Request) -> bool:
    try:
        return bool(request.to.tag)
    except RemoteProtocolError:  # a To that we cannot read is copied as it is: it is answered 400
        return True


def received_from(request: Request, host: str, port: int) -> Request:
    """The request with its real source in the topmost Via: RFC 3261 §18.2.1, RFC 3581 §4."""
    via = request.via
    if via.host == host and "rport" not in via.params:
        return request
    lines = list(request.headers.all_lines())
    top = request.headers.lines("Via")[0]
    marked = unfold(top).replace(str(via), str(via.with_received(host, port)), 1)
    lines[lines.index(top)] = marked
    return Request(request.method, request.uri, Headers.from_lines(lines), request.body)


def salvage(data: bytes) -> Request | None:
    """Of a request that does not parse, as much as its sender needs to be told so.

    None if there is no telling: it is no request, is an ACK, or has not said who it comes from.
    """
    head = data[:MAX_MESSAGE_BYTES].lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    method, _, rest = lines[0].partition(" ")
    if not is_token(method) or method == "ACK" or method.upper().startswith("SIP/"):
        return None
    kept: list[str] = []
    for line in _join_folded(["", *lines[1:]])[1:]:
        try:
            headers = Headers.from_lines([line])
        except RemoteProtocolError:
            continue
        if any(name in headers for name in _REQUIRED) and "\n" not in unfold(line):
            kept.append(line)
    request = Request(method, rest.partition(" ")[0], Headers.from_lines(kept))
    try:
        _ = request.via, request.call_id, request.cseq, request.from_
    except RemoteProtocolError:
        return None
    return request
