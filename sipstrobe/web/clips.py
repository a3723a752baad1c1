"""Clips as resources: added, played, renamed, deleted (CLP-01, MED-01, MED-02, PRB-04, PRB-05)."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, NotRequired, TypedDict, TypeVar
from urllib.parse import quote

from msgspec import Meta

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import CLIP_RANK, Command, PlayClip, StopClip
from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused
from sipstrobe.io.soundfiles import ACCEPTED, MAX_BYTES
from sipstrobe.web.commands import read_body
from sipstrobe.web.exchange import (
    About,
    HttpProblem,
    Media,
    Query,
    Request,
    Response,
    Route,
    act,
    json,
    look,
)
from sipstrobe.web.told.common import Problem
from sipstrobe.web.upload import upload_of
from sipstrobe.web.views import Views

T = TypeVar("T")

PATH: Final = "/api/v1/clips"
UPLOAD_MAX_BYTES: Final = MAX_BYTES + 64 * 1024  # with what a form adds
MEDIA_TYPES: Final[Mapping[str, str]] = {
    "wav": "audio/wav",
    "au": "audio/basic",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "vorbis": "audio/ogg",
    "flac": "audio/flac",
}
_BLAME: Final[Mapping[str, tuple[int, str]]] = {  # code of a refusal -> status, field at fault
    "unknown_clip": (404, ""),
    "too_large": (413, ""),
    "format": (415, ""),
    "storage_full": (507, ""),
    "busy": (503, ""),
    "repeat": (400, "repeat"),
    "volume": (400, "volume_db"),
    "priority": (400, "priority"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewName:
    """Another name for a clip; profiles and rules follow."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HowToPlay:
    """How a clip is played. repeat: how often again; null: without end."""

    repeat: int | None = 0
    volume_db: float = 0.0
    priority: int = CLIP_RANK


class ClipTold(TypedDict):
    """A clip. number: what it is called by, which stays the same."""

    number: int
    name: str
    file: NotRequired[str]
    format: str
    size: Annotated[int, Meta(description="Bytes.")]
    seconds: float
    sample_rate: int
    channels: int
    loudness: Annotated[float | None, Meta(description="LUFS (ITU-R BS.1770); null: too short.")]
    peak_db: float
    factory: bool
    problem: Problem
    playing: bool


class ClipsTold(TypedDict):
    """All clips, the space that they take, and in words what is accepted."""

    clips: list[ClipTold]
    used_bytes: int
    quota_bytes: int
    accepted: str


class PlaybackBegun(TypedDict):
    """What plays, for stop-clip."""

    playback: int


NAME: Final = Query("name", str, "", "What it is to be called, if not as its file.")
_NUMBER: Final = {"number": Annotated[int, Meta(ge=1, le=9999)]}
_UNKNOWN: Final = {404: ("unknown_clip",)}
_LIST: Final = About(summary="The clips", answer=ClipsTold)
_ONE: Final = About(summary="A clip", path=_NUMBER, answer=ClipTold, problems=_UNKNOWN)
_FILE: Final = About(
    summary="The file of a clip as it was added, also a part of it (Range)",
    path=_NUMBER,
    answer=Media("audio/*", "WAV, AU, MP3, Ogg or FLAC."),
    status=(200, 206),
    problems={**_UNKNOWN, 409: ("clip_missing",)},
)
_ADD: Final = About(
    summary="Add a sound file",
    words="As the body, or as the file of a form (multipart/form-data), after the field `name`.",
    query=(NAME,),
    body=Media("application/octet-stream", "The sound file."),
    answer=ClipTold,
    status=(201,),
    problems={
        409: ("name_taken", "too_many_clips"),
        413: ("too_large",),
        415: ("format",),
        422: (),
        503: ("busy",),
        507: ("storage_full",),
    },
)
_RENAME: Final = About(
    summary="Give a clip another name",
    path=_NUMBER,
    body=NewName,
    answer=ClipTold,
    problems={**_UNKNOWN, 409: ("name_taken", "factory_clip"), 422: (), 507: ()},
)
_DELETE: Final = About(
    summary="Delete a clip",
    path=_NUMBER,
    status=(204,),
    problems={**_UNKNOWN, 409: ("in_use", "factory_clip"), 507: ()},
)
_PLAY: Final = About(
    summary="Play a clip",
    path=_NUMBER,
    body=HowToPlay,
    answer=PlaybackBegun,
    status=(201,),
    problems={
        **_UNKNOWN,
        400: ("repeat", "volume", "priority"),
        409: ("clip_missing", "too_many_clips"),
        503: ("not_available",),
    },
)
_STOP: Final = About(
    summary="Stop a clip",
    path=_NUMBER,
    status=(204,),
    problems={**_UNKNOWN, 503: ("not_available",)},
)


class ClipsDoor:
    """The routes of clips. A clip is called by its number there, which stays the same."""

    def __init__(self, dispatcher: Dispatcher, views: Views) -> None:
        self._dispatcher = dispatcher
        self._views = views

    def routes(self) -> list[Route]:
        return [
            look(PATH, self._list, _LIST),
            look(PATH + "/{number}", self._one, _ONE),
            look(PATH + "/{number}/file", self._download, _FILE),
            Route(
                method="POST",
                path=PATH,
                handler=self._add,
                role=Role.OPERATOR,
                about=_ADD,
                body_max_bytes=UPLOAD_MAX_BYTES,
                streamed=True,
            ),
            act("PATCH", PATH + "/{number}", self._rename, _RENAME),
            act("DELETE", PATH + "/{number}", self._delete, _DELETE),
            act("POST", PATH + "/{number}/play", self._play, _PLAY),
            act("POST", PATH + "/{number}/stop", self._stop, _STOP),
        ]

    # --- looking --------------------------------------------------------------------------------

    def _list(self, _: Request) -> Response:
        space = self._views.clips.space()
        return json({"clips": self._clips(), **space, "accepted": ACCEPTED})

    def _one(self, request: Request) -> Response:
        return json(self._find(request))

    async def _download(self, request: Request) -> Response:
        self._find(request)
        return await download(self._views, _number_in(request))

    # --- acting ---------------------------------------------------------------------------------

    async def _add(self, request: Request) -> Response:
        """With ?name=…, or the field `name` before the file of a form, or the name of that file."""
        upload = await upload_of(request)
        clip = await answered(self._views.clips.add(upload.name, upload.content))
        made = next(c for c in self._clips() if c["number"] == clip.number)
        return json(made, 201).with_headers(("Location", f"{PATH}/{clip.number}"))

    async def _rename(self, request: Request) -> Response:
        wanted = read_body(NewName, request.body)
        await answered(self._views.clips.rename(_number_in(request), wanted.name))
        return json(self._find(request))

    async def _delete(self, request: Request) -> Response:
        await answered(self._views.clips.delete(_number_in(request)))
        return Response(204)

    def _play(self, request: Request) -> Response:
        how = read_body(HowToPlay, request.body)
        playback = self._order(
            PlayClip(
                clip=self._find(request)["name"],
                repeat=how.repeat,
                volume_db=how.volume_db,
                priority=how.priority,
            )
        )
        return json({"playback": playback}, 201)

    def _stop(self, request: Request) -> Response:
        self._order(StopClip(clip=self._find(request)["name"]))
        return Response(204)

    # --- steps ----------------------------------------------------------------------------------

    def _order(self, command: Command) -> object:
        try:
            return self._dispatcher.execute(command)
        except CommandRefused as refused:
            raise blamed(refused) from None

    def _clips(self) -> list[dict[str, Any]]:
        """All clips, with whether they play just now."""
        playing = {playback["number"] for playback in self._views.clips_playing()}
        return [
            {**clip, "playing": clip["number"] in playing} for clip in self._views.clips.listing()
        ]

    def _find(self, request: Request) -> dict[str, Any]:
        number = _number_in(request)
        for clip in self._clips():
            if clip["number"] == number:
                return clip
        raise HttpProblem(404, f"there is no clip {number}", code="unknown_clip")


async def answered(work: Awaitable[T]) -> T:
    """What comes of it. Raises HttpProblem with the status that its refusal or fault deserves."""
    try:
        return await work
    except CommandRefused as refused:
        raise blamed(refused) from None
    except OSError as error:
        raise HttpProblem(507, f"nothing could be stored: {error}") from None


def blamed(refused: CommandRefused) -> HttpProblem:
    """The refusal of an order as HTTP has it."""
    status, field = _BLAME.get(refused.code, (409, ""))
    at_fault = {"field": field} if field else {}
    return HttpProblem(status, str(refused), code=refused.code, **at_fault)


async def download(views: Views, number: int) -> Response:
    """The file of a clip. Raises HttpProblem."""
    clip = await answered(views.clips.file(number))
    # Names may have any character: RFC 6266 §5 with RFC 8187.
    disposition = f"attachment; filename*=UTF-8''{quote(clip.name, safe='')}"
    media_type = MEDIA_TYPES[clip.format]
    return Response(
        200, clip.data, media_type, (("Content-Disposition", disposition),), file=clip.path
    )


def _number_in(request: Request) -> int:
    text = request.path.removeprefix(PATH + "/").partition("/")[0]
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise HttpProblem(404, "clips have numbers", code="unknown_clip")
    return int(text)
