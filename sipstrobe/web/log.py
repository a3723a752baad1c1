"""The log of the device, as it is and as it goes on, and the refused sign-ins: LOG-03, LOG-04.

All of it is for administrators: it tells who calls whom, and who tries to get in.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from sipstrobe.config.users import Role
from sipstrobe.web.exchange import About, HttpProblem, Media, Query, Request, Response, Route, json
from sipstrobe.web.system_views import AccessView, LogEntryView, LogView

PATH: Final = "/api/v1/log"
NDJSON: Final = "application/x-ndjson"
Severity = Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]

_LEVEL = Query[Severity]("level", Severity, "debug", "Of this severity (RFC 5424), or worse.")
_TEXT = Query[str](
    "text", Annotated[str, Meta(max_length=256)], "", "Has this in it, in whatever case."
)
_LIMIT = Query[int]("limit", Annotated[int, Meta(ge=1, le=1000)], 100, "How many.")
_BEFORE = Query[int | None](
    "before", Annotated[int, Meta(ge=1, le=2**53)], None, "Only those before this seq."
)
_AFTER = Query[int | None](
    "after", Annotated[int, Meta(ge=0, le=2**53)], None, "From this seq on; else from now on."
)


class LoggedEntry(msgspec.Struct, frozen=True):
    """One record. seq grows from record to record until the device is started again."""

    seq: int
    at: datetime
    level: Severity
    source: str
    text: str


class Logged(msgspec.Struct, frozen=True):
    """The newest first. next: what `before` must be for those that follow; null: there are none."""

    entries: list[LoggedEntry]
    next: int | None


class Refusals(msgspec.Struct, frozen=True):
    """The newest first: seq, at, event (sign_in_failed or address_blocked), address, and what else
    is known."""

    refusals: list[dict[str, Any]]
    next: int | None


class LogDoor:
    """The routes of both logs."""

    def __init__(self, log: LogView, access: AccessView) -> None:
        self._log = log
        self._access = access

    def routes(self) -> list[Route]:
        def route(path: str, handler: Any, about: About) -> Route:
            role = Role.ADMINISTRATOR
            return Route(method="GET", path=path, handler=handler, role=role, about=about)

        return [
            route(
                PATH,
                self._read,
                About(
                    summary="The newest of what the device says of itself",
                    answer=Logged,
                    query=(_LEVEL, _TEXT, _BEFORE, _LIMIT),
                ),
            ),
            route(
                PATH + "/tail",
                self._follow,
                About(
                    summary="The same as it comes",
                    words="A record in each line; an empty line first, "
                    "and when there is nothing for long.",
                    answer=Media(NDJSON, "Each line is a record, as in the log."),
                    query=(_LEVEL, _TEXT, _AFTER),
                    problems={503: ("busy",)},
                ),
            ),
            route(
                PATH + "/access",
                self._refused,
                About(
                    summary="Who was not let in",
                    answer=Refusals,
                    query=(_BEFORE, _LIMIT),
                ),
            ),
        ]

    async def _read(self, request: Request) -> Response:
        wanted = self._log.selection(_LEVEL.of(request), _TEXT.of(request))
        limit, before = _LIMIT.of(request), _BEFORE.of(request)

        def look() -> Response:
            found = self._log.entries(wanted, limit, before)
            return json(Logged(told(found), found[-1].seq if len(found) == limit else None))

        return await asyncio.to_thread(look)  # through thousands of texts

    def _follow(self, request: Request) -> Response:
        wanted = self._log.selection(_LEVEL.of(request), _TEXT.of(request))
        after = _AFTER.of(request)
        if self._log.full:
            raise HttpProblem(503, "too many follow the log already", code="busy")
        return Response(200, content_type=NDJSON, stream=_lines(self._log.follow(wanted, after)))

    def _refused(self, request: Request) -> Response:
        limit = _LIMIT.of(request)
        found = self._access.refusals(limit, _BEFORE.of(request))
        return json(Refusals(found, found[-1]["seq"] if len(found) == limit else None))


def told(entries: Sequence[LogEntryView]) -> list[LoggedEntry]:
    return [
        LoggedEntry(e.seq, datetime.fromtimestamp(e.at, UTC), _severity(e), e.source, e.text)
        for e in entries
    ]


def _severity(entry: LogEntryView) -> Severity:
    return msgspec.convert(entry.severity, Severity)


async def _lines(
    helpings: AsyncGenerator[Sequence[LogEntryView] | None],
) -> AsyncGenerator[bytes]:
    try:
        async for entries in helpings:
            lines = [msgspec.json.encode(entry) for entry in told(entries or ())]
            yield b"\n".join(lines) + b"\n"
    finally:
        await helpings.aclose()
