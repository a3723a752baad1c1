"""Play a light pattern: which frame at which instant, and when it changes next.

Everything is a pure function of the time since the operation started, counted in whole
microseconds, so that an instant computed here and reached by a timer means the same frame.
"""

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from math import cos, pi
from typing import Protocol

from sipstrobe.lightsiren.catalogue import (
    PATTERNS,
    SHUFFLE_STEPS,
    SYSTEM_PATTERNS,
    Levels,
    Pattern,
    Score,
    Step,
)
from sipstrobe.lightsiren.frame import DARK, Frame, Side

FADE_STEP_MS = 20  # a fade is shown in equal steps of this length at most
FULL_INTENSITY = 5
MAX_KEPT = 256  # animations kept ready, most recently used first
_US = 1_000_000


class Animation(Protocol):
    """One pattern with its colours, speed and intensity."""

    period: float  # seconds of one repetition

    def at(self, elapsed: float) -> tuple[Frame, float | None]:
        """The frame at this time since the start, and when the next follows; None: never."""
        ...


class Loop:
    """A score that repeats exactly."""

    def __init__(self, score: Score, colors: tuple[str, ...], gain: float) -> None:
        self._starts, self._frames, self._us = _drawn(score, colors, gain)
        self.period = self._us / _US

    def at(self, elapsed: float) -> tuple[Frame, float | None]:
        starts = self._starts
        if len(starts) == 1:
            return self._frames[0], None
        now = _microseconds(elapsed)
        phase = now % self._us
        index = bisect_right(starts, phase)
        if index < len(starts):
            following = starts[index]
        else:  # what closes the period may go on into the next one
            following = self._us + starts[self._frames[-1] == self._frames[0]]
        return self._frames[index - 1], (now - phase + following) / _US


class Shuffle:
    """Steps of one length; each shows other sides and colours than the one before.

    Every choice of one to three sides comes once in each period, in an order that is dealt from
    the number of the period: the same device shows the same at the same instant.
    """

    def __init__(self, score: Score, colors: tuple[str, ...], gain: float) -> None:
        self._step_us = score[0].ms * 1000
        self._sides = tuple(Side(color, round(gain, 3)) for color in colors)
        self.period = len(score) * self._step_us / _US

    def at(self, elapsed: float) -> tuple[Frame, float | None]:
        step = _microseconds(elapsed) // self._step_us
        return self._frame(step), (step + 1) * self._step_us / _US

    def _frame(self, step: int) -> Frame:
        deal, place = divmod(step, SHUFFLE_STEPS)
        lit = _deal(deal)[place]
        colors = len(self._sides)
        return Frame(
            *(
                self._sides[_mix(step * 4 + side) % colors] if lit >> side & 1 else DARK
                for side in range(4)
            )
        )


@lru_cache(maxsize=MAX_KEPT)
def animate(
    pattern: str,
    colors: tuple[str, ...] | None = None,
    speed: int | None = None,
    intensity: int = FULL_INTENSITY,
) -> Animation:
    """The animation of a pattern of the catalogue or of the system; None: the pattern's default.

    The values must be ones that `profile.check_light` passes.
    """
    found = find(pattern)
    colors = colors or found.default_colors
    score = found.score(speed or found.default_speed, len(colors))
    kind = Shuffle if found.shuffled else Loop
    return kind(score, colors, intensity / FULL_INTENSITY)


def find(pattern: str) -> Pattern:
    return PATTERNS.get(pattern) or SYSTEM_PATTERNS[pattern]


def frame(
    pattern: str,
    elapsed: float,
    colors: tuple[str, ...] | None = None,
    speed: int | None = None,
    intensity: int = FULL_INTENSITY,
) -> Frame:
    """What the light shows this many seconds after the start."""
    return animate(pattern, colors, speed, intensity).at(elapsed)[0]


def next_change(
    pattern: str,
    elapsed: float,
    colors: tuple[str, ...] | None = None,
    speed: int | None = None,
) -> float | None:
    """When, in seconds after the start, another frame follows; None: never."""
    return animate(pattern, colors, speed).at(elapsed)[1]


def period(pattern: str, colors: tuple[str, ...] | None = None, speed: int | None = None) -> float:
    """Seconds of one repetition; one second for a pattern that does not change."""
    return animate(pattern, colors, speed).period


def _microseconds(elapsed: float) -> int:
    return max(0, round(elapsed * _US))


def _drawn(
    score: Score, colors: tuple[str, ...], gain: float
) -> tuple[list[int], list[Frame], int]:
    """The instants of one period at which the frame changes, the frames, and the period."""
    starts: list[int] = []
    frames: list[Frame] = []
    begin = 0
    for step in score:
        color = colors[step.color] if colors else ""
        for offset_us, levels in _levels(step):
            sides = {level: _side(color, level * gain) for level in set(levels)}
            frame = Frame(*(sides[level] for level in levels))
            if not frames or frame != frames[-1]:
                starts.append(begin + offset_us)
                frames.append(frame)
        begin += step.ms * 1000
    return starts, frames, begin


def _side(color: str, level: float) -> Side:
    level = round(level, 3)
    return Side(color, level) if color and level else DARK


def _levels(step: Step) -> Iterator[tuple[int, Levels]]:
    """The levels within a step, with the microseconds since its beginning."""
    if step.fade_to is None:
        yield 0, step.levels
        return
    count = -(-step.ms // FADE_STEP_MS)
    for i in range(count):
        done = (1 - cos(pi * i / count)) / 2  # slow, quick, slow: as a lamp is dimmed
        a, b, c, d = (s + (e - s) * done for s, e in zip(step.levels, step.fade_to, strict=True))
        yield step.ms * 1000 * i // count, (a, b, c, d)


@lru_cache(maxsize=MAX_KEPT)
def _deal(number: int) -> tuple[int, ...]:
    """The choices of sides, as bits, in the order of this deal; never one twice in a row."""
    cards = _shuffled(number)
    if number and cards[0] == _shuffled(number - 1)[-1]:
        cards[0], cards[1] = cards[1], cards[0]
    return tuple(cards)


def _shuffled(number: int) -> list[int]:
    return sorted(range(1, SHUFFLE_STEPS + 1), key=lambda card: _mix(number << 8 | card))


def _mix(value: int) -> int:
    """Scatter a number over 32 bits (the finaliser of MurmurHash3)."""
    value &= 0xFFFFFFFF
    value = (value ^ value >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    value = (value ^ value >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return value ^ value >> 16
