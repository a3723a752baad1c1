"""What the lights of profiles are made of: the patterns, and each of them frame by frame, so that a
page shows it exactly as the lamps do."""

import asyncio
from collections.abc import Callable
from functools import cache
from itertools import islice
from typing import Annotated, Any, Final, TypedDict
from urllib.parse import quote

import msgspec
from msgspec import Meta

from sipstrobe.config.clips import patterns
from sipstrobe.config.settings import Settings
from sipstrobe.lightsiren.catalogue import PATTERNS, Pattern
from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.patterns import animate
from sipstrobe.lightsiren.profile import check_light, resolved
from sipstrobe.lightsiren.safety import judge, keyframes, safety_of
from sipstrobe.lightsiren.settings import (
    DEFAULT_INTENSITY,
    DEFAULT_PRIORITY,
    INTENSITIES,
    LIGHT_FUNCTIONS,
    MAX_DESCRIPTION,
    MAX_NAME,
    MAX_PROFILES,
    MAX_REPETITIONS,
    MAX_SECONDS,
    PRIORITIES,
    LightPart,
)
from sipstrobe.lightsiren.sounds import SOUNDS
from sipstrobe.web.exchange import About, HttpProblem, Query, Request, Response, Route, json, look
from sipstrobe.web.profile_json import safety_json
from sipstrobe.web.told.signals import SafetyTold

PATH: Final = "/api/v1/patterns"
LIGHT: Final = PATH + "/light"
SOUND_PATH: Final = "/api/v1/sounds"
MAX_FRAMES: Final = 512  # of one repetition; the longest has 200
ROUNDS: Final = 4  # of a pattern that never repeats
KEPT: Final = "private, max-age=86400"  # seconds; a pattern changes only with the program

SPEED: Final = Query[int | None]("speed", Annotated[int, Meta(ge=1, le=4)], None, "Its own if none")
INTENSITY: Final = Query[int]("intensity", Annotated[int, Meta(ge=1, le=5)], 5, "1 to 5")
SHOWN_COLORS: Final = Query[str]("colors", str, "", "Names with commas between; its own if none")


class SpeedTold(SafetyTold):
    """A pattern at one of its speeds in white, at full intensity; what is said of red depends on
    the colours that are chosen."""

    speed: int
    period_seconds: Annotated[float, Meta(description="Of one repetition.")]


class LightPatternTold(TypedDict):
    """A light pattern: how many colours it takes, and how it flashes at each speed."""

    name: str
    words: str
    min_colors: int
    max_colors: int
    default_colors: list[str]
    default_speed: int
    speeds: list[SpeedTold]


class SoundTold(TypedDict):
    """A sound of the siren. url: what it sounds like; seconds: of one repetition, null: of a clip,
    which tells it itself."""

    name: str
    words: str
    seconds: float | None
    url: str


class LimitsTold(TypedDict):
    """What a profile may be."""

    profiles: int
    name: Annotated[int, Meta(description="Characters.")]
    description: Annotated[int, Meta(description="Characters.")]
    intensities: list[int]
    default_intensity: int
    priorities: list[int]
    default_priority: int
    seconds: int
    repetitions: int
    functions: Annotated[list[str], Meta(description="Lights that a profile can be shown on.")]


class PatternsTold(TypedDict):
    """All that profiles are made of. colors: as #rrggbb."""

    light: list[LightPatternTold]
    colors: dict[str, str]
    sounds: list[SoundTold]
    limits: LimitsTold


class Keyframe(TypedDict):
    """From this instant on, each side shows this colour (empty: dark) at this lightness, 0 to 1."""

    at: float
    sides: list[tuple[str, float]]


class AnimationTold(SafetyTold):
    """A light pattern frame by frame. repeats: it goes on so for ever; else these are the first
    rounds of many, no two alike."""

    pattern: str
    speed: int
    colors: list[str]
    intensity: int
    period_seconds: float
    seconds: Annotated[float, Meta(description="That the frames last, all together.")]
    repeats: bool
    frames: Annotated[list[Keyframe], Meta(max_length=ROUNDS * MAX_FRAMES)]


class PatternsDoor:
    """The routes of light patterns, and the list of all sounds."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings

    def routes(self) -> list[Route]:
        return [
            look(PATH, self._list, About(summary="What profiles are made of", answer=PatternsTold)),
            look(
                LIGHT + "/{name}",
                self._animation,
                About(
                    summary="A light pattern, frame by frame",
                    answer=AnimationTold,
                    query=(SPEED, SHOWN_COLORS, INTENSITY),
                    problems={404: ("unknown_pattern",)},
                    tag="patterns",
                ),
            ),
        ]

    async def _list(self, _: Request) -> Response:
        light = await asyncio.to_thread(_light)
        own = patterns(self._settings().clips)[len(SOUNDS) :]
        sounds = [_sound(name) for name in SOUNDS]
        sounds += [{"name": name, "words": "", "seconds": None, "url": ""} for name in own]
        told = {"light": light, "colors": _COLORS, "sounds": sounds, "limits": _LIMITS}
        return json(told)

    def _animation(self, request: Request) -> Response:
        name = request.path.removeprefix(LIGHT + "/")
        if name not in PATTERNS:
            words = f"there is no light pattern {name[:64]!r}"
            raise HttpProblem(404, words, code="unknown_pattern")
        colors = SHOWN_COLORS.of(request)
        wanted = LightPart(
            pattern=name,
            speed=SPEED.of(request),
            colors=tuple(colors.split(",")) if colors else None,
            intensity=INTENSITY.of(request),
        )
        if faults := check_light(wanted):
            raise HttpProblem(400, faults[0].message, field=faults[0].field)
        return json(_animated(wanted)).with_headers(("Cache-Control", KEPT))


def _animated(wanted: LightPart) -> dict[str, Any]:
    light = resolved(wanted)
    assert light.speed is not None
    assert light.colors is not None
    animation = animate(light.pattern, light.colors, light.speed, light.intensity)
    repeats = not PATTERNS[light.pattern].shuffled
    rounds = 1 if repeats else ROUNDS
    frames = islice(keyframes(animation, rounds), rounds * MAX_FRAMES)
    return {
        "pattern": light.pattern,
        "speed": light.speed,
        "colors": light.colors,
        "intensity": light.intensity,
        "period_seconds": animation.period,
        "seconds": rounds * animation.period,
        "repeats": repeats,
        "frames": [{"at": round(at, 6), "sides": list(frame)} for at, frame in frames],
        **safety_json(safety_of(light)),
    }


@cache
def _light() -> msgspec.Raw:
    """All light patterns, judged at each of their speeds, which takes a moment."""
    return msgspec.Raw(msgspec.json.encode([_pattern(p) for p in PATTERNS.values()]))


def _pattern(pattern: Pattern) -> dict[str, Any]:
    colors = ("white", "blue")[: pattern.min_colors]
    return {
        "name": pattern.name,
        "words": pattern.words,
        "min_colors": pattern.min_colors,
        "max_colors": pattern.max_colors,
        "default_colors": pattern.default_colors,
        "default_speed": pattern.default_speed,
        "speeds": [
            {
                "speed": speed,
                "period_seconds": animate(pattern.name, colors or None, speed).period,
                **safety_json(judge(pattern.name, speed, colors or None)),
            }
            for speed in pattern.speeds
        ],
    }


def _sound(name: str) -> dict[str, Any]:
    sound = SOUNDS[name]
    url = f"{SOUND_PATH}/{quote(name)}.wav"
    return {"name": name, "words": sound.words, "seconds": sound.seconds, "url": url}


_COLORS: Final = {name: "#{:02x}{:02x}{:02x}".format(*rgb) for name, rgb in COLORS.items()}
_LIMITS: Final = {
    "profiles": MAX_PROFILES,
    "name": MAX_NAME,
    "description": MAX_DESCRIPTION,
    "intensities": INTENSITIES,
    "default_intensity": DEFAULT_INTENSITY,
    "priorities": PRIORITIES,
    "default_priority": DEFAULT_PRIORITY,
    "seconds": MAX_SECONDS,
    "repetitions": MAX_REPETITIONS,
    "functions": LIGHT_FUNCTIONS,
}
