"""Rules as resources: what each did and why, what they would do, and what looks wrong with them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, TypedDict, TypeVar

import msgspec
from msgspec import Meta, Struct

from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock
from sipstrobe.commands import ChangeSettings
from sipstrobe.config.rule_check import with_rules
from sipstrobe.config.settings import Settings
from sipstrobe.config.store import Store
from sipstrobe.config.users import Role
from sipstrobe.errors import ConfigError, Problem
from sipstrobe.rules import simulate
from sipstrobe.rules.extensions import rules_of
from sipstrobe.rules.settings import MAX_NAME, Rule
from sipstrobe.rules.simulate import MAX_EVENTS, MAX_SECONDS, Happening
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import About, HttpProblem, Request, Response, Route, act, json, look
from sipstrobe.web.rule_json import (
    When,
    ready,
    record_json,
    rule_json,
    timeline_json,
    warnings_json,
)
from sipstrobe.web.told.common import Instant
from sipstrobe.web.told.rules import Changed, RecordTold, RuleStands, TimelineTold, Warned
from sipstrobe.web.views import Views

PATH: Final = "/api/v1/rules"
HISTORY: Final = "/history"
BODY_MAX_BYTES: Final = 1024 * 1024  # as long as all rules
MAX_MINUTES: Final = 24 * 60.0

T = TypeVar("T", bound=Struct)


class MadeUp(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that is made up. at: seconds since the beginning."""

    at: float = 0.0
    event: str
    items: dict[str, str] = {}


class Simulated(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to try. rules: None: those that are stored. recorded: of so many minutes up to now."""

    rules: list[Any] | None = None
    events: Annotated[list[MadeUp], Meta(max_length=MAX_EVENTS)] = []
    recorded: Annotated[float, Meta(gt=0, le=MAX_MINUTES)] | None = None
    seconds: Annotated[float, Meta(ge=0, le=MAX_SECONDS)] | None = None


class Checked(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look at. rules: None: those that are stored."""

    rules: list[Any] | None = None


class RulesTold(TypedDict):
    """All rules as they stand, also those that extensions make."""

    now: Instant
    wall: datetime
    rules: list[RuleStands]
    revision: int
    warnings: list[Warned]


class RuleTold(RuleStands):
    """A rule, and what touched it lately, the newest first."""

    now: Instant
    wall: datetime
    history: list[RecordTold]


class WarningsTold(TypedDict):
    """What looks wrong."""

    warnings: list[Warned]


_LIST: Final = About(summary="How the rules stand", answer=RulesTold)
_HISTORY: Final = About(
    summary="What touched a rule, and why it did what it did",
    template=PATH + "/{name}" + HISTORY,
    answer=RuleTold,
)
_PUT: Final = About(
    summary="Make a rule, or put another in its place",
    words="Its name may be changed by the body, which is a rule without a name, or with another.",
    template=PATH + "/{name}",
    body=dict[str, Any],
    answer=Changed,
    status=(200, 201),
    problems={409: ("stale",), 422: ()},
)
_DELETE: Final = About(
    summary="Delete a rule",
    template=PATH + "/{name}",
    answer=Changed,
    problems={409: ("stale",), 422: ()},
)
_CHECK: Final = About(
    summary="What looks wrong with rules", body=Checked, answer=WarningsTold, problems={422: ()}
)
_SIMULATE: Final = About(
    summary="What rules would have done",
    words="Of events that are made up, or that were recorded in the last minutes.",
    body=Simulated,
    answer=TimelineTold,
    problems={409: ("busy",), 422: ()},
)


class RulesDoor:
    """The routes of rules."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock, store: Store, views: Views) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._store = store
        self._views = views
        self._simulating = False

    def routes(self) -> list[Route]:
        return [
            look(PATH, self._list, _LIST),
            look(PATH + "/**", self._history, _HISTORY),
            act("PUT", PATH + "/**", self._put, _PUT),
            act("DELETE", PATH + "/**", self._delete, _DELETE),
            _long(PATH + "/check", self._check, _CHECK),
            _long(PATH + "/simulate", self._simulate, _SIMULATE),
        ]

    # --- what they do ---------------------------------------------------------------------------

    async def _list(self, _: Request) -> Response:
        when = When.of(self._clock)
        settings = self._store.current
        revision = self._store.revision
        rules: list[object] = []
        for rule in self._views.rules():
            rules.append(ready(rule_json(rule, when)))
            await asyncio.sleep(0)  # calls and sound have theirs in between
        told = {"rules": rules, "revision": revision}
        warnings = await warnings_json(settings, when.wall)
        return json(when.told | told | {"warnings": warnings})

    async def _history(self, request: Request) -> Response:
        name = request.path.removeprefix(PATH + "/")
        if not name.endswith(HISTORY):
            raise HttpProblem(404, f"there is {PATH}/NAME{HISTORY}")
        rule = self._views.rule(name.removesuffix(HISTORY))
        if rule is None:
            raise HttpProblem(404, "there is no such rule")
        when = When.of(self._clock)
        told = when.told | rule_json(rule, when)
        history: list[object] = []
        for record in reversed(rule.records):
            history.append(ready(record_json(record, when)))
            await asyncio.sleep(0)
        return json(told | {"history": history})

    # --- what they would do ---------------------------------------------------------------------

    async def _simulate(self, request: Request) -> Response:
        """In another thread, and one at a time: it takes up to a second of a processor."""
        wanted = await _read(request, Simulated)
        happenings = [Happening(e.at, e.event, e.items) for e in wanted.events]
        found = simulate.problems(happenings, "/events")
        if wanted.recorded is not None and happenings:
            found.append(Problem("/recorded", "events are recorded or made up, not both"))
        if found:
            raise ConfigError(found)
        settings = await self._settings(wanted.rules)
        made = [rule for extension in settings.extensions for rule in rules_of(extension)]
        before: Sequence[Happening] = ()
        seconds = wanted.seconds
        if wanted.recorded is not None:
            excerpt = self._views.past(60.0 * wanted.recorded)
            before, happenings = excerpt.before, excerpt.events
            seconds = excerpt.seconds if seconds is None else seconds
        if self._simulating:
            raise HttpProblem(409, "another simulation runs", code="busy")
        self._simulating = True
        try:
            return await asyncio.to_thread(
                _simulated, [*settings.rules, *made], happenings, before, seconds
            )
        finally:
            self._simulating = False

    # --- what looks wrong -----------------------------------------------------------------------

    async def _check(self, request: Request) -> Response:
        """Rules that are given, or those that are stored."""
        settings = await self._settings((await _read(request, Checked)).rules)
        return json({"warnings": await warnings_json(settings, self._clock.wall())})

    async def _settings(self, rules: list[Any] | None) -> Settings:
        current = self._store.current
        return current if rules is None else await asyncio.to_thread(with_rules, current, rules)

    # --- what they are --------------------------------------------------------------------------

    async def _put(self, request: Request) -> Response:
        """Make a rule, or put another in its place; its name may be changed by the body."""
        name = _named(request)
        rule = {"name": name, **read_object(request.body)}
        rules = self._tree()
        places = [i for i, known in enumerate(rules) if known["name"] == name]
        if places:
            rules[places[0]] = rule
        else:
            rules.append(rule)
        return await self._change(rules, 200 if places else 201)

    async def _delete(self, request: Request) -> Response:
        name, rules = _named(request), self._tree()
        kept = [rule for rule in rules if rule["name"] != name]
        if len(kept) == len(rules):
            raise HttpProblem(404, "there is no such rule")
        return await self._change(kept, 200)

    async def _change(self, rules: list[Any], status: int) -> Response:
        settings = with_rules(self._store.current, rules)  # tells what is wrong with rules alone
        change = ChangeSettings(patch={"rules": rules}, revision=self._store.revision)
        revision = self._dispatcher.execute(change)
        warnings = await warnings_json(settings, self._clock.wall())
        return json({"revision": revision, "warnings": warnings}, status)

    def _tree(self) -> list[Any]:
        return list(self._store.tree["rules"])


def _simulated(
    rules: Sequence[Rule],
    happenings: Sequence[Happening],
    before: Sequence[Happening],
    seconds: float | None,
) -> Response:
    timeline = simulate.simulate(rules, happenings, before=before, seconds=seconds)
    return json(timeline_json(timeline))


def _long(path: str, handler: Callable[[Request], Awaitable[Response]], about: About) -> Route:
    """What may have all rules in its body; so much is not read for strangers."""
    return Route(
        method="POST",
        path=path,
        handler=handler,
        role=Role.OPERATOR,
        about=about,
        body_max_bytes=BODY_MAX_BYTES,
        streamed=True,
    )


def _named(request: Request) -> str:
    name = request.path.removeprefix(PATH + "/")
    if len(name) > MAX_NAME:
        raise HttpProblem(404, "there is no such rule")
    return name


async def _read(request: Request, kind: type[T]) -> T:
    assert request.content is not None
    body = bytearray()
    async for piece in request.content:
        body += piece
    values = read_object(bytes(body))
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        field = place.strip("`").removeprefix("$.")
        raise HttpProblem(400, words, field=field) from None
