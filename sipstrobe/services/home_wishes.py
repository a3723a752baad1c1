"""What Home Assistant wishes of a light or the siren, as orders; and what these show, as states.

The payloads are those of its JSON lights and of its sirens: what a wish leaves out stays as it is.
"""

from collections.abc import Sequence
from math import ceil
from typing import Annotated, Final, Literal, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from sipstrobe.commands import StartOperation
from sipstrobe.events import Function
from sipstrobe.lightsiren.catalogue import PATTERNS
from sipstrobe.lightsiren.colors import COLORS, RGB
from sipstrobe.lightsiren.settings import INTENSITIES, MAX_SECONDS, PRIORITIES
from sipstrobe.mqtt.discovery import OFF, ON
from sipstrobe.orders import BadOrder

LIGHTS: Final = {"light": Function.SIGNALING_LED, "front_light": Function.AUDIO_LED}
EFFECTS: Final = tuple(name for name, pattern in PATTERNS.items() if pattern.max_colors)
STEADY: Final = "Steady"
_HIGHEST: Final = INTENSITIES[-1]

Octet = Annotated[int, Meta(ge=0, le=255)]
Seconds = Annotated[int, Meta(ge=1, le=MAX_SECONDS)]


class Color(Struct, frozen=True):
    """A colour as Home Assistant has it."""

    r: Octet
    g: Octet
    b: Octet


class LightWish(Struct, frozen=True):
    """What a light shall be; flash: seconds after which it ends by itself."""

    state: Literal["ON", "OFF"]
    brightness: Annotated[int, Meta(ge=0, le=_HIGHEST)] | None = None
    effect: str | None = None
    color: Color | None = None
    flash: Seconds | None = None


class SirenWish(Struct, frozen=True):
    """What the siren shall be."""

    state: Literal["ON", "OFF"]
    tone: str | None = None
    duration: Annotated[int, Meta(ge=0, le=MAX_SECONDS)] | None = None
    volume_level: Annotated[float, Meta(ge=0, le=1)] | None = None


class ProfileWish(Struct, frozen=True):
    """Whether a profile shall run."""

    profile: str
    active: bool


W = TypeVar("W", LightWish, SirenWish, ProfileWish)


class Shown(Protocol):
    """An operation of light or siren."""

    @property
    def function(self) -> str: ...
    @property
    def pattern(self) -> str: ...
    @property
    def priority(self) -> int: ...
    @property
    def intensity(self) -> int: ...
    @property
    def speed(self) -> int | None: ...
    @property
    def colors(self) -> Sequence[str]: ...
    @property
    def shown(self) -> bool: ...


def read_wish(kind: type[W], payload: bytes) -> W:
    """Raises BadOrder."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at ")
        raise BadOrder(words, place.strip("`").removeprefix("$.")) from None
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise BadOrder("the payload is not JSON") from None


def shown_by(function: Function, operations: Sequence[Shown]) -> Shown | None:
    """What a function shows just now."""
    return next((o for o in operations if o.function == function and o.shown), None)


# --- lights --------------------------------------------------------------------------------------


def light_order(function: Function, wish: LightWish, shown: Shown | None) -> StartOperation:
    """The order for a light that shall be on; shown: what it goes on from."""
    before = shown if shown is not None and shown.priority in PRIORITIES else None
    effect = wish.effect or (before.pattern if before is not None else STEADY)
    kept = before if before is not None and before.pattern == effect else None
    if wish.color is not None:
        colors = _colors(effect, nearest((wish.color.r, wish.color.g, wish.color.b)))
    elif kept is not None:
        colors = tuple(kept.colors)
    elif before is not None and before.colors:
        colors = _colors(effect, before.colors[0])
    else:
        colors = None
    intensity = wish.brightness
    if intensity is None and before is not None:
        intensity = before.intensity
    return StartOperation(
        function=function,
        pattern=effect,
        intensity=intensity,
        speed=kept.speed if kept is not None else None,
        colors=colors,
        duration=None if wish.flash is None else ("seconds", wish.flash),
    )


def light_state(shown: Shown | None) -> bytes:
    """What Home Assistant is told of a light; of what it has no effect for, that it has none."""
    if shown is None or shown.pattern == "Off":
        return msgspec.json.encode({"state": OFF})
    effect = shown.pattern if shown.pattern in EFFECTS else None
    told: dict[str, object] = {"state": ON, "brightness": shown.intensity, "effect": effect}
    if shown.colors:
        red, green, blue = COLORS[shown.colors[0]]
        told |= {"color_mode": "rgb", "color": {"r": red, "g": green, "b": blue}}
    return msgspec.json.encode(told)


def nearest(color: RGB) -> str:
    """Of the nine colours, the one that looks most like this."""
    return min(COLORS, key=lambda name: _distance(COLORS[name], color))


def _distance(one: RGB, other: RGB) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _colors(effect: str, color: str) -> tuple[str, ...] | None:
    """The colour, and as many others of the pattern's own as it needs; None: it takes none."""
    pattern = PATTERNS.get(effect)
    if pattern is None:
        return (color,)
    if not pattern.max_colors:
        return None
    others = [other for other in (*pattern.default_colors, *COLORS) if other != color]
    return (color, *others[: pattern.min_colors - 1])


# --- the siren -----------------------------------------------------------------------------------


def siren_order(wish: SirenWish, shown: Shown | None, tone: str) -> StartOperation:
    """The order for a siren that shall sound; tone: the one where none is wished or heard."""
    before = shown if shown is not None and shown.priority in PRIORITIES else None
    intensity = before.intensity if before is not None else None
    if wish.volume_level is not None:
        intensity = max(1, ceil(wish.volume_level * _HIGHEST))
    return StartOperation(
        function=Function.AUDIO_SPEAKER,
        pattern=wish.tone or (before.pattern if before is not None else tone),
        intensity=intensity,
        duration=("seconds", wish.duration) if wish.duration else None,
    )


def siren_state(shown: Shown | None, tones: Sequence[str]) -> bytes:
    """What Home Assistant is told of the siren."""
    if shown is None:
        return msgspec.json.encode({"state": OFF})
    told: dict[str, object] = {"state": ON, "volume_level": shown.intensity / _HIGHEST}
    return msgspec.json.encode(told | ({"tone": shown.pattern} if shown.pattern in tones else {}))
