"""The outbox and the recipients' tests as resources. What they are is in the settings."""

from typing import Final

from sipstrobe.web.exchange import HttpProblem, Request, Response, Route, act, json
from sipstrobe.web.views import Views

OUTBOX: Final = "/api/v1/outbox"
RECIPIENTS: Final = "/api/v1/recipients"


class OutboxDoor:
    """The routes of what leaves the device; what stands in messages is not for everybody who may
    look at the device."""

    def __init__(self, views: Views) -> None:
        self._outbox = views.outbox

    def routes(self) -> list[Route]:
        return [
            act("GET", OUTBOX, self._list),
            act("DELETE", OUTBOX + "/*", self._delete),
            act("POST", RECIPIENTS + "/*/test", self._test),
        ]

    def _list(self, _: Request) -> Response:
        """`waiting`, lane by lane, and the last `results`, the newest first."""
        return json(self._outbox.messages())

    def _delete(self, request: Request) -> Response:
        message = request.path.removeprefix(OUTBOX + "/")
        if not self._outbox.remove(message):
            words = f"there is no message {message[:64]!r} in the outbox"
            raise HttpProblem(404, words, code="unknown_message")
        return Response(204)

    async def _test(self, request: Request) -> Response:
        """Waits for what comes of it, which is told as `worked` and `words`."""
        name = request.path.removeprefix(RECIPIENTS + "/").removesuffix("/test")
        tried = await self._outbox.test(name)
        told = {"worked": tried.worked, "words": tried.words, "seconds": tried.seconds}
        return json(told)
