"""How often a light flashes, for the sake of people with photosensitive epilepsy (SAF-01).

A flash is a pair of opposing changes of relative luminance by a tenth of the maximum or more, the
darker of both below eight tenths (WCAG 2.2, "general flash"; ITU-R BT.1702-3). A screen has its
white for maximum. A lamp is far brighter than that in any colour, so its own full light in the
brightest of its colours counts as maximum: blue is no safer here than white.

A flash is large where more than a quarter of the light takes part in it at once (BT.1702-3): two
sides or more. It is red where either state is a saturated red, R/(R+G+B) ≥ 0.8, and the other lies
more than 0.2 away in the CIE 1976 UCS diagram (WCAG 2.2, "red flash") or is darker by a flash's
worth. The dark has no colour: it counts as the white point.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import ceil, dist
from typing import Final, NamedTuple

from msgspec import Struct

from sipstrobe.lightsiren.colors import chromaticity, redness, relative_luminance
from sipstrobe.lightsiren.frame import Frame, Side
from sipstrobe.lightsiren.patterns import FULL_INTENSITY, Animation, animate, find
from sipstrobe.lightsiren.profile import resolved
from sipstrobe.lightsiren.settings import LightPart

SAFE_FLASHES: Final = 2  # in any one second, over a large area
LARGE_AREA: Final = 2  # sides
GAMMA: Final = 2.2  # from the lightness of a side to its luminance
MAX_KEPT: Final = 1024  # judgements, most recently used first
_CHANGE: Final = 0.1  # of the maximum
_BRIGHT: Final = 0.8  # of the maximum: what never falls below does not flash
_RED_SHARE: Final = 0.8
_RED_DISTANCE: Final = 0.2
_SHUFFLED_SIDES: Final = 3  # of Random, at most
_SOON: Final = 1e-6  # seconds; instants are whole microseconds


class Warned(NamedTuple):
    """One thing to be warned of: a stable code (flash_rate, saturated_red) and words for people."""

    code: str
    words: str


class Safety(Struct, frozen=True):
    """What a light's flashing amounts to.

    flash_rate_hz: of the side that flashes most, on average over a repetition. flashes_per_second:
    the most that begin within any one second on one side; large_flashes_per_second: the same of
    those that two sides or more have in common. sides_at_once: how many grow bright together.
    saturated_red: some of the flashes are red.
    """

    flash_rate_hz: float
    flashes_per_second: int
    large_flashes_per_second: int
    sides_at_once: int
    saturated_red: bool

    @property
    def warnings(self) -> tuple[Warned, ...]:
        """What is to be said wherever this light is chosen."""
        return tuple(self._warnings())

    def _warnings(self) -> Iterator[Warned]:
        many = self.large_flashes_per_second
        if many > SAFE_FLASHES:
            yield Warned(
                "flash_rate",
                f"{many} flashes in one second on {self.sides_at_once} sides at once: more than"
                f" {SAFE_FLASHES} a second over a large area can cause seizures in people with"
                " photosensitive epilepsy",
            )
        if self.saturated_red:
            yield Warned(
                "saturated_red",
                "flashes in saturated red, to which people with photosensitive epilepsy are most"
                " sensitive",
            )


STILL: Final = Safety(0.0, 0, 0, 0, False)


def safety_of(light: LightPart | None) -> Safety:
    """What the light of a profile amounts to; it must be one that `profile.check_light` passes."""
    if light is None:
        return STILL
    full = resolved(light)
    assert full.speed is not None
    assert full.colors is not None
    return judge(full.pattern, full.speed, full.colors, full.intensity)


@lru_cache(maxsize=MAX_KEPT)
def judge(
    pattern: str,
    speed: int | None = None,
    colors: tuple[str, ...] | None = None,
    intensity: int = FULL_INTENSITY,
) -> Safety:
    """What a pattern of the catalogue or of the system amounts to; None: the pattern's default."""
    found = find(pattern)
    colors = colors or found.default_colors
    if not colors:
        return STILL
    animation = animate(pattern, colors, speed, intensity)
    if found.shuffled:
        return _shuffled(animation, colors, intensity)
    seen = list(keyframes(animation))
    instants = [at for at, _ in seen]
    brightest = max(relative_luminance(color) for color in colors)
    kept: dict[tuple[Side, ...], _Curve] = {}  # most patterns show the same on several sides
    curves: list[_Curve] = []
    for states in zip(*(frame for _, frame in seen), strict=True):
        if states not in kept:
            kept[states] = _curve(instants, states, brightest, animation.period)
        curves.append(kept[states])
    return _judged(curves, animation.period)


def keyframes(animation: Animation, rounds: int = 1) -> Iterator[tuple[float, Frame]]:
    """The frames of the first repetitions, with the instants at which they begin."""
    at: float | None = 0.0
    while at is not None and at < rounds * animation.period - _SOON:
        frame, following = animation.at(at)
        yield at, frame
        at = following


def luminance(side: Side) -> float:
    """Relative luminance of a side, full white being 1."""
    return relative_luminance(side.color) * side.level**GAMMA if side.color else 0.0


def is_red(color: str) -> bool:
    """Whether a colour is a saturated red."""
    return bool(color) and redness(color) >= _RED_SHARE


def differs_from_red(red: str, other: str) -> bool:
    """Whether from this red to the other colour, or to the dark, it is far enough for a flash."""
    return dist(chromaticity(red), chromaticity(other or "white")) > _RED_DISTANCE


# --- one side -----------------------------------------------------------------------------------


class _Change(NamedTuple):
    """From one extreme to the next: the first and the last instant at which something changes."""

    begin: float
    end: float
    rising: bool


class _Swing(NamedTuple):
    """The same by index: the first one after the extreme that it leaves, the first one of the
    extreme that it comes to, and the extreme that it leaves."""

    begin: int
    end: int
    source: int
    rising: bool


class _Curve(Struct, frozen=True):
    """One side over a repetition: its changes of luminance, and whether it flashes in red."""

    changes: tuple[_Change, ...]
    red: bool


def _curve(
    instants: Sequence[float], states: Sequence[Side], brightest: float, period: float
) -> _Curve:
    count = len(states)

    def instant(index: int) -> float:
        return instants[index % count] + index // count * period

    light = [luminance(side) / brightest for side in states]
    swings = [
        swing
        for swing in _swings(light, _CHANGE)
        if min(light[swing.source % count], light[swing.end % count]) < _BRIGHT
    ]
    changes = (_Change(instant(s.begin), instant(s.end), s.rising) for s in swings)
    ends = {i % count for swing in swings for i in (swing.source, swing.end)}
    red = any(is_red(states[i].color) for i in ends) or _flashes_by_color(states)
    return _Curve(tuple(sorted(changes)), red)


def _flashes_by_color(states: Sequence[Side]) -> bool:
    """Whether a saturated red comes and goes, however dark it is."""
    colors = {side.color for side in states}
    return any(is_red(red) and differs_from_red(red, c) for red in colors for c in colors)


def _swings(curve: Sequence[float], least: float) -> Iterator[_Swing]:
    """Each change by this much or more, rises and falls in turn.

    The curve goes on from its end to its beginning. It is followed once round from its lowest
    point, so that it ends in the valley in which it began; indices run on beyond its end.
    """
    count = len(curve)
    first = min(range(count), key=curve.__getitem__)
    since = until = first  # at its extreme
    swing: tuple[int, int] | None = None  # on its way: the first index, and the extreme it left
    valley = True
    for i in range(first + 1, first + count + 1):
        value, held = curve[i % count], curve[since % count]
        if value == held:
            until = i
        elif (value < held) is valley:
            since = until = i
        elif abs(value - held) >= least:
            if swing is not None:
                yield _Swing(swing[0], since, swing[1], not valley)
            swing = until + 1, since
            since = until = i
            valley = not valley
    if swing is not None:
        yield _Swing(swing[0], since, swing[1], not valley)


# --- all sides ----------------------------------------------------------------------------------


def _judged(curves: Sequence[_Curve], period: float) -> Safety:
    rounds = range(ceil(1.0 / period) + 2)
    unrolled = [
        [_Change(c.begin + n * period, c.end + n * period, c.rising) for n in rounds for c in one]
        for one in (curve.changes for curve in curves)
    ]
    single = [_flashes(changes) for changes in unrolled]
    rises = [c for changes in unrolled for c in changes if c.rising]
    falls = [c for changes in unrolled for c in changes if not c.rising]
    large = _flashes([*_overlaps(rises), *_overlaps(falls)])
    return Safety(
        flash_rate_hz=round(max(_in_a_round(one, period) for one in single) / period, 3),
        flashes_per_second=max(_most_in_a_second(one) for one in single),
        large_flashes_per_second=_most_in_a_second(large),
        sides_at_once=_most_at_once(rises),
        saturated_red=any(curve.red for curve in curves),
    )


def _flashes(changes: Iterable[_Change]) -> list[float]:
    """When each flash begins: a rise that a fall follows."""
    pairs = pairwise(sorted(changes))
    return [one.begin for one, other in pairs if one.rising and not other.rising]


def _in_a_round(flashes: Sequence[float], period: float) -> int:
    """How many of them begin in the second repetition, when all goes on as it does for ever."""
    return sum(period - _SOON <= at < 2 * period - _SOON for at in flashes)


def _overlaps(changes: Iterable[_Change]) -> Iterator[_Change]:
    """The spans in which LARGE_AREA or more of these changes, all in one direction, go on."""
    begin = None
    for at, count, rising in _counted(changes):
        if count >= LARGE_AREA and begin is None:
            begin = at
        elif count < LARGE_AREA and begin is not None:
            yield _Change(begin, at, rising)
            begin = None


def _most_at_once(changes: Iterable[_Change]) -> int:
    return max((count for _, count, _ in _counted(changes)), default=0)


def _counted(changes: Iterable[_Change]) -> Iterator[tuple[float, int, bool]]:
    """How many go on from each instant on at which that changes; both their ends are part of it."""
    steps: list[tuple[int, int, bool]] = []
    for change in changes:
        steps.append((round(change.begin / _SOON), -1, change.rising))
        steps.append((round(change.end / _SOON), 1, change.rising))
    count = 0
    for at, step, rising in sorted(steps):
        count -= step
        yield at * _SOON, count, rising


def _most_in_a_second(instants: Sequence[float]) -> int:
    """The largest number of these instants within a span shorter than one second."""
    most = first = 0
    for last, at in enumerate(instants):
        while at - instants[first] > 1.0 - _SOON:
            first += 1
        most = max(most, last - first + 1)
    return most


def _shuffled(animation: Animation, colors: tuple[str, ...], intensity: int) -> Safety:
    """The worst that the deals can bring: a side that changes with every step."""
    step = animation.at(0.0)[1]
    assert step is not None
    most = _most_in_a_second([2 * n * step for n in range(ceil(1.0 / step) + 1)])
    seen = (intensity / FULL_INTENSITY) ** GAMMA >= _CHANGE
    return Safety(
        flash_rate_hz=round(0.5 / step, 3) if seen else 0.0,
        flashes_per_second=most if seen else 0,
        large_flashes_per_second=most if seen else 0,
        sides_at_once=_SHUFFLED_SIDES if seen else 0,
        saturated_red=any(is_red(color) for color in colors),
    )
