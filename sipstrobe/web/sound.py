"""What of the sound is neither setting nor order: the table of who is heard with whom, and what was
played."""

from typing import Final

import msgspec

from sipstrobe.audio.policy import DEFAULT
from sipstrobe.web.exchange import Request, Response, Route, json, look
from sipstrobe.web.views import Views

PATH: Final = "/api/v1/sound"


class SoundDoor:
    """The routes of the sound."""

    def __init__(self, views: Views) -> None:
        self._views = views

    def routes(self) -> list[Route]:
        return [look(PATH + "/policy", self._policy), look(PATH + "/played", self._played)]

    def _policy(self, _: Request) -> Response:
        """The device's own table: what each kind does to each of lower priority."""
        return json({"policy": DEFAULT})

    def _played(self, _: Request) -> Response:
        """The newest first."""
        sounds = reversed(self._views.played())
        return json({"played": [_flat(msgspec.to_builtins(sound)) for sound in sounds]})


def _flat(told: dict[str, object]) -> dict[str, object]:
    """Instants and figures side by side."""
    sound = told.pop("sound", {})
    return told | sound if isinstance(sound, dict) else told
