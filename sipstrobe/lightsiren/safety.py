"""How often a light pattern flashes: a warning for people with photosensitive epilepsy (SAF-01).

A flash is a pair of opposing changes in brightness by a tenth of full white or more, and more than
three of them in any one second are held to be dangerous (WCAG 2.2, success criterion 2.3.1).
Counted is what one side shows and what all four show together, whichever is more.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from sipstrobe.lightsiren.catalogue import PATTERNS
from sipstrobe.lightsiren.colors import relative_luminance
from sipstrobe.lightsiren.frame import Frame
from sipstrobe.lightsiren.patterns import animate, find

SAFE_FLASHES = 3  # in any one second
_CHANGE = 0.1  # of the luminance of full white
_CONTRAST = ("white", "blue")  # the worst that colours can do
_PERIODS = 8  # watched at least; a shuffled pattern needs more than one
_SECONDS = 4.0  # watched at least


@lru_cache(maxsize=128)
def flashes_per_second(pattern: str, speed: int | None = None) -> int:
    """The most flashes that fall into any one second, at full intensity and contrast."""
    seen, settled = list(_watch(pattern, speed)), animate(pattern, None, speed).period
    sides = ([(at, frame[side]) for at, frame in seen] for side in range(4))
    curves = [[(at, _luminance(side.color, side.level)) for at, side in one] for one in sides]
    together = [(at, sum(_luminance(*side) for side in frame) / 4) for at, frame in seen]
    return max(_most_in_a_second(_flashes(curve, settled)) for curve in (*curves, together))


def is_risky(pattern: str, speed: int | None = None) -> bool:
    """More flashes in a second than is held to be safe."""
    return flashes_per_second(pattern, speed) > SAFE_FLASHES


def table() -> dict[str, dict[int, int]]:
    """Flashes per second of each pattern at each of its speeds."""
    return {
        name: {speed: flashes_per_second(name, speed) for speed in pattern.speeds}
        for name, pattern in PATTERNS.items()
    }


def _watch(pattern: str, speed: int | None) -> Iterator[tuple[float, Frame]]:
    colors = _CONTRAST[: min(2, find(pattern).max_colors)]
    animation = animate(pattern, colors, speed)
    until = animation.period + max(_SECONDS, _PERIODS * animation.period)
    at: float | None = 0.0
    while at is not None and at < until:
        frame, following = animation.at(at)
        yield at, frame
        at = following


def _luminance(color: str, level: float) -> float:
    return relative_luminance(color) * level if color else 0.0


def _flashes(curve: Sequence[tuple[float, float]], settled: float) -> list[float]:
    """When each flash begins: the light grows by a flash's worth, having fallen as much before.

    Before `settled` the light is only being switched on.
    """
    begins: list[float] = []
    low = high = 0.0  # before the pattern it was dark
    rising = False
    for at, level in curve:
        if rising:
            high = max(high, level)
            if high - level >= _CHANGE:
                rising, low = False, level
        else:
            low = min(low, level)
            if level - low >= _CHANGE:
                rising, high = True, level
                begins.append(at)
    return [at for at in begins if at >= settled]


def _most_in_a_second(instants: Sequence[float]) -> int:
    """The largest number of these instants within a span shorter than one second."""
    most = first = 0
    for last, at in enumerate(instants):
        while at - instants[first] > 1.0 - 1e-6:
            first += 1
        most = max(most, last - first + 1)
    return most
