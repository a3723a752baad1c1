"""The settings, whole and by section: read with their limits in words, changed by merge patch (RFC
7396)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Generic, TypedDict, TypeVar

import msgspec
from msgspec import Meta

from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.settings import WebSettings
from sipstrobe.config.store import Plan, Store
from sipstrobe.config.users import Role
from sipstrobe.errors import StaleRevision
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import (
    About,
    Handler,
    HttpProblem,
    Merge,
    Principal,
    Request,
    Response,
    Route,
    json,
    look,
)
from sipstrobe.web.rule_json import warnings_json
from sipstrobe.web.sections import (
    DOORS,
    LISTS,
    SECTIONS,
    Whole,
    for_administrators,
    refuse_borrowed,
    refuse_elsewhere,
    refuse_system,
    schema_of,
    seen,
)
from sipstrobe.web.told.rules import Changed

T = TypeVar("T")

ALL: Final = "/api/v1/settings"
PATH: Final = ALL + "/"
SCHEMA: Final = PATH + "schema"
FIRST_FREE_PORT: Final = 1024
BODY_MAX_BYTES: Final = 1024 * 1024  # as long as all sequences with all their accounts
BESIDE_BYTES: Final = 16 * 1024  # what is longer holds up the loop for more than 2 ms


class SettingsTold(TypedDict, Generic[T]):
    """Settings, and the revision they are of."""

    revision: int
    settings: T
    schema: Annotated[dict[str, Any], Meta(description="What they may be, as JSON Schema.")]
    system: Annotated[list[str], Meta(description="What is for administrators (pointers).")]


class AllTold(TypedDict):
    """The whole tree, and the revision it is of."""

    revision: int
    settings: Whole  # pyright: ignore[reportInvalidTypeForm]  made of the sections
    system: list[str]


_CHANGING: Final[Mapping[int, tuple[str, ...]]] = {409: ("elsewhere",), 412: ("stale",), 422: ()}
_PATCHED: Final = (
    "Of an object only what is named changes, null puts back the default, a list is replaced whole."
    ' With If-Match: "REVISION" it is refused once anything has changed since.'
)


class SettingsDoor:
    """The routes of the settings. insists: gives what raises when somebody may no longer do what he
    may now."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        clock: Clock,
        store: Store,
        insists: Callable[[Request, Principal], Callable[[], None]],
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._store = store
        self._insists = insists
        self._planning = asyncio.Lock()

    def routes(self) -> list[Route]:
        whole = About(summary="All settings", answer=AllTold, tag="settings")
        schema = About(summary="What all settings may be, as JSON Schema", answer=dict[str, Any])
        return [
            look(ALL, self._read_all, whole),
            look(SCHEMA, self._schema, schema),
            look(PATH + "*", self._read, tuple(_reading(name) for name in SECTIONS)),
            _changing(
                PATH + "*",
                self._change,
                Role.OPERATOR,
                tuple(_writing(name) for name in SECTIONS if f"/{name}" not in DOORS),
            ),
            _changing(
                ALL,
                self._change_all,
                Role.ADMINISTRATOR,
                About(
                    summary="Change several sections at once, or none of them",
                    words=_PATCHED,
                    body=Merge(Whole),
                    answer=Changed,
                    problems=_CHANGING,
                    tag="settings",
                ),
            ),
        ]

    def _read_all(self, _: Request) -> Response:
        tree, revision = self._store.tree, self._store.revision
        settings = {name: seen(name, tree[name]) for name in SECTIONS}
        answer = {"revision": revision, "settings": settings, "system": for_administrators("")}
        return json(answer).with_headers(("ETag", f'"{revision}"'))

    async def _schema(self, _: Request) -> Response:
        """Of everything; made with the first question, which takes longer than the loop waits."""
        return json(await asyncio.to_thread(schema_of, ""))

    def _read(self, request: Request) -> Response:
        """The values, the revision they are of, and what may be said in their place."""
        name = _section(request)
        revision = self._store.revision
        answer = {
            "revision": revision,
            "settings": seen(name, self._store.tree[name]),
            "schema": schema_of(name),
            "system": for_administrators(name),
        }
        return json(answer).with_headers(("ETag", f'"{revision}"'))

    async def _change(self, request: Request) -> Response:
        """Merge into a section."""
        name = _section(request)
        body = await _body(request)
        patch = {name: _read_list(body) if name in LISTS else read_object(body)}
        refuse_elsewhere(patch)
        if not _is_administrator(request):
            refuse_system(patch)
        return await self._merge(request, patch, len(body))

    async def _change_all(self, request: Request) -> Response:
        """Merge into all of them."""
        body = await _body(request)
        patch = read_object(body)
        refuse_elsewhere(patch)
        return await self._merge(request, patch, len(body))

    async def _merge(self, request: Request, patch: Mapping[str, Any], size_bytes: int) -> Response:
        """With If-Match only if nobody has changed anything since that revision. Told is what looks
        wrong with the rules, of other sections what has only become so by this."""
        known = _revision(request)
        try:
            beside = size_bytes > BESIDE_BYTES
            wanted = await self._planned(request, patch, known) if beside else patch
            if not _is_administrator(request):
                refuse_borrowed(patch, self._store.tree)
            before = None if "rules" in patch else self._store.upcoming
            revision = self._dispatcher.execute(ChangeSettings(patch=wanted, revision=known))
        except StaleRevision as stale:
            words = "the settings have been changed meanwhile: look at them again"
            raise HttpProblem(412, words, code="stale") from stale
        after = self._store.upcoming
        warnings = await warnings_json(after, self._clock.wall(), before)
        if "web" in patch:
            warnings += _port_warnings(after.web)
        return json({"revision": revision, "warnings": warnings})

    async def _planned(
        self, request: Request, patch: Mapping[str, Any], revision: int | None
    ) -> Plan:
        """Work it out beside the loop, one after the other: each builds on those before."""
        assert request.principal is not None
        insist = self._insists(request, request.principal)
        async with self._planning:
            plan = await asyncio.to_thread(self._store.plan(patch, revision=revision))
        insist()
        return plan


def _is_administrator(request: Request) -> bool:
    return request.principal is not None and request.principal.role is Role.ADMINISTRATOR


def _port_warnings(web: WebSettings) -> list[dict[str, object]]:
    """HTT-02, HTT-03: ports that are for other services."""
    found: list[dict[str, object]] = []
    for name, port, usual in (("port", web.port, 80), ("https_port", web.https_port, 443)):
        if port < FIRST_FREE_PORT and port != usual:
            words = f"ports below {FIRST_FREE_PORT} are for other services, but for {usual}"
            found.append(
                {"path": f"/web/{name}", "code": "low_port", "message": words, "rules": ()}
            )
    return found


def _changing(path: str, handler: Handler, role: Role, about: About | tuple[About, ...]) -> Route:
    return Route(
        method="PATCH",
        path=path,
        handler=handler,
        role=role,
        about=about,
        body_max_bytes=BODY_MAX_BYTES,
        streamed=True,  # so much is not read for strangers
    )


def _reading(name: str) -> About:
    return About(
        summary=f"The settings of {name}",
        answer=SettingsTold[SECTIONS[name]],
        template=PATH + name,
    )


def _writing(name: str) -> About:
    kind = SECTIONS[name]
    return About(
        summary=f"Change the settings of {name}",
        words="The whole list in place of the one that there is." if name in LISTS else _PATCHED,
        body=kind if name in LISTS else Merge(kind),
        answer=Changed,
        problems=_CHANGING,
        template=PATH + name,
    )


async def _body(request: Request) -> bytes:
    assert request.content is not None
    return b"".join([piece async for piece in request.content])


def _section(request: Request) -> str:
    name = request.path.removeprefix(PATH)
    if name not in SECTIONS:
        raise HttpProblem(404, f"no such section; there are {', '.join(SECTIONS)}")
    return name


def _read_list(body: bytes) -> list[Any]:
    """A list in the place of the one that there is (RFC 7396). Raises HttpProblem 400."""
    try:
        return msgspec.json.decode(body, type=list[Any])
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise HttpProblem(400, "the body must be a JSON list") from None


def _revision(request: Request) -> int | None:
    text = request.header("if-match").strip().strip('"')
    if not text or text == "*":
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise HttpProblem(412, "If-Match names no revision of ours", code="stale")
    return int(text)
