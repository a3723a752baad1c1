"""Who did what, for administrators: the audit trail, and whether anybody has changed it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Protocol, TypedDict, cast

from msgspec import Meta

from sipstrobe.config.users import Role
from sipstrobe.trace import Actor
from sipstrobe.web.exchange import About, HttpProblem, Principal, Query, Request, Response, Route
from sipstrobe.web.exchange import json as answer

PATH: Final = "/api/v1/audit"
LIMIT: Final = Query[int](
    "limit", Annotated[int, Meta(ge=1, le=1000)], 100, "How many, the newest first."
)
BEFORE: Final = Query[int | None](
    "before", Annotated[int, Meta(ge=1)], None, "Only entries older than that number."
)


class AuditView(Protocol):
    """See services.audit."""

    def note(self, actor: Actor, what: str, result: str) -> None: ...
    async def page(self, limit: int, before: int | None) -> Sequence[Mapping[str, object]]: ...
    async def verify(self) -> Mapping[str, object]: ...


class EntryTold(TypedDict):
    """Somebody did something, and that came of it. Without secrets: of settings, what differs."""

    n: Annotated[int, Meta(description="Its number.")]
    at: datetime
    way: Annotated[str, Meta(description="account, token, anonymous, command line, mqtt, device …")]
    who: str
    address: str
    what: str
    paths: Annotated[list[str], Meta(description="JSON pointers of the settings that differ.")]
    result: str
    times: Annotated[int, Meta(description="It was done so often.")]
    prev: Annotated[str, Meta(description="SHA-256 of the line before, in hexadecimal.")]


class AuditTold(TypedDict):
    """The newest first. next: the `before` of the following page, null after the last."""

    entries: list[EntryTold]
    next: int | None


class VerdictTold(TypedDict):
    """What a look at the whole trail has found."""

    sound: bool
    entries: int
    first: Annotated[int, Meta(description="The number of the oldest that is kept.")]
    last: int
    head: Annotated[str, Meta(description="The hash of the last, to be noted elsewhere.")]
    torn: Annotated[int, Meta(description="Bytes of a line that is being written.")]
    problems: list[str]


class AuditDoor:
    """The routes of the trail."""

    def __init__(self, trail: AuditView) -> None:
        self._trail = trail

    def routes(self) -> list[Route]:
        pages = About(summary="Who did what", answer=AuditTold, query=(LIMIT, BEFORE))
        proof = About(
            summary="Whether the audit trail was changed",
            words="Whoever may write in the folder of the state can make all of it anew: only heads"
            " that were noted elsewhere speak against that.",
            answer=VerdictTold,
        )
        role = Role.ADMINISTRATOR
        return [
            Route(method="GET", path=PATH, handler=self._page, role=role, about=pages),
            Route(method="GET", path=PATH + "/verify", handler=self._proof, role=role, about=proof),
        ]

    async def _page(self, request: Request) -> Response:
        limit, before = LIMIT.of(request), BEFORE.of(request)
        try:
            entries = await self._trail.page(limit, before)
        except OSError as error:
            raise HttpProblem(500, f"the audit trail cannot be read: {error}") from error
        more = entries[-1]["n"] if len(entries) == limit else None
        return answer(AuditTold(entries=cast("list[EntryTold]", entries), next=cast("int", more)))

    async def _proof(self, _: Request) -> Response:
        try:
            return answer(await self._trail.verify())
        except OSError as error:
            raise HttpProblem(500, f"the audit trail cannot be read: {error}") from error


def actor_of(who: Principal | None, address: str) -> Actor:
    """Whom the trail names."""
    if who is None or who.anonymous:
        return Actor(way="anonymous", address=address)
    if who.token:
        return Actor(way=f"token {who.token}", who=who.name, address=address)
    return Actor(way="account", who=who.name, address=address)
