"""Clips as links and control programs know them: mediaclip, playclip, stopclip (CLP-02).

Answers are lines of text: OK and what was done. What is wrong in a request is 400 with the words.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from math import log10
from typing import Any, Final, NoReturn

from sipstrobe.bus import Dispatcher
from sipstrobe.commands import CLIP_VOLUME_DB, MAX_REPEAT, PlayClip, StopClip
from sipstrobe.config.access import Scope
from sipstrobe.config.users import Role
from sipstrobe.errors import CommandRefused, ConfigError, RemoteProtocolError
from sipstrobe.io.soundfiles import EXTENSIONS
from sipstrobe.web.clips import UPLOAD_MAX_BYTES, download
from sipstrobe.web.compat.text_cgi import WrongArgument, refuse_other_outputs, text, with_form
from sipstrobe.web.compat.wildcard import matches
from sipstrobe.web.denied import Denied
from sipstrobe.web.exchange import HttpProblem, Request, Response, Route
from sipstrobe.web.origin import refuse_led
from sipstrobe.web.upload import upload_of
from sipstrobe.web.views import Views

MEDIA: Final = "/axis-cgi/mediaclip.cgi"
PLAY: Final = "/axis-cgi/playclip.cgi"
STOP: Final = "/axis-cgi/stopclip.cgi"
MAX_VOLUME: Final = 1000  # per cent, linear
FORM_MAX_BYTES: Final = 4096
_EXTENSION = re.compile(r"\.(au|mp3|opus|ogg|wav|flac)$", re.IGNORECASE)


_Handler = Callable[[Request], Response | Awaitable[Response]]


class MediaClips:
    """The routes of the three interfaces."""

    def __init__(
        self, dispatcher: Dispatcher, views: Views, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._dispatcher = dispatcher
        self._views = views
        self._random_bytes = random_bytes
        self._actions: dict[str, _Handler] = {
            "play": self._play,
            "stop": self._stop,
            "upload": self._upload,
            "remove": self._remove,
            "update": self._update,
            "download": self._download,
        }

    def routes(self) -> list[Route]:
        def link(method: str, path: str, role: Role, handler: _Handler) -> Route:
            async def handle(request: Request) -> Response:
                return await _answered(handler, with_form(request))

            return Route(method=method, path=path, handler=handle, role=role, acts=method == "GET")

        async def media(request: Request) -> Response:
            return await _answered(self._posted, request)

        return [
            *(link(method, PLAY, Role.VIEWER, self._play) for method in ("GET", "POST")),
            *(link(method, STOP, Role.VIEWER, self._stop) for method in ("GET", "POST")),
            link("GET", MEDIA, Role.OPERATOR, self._act),
            Route(
                method="POST",
                path=MEDIA,
                handler=media,
                role=Role.OPERATOR,
                body_max_bytes=UPLOAD_MAX_BYTES,
                streamed=True,
            ),
        ]

    def _act(self, request: Request) -> Response | Awaitable[Response]:
        action = self._actions.get(request.query("action") or "")
        if action is None:
            raise WrongArgument(f"action must be one of {', '.join(self._actions)}")
        return action(request)

    async def _posted(self, request: Request) -> Response:
        """An upload says what it is in the address; a body with nothing there is a form."""
        if "?" not in request.target and request.content is not None:
            form = bytearray()
            async for piece in request.content:
                form += piece
                if len(form) > FORM_MAX_BYTES:
                    raise WrongArgument("action is missing in the address")
            request = with_form(replace(request, body=bytes(form), content=None))
        found = self._act(request)
        return found if isinstance(found, Response) else await found

    def _play(self, request: Request) -> Response:
        refuse_other_outputs(request)
        clip, called = self._wanted(request)
        repeat = _number(request, "repeat", 0, range(-1, MAX_REPEAT + 1))
        volume = _number(request, "volume", 100, range(MAX_VOLUME + 1))
        self._dispatcher.execute(
            PlayClip(
                clip=clip["name"],
                repeat=None if repeat == -1 else repeat,
                volume_db=20 * log10(volume / 100) if volume else CLIP_VOLUME_DB[0],
            )
        )
        return _ok(f"playing={called}")

    def _stop(self, _: Request) -> Response:
        self._dispatcher.execute(StopClip())
        return _ok("stopping")

    async def _upload(self, request: Request) -> Response:
        if request.content is None:
            raise WrongArgument("a clip is uploaded by POST")
        if request.query("media") not in (None, "audio"):
            raise WrongArgument("media must be audio")
        upload = await upload_of(request)
        clip = await self._views.clips.add(upload.name, upload.content)
        return _ok(f"uploaded={clip.number}")

    async def _remove(self, request: Request) -> Response:
        _refuse_unless_changing(request)
        number = self._numbered(request)["number"]
        await self._views.clips.delete(number)
        return _ok(f"removed={number}")

    async def _update(self, request: Request) -> Response:
        _refuse_unless_changing(request)
        number = self._numbered(request)["number"]
        name = request.query("name")
        if name is None:
            raise WrongArgument("name is missing")
        await self._views.clips.rename(number, name)
        return _ok(f"updated={number}")

    async def _download(self, request: Request) -> Response:
        return await download(self._views, self._numbered(request)["number"])

    # --- which clip -----------------------------------------------------------------------------

    def _wanted(self, request: Request) -> tuple[Any, str]:
        """The clip that is to be played, and what the request calls it."""
        location = request.query("location")
        if location is None:
            clip = self._numbered(request)
            return clip, str(clip["number"])
        if request.query("clip") is not None:
            raise WrongArgument("give either clip or location")
        pattern = _plain(location)
        found = [c for c in self._views.clips.listing() if matches(pattern, _plain(c["name"]))]
        if not found:
            raise WrongArgument(f"there is no clip {location[:64]!r}")
        drawn = int.from_bytes(self._random_bytes(4), "big") % len(found)
        return found[drawn], location

    def _numbered(self, request: Request) -> Any:
        if request.query("clip") is None:
            raise WrongArgument("clip is missing")
        number = _number(request, "clip", 0, range(10_000))
        for clip in self._views.clips.listing():
            if clip["number"] == number:
                return clip
        raise WrongArgument(f"there is no clip {number}")


async def _answered(handler: _Handler, request: Request) -> Response:
    """What the handler answers, and every refusal as these interfaces have it."""
    try:
        found = handler(request)
        return found if isinstance(found, Response) else await found
    except Denied as denied:
        return _refusal(denied.status, str(denied))
    except (WrongArgument, CommandRefused, ConfigError, HttpProblem, RemoteProtocolError) as wrong:
        return _refusal(400, str(wrong))
    except OSError as error:
        return _refusal(500, str(error))


def _refuse_unless_changing(request: Request) -> None:
    """Raise Denied where a link may only play: to a browser that a page leads here, and to a token
    that is not for settings, as clips are (`web.scopes`)."""
    if request.method == "GET":
        refuse_led(request)
    who = request.principal
    if who is not None and who.scopes is not None and Scope.SETTINGS not in who.scopes:
        raise Denied(403, "this token is not for settings")


def location_of(clip: Mapping[str, Any]) -> str:
    """Where a clip of the listing is, as `location` finds it again."""
    extension = EXTENSIONS[clip["format"]]
    return f"/etc/audioclips/{_plain(clip['name'])}.{extension}"


def _plain(text: str) -> str:
    """A name as people write it in a location: /etc/audioclips/ding_dong.mp3 is Ding-dong."""
    stem = _EXTENSION.sub("", text.strip().rpartition("/")[2])
    return re.sub(r"[^\w*]+", "_", stem.lower()).strip("_")


def _number(request: Request, name: str, otherwise: int, allowed: range) -> int:
    text = request.query(name)
    if text is None:
        return otherwise
    if not re.fullmatch(r"-?[0-9]{1,6}", text) or int(text) not in allowed:
        _out_of(name, allowed)
    return int(text)


def _out_of(name: str, allowed: range) -> NoReturn:
    raise WrongArgument(f"{name} must be {allowed.start} to {allowed.stop - 1}")


def _ok(line: str) -> Response:
    return text(200, f"OK\n{line}\n")


def _refusal(status: int, words: str) -> Response:
    return text(status, f"{status} {HTTPStatus(status).phrase}\n{words}\n")
