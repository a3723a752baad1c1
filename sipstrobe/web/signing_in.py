"""The first account, the page's session, and the password of whoever is signed in (GEN-03, -05)."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, TypedDict

from msgspec import Meta

from sipstrobe.config.passwords import advice
from sipstrobe.config.users import Role
from sipstrobe.web.commands import read_body
from sipstrobe.web.denied import Denied
from sipstrobe.web.exchange import About, Handler, HttpProblem, Request, Response, Route, json
from sipstrobe.web.gate import Gate
from sipstrobe.web.origin import named_from_elsewhere, refuse_foreign_pages
from sipstrobe.web.sessions import set_cookie
from sipstrobe.web.users import Accounts, PasswordTold

Address = tuple[str, int]

UNENCRYPTED = (
    "the connection is not encrypted: switch to HTTPS, and then change the password, which others"
    " in the network may have read"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class SigningOut:
    """everywhere: all sessions of the account, also in other browsers."""

    everywhere: bool = False


class Advice(TypedDict):
    """Something about safety that people should know."""

    code: Annotated[str, Meta(description="unencrypted or weak_password")]
    words: str


class SessionTold(TypedDict):
    """Who is signed in, and how safely."""

    set_up: Annotated[bool, Meta(description="Whether there is an account.")]
    name: str | None
    role: Role | None
    anonymous: Annotated[bool, Meta(description="Looks without an account (ACC-06).")]
    secure: Annotated[bool, Meta(description="Whether this connection is encrypted.")]
    https_port: Annotated[int | None, Meta(description="Where HTTPS is served; null: nowhere.")]
    advice: list[Advice]


class SigningIn:
    """Routes that those may call who have not signed in, and what they may change of themselves."""

    def __init__(self, gate: Gate, accounts: Accounts, https: Callable[[], Address | None]) -> None:
        """https: where HTTPS is served at present."""
        self._gate = gate
        self._accounts = accounts
        self._https = https

    def routes(self) -> list[Route]:
        def route(method: str, path: str, handler: Handler, about: About) -> Route:
            path = "/api/v1/" + path
            return Route(method=method, path=path, handler=handler, role=None, about=about)

        session = About(summary="Who is signed in", answer=SessionTold)
        log_in = About(
            summary="Sign in on the page",
            body=Credentials,
            answer=dict[str, str],
            problems={503: ("busy",)},
        )
        log_out = About(summary="Sign out", body=SigningOut, answer=dict[str, str])
        set_up = About(
            summary="Create the first administrator",
            body=Credentials,
            answer=PasswordTold,
            status=(201,),
            problems={409: ("set_up",), 503: ("busy",)},
        )
        return [
            route("GET", "session", self._session, session),
            route("POST", "login", self._log_in, log_in),
            route("POST", "logout", self._log_out, log_out),
            route("POST", "setup", self._set_up, set_up),
        ]

    def _session(self, request: Request) -> Response:
        """What the page must show first: set-up, log-in or the device."""
        try:
            who = self._gate.identify(request)
        except Denied:
            who = None
        anonymous = who is None and self._gate.may_look(request)
        role = Role.VIEWER if anonymous else who and who.role
        told: list[Advice] = []
        if is_exposed(request):
            told.append(Advice(code="unencrypted", words=UNENCRYPTED))
        if weak := self._gate.weak(request):
            told.append(Advice(code="weak_password", words=f"the password is {weak}"))
        https = self._https()
        return json(
            SessionTold(
                set_up=self._gate.is_set_up,
                name=who.name if who else None,
                role=role,
                anonymous=anonymous,
                secure=request.secure,
                https_port=https[1] if https else None,
                advice=told,
            )
        )

    async def _log_in(self, request: Request) -> Response:
        given = read_body(Credentials, request.body)
        token = await self._gate.log_in(request, given.name, given.password)
        return json({}).with_headers(set_cookie(token, secure=request.secure))

    def _log_out(self, request: Request) -> Response:
        refuse_foreign_pages(request)
        wanted = read_body(SigningOut, request.body)
        self._gate.log_out(request, everywhere=wanted.everywhere)
        return json({}).with_headers(set_cookie("", secure=request.secure))

    async def _set_up(self, request: Request) -> Response:
        """Create the administrator, once: GEN-03."""
        refuse_foreign_pages(request)
        if named_from_elsewhere(request):
            raise HttpProblem(403, "open this page by the device's IP address to begin")
        self._refuse_second()
        given = read_body(Credentials, request.body)
        user = await self._accounts.make(
            given.name,
            Role.ADMINISTRATOR,
            given.password,
            address=request.peer,
            before=self._refuse_second,
        )
        token = self._gate.open_session(request, user, given.password)
        answer = json(PasswordTold(advice=advice(given.password, user.name)), 201)
        return answer.with_headers(set_cookie(token, secure=request.secure))

    def _refuse_second(self) -> None:
        if self._accounts.users:
            raise HttpProblem(409, "there is an account already: log in", code="set_up")


def is_exposed(request: Request) -> bool:
    """Whether others can read what goes to and fro; nobody is between this machine and itself."""
    if request.secure:
        return False
    try:
        return not ip_address(request.peer.partition("%")[0]).is_loopback
    except ValueError:
        return True
