"""Accounts by the API (ACC-01…06): who there is, what each may do, and the password of oneself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypedDict

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.passwords import advice
from sipstrobe.config.store import Store
from sipstrobe.config.users import MAX_USERS, NOTHING, Role, User, check_password, make_user
from sipstrobe.secret import Secret
from sipstrobe.web import accounts
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import (
    About,
    Handler,
    HttpProblem,
    Request,
    Response,
    Route,
    json,
)
from sipstrobe.web.gate import Gate
from sipstrobe.web.sessions import set_cookie

PATH = "/api/v1/users"


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account to be made. digest: whether programs may come in by Digest, and so without TLS;
    for that, what MD5 and SHA-256 make of the password must be kept."""

    name: str
    password: str
    role: Role = Role.VIEWER
    digest: bool = True


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is to be different of an account; Digest is allowed anew with a password only."""

    password: str | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    digest: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class NewPassword:
    """The own password as it is, and as it is to be."""

    old: str
    new: str


class UserTold(TypedDict):
    """An account, without its password."""

    name: str
    role: Role
    digest: Annotated[bool, Meta(description="Whether programs may come in by Digest.")]


class UserMade(UserTold):
    """The same, with what there is to say about the password; empty when there is nothing."""

    advice: str


class UsersTold(TypedDict):
    """All accounts, and how many there may be."""

    users: list[UserTold]
    max: int


class PasswordTold(TypedDict):
    """What there is to say about the password; empty when there is nothing."""

    advice: str


class Accounts:
    """Make and change accounts: hashes are computed beside the loop.

    Each raises ConfigError where the settings cannot be so, HttpProblem 404 `unknown_user`, 409
    `name_taken` and `last_administrator`, and Busy while too many hashes wait.
    """

    def __init__(self, dispatcher: Dispatcher, store: Store, gate: Gate) -> None:
        self._dispatcher = dispatcher
        self._store = store
        self._prover = gate.prover

    @property
    def users(self) -> tuple[User, ...]:
        """As they will be once all that was asked for is stored."""
        return self._store.upcoming.web.users

    def find(self, name: str) -> User:
        for user in self.users:
            if user.name == name:
                return user
        raise HttpProblem(404, f"there is no account {name!r:.80}", code="unknown_user")

    async def make(
        self,
        name: str,
        role: Role,
        password: str,
        *,
        digest: bool = True,
        address: str = "",
        before: Callable[[], None] = lambda: None,
    ) -> User:
        """A new account. address: whose request it is, for the bounds of the Prover. before: is
        called when the hash is there, and may raise."""
        check_password(password)
        hashed = await self._prover.hashed(password, address)
        before()
        if any(user.name == name for user in self.users):
            raise HttpProblem(
                409, f"there is an account {name} already", code="name_taken", field="name"
            )
        user = make_user(name, role, password, hashed, digest=digest)
        self._change(accounts.added(self.users, user))
        return user

    async def change(
        self,
        name: str,
        wanted: UserChange,
        address: str = "",
        before: Callable[[], None] = lambda: None,
    ) -> User:
        """Another role or password, or Digest allowed or not. address, before: as in `make`."""
        password, digest = wanted.password, wanted.digest
        hashed = ""
        if password is not UNSET:
            check_password(password)
            hashed = await self._prover.hashed(password, address)
            before()
        user = self.find(name)
        role = user.role if wanted.role is UNSET else wanted.role
        allow = user.digest if digest is UNSET else digest
        if password is not UNSET:
            new = make_user(name, role, password, hashed, digest=allow)
        elif allow == user.digest:
            new = replace(user, role=role)
        elif allow or not user.password:
            words = "Digest is allowed or not by a new password" if allow else "is needed for that"
            raise HttpProblem(400, words, field="password")
        else:
            new = replace(user, role=role, ha1_md5=NOTHING, ha1_sha256=NOTHING)
        if role is not Role.ADMINISTRATOR:
            self._keep_an_administrator(user)
        self._change(accounts.changed(self.users, new))
        return new

    def remove(self, name: str) -> None:
        """End an account, with its sessions and tokens."""
        self._keep_an_administrator(self.find(name))
        self._change(accounts.removed(self._store.upcoming.web, name))

    def add_hash(self, user: User, hashed: str) -> None:
        """Keep the slow hash of a password that was proven by another."""
        for now in self.users:
            if now.name == user.name and now.same_password(user) and not now.password:
                new = replace(now, password=Secret(hashed))
                self._change(accounts.changed(self.users, new))

    def _keep_an_administrator(self, user: User) -> None:
        """ACC-05: without one, nobody could make another."""
        rest = [u for u in self.users if u.role is Role.ADMINISTRATOR and u.name != user.name]
        if user.role is Role.ADMINISTRATOR and not rest:
            words = f"{user.name} is the last administrator: make another one first"
            raise HttpProblem(409, words, code="last_administrator")

    def _change(self, patch: object) -> None:
        self._dispatcher.execute(ChangeSettings(patch=patch))


class UsersDoor:
    """The routes of accounts, which are for administrators, and of the own password."""

    def __init__(self, accounts: Accounts, gate: Gate) -> None:
        self._accounts = accounts
        self._gate = gate

    def routes(self) -> list[Route]:
        def route(method: str, path: str, handler: Handler, about: About) -> Route:
            return Route(
                method=method, path=path, handler=handler, role=Role.ADMINISTRATOR, about=about
            )

        one = PATH + "/{name}"
        taken, last = ("name_taken",), ("last_administrator",)
        made = About(
            summary="Make an account",
            body=NewUser,
            answer=UserMade,
            status=(201,),
            problems={409: taken, 503: ("busy",)},
        )
        change = About(
            summary="Change an account",
            words="A new password or role ends its sessions and live feeds at once.",
            body=UserChange,
            answer=UserMade,
            problems={404: ("unknown_user",), 409: last, 503: ("busy",)},
        )
        remove = About(
            summary="Delete an account",
            status=(204,),
            problems={404: ("unknown_user",), 409: last},
        )
        password = About(
            summary="Change the own password",
            words="All other sessions of the account end.",
            body=NewPassword,
            answer=PasswordTold,
            problems={403: ("wrong_password", "not_an_account"), 503: ("busy",)},
        )
        return [
            route("GET", PATH, self._list, About(summary="The accounts", answer=UsersTold)),
            route("POST", PATH, self._make, made),
            route("PATCH", one, self._change, change),
            route("DELETE", one, self._remove, remove),
            Route(
                method="POST",
                path="/api/v1/password",
                handler=self._own_password,
                role=Role.VIEWER,
                about=password,
            ),
        ]

    def _list(self, _: Request) -> Response:
        users = [_told(user) for user in self._accounts.users]
        return json(UsersTold(users=users, max=MAX_USERS))

    async def _make(self, request: Request) -> Response:
        new = read_body(NewUser, request.body)
        user = await self._accounts.make(
            new.name,
            new.role,
            new.password,
            digest=new.digest,
            address=request.peer,
            before=self._insists(request),
        )
        return json(UserMade(**_told(user), advice=advice(new.password, user.name)), 201)

    async def _change(self, request: Request) -> Response:
        wanted = read_body(UserChange, request.body)
        before = self._insists(request)
        user = await self._accounts.change(_name(request), wanted, request.peer, before)
        words = "" if wanted.password is UNSET else advice(wanted.password, user.name)
        return json(UserMade(**_told(user), advice=words))

    def _remove(self, request: Request) -> Response:
        self._accounts.remove(_name(request))
        return Response(204)

    def _insists(self, request: Request) -> Callable[[], None]:
        """While a hash is made, whoever asks for it may lose the right to it, or his password may
        be changed by somebody who means to shut him out."""
        assert request.principal is not None
        return self._gate.insists(request, request.principal)

    async def _own_password(self, request: Request) -> Response:
        """Whoever came by a cookie goes on with a new one; all that knew the old password ends."""
        who = request.principal
        assert who is not None
        if who.token or who.anonymous:
            raise HttpProblem(403, "only an account has a password", code="not_an_account")
        new = read_body(NewPassword, request.body)
        check_password(new.new, "/new")
        before = self._insists(request)
        if not await self._gate.confirm(request, who.name, new.old):
            words = "this is not the password so far"
            raise HttpProblem(403, words, code="wrong_password", field="old")
        wanted = UserChange(password=new.new)
        user = await self._accounts.change(who.name, wanted, request.peer, before)
        answer = json(PasswordTold(advice=advice(new.new, user.name)))
        if request.header("authorization"):
            return answer
        token = self._gate.open_session(request, user, new.new)
        return answer.with_headers(set_cookie(token, secure=request.secure))


def _name(request: Request) -> str:
    return request.path.removeprefix(PATH + "/")


def _told(user: User) -> UserTold:
    return UserTold(name=user.name, role=user.role, digest=user.digest)
