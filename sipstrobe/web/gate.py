"""Who makes a request, and whether they may.

Digest for programs, Basic for programs that came over TLS, a session cookie for the page. Nothing
but a proven password counts; what guesses too fast is refused for a while, by its address.
"""

import binascii
import logging
from base64 import b64decode
from collections.abc import Callable
from ipaddress import ip_address

from sipstrobe.config.users import REALM, Role, User
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import AddressBlocked, SignInFailed
from sipstrobe.web.digest import DigestAnswer, DigestGate, Verdict
from sipstrobe.web.exchange import HttpProblem, Principal, Request, Response, problem
from sipstrobe.web.sessions import COOKIE, Sessions
from sipstrobe.web.throttle import BLOCK, Attempts, Throttle

logger = logging.getLogger(__name__)

_RANKS = list(Role)
NAME_TOLD = 64  # characters of the name that somebody gave
_SAFE = ("GET", "HEAD", "OPTIONS")


class Denied(HttpProblem):
    """Not let in; `headers` carry the challenge."""

    def __init__(self, status: int, detail: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(status, detail)
        self.headers = headers

    def response(self) -> Response:
        return problem(self.status, str(self)).with_headers(*self.headers)


class Gate:
    """Prove who asks. `users` gives the accounts as they are now."""

    def __init__(
        self,
        users: Callable[[], tuple[User, ...]],
        random_bytes: Callable[[int], bytes],
        told: Callable[[SignInFailed | AddressBlocked], None] = lambda _: None,
    ) -> None:
        self._users = users
        self._told = told
        self._attempts = Attempts()
        self._digest = DigestGate(REALM, random_bytes)
        self._sessions = Sessions(random_bytes)
        self._throttle = Throttle()

    @property
    def is_set_up(self) -> bool:
        """Whether there is an account; until then nobody is let in."""
        return bool(self._users())

    def admit(self, request: Request, role: Role) -> Principal:
        """Who asks, if they may do what this role may. Raises Denied with a challenge."""
        who = self.identify(request)
        if who is None:
            raise self._challenge(request, "who are you?")
        if _RANKS.index(who.role) < _RANKS.index(role):
            raise self._challenge(request, f"this needs the role {role.value}")
        return who

    def identify(self, request: Request) -> Principal | None:
        """Who asks, or None without credentials. Raises Denied where they are wrong."""
        refuse_foreign_pages(request)
        given = request.header("authorization")
        scheme = given.partition(" ")[0].lower()
        if scheme == "digest":
            return self._by_digest(request, given)
        if scheme == "basic" and request.secure:
            return self._by_basic(request, given)
        return self._by_session(request)

    def log_in(self, request: Request, name: str, password: str) -> str:
        """Open a session for the page; the token of its cookie. Raises Denied."""
        refuse_foreign_pages(request)
        self._refuse_blocked(request)
        user = self._find(name)
        if user is None or not user.proves(password):
            self._failed(request, name)
            raise Denied(403, "the name or the password is wrong")
        return self.open_session(user, now=request.at)

    def open_session(self, user: User, *, now: float) -> str:
        return self._sessions.open(user.name, user.ha1_sha256.reveal(), now=now)

    def log_out(self, request: Request) -> None:
        self._sessions.close(request.cookie(COOKIE))

    def _by_digest(self, request: Request, given: str) -> Principal:
        self._refuse_blocked(request)
        try:
            answer = DigestAnswer.parse(given)
        except RemoteProtocolError as error:
            raise self._challenge(request, str(error)) from None
        user = self._find(answer.username)
        secrets = user and {"MD5": user.ha1_md5.reveal(), "SHA-256": user.ha1_sha256.reveal()}
        verdict = self._digest.judge(
            answer, request.method, request.target, secrets, now=request.at
        )
        if verdict is Verdict.RIGHT and user is not None:
            return Principal(user.name, user.role)
        if verdict is Verdict.WRONG:
            self._failed(request, answer.username)
        raise self._challenge(
            request, "the name or the password is wrong", stale=verdict is Verdict.STALE
        )

    def _by_basic(self, request: Request, given: str) -> Principal:
        """RFC 7617; only ever asked for over TLS."""
        self._refuse_blocked(request)
        try:
            text = b64decode(given.partition(" ")[2], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise self._challenge(request, "Basic credentials are malformed") from None
        name, _, password = text.partition(":")
        user = self._find(name)
        if user is None or not user.proves(password):
            self._failed(request, name)
            raise self._challenge(request, "the name or the password is wrong")
        return Principal(user.name, user.role)

    def _by_session(self, request: Request) -> Principal | None:
        found = self._sessions.find(request.cookie(COOKIE), now=request.at)
        if found is None:
            return None
        name, proof = found
        user = self._find(name)
        if user is None or user.ha1_sha256.reveal() != proof:
            return None  # deleted since, or with a new password
        if request.method not in _SAFE and not request.header("origin"):
            raise Denied(403, "a page must say where it is from (Origin)")
        return Principal(user.name, user.role)

    def _find(self, name: str) -> User | None:
        return next((user for user in self._users() if user.name == name), None)

    def _failed(self, request: Request, name: str) -> None:
        logger.info("wrong name or password from %s", request.peer)
        if attempts := self._attempts.count(request.peer, now=request.at):
            name = name[:NAME_TOLD]
            self._told(SignInFailed(address=request.peer, name=name, attempts=attempts))
        if self._throttle.failed(request.peer, now=request.at):
            logger.warning(
                "%s guesses passwords (last for %.32r): not heard for %g s",
                request.peer,
                name,
                BLOCK,
            )
            self._told(AddressBlocked(address=request.peer, seconds=BLOCK))

    def _refuse_blocked(self, request: Request) -> None:
        if self._throttle.blocked(request.peer, now=request.at):
            raise Denied(
                403, "too many wrong passwords; wait a little", (("Retry-After", f"{BLOCK:g}"),)
            )

    def _challenge(self, request: Request, detail: str, *, stale: bool = False) -> Denied:
        if request.header("x-requested-with"):
            # Our page asks with a form of its own: a scheme that no browser knows, so that it
            # does not open its own window for the password.
            values = [f'Session realm="{REALM}"']
        else:
            values = self._digest.challenges(now=request.at, stale=stale)
            if request.secure:
                values.append(f'Basic realm="{REALM}", charset="UTF-8"')
        if not self.is_set_up:
            detail = "there is no account yet: the first visitor of the page creates one"
        return Denied(401, detail, tuple(("WWW-Authenticate", value) for value in values))


def refuse_foreign_pages(request: Request) -> None:
    """Raise Denied if another site's page makes the browser ask (CSRF).

    Browsers name the page's origin in whatever changes something and in WebSockets; programs name
    none.
    """
    origin = request.header("origin")
    if origin and origin.partition("://")[2].lower() != request.header("host").lower():
        raise Denied(403, "pages of other origins may not do this")


def refuse_embedded(request: Request) -> None:
    """Raise Denied if another site's page has a link in it as if it were an image (CSRF).

    Browsers name no origin then. To follow a link is another thing: people do so on purpose.
    """
    site, mode = request.header("sec-fetch-site"), request.header("sec-fetch-mode")
    if site in ("cross-site", "same-site") and mode != "navigate":
        raise Denied(403, "pages of other origins may not do this")


def named_from_elsewhere(request: Request) -> bool:
    """Whether the request calls us by a name that anybody could have made point here.

    By DNS rebinding a page of any site reaches us as if we were that site. It cannot with a bare
    address, nor with names that no public DNS gives: those without a dot, and .local (RFC 6762).
    """
    host = request.header("host")
    if host.startswith("["):
        return False
    name = host.partition(":")[0].lower()
    if "." not in name or name.endswith(".local"):
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False
