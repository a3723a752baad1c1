"""SIP requests and responses: RFC 3261 §7, §8.2, §18.3.

`parse` takes what must be right for a message to be a message; `validate` what must hold before it
is worked on; each typed accessor reads its header when first asked, once, and raises
RemoteProtocolError on nonsense. `salvage` finds in a request that does not parse what is needed to
say so to its sender.
"""

import re
from collections.abc import Iterable
from contextlib import suppress

from sipstrobe.errors import LocalProtocolError, RemoteProtocolError
from sipstrobe.lazy import lazy
from sipstrobe.sip.fields import MAX_HEADERS, MAX_LINE, Headers, field_lines, join_folded
from sipstrobe.sip.grammar import (
    MAX_VALUES,
    is_token,
    parse_delta_seconds,
    parse_integer,
    split_commas,
    unfold,
)
from sipstrobe.sip.headers import (
    MAX_RSEQ,
    STAR,
    Auth,
    CSeq,
    NameAddr,
    RAck,
    SessionExpires,
    Via,
    parse_auth,
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

_COPIED = re.compile(  # what a response takes from a request, without a stray line break
    r"(?:via|v|from|f|to|t|call-id|i|cseq)[ \t]*+:[^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+", re.IGNORECASE
)
_STATUS = re.compile(r"[1-6][0-9][0-9]")
_VERSION = re.compile(r"SIP/\d+\.\d+", re.IGNORECASE)
_TO_THE_SOURCE = Via.parse("SIP/2.0/UDP unreadable.invalid;rport")


class Message:
    """What requests and responses have in common. Never changed after it was made."""

    headers: Headers
    body: bytes

    @lazy
    def via(self) -> Via:
        """The topmost Via."""
        value = self.headers.first("Via")
        if value is None:
            raise RemoteProtocolError("no Via")
        return Via.parse(split_commas(value)[0])

    @lazy
    def vias(self) -> tuple[Via, ...]:
        values = self._values("Via")
        if len(values) > MAX_VIAS:
            raise RemoteProtocolError(f"more than {MAX_VIAS} hops")
        return tuple([Via.parse(value) for value in values])

    @lazy
    def from_(self) -> NameAddr:
        return NameAddr.parse(self._one("From"))

    @lazy
    def to(self) -> NameAddr:
        return NameAddr.parse(self._one("To"))

    @lazy
    def call_id(self) -> str:
        value = self._one("Call-ID")
        if not value or " " in value or "\t" in value:
            raise RemoteProtocolError(f"bad Call-ID: {value[:80]!r}")
        return value

    @lazy
    def cseq(self) -> CSeq:
        return CSeq.parse(self._one("CSeq"))

    @lazy
    def max_forwards(self) -> int | None:
        value = self.headers.only("Max-Forwards")
        return None if value is None else parse_integer(value, 255)

    @lazy
    def contacts(self) -> tuple[NameAddr, ...]:
        """``Contact: *`` is (STAR,)."""
        values = self._values("Contact")
        if values == ["*"]:
            return (STAR,)
        return tuple([NameAddr.parse(value) for value in values])

    @lazy
    def record_routes(self) -> tuple[NameAddr, ...]:
        return self.addresses("Record-Route")

    @lazy
    def routes(self) -> tuple[NameAddr, ...]:
        return self.addresses("Route")

    @lazy
    def content_type(self) -> str | None:
        """``type/subtype`` in lower case, without parameters."""
        value = self.headers.only("Content-Type")
        return None if value is None else parse_media_type(value)

    @lazy
    def session_expires(self) -> SessionExpires | None:
        value = self.headers.only("Session-Expires")
        return None if value is None else SessionExpires.parse(value)

    @lazy
    def min_se(self) -> int | None:
        value = self.headers.only("Min-SE")
        return None if value is None else parse_delta_seconds(value.partition(";")[0].strip())

    @lazy
    def expires(self) -> int | None:
        value = self.headers.only("Expires")
        return None if value is None else parse_delta_seconds(value)

    @lazy
    def rseq(self) -> int | None:
        value = self.headers.only("RSeq")
        return None if value is None else parse_integer(value, MAX_RSEQ)

    @lazy
    def rack(self) -> RAck | None:
        value = self.headers.only("RAck")
        return None if value is None else RAck.parse(value)

    @lazy
    def retry_after(self) -> int | None:
        value = self.headers.only("Retry-After")
        return None if value is None else parse_retry_after(value)

    def tokens(self, name: str) -> tuple[str, ...]:
        """A list of tokens (Allow, Supported, Require …) over all its lines."""
        lines = self.headers.all(name)
        if len(lines) == 1:
            return parse_tokens(lines[0])
        return tuple([token for line in lines for token in parse_tokens(line)])

    def media_types(self, name: str) -> tuple[str, ...]:
        """A list of media types or ranges (Accept), without their parameters."""
        return tuple([parse_media_type(value) for value in self._values(name) if value])

    def addresses(self, name: str) -> tuple[NameAddr, ...]:
        """A list of addresses (Route, Service-Route, Path …) over all its lines."""
        return tuple([NameAddr.parse(value) for value in self._values(name)])

    def auth(self, name: str) -> tuple[Auth, ...]:
        """The challenges or credentials of this header; a line that makes no sense has none."""
        found: list[Auth] = []
        for line in self.headers.all(name):
            with suppress(RemoteProtocolError):
                found += parse_auth(line)
        return tuple(found)

    def _values(self, name: str) -> list[str]:
        lines = self.headers.all(name)
        if len(lines) == 1:
            return split_commas(lines[0])
        values = [value for line in lines for value in split_commas(line)]
        if len(values) > MAX_VALUES:
            raise RemoteProtocolError(f"more than {MAX_VALUES} values of {name}")
        return values

    def _one(self, name: str) -> str:
        value = self.headers.only(name)
        if value is None:
            raise RemoteProtocolError(f"no {name}")
        return value

    def _start_line(self) -> str:
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        """The message for the wire; Content-Length is always there and right."""
        start = self._start_line()
        if "\n" in start or "\r" in start:
            raise LocalProtocolError(f"a start line with a line break: {start!r}")
        lines = self.headers.with_length(len(self.body))
        head = "\r\n".join([start, *lines, "", ""])
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

    @lazy
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
    if data[:1] == b"\r":
        data = data.lstrip(b"\r\n")
    head, empty_line, body = data.partition(b"\r\n\r\n")
    if not empty_line:
        raise RemoteProtocolError("no end of the header")
    lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    if not (head.count(b"\n") == head.count(b"\r") == len(lines) - 1):
        raise RemoteProtocolError("a line break that is none")
    if len(head) > MAX_LINE and max(map(len, lines)) > MAX_LINE:
        raise RemoteProtocolError(f"a line of more than {MAX_LINE} characters", status=513)
    start = lines.pop(0)
    headers = Headers.from_lines(lines)
    body = _cut_body(body, headers)
    if start[:4].upper() == "SIP/":
        return Response(*_parse_status_line(start), headers, body)
    return Request(*_parse_request_line(start), headers, body)


def _cut_body(body: bytes, headers: Headers) -> bytes:
    stated = headers.only("Content-Length")
    if stated is None or stated == str(len(body)):
        return body
    length = parse_integer(stated, MAX_MESSAGE_BYTES)
    if length > len(body):
        raise RemoteProtocolError("body shorter than Content-Length")
    return body[:length]


def _parse_request_line(line: str) -> tuple[str, str]:
    parts = line.split(" ")
    if len(parts) != 3:
        raise RemoteProtocolError(f"bad request line: {line[:80]!r}")
    method, uri, version = parts
    if version.upper() != "SIP/2.0":
        bad_version = _VERSION.fullmatch(version) is not None
        raise RemoteProtocolError(
            f"bad version: {version[:80]!r}", status=505 if bad_version else 400
        )
    if not is_token(method) or not uri:
        raise RemoteProtocolError(f"bad request line: {line[:80]!r}")
    return method, uri


def _parse_status_line(line: str) -> tuple[int, str]:
    version, _, rest = line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0" or not _STATUS.fullmatch(status):
        raise RemoteProtocolError(f"bad status line: {line[:80]!r}")
    return int(status), reason


def validate(message: Request | Response) -> None:
    """What must hold before a message is worked on: RFC 3261 §8.1.1, §8.2, RFC 4475.

    A wrong request is to be answered with the error's status, a wrong response to be dropped.
    Max-Forwards, a From tag and a branch may be missing, as in RFC 2543 (RFC 4475 §3.4.1).
    """
    _ = message.via, message.from_, message.to, message.call_id
    method = message.cseq.method
    if isinstance(message, Request):
        if message.request_uri.headers:  # RFC 3261 §19.1.1: not in a Request-URI
            raise RemoteProtocolError("headers in the Request-URI")
        if method != message.method:
            raise RemoteProtocolError("CSeq has another method")
        _ = message.max_forwards
    _ = message.contacts, message.content_type


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
    to = asked.lines("To")
    if to_tag and not _has_tag(request):
        to = [f"{line};tag={to_tag}" for line in to]
    lines = asked.lines("Via")
    lines += asked.lines("From")
    lines += to
    lines += asked.lines("Call-ID")
    lines += asked.lines("CSeq")
    if status == 100:
        lines += asked.lines("Timestamp")
    elif status < 300:
        lines += asked.lines("Record-Route")
    lines += field_lines(headers)
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
    via, host = request.via, host.partition("%")[0]
    if via.host == host and not via.params.keys() & {"received", "rport"}:
        return request
    marked = via.with_received(host, port)
    top = unfold(request.headers.lines("Via")[0]).replace(str(via), str(marked), 1)
    twin = Request.__new__(Request)  # knows what the request knows already
    twin.__dict__.update(
        request.__dict__, headers=request.headers.with_first("Via", top), via=marked
    )
    twin.__dict__.pop("vias", None)
    return twin


def salvage(data: bytes) -> Request | None:
    """Of a request that does not parse, as much as its sender needs to be told so.

    None if there is no telling: it is no request, is an ACK, or has no Via. What is left need not
    be sane: do nothing with it but `respond`, and send that where `via` says. A Via that cannot be
    read sends it back to where the request came from.
    """
    head = data[:MAX_MESSAGE_BYTES].lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    start, *lines = head.decode("utf-8", "surrogateescape").split("\r\n")
    method, _, rest = start.partition(" ")
    if not is_token(method) or method == "ACK" or method.upper().startswith("SIP/"):
        return None
    fields = join_folded(["Start:", *lines[:MAX_HEADERS]])
    kept = [line for line in fields if len(line) <= MAX_LINE and _COPIED.fullmatch(line)]
    request = Request(method, rest.partition(" ")[0], Headers.from_lines(kept))
    if "Via" not in request.headers:
        return None
    with suppress(RemoteProtocolError):
        _ = request.via
        return request
    request.__dict__["via"] = _TO_THE_SOURCE
    return request
