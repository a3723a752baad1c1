"""Who makes a request, and whether they may.

Digest for programs, Basic for programs that came over TLS, a token for programs without a password,
a session cookie for the page. Nothing but what is proven counts; what guesses too fast is refused
for a while, by its address.
"""

import binascii
import logging
import time
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from sipstrobe.config.access import Scope
from sipstrobe.config.passwords import COST, Cost, advice
from sipstrobe.config.settings import WebSettings
from sipstrobe.config.users import REALM, ROLES, Role, User
from sipstrobe.errors import RemoteProtocolError
from sipstrobe.events import AddressBlocked, SignInFailed
from sipstrobe.web.bearer import Bearers, role_of
from sipstrobe.web.denied import Denied
from sipstrobe.web.digest import DigestAnswer, DigestGate, Verdict
from sipstrobe.web.exchange import Principal, Request
from sipstrobe.web.facts import Fact, Hashed, SignedIn, SignedOut
from sipstrobe.web.origin import named_from_elsewhere, refuse_foreign_pages, refuse_forged
from sipstrobe.web.prover import Prover
from sipstrobe.web.sessions import Session, Sessions, token_of
from sipstrobe.web.throttle import Attempts, Throttle

logger = logging.getLogger(__name__)

UNKNOWN_NAME = "an unknown name"  # is told in place of it: a password may have been typed there
UNNAMED = "(token)"  # the same, where a wrong token was shown
LOOK = frozenset({Scope.READ})
ANONYMOUS = Principal("anonymous", Role.VIEWER, LOOK, anonymous=True)


class Gate:
    """Prove who asks. web: the settings as they are now, with the accounts in them."""

    def __init__(
        self,
        web: Callable[[], WebSettings],
        random_bytes: Callable[[int], bytes],
        told: Callable[[Fact], None] = lambda _: None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        now: Callable[[], float] = time.monotonic,
        cost: Cost = COST,
    ) -> None:
        self._web = web
        self._told = told
        self._wall = wall
        self._now = now
        self._attempts = Attempts()
        self._digest = DigestGate(REALM, random_bytes)
        self._sessions = Sessions(random_bytes)
        self._throttle = Throttle(lambda: web().brute_force)
        self.prover = Prover(
            random_bytes, cost, lambda address: self._throttle.trusts(address, now=now())
        )
        self.bearers = Bearers(lambda: web().tokens)

    @property
    def is_set_up(self) -> bool:
        """Whether there is an account; until then nobody is let in."""
        return bool(self._web().users)

    @property
    def is_open(self) -> bool:
        """Whether those may look who have no account (ACC-06)."""
        return self._web().anonymous_viewing and self.is_set_up

    def may_look(self, request: Request) -> bool:
        """Whether this one may look without an account. Not by a name that any site could have
        made point here, whose page would look too; over TLS it has no certificate for that."""
        return self.is_open and (request.secure or not named_from_elsewhere(request))

    def close(self) -> None:
        self.prover.close()

    # --- at each request ------------------------------------------------------------------------

    def must_prove(self, request: Request) -> bool:
        """Whether `prove` must come before `admit` and `identify`."""
        return _way(request) == "basic"

    async def prove(self, request: Request) -> None:
        """Have a password looked at beside the loop, and remember that it is right. Raises Denied,
        whatever was asked for: nobody finds out a password where none is needed. Raises Busy."""
        self._refuse_blocked(request)
        name, password = self._basic(request)
        user = self._find(name)
        if user is not None and self.prover.remembers(user, password):
            return
        if await self._proven(request, user, password) is None:
            self._failed(request, name)
            raise self.challenge(request, "the name or the password is wrong")

    def admit(self, request: Request, role: Role, scopes: frozenset[Scope] = LOOK) -> Principal:
        """Who asks, if they may do what this role may. Raises Denied with a challenge.

        scopes: what a token must be for.
        """
        who = self.identify(request)
        if who is None and self.may_look(request) and role is Role.VIEWER and scopes == LOOK:
            return ANONYMOUS
        if who is None:
            raise self.challenge(request, "who are you?")
        if ROLES.index(who.role) < ROLES.index(role):
            raise self.challenge(request, f"this needs the role {role.value}")
        if who.scopes is not None and not scopes <= who.scopes:
            words = " and ".join(sorted(scopes - who.scopes))
            raise Denied(403, f"this token is not for {words}", (_bearer("insufficient_scope"),))
        return who

    def identify(self, request: Request) -> Principal | None:
        """Who asks, or None without credentials. Raises Denied where they are wrong."""
        refuse_foreign_pages(request)
        given = request.header("authorization")
        match _way(request):
            case "digest":
                return self._by_digest(request, given)
            case "basic":
                return self._by_basic(request)
            case "bearer":
                return self._by_token(request, given)
            case "session":
                return self._by_session(request)

    def keeps(self, request: Request, who: Principal) -> Callable[[], bool]:
        """Tells, later, whether they would still be let in who have been now."""
        if who.anonymous:
            return lambda: self.is_open
        cookie, secure, user = token_of(request), request.secure, self._find(who.name)
        by_session = _way(request) == "session"

        def session() -> Session | None:
            return self._sessions.find(cookie, secure=secure, now=self._now())

        def still() -> bool:
            now = self._find(who.name)
            return (
                user is not None
                and now is not None
                and now.role is user.role
                and (bool(who.token) or user.same_password(now))
                and (not who.token or self.bearers.holds(who.token, self._wall()))
                and (not by_session or session() is not None)
            )

        return still

    def insists(self, request: Request, who: Principal) -> Callable[[], None]:
        """Raises Denied, later, if who has been let in now would no longer be."""
        still = self.keeps(request, who)

        def insist() -> None:
            if not still():
                raise self.challenge(request, "who asked for this may not do so any more")

        return insist

    # --- sessions of the page -------------------------------------------------------------------

    async def log_in(self, request: Request, name: str, password: str) -> str:
        """Open a session for the page; the token of its cookie. Raises Denied and Busy."""
        refuse_foreign_pages(request)
        self._refuse_blocked(request)
        user = await self._proven(request, self._find(name), password)
        if user is None:
            self._failed(request, name)
            raise Denied(403, "the name or the password is wrong")
        return self.open_session(request, user, password)

    async def confirm(self, request: Request, name: str, password: str) -> bool:
        """Whether this is the password of somebody who is signed in already; counts like a sign-in.
        Raises Denied and Busy."""
        self._refuse_blocked(request)
        if await self._proven(request, self._find(name), password) is not None:
            return True
        self._failed(request, name)
        return False

    def open_session(self, request: Request, user: User, password: str) -> str:
        """For somebody who has shown this password."""
        self._throttle.passed(request.peer, now=request.at)
        self._told(SignedIn(user.name, request.peer))
        self._sessions.close(token_of(request))  # what this browser has had so far
        weak = advice(password, user.name)
        return self._sessions.open(user, weak, secure=request.secure, now=request.at)

    def log_out(self, request: Request, *, everywhere: bool = False) -> None:
        session = self._sessions.close(token_of(request))
        if session is None:
            return
        if everywhere:
            self._sessions.close_all(session.user.name)
        self._told(SignedOut(session.user.name, request.peer, everywhere))

    def weak(self, request: Request) -> str:
        """What there is to say of the password of whoever is logged in on the page."""
        session = self._session(request)
        return session.weak if session is not None else ""

    # --- proofs ---------------------------------------------------------------------------------

    async def _proven(self, request: Request, user: User | None, password: str) -> User | None:
        """The account as it is now, if this is its password, which then is remembered."""
        right, hashed = await self.prover.check(user, password, request.peer)
        now = self._find(user.name) if user is not None else None
        if not right or user is None or now is None or not now.same_password(user):
            return None  # wrong, or changed in between
        self.prover.remember(now, password)
        if hashed and not now.password:
            self._told(Hashed(now, hashed))
        return now

    def _by_digest(self, request: Request, given: str) -> Principal:
        self._refuse_blocked(request)
        try:
            answer = DigestAnswer.parse(given)
        except RemoteProtocolError as error:
            raise self.challenge(request, str(error)) from None
        user = self._find(answer.username)
        secrets = user and {"MD5": user.ha1_md5.reveal(), "SHA-256": user.ha1_sha256.reveal()}
        verdict = self._digest.judge(
            answer, request.method, request.target, secrets, now=request.at
        )
        if verdict is Verdict.RIGHT and user is not None:
            return self._let_in(request, Principal(user.name, user.role))
        if verdict is Verdict.WRONG:
            self._failed(request, answer.username)
        raise self.challenge(
            request, "the name or the password is wrong", stale=verdict is Verdict.STALE
        )

    def _by_basic(self, request: Request) -> Principal:
        """RFC 7617; only ever asked for over TLS. `prove` has been called before."""
        name, password = self._basic(request)
        user = self._find(name)
        if user is None or not self.prover.remembers(user, password):
            raise self.challenge(request, "the password has been changed")
        return self._let_in(request, Principal(user.name, user.role))

    def _basic(self, request: Request) -> tuple[str, str]:
        """The name and the password that were sent. Raises Denied."""
        try:
            given = request.header("authorization").partition(" ")[2]
            text = b64decode(given.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise self.challenge(request, "Basic credentials are malformed") from None
        name, _, password = text.partition(":")
        return name, password

    def _by_token(self, request: Request, given: str) -> Principal:
        """RFC 6750 §2.1."""
        self._refuse_blocked(request)
        token = self.bearers.find(given.partition(" ")[2].strip(), self._wall())
        owner = self._find(token.owner) if token is not None else None
        if token is None or owner is None:
            self._failed(request, None)
            raise Denied(
                401, "there is no such token, or not any more", (_bearer("invalid_token"),)
            )
        who = Principal(owner.name, role_of(token, owner), frozenset(token.scopes), token.id)
        return self._let_in(request, who)

    def _by_session(self, request: Request) -> Principal | None:
        session = self._session(request)
        if session is None:
            return None
        refuse_forged(request)
        return Principal(session.user.name, session.user.role)

    def _session(self, request: Request) -> Session | None:
        session = self._sessions.find(token_of(request), secure=request.secure, now=request.at)
        user = self._find(session.user.name) if session is not None else None
        if session is None or user is None:
            return None
        if user.role is not session.user.role or not user.same_password(session.user):
            return None  # changed since
        return session

    def _find(self, name: str) -> User | None:
        return next((user for user in self._web().users if user.name == name), None)

    # --- refusals -------------------------------------------------------------------------------

    def _let_in(self, request: Request, who: Principal) -> Principal:
        self._throttle.passed(request.peer, now=request.at)
        return who

    def _failed(self, request: Request, given: str | None) -> None:
        """given: the name, None: a token. Of names only those of accounts are told."""
        name = UNNAMED
        if given is not None:
            name = given if self._find(given) is not None else UNKNOWN_NAME
        logger.info("wrong name or password from %s", request.peer)
        if attempts := self._attempts.count(request.peer, now=request.at):
            self._told(SignInFailed(address=request.peer, name=name, attempts=attempts))
        if self._throttle.failed(request.peer, request.path, now=request.at):
            seconds = self._web().brute_force.block_seconds
            words = "%s guesses passwords (last for %s): not heard for %g s"
            logger.warning(words, request.peer, name, seconds)
            self._told(AddressBlocked(address=request.peer, seconds=float(seconds)))

    def _refuse_blocked(self, request: Request) -> None:
        if seconds := self._throttle.blocked(request.peer, now=request.at):
            wait = ("Retry-After", str(seconds))
            raise Denied(403, "too many wrong passwords; wait a little", (wait,))

    def challenge(self, request: Request, detail: str, *, stale: bool = False) -> Denied:
        """The refusal of a request without credentials, or with such as do not do."""
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


def _way(request: Request) -> Literal["digest", "basic", "bearer", "session"]:
    """By what it shows who asks; Basic counts over TLS only."""
    match request.header("authorization").partition(" ")[0].lower():
        case "digest":
            return "digest"
        case "bearer":
            return "bearer"
        case "basic" if request.secure:
            return "basic"
        case _:
            return "session"


def _bearer(error: str) -> tuple[str, str]:
    """RFC 6750 §3."""
    return "WWW-Authenticate", f'Bearer realm="{REALM}", error="{error}"'
