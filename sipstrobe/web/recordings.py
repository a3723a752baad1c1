"""Recordings as resources, and the microphone live. Recordings begin and end by commands."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Annotated, Final, TypedDict, TypeVar

from msgspec import Meta

from sipstrobe.web.exchange import About, HttpProblem, Media, Request, Response, Route, act, json
from sipstrobe.web.views import RecordedView, Views

T = TypeVar("T")

PATH: Final = "/api/v1/recordings"
LISTEN: Final = "/api/v1/microphone/listen"


class RecordedTold(TypedDict):
    """A recording; active: while it is being made."""

    name: str
    source: str
    began: datetime
    seconds: float
    size: Annotated[int, Meta(description="Bytes.")]
    active: bool


class RecordingsTold(TypedDict):
    """The newest first."""

    recordings: list[RecordedTold]


_WAV: Final = Media("audio/wav", "RIFF WAVE.")
_LIST: Final = About(summary="The recordings", answer=RecordingsTold, problems={503: ()})
_DOWNLOAD: Final = About(
    summary="A recording, also a part of it (Range)",
    words="Of one that is being made, what there is so far.",
    answer=_WAV,
    status=(200, 206),
    problems={404: ("unknown_recording",)},
)
_DELETE: Final = About(
    summary="Delete a recording",
    status=(204,),
    problems={404: ("unknown_recording",), 409: ("recording",), 503: ()},
)
_LISTEN: Final = About(
    summary="What the microphone hears",
    words="A WAV file that goes on for as long as somebody listens.",
    answer=_WAV,
    problems={409: ("no_microphone", "too_many_listeners")},
)


class RecordingsDoor:
    """The routes of what is heard. What was said in a room or a call is not for everybody who may
    look at the device."""

    def __init__(self, views: Views) -> None:
        self._recordings = views.recordings
        self._hear = views.microphone_sound

    def routes(self) -> list[Route]:
        return [
            act("GET", PATH, self._list, _LIST),
            act("GET", PATH + "/{name}", self._download, _DOWNLOAD),
            act("DELETE", PATH + "/{name}", self._delete, _DELETE),
            act("GET", LISTEN, self._listen, _LISTEN),
        ]

    async def _list(self, _: Request) -> Response:
        """The newest first; with `active` while it is being made."""
        found = await _of_the_disk(self._recordings.recordings())
        making = {str(one["recording"]): one for one in self._recordings.snapshot()}
        return json({"recordings": [_told(one, active=one.name in making) for one in found]})

    async def _download(self, request: Request) -> Response:
        """As a file; of one that is being made, what there is so far."""
        name = _name_in(request)
        path = self._recordings.path(name)
        if path is None or not await asyncio.to_thread(path.is_file):
            raise _unknown(name)
        disposition = ("Content-Disposition", f'attachment; filename="{name}"')
        return Response(200, content_type="audio/wav", headers=(disposition,), file=path)

    def _listen(self, _: Request) -> Response:
        """A WAV file that goes on as long as somebody listens."""
        return Response(200, content_type="audio/wav", stream=self._hear())

    async def _delete(self, request: Request) -> Response:
        name = _name_in(request)
        if not await _of_the_disk(self._recordings.delete(name)):
            raise _unknown(name)
        return Response(204)


async def _of_the_disk(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except OSError as error:
        raise HttpProblem(503, str(error)) from None


def _told(one: RecordedView, *, active: bool) -> RecordedTold:
    return {
        "name": one.name,
        "source": one.source,
        "began": datetime.fromtimestamp(one.began, UTC),
        "seconds": round(one.seconds, 2),
        "size": one.size,
        "active": active,
    }


def _name_in(request: Request) -> str:
    return request.path.removeprefix(PATH + "/")


def _unknown(name: str) -> HttpProblem:
    return HttpProblem(404, f"there is no recording {name[:64]!r}", code="unknown_recording")
