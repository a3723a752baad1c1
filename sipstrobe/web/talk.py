"""Talking and listening from a browser: an SDP offer comes, the answer goes, and all else is WebRTC
(RFC 8829)."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypedDict

from msgspec import Meta, Struct

from sipstrobe.config import check
from sipstrobe.errors import CommandRefused, RemoteProtocolError
from sipstrobe.sdp.browser import MAX_CHARACTERS
from sipstrobe.web.commands import read_object
from sipstrobe.web.exchange import About, HttpProblem, Request, Response, Route, act, json, look
from sipstrobe.web.preview import Keeps
from sipstrobe.web.told.talk import TalkersTold
from sipstrobe.web.views import TalkView

PATH: Final = "/api/v1/talk"
_STATUS: Final[Mapping[str, int]] = {"not_available": 503, "no_answer": 503}


class Offer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the browser's RTCPeerConnection has made: one audio, its direction says what is wanted:
    sendonly to talk, sendrecv to listen as well, recvonly to listen alone."""

    sdp: Annotated[str, Meta(min_length=1, max_length=MAX_CHARACTERS)]


class Answer(TypedDict):
    """sdp: for the browser. listening: it hears the microphone; words: why not, though it wants
    to."""

    id: str
    sdp: str
    listening: bool
    words: str


class TalkDoor:
    """The routes of it, for operators."""

    def __init__(self, talk: TalkView, keeps: Keeps) -> None:
        self._talk = talk
        self._keeps = keeps

    def routes(self) -> list[Route]:
        about = About(
            summary="Talk, or listen, from a browser",
            words="Ends with the connection, with the session, by DELETE, and when nothing is said"
            " for five minutes. Only addresses of the device itself are offered.",
            body=Offer,
            answer=Answer,
            status=(201,),
            problems={
                400: ("offer",),
                409: ("too_many_talkers",),
                422: (),
                503: ("not_available", "no_answer"),
            },
        )
        gone = About(
            summary="End it", status=(204,), problems={404: ("unknown_talker",)}, tag="talk"
        )
        return [
            look(PATH, self._list, About(summary="Who talks and listens", answer=TalkersTold)),
            act("POST", PATH, self._open, about),
            act("DELETE", PATH + "/{id}", self._close, gone),
        ]

    def _list(self, _: Request) -> Response:
        return json({"talkers": self._talk.snapshot()})

    async def _open(self, request: Request) -> Response:
        offer = check.decode(Offer, read_object(request.body), {})
        who = request.principal
        assert who is not None
        try:
            begun = await self._talk.open(
                offer.sdp, who.name, request.peer, self._keeps(request, who)
            )
        except CommandRefused as refused:
            status = _STATUS.get(refused.code, 409)
            raise HttpProblem(status, str(refused), code=refused.code) from None
        except RemoteProtocolError as error:
            raise HttpProblem(400, str(error), code="offer", field="/sdp") from None
        told: dict[str, Any] = {
            "id": begun.id,
            "sdp": begun.sdp,
            "listening": begun.listening,
            "words": begun.words,
        }
        return json(told, 201).with_headers(("Location", f"{PATH}/{begun.id}"))

    def _close(self, request: Request) -> Response:
        if not self._talk.close(request.path.removeprefix(PATH + "/")):
            raise HttpProblem(404, "nobody talks by this id", code="unknown_talker")
        return Response(204)
