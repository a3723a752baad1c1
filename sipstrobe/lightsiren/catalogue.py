"""The light patterns: what each is made of and can be told (checklist PAT-01, GAP-07, GAP-08).

A pattern is a score: a sequence of steps, each of some length in milliseconds, that is played
again and again. A step says how bright each side is, and if it fades, what it fades to. Speeds
differ in the length of the pattern's beat. `patterns` plays the scores; `safety` says how often
each of them flashes.
"""

from collections.abc import Callable

from msgspec import Struct

Levels = tuple[float, float, float, float]  # of the sides A, B, C, D

ALL: Levels = (1.0, 1.0, 1.0, 1.0)
NONE: Levels = (0.0, 0.0, 0.0, 0.0)
TRIANGLE: Levels = (1.0, 1.0, 0.0, 1.0)
FLASH_MS = (
    60  # as short as a strobe, long enough for one frame of a lamp that is refreshed at 25 Hz
)
FLASH_GAP_MS = 90
GLOW = 0.1  # what a pulse never falls below, so that the light is seen to be on
TAIL = 0.3  # what a spinning light leaves on the side it has just left
SHUFFLE_STEPS = 14  # Random: every choice of one to three sides, once each


class Step(Struct, frozen=True):
    """Part of a score. fade_to: the levels it ends with; color: which of the chosen ones."""

    ms: int
    levels: Levels
    fade_to: Levels | None = None
    color: int = 0


Score = tuple[Step, ...]
Compose = Callable[[int, int], Score]  # from the beat in milliseconds and the number of colours


class Pattern(Struct, frozen=True):
    """One light pattern: its score, and which speeds and how many colours it takes.

    words say what is to be seen. beats_ms holds the beat for speed 1, 2, …; a pattern with a
    single beat has no choice of speed, and one without colours shows none.
    """

    name: str
    words: str
    compose: Compose
    beats_ms: tuple[int, ...] = (1000,)
    default_speed: int = 1
    min_colors: int = 1
    max_colors: int = 1
    default_colors: tuple[str, ...] = ("red",)
    shuffled: bool = False  # the score is dealt anew for each period

    @property
    def speeds(self) -> tuple[int, ...]:
        """The speeds it can be shown at, the slowest first."""
        return tuple(range(1, len(self.beats_ms) + 1))

    def score(self, speed: int, colors: int) -> Score:
        return self.compose(self.beats_ms[speed - 1], colors)


def scaled(levels: Levels, factor: float) -> Levels:
    a, b, c, d = levels
    return (a * factor, b * factor, c * factor, d * factor)


def only(*sides: int) -> Levels:
    """Full light on these sides, 0 for A to 3 for D."""
    a, b, c, d = (1.0 if side in sides else 0.0 for side in range(4))
    return (a, b, c, d)


# --- the scores: from the beat in milliseconds and the number of colours ------------------------


def _still(levels: Levels) -> Compose:
    return lambda beat, colors: (Step(beat, levels),)


def _alternate(beat: int, colors: int) -> Score:
    return tuple(Step(beat, ALL, color=color) for color in range(colors))


def _pulse(levels: Levels) -> Compose:
    low = scaled(levels, GLOW)
    return lambda beat, colors: (Step(beat, low, levels), Step(beat, levels, low))


def _escalate(beat: int, colors: int) -> Score:
    steps = (Step(beat, scaled(ALL, level)) for level in (0.2, 0.5, 1.0))
    return (*steps, Step(beat // 2, NONE))


def _blink(times: int, *, fade: bool = False) -> Compose:
    def compose(beat: int, colors: int) -> Score:
        one = (Step(beat, ALL), Step(beat, NONE))
        if fade:
            one = (Step(beat // 2, ALL), Step(beat * 3 // 2, ALL, NONE))
        pause = (Step(4 * beat, NONE),) if times > 1 else ()
        return one * times + pause

    return compose


def _flash(times: int) -> Compose:
    def compose(beat: int, colors: int) -> Score:
        one = (Step(FLASH_MS, ALL), Step(FLASH_GAP_MS, NONE))
        return (*one * times, Step(beat - times * (FLASH_MS + FLASH_GAP_MS), NONE))

    return compose


def _direction(side: int) -> Compose:
    """Run from the far side over both flanks to this one, stay, and begin again."""
    left, far, right = ((side + turn) % 4 for turn in (1, 2, 3))

    def compose(beat: int, colors: int) -> Score:
        return (
            Step(beat, scaled(only(far), 0.5)),
            Step(beat, scaled(only(left, right), 0.75)),
            Step(2 * beat, only(side)),
            Step(beat, NONE),
        )

    return compose


def _rotate(beat: int, colors: int) -> Score:
    return tuple(Step(beat, only(side), only((side + 1) % 4)) for side in range(4))


def _spin(beat: int, colors: int) -> Score:
    def turned(side: int) -> Levels:
        a, b, c, d = (1.0 if s == side else TAIL if s == (side - 1) % 4 else 0.0 for s in range(4))
        return (a, b, c, d)

    return tuple(Step(beat, turned(side)) for side in range(4))


def _shuffle(beat: int, colors: int) -> Score:
    """As many steps as there are choices of sides; `patterns.Shuffle` deals them."""
    return (Step(beat, ALL),) * SHUFFLE_STEPS


def _identify(beat: int, colors: int) -> Score:
    pairs = (only(0, 2), only(1, 3))
    return tuple(Step(beat, pairs[turn % 2], color=turn % colors) for turn in range(4))


def _each_side(beat: int, colors: int) -> Score:
    return tuple(Step(beat, only(s), color=color) for s in range(4) for color in range(colors))


# --- the catalogue ------------------------------------------------------------------------------

_SLOW_BEATS = (1000, 500, 300, 200)
_QUICK_BEATS = (300, 200, 150, 100)


def _choice(name: str, words: str, compose: Compose, *beats_ms: int) -> Pattern:
    return Pattern(name, words, compose, beats_ms, default_speed=2)


_CATALOGUE = (
    Pattern(
        "Off",
        "Dark, whatever a lower priority would show",
        _still(NONE),
        min_colors=0,
        max_colors=0,
        default_colors=(),
    ),
    Pattern("Steady", "All sides lit without a change", _still(ALL)),
    Pattern(
        "Alternate",
        "All sides in one colour after the other",
        _alternate,
        _SLOW_BEATS,
        default_speed=2,
        min_colors=2,
        max_colors=9,
        default_colors=("red", "blue"),
    ),
    _choice("Pulse", "All sides swell and fade", _pulse(ALL), 1000, 600, 400, 250),
    _choice("Escalate 3 steps", "Weak, half, full, and again", _escalate, 1000, 600, 400, 260),
    _choice("Blink", "All sides on and off", _blink(1), *_SLOW_BEATS),
    _choice("Blink 3x", "Three blinks and a pause", _blink(3), *_QUICK_BEATS),
    _choice("Blink 4x", "Four blinks and a pause", _blink(4), *_QUICK_BEATS),
    _choice("Blink 3x fade", "Three fading blinks, a pause", _blink(3, fade=True), *_QUICK_BEATS),
    _choice("Blink 4x fade", "Four fading blinks, a pause", _blink(4, fade=True), *_QUICK_BEATS),
    _choice("Flash 1x", "One short flash, then dark", _flash(1), 2000, 1000, 700, 500),
    _choice("Flash 3x", "Three short flashes, then dark", _flash(3), 2000, 1500, 1250, 1000),
    _choice("Direction A", "Light runs from C to A", _direction(0), *_QUICK_BEATS),
    _choice("Direction B", "Light runs from D to B", _direction(1), *_QUICK_BEATS),
    _choice("Direction C", "Light runs from A to C", _direction(2), *_QUICK_BEATS),
    _choice("Direction D", "Light runs from B to D", _direction(3), *_QUICK_BEATS),
    _choice("Rotate", "A soft beam goes round, as of a beacon", _rotate, 500, 350, 240, 150),
    Pattern(
        "Random",
        "Sides and colours change without order",
        _shuffle,
        (500, 300, 220, 170),
        default_speed=2,
        max_colors=9,
        shuffled=True,
    ),
    _choice("Spin", "A sharp light with a tail chases round", _spin, 250, 170, 120, 85),
)

PATTERNS: dict[str, Pattern] = {pattern.name: pattern for pattern in _CATALOGUE}

MAINTENANCE = Pattern(
    "Maintenance",
    "A white triangle pulses: maintenance mode is on",
    _pulse(TRIANGLE),
    (1200,),
    default_colors=("white",),
)
IDENTIFY = Pattern(
    "Identify",
    "Opposite sides take turns: here I am",
    _identify,
    (400,),
    min_colors=2,
    max_colors=2,
    default_colors=("turquoise", "white"),
)
HEALTH_CHECK = Pattern(
    "Health check",
    "Each side in turn, in each basic colour",
    _each_side,
    (250,),
    min_colors=4,
    max_colors=4,
    default_colors=("red", "green", "blue", "white"),
)
SYSTEM_PATTERNS: dict[str, Pattern] = {p.name: p for p in (MAINTENANCE, IDENTIFY, HEALTH_CHECK)}
