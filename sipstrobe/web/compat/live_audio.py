"""Live audio between a program and the device, as video management systems have it.

`transmit` is heard by the speaker (GAP-16); `receive` is what the microphone hears, as bare G.711
or in the parts of a multipart answer. What is wrong is said in a line of text.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused
from sipstrobe.web.compat.text_cgi import WrongArgument, refuse_other_outputs, text
from sipstrobe.web.exchange import ENDLESS, Request, Response, Route, act
from sipstrobe.web.views import Views

TRANSMIT: Final = "/axis-cgi/audio/transmit.cgi"
RECEIVE: Final = "/axis-cgi/audio/receive.cgi"
BASIC: Final = "audio/basic"
BOUNDARY: Final = "myboundary"
BLOCK: Final = 512  # bytes of G.711 in each part
_STATUS: Final = {"unknown_type": 415, "stalled": 408}  # by the code of a refusal; of others 503


class LiveAudio:
    """The routes of the two interfaces."""

    def __init__(self, views: Views) -> None:
        self._stream = views.stream
        self._hear = views.microphone_sound

    def routes(self) -> list[Route]:
        return [
            act("GET", RECEIVE, self._receive),
            Route(
                method="POST",
                path=TRANSMIT,
                handler=self._transmit,
                role=Role.OPERATOR,
                body_max_bytes=ENDLESS,
                streamed=True,
            ),
        ]

    async def _transmit(self, request: Request) -> Response:
        """Answered when all has been heard, or at once when nothing will be."""
        assert request.content is not None
        assert request.principal is not None
        sender = f"{request.principal.name} at {request.peer}"
        try:
            refuse_other_outputs(request)
            await self._stream.transmit(request.header("content-type"), sender, request.content)
        except WrongArgument as wrong:
            return _refusal(400, str(wrong))
        except CommandRefused as refused:
            return _refusal(_STATUS.get(refused.code, 503), str(refused))
        return text(200, "OK\n")

    def _receive(self, request: Request) -> Response:
        """What was said in a room is not for everybody who may look at the device."""
        if request.query("audiocodec") not in (None, "g711"):
            return _refusal(415, "audiocodec must be g711")
        form = request.query("httptype") or "singlepart"
        if form not in ("singlepart", "multipart"):
            return _refusal(400, "httptype must be singlepart or multipart")
        try:
            sound = self._hear(basic=True)
        except CommandRefused as refused:
            return _refusal(503, str(refused))
        if form == "singlepart":
            return Response(200, content_type=BASIC, stream=sound)
        kind = f"multipart/x-mixed-replace;boundary={BOUNDARY}"
        return Response(200, content_type=kind, stream=_in_parts(sound))


async def _in_parts(sound: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    head = f"--{BOUNDARY}\r\nContent-Type: {BASIC}\r\nContent-Length: {BLOCK}\r\n\r\n".encode()
    waiting = bytearray()
    async with aclosing(sound):
        async for piece in sound:
            waiting += piece
            while len(waiting) >= BLOCK:
                yield head + waiting[:BLOCK] + b"\r\n"
                del waiting[:BLOCK]


def _refusal(status: int, words: str) -> Response:
    return text(status, f"{status} {HTTPStatus(status).phrase}\n{words}\n")
