"""The sounds of the siren as WAV files: one repetition each, so that a page plays them round and
round as the siren does."""

import asyncio
import hashlib
import io
import wave
from collections import OrderedDict
from typing import Final

import numpy as np

from sipstrobe.lightsiren.sound import Sound
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.lightsiren.synthesis import SAMPLE_RATE
from sipstrobe.web.exchange import About, HttpProblem, Media, Request, Response, Route, look

PATH: Final = "/api/v1/sounds"
SUFFIX: Final = ".wav"
WAV: Final = "audio/wav"
MAX_KEPT: Final = 4  # rendered files, the last ones asked for; the largest has 0.8 MB


class SoundsDoor:
    """Each sound is rendered beside the loop when it is first asked for, one at a time."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._tags: dict[str, str] = {}
        self._turn = asyncio.Lock()

    def routes(self) -> list[Route]:
        about = About(
            summary="A sound of the siren, one repetition of it",
            answer=Media(WAV, "16 bits, 48 kHz, one channel"),
            status=(200, 304),
            problems={404: ("unknown_sound",)},
            template=PATH + "/{name}.wav",
        )
        return [look(PATH + "/*", self._send, about)]

    async def _send(self, request: Request) -> Response:
        sound, known = _find(request.path), request.header("if-none-match")
        async with self._turn:
            if sound.name not in self._tags:
                await self._render(sound)
            tag = self._tags[sound.name]
            if tag in known:
                return Response(304, b"", WAV, _headers(tag))
            return Response(200, await self._render(sound), WAV, _headers(tag))

    async def _render(self, sound: Sound) -> bytes:
        if sound.name in self._files:
            self._files.move_to_end(sound.name)
            return self._files[sound.name]
        data, tag = await asyncio.to_thread(_rendered, sound)
        self._files[sound.name], self._tags[sound.name] = data, tag
        if len(self._files) > MAX_KEPT:
            self._files.popitem(last=False)
        return data


def _rendered(sound: Sound) -> tuple[bytes, str]:
    """The file, and its tag."""
    samples = np.rint(sound.render() * np.float32(32767.0)).astype("<i2")
    with io.BytesIO() as buffer:
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(samples.tobytes())
        data = buffer.getvalue()
    return data, f'"{hashlib.sha256(data).hexdigest()[:16]}"'


def _headers(tag: str) -> tuple[tuple[str, str], ...]:
    return ("ETag", tag), ("Cache-Control", "private, no-cache")


def _find(path: str) -> Sound:
    name = path.removeprefix(PATH + "/")
    sound = SOUNDS.get(name.removesuffix(SUFFIX)) if name.endswith(SUFFIX) else None
    if sound is None:
        raise HttpProblem(404, "there is no such sound", code="unknown_sound")
    return sound
