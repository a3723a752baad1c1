"""Requests and responses as values: what a route is given and what it gives back."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

import msgspec

from sipstrobe.config.users import Role
from sipstrobe.errors import RemoteProtocolError

JSON = "application/json; charset=utf-8"
PROBLEM = "application/problem+json"  # RFC 9457
BODY_MAX_BYTES = 64 * 1024  # of a request, where a route does not allow more
ENDLESS = 2**63  # the same of one that goes on for as long as its sender likes
QUERY_MAX = 16  # fields


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request, once that is proven."""

    name: str
    role: Role


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

    def with_headers(self, *headers: tuple[str, str]) -> "Response":
        return replace(self, headers=self.headers + headers)


Handler = Callable[[Request], Response | Awaitable[Response]]
"""Answers a request; one that must wait, as for a disk, gives what is to be awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who may call what.

    path: exact, or with "*" for one of its segments, or "**" at its end for all that follow.
    role: the least that is needed; None leaves the door open, and the handler decides. streamed:
    the handler takes the body as it comes, once it is known who sends it. acts: a GET that does
    something, which its HEAD must not do, nor a page of another site that embeds it.
    """

    method: str
    path: str
    handler: Handler
    role: Role | None
    body_max_bytes: int = BODY_MAX_BYTES
    streamed: bool = False
    acts: bool = False
    unstored: Callable[[Request], Response] = lambda _: problem(
        500, "the settings could not be stored"
    )
    """What to answer when the handler was content and the disk was not."""


def look(path: str, handler: Handler) -> Route:
    """What every account may see."""
    return Route(method="GET", path=path, handler=handler, role=Role.VIEWER)


def act(method: str, path: str, handler: Handler) -> Route:
    """What operators may do, or see."""
    return Route(method=method, path=path, handler=handler, role=Role.OPERATOR)


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
