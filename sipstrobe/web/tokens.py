"""Tokens by the API: what programs show in place of a password, each for some purposes only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.access import MAX_TOKENS, Scope, Token
from sipstrobe.config.store import Store
from sipstrobe.config.users import ROLES, Role
from sipstrobe.secret import Secret
from sipstrobe.web import bearer
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import About, HttpProblem, Principal, Request, Response, Route, json
from sipstrobe.web.gate import Gate
from sipstrobe.web.signing_in import UNENCRYPTED, is_exposed

PATH: Final = "/api/v1/tokens"
ID_BYTES: Final = 6


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be made. role: not more than the own one. expires: null for never."""

    name: str
    scopes: tuple[Scope, ...]
    role: Role = Role.VIEWER
    expires: Annotated[datetime, Meta(tz=True)] | None = None


class TokenTold(TypedDict):
    """A token, without its value."""

    id: str
    name: str
    owner: Annotated[str, Meta(description="The account that made it, and that it ends with.")]
    role: Role
    scopes: list[Scope]
    created: datetime
    expires: Annotated[datetime | None, Meta(description="Null: never.")]
    last_used: Annotated[datetime | None, Meta(description="Null: not since the device started.")]


class TokenMade(TokenTold):
    """The same, with the value, which is not told again, and what there is to say about safety."""

    token: str
    advice: str


class TokensTold(TypedDict):
    """The own tokens, of administrators all; and how many there may be in all."""

    tokens: list[TokenTold]
    max: int


class TokensDoor:
    """The routes of tokens."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        clock: Clock,
        store: Store,
        gate: Gate,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._store = store
        self._bearers = gate.bearers
        self._random_bytes = random_bytes

    def routes(self) -> list[Route]:
        refused = {403: ("not_an_account",)}
        shown = About(summary="The tokens", answer=TokensTold, problems=refused)
        made = About(
            summary="Make a token",
            words="Its value is in this answer, and nowhere else.",
            body=NewToken,
            answer=TokenMade,
            status=(201,),
            problems=refused | {409: ("too_many_tokens",)},
        )
        revoked = About(
            summary="Revoke a token",
            status=(204,),
            problems=refused | {404: ("unknown_token",)},
        )
        role = Role.VIEWER
        return [
            Route(method="GET", path=PATH, handler=self._list, role=role, about=shown),
            Route(method="POST", path=PATH, handler=self._make, role=role, about=made),
            Route(
                method="DELETE", path=PATH + "/{id}", handler=self._revoke, role=role, about=revoked
            ),
        ]

    @property
    def _tokens(self) -> tuple[Token, ...]:
        return self._store.upcoming.web.tokens

    def _list(self, request: Request) -> Response:
        who = _account(request)
        tokens = [self._told(token) for token in self._tokens if _may_see(who, token)]
        return json(TokensTold(tokens=tokens, max=MAX_TOKENS))

    def _make(self, request: Request) -> Response:
        who = _account(request)
        new = read_body(NewToken, request.body)
        _check(new, who, self._clock.wall())
        if len(self._tokens) >= MAX_TOKENS:
            words = f"there are {MAX_TOKENS} tokens: revoke one first"
            raise HttpProblem(409, words, code="too_many_tokens")
        value = bearer.draw(self._random_bytes)
        token = Token(
            id=self._random_bytes(ID_BYTES).hex(),
            name=new.name,
            owner=who.name,
            role=new.role,
            scopes=tuple(dict.fromkeys(new.scopes)),
            created=self._clock.wall(),
            expires=new.expires,
            sha256=Secret(bearer.sha256_of(value)),
        )
        self._change((*self._tokens, token))
        advice = UNENCRYPTED if is_exposed(request) else ""
        return json(TokenMade(**self._told(token), token=value, advice=advice), 201)

    def _revoke(self, request: Request) -> Response:
        who, wanted = _account(request), request.path.removeprefix(PATH + "/")
        kept = tuple(t for t in self._tokens if t.id != wanted or not _may_see(who, t))
        if len(kept) == len(self._tokens):
            raise HttpProblem(404, "there is no such token", code="unknown_token")
        self._change(kept)
        return Response(204)

    def _change(self, tokens: tuple[Token, ...]) -> None:
        self._dispatcher.execute(ChangeSettings(patch={"web": {"tokens": tokens}}))

    def _told(self, token: Token) -> TokenTold:
        return TokenTold(
            id=token.id,
            name=token.name,
            owner=token.owner,
            role=token.role,
            scopes=list(token.scopes),
            created=token.created,
            expires=token.expires,
            last_used=self._bearers.last_used.get(token.id),
        )


def _account(request: Request) -> Principal:
    """Who is signed in. A token makes no others: what it could do would outlive it."""
    who = request.principal
    assert who is not None
    if who.token or who.anonymous:
        raise HttpProblem(403, "sign in with a password for this", code="not_an_account")
    return who


def _may_see(who: Principal, token: Token) -> bool:
    return token.owner == who.name or who.role is Role.ADMINISTRATOR


def _check(new: NewToken, who: Principal, now: datetime) -> None:
    """Raise HttpProblem 400 if the token would be of no use, or of too much."""
    if ROLES.index(new.role) > ROLES.index(who.role):
        raise HttpProblem(400, f"must not be more than {who.role.value}", field="role")
    if not new.scopes:
        raise HttpProblem(400, f"must be some of {', '.join(Scope)}", field="scopes")
    if Scope.SYSTEM in new.scopes and new.role is not Role.ADMINISTRATOR:
        raise HttpProblem(400, "system is for tokens of the role administrator", field="scopes")
    if Scope.SETTINGS in new.scopes and new.role is Role.VIEWER:
        raise HttpProblem(400, "settings is not for tokens of the role viewer", field="scopes")
    if new.expires is not None and new.expires <= now:
        raise HttpProblem(400, "must be in the future", field="expires")
