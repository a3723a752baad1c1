"""Ping a host, check a port: TRB-01. One at a time, by administrators."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar

from msgspec import Meta

from sipstrobe.config.users import Role
from sipstrobe.io.reach import Checked, Pinged, Unreachable, check_port, ping
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import About, HttpProblem, Request, Response, Route, json

T = TypeVar("T")

PING: Final = "/api/v1/ping"
PORT: Final = "/api/v1/port-check"
Host = Annotated[
    str,
    Meta(pattern=r"^[0-9A-Za-z.:_%-]{1,253}$(?!\n)", description="A name or an address."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PingOrder:
    """Whom to ask for signs of life."""

    host: Host


@dataclass(frozen=True, slots=True, kw_only=True)
class PortOrder:
    """Whom to ask for what."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535)]
    transport: Literal["tcp", "udp"] = "tcp"


class ReachDoor:
    """The routes."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    def routes(self) -> list[Route]:
        problems = {409: ("busy",), 502: ("unreachable",)}
        return [
            Route(
                method="POST",
                path=PING,
                handler=self._ping,
                role=Role.ADMINISTRATOR,
                about=About(
                    summary="Ask a host for four signs of life",
                    body=PingOrder,
                    answer=Pinged,
                    problems=problems,
                ),
            ),
            Route(
                method="POST",
                path=PORT,
                handler=self._check,
                role=Role.ADMINISTRATOR,
                about=About(
                    summary="Whether somebody takes what is sent to a port",
                    body=PortOrder,
                    answer=Checked,
                    problems=problems,
                ),
            ),
        ]

    async def _ping(self, request: Request) -> Response:
        order = read_body(PingOrder, request.body)
        return json(await self._alone(ping(order.host)))

    async def _check(self, request: Request) -> Response:
        order = read_body(PortOrder, request.body)
        return json(await self._alone(check_port(order.host, order.port, order.transport)))

    async def _alone(self, work: Awaitable[T]) -> T:
        if self._turn.locked():
            if asyncio.iscoroutine(work):
                work.close()
            raise HttpProblem(409, "another attempt is under way", code="busy")
        async with self._turn:
            try:
                return await work
            except Unreachable as error:
                raise HttpProblem(502, str(error), code="unreachable") from None
