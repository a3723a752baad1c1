"""The outbox and the recipients' tests as resources. What they are is in the settings."""

from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta

from sipstrobe.web.exchange import About, HttpProblem, Request, Response, Route, act, json
from sipstrobe.web.views import Views

OUTBOX: Final = "/api/v1/outbox"
RECIPIENTS: Final = "/api/v1/recipients"


class WaitingTold(TypedDict):
    """A message that waits. Instants are RFC 3339."""

    id: str
    recipient: str
    kind: str
    about: str
    rule: str
    ordered: str
    attempts: int
    failure: Annotated[str, Meta(description="Of the last attempt; empty: none has failed.")]
    retry: str | None
    given_up: Annotated[str, Meta(description="When it will be.")]
    why: Any


class ResultTold(TypedDict):
    """What has become of a message."""

    id: str
    recipient: str
    kind: str
    about: str
    rule: str
    sent: bool
    words: str
    attempts: int
    ordered: str
    ended: str
    why: Any


class MessagesTold(TypedDict):
    """What waits, lane by lane, and the last results, the newest first."""

    waiting: list[WaitingTold]
    results: list[ResultTold]


class TrialTold(TypedDict):
    """What came of a test; words: what exactly has failed."""

    worked: bool
    words: str
    seconds: float


_LIST: Final = About(summary="Messages that wait, and results", answer=MessagesTold)
_DELETE: Final = About(
    summary="Take a message out of the outbox",
    status=(204,),
    problems={404: ("unknown_message",)},
)
_TEST: Final = About(
    summary="Send a test message to a recipient, and wait for what comes of it",
    answer=TrialTold,
    tag="outbox",
    problems={409: ("unknown_recipient", "too_many_tests")},
)


class OutboxDoor:
    """The routes of what leaves the device; what stands in messages is not for everybody who may
    look at the device."""

    def __init__(self, views: Views) -> None:
        self._outbox = views.outbox

    def routes(self) -> list[Route]:
        return [
            act("GET", OUTBOX, self._list, _LIST),
            act("DELETE", OUTBOX + "/{id}", self._delete, _DELETE),
            act("POST", RECIPIENTS + "/{name}/test", self._test, _TEST),
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
