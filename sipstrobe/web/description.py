"""GET /api/v1/openapi.json: the description of everything that this server can be asked."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from sipstrobe import __version__
from sipstrobe.web.exchange import About, Request, Response, Route, look, problem
from sipstrobe.web.live import AFTER
from sipstrobe.web.openapi import openapi
from sipstrobe.web.told.live import LIVE_MESSAGES

LIVE_PATH: Final = "/api/v1/live"
PATH: Final = "/api/v1/openapi.json"
_DOCUMENT: Final = About(summary="This description, as OpenAPI 3.1", answer=dict[str, Any])
_LIVE: Final = About(
    summary="The state as it changes, and what happens: a WebSocket",
    words="Each message is a JSON object. The text `sound` asks for the sound in full. Who reads"
    " too slowly is cut off, and goes on where that was with ?after=SEQ.",
    query=(AFTER,),
    messages=LIVE_MESSAGES,
    status=(101,),
    problems={426: (), 503: ()},
)


def described(routes: Sequence[Route]) -> list[Route]:
    """These routes, with those that describe them all, and the live feed."""
    every = list(routes)
    document: dict[str, Response] = {}  # made when it is first asked for

    async def tell(request: Request) -> Response:
        if not document:
            document[PATH] = await asyncio.to_thread(_made, every)
        return document[PATH]

    every += [look(LIVE_PATH, _no_socket, _LIVE), look(PATH, tell, _DOCUMENT)]
    return every


def _made(routes: Sequence[Route]) -> Response:
    body = msgspec.json.encode(openapi(routes, __version__))
    return Response(body=body, headers=(("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"'),))


def _no_socket(_: Request) -> Response:
    """RFC 9110 §15.5.22."""
    return problem(426, "this is a WebSocket").with_headers(("Upgrade", "websocket"))
