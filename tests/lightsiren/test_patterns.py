"""Each light pattern looks like what its name says, at every instant and every speed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sipstrobe.lightsiren.catalogue import PATTERNS, SYSTEM_PATTERNS
from sipstrobe.lightsiren.colors import COLORS
from sipstrobe.lightsiren.frame import DARK, DARKNESS, Frame, Side
from sipstrobe.lightsiren.patterns import (
    MAX_KEPT,
    Shuffle,
    animate,
    find,
    frame,
    next_change,
    period,
)

MANUAL = (
    "Off",
    "Steady",
    "Alternate",
    "Pulse",
    "Escalate 3 steps",
    "Blink",
    "Blink 3x",
    "Blink 4x",
    "Blink 3x fade",
    "Blink 4x fade",
    "Flash 1x",
    "Flash 3x",
    "Direction A",
    "Direction B",
    "Direction C",
    "Direction D",
    "Rotate",
    "Random",
    "Spin",
)
EVERY = [(name, speed) for name in (*PATTERNS, *SYSTEM_PATTERNS) for speed in find(name).speeds]
MICROSECOND = 1e-6
RED = Side("red", 1.0)

elapsed_times = st.floats(0, 300_000)
every = st.sampled_from(EVERY)


def timeline(
    pattern: str, *, speed: int | None = None, colors: tuple[str, ...] | None = None
) -> list[tuple[float, Frame]]:
    """The frames of the first period, each with its instant."""
    found: list[tuple[float, Frame]] = []
    at: float | None = 0.0
    while at is not None and at < period(pattern, colors, speed):
        found.append((at, frame(pattern, at, colors, speed)))
        at = next_change(pattern, at, colors, speed)
    return found


def lit(shown: Frame) -> str:
    """The names of the sides that are lit."""
    return "".join(name for name, side in zip("ABCD", shown, strict=True) if side.level)


def test_the_catalogue_is_the_manuals() -> None:
    """Checklist PAT-01: 19 patterns with exact names, in the manual's order."""
    assert tuple(PATTERNS) == MANUAL


def test_each_pattern_says_what_it_takes() -> None:
    """GAP-07, GAP-08: one to four speeds; Steady takes one colour, Alternate two or more."""
    for pattern in PATTERNS.values():
        assert 1 <= len(pattern.speeds) <= 4
        assert pattern.default_speed in pattern.speeds
        assert pattern.min_colors <= len(pattern.default_colors) <= pattern.max_colors
        assert set(pattern.default_colors) <= set(COLORS)
        assert pattern.words
    assert PATTERNS["Steady"].speeds == (1,)
    assert (PATTERNS["Steady"].min_colors, PATTERNS["Steady"].max_colors) == (1, 1)
    assert (PATTERNS["Alternate"].min_colors, PATTERNS["Alternate"].max_colors) == (2, 9)
    assert PATTERNS["Off"].max_colors == 0


@given(every, elapsed_times, st.integers(1, 5))
def test_levels_stay_within_the_intensity(
    which: tuple[str, int], elapsed: float, intensity: int
) -> None:
    """Intensity 5 is full light, and each step below takes a fifth of it away."""
    name, speed = which

    for side in frame(name, elapsed, None, speed, intensity):
        assert 0 <= side.level <= intensity / 5
        assert (side.color in COLORS) if side.level else side == DARK


@given(every, elapsed_times)
def test_the_next_change_is_the_next_and_is_a_change(
    which: tuple[str, int], elapsed: float
) -> None:
    """Nothing happens before it, something happens at it, whatever a float rounds away."""
    name, speed = which
    shown = frame(name, elapsed, None, speed)

    change = next_change(name, elapsed, None, speed)

    if change is None:
        assert frame(name, elapsed + 1.7, None, speed) == shown
        return
    assert change > elapsed - MICROSECOND
    assert frame(name, change, None, speed) != shown
    before = change - 2 * MICROSECOND
    for share in (0.25, 0.5, 0.75, 1.0):
        between = elapsed + share * (before - elapsed)
        if between > elapsed:
            assert frame(name, between, None, speed) == shown


@pytest.mark.parametrize(("name", "speed"), EVERY)
def test_an_animation_moves_on_from_change_to_change(name: str, speed: int) -> None:
    """A timer set to each change in turn never stands still and never lasts less than 10 ms."""
    at = next_change(name, 0.0, None, speed)
    instants: list[float] = []
    while at is not None and len(instants) < 300:
        instants.append(at)
        at = next_change(name, at, None, speed)

    assert all(later - earlier >= 0.0099 for earlier, later in pairwise(instants))


@given(every, st.floats(0, 100), st.integers(1, 1000))
def test_every_pattern_but_random_repeats_exactly(
    which: tuple[str, int], elapsed: float, times: int
) -> None:
    """One repetition is one period (PRF-05)."""
    name, speed = which
    if name == "Random":
        return
    elapsed = round(elapsed, 6)

    later = elapsed + times * period(name, None, speed)

    assert frame(name, later, None, speed) == frame(name, elapsed, None, speed)


@pytest.mark.parametrize("name", [n for n, p in PATTERNS.items() if len(p.speeds) > 1])
def test_each_speed_is_visibly_quicker_than_the_last(name: str) -> None:
    periods = [period(name, None, speed) for speed in PATTERNS[name].speeds]

    assert all(slower / quicker >= 1.19 for slower, quicker in pairwise(periods))


@pytest.mark.parametrize("name", [n for n in PATTERNS if n != "Off"])
def test_light_is_seen_at_once(name: str) -> None:
    """Whoever starts a pattern sees it start: no pattern begins in the dark."""
    assert lit(frame(name, 0.0))


def test_off_is_dark_and_steady_is_lit_for_ever() -> None:
    assert timeline("Off") == [(0.0, DARKNESS)]
    assert timeline("Steady", colors=("green",)) == [(0.0, Frame(*[Side("green", 1.0)] * 4))]
    assert next_change("Off", 5.0) is None
    assert next_change("Steady", 5.0) is None


def test_alternate_shows_each_colour_on_all_sides_in_turn() -> None:
    colors = ("red", "green", "white")

    seen = timeline("Alternate", speed=2, colors=colors)

    assert seen == [
        (index * 0.5, Frame(*[Side(color, 1.0)] * 4)) for index, color in enumerate(colors)
    ]
    assert period("Alternate", colors, 2) == 1.5


@pytest.mark.parametrize("times", [3, 4])
def test_counted_blinks_are_followed_by_a_pause(times: int) -> None:
    seen = timeline(f"Blink {times}x", speed=3)

    assert [lit(shown) for _, shown in seen] == ["ABCD", ""] * times
    pause = period(f"Blink {times}x", None, 3) - seen[-1][0]
    assert pause >= 3 * (seen[1][0] - seen[0][0])


@pytest.mark.parametrize("times", [3, 4])
def test_fading_blinks_begin_sharp_and_die_away(times: int) -> None:
    levels = [shown.a.level for _, shown in timeline(f"Blink {times}x fade", speed=1)]

    assert levels.count(1.0) == times
    for before, after in pairwise(levels):
        assert after < before or (before == 0.0 and after == 1.0) or after == 1.0


@pytest.mark.parametrize("times", [1, 3])
def test_flashes_are_short(times: int) -> None:
    for speed in (1, 2, 3, 4):
        seen = timeline(f"Flash {times}x", speed=speed)

        assert [lit(shown) for _, shown in seen] == ["ABCD", ""] * times
        lengths = [dark - bright for (bright, _), (dark, _) in zip(*[iter(seen)] * 2, strict=True)]
        assert lengths == pytest.approx([0.06] * times)


def test_pulse_swells_and_fades_without_a_jump_and_never_goes_dark() -> None:
    levels = [shown.a.level for _, shown in timeline("Pulse", speed=1)]

    top = levels.index(max(levels))
    assert levels[: top + 1] == sorted(levels[: top + 1])
    assert levels[top:] == sorted(levels[top:], reverse=True)
    assert max(levels) == 1.0
    assert min(levels) > 0.05
    assert max(abs(later - earlier) for earlier, later in pairwise(levels)) < 0.05


def test_escalation_has_three_steps() -> None:
    levels = [shown.a.level for _, shown in timeline("Escalate 3 steps", speed=1)]

    assert levels == [0.2, 0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("Direction A", ["C", "BD", "A", ""]),
        ("Direction B", ["D", "AC", "B", ""]),
        ("Direction C", ["A", "BD", "C", ""]),
        ("Direction D", ["B", "AC", "D", ""]),
    ],
)
def test_a_direction_runs_from_the_far_side_to_the_one_it_names(name: str, way: list[str]) -> None:
    """PAT-05: patterns can address the four sides."""
    seen = timeline(name, speed=2)

    assert [lit(shown) for _, shown in seen] == way
    brightest = max((shown for _, shown in seen), key=lambda f: max(s.level for s in f))
    assert lit(brightest) == name[-1]


def test_spin_goes_round_with_a_tail() -> None:
    seen = [shown for _, shown in timeline("Spin", speed=1)]

    assert [lit(shown) for shown in seen] == ["AD", "AB", "BC", "CD"]
    assert [max(range(4), key=lambda s: shown[s].level) for shown in seen] == [0, 1, 2, 3]


def test_rotate_hands_the_light_softly_from_side_to_side() -> None:
    """As a beacon: always the same amount of light, on one side or between two neighbours."""
    for at, shown in timeline("Rotate", speed=1):
        assert sum(side.level for side in shown) == pytest.approx(1.0, abs=0.002)
        assert lit(shown) in {"A", "AB", "B", "BC", "C", "CD", "D", "AD"}, at


def test_random_shows_every_choice_of_sides_once_in_a_period() -> None:
    seen = [lit(shown) for _, shown in timeline("Random", speed=1)]

    assert len(seen) == len(set(seen)) == 14
    assert not {"", "ABCD"} & set(seen)


def test_random_never_stands_still() -> None:
    """Neither within a period nor from one to the next are the same sides lit twice in a row."""
    steps = [lit(frame("Random", step * 0.5, speed=1)) for step in range(14 * 300)]

    assert all(before != after for before, after in pairwise(steps))


def test_random_is_the_same_every_time_but_not_in_every_period() -> None:
    colors = ("red", "green", "blue")
    once = period("Random", colors, 1)
    instants = [step * 0.5 for step in range(14)]

    first = [frame("Random", at, colors, 1) for at in instants]
    again = [Shuffle(find("Random").score(1, 3), colors, 1.0).at(at)[0] for at in instants]
    second = [frame("Random", at + once, colors, 1) for at in instants]

    assert first == again
    assert first != second
    assert {side.color for shown in first for side in shown if side.level} == set(colors)


def test_maintenance_is_a_white_triangle_that_pulses() -> None:
    """MNT-02."""
    seen = [shown for _, shown in timeline("Maintenance")]

    assert {lit(shown) for shown in seen} == {"ABD"}
    assert {shown.a.color for shown in seen} == {"white"}
    assert len({shown.a.level for shown in seen}) > 20


def test_the_health_check_lights_each_side_in_each_basic_colour() -> None:
    """HCK-01: one section after the other, for about four seconds."""
    seen = [shown for _, shown in timeline("Health check")]

    assert [lit(shown) for shown in seen] == [side for side in "ABCD" for _ in range(4)]
    assert [shown.c.color for shown in seen[8:12]] == ["red", "green", "blue", "white"]
    assert period("Health check") == 4.0


def test_identify_takes_turns_on_opposite_sides() -> None:
    assert [lit(shown) for _, shown in timeline("Identify")] == ["AC", "BD", "AC", "BD"]


@settings(max_examples=20)
@given(st.lists(st.sampled_from(list(COLORS)), min_size=2, max_size=9).map(tuple))
def test_animations_are_shared_and_few_are_kept(colors: tuple[str, ...]) -> None:
    """A start of what has run before costs nothing; what is kept has a bound."""
    assert animate("Alternate", colors, 1, 2) is animate("Alternate", colors, 1, 2)
    assert animate.cache_info().currsize <= MAX_KEPT
