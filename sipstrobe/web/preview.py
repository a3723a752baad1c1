"""Trying a profile on the device before it is saved: PRF-07."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal, TypedDict

from msgspec import Meta, Struct

from sipstrobe.bus import Dispatcher
from sipstrobe.clock import Clock, Handle
from sipstrobe.config import check
from sipstrobe.config.clips import patterns
from sipstrobe.config.store import Store
from sipstrobe.events import Function
from sipstrobe.lightsiren.preview import (
    MAX_PREVIEW_SECONDS,
    PREVIEW_RANK,
    PreviewProfile,
    StopPreview,
)
from sipstrobe.lightsiren.safety import safety_of
from sipstrobe.lightsiren.settings import Profile
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import About, Principal, Request, Response, Route, act, json, look
from sipstrobe.web.profile_file import read_profile
from sipstrobe.web.profile_json import safety_json
from sipstrobe.web.told.signals import SafetyTold
from sipstrobe.web.views import OperationView, Views

PATH: Final = "/api/v1/profiles/preview"
OWNER_CHECK: Final = 1.0  # seconds from one look at whether its owner is still there to the next

Part = Literal["light", "siren"]
Keeps = Callable[[Request, Principal], Callable[[], bool]]
"""Tells, later, whether they would still be let in who have been now."""


class _Wanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be tried. profile: as it would be stored; its name may be missing."""

    profile: dict[str, Any]
    functions: tuple[Part, ...] = ("light", "siren")
    seconds: Annotated[int, Meta(ge=1, le=MAX_PREVIEW_SECONDS)] = 30


class PreviewWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be tried, and for how long at most."""

    profile: Profile
    functions: tuple[Part, ...] = ("light", "siren")
    seconds: Annotated[int, Meta(ge=1, le=MAX_PREVIEW_SECONDS)] = 30


class PreviewedFunction(TypedDict):
    """One function. shown: whether it is seen or heard; words: else what hides it."""

    function: Function
    operation: int
    pattern: str
    shown: bool
    words: str
    seconds_left: float


class PreviewTold(TypedDict):
    """What is tried just now; nothing: no functions. by: who tries it."""

    by: str
    functions: list[PreviewedFunction]


class PreviewBegun(PreviewTold, SafetyTold):
    """The same, and how the light flashes."""


class PreviewDoor:
    """One preview at a time. It ends by DELETE, by time, by another one, and when whoever began it
    logs out."""

    def __init__(
        self, dispatcher: Dispatcher, clock: Clock, store: Store, views: Views, keeps: Keeps
    ) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._store = store
        self._views = views
        self._keeps = keeps
        self._by = ""
        self._watch: Handle | None = None

    def routes(self) -> list[Route]:
        return [
            look(PATH, self._look, About(summary="What is tried", answer=PreviewTold)),
            act(
                "POST",
                PATH,
                self._begin,
                About(
                    summary="Try a profile that is not saved",
                    words="It neither hides nor ends anything: what runs hides it.",
                    body=PreviewWanted,
                    answer=PreviewBegun,
                    problems={409: ("nothing_to_preview",), 422: ()},
                ),
            ),
            act("DELETE", PATH, self._end, About(summary="End what is tried", status=(204,))),
        ]

    def _look(self, _: Request) -> Response:
        return json(self._told())

    def _begin(self, request: Request) -> Response:
        wanted = check.decode(_Wanted, read_object(request.body), {})
        tree = {"name": "Preview", **wanted.profile}
        profile = read_profile(tree, patterns(self._store.current.clips), "/profile")
        self._dispatcher.execute(
            PreviewProfile(
                profile=profile,
                light="light" in wanted.functions,
                siren="siren" in wanted.functions,
                seconds=wanted.seconds,
            )
        )
        assert request.principal is not None
        self._by = request.principal.name
        self._watch_owner(self._keeps(request, request.principal))
        return json(self._told() | safety_json(safety_of(profile.light)))

    def _end(self, _: Request) -> Response:
        self._stop()
        return Response(204)

    def _stop(self) -> None:
        self._watch_no_more()
        self._dispatcher.execute(StopPreview())

    # --- its owner ------------------------------------------------------------------------------

    def _watch_owner(self, still: Callable[[], bool]) -> None:
        def look() -> None:
            if not _previews(self._views.operations()):
                self._watch = None
            elif still():
                self._watch = self._clock.call_at(self._clock.now() + OWNER_CHECK, look)
            else:
                self._stop()

        self._watch_no_more()
        self._watch = self._clock.call_at(self._clock.now() + OWNER_CHECK, look)

    def _watch_no_more(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    # --- telling --------------------------------------------------------------------------------

    def _told(self) -> dict[str, Any]:
        operations = self._views.operations()
        found = _previews(operations)
        now = self._clock.now()
        return {
            "by": self._by if found else "",
            "functions": [
                {
                    "function": o.function,
                    "operation": o.id,
                    "pattern": o.pattern,
                    "shown": o.shown,
                    "words": "" if o.shown else _hidden_by(o, operations),
                    "seconds_left": round(max(0.0, (o.ends_at or now) - now), 1),
                }
                for o in found
            ],
        }


def _previews(operations: Sequence[OperationView]) -> list[OperationView]:
    return [o for o in operations if o.priority == PREVIEW_RANK]


def _hidden_by(hidden: OperationView, operations: Sequence[OperationView]) -> str:
    for other in operations:
        if other.function == hidden.function and other.shown:
            name = other.profile or other.pattern
            return f"hidden: {name} runs with priority {other.priority}"
    return "hidden"
