"""What of the sound is neither setting nor order: the table of who is heard with whom, and what was
played."""

from datetime import datetime
from typing import Any, Final, TypedDict

import msgspec

from sipstrobe.audio.policy import DEFAULT
from sipstrobe.audio.source import SourceKind
from sipstrobe.web.exchange import About, Request, Response, Route, json, look
from sipstrobe.web.told.common import Level
from sipstrobe.web.views import Views

PATH: Final = "/api/v1/sound"


class PlayedTold(TypedDict):
    """A sound that has ended, and what was really heard of it: see SoundPlayed."""

    first: datetime | None
    last: datetime | None
    owner: str
    kind: SourceKind
    rank: int
    heard_seconds: float
    hidden_seconds: float
    ducked_seconds: float
    level_db: Level
    underruns: int
    late_periods: int
    delay_ms: float


class AllPlayedTold(TypedDict):
    """The newest first."""

    played: list[PlayedTold]


class PolicyTold(TypedDict):
    """What each kind of sound does to each of lower priority."""

    policy: Any


_POLICY: Final = About(summary="Who is heard with whom, by the device", answer=PolicyTold)
_PLAYED: Final = About(summary="What was heard of the sounds that have ended", answer=AllPlayedTold)


class SoundDoor:
    """The routes of the sound."""

    def __init__(self, views: Views) -> None:
        self._views = views

    def routes(self) -> list[Route]:
        return [
            look(PATH + "/policy", self._policy, _POLICY),
            look(PATH + "/played", self._played, _PLAYED),
        ]

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
