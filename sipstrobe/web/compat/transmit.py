"""Live audio from a program to the speaker, as video management systems send it (GAP-16).

What is wrong is said in a line of text.
"""

from http import HTTPStatus
from typing import Final

from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused
from sipstrobe.web.compat.text_cgi import WrongArgument, refuse_other_outputs, text
from sipstrobe.web.exchange import ENDLESS, Request, Response, Route
from sipstrobe.web.views import Views

TRANSMIT: Final = "/axis-cgi/audio/transmit.cgi"
_STATUS: Final = {"unknown_type": 415, "stalled": 408}  # by the code of a refusal; of others 503


class Transmit:
    """The route of the interface."""

    def __init__(self, views: Views) -> None:
        self._stream = views.stream

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path=TRANSMIT,
                handler=self._transmit,
                role=Role.OPERATOR,
                body_max_bytes=ENDLESS,
                streamed=True,
            )
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


def _refusal(status: int, words: str) -> Response:
    return text(status, f"{status} {HTTPStatus(status).phrase}\n{words}\n")
