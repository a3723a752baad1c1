"""Requests and responses as values: what a route is given, what it gives back, and what is said of
it (`About`), from which the description of the API is made."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs

import msgspec

from sipstrobe.config.access import Scope
from sipstrobe.config.users import Role
from sipstrobe.errors import RemoteProtocolError

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json"  # RFC 9457
BODY_MAX_BYTES = 64 * 1024  # of a request, where a route does not allow more
ENDLESS = 2**63  # the same of one that goes on for as long as its sender likes
QUERY_MAX = 16  # fields

D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request, once that is proven.

    scopes: what it is limited to; None: to nothing. token: the id of that which was shown in place
    of a password. anonymous: nobody who has shown anything, and who may look (ACC-06).
    """

    name: str
    role: Role
    scopes: frozenset[Scope] | None = None
    token: str = ""
    anonymous: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, complete. Header names are in lower case.

    content: of a route that takes its body as it comes; all others find it in `body`.
    """

    method: str
    path: str  # decoded, without the query
    target: str  # the request-target as received
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    peer: str = ""  # the address of the client
    secure: bool = False  # came over TLS
    at: float = 0.0  # monotonic; when it was complete
    principal: Principal | None = None
    content: AsyncIterator[bytes] | None = field(default=None, repr=False)

    def by(self, principal: Principal) -> "Request":
        """The same, now that it is known who asks."""
        return replace(self, principal=principal)

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def query(self, name: str) -> str | None:
        """The first value of this name in the query; None: there is none.

        Raises HttpProblem when there is more in the query than anybody needs.
        """
        text = self.target.partition("?")[2]
        try:
            given = parse_qs(text, keep_blank_values=True, max_num_fields=QUERY_MAX)
        except ValueError:
            raise HttpProblem(400, f"the query may have {QUERY_MAX} fields") from None
        return given.get(name, [None])[0]

    def cookie(self, name: str) -> str:
        for part in self.header("cookie").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Response:
    """What to answer. file: whose content is sent in place of the body; stream: what is sent in
    its place as it comes, and closed in the end."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    file: Path | None = None
    stream: AsyncGenerator[bytes] | None = None
    ends: bool = False  # and with it the connection

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        return replace(self, headers=self.headers + headers)


Handler = Callable[[Request], Response | Awaitable[Response]]
"""Answers a request; one that must wait, as for a disk, gives what is to be awaited."""


@dataclass(frozen=True)  # without slots: Query[int](…) could not be made (CPython 3.11)
class Query(Generic[D]):
    """A parameter in the query. kind: what it may be, as msgspec has types; default: where it is
    left out."""

    name: str
    kind: Any
    default: D
    words: str

    def of(self, request: Request) -> D:
        """Its value in this request. Raises HttpProblem 400 that says what it may be."""
        text = request.query(self.name)
        if text is None:
            return self.default
        try:
            return msgspec.convert(text, self.kind, strict=False)
        except msgspec.ValidationError as error:
            words = _limits(msgspec.json.schema(self.kind)) or str(error)
            raise HttpProblem(400, words, field=self.name) from None


@dataclass(frozen=True, slots=True)
class Media:
    """A body or an answer that is no JSON: its media type, and what is in it."""

    type: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """A body that is a merge patch (RFC 7396) of this type."""

    kind: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What programs and people are told of a route, beside what the Route says itself.

    body, answer: the type whose JSON they are (a Struct, a dataclass, a TypedDict, a Union …), a
    Media, a Merge, or None for nothing. status: of success. path: what each {name} in the path may
    be, where that is no plain text. problems: the codes with which it refuses, by status; what
    comes of the body, the query, the account and the path goes without saying. template: where the
    path has no names. tag: the heading that it stands under, if not the first segment of its path.
    messages: the types of what a WebSocket sends.
    """

    summary: str
    words: str = ""
    body: Any = None
    answer: Any = None
    status: tuple[int, ...] = (200,)
    path: Mapping[str, Any] = field(default_factory=dict[str, Any])
    query: tuple[Query[Any], ...] = ()
    problems: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    template: str = ""
    tag: str = ""
    messages: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who may call what.

    path: exact, or with {name} or "*" for one of its segments, or "**" at its end for all that
    follow. about: of a route of our own, which the description of the API has; several, each with a
    template, where it has an entry for each.
    role: the least that is needed; None leaves the door open, and the handler decides. streamed:
    the handler takes the body as it comes, once it is known who sends it. acts: a GET that does
    something, which its HEAD must not do, nor a page of another site that embeds it. sets_up: while
    there is no account, the door is open and the handler decides.
    """

    method: str
    path: str
    handler: Handler
    role: Role | None
    about: About | tuple[About, ...] | None = None
    body_max_bytes: int = BODY_MAX_BYTES
    streamed: bool = False
    acts: bool = False
    sets_up: bool = False
    unstored: Callable[[Request], Response] = lambda _: problem(
        500, "the settings could not be stored"
    )
    """What to answer when the handler was content and the disk was not."""


def look(path: str, handler: Handler, about: About | tuple[About, ...] | None = None) -> Route:
    """What every account may see."""
    return Route(method="GET", path=path, handler=handler, role=Role.VIEWER, about=about)


def act(
    method: str, path: str, handler: Handler, about: About | tuple[About, ...] | None = None
) -> Route:
    """What operators may do, or see."""
    return Route(method=method, path=path, handler=handler, role=Role.OPERATOR, about=about)


class HttpProblem(RemoteProtocolError):
    """A request that is answered with a problem (RFC 9457) of this HTTP status."""

    def __init__(self, status: int, detail: str, **more: object) -> None:
        super().__init__(detail, status=status)
        self.more = more

    def response(self) -> Response:
        return problem(self.status, str(self), **self.more)


def json(value: object, status: int = 200) -> Response:
    return Response(status, msgspec.json.encode(value))


def problem(status: int, detail: str, **more: object) -> Response:
    """An error as RFC 9457 has it; `more` are members of our own, such as code and field."""
    known = status in HTTPStatus._value2member_map_
    title = HTTPStatus(status).phrase if known else "Error"
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return Response(status, msgspec.json.encode(body), PROBLEM)


def _limits(schema: Mapping[str, Any]) -> str:
    """What a value may be; empty where its schema has no limits."""
    if "enum" in schema:
        return f"must be one of {', '.join(map(str, schema['enum']))}"
    if "minimum" in schema and "maximum" in schema:
        return f"must be a number from {schema['minimum']} to {schema['maximum']}"
    if "maxLength" in schema:
        return f"may have {schema['maxLength']} characters"
    return ""
